//! What became of results: whether the rules' deliveries carried them into amoCRM.

use crate::context::Context;
use crate::error::EngineError;
use domain::id::CallResultId;
use std::collections::BTreeMap;
use storage::call_results::{self, CallResult};
use storage::outcomes::{self, EventOutcome};

/// Rows looked at in one step.
const LIMIT: u64 = 500;

/// Settles rows whose event is through, a page of them after `after`. Returns how many, and where to go on.
pub(crate) async fn settle(
    context: &Context,
    after: Option<CallResultId>,
) -> Result<(usize, Option<CallResultId>), EngineError> {
    let open = call_results::unsettled(&context.db, after, LIMIT).await?;
    let next = open.last().map(|it| it.id).filter(|_| open.len() as u64 == LIMIT);
    let mut by_workspace: BTreeMap<_, Vec<CallResult>> = BTreeMap::new();
    for it in open {
        by_workspace.entry(it.workspace).or_default().push(it);
    }
    let mut n_settled = 0;
    for (workspace, open) in by_workspace {
        let events: Vec<_> = open.iter().filter_map(|it| it.event).collect();
        let outcomes = outcomes::of_events(&context.db, workspace, &events).await?;
        for it in open {
            let outcome = outcomes.iter().find(|outcome| Some(outcome.event) == it.event);
            let Some((sync, error)) = outcome.and_then(end) else {
                continue;
            };
            n_settled += call_results::set_sync(&context.db, &it, sync, error.as_deref()).await?;
        }
    }
    Ok((usize::try_from(n_settled).unwrap_or(usize::MAX), next))
}

fn end(outcome: &EventOutcome) -> Option<(&'static str, Option<String>)> {
    if !outcome.is_looked_at || outcome.n_open > 0 {
        return None;
    }
    Some(if outcome.n_dead > 0 {
        ("failed", outcome.error.clone())
    } else if outcome.n_delivered > 0 {
        ("synced", None)
    } else if outcome.n_matched > 0 {
        // Everything was already as wanted.
        ("synced", outcome.error.clone())
    } else {
        (
            "pending",
            Some("ни одно правило не отправляет такой результат".to_owned()),
        )
    })
}
