//! What a refresh of a catalogue found changed, in words that a manager reads.

use domain::catalogue::Catalogue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened to one thing of a catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another name or type.
    Changed,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub change: ChangeKind,
    /// What kind of thing, in Russian: «Этап», «Поле», «Пользователь».
    pub what: String,
    /// Its name now, or its last name.
    pub name: String,
    /// Its name or form before, when that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// Changes from one catalogue to a newer one of the same account.
pub fn diff(old: &Catalogue, new: &Catalogue) -> Vec<Change> {
    let (old, new) = (things(old), things(new));
    let mut changes = Vec::new();
    for (key, name) in &new {
        match old.get(key) {
            None => changes.push(change(ChangeKind::Added, key.0, name, None)),
            Some(before) if before != name => {
                changes.push(change(ChangeKind::Changed, key.0, name, Some(before)));
            }
            Some(_) => {}
        }
    }
    for (key, name) in &old {
        if !new.contains_key(key) {
            changes.push(change(ChangeKind::Removed, key.0, name, None));
        }
    }
    changes
}

fn change(kind: ChangeKind, what: &str, name: &str, before: Option<&String>) -> Change {
    Change {
        change: kind,
        what: what.to_owned(),
        name: name.to_owned(),
        before: before.cloned(),
    }
}

/// Everything with an identity, by what it is and its ids.
fn things(catalogue: &Catalogue) -> BTreeMap<(&'static str, String), String> {
    let mut all = BTreeMap::new();
    for pipeline in &catalogue.pipelines {
        all.insert(("Воронка", pipeline.id.to_string()), pipeline.name.clone());
        for stage in &pipeline.stages {
            let name = format!("{} / {}", pipeline.name, stage.name);
            all.insert(("Этап", format!("{}:{}", pipeline.id, stage.id)), name);
        }
    }
    for field in &catalogue.fields {
        let key = format!("{}:{}", field.record.as_str(), field.id);
        all.insert(
            ("Поле", key.clone()),
            format!("{} ({})", field.name, field.raw_type),
        );
        for option in &field.options {
            let id = option.id.map_or_else(|| option.name.clone(), |id| id.to_string());
            all.insert(
                ("Вариант поля", format!("{key}:{id}")),
                format!("{}: {}", field.name, option.name),
            );
        }
    }
    for user in &catalogue.users {
        let suffix = if user.is_active { "" } else { " (отключён)" };
        all.insert(
            ("Пользователь", user.id.to_string()),
            format!("{}{suffix}", user.name),
        );
    }
    for reason in &catalogue.loss_reasons {
        all.insert(
            ("Причина отказа", reason.id.unwrap_or_default().to_string()),
            reason.name.clone(),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::catalogue::{Pipeline, StageInfo, StageKind};

    fn with_stages(names: &[(i64, &str)]) -> Catalogue {
        Catalogue {
            pipelines: vec![Pipeline {
                id: 1,
                name: "Продажи".to_owned(),
                stages: names
                    .iter()
                    .map(|(id, name)| StageInfo {
                        id: *id,
                        name: (*name).to_owned(),
                        color: None,
                        kind: StageKind::Open,
                    })
                    .collect(),
            }],
            ..Catalogue::default()
        }
    }

    #[test]
    fn added_renamed_and_removed_stages_are_told() {
        let old = with_stages(&[(1, "Новая"), (2, "В работе")]);
        let new = with_stages(&[(1, "Новая заявка"), (3, "Звонок")]);
        let told: Vec<_> = diff(&old, &new).into_iter().map(|c| (c.change, c.name)).collect();
        assert_eq!(
            told,
            [
                (ChangeKind::Changed, "Продажи / Новая заявка".to_owned()),
                (ChangeKind::Added, "Продажи / Звонок".to_owned()),
                (ChangeKind::Removed, "Продажи / В работе".to_owned()),
            ]
        );
    }

    #[test]
    fn nothing_changed_is_nothing_told() {
        let same = with_stages(&[(1, "Новая")]);
        assert!(diff(&same, &same).is_empty());
    }
}
