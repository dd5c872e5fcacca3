//! Asking LPTracker for the calls of leads whose step changed: at once, and twice more, because recordings and
//! results come later than the calls.

use super::receive::{Heard, receive, tell};
use super::{settings, take_turn};
use crate::context::Context;
use crate::error::EngineError;
use crate::lease::holding;
use connector::Verdict;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::field::SystemField as F;
use domain::id::ConnectionId;
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::Zone;
use domain::value::{Stage, Value};
use storage::call_settings::{self, Poll};
use storage::{call_results, connections};

/// Pauses before the second and the third time, in milliseconds.
const AGAIN_MS: [i64; 2] = [5 * 60_000, 30 * 60_000];
/// How long a poll may take before another process takes it over, in milliseconds.
const TAKEN_MS: i64 = 120_000;
/// How long after a call a step still tells its result, in milliseconds.
const STEP_TELLS_MS: i64 = 24 * 3_600_000;

/// Asks for the calls of leads that are due, of the connections that this process may work on. Returns how many leads.
pub(crate) async fn poll(context: &Context) -> Result<usize, EngineError> {
    let mut n_asked = 0;
    for connection in call_settings::due_connections(&context.db, context.clock.now()).await? {
        let asked = holding(context, Some(connection), of_connection(context, connection)).await?;
        n_asked += asked.unwrap_or_default();
    }
    Ok(n_asked)
}

async fn of_connection(context: &Context, connection: ConnectionId) -> Result<usize, EngineError> {
    let now = context.clock.now();
    let due = call_settings::take(&context.db, connection, now, now.plus_ms(TAKEN_MS), 20).await?;
    let n_due = due.len();
    for poll in due {
        let next = match one(context, &poll).await {
            Ok(is_done) => usize::try_from(poll.n_done)
                .ok()
                .and_then(|n| AGAIN_MS.get(n))
                .filter(|_| is_done)
                .map(|ms| now.plus_ms(*ms)),
            Err(error) => {
                tracing::warn!(connection.id = %poll.connection, %error, "звонки лида не прочитаны, спросим позже");
                Some(now.plus_ms(AGAIN_MS[0])).filter(|_| poll.n_done < 10)
            }
        };
        call_settings::asked(&context.db, &poll, next).await?;
    }
    Ok(n_due)
}

/// Asks for one lead. False when there is nothing to ask any more.
async fn one(context: &Context, poll: &Poll) -> Result<bool, EngineError> {
    let connection = match connections::find(&context.db, poll.workspace, poll.connection).await {
        Ok(connection) => connection,
        Err(storage::StorageError::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if connection.kind != ConnectorKind::Lptracker || connection.state != ConnectionState::Active {
        return Ok(connection.kind == ConnectorKind::Lptracker);
    }
    let connector = context.working(&connection).await?;
    let key = RecordKey::new(RecordKind::Lead, poll.lead.clone());
    let read = match connector.read(&key, true).await {
        Ok(Some(snapshot)) => snapshot,
        Ok(None) => return Ok(false),
        Err(error) if error.verdict() == Verdict::Permanent => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let calls = match connector.calls(&poll.lead).await {
        Ok(calls) => calls,
        Err(error) if error.verdict() == Verdict::Permanent => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    store(context, poll, &read.records, calls).await?;
    Ok(true)
}

/// Calls to results; the step gives the newest of them its result.
async fn store(
    context: &Context,
    poll: &Poll,
    around: &[Record],
    calls: Vec<Record>,
) -> Result<(), EngineError> {
    let stage = around.iter().find(|record| record.key.kind == RecordKind::Lead);
    let stage: Option<Stage> = stage.and_then(|lead| match lead.get(F::Stage.into()) {
        Some(Value::Stage(stage)) => Some(*stage),
        _ => None,
    });
    let now = context.clock.now();
    let tx = context.db.begin().await?;
    take_turn(&tx, poll.workspace).await?;
    let settings = settings(&tx, poll.workspace).await?;
    for call in calls {
        let records: Vec<Record> = std::iter::once(call).chain(around.iter().cloned()).collect();
        if let Some(heard) = Heard::of_records(poll.connection, "poll", &records, &Zone::moscow()) {
            receive(&tx, poll.workspace, &settings, heard, now).await?;
        }
    }
    if let Some(word) = stage.and_then(|stage| settings.of_step(stage)) {
        let since = now.plus_ms(-STEP_TELLS_MS);
        let newest =
            call_results::newest_of_lead(&tx, poll.workspace, poll.connection, &poll.lead, since).await?;
        if let Some(mut newest) = newest
            && newest.result.as_deref() != Some(word)
        {
            newest.result = Some(word.to_owned());
            newest.updated_at = now;
            tell(&tx, &mut newest, 0, now).await?;
            call_results::save(&tx, &newest).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
