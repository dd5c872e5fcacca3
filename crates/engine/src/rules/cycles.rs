//! The cycle analysis of `domain` over the published rules of a workspace.

use crate::error::EngineError;
use crate::rulebook;
use domain::catalogues::Catalogues;
use domain::compile::compile;
use domain::cycles::{Analysis, Member, analyse, through};
use domain::id::{RuleId, WorkspaceId};
use domain::rule::Rule;
use std::sync::Arc;
use storage::{Conn, published};
use uuid::Uuid;

/// What a person said of a cycle that never ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// Nothing: such a rule is not put in force.
    Withheld,
    /// It may run; the guards of the engine will stop it.
    Given,
}

impl Consent {
    /// Refuses what nobody has accepted.
    pub(super) fn or_refuse(self, analysis: &Analysis, rule: RuleId) -> Result<(), EngineError> {
        if self == Self::Withheld && analysis.has_certain() {
            return Err(EngineError::CertainCycle(analysis.findings(rule)));
        }
        Ok(())
    }
}

/// A rule as it would be once it is in force.
pub(super) struct Draft<'a> {
    pub(super) id: RuleId,
    rule: &'a Rule,
}

impl<'a> Draft<'a> {
    pub(super) fn new(id: Option<RuleId>, rule: &'a Rule) -> Self {
        Self {
            id: id.unwrap_or(RuleId(Uuid::nil())),
            rule,
        }
    }
}

/// The cycles among the published rules.
pub(super) async fn published(conn: &impl Conn, workspace: WorkspaceId) -> Result<Analysis, EngineError> {
    let catalogues = rulebook::catalogues(conn, workspace).await?;
    Ok(analyse(&members(conn, workspace, &catalogues, None).await?))
}

/// The cycles through a draft, were it in force among the published rules.
pub(super) async fn with_draft(
    conn: &impl Conn,
    workspace: WorkspaceId,
    catalogues: &Catalogues,
    draft: &Draft<'_>,
) -> Result<Analysis, EngineError> {
    let members = members(conn, workspace, catalogues, Some(draft)).await?;
    Ok(through(&members, draft.id))
}

async fn members(
    conn: &impl Conn,
    workspace: WorkspaceId,
    catalogues: &Catalogues,
    draft: Option<&Draft<'_>>,
) -> Result<Vec<Member>, EngineError> {
    let member = |rule, position, document: &Rule| Member {
        rule,
        position,
        compiled: Arc::new(compile(document, catalogues).0),
    };
    let mut members = Vec::new();
    // A version that no longer parses acts on nothing, here as in dispatch.
    for rule in published::published(conn, workspace).await?.into_iter().flatten() {
        if draft.is_none_or(|draft| draft.id != rule.rule) {
            members.push(member(rule.rule, i64::from(rule.position), &rule.document));
        }
    }
    if let Some(draft) = draft {
        // Last of all: what stands before it may stop it, so nothing is called certain too soon.
        members.push(member(draft.id, i64::MAX, draft.rule));
    }
    Ok(members)
}
