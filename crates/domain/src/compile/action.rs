//! The ТО half.

use super::checker::Checker;
use super::expression::{CompiledExpression, CompiledLine, expression, mapping, text, typed};
use super::{MAX_ACTIONS, Thing, known_records};
use crate::action::{Action, ActionCard};
use crate::catalogue::StageKind;
use crate::command::{IfNone, MatchBy, NotifyChannel, Pick, Search, Target};
use crate::connection::ConnectorKind;
use crate::event::EventKind;
use crate::field::{FieldKey, FieldPath, FieldType, SystemField};
use crate::id::ConnectionId;
use crate::mapping::Expression;
use crate::record::RecordKind;
use crate::rule::Rule;
use crate::value::{Choice, Stage, Value};

/// A card that is switched on, ready to be planned.
#[derive(Clone, Debug)]
pub(crate) struct CompiledAction {
    /// Place in the document.
    pub(crate) index: usize,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) work: Work,
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Upsert {
        kind: RecordKind,
        search: Search,
        lines: Vec<CompiledLine>,
        stage: Option<Stage>,
        responsible: Option<i64>,
        tags: Vec<Choice>,
    },
    Update {
        target: Target,
        kind: RecordKind,
        lines: Vec<CompiledLine>,
    },
    Move {
        target: Target,
        stage: Stage,
        loss_reason: Option<i64>,
    },
    SetResponsible {
        target: Target,
        user: CompiledExpression,
    },
    ChangeTags {
        target: Target,
        add: Vec<CompiledExpression>,
        remove: Vec<CompiledExpression>,
    },
    AddNote {
        target: Target,
        text: CompiledExpression,
    },
    AddTask {
        target: Target,
        text: CompiledExpression,
        task_type: Option<i64>,
        due_in_minutes: i64,
        responsible: Option<i64>,
    },
    LogCall {
        target: Target,
        phone: Option<CompiledExpression>,
        duration: Option<CompiledExpression>,
        recording: Option<CompiledExpression>,
        result: Option<CompiledExpression>,
    },
    AddPayment {
        target: Target,
        category: CompiledExpression,
        purpose: CompiledExpression,
        sum: CompiledExpression,
    },
    StartCall {
        target: Target,
    },
    SaveCallResult {
        phone: CompiledExpression,
        result: CompiledExpression,
        comment: Option<CompiledExpression>,
    },
    SendWebhook {
        url: String,
        body: Vec<(String, CompiledExpression)>,
    },
    Notify {
        channel: NotifyChannel,
        to: String,
        text: CompiledExpression,
    },
    Stop {
        reason: String,
    },
}

/// Compiles the cards; switched off ones are looked at and left out.
pub(super) fn compile(checker: &mut Checker<'_>, rule: &Rule) -> Vec<CompiledAction> {
    checker.at("actions", |checker| {
        if rule.actions.len() > MAX_ACTIONS {
            checker.error(
                "too_many_actions",
                format!("действий больше {MAX_ACTIONS}; разделите правило"),
            );
        }
        if !rule.actions.iter().any(|card| card.enabled) {
            checker.error(
                "no_actions",
                "не включено ни одного действия; добавьте или включите действие",
            );
        }
        let mut stopped = false;
        let mut out = Vec::new();
        for (index, card) in rule.actions.iter().enumerate().take(MAX_ACTIONS) {
            checker.at(index, |checker| {
                if stopped && card.enabled {
                    checker.warn(
                        "after_stop",
                        "это действие стоит после «Остановиться» и не выполнится; переставьте его",
                    );
                }
                checker.soft = !card.enabled;
                // What a switched off card looks at need not be known.
                let before = (!card.enabled).then(|| checker.reads.clone());
                let (connection, work) = card_checked(checker, rule, card);
                checker.soft = false;
                match before {
                    Some(before) => checker.reads = before,
                    None => {
                        stopped |= matches!(work, Work::Stop { .. });
                        out.push(CompiledAction {
                            index,
                            connection,
                            work,
                        });
                    }
                }
            });
        }
        out
    })
}

/// Where an action works.
#[derive(Clone, Copy)]
struct Place {
    connection: Option<ConnectionId>,
    kind: Option<ConnectorKind>,
}

fn card_checked(checker: &mut Checker<'_>, rule: &Rule, card: &ActionCard) -> (Option<ConnectionId>, Work) {
    let place = place(checker, rule, card);
    let work = match &card.action {
        Action::Upsert {
            kind,
            order,
            pick,
            if_none,
            if_found,
            mapping: lines,
            stage,
            responsible,
            tags,
        } => {
            let records: &[RecordKind] = match kind {
                RecordKind::Lead => &[RecordKind::Lead, RecordKind::LeadContact],
                _ => &[RecordKind::Deal, RecordKind::Contact],
            };
            let lines = mapping(checker, lines, place.connection, records);
            let search = Search {
                order: order.clone(),
                pick: *pick,
                if_none: *if_none,
                if_found: *if_found,
            };
            upsert(checker, place, &search, &lines);
            optional_stage(checker, place, *stage);
            optional_user(checker, place, *responsible);
            if !tags.is_empty() {
                checker.at("tags", |checker| {
                    only(checker, place, ConnectorKind::Amocrm, "теги")
                });
            }
            let tags = tags.clone();
            Work::Upsert {
                kind: *kind,
                search,
                lines,
                stage: *stage,
                responsible: *responsible,
                tags,
            }
        }
        Action::Update {
            target,
            mapping: lines,
        } => {
            let records: &[RecordKind] = match place.kind {
                Some(ConnectorKind::Lptracker) => &[RecordKind::Lead, RecordKind::LeadContact],
                _ => &[RecordKind::Deal, RecordKind::Contact, RecordKind::Company],
            };
            if lines.is_empty() {
                checker.at("mapping", |checker| {
                    checker.error(
                        "no_mapping",
                        "не указано, какие поля записать; добавьте хотя бы одну строку",
                    );
                });
            }
            let kind = lines.first().map_or(records[0], |line| line.record);
            if lines.iter().any(|line| line.record != kind) {
                checker.at("mapping", |checker| {
                    checker.error(
                        "mixed_records",
                        "строки пишут в разные записи; разделите их на два действия",
                    );
                });
            }
            let compiled = mapping(checker, lines, place.connection, records);
            for (at, line) in lines.iter().enumerate() {
                if line.field == FieldKey::System(SystemField::Stage) {
                    checker.at(format_args!("mapping/{at}/field"), |checker| {
                        checker.error("use_move", "этап меняет действие «Перевести на этап» или «Найти или создать»; перенесите эту строку туда");
                    });
                }
            }
            Work::Update {
                target: *target,
                kind,
                lines: compiled,
            }
        }
        Action::Move {
            target,
            stage,
            loss_reason,
        } => {
            has_stage(checker, rule, *target);
            optional_stage(checker, place, Some(*stage));
            loss(checker, place, *stage, *loss_reason);
            Work::Move {
                target: *target,
                stage: *stage,
                loss_reason: *loss_reason,
            }
        }
        Action::SetResponsible { target, user } => Work::SetResponsible {
            target: *target,
            user: responsible(checker, place, user),
        },
        Action::ChangeTags { target, add, remove } => {
            only(checker, place, ConnectorKind::Amocrm, "теги");
            if add.is_empty() && remove.is_empty() {
                checker.error("no_tags", "не указано ни одного тега; добавьте хотя бы один");
            }
            let mut list = |member: &str, list: &[Expression]| -> Vec<CompiledExpression> {
                checker.at(member, |checker| {
                    list.iter()
                        .enumerate()
                        .map(|(at, one)| checker.at(at, |checker| tag(checker, one)))
                        .collect()
                })
            };
            let (add, remove) = (list("add", add), list("remove", remove));
            Work::ChangeTags {
                target: *target,
                add,
                remove,
            }
        }
        Action::AddNote { target, text: source } => Work::AddNote {
            target: *target,
            text: checker.at("text", |checker| text(checker, source)),
        },
        Action::AddTask {
            target,
            text: source,
            task_type,
            due_in_minutes,
            responsible,
        } => {
            only(checker, place, ConnectorKind::Amocrm, "задачи");
            let text = checker.at("text", |checker| text(checker, source));
            if !(0..=366 * 24 * 60).contains(due_in_minutes) {
                checker.at("due_in_minutes", |checker| {
                    checker.error("due_limit", "срок задачи — от 0 минут до года; исправьте его");
                });
            }
            task_kind(checker, place, *task_type);
            optional_user(checker, place, *responsible);
            Work::AddTask {
                target: *target,
                text,
                task_type: *task_type,
                due_in_minutes: *due_in_minutes,
                responsible: *responsible,
            }
        }
        Action::LogCall {
            target,
            phone,
            duration,
            recording,
            result,
        } => {
            only(checker, place, ConnectorKind::Amocrm, "запись звонка");
            let part = |checker: &mut Checker<'_>, member, source: &Option<Expression>, field| match source {
                Some(source) => Some(checker.at(member, |checker| text(checker, source))),
                None => call_default(checker, rule, member, field),
            };
            Work::LogCall {
                target: *target,
                phone: part(checker, "phone", phone, SystemField::Phone),
                duration: part(checker, "duration", duration, SystemField::Duration),
                recording: part(checker, "recording", recording, SystemField::Recording),
                result: part(checker, "result", result, SystemField::Result),
            }
        }
        Action::AddPayment {
            target,
            category,
            purpose,
            sum,
        } => {
            only(checker, place, ConnectorKind::Lptracker, "оплаты");
            Work::AddPayment {
                target: *target,
                category: checker.at("category", |checker| text(checker, category)),
                purpose: checker.at("purpose", |checker| text(checker, purpose)),
                sum: checker.at("sum", |checker| {
                    typed(checker, sum, &[FieldType::Number, FieldType::Money], "число")
                }),
            }
        }
        Action::StartCall { target } => {
            only(checker, place, ConnectorKind::Lptracker, "звонки");
            if card.enabled {
                checker.warn(
                    "starts_call",
                    "правило будет само звонить клиентам; убедитесь, что условие отбирает только нужных",
                );
            }
            Work::StartCall { target: *target }
        }
        Action::SaveCallResult {
            phone,
            result,
            comment,
        } => Work::SaveCallResult {
            phone: checker.at("phone", |checker| text(checker, phone)),
            result: checker.at("result", |checker| text(checker, result)),
            comment: comment
                .as_ref()
                .map(|one| checker.at("comment", |checker| text(checker, one))),
        },
        Action::SendWebhook { url, body } => webhook(checker, url, body),
        Action::Notify {
            channel,
            to,
            text: source,
        } => {
            if *channel == NotifyChannel::Email && !to.trim().is_empty() && !to.contains('@') {
                checker.at("to", |checker| {
                    checker.error(
                        "wrong_address",
                        "это не адрес почты; исправьте его или оставьте пустым",
                    )
                });
            }
            let text = checker.at("text", |checker| text(checker, source));
            Work::Notify {
                channel: *channel,
                to: to.trim().to_owned(),
                text,
            }
        }
        Action::Stop { reason } => Work::Stop {
            reason: reason.clone(),
        },
    };
    (place.connection, work)
}

/// The connection an action works on: the source for «эта запись», the other one for «связанная».
fn place(checker: &mut Checker<'_>, rule: &Rule, card: &ActionCard) -> Place {
    let source = checker.scope.source();
    let wanted = match &card.action {
        Action::Upsert {
            kind: RecordKind::Deal,
            ..
        } => Some(ConnectorKind::Amocrm),
        Action::Upsert {
            kind: RecordKind::Lead,
            ..
        } => Some(ConnectorKind::Lptracker),
        Action::Upsert { .. } => {
            checker.at("kind", |checker| {
                checker.error(
                    "wrong_record",
                    "найти или создать можно сделку или лид; выберите одно из двух",
                );
            });
            None
        }
        action => match target_of(action) {
            None => {
                return Place {
                    connection: None,
                    kind: None,
                };
            }
            Some(Target::Trigger) => {
                if card
                    .connection
                    .is_some_and(|connection| connection != rule.source)
                {
                    checker.at("connection", |checker| {
                        checker.error("target_connection", "сама запись события живёт в подключении-источнике; выберите его или «связанную запись»");
                    });
                }
                if source.is_some() {
                    checker.refer(rule.source, Thing::Connection);
                }
                return Place {
                    connection: source.map(|_| rule.source),
                    kind: source,
                };
            }
            Some(Target::Linked) => source.map(|kind| match kind {
                ConnectorKind::Amocrm => ConnectorKind::Lptracker,
                ConnectorKind::Lptracker => ConnectorKind::Amocrm,
            }),
        },
    };
    let Some(wanted) = wanted else {
        return Place {
            connection: None,
            kind: None,
        };
    };
    let none = Place {
        connection: None,
        kind: Some(wanted),
    };
    let Some(connection) = card
        .connection
        .or_else(|| checker.scope.side(wanted).map(|(id, _)| id))
    else {
        checker.at("connection", |checker| {
            checker.error(
                "no_connection",
                format!(
                    "не выбрано подключение {}; выберите его или подключите на странице «Подключения»",
                    wanted.title()
                ),
            );
        });
        return none;
    };
    checker.at("connection", |checker| {
        checker.refer(connection, Thing::Connection);
        match checker.catalogues.get(connection).map(|one| one.kind) {
            None => {
                checker.error(
                    "gone_connection",
                    "этого подключения нет или его каталог ещё не загружен; выберите другое",
                );
                none
            }
            Some(kind) if kind != wanted => {
                checker.error(
                    "target_connection",
                    format!(
                        "действию нужно подключение {}, а выбрано {}; выберите другое",
                        wanted.title(),
                        kind.title()
                    ),
                );
                none
            }
            Some(kind) => Place {
                connection: Some(connection),
                kind: Some(kind),
            },
        }
    })
}

/// The target of an action that has one.
const fn target_of(action: &Action) -> Option<Target> {
    match action {
        Action::Update { target, .. }
        | Action::Move { target, .. }
        | Action::SetResponsible { target, .. }
        | Action::ChangeTags { target, .. }
        | Action::AddNote { target, .. }
        | Action::AddTask { target, .. }
        | Action::LogCall { target, .. }
        | Action::AddPayment { target, .. }
        | Action::StartCall { target } => Some(*target),
        Action::Upsert { .. }
        | Action::SaveCallResult { .. }
        | Action::SendWebhook { .. }
        | Action::Notify { .. }
        | Action::Stop { .. } => None,
    }
}

fn only(checker: &mut Checker<'_>, place: Place, kind: ConnectorKind, what: &str) {
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

fn optional_stage(checker: &mut Checker<'_>, place: Place, stage: Option<Stage>) {
    if let (Some(connection), Some(stage)) = (place.connection, stage) {
        checker.at("stage", |checker| checker.stage(connection, stage));
    }
}

fn optional_user(checker: &mut Checker<'_>, place: Place, user: Option<i64>) {
    if let (Some(connection), Some(user)) = (place.connection, user) {
        checker.at("responsible", |checker| checker.user(connection, user, true));
    }
}

fn task_kind(checker: &mut Checker<'_>, place: Place, id: Option<i64>) {
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

fn loss(checker: &mut Checker<'_>, place: Place, stage: Stage, reason: Option<i64>) {
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
fn has_stage(checker: &mut Checker<'_>, rule: &Rule, target: Target) {
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

fn upsert(checker: &mut Checker<'_>, place: Place, search: &Search, lines: &[CompiledLine]) {
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
fn responsible(checker: &mut Checker<'_>, place: Place, source: &Expression) -> CompiledExpression {
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
fn tag(checker: &mut Checker<'_>, source: &Expression) -> CompiledExpression {
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
fn call_default(
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

fn webhook(checker: &mut Checker<'_>, url: &str, body: &[(String, Expression)]) -> Work {
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

impl CompiledLine {
    /// The line fills the field of the record that actions of their own fill too.
    pub(crate) fn is_system(&self, field: SystemField) -> bool {
        self.target.key == FieldKey::System(field)
    }
}
