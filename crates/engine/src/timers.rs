//! Timers of rules: which tick is due, and the sweep that stands for it.
//!
//! Ticks that nobody carried out, because the hub was away or the sweep before still runs, are not piled up: one
//! sweep is made, and it says how many were missed.

use crate::context::Context;
use crate::error::EngineError;
use crate::rulebook;
use crate::sweeps::beginning;
use domain::id::{RuleId, WorkspaceId};
use domain::rule::{Rule, Schedule};
use domain::time::{Timestamp, Zone};
use storage::schedules::{self, Timer};
use storage::sweeps::{self, Sweep, SweepKind, Wanted};
use storage::{Conn, StorageError, accounts, rules};

/// Timers looked at in one step.
const AT_ONCE: u64 = 100;
/// Missed ticks that are counted; beyond it is «at least».
const MAX_COUNTED: i32 = 10_000;

/// Sets the timers of a rule as its document in force says; a rule that is off has none.
pub(crate) async fn set(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    in_force: Option<&Rule>,
    now: Timestamp,
) -> Result<(), EngineError> {
    schedules::delete(conn, workspace, rule).await?;
    let Some(document) = in_force else {
        return Ok(());
    };
    let zone = zone_of(conn, workspace).await?;
    for (place, trigger) in (0_i32..).zip(&document.triggers) {
        let due_at = trigger
            .schedule
            .as_ref()
            .and_then(|one| one.next_after(now, &zone));
        if let Some(due_at) = due_at {
            let timer = Timer {
                workspace,
                rule,
                place,
                due_at,
            };
            schedules::insert(conn, timer).await?;
        }
    }
    Ok(())
}

async fn zone_of(conn: &impl Conn, workspace: WorkspaceId) -> Result<Zone, EngineError> {
    Ok(crate::zone::zone(
        &accounts::workspace(conn, workspace).await?.zone,
    ))
}

/// Makes a sweep of every timer that has come due; returns how many.
pub(crate) async fn step(context: &Context) -> Result<usize, EngineError> {
    let now = context.clock.now();
    let mut n_made = 0;
    for timer in schedules::due(&context.db, now, AT_ONCE).await? {
        match tick(context, timer, now).await {
            Ok(is_made) => n_made += usize::from(is_made),
            // Another process was quicker, or the rule has just changed.
            Err(EngineError::Storage(StorageError::Stale { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_made)
}

/// The tick, its sweep and the next one commit together.
async fn tick(context: &Context, timer: Timer, now: Timestamp) -> Result<bool, EngineError> {
    let tx = context.db.begin().await?;
    let (workspace, rule) = (timer.workspace, timer.rule);
    let planned = match in_force(&tx, timer).await? {
        None => None,
        Some((document, schedule)) => {
            let zone = zone_of(&tx, workspace).await?;
            let next = schedule.next_after(now, &zone);
            next.map(|next| (document, schedule, zone, next))
        }
    };
    let Some((document, schedule, zone, next)) = planned else {
        schedules::delete(&tx, workspace, rule).await?;
        tx.commit().await?;
        return Ok(false);
    };
    let (tick_at, n_missed) = last_tick(&schedule, timer.due_at, now, &zone);
    if !schedules::advance(&tx, timer, next).await? {
        return Err(StorageError::Stale { table: "schedule" }.into());
    }
    if let Some(mut running) = sweeps::running(&tx, workspace, rule).await? {
        running.n_missed = running.n_missed.saturating_add(n_missed).saturating_add(1);
        sweeps::save(&tx, &running).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let wanted = Wanted::Sitting {
        stages: stages(&tx, workspace, &document, &schedule).await?,
        idle_days: schedule.idle_days,
    };
    let sweep = Sweep {
        rule: Some(rule),
        connection: Some(document.source),
        tick_at,
        n_missed,
        ..beginning(SweepKind::Schedule, workspace, wanted, "Расписание", now)
    };
    let is_made = sweeps::insert(&tx, &sweep).await?;
    tx.commit().await?;
    Ok(is_made)
}

/// The document in force and the schedule of a timer; `None` when the rule is off or says something else now.
async fn in_force(conn: &impl Conn, timer: Timer) -> Result<Option<(Rule, Schedule)>, EngineError> {
    let rule = match rules::find(conn, timer.workspace, timer.rule).await {
        Ok(rule) => rule,
        Err(StorageError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(mark) = rule.published.filter(|_| rule.enabled) else {
        return Ok(None);
    };
    let place = usize::try_from(timer.place).unwrap_or(usize::MAX);
    let schedule = mark
        .document
        .triggers
        .get(place)
        .and_then(|one| one.schedule.clone());
    Ok(schedule.map(|schedule| (mark.document, schedule)))
}

/// The newest tick that has passed, and how many before it nobody carried out.
fn last_tick(schedule: &Schedule, due_at: Timestamp, now: Timestamp, zone: &Zone) -> (Timestamp, i32) {
    let (mut tick, mut n_missed) = (due_at, 0);
    while n_missed < MAX_COUNTED
        && let Some(next) = schedule.next_after(tick, zone).filter(|next| *next <= now)
    {
        tick = next;
        n_missed += 1;
    }
    (tick, n_missed)
}

/// The stages that a schedule names; without any, every stage that is open.
pub(crate) async fn stages(
    conn: &impl Conn,
    workspace: WorkspaceId,
    document: &Rule,
    schedule: &Schedule,
) -> Result<Vec<domain::value::Stage>, EngineError> {
    if !schedule.stages.is_empty() {
        return Ok(schedule.stages.clone());
    }
    let catalogues = rulebook::catalogues(conn, workspace).await?;
    let known = catalogues.get(document.source);
    Ok(known.map_or_else(Vec::new, |known| known.catalogue.open_stages()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(minutes: u32) -> Schedule {
        Schedule {
            every_minutes: minutes,
            cron: None,
            stages: Vec::new(),
            idle_days: 1,
        }
    }

    #[test]
    fn only_the_newest_tick_counts_and_the_others_are_told() {
        let zone = Zone::moscow();
        let due = Timestamp(600_000);
        let last = |now| last_tick(&every(10), due, Timestamp(now), &zone);
        assert_eq!(last(600_000), (due, 0));
        assert_eq!(last(1_199_999), (due, 0));
        assert_eq!(last(3_000_000), (Timestamp(3_000_000), 4));
        let (_, n) = last(i64::from(MAX_COUNTED) * 600_000 * 9);
        assert_eq!(n, MAX_COUNTED);
    }
}
