//! The right of one process to work on a connection: taken before the work, renewed while it lasts.
//!
//! What a process knows of leases is kept, so that a round costs no write while its lease is young, and none at
//! all while it is somebody else's.

use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use domain::id::ConnectionId;
use domain::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use storage::leases;

/// What this process knows of the leases.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Until when, by name, and whether it is ours.
    held: HashMap<String, (Timestamp, Whose)>,
    /// Taken over from a process that did not give them back: it died, perhaps over something that still waits.
    from_dead: HashSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

impl Leases {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the connection was taken over from a process that died and this was not asked before.
    pub(crate) fn take_from_dead(&self, connection: ConnectionId) -> bool {
        self.lock().from_dead.remove(&name(Some(connection)))
    }
}

fn name(connection: Option<ConnectionId>) -> String {
    connection.map_or_else(|| "hub".to_owned(), |id| format!("connection/{id}"))
}

/// The longest window in which a CRM counts requests, with what a request may dawdle on the way.
const BUDGET_WINDOW: Duration = Duration::from_millis(1_400);

/// Does work on a connection (`None` stands for the hub's own operations) while this process holds its lease, and that
/// of the request budget which it shares with other connections.
///
/// `Ok(None)` when another process holds one of them, or took it meanwhile: what was under way is then theirs to look
/// for, and is dropped here.
pub(crate) async fn holding<T>(
    context: &Context,
    connection: Option<ConnectionId>,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<Option<T>, EngineError> {
    let budget = match connection {
        Some(id) => context.budget(id).await?,
        None => None,
    };
    // The budget first: whoever cannot have it leaves the connection to the one that has.
    let names: Vec<String> = budget.into_iter().chain([name(connection)]).collect();
    let mut is_taken_over = false;
    for name in &names {
        match renew(context, name).await? {
            Grip::Theirs => return Ok(None),
            Grip::TakenOver => is_taken_over = true,
            Grip::Ours => {}
        }
    }
    if let (Some(id), true) = (connection, is_taken_over) {
        context.rest(id, BUDGET_WINDOW).await?;
    }
    tokio::select! {
        done = work => done.map(Some),
        lost = heartbeat(context, &names) => lost.map(|()| None),
    }
}

/// Gives every lease back, so that others need not wait for their end.
pub(crate) async fn give_back(context: &Context) -> Result<(), EngineError> {
    context.leases.lock().held.clear();
    Ok(leases::release(&context.db, &context.owner).await?)
}

/// Renews leases for as long as it is polled; ends when one is somebody else's, or could not be renewed in time: what
/// is under way must have stopped before another process may begin.
async fn heartbeat(context: &Context, names: &[String]) -> Result<(), EngineError> {
    let every = Duration::from_millis(context.settings.lease_ms.unsigned_abs() / 3);
    let mut beat = tokio::time::interval(every);
    beat.tick().await;
    loop {
        beat.tick().await;
        for name in names {
            // At a beat at least a third of the lease is left.
            let Ok(grip) = tokio::time::timeout(every / 2, renew(context, name)).await else {
                context.leases.lock().held.remove(name);
                tracing::warn!(
                    lease = name,
                    "право на подключение не продлено вовремя, работа прервана"
                );
                return Ok(());
            };
            if grip? == Grip::Theirs {
                tracing::warn!(
                    lease = name,
                    "право на подключение потеряно, работа передана другому процессу"
                );
                return Ok(());
            }
        }
    }
}

/// How a lease stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grip {
    /// It is ours.
    Ours,
    /// It has just become ours, and was another's before.
    TakenOver,
    /// It is somebody else's.
    Theirs,
}

/// Makes sure that the lease is ours for more than half of its length.
async fn renew(context: &Context, name: &str) -> Result<Grip, EngineError> {
    let now = context.clock.now();
    let length = context.settings.lease_ms;
    let known = context.leases.lock().held.get(name).copied();
    let mut grip = Grip::Ours;
    match known {
        Some((until, Whose::Ours)) if until.0 - now.0 > length / 2 => return Ok(Grip::Ours),
        Some((until, Whose::Theirs)) if until > now => return Ok(Grip::Theirs),
        // Ours and not yet over: nobody can have had it in between.
        Some((until, Whose::Ours)) if until > now => {}
        _ => {
            let holder = leases::holder(&context.db, name).await?;
            if let Some((owner, until)) = holder
                && owner != context.owner
            {
                let mut known = context.leases.lock();
                if until > now {
                    // It may be given back before its end.
                    let look_again = until.min(now.plus_ms(length / 4));
                    known.held.insert(name.to_owned(), (look_again, Whose::Theirs));
                    return Ok(Grip::Theirs);
                }
                if until != leases::GIVEN_BACK {
                    known.from_dead.insert(name.to_owned());
                }
                grip = Grip::TakenOver;
            }
        }
    }
    let until = now.plus_ms(length);
    let is_ours = leases::acquire(&context.db, name, &context.owner, now, until)
        .await?
        .is_some();
    point!(LeaseTaken);
    let mut known = context.leases.lock();
    if is_ours {
        known.held.insert(name.to_owned(), (until, Whose::Ours));
        Ok(grip)
    } else {
        known.held.remove(name);
        Ok(Grip::Theirs)
    }
}
