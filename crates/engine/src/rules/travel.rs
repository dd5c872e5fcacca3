//! Rules that travel: copies, exports, imports, templates taken as a beginning.

use super::{Rules, cases, check_draft, document};
use crate::context::new_id;
use crate::error::EngineError;
use crate::rulebook;
use domain::case::{MAX_CASES, TestCase};
use domain::id::{RuleId, TestCaseId, WorkspaceId};
use domain::portable::{Bound, FORMAT, Portable, VERSION};
use domain::rule::Rule;
use storage::audit::{Actor, NewEntry};
use storage::rule_cases;
use storage::rules::{self, NewRule, StoredRule};

/// The longest name of a rule, in characters.
const MAX_NAME: usize = 200;
/// What a copy is called more than its original.
const COPY: &str = " (копия)";

/// A rule that came from elsewhere.
#[derive(Clone, PartialEq, Debug)]
pub struct Imported {
    /// The rule, as a draft that nobody has published.
    pub rule: StoredRule,
    /// What could not be found in this workspace, in Russian.
    pub unbound: Vec<String>,
}

impl Rules {
    /// Makes a copy of a rule's draft with its test cases, behind all other rules.
    pub async fn copy(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: RuleId,
    ) -> Result<StoredRule, EngineError> {
        let db = &self.context.db;
        let mut draft = rules::find(db, workspace, id).await?.draft;
        draft.name = copied(&draft.name);
        let cases = rule_cases::list(db, workspace, id).await?;
        let cases: Vec<TestCase> = cases.into_iter().map(|stored| stored.case).collect();
        self.put(workspace, actor, &draft, &cases).await
    }

    /// A rule's draft with its test cases and the names of everything they refer to.
    pub async fn export(&self, workspace: WorkspaceId, id: RuleId) -> Result<Portable, EngineError> {
        let db = &self.context.db;
        let rule = rules::find(db, workspace, id).await?;
        let cases = rule_cases::list(db, workspace, id).await?;
        let cases: Vec<TestCase> = cases.into_iter().map(|stored| stored.case).collect();
        let catalogues = rulebook::catalogues(db, workspace).await?;
        Ok(Portable::pack(&rule.draft, &cases, &catalogues))
    }

    /// What a portable rule would be in a workspace. Nothing is kept.
    pub async fn bind(&self, workspace: WorkspaceId, portable: &Portable) -> Result<Bound, EngineError> {
        acceptable(portable)?;
        let catalogues = rulebook::catalogues(&self.context.db, workspace).await?;
        Ok(portable.bind(&catalogues))
    }

    /// Makes a rule of a portable one, found again by name in a workspace.
    pub async fn import(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        portable: &Portable,
    ) -> Result<Imported, EngineError> {
        let bound = self.bind(workspace, portable).await?;
        let rule = self.put(workspace, actor, &bound.rule, &bound.cases).await?;
        Ok(Imported {
            rule,
            unbound: bound.unbound,
        })
    }

    async fn put(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        draft: &Rule,
        cases: &[TestCase],
    ) -> Result<StoredRule, EngineError> {
        check_draft(draft)?;
        let id = RuleId(new_id());
        let now = self.context.clock.now();
        let new = NewRule {
            id,
            draft,
            enabled: true,
        };
        let tx = self.context.db.begin().await?;
        rules::insert(&tx, workspace, new, now).await?;
        for case in cases {
            rule_cases::insert(&tx, workspace, id, TestCaseId(new_id()), case, now).await?;
        }
        let entry = NewEntry::of("rule", "rule.created", id, None, Some(document(draft)));
        self.context.audit(&tx, workspace, actor, entry).await?;
        let stored = rules::find(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(stored)
    }
}

fn copied(name: &str) -> String {
    let room = MAX_NAME - COPY.chars().count();
    let kept: String = name.chars().take(room).collect();
    format!("{}{COPY}", kept.trim_end())
}

fn acceptable(portable: &Portable) -> Result<(), EngineError> {
    let refuse = |pointer, text: String| Err(EngineError::Invalid { pointer, text });
    if portable.format != FORMAT {
        let text = "это не правило Интегратора: выберите файл, выгруженный из конструктора правил";
        return refuse("/format", text.to_owned());
    }
    if portable.version != VERSION {
        let text = format!(
            "документ версии {}, а эта программа читает версию {VERSION}: обновите её или выгрузите правило заново",
            portable.version
        );
        return refuse("/version", text);
    }
    if portable.cases.len() > MAX_CASES {
        return refuse("/cases", format!("проверок больше {MAX_CASES}: уберите лишние"));
    }
    portable.cases.iter().try_for_each(cases::acceptable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_name_that_fits() {
        assert_eq!(copied("Правило"), "Правило (копия)");
        let long = copied(&"я".repeat(MAX_NAME));
        assert_eq!(long.chars().count(), MAX_NAME);
        assert!(long.ends_with(COPY));
    }
}
