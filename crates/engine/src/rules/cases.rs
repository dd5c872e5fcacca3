//! Test cases of rules: kept by people, met before a rule is put in force.

use super::Rules;
use crate::context::new_id;
use crate::error::{EngineError, FailedCase};
use domain::case::{self, MAX_CASES, MAX_NAME, TestCase};
use domain::catalogues::Catalogues;
use domain::compile::compile;
use domain::id::{RuleId, TestCaseId, WorkspaceId};
use domain::rule::Rule;
use serde_json::json;
use storage::audit::{Actor, NewEntry};
use storage::rule_cases::{self, StoredCase};
use storage::{Conn, rules};

/// The longest accepted case, in bytes of JSON.
const MAX_CASE: usize = 256 * 1024;

impl Rules {
    /// Keeps a new case of a rule.
    pub async fn add_case(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        rule: RuleId,
        case: &TestCase,
    ) -> Result<StoredCase, EngineError> {
        acceptable(case)?;
        let id = TestCaseId(new_id());
        let tx = self.context.db.begin().await?;
        rules::find(&tx, workspace, rule).await?;
        if rule_cases::list(&tx, workspace, rule).await?.len() >= MAX_CASES {
            return Err(EngineError::Invalid {
                pointer: "/name",
                text: format!("у правила уже {MAX_CASES} проверок; удалите лишние"),
            });
        }
        rule_cases::insert(&tx, workspace, rule, id, case, self.context.clock.now()).await?;
        // The facts tell of people: the log names the case and says no more.
        let entry = NewEntry::of(
            "rule",
            "rule.case_added",
            rule,
            None,
            Some(json!({ "name": case.name })),
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rule_cases::find(&tx, workspace, rule, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Replaces what a case says.
    pub async fn change_case(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        rule: RuleId,
        id: TestCaseId,
        case: &TestCase,
    ) -> Result<StoredCase, EngineError> {
        acceptable(case)?;
        let tx = self.context.db.begin().await?;
        rules::find(&tx, workspace, rule).await?;
        let before = rule_cases::find(&tx, workspace, rule, id).await?;
        rule_cases::update(&tx, workspace, rule, id, case, self.context.clock.now()).await?;
        let entry = NewEntry::of(
            "rule",
            "rule.case_changed",
            rule,
            Some(json!({ "name": before.case.name })),
            Some(json!({ "name": case.name })),
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rule_cases::find(&tx, workspace, rule, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Takes a case away.
    pub async fn delete_case(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        rule: RuleId,
        id: TestCaseId,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        rules::find(&tx, workspace, rule).await?;
        let before = rule_cases::find(&tx, workspace, rule, id).await?;
        rule_cases::delete(&tx, workspace, rule, id).await?;
        let entry = NewEntry::of(
            "rule",
            "rule.case_deleted",
            rule,
            Some(json!({ "name": before.case.name })),
            None,
        );
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Refuses a draft that does not meet the cases of its rule.
pub(super) async fn met_or_refuse(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: RuleId,
    draft: &Rule,
    catalogues: &Catalogues,
) -> Result<(), EngineError> {
    let cases = rule_cases::list(conn, workspace, id).await?;
    if cases.is_empty() {
        return Ok(());
    }
    let (compiled, _) = compile(draft, catalogues);
    let failed: Vec<FailedCase> = cases
        .into_iter()
        .filter_map(|stored| {
            let missed = case::check(&compiled, &stored.case);
            (!missed.is_empty()).then(|| FailedCase {
                id: stored.id,
                text: format!("«{}»: {}", stored.case.name, missed.join("; ")),
            })
        })
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(EngineError::CasesFailed(failed))
    }
}

pub(super) fn acceptable(case: &TestCase) -> Result<(), EngineError> {
    let name = case.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(EngineError::Invalid {
            pointer: "/name",
            text: format!("назовите проверку: от 1 до {MAX_NAME} символов"),
        });
    }
    let length = serde_json::to_vec(case).map_or(usize::MAX, |bytes| bytes.len());
    if length > MAX_CASE {
        return Err(EngineError::Invalid {
            pointer: "/facts",
            text: "событие слишком велико для проверки: возьмите другое".to_owned(),
        });
    }
    Ok(())
}
