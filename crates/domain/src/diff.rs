//! What changes between two states of a rule, in Russian words: shown before publishing and between versions.

use crate::catalogues::{Catalogues, Scope};
use crate::condition::Condition;
use crate::field::FieldPath;
use crate::mapping::{Expression, MappingLine};
use crate::rule::Rule;
use crate::time::Zone;
use crate::value::Value;
use crate::words::compare_words;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What happened to a part of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

/// A change that a person would name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// JSON pointer into the newer document; into the older one for what is gone.
    pub pointer: String,
    /// What changed, in Russian.
    pub text: String,
}

/// Every change from one state to the next; empty when they say the same.
pub fn changes(before: &Rule, after: &Rule, catalogues: &Catalogues) -> Vec<Change> {
    let mut diff = Diff {
        old: Scope::of(before, catalogues),
        new: Scope::of(after, catalogues),
        zone: Zone::default(),
        found: Vec::new(),
    };
    diff.plain("/name", "название", &before.name, &after.name);
    diff.plain(
        "/description",
        "описание",
        &before.description,
        &after.description,
    );
    if before.source != after.source {
        let name = |id| {
            catalogues
                .get(id)
                .map_or_else(|| "удалённое подключение".to_owned(), |one| one.name.clone())
        };
        diff.plain(
            "/source",
            "источник событий",
            &name(before.source),
            &name(after.source),
        );
    }
    diff.triggers(before, after);
    diff.conditions(&before.condition, &after.condition);
    diff.actions(before, after, catalogues);
    if before.stop != after.stop {
        let text = if after.stop {
            "после этого правила следующие правила событие больше не смотрят"
        } else {
            "следующие правила снова смотрят событие"
        };
        diff.push(ChangeKind::Changed, "/stop", text.to_owned());
    }
    let quiet = |rule: &Rule| format!("{} с", rule.quiet_secs);
    diff.plain("/quiet_secs", "ожидание тишины", &quiet(before), &quiet(after));
    diff.found
}

struct Diff {
    old: Scope,
    new: Scope,
    zone: Zone,
    found: Vec<Change>,
}

/// A comparison with its place; two are the same when they say the same below the same groups.
struct Leaf {
    pointer: String,
    field: FieldPath,
    groups: String,
    text: String,
}

impl Diff {
    fn push(&mut self, kind: ChangeKind, pointer: impl Into<String>, text: String) {
        self.found.push(Change {
            kind,
            pointer: pointer.into(),
            text,
        });
    }

    fn plain(&mut self, pointer: &str, what: &str, before: &str, after: &str) {
        if before != after {
            self.push(
                ChangeKind::Changed,
                pointer,
                format!("{what}: «{before}» → «{after}»"),
            );
        }
    }

    fn triggers(&mut self, before: &Rule, after: &Rule) {
        for (at, trigger) in after.triggers.iter().enumerate() {
            if !before.triggers.contains(trigger) {
                let known = before.triggers.iter().any(|old| old.kind == trigger.kind);
                let (kind, word) = if known {
                    (ChangeKind::Changed, "расписание события")
                } else {
                    (ChangeKind::Added, "добавлено событие")
                };
                self.push(
                    kind,
                    format!("/triggers/{at}"),
                    format!("{word} «{}»", trigger.kind.title()),
                );
            }
        }
        for (at, trigger) in before.triggers.iter().enumerate() {
            if !after.triggers.iter().any(|new| new.kind == trigger.kind) {
                let text = format!("убрано событие «{}»", trigger.kind.title());
                self.push(ChangeKind::Removed, format!("/triggers/{at}"), text);
            }
        }
    }

    fn conditions(&mut self, before: &Condition, after: &Condition) {
        if before == after {
            return;
        }
        let mut old = Vec::new();
        leaves(before, "/condition", "", &self.old, &self.zone, &mut old);
        let mut new = Vec::new();
        leaves(after, "/condition", "", &self.new, &self.zone, &mut new);
        // What stands in both is no change, wherever in its group it stands.
        new.retain(|leaf| {
            let same = old
                .iter()
                .position(|one| one.text == leaf.text && one.groups == leaf.groups);
            same.map(|at| old.swap_remove(at)).is_none()
        });
        if old.is_empty() && new.is_empty() {
            self.push(
                ChangeKind::Changed,
                "/condition",
                "условия стоят иначе".to_owned(),
            );
        }
        for leaf in new {
            let moved = old.iter().position(|one| one.text == leaf.text);
            let altered = old
                .iter()
                .position(|one| one.field == leaf.field && one.groups == leaf.groups);
            let (kind, text) = match (moved, altered) {
                (Some(at), _) => {
                    let was = old.swap_remove(at);
                    let text = format!(
                        "условие «{}» перенесено: было {}, стало {}",
                        leaf.text,
                        place(&was.groups),
                        place(&leaf.groups)
                    );
                    (ChangeKind::Changed, text)
                }
                (None, Some(at)) => {
                    let was = old.swap_remove(at);
                    (
                        ChangeKind::Changed,
                        format!("условие: «{}» → «{}»", was.text, leaf.text),
                    )
                }
                (None, None) => (
                    ChangeKind::Added,
                    format!("добавлено условие «{}» {}", leaf.text, place(&leaf.groups)),
                ),
            };
            self.push(kind, leaf.pointer, text);
        }
        for leaf in old {
            self.push(
                ChangeKind::Removed,
                leaf.pointer,
                format!("убрано условие «{}»", leaf.text),
            );
        }
    }

    fn actions(&mut self, before: &Rule, after: &Rule, catalogues: &Catalogues) {
        let kind_of = |card: &crate::action::ActionCard| document(card)["do"].clone();
        let mut old: Vec<(usize, &crate::action::ActionCard)> = before.actions.iter().enumerate().collect();
        let mut pairs = Vec::new();
        let mut rest = Vec::new();
        for (at, card) in after.actions.iter().enumerate() {
            match old.iter().position(|(_, one)| *one == card) {
                Some(found) => {
                    let (was_at, _) = old.remove(found);
                    pairs.push((was_at, at));
                }
                None => rest.push((at, card)),
            }
        }
        for (at, card) in rest {
            let like = old.iter().position(|(_, one)| kind_of(one) == kind_of(card));
            match like {
                Some(found) => {
                    let (was_at, was) = old.remove(found);
                    pairs.push((was_at, at));
                    self.card(at, was, card, catalogues);
                }
                None => {
                    let text = format!("добавлено действие {}: {}", at + 1, card.action.title());
                    self.push(ChangeKind::Added, format!("/actions/{at}"), text);
                }
            }
        }
        for (at, card) in old {
            let text = format!("убрано действие {}: {}", at + 1, card.action.title());
            self.push(ChangeKind::Removed, format!("/actions/{at}"), text);
        }
        pairs.sort_by_key(|(_, new)| *new);
        if pairs.windows(2).any(|pair| pair[0].0 > pair[1].0) {
            self.push(
                ChangeKind::Changed,
                "/actions",
                "действия идут в другом порядке".to_owned(),
            );
        }
    }

    fn card(
        &mut self,
        at: usize,
        before: &crate::action::ActionCard,
        after: &crate::action::ActionCard,
        catalogues: &Catalogues,
    ) {
        let head = format!("действие {} ({})", at + 1, after.action.title());
        let pointer = format!("/actions/{at}");
        if before.enabled != after.enabled {
            let word = if after.enabled {
                "включено"
            } else {
                "выключено"
            };
            self.push(
                ChangeKind::Changed,
                format!("{pointer}/enabled"),
                format!("{head}: {word}"),
            );
        }
        let (old, new) = (document(before), document(after));
        let members: BTreeSet<&String> = [&old, &new]
            .into_iter()
            .filter_map(Json::as_object)
            .flat_map(serde_json::Map::keys)
            .collect();
        for member in members {
            let (was, is) = (&old[member.as_str()], &new[member.as_str()]);
            if was == is || member == "enabled" {
                continue;
            }
            if member == "mapping" {
                self.mapping(&head, &pointer, &lines(was), &lines(is));
                continue;
            }
            let say = |value: &Json, scope: &Scope| match member.as_str() {
                "connection" => serde_json::from_value(value.clone())
                    .ok()
                    .and_then(|id| catalogues.get(id))
                    .map_or_else(|| "не выбрано".to_owned(), |one| one.name.clone()),
                _ => self.member(after, member, value, scope),
            };
            let text = format!(
                "{head}: {} — было {}, стало {}",
                member_title(member),
                say(was, &self.old),
                say(is, &self.new)
            );
            self.push(ChangeKind::Changed, format!("{pointer}/{member}"), text);
        }
    }

    fn member(&self, card: &crate::action::ActionCard, member: &str, value: &Json, scope: &Scope) -> String {
        use crate::connection::ConnectorKind;
        use crate::field::SystemField;
        use crate::record::RecordKind;
        let side = |kind| {
            scope
                .side(kind)
                .is_some_and(|(id, _)| Some(id) == card.connection)
        };
        let record = if side(ConnectorKind::Lptracker) {
            RecordKind::Lead
        } else {
            RecordKind::Deal
        };
        let typed = |field: SystemField, value: Value| {
            scope.value_words(Some(FieldPath::now(record, field)), &value, &self.zone)
        };
        if value.is_null() || *value == Json::String(String::new()) {
            return "ничего".to_owned();
        }
        if let Ok(expression) = serde_json::from_value::<Expression>(value.clone()) {
            return expression_words(&expression, scope, &self.zone);
        }
        match member {
            "stage" => serde_json::from_value(value.clone()).map_or_else(
                |_| value.to_string(),
                |stage| typed(SystemField::Stage, Value::Stage(stage)),
            ),
            "responsible" => value.as_i64().map_or_else(
                || value.to_string(),
                |id| typed(SystemField::Responsible, Value::User(id)),
            ),
            "tags" => serde_json::from_value(value.clone()).map_or_else(
                |_| value.to_string(),
                |tags| typed(SystemField::Tags, Value::Choices(tags)),
            ),
            "add" | "remove" => serde_json::from_value::<Vec<Expression>>(value.clone()).map_or_else(
                |_| value.to_string(),
                |all| {
                    let words: Vec<String> = all
                        .iter()
                        .map(|one| expression_words(one, scope, &self.zone))
                        .collect();
                    if words.is_empty() {
                        "ничего".to_owned()
                    } else {
                        words.join(", ")
                    }
                },
            ),
            _ => value
                .as_str()
                .map_or_else(|| value.to_string(), |text| format!("«{text}»")),
        }
    }

    fn mapping(&mut self, head: &str, pointer: &str, before: &[MappingLine], after: &[MappingLine]) {
        let key = |line: &MappingLine| (line.record, line.field);
        for (at, line) in after.iter().enumerate() {
            let target = self.new.field_label(FieldPath::now(line.record, line.field));
            let now = expression_words(&line.from, &self.new, &self.zone);
            let place = format!("{pointer}/mapping/{at}");
            match before.iter().find(|old| key(old) == key(line)) {
                None => self.push(
                    ChangeKind::Added,
                    place,
                    format!("{head}: заполнять «{target}» из {now}"),
                ),
                Some(old) if old == line => {}
                Some(old) if old.from != line.from => {
                    let was = expression_words(&old.from, &self.old, &self.zone);
                    self.push(
                        ChangeKind::Changed,
                        place,
                        format!("{head}: «{target}» заполнялось из {was}, теперь из {now}"),
                    );
                }
                Some(_) => self.push(
                    ChangeKind::Changed,
                    place,
                    format!("{head}: «{target}» заполняется с другими преобразованиями"),
                ),
            }
        }
        for (at, line) in before.iter().enumerate() {
            if !after.iter().any(|new| key(new) == key(line)) {
                let target = self.old.field_label(FieldPath::now(line.record, line.field));
                self.push(
                    ChangeKind::Removed,
                    format!("{pointer}/mapping/{at}"),
                    format!("{head}: больше не заполнять «{target}»"),
                );
            }
        }
    }
}

fn document(card: &crate::action::ActionCard) -> Json {
    serde_json::to_value(card).unwrap_or_default()
}

fn lines(value: &Json) -> Vec<MappingLine> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn place(groups: &str) -> String {
    match groups.rsplit(' ').find(|word| !word.is_empty()) {
        Some("ИЛИ") => "в группе «ИЛИ»".to_owned(),
        Some("НЕ") => "под «НЕ»".to_owned(),
        _ => "в группе «И»".to_owned(),
    }
}

fn leaves(
    condition: &Condition,
    pointer: &str,
    groups: &str,
    scope: &Scope,
    zone: &Zone,
    out: &mut Vec<Leaf>,
) {
    let mut list = |word: &str, title: &str, all: &[Condition]| {
        for (at, inner) in all.iter().enumerate() {
            let place = format!("{pointer}/{word}/{at}");
            leaves(inner, &place, &format!("{groups} {title}"), scope, zone, out);
        }
    };
    match condition {
        Condition::All(all) => list("all", "И", all),
        Condition::Any(all) => list("any", "ИЛИ", all),
        Condition::Not(inner) => {
            leaves(
                inner,
                &format!("{pointer}/not"),
                &format!("{groups} НЕ"),
                scope,
                zone,
                out,
            );
        }
        Condition::Compare(compare) => out.push(Leaf {
            pointer: format!("{pointer}/compare"),
            field: compare.field,
            groups: groups.to_owned(),
            text: compare_words(compare, scope, zone),
        }),
    }
}

fn expression_words(expression: &Expression, scope: &Scope, zone: &Zone) -> String {
    match expression {
        Expression::Field(path) => format!("поля «{}»", scope.field_label(*path)),
        Expression::Constant(value) => scope.value_words(None, value, zone),
        Expression::Template(text) => format!("текста «{text}»"),
        Expression::FirstOf(list) => {
            let words: Vec<String> = list
                .iter()
                .map(|one| expression_words(one, scope, zone))
                .collect();
            format!("первого непустого из ({})", words.join("; "))
        }
    }
}

fn member_title(member: &str) -> &str {
    match member {
        "connection" => "подключение",
        "target" => "запись",
        "stage" => "этап",
        "responsible" | "user" => "ответственный",
        "tags" | "add" => "добавляемые теги",
        "remove" => "убираемые теги",
        "text" => "текст",
        "order" => "как искать",
        "pick" => "какую из нескольких",
        "if_none" => "если не нашлось",
        "if_found" => "если нашлось",
        "loss_reason" => "причина отказа",
        "task_type" => "тип задачи",
        "due_in_minutes" => "срок в минутах",
        "kind" => "вид записи",
        "reason" => "причина",
        other => other,
    }
}

#[cfg(test)]
mod tests;
