//! What a person is told when the loop guard held a rule back: a mark on the rule, which the panel shows, and an
//! entry in the audit log, of one rule once an hour.

use crate::context::{Settings, new_id};
use crate::failpoint::point;
use domain::id::AuditEntryId;
use domain::run::RunOutcome;
use domain::time::Timestamp;
use storage::audit::{self, Actor, NewEntry};
use storage::runs::Run;
use storage::{StorageError, Tx, rules};

/// The word of the audit log.
const LOOP_STOPPED: &str = "rule.loop_stopped";
/// A rule that keeps going round is told of this often at most, in milliseconds.
const EVERY_MS: i64 = 3_600_000;

/// How the mark on a rule begins.
const WORDS: &str = "Защита от зацикливания остановила правило";

/// Whether the mark on a rule tells of a loop.
pub(crate) fn is_loop(attention: &str) -> bool {
    attention.starts_with(WORDS)
}

/// Tells of the rules among these runs that the loop guard held back. A rule's events are decided under the lease
/// of its source, so nobody else tells of it at the same time.
pub(super) async fn raise(
    tx: &Tx,
    settings: &Settings,
    runs: &[&Run],
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut told = Vec::new();
    for run in runs.iter().filter(|run| run.outcome == RunOutcome::LoopGuard) {
        if told.contains(&run.rule) {
            continue;
        }
        told.push(run.rule);
        let (workspace, subject_id) = (run.workspace, run.rule.to_string());
        let last = audit::last_at(tx, workspace, "rule", &subject_id, LOOP_STOPPED).await?;
        if last.is_some_and(|last| now.0 - last.0 < EVERY_MS) {
            continue;
        }
        tracing::error!(rule.id = %run.rule, event.id = %run.event, "сработала защита от зацикливания");
        let text = format!(
            "{WORDS}: подряд больше {} наших изменений вызвали друг друга. \
             Проверьте, не запускают ли правила друг друга, исправьте и опубликуйте правило снова.",
            settings.max_chain
        );
        match rules::set_attention(tx, workspace, run.rule, Some(&text)).await {
            // Deleted meanwhile: the log still tells.
            Ok(()) | Err(StorageError::NotFound { .. } | StorageError::Stale { .. }) => {}
            Err(error) => return Err(error),
        }
        point!(DispatchAlarmMarked);
        let entry = NewEntry {
            action: LOOP_STOPPED,
            subject_kind: "rule",
            subject_id,
            before: None,
            after: Some(serde_json::json!({ "event": run.event, "max_chain": settings.max_chain })),
        };
        let id = AuditEntryId(new_id());
        audit::insert(tx, workspace, id, &Actor::system(), entry, now).await?;
        point!(DispatchAlarm);
    }
    Ok(())
}
