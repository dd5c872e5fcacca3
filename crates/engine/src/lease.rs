//! The right of one process to work on a connection: taken before the work, renewed while it lasts.

use crate::context::Context;
use crate::error::EngineError;
use domain::id::ConnectionId;
use std::time::Duration;
use storage::leases;

/// Does work on a connection (`None` stands for the hub's own operations) while this process holds its lease.
///
/// `Ok(None)` when another process holds it, or took it meanwhile: what was under way is then theirs to look
/// for, and is dropped here.
pub(crate) async fn holding<T>(
    context: &Context,
    connection: Option<ConnectionId>,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<Option<T>, EngineError> {
    let name = connection.map_or_else(|| "hub".to_owned(), |id| format!("connection/{id}"));
    if !renew(context, &name).await? {
        return Ok(None);
    }
    tokio::select! {
        done = work => done.map(Some),
        lost = heartbeat(context, &name) => lost.map(|()| None),
    }
}

/// Renews a lease for as long as it is polled; ends when the lease is somebody else's.
async fn heartbeat(context: &Context, name: &str) -> Result<(), EngineError> {
    let every = Duration::from_millis(context.settings.lease_ms.unsigned_abs() / 3);
    let mut beat = tokio::time::interval(every);
    beat.tick().await;
    loop {
        beat.tick().await;
        if !renew(context, name).await? {
            tracing::warn!(
                lease = name,
                "право на подключение потеряно, работа передана другому процессу"
            );
            return Ok(());
        }
    }
}

async fn renew(context: &Context, name: &str) -> Result<bool, EngineError> {
    let now = context.clock.now();
    let until = now.plus_ms(context.settings.lease_ms);
    Ok(leases::acquire(&context.db, name, &context.owner, now, until)
        .await?
        .is_some())
}
