//! Handing rows over: a window of rows is under way at once, each row once.

use super::plan::Purpose;
use super::reader::Reader;
use super::{Import, folder, states};
use crate::calls;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::failpoint::point;
use crate::worker::Signals;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::field::SystemField;
use domain::id::EventId;
use domain::record::{Record, RecordKey, RecordKind};
use domain::value::Value;
use std::sync::Arc;
use storage::events::{self, NewEvent};
use storage::import_rows::{self, ImportRow, RowState};
use storage::imports::{self, ImportState};
use storage::outcomes::{self, EventOutcome};

/// Rows under way at once.
const WINDOW: u64 = 1000;

/// Settles what came to its end, hands over what fits in, ends the import when nothing is left. Returns how much
/// was done.
pub(super) async fn window(
    context: &Arc<Context>,
    signals: &Signals,
    mut import: Import,
) -> Result<usize, EngineError> {
    let (workspace, id) = (import.workspace, import.id);
    let list = |state, limit| import_rows::list(&context.db, workspace, id, Some(state), 0, limit);
    let queued = list(RowState::Queued, WINDOW).await?;
    let n_settled = settle(context, &import, &queued).await?;
    let free = WINDOW.saturating_sub((queued.len() - n_settled) as u64);
    let rows = list(RowState::Accepted, free).await?;
    if rows.is_empty() && n_settled == queued.len() {
        import.state = ImportState::Done;
        import.finished_at = Some(context.clock.now());
        let counts = import_rows::counts(&context.db, workspace, id).await?;
        import.plan.stats.counts = Some(
            counts
                .into_iter()
                .map(|(state, n)| (state.as_str().to_owned(), n))
                .collect(),
        );
        imports::save(&context.db, &mut import).await?;
        let _already_gone = tokio::fs::remove_file(folder::path(context, id)).await;
        return Ok(1);
    }
    if rows.is_empty() {
        return Ok(n_settled);
    }
    let n_rows = rows.len();
    let Some(reader) = Reader::of(context, &import).await? else {
        import.error =
            Some("Подключение удалено: подключитесь снова и загрузите оставшиеся строки".to_owned());
        let tx = context.db.begin().await?;
        states::give_up(context, tx, import, "подключение удалено").await?;
        return Ok(n_settled + 1);
    };
    match reader.purpose {
        Purpose::Contacts => hand_over(context, import, &reader, rows).await?,
        Purpose::Calls => store_calls(context, import, &reader, rows).await?,
    }
    signals.events.notify_one();
    Ok(n_settled + n_rows)
}

/// Settles what was handed over before an import was paused or given up. Returns how much was done.
pub(super) async fn ends(context: &Arc<Context>, import: &Import) -> Result<usize, EngineError> {
    let queued = import_rows::list(
        &context.db,
        import.workspace,
        import.id,
        Some(RowState::Queued),
        0,
        WINDOW,
    )
    .await?;
    settle(context, import, &queued).await
}

/// Writes down how rows ended whose events are through.
async fn settle(context: &Context, import: &Import, queued: &[ImportRow]) -> Result<usize, EngineError> {
    let events: Vec<EventId> = queued.iter().filter_map(|row| row.event).collect();
    if events.is_empty() {
        return Ok(0);
    }
    let outcomes = outcomes::of_events(&context.db, import.workspace, &events).await?;
    let ended: Vec<ImportRow> = queued
        .iter()
        .filter_map(|row| {
            let outcome = outcomes.iter().find(|it| Some(it.event) == row.event)?;
            let (state, error) = end(outcome)?;
            Some(ImportRow {
                state,
                error,
                ..row.clone()
            })
        })
        .collect();
    if !ended.is_empty() {
        let tx = context.db.begin().await?;
        for row in &ended {
            import_rows::save(&tx, import.workspace, import.id, row).await?;
        }
        tx.commit().await?;
    }
    Ok(ended.len())
}

/// How a row ended, if it did.
fn end(outcome: &EventOutcome) -> Option<(RowState, Option<String>)> {
    if !outcome.is_looked_at || outcome.n_open > 0 {
        return None;
    }
    Some(if outcome.n_dead > 0 {
        (RowState::Failed, outcome.error.clone())
    } else if outcome.n_delivered > 0 {
        (RowState::Done, None)
    } else if outcome.n_matched == 0 {
        (RowState::Skipped, Some("ни одно правило не подошло".to_owned()))
    } else {
        let reason = outcome.error.clone();
        (
            RowState::Skipped,
            reason.or_else(|| Some("правило ничего не изменило".to_owned())),
        )
    })
}

/// Rows to events, in one transaction with their marks.
async fn hand_over(
    context: &Context,
    mut import: Import,
    reader: &Reader,
    rows: Vec<ImportRow>,
) -> Result<(), EngineError> {
    let Some(connection) = import.plan.connection else {
        return Ok(());
    };
    let now = context.clock.now();
    let label = import.plan.label.clone().unwrap_or_else(|| import.name.clone());
    let (mut new, mut marks) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let read = reader.read(&row.cells);
        let name = format!("{}:{}", import.id, row.number);
        let key = RecordKey::new(RecordKind::Event, name.as_str());
        let record = Record::new(RecordKind::Event, name.as_str())
            .with(SystemField::Source, Value::text(label.as_str()));
        let fact = Fact {
            kind: EventKind::ImportRowAccepted,
            key,
            occurred_at: None,
            record,
            related: read.records,
            before: Vec::new(),
            changed: None,
            author: None,
            dedupe: String::new(),
        };
        let id = EventId(new_id());
        marks.push((row.number, id));
        new.push(NewEvent {
            key: format!("import:{name}"),
            inbound: None,
            replay_of: None,
            only_rule: import.rule,
            as_then: false,
            due_at: now,
            event: Event {
                id,
                workspace: import.workspace,
                connection,
                origin: Origin::Import,
                received_at: now,
                chain: 0,
                fact,
            },
        });
    }
    let tx = context.db.begin().await?;
    import_rows::hand_over(&tx, import.workspace, import.id, &marks).await?;
    point!(ImportMarked);
    events::insert(&tx, &new).await?;
    point!(ImportEvents);
    imports::save(&tx, &mut import).await?;
    tx.commit().await?;
    point!(ImportHanded);
    Ok(())
}

/// Rows to results of calls, in one transaction with their ends.
async fn store_calls(
    context: &Context,
    mut import: Import,
    reader: &Reader,
    rows: Vec<ImportRow>,
) -> Result<(), EngineError> {
    let Some(connection) = import.plan.connection else {
        return Ok(());
    };
    let now = context.clock.now();
    let tx = context.db.begin().await?;
    calls::take_turn(&tx, import.workspace).await?;
    let settings = calls::settings(&tx, import.workspace).await?;
    for mut row in rows {
        let read = reader.read(&row.cells);
        let heard = calls::Heard::of_records(connection, "import", &read.records, &reader.zone);
        (row.state, row.error) = match heard {
            None => (RowState::Failed, Some("в строке нет даты звонка".to_owned())),
            Some(heard) => {
                let kept = calls::receive(&tx, import.workspace, &settings, heard, now).await?;
                row.event = kept.result.event;
                if kept.is_new {
                    (RowState::Done, None)
                } else {
                    (
                        RowState::Skipped,
                        Some("этот звонок уже есть в результатах".to_owned()),
                    )
                }
            }
        };
        import_rows::save(&tx, import.workspace, import.id, &row).await?;
    }
    imports::save(&tx, &mut import).await?;
    tx.commit().await?;
    Ok(())
}
