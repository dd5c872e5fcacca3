//! Rules as a person works with them: draft, publish, restore, order.
//!
//! Every change and its audit entry are one transaction. What is published never changes again.

mod cases;
mod cycles;
mod travel;

pub use self::cycles::Consent;
pub use self::travel::Imported;

use self::cycles::Draft;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::rulebook;
use crate::timers;
use domain::action::Action;
use domain::catalogues::Catalogues;
use domain::compile::{Diagnostic, Severity, compile};
use domain::cycles::Analysis;
use domain::id::{RuleId, RuleVersionId, WorkspaceId};
use domain::rule::Rule;
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::audit::{Actor, NewEntry};
use storage::rules::{self, NewRule, StoredRule};
use storage::{StorageError, rule_cases};

/// The longest accepted document, in bytes of JSON.
const MAX_DOCUMENT: usize = 512 * 1024;

/// Works on rules.
#[derive(Clone)]
pub struct Rules {
    context: Arc<Context>,
}

impl Rules {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// What the compiler says of a document, and the cycles it would close with the published rules. `id` is
    /// the rule it is a draft of.
    pub async fn validate(
        &self,
        workspace: WorkspaceId,
        id: Option<RuleId>,
        rule: &Rule,
    ) -> Result<Vec<Diagnostic>, EngineError> {
        let db = &self.context.db;
        let catalogues = rulebook::catalogues(db, workspace).await?;
        let mut found = check(rule, &catalogues);
        let draft = Draft::new(id, rule);
        found.extend(
            cycles::with_draft(db, workspace, &catalogues, &draft)
                .await?
                .findings(draft.id),
        );
        Ok(found)
    }

    /// The cycles among the published rules of a workspace.
    pub async fn cycles(&self, workspace: WorkspaceId) -> Result<Analysis, EngineError> {
        cycles::published(&self.context.db, workspace).await
    }

    /// What changes between two states of a rule, in words.
    pub async fn compare(
        &self,
        workspace: WorkspaceId,
        before: &Rule,
        after: &Rule,
    ) -> Result<Vec<domain::diff::Change>, EngineError> {
        let catalogues = rulebook::catalogues(&self.context.db, workspace).await?;
        Ok(domain::diff::changes(before, after, &catalogues))
    }

    /// Makes a rule from a draft, which may be incomplete. It acts once it is published.
    pub async fn create(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        draft: &Rule,
    ) -> Result<StoredRule, EngineError> {
        check_draft(draft)?;
        let id = RuleId(new_id());
        let new = NewRule {
            id,
            draft,
            enabled: true,
        };
        let tx = self.context.db.begin().await?;
        rules::insert(&tx, workspace, new, self.context.clock.now()).await?;
        let entry = NewEntry::of("rule", "rule.created", id, None, Some(document(draft)));
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Replaces the draft of a rule that is still at `version`.
    pub async fn save(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        version: i64,
        draft: &Rule,
    ) -> Result<StoredRule, EngineError> {
        check_draft(draft)?;
        let tx = self.context.db.begin().await?;
        let before = rules::find(&tx, workspace, id).await?;
        rules::update_draft(&tx, workspace, id, version, draft, self.context.clock.now()).await?;
        let entry = NewEntry::of(
            "rule",
            "rule.changed",
            id,
            Some(document(&before.draft)),
            Some(document(draft)),
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Puts the draft in force as a new immutable version, if the compiler finds no mistake in it and it meets the
    /// test cases of the rule. One that closes a certain cycle must have been accepted by a person.
    pub async fn publish(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        version: i64,
        consent: Consent,
    ) -> Result<StoredRule, EngineError> {
        let tx = self.context.db.begin().await?;
        let rule = rules::find(&tx, workspace, id).await?;
        if rule.version != version {
            return Err(StorageError::Stale { table: "rule" }.into());
        }
        let catalogues = rulebook::catalogues(&tx, workspace).await?;
        let diagnostics = check(&rule.draft, &catalogues);
        if diagnostics.iter().any(|found| found.severity == Severity::Error) {
            return Err(EngineError::RuleErrors(diagnostics));
        }
        cases::met_or_refuse(&tx, workspace, id, &rule.draft, &catalogues).await?;
        let draft = Draft::new(Some(id), &rule.draft);
        let analysis = cycles::with_draft(&tx, workspace, &catalogues, &draft).await?;
        consent.or_refuse(&analysis, id)?;
        let version_id = RuleVersionId(new_id());
        let summary = summary(&rule.draft);
        let now = self.context.clock.now();
        let number = rules::publish(&tx, &rule, version_id, &summary, actor.user(), now).await?;
        let in_force = Some(&rule.draft).filter(|_| rule.enabled);
        timers::set(&tx, workspace, id, in_force, now).await?;
        let entry = NewEntry::of(
            "rule",
            "rule.published",
            id,
            rule.published
                .as_ref()
                .map(|mark| serde_json::json!({ "number": mark.number })),
            Some(serde_json::json!({ "number": number, "name": rule.name, "summary": summary })),
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Makes the document of an old version the draft again. What is in force stays so until it is published.
    pub async fn restore(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        version: i64,
        old: RuleVersionId,
    ) -> Result<StoredRule, EngineError> {
        let tx = self.context.db.begin().await?;
        let old = rules::version(&tx, workspace, id, old).await?;
        rules::update_draft(
            &tx,
            workspace,
            id,
            version,
            &old.document,
            self.context.clock.now(),
        )
        .await?;
        let entry = NewEntry::of(
            "rule",
            "rule.restored",
            id,
            None,
            Some(serde_json::json!({ "number": old.number })),
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Switches a rule on. One that closes a certain cycle must have been accepted by a person.
    pub async fn enable(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        consent: Consent,
    ) -> Result<StoredRule, EngineError> {
        let db = &self.context.db;
        if let Some(mark) = rules::find(db, workspace, id).await?.published {
            let version = rules::version(db, workspace, id, mark.id).await?;
            let catalogues = rulebook::catalogues(db, workspace).await?;
            let draft = Draft::new(Some(id), &version.document);
            let analysis = cycles::with_draft(db, workspace, &catalogues, &draft).await?;
            consent.or_refuse(&analysis, id)?;
        }
        self.switch(workspace, actor, id, true).await
    }

    /// Switches a rule off; deliveries already planned go on.
    pub async fn disable(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
    ) -> Result<StoredRule, EngineError> {
        self.switch(workspace, actor, id, false).await
    }

    async fn switch(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        enabled: bool,
    ) -> Result<StoredRule, EngineError> {
        let tx = self.context.db.begin().await?;
        let now = self.context.clock.now();
        rules::set_enabled(&tx, workspace, id, enabled, now).await?;
        let mark = rules::find(&tx, workspace, id)
            .await?
            .published
            .filter(|_| enabled);
        timers::set(&tx, workspace, id, mark.as_ref().map(|mark| &mark.document), now).await?;
        let action = if enabled { "rule.enabled" } else { "rule.disabled" };
        self.context
            .audit(
                &tx,
                workspace,
                actor,
                NewEntry::of("rule", action, id, None, None),
            )
            .await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Puts all rules of a workspace into a new order.
    pub async fn reorder(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        order: &[RuleId],
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let known: BTreeSet<RuleId> = rules::list(&tx, workspace)
            .await?
            .iter()
            .map(|rule| rule.id)
            .collect();
        let wanted: BTreeSet<RuleId> = order.iter().copied().collect();
        if wanted.len() != order.len() || wanted != known {
            return Err(EngineError::Invalid {
                pointer: "/rules",
                text: "назовите каждое правило кабинета ровно один раз; обновите список и повторите"
                    .to_owned(),
            });
        }
        rules::reorder(&tx, workspace, order, self.context.clock.now()).await?;
        let entry = NewEntry {
            action: "rule.reordered",
            subject_kind: "workspace",
            subject_id: workspace.to_string(),
            before: None,
            after: Some(serde_json::json!(order)),
        };
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a rule that is still at `version` away, and its test cases. Its versions and runs stay as history.
    pub async fn delete(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
        version: i64,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let rule = rules::find(&tx, workspace, id).await?;
        if rule.version != version {
            return Err(StorageError::Stale { table: "rule" }.into());
        }
        rules::delete(&tx, workspace, id, self.context.clock.now()).await?;
        rule_cases::delete_all(&tx, workspace, id).await?;
        timers::set(&tx, workspace, id, None, self.context.clock.now()).await?;
        let entry = NewEntry::of("rule", "rule.deleted", id, Some(document(&rule.draft)), None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn document(rule: &Rule) -> serde_json::Value {
    serde_json::to_value(rule).unwrap_or_default()
}

/// What the compiler finds, and what the engine cannot carry out.
fn check(rule: &Rule, catalogues: &Catalogues) -> Vec<Diagnostic> {
    let mut found = compile(rule, catalogues).1;
    for (at, card) in rule.actions.iter().enumerate() {
        let own = matches!(card.action, Action::SendWebhook { .. } | Action::Notify { .. });
        if own && card.enabled {
            found.push(Diagnostic {
                pointer: format!("/actions/{at}/do"),
                severity: Severity::Error,
                code: "not_carried_out".to_owned(),
                text: "Эта версия не выполняет такое действие: уберите карточку или выключите её".to_owned(),
            });
        }
    }
    found
}

/// Only what would make the row useless is refused in a draft; everything else is for the compiler to tell.
fn check_draft(draft: &Rule) -> Result<(), EngineError> {
    let name = draft.name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(EngineError::Invalid {
            pointer: "/draft/name",
            text: "назовите правило: от 1 до 200 символов".to_owned(),
        });
    }
    let length = serde_json::to_vec(draft).map_or(usize::MAX, |bytes| bytes.len());
    if length > MAX_DOCUMENT {
        return Err(EngineError::Invalid {
            pointer: "/draft",
            text: "правило слишком велико: разделите его на несколько".to_owned(),
        });
    }
    Ok(())
}

/// What a rule does, in one sentence for lists.
pub fn summary(rule: &Rule) -> String {
    let join = |words: Vec<&'static str>, none: &'static str| {
        if words.is_empty() {
            none.to_owned()
        } else {
            words.join(", ")
        }
    };
    let triggers = join(
        rule.triggers.iter().map(|trigger| trigger.kind.title()).collect(),
        "Нет событий",
    );
    let actions = join(
        rule.actions
            .iter()
            .filter(|card| card.enabled)
            .map(|card| card.action.title())
            .collect(),
        "ничего не делать",
    );
    format!("{triggers} → {actions}")
}
