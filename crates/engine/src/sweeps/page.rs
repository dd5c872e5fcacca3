//! One page of a sweep.

use super::Sweeps;
use crate::context::new_id;
use crate::error::EngineError;
use domain::connection::ConnectorKind;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::field::SystemField;
use domain::id::{ConnectionId, EventId};
use domain::record::{Record, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use storage::events::{self, EventFilter, NewEvent};
use storage::sweeps::{self, Sweep, SweepKind, SweepState, Wanted};
use storage::{PageOf, connections};

const DAY_MS: i64 = 86_400_000;
/// Named records, and earlier events, of one page.
const PAGE: usize = 50;

/// What a page came to.
struct Page {
    new: Vec<NewEvent>,
    n_seen: usize,
    next: Option<String>,
}

impl Sweeps {
    /// Reads one page; its events and the place after it commit together.
    pub(super) async fn page(&self, sweep: &mut Sweep) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let page = match (&sweep.wanted, sweep.connection) {
            (Wanted::Events { .. }, _) => self.earlier(sweep, now).await?,
            (_, Some(connection)) => self.records(sweep, connection, now).await?,
            (_, None) => Page {
                new: Vec::new(),
                n_seen: 0,
                next: None,
            },
        };
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let tx = self.context.db.begin().await?;
        let n_new = events::insert(&tx, &page.new).await?.len();
        sweep.n_seen = sweep.n_seen.saturating_add(count(page.n_seen));
        sweep.n_events = sweep.n_events.saturating_add(count(n_new));
        sweep.n_failures = 0;
        sweep.failure = None;
        sweep.due_at = now;
        sweep.cursor = page.next;
        if sweep.cursor.is_none() {
            sweep.state = SweepState::Done;
            sweep.finished_at = Some(now);
        }
        sweeps::save(&tx, sweep).await?;
        tx.commit().await?;
        if n_new > 0 {
            self.signals.events.notify_one();
        }
        Ok(n_new)
    }

    async fn records(
        &self,
        sweep: &Sweep,
        source: ConnectionId,
        now: Timestamp,
    ) -> Result<Page, EngineError> {
        let connection = connections::find(&self.context.db, sweep.workspace, source).await?;
        let kind = match connection.kind {
            ConnectorKind::Amocrm => RecordKind::Deal,
            ConnectorKind::Lptracker => RecordKind::Lead,
        };
        let (records, n_seen, next) = match &sweep.wanted {
            Wanted::Sitting { stages, idle_days } => {
                let connector = self.context.connector(&connection).await?;
                let mut listing = connector.sitting(stages, sweep.cursor.as_deref()).await?;
                let n_seen = listing.records.len();
                listing.records.retain(|one| is_idle(one, *idle_days, now));
                (listing.records, n_seen, listing.next)
            }
            Wanted::Records(all) => {
                let at: usize = sweep
                    .cursor
                    .as_deref()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let some: Vec<Record> = all
                    .iter()
                    .skip(at)
                    .take(PAGE)
                    .map(|id| Record::new(kind, id.clone()))
                    .collect();
                let (n_seen, after) = (some.len(), at + PAGE);
                (some, n_seen, (after < all.len()).then(|| after.to_string()))
            }
            Wanted::Events { .. } => (Vec::new(), 0, None),
        };
        let new = records
            .into_iter()
            .map(|record| of_record(sweep, source, record, now))
            .collect();
        Ok(Page { new, n_seen, next })
    }

    async fn earlier(&self, sweep: &Sweep, now: Timestamp) -> Result<Page, EngineError> {
        let Wanted::Events {
            connection,
            kind,
            from,
            to,
        } = &sweep.wanted
        else {
            return Ok(Page {
                new: Vec::new(),
                n_seen: 0,
                next: None,
            });
        };
        let wanted = EventFilter {
            connection: *connection,
            kind: *kind,
            from: *from,
            to: Some(*to),
            ..EventFilter::default()
        };
        let page = PageOf {
            limit: PAGE as u64,
            before: sweep.cursor.as_deref().and_then(|text| text.parse().ok()),
        };
        let found = events::list(&self.context.db, sweep.workspace, &wanted, page).await?;
        let (n_seen, last) = (found.len(), found.last().map(|one| one.event.id));
        let new = found
            .into_iter()
            // What was replayed once is not multiplied by replaying it again.
            .filter(|one| one.event.origin != Origin::Replay)
            .map(|one| NewEvent {
                key: format!("sweep:{}:{}", sweep.id, one.event.id),
                inbound: one.inbound,
                replay_of: Some(one.event.id),
                only_rule: sweep.rule,
                as_then: false,
                due_at: now,
                event: Event {
                    id: EventId(new_id()),
                    origin: Origin::Replay,
                    received_at: now,
                    chain: 0,
                    ..one.event
                },
            })
            .collect();
        let next = last.filter(|_| n_seen == PAGE).map(|id| id.to_string());
        Ok(Page { new, n_seen, next })
    }
}

fn of_record(sweep: &Sweep, connection: ConnectionId, record: Record, now: Timestamp) -> NewEvent {
    let (kind, origin) = match sweep.kind {
        SweepKind::Schedule => (EventKind::Scheduled, Origin::Schedule),
        SweepKind::Manual | SweepKind::Replay => (EventKind::Manual, Origin::Manual),
    };
    let rule = sweep.rule.map(|rule| rule.to_string()).unwrap_or_default();
    let key = format!(
        "sweep:{}:{rule}:{}:{}",
        sweep.kind.as_str(),
        sweep.tick_at.0,
        record.key
    );
    NewEvent {
        inbound: None,
        replay_of: None,
        only_rule: sweep.rule,
        as_then: false,
        due_at: now,
        event: Event {
            id: EventId(new_id()),
            workspace: sweep.workspace,
            connection,
            origin,
            received_at: now,
            chain: 0,
            fact: Fact {
                kind,
                key: record.key.clone(),
                occurred_at: Some(sweep.tick_at),
                record,
                related: Vec::new(),
                before: Vec::new(),
                changed: None,
                author: None,
                dedupe: key.clone(),
            },
        },
        key,
    }
}

/// A record that did not change for so many days; one that does not tell is taken along, the rule will look.
pub(super) fn is_idle(record: &Record, days: u32, now: Timestamp) -> bool {
    match record.get(SystemField::UpdatedAt.into()) {
        Some(Value::Instant(at)) if days > 0 => *at <= now.plus_ms(-i64::from(days) * DAY_MS),
        _ => true,
    }
}
