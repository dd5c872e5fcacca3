//! What a rule would make of an event: everything that dispatch does, and nothing written.

use super::batch::Case;
use super::change;
use super::decide::Reading;
use super::facts::{self, Completed, Reads};
use crate::context::Context;
use crate::error::EngineError;
use crate::{links, rulebook};
use domain::compile::{Diagnostic, compile};
use domain::evaluate::{Evaluation, Facts, evaluate};
use domain::id::RuleVersionId;
use domain::index::IndexedRule;
use domain::rule::Rule;
use std::sync::Arc;
use storage::connections;
use storage::events::StoredEvent;
use uuid::Uuid;

/// What a rule would make of an event.
pub(crate) struct Trial {
    pub(crate) evaluation: Evaluation,
    pub(crate) facts: Facts,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Evaluates a draft over a stored event as dispatch would, and writes nothing.
pub(crate) async fn try_rule(
    context: &Context,
    stored: StoredEvent,
    rule: &Rule,
) -> Result<Trial, EngineError> {
    let event = &stored.event;
    let db = &context.db;
    let connection = connections::find(db, event.workspace, event.connection).await?;
    let change = change::of(&event.fact, None);
    let link = links::of(db, event.workspace, event.connection, &event.fact.key).await?;
    let (compiled, diagnostics) = compile(rule, &rulebook::catalogues(db, event.workspace).await?);
    let book = rulebook::frame(context, event.workspace).await?;
    let known = facts::from_event(&stored, &change, &book, context.clock.now());
    let entry = IndexedRule {
        version: RuleVersionId(Uuid::nil()),
        position: 0,
        rule: Arc::new(compiled),
    };
    let case = Case {
        stored: &stored,
        connection: &connection,
        link: link.as_ref(),
        change,
        chain: 0,
    };
    let mut reads = Reads::default();
    let completed = facts::complete(
        context,
        &case,
        known.clone(),
        &[&entry],
        &mut reads,
        Reading::Allowed,
    )
    .await?;
    let facts = match completed {
        Completed::Facts(facts) => *facts,
        // The CRM is away: better to show what is known than nothing.
        Completed::Wait { .. } | Completed::NotNow => known,
    };
    Ok(Trial {
        evaluation: evaluate(&entry.rule, &facts),
        facts,
        diagnostics,
    })
}
