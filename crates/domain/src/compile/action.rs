//! The ТО half.

mod parts;
mod place;

use super::MAX_ACTIONS;
use super::checker::Checker;
use super::expression::{CompiledExpression, text, typed};
use super::mapping::{CompiledLine, mapping};
use crate::action::{Action, ActionCard};
use crate::command::{NotifyChannel, Search, Target};
use crate::connection::ConnectorKind;
use crate::field::{FieldKey, FieldType, SystemField};
use crate::id::ConnectionId;
use crate::mapping::Expression;
use crate::mapping::MappingLine;
use crate::record::RecordKind;
use crate::rule::Rule;
use crate::value::{Choice, Stage};
use parts::{
    call_default, has_stage, loss, only, optional_stage, optional_user, responsible, tag, task_kind, upsert,
    webhook,
};
use place::place;

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
            // Stage and responsible of a deal or lead are moves of their own in both CRMs.
            let is_move = |line: &MappingLine| {
                matches!(line.record, RecordKind::Deal | RecordKind::Lead)
                    && matches!(
                        line.field,
                        FieldKey::System(SystemField::Stage | SystemField::Responsible)
                    )
            };
            for (at, line) in lines.iter().enumerate() {
                if is_move(line) && lines.len() > 1 {
                    checker.at(format_args!("mapping/{at}/field"), |checker| {
                        checker.error(
                            "not_alone",
                            "этап и ответственного меняет отдельное действие; оставьте в нём одну эту строку",
                        );
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

impl CompiledLine {
    /// The line fills the field of the record that actions of their own fill too.
    pub(crate) fn is_system(&self, field: SystemField) -> bool {
        self.target.key == FieldKey::System(field)
    }
}
