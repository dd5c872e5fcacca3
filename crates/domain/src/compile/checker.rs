//! What the parts of the compiler share: where they are, what they found, what they need.

use super::{Diagnostic, Reference, Severity, Thing, known_records};
use crate::catalogue::Catalogue;
use crate::catalogues::{Catalogues, Scope};
use crate::field::{FieldKey, FieldPath, FieldType};
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::rule::Rule;
use crate::types::system_fields;
use crate::value::{Choice, Stage, Value};
use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use std::sync::Arc;

/// The state of one compilation.
pub(super) struct Checker<'a> {
    pub(super) catalogues: &'a Catalogues,
    pub(super) scope: Arc<Scope>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) references: Vec<Reference>,
    pub(super) reads: BTreeSet<FieldPath>,
    pub(super) needs_other: bool,
    /// Inside a card that is switched off: what is found there blocks nothing.
    pub(super) soft: bool,
    pub(super) n_conditions: usize,
    /// Records that can be known around one of the rule's events; empty when it has no events yet.
    known: Vec<RecordKind>,
    pointer: String,
}

impl<'a> Checker<'a> {
    pub(super) fn new(rule: &Rule, catalogues: &'a Catalogues, scope: Arc<Scope>) -> Self {
        let events = rule.triggers.iter();
        let known = events
            .flat_map(|trigger| known_records(trigger.kind))
            .copied()
            .collect();
        Self {
            catalogues,
            scope,
            diagnostics: Vec::new(),
            references: Vec::new(),
            reads: BTreeSet::new(),
            needs_other: false,
            soft: false,
            n_conditions: 0,
            known,
            pointer: String::new(),
        }
    }

    /// Works at a member of the present place.
    pub(super) fn at<R>(&mut self, member: impl Display, work: impl FnOnce(&mut Self) -> R) -> R {
        let len = self.pointer.len();
        // Writing to a string cannot fail.
        let _ = write!(self.pointer, "/{member}");
        let result = work(self);
        self.pointer.truncate(len);
        result
    }

    pub(super) fn error(&mut self, code: &str, text: impl Into<String>) {
        let severity = if self.soft {
            Severity::Warning
        } else {
            Severity::Error
        };
        self.push(severity, code, text.into());
    }

    pub(super) fn warn(&mut self, code: &str, text: impl Into<String>) {
        self.push(Severity::Warning, code, text.into());
    }

    fn push(&mut self, severity: Severity, code: &str, text: String) {
        // A document that is wrong everywhere must not become a report without end.
        if self.diagnostics.len() < 1000 {
            let pointer = self.pointer.clone();
            self.diagnostics.push(Diagnostic {
                pointer,
                severity,
                code: code.to_owned(),
                text,
            });
        }
    }

    pub(super) fn refer(&mut self, connection: ConnectionId, thing: Thing) {
        self.references.push(Reference {
            connection,
            thing,
            pointer: self.pointer.clone(),
        });
    }

    /// The connection and catalogue that a kind of record is looked up in.
    pub(super) fn home(&self, record: RecordKind) -> Option<(ConnectionId, Arc<Catalogue>)> {
        let kind = self.scope.kind_of(record)?;
        let (id, _) = self.scope.side(kind)?;
        Some((id, Arc::clone(&self.catalogues.get(id)?.catalogue)))
    }

    /// A field that is read: noted, and its type told.
    pub(super) fn read(&mut self, path: FieldPath) -> Option<FieldType> {
        let field_type = self.field(path.record, path.key)?;
        self.reads.insert(path);
        if !self.known.is_empty() && !self.known.contains(&path.record) {
            self.warn(
                "never_known",
                format!(
                    "у выбранных событий нет записи «{}», её поля останутся неизвестны; выберите другое поле или событие",
                    path.record.title()
                ),
            );
        }
        Some(field_type)
    }

    /// The type of a field, or a diagnostic and nothing.
    pub(super) fn field(&mut self, record: RecordKind, key: FieldKey) -> Option<FieldType> {
        match key {
            FieldKey::System(field) => {
                if system_fields(record).contains(&field) {
                    return Some(field.field_type());
                }
                self.error(
                    "unknown_field",
                    format!(
                        "у записи «{}» нет поля «{}»; выберите другое поле",
                        record.title(),
                        field.title()
                    ),
                );
                None
            }
            FieldKey::Custom(id) => {
                let Some((connection, catalogue)) = self.home(record) else {
                    self.error(
                        "no_connection",
                        format!(
                            "непонятно, из какого подключения поле записи «{}»: добавьте подключение или выберите его в действии",
                            record.title()
                        ),
                    );
                    return None;
                };
                self.refer(connection, Thing::Field(record, id));
                match catalogue.field(record, id) {
                    Some(info) => Some(info.field_type),
                    None => {
                        self.error(
                            "gone_field",
                            format!(
                                "поля {id} у записи «{}» больше нет в CRM; выберите другое или обновите каталог подключения",
                                record.title()
                            ),
                        );
                        None
                    }
                }
            }
        }
    }

    pub(super) fn stage(&mut self, connection: ConnectionId, stage: Stage) -> bool {
        self.refer(connection, Thing::Stage(stage));
        let known = self
            .catalogues
            .get(connection)
            .is_some_and(|one| one.catalogue.stage(stage).is_some());
        if !known {
            self.error(
                "gone_stage",
                format!(
                    "этапа {} в воронке {} больше нет в CRM; выберите другой или обновите каталог подключения",
                    stage.status, stage.pipeline
                ),
            );
        }
        known
    }

    pub(super) fn pipeline(&mut self, connection: ConnectionId, id: i64) -> bool {
        self.refer(connection, Thing::Pipeline(id));
        let known = self
            .catalogues
            .get(connection)
            .is_some_and(|one| one.catalogue.pipelines.iter().any(|pipeline| pipeline.id == id));
        if !known {
            self.error(
                "gone_pipeline",
                format!("воронки или проекта {id} больше нет в CRM; выберите другую или обновите каталог подключения"),
            );
        }
        known
    }

    pub(super) fn user(&mut self, connection: ConnectionId, id: i64, to_be_given: bool) {
        self.refer(connection, Thing::User(id));
        // 0 is amoCRM's robot and LPTracker's main account; no list of users holds it.
        if id == 0 && !to_be_given {
            return;
        }
        let known = self
            .catalogues
            .get(connection)
            .and_then(|one| one.catalogue.user(id).cloned());
        match known {
            None => self.error(
                "gone_user",
                format!(
                    "пользователя {id} больше нет в CRM; выберите другого или обновите каталог подключения"
                ),
            ),
            Some(user) if to_be_given && !user.is_active => self.error(
                "gone_user",
                format!(
                    "пользователь «{}» отключён, запись ему не передать; выберите другого",
                    user.name
                ),
            ),
            Some(_) => {}
        }
    }

    /// An option of a field, with the name filled in where the document knows only the id.
    pub(super) fn option(&mut self, record: RecordKind, key: FieldKey, choice: &Choice) -> Choice {
        let path = FieldPath::now(record, key);
        let Some(description) = self.scope.describe(path) else {
            return choice.clone();
        };
        // System selects without a list (call result, direction) and tags are open.
        if description.options.is_empty() {
            return choice.clone();
        }
        if let (Some(id), FieldKey::Custom(field), Some((connection, _))) =
            (choice.id, key, self.home(record))
        {
            self.refer(connection, Thing::Option(field, id));
        }
        let found = description
            .options
            .iter()
            .find(|option| match (choice.id, option.id) {
                (Some(a), Some(b)) => a == b,
                _ => crate::text::same_name(&choice.name, &option.name),
            });
        match found {
            Some(option) => option.clone(),
            None => {
                let shown = if choice.name.is_empty() {
                    choice.id.map(|id| id.to_string()).unwrap_or_default()
                } else {
                    choice.name.clone()
                };
                self.error(
                    "gone_option",
                    format!(
                        "варианта «{shown}» в поле «{}» больше нет; выберите другой или обновите каталог подключения",
                        description.name
                    ),
                );
                choice.clone()
            }
        }
    }

    /// Checks a fixed value of a field against the catalogue; gives it back with names filled in.
    pub(super) fn known_value(&mut self, path: FieldPath, value: &Value) -> Value {
        let home = self.home(path.record).map(|(id, _)| id);
        match (value, home) {
            (Value::Choice(choice), _) => return Value::Choice(self.option(path.record, path.key, choice)),
            (Value::Choices(list), _) => {
                return Value::Choices(
                    list.iter()
                        .map(|choice| self.option(path.record, path.key, choice))
                        .collect(),
                );
            }
            (Value::Stage(stage), Some(home)) => {
                self.stage(home, *stage);
            }
            (Value::User(user), Some(home)) => self.user(home, *user, false),
            (Value::Id(id), Some(home)) if path.key == crate::field::SystemField::Pipeline.into() => {
                self.pipeline(home, *id);
            }
            _ => {}
        }
        value.clone()
    }
}
