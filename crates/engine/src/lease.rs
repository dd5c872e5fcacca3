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

    fn is_unrested(&self, names: &[String]) -> bool {
        let known = self.lock();
        names.iter().any(|name| known.unrested.contains(name))
    }

    fn forget(&self, names: &[String]) {
        self.lock().held.retain(|name, _| !names.contains(name));
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

/// The leases that work needs, and the connections whose budgets are among them.
///
/// Rules read the record on the other side of a link, so work on one connection may send over every connection of its
/// workspace: whoever works on one holds the budgets of all.
#[derive(Debug)]
pub(crate) struct Circle {
    /// In order, so that two that need the same ones take them in the same order.
    names: Vec<String>,
    connections: Vec<ConnectionId>,
}

impl Circle {
    pub(crate) fn new(
        connection: Option<ConnectionId>,
        budgets: impl IntoIterator<Item = String>,
        connections: Vec<ConnectionId>,
    ) -> Self {
        let mut names: Vec<String> = budgets.into_iter().collect();
        names.push(name(connection));
        names.sort_unstable();
        names.dedup();
        Self { names, connections }
    }
}

fn name(connection: Option<ConnectionId>) -> String {
    connection.map_or_else(|| "hub".to_owned(), |id| format!("connection/{id}"))
}

/// The longest window in which a CRM counts requests, with what a request may dawdle on the way.
const BUDGET_WINDOW: Duration = Duration::from_millis(1_400);

/// Does work on a connection (`None` stands for the hub's own operations) while this process holds its lease, and those
/// of the request budgets that the work may use.
///
/// `Ok(None)` when another process holds one of them, or took it meanwhile: what was under way is then theirs to look
/// for, and is dropped here.
pub(crate) async fn holding<T>(
    context: &Context,
    connection: Option<ConnectionId>,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<Option<T>, EngineError> {
    let circle = match connection {
        Some(id) => context.circle(id).await?,
        None => Arc::new(Circle::new(None, [], Vec::new())),
    };
    if !take(context, &circle).await? {
        return Ok(None);
    }
    tokio::select! {
        done = work => done.map(Some),
        lost = heartbeat(context, &circle.names) => lost.map(|()| None),
    }
}

/// Makes sure that all leases are ours; `false` when one is somebody else's.
///
/// One at a time: whoever comes second must not find a lease ours, and send, before the one that took it over from
/// another process has seen to the rest.
async fn take(context: &Context, circle: &Circle) -> Result<bool, EngineError> {
    let turns: Vec<_> = circle
        .names
        .iter()
        .map(|name| context.leases.turn(name))
        .collect();
    let mut held = Vec::with_capacity(turns.len());
    for turn in &turns {
        held.push(turn.lock().await);
    }
    if renew(context, &circle.names).await? == Whose::Theirs {
        return Ok(false);
    }
    if context.leases.is_unrested(&circle.names) {
        for id in &circle.connections {
            context.rest(*id, BUDGET_WINDOW).await?;
        }
        context
            .leases
            .lock()
            .unrested
            .retain(|name| !circle.names.contains(name));
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
        // At a beat at least a third of the leases is left.
        let Ok(whose) = tokio::time::timeout(every / 2, renew(context, names)).await else {
            context.leases.forget(names);
            tracing::warn!(
                leases = ?names,
                "право на подключение не продлено вовремя, работа прервана"
            );
            return Ok(());
        };
        if whose? == Whose::Theirs {
            tracing::warn!(
                leases = ?names,
                "право на подключение потеряно, работа передана другому процессу"
            );
            return Ok(());
        }
    }
}

/// Makes sure that leases are ours for more than half of their length: all of them or none, so that nobody sits on
/// one while waiting for another.
async fn renew(context: &Context, names: &[String]) -> Result<Whose, EngineError> {
    let now = context.clock.now();
    let length = context.settings.lease_ms;
    let mut to_look = Vec::new();
    {
        let known = context.leases.lock();
        let mut is_young = true;
        for name in names {
            match known.held.get(name) {
                Some((until, Whose::Theirs)) if *until > now => return Ok(Whose::Theirs),
                Some((until, Whose::Ours)) if *until > now => is_young &= until.0 - now.0 > length / 2,
                // Anybody may have had it in between.
                _ => to_look.push(name),
            }
        }
        if is_young && to_look.is_empty() {
            return Ok(Whose::Ours);
        }
    }
    let (mut from_dead, mut taken_over) = (Vec::new(), Vec::new());
    for name in to_look {
        let Some((owner, until)) = leases::holder(&context.db, name).await? else {
            continue;
        };
        if owner == context.owner {
            continue;
        }
        if until > now {
            // It may be given back before its end.
            let look_again = until.min(now.plus_ms(length / 4));
            let mut known = context.leases.lock();
            known.held.insert(name.clone(), (look_again, Whose::Theirs));
            return Ok(Whose::Theirs);
        }
        if until != leases::GIVEN_BACK {
            from_dead.push(name.clone());
        }
        taken_over.push(name.clone());
    }
    let until = now.plus_ms(length);
    let are_ours = leases::acquire_all(&context.db, names, &context.owner, now, until).await?;
    point!(LeaseTaken);
    if !are_ours {
        context.leases.forget(names);
        return Ok(Whose::Theirs);
    }
    let mut known = context.leases.lock();
    known.from_dead.extend(from_dead);
    known.unrested.extend(taken_over);
    known
        .held
        .extend(names.iter().map(|name| (name.clone(), (until, Whose::Ours))));
    Ok(Whose::Ours)
}
