//! Checks that several actions share.

use super::Work;
use super::place::Place;
use crate::catalogue::StageKind;
use crate::command::{IfNone, MatchBy, Pick, Search, Target};
use crate::compile::checker::Checker;
use crate::compile::expression::{CompiledExpression, expression, typed};
use crate::compile::mapping::CompiledLine;
use crate::compile::{Thing, known_records};
use crate::connection::ConnectorKind;
use crate::event::EventKind;
use crate::field::{FieldPath, FieldType, SystemField};
use crate::mapping::Expression;
use crate::record::RecordKind;
use crate::rule::Rule;
use crate::value::{Stage, Value};

pub(super) fn only(checker: &mut Checker<'_>, place: Place, kind: ConnectorKind, what: &str) {
    if place.kind.is_some_and(|own| own != kind) {
        checker.error(
            "not_offered",
            format!(
                "{what} есть только в {}; выберите другое действие или запись",
                kind.title()
            ),
        );
    }
}

pub(super) fn optional_stage(checker: &mut Checker<'_>, place: Place, stage: Option<Stage>) {
    if let (Some(connection), Some(stage)) = (place.connection, stage) {
        checker.at("stage", |checker| checker.stage(connection, stage));
    }
}

pub(super) fn optional_user(checker: &mut Checker<'_>, place: Place, user: Option<i64>) {
    if let (Some(connection), Some(user)) = (place.connection, user) {
        checker.at("responsible", |checker| checker.user(connection, user, true));
    }
}

pub(super) fn task_kind(checker: &mut Checker<'_>, place: Place, id: Option<i64>) {
    let (Some(connection), Some(id)) = (place.connection, id) else {
        return;
    };
    checker.at("task_type", |checker| {
        checker.refer(connection, Thing::TaskType(id));
        let known = checker
            .catalogues
            .get(connection)
            .is_some_and(|one| one.catalogue.task_types.iter().any(|kind| kind.id == Some(id)));
        if !known {
            checker.error(
                "gone_task_type",
                "такого типа задачи больше нет в CRM; выберите другой или обновите каталог подключения",
            );
        }
    });
}

pub(super) fn loss(checker: &mut Checker<'_>, place: Place, stage: Stage, reason: Option<i64>) {
    let (Some(connection), Some(id)) = (place.connection, reason) else {
        return;
    };
    checker.at("loss_reason", |checker| {
        checker.refer(connection, Thing::LossReason(id));
        let Some(one) = checker.catalogues.get(connection) else { return };
        let known = one.catalogue.loss_reasons.iter().any(|reason| reason.id == Some(id));
        let lost = one.catalogue.stage(stage).is_none_or(|(_, info)| info.kind == StageKind::Lost);
        if !known {
            checker.error("gone_loss_reason", "такой причины отказа больше нет в CRM; выберите другую или обновите каталог подключения");
        } else if !lost {
            checker.error("loss_reason_stage", "причину отказа указывают только с этапом «закрыто и не реализовано»; уберите её или смените этап");
        }
    });
}

/// A record without stages cannot be moved.
pub(super) fn has_stage(checker: &mut Checker<'_>, rule: &Rule, target: Target) {
    let without = |kind: EventKind| {
        matches!(
            kind.record(),
            Some(RecordKind::Contact | RecordKind::Company | RecordKind::Structure)
        )
    };
    if target == Target::Trigger {
        let n = rule
            .triggers
            .iter()
            .filter(|trigger| without(trigger.kind))
            .count();
        checker.at("target", |checker| {
            if n > 0 && n == rule.triggers.len() {
                checker.error(
                    "target_record",
                    "у контакта и компании нет этапов; выберите «связанную запись» или другое событие",
                );
            } else if n > 0 {
                checker.warn(
                    "target_record",
                    "у контакта и компании нет этапов; на таких событиях действие не выполнится",
                );
            }
        });
    }
}

pub(super) fn upsert(checker: &mut Checker<'_>, place: Place, search: &Search, lines: &[CompiledLine]) {
    if search.order.is_empty() && search.if_none == IfNone::Create {
        checker.at("order", |checker| {
            checker.error("no_search", "не указано, как искать существующую запись, поэтому каждый раз создавался бы дубль; выберите хотя бы один способ");
        });
    }
    let fills = |field: SystemField| {
        lines.iter().any(|line| {
            line.target.key == field.into()
                && matches!(line.target.record, RecordKind::Contact | RecordKind::LeadContact)
        })
    };
    for (at, by) in search.order.iter().enumerate() {
        let (field, name) = match by {
            MatchBy::Link => continue,
            MatchBy::Phone => (SystemField::Phone, "телефону"),
            MatchBy::Email => (SystemField::Email, "e-mail"),
            MatchBy::Name => (SystemField::Name, "имени"),
        };
        if !fills(field) && *by != MatchBy::Email {
            checker.at(format_args!("order/{at}"), |checker| {
                let text =
                    format!("искать по {name} нечем: в таблице полей контакта нет такой строки; добавьте её");
                checker.warn("search_without_value", text);
            });
        }
        if search.order[..at].contains(by) {
            checker.at(format_args!("order/{at}"), |checker| {
                checker.warn(
                    "duplicate_search",
                    "этот способ поиска указан дважды; уберите повтор",
                );
            });
        }
    }
    if let (Pick::InPipeline { pipeline }, Some(connection)) = (search.pick, place.connection) {
        checker.at("pick/pipeline", |checker| checker.pipeline(connection, pipeline));
    }
}

/// A user by constant, or by a table that gives users.
pub(super) fn responsible(
    checker: &mut Checker<'_>,
    place: Place,
    source: &Expression,
) -> CompiledExpression {
    checker.at("user", |checker| {
        let compiled = typed(checker, source, &[FieldType::User], "пользователь");
        match &compiled {
            CompiledExpression::Constant(value @ Value::User(_)) => {
                if let (Some(connection), Value::User(user)) = (place.connection, value) {
                    checker.user(connection, *user, true);
                }
            }
            CompiledExpression::Constant(_) => {}
            other => foreign_user(checker, place, other),
        }
        compiled
    })
}

fn foreign_user(checker: &mut Checker<'_>, place: Place, compiled: &CompiledExpression) {
    match compiled {
        CompiledExpression::Field(path) => {
            let home = checker.home(path.record).map(|(id, _)| id);
            if home != place.connection {
                checker.error("other_crm", "пользователь другой CRM здесь неизвестен; используйте «Найти или создать» или «Обновить» с таблицей соответствия");
            }
        }
        CompiledExpression::FirstOf(list) => {
            for one in list {
                foreign_user(checker, place, one);
            }
        }
        CompiledExpression::Constant(Value::User(user)) => {
            if let Some(connection) = place.connection {
                checker.user(connection, *user, true);
            }
        }
        _ => {}
    }
}

/// A tag by constant, template or field.
pub(super) fn tag(checker: &mut Checker<'_>, source: &Expression) -> CompiledExpression {
    if matches!(source, Expression::Constant(value) if value.is_empty()) {
        checker.error("empty_text", "тег пуст; напишите его");
        return CompiledExpression::Broken;
    }
    let (compiled, shape) = expression(checker, source);
    let suits = shape.is_none_or(|shape| {
        matches!(
            shape.field_type,
            FieldType::Text | FieldType::Select | FieldType::MultiSelect | FieldType::Tags
        )
    });
    if !suits {
        checker.error(
            "type_mismatch",
            "тегом может быть текст или вариант списка; выберите другое поле или шаблон",
        );
    }
    compiled
}

/// The call of the event itself; an error when no event of the rule has a call.
pub(super) fn call_default(
    checker: &mut Checker<'_>,
    rule: &Rule,
    member: &str,
    field: SystemField,
) -> Option<CompiledExpression> {
    let has_call = rule
        .triggers
        .iter()
        .any(|trigger| known_records(trigger.kind).contains(&RecordKind::Call));
    if !has_call {
        if field == SystemField::Phone {
            checker.at(member, |checker| {
                checker.error(
                    "no_call",
                    "у этих событий нет звонка; укажите телефон, длительность и результат",
                );
            });
        }
        return None;
    }
    let path = FieldPath::now(RecordKind::Call, field);
    checker.read(path);
    // The rest of the call travels with it.
    for more in [SystemField::Direction, SystemField::At] {
        checker.read(FieldPath::now(RecordKind::Call, more));
    }
    Some(CompiledExpression::Field(path))
}

pub(super) fn webhook(checker: &mut Checker<'_>, url: &str, body: &[(String, Expression)]) -> Work {
    let sound = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = sound
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    if host.is_empty() || url.len() > 2_000 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        checker.at("url", |checker| {
            checker.error(
                "wrong_url",
                "адрес должен начинаться с https:// и не содержать пробелов; исправьте его",
            )
        });
    } else if url.starts_with("http://") {
        checker.at("url", |checker| {
            checker.warn("plain_http", "адрес без шифрования; лучше https://")
        });
    }
    let compiled = checker.at("body", |checker| {
        body.iter()
            .enumerate()
            .map(|(at, (name, source))| {
                checker.at(at, |checker| {
                    if name.trim().is_empty() {
                        checker.at(0, |checker| {
                            checker.error("no_name", "у поля тела нет названия; напишите его")
                        });
                    } else if body[..at].iter().any(|(other, _)| other == name) {
                        checker.at(0, |checker| {
                            checker.error(
                                "duplicate_name",
                                "поле тела с таким названием уже есть; переименуйте",
                            )
                        });
                    }
                    (
                        name.clone(),
                        checker.at(1, |checker| expression(checker, source)).0,
                    )
                })
            })
            .collect()
    });
    Work::SendWebhook {
        url: url.to_owned(),
        body: compiled,
    }
}
