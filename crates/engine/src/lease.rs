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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::leases;

/// What this process knows of the leases.
#[derive(Default)]
pub(crate) struct Leases {
    known: Mutex<Known>,
    /// Whose turn it is to take a lease, by name.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Known {
    /// Until when, by name, and whether it is ours.
    held: HashMap<String, (Timestamp, Whose)>,
    /// Taken over from a process that did not give them back: it died, perhaps over something that still waits.
    from_dead: HashSet<String>,
    /// Taken over from another process, which may have used the budget of requests a moment ago.
    unrested: HashSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

impl Leases {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(name.to_owned()).or_default())
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
    if !take(context, connection, &names).await? {
        return Ok(None);
    }
    tokio::select! {
        done = work => done.map(Some),
        lost = heartbeat(context, &names) => lost.map(|()| None),
    }
}

/// Makes sure that all leases are ours; `false` when one is somebody else's.
///
/// One at a time: whoever comes second must not find a lease ours, and send, before the one that took it over from
/// another process has seen to the rest.
async fn take(
    context: &Context,
    connection: Option<ConnectionId>,
    names: &[String],
) -> Result<bool, EngineError> {
    let turn = names.first().map(|name| context.leases.turn(name));
    let _turn = match &turn {
        Some(turn) => Some(turn.lock().await),
        None => None,
    };
    for name in names {
        if renew(context, name).await? == Whose::Theirs {
            return Ok(false);
        }
    }
    let is_unrested = {
        let known = context.leases.lock();
        names.iter().any(|name| known.unrested.contains(name))
    };
    if is_unrested {
        if let Some(id) = connection {
            context.rest(id, BUDGET_WINDOW).await?;
        }
        let mut known = context.leases.lock();
        known.unrested.retain(|name| !names.contains(name));
    }
    Ok(true)
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
            let Ok(whose) = tokio::time::timeout(every / 2, renew(context, name)).await else {
                context.leases.lock().held.remove(name);
                tracing::warn!(
                    lease = name,
                    "право на подключение не продлено вовремя, работа прервана"
                );
                return Ok(());
            };
            if whose? == Whose::Theirs {
                tracing::warn!(
                    lease = name,
                    "право на подключение потеряно, работа передана другому процессу"
                );
                return Ok(());
            }
        }
    }
}

/// Makes sure that the lease is ours for more than half of its length.
async fn renew(context: &Context, name: &str) -> Result<Whose, EngineError> {
    let now = context.clock.now();
    let length = context.settings.lease_ms;
    let known = context.leases.lock().held.get(name).copied();
    let mut is_taken_over = false;
    match known {
        Some((until, Whose::Ours)) if until.0 - now.0 > length / 2 => return Ok(Whose::Ours),
        Some((until, Whose::Theirs)) if until > now => return Ok(Whose::Theirs),
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
                    return Ok(Whose::Theirs);
                }
                if until != leases::GIVEN_BACK {
                    known.from_dead.insert(name.to_owned());
                }
                is_taken_over = true;
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
        if is_taken_over {
            known.unrested.insert(name.to_owned());
        }
        Ok(Whose::Ours)
    } else {
        known.held.remove(name);
        Ok(Whose::Theirs)
    }
}
