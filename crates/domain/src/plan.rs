//! From the actions of a matched rule to commands: expressions evaluated, values brought into the form their
//! target takes. What cannot be filled is left out and told in a note; nothing is guessed.

mod convert;
mod target;
#[cfg(test)]
mod tests;
mod values;

use crate::check::value;
use crate::command::{
    Command, FieldWrite, NewCall, NewCallResult, NewPayment, NewTask, Operation, Upsert, WriteMode,
};
use crate::compile::{CompiledAction, CompiledExpression, CompiledLine, CompiledRule, Work};
use crate::evaluate::{Facts, Note};
use crate::field::{FieldPath, SystemField};
use crate::mapping::IfEmpty;
use crate::record::RecordKind;
use crate::value::Value;
use rust_decimal::prelude::ToPrimitive;

/// Plans the actions of a rule that matched.
pub(crate) fn plan(rule: &CompiledRule, facts: &Facts) -> (Vec<Command>, Vec<Note>) {
    let mut planner = Planner {
        rule,
        facts,
        notes: Vec::new(),
        action: 0,
    };
    let mut commands = Vec::new();
    for action in &rule.actions {
        planner.action = action.index;
        if let Work::Stop { reason } = &action.work {
            let reason = if reason.is_empty() {
                "так решено в правиле"
            } else {
                reason
            };
            planner.note(format!("Правило остановлено: {reason}"));
            break;
        }
        if let Some(operation) = planner.operation(action) {
            commands.push(Command {
                action: action.index,
                connection: action.connection,
                operation,
            });
        }
    }
    (commands, planner.notes)
}

/// The state of one planning.
struct Planner<'a> {
    rule: &'a CompiledRule,
    facts: &'a Facts,
    notes: Vec<Note>,
    action: usize,
}

impl<'a> Planner<'a> {
    fn note(&mut self, text: String) {
        self.notes.push(Note {
            action: self.action,
            text,
        });
    }

    /// What one action comes to; `None` when it is left out, with a note.
    fn operation(&mut self, action: &'a CompiledAction) -> Option<Operation> {
        Some(match &action.work {
            Work::Upsert {
                kind,
                search,
                lines,
                stage,
                responsible,
                tags,
            } => {
                let mut upsert = Upsert {
                    kind: *kind,
                    search: search.clone(),
                    stage: *stage,
                    responsible: *responsible,
                    tags: tags.clone(),
                    fields: Vec::new(),
                    contact: Vec::new(),
                };
                for (line, write) in self.lines(lines)? {
                    add_to_upsert(&mut upsert, line, write);
                }
                Operation::Upsert(upsert)
            }
            Work::Update { target, kind, lines } => {
                let fields: Vec<FieldWrite> =
                    self.lines(lines)?.into_iter().map(|(_, write)| write).collect();
                if fields.is_empty() {
                    self.note("Записывать нечего: все значения пусты".to_owned());
                    return None;
                }
                let is_main = matches!(kind, RecordKind::Deal | RecordKind::Lead);
                match (&fields[..], is_main) {
                    // A stage or user found by a table: a move of its own.
                    (
                        [
                            FieldWrite {
                                value: Value::Stage(stage),
                                ..
                            },
                        ],
                        true,
                    ) => Operation::Move {
                        target: *target,
                        stage: *stage,
                        loss_reason: None,
                    },
                    (
                        [
                            FieldWrite {
                                value: Value::User(user),
                                key,
                                ..
                            },
                        ],
                        true,
                    ) if *key == SystemField::Responsible.into() => Operation::SetResponsible {
                        target: *target,
                        user: *user,
                    },
                    _ => Operation::Update {
                        target: *target,
                        kind: *kind,
                        fields,
                    },
                }
            }
            Work::Move {
                target,
                stage,
                loss_reason,
            } => {
                self.must_have_stage(*target)?;
                Operation::Move {
                    target: *target,
                    stage: *stage,
                    loss_reason: *loss_reason,
                }
            }
            Work::SetResponsible { target, user } => match self.expression(user) {
                Some(Value::User(user)) => Operation::SetResponsible {
                    target: *target,
                    user,
                },
                _ => {
                    self.note("Ответственный не назначен: пользователь неизвестен".to_owned());
                    return None;
                }
            },
            Work::ChangeTags { target, add, remove } => {
                let (add, remove) = (self.tags(add), self.tags(remove));
                if add.is_empty() && remove.is_empty() {
                    self.note("Теги не изменены: все значения пусты".to_owned());
                    return None;
                }
                Operation::ChangeTags {
                    target: *target,
                    add,
                    remove,
                }
            }
            Work::AddNote { target, text } => Operation::AddNote {
                target: *target,
                text: self.needed(text, "Примечание не добавлено: текст пуст")?,
            },
            Work::AddTask {
                target,
                text,
                task_type,
                due_in_minutes,
                responsible,
            } => Operation::AddTask {
                target: *target,
                task: NewTask {
                    text: self.needed(text, "Задача не поставлена: текст пуст")?,
                    task_type: *task_type,
                    deadline: self.facts.now.plus_ms(due_in_minutes.saturating_mul(60_000)),
                    responsible: *responsible,
                },
            },
            Work::LogCall {
                target,
                phone,
                duration,
                recording,
                result,
            } => {
                let phone = phone.as_ref().and_then(|phone| self.text(phone));
                let Some(phone) = phone else {
                    self.note("Звонок не записан: телефон неизвестен".to_owned());
                    return None;
                };
                let call = NewCall {
                    phone: first_phone(&phone),
                    duration: duration.as_ref().and_then(|one| self.seconds(one)).unwrap_or(0),
                    recording: recording.as_ref().and_then(|one| self.text(one)),
                    result: result.as_ref().and_then(|one| self.text(one)),
                    incoming: self.is_incoming(),
                    unique: (self.facts.key.kind == RecordKind::Call).then(|| self.facts.key.id.0.clone()),
                    at: self.instant(FieldPath::now(RecordKind::Call, SystemField::At)),
                };
                Operation::LogCall {
                    target: *target,
                    call,
                }
            }
            Work::AddPayment {
                target,
                category,
                purpose,
                sum,
            } => {
                let Some(Value::Number(sum)) = self.expression(sum) else {
                    self.note("Оплата не добавлена: сумма неизвестна".to_owned());
                    return None;
                };
                Operation::AddPayment {
                    target: *target,
                    payment: NewPayment {
                        category: self.needed(category, "Оплата не добавлена: категория пуста")?,
                        purpose: self.needed(purpose, "Оплата не добавлена: назначение пусто")?,
                        sum,
                    },
                }
            }
            Work::StartCall { target } => Operation::StartCall { target: *target },
            Work::SaveCallResult {
                phone,
                result,
                comment,
            } => {
                let phone = self.needed(phone, "Результат звонка не сохранён: телефон неизвестен")?;
                let call = |field: SystemField| FieldPath::now(RecordKind::Call, field);
                Operation::SaveCallResult {
                    result: NewCallResult {
                        phone: first_phone(&phone),
                        result: self.needed(result, "Результат звонка не сохранён: результат неизвестен")?,
                        duration: match value(self.facts, call(SystemField::Duration)).as_deref() {
                            Some(Value::Number(seconds)) => seconds.to_u32(),
                            _ => None,
                        },
                        comment: comment.as_ref().and_then(|one| self.text(one)),
                        operator: self.known_text(call(SystemField::Operator)),
                        recording: self.known_text(call(SystemField::Recording)),
                        at: self.instant(call(SystemField::At)),
                    },
                }
            }
            Work::SendWebhook { url, body } => {
                let members = body.iter().map(|(name, one)| {
                    let value = self.expression(one);
                    (name.clone(), self.json(one, value))
                });
                Operation::SendWebhook {
                    url: url.clone(),
                    body: serde_json::Value::Object(members.collect()),
                }
            }
            Work::Notify { channel, to, text } => Operation::Notify {
                channel: *channel,
                to: to.clone(),
                text: self.needed(text, "Уведомление не отправлено: текст пуст")?,
            },
            Work::Stop { .. } => return None,
        })
    }

    /// The writes of a mapping; `None` when a required value is missing.
    fn lines(&mut self, lines: &'a [CompiledLine]) -> Option<Vec<(&'a CompiledLine, FieldWrite)>> {
        let mut out: Vec<(&CompiledLine, FieldWrite)> = Vec::with_capacity(lines.len());
        for line in lines {
            let name = &line.target.name;
            let write = |value, mode| FieldWrite {
                key: line.target.key,
                value,
                mode,
            };
            match self.line(line) {
                Ok(Some(value)) if !value.is_empty() => {
                    if line.mode == WriteMode::Replace {
                        out.retain(|(other, _)| {
                            (other.target.record, other.target.key) != (line.target.record, line.target.key)
                        });
                    }
                    out.push((line, write(value, line.mode)));
                }
                Ok(found) => match line.if_empty {
                    IfEmpty::Leave => {}
                    // What is not known must not be cleared: only what is known to be empty.
                    IfEmpty::Clear
                        if found.is_some() || matches!(line.from, CompiledExpression::Constant(_)) =>
                    {
                        out.push((line, write(Value::Empty, WriteMode::Replace)));
                    }
                    IfEmpty::Clear => {
                        self.note(format!("Поле «{name}» не очищено: исходное значение неизвестно"));
                    }
                    IfEmpty::Require => {
                        self.note(format!(
                            "Действие не выполнено: не заполнено обязательное поле «{name}»"
                        ));
                        return None;
                    }
                },
                Err(text) => {
                    if line.if_empty == IfEmpty::Require {
                        self.note(format!(
                            "Действие не выполнено: обязательное поле «{name}»: {text}"
                        ));
                        return None;
                    }
                    self.note(format!("Поле «{name}» оставлено как есть: {text}"));
                }
            }
        }
        Some(out)
    }
}

/// Stage, responsible and tags of a «find or create» are members of their own; everything else is a field of
/// the record or of its contact.
fn add_to_upsert(upsert: &mut Upsert, line: &CompiledLine, write: FieldWrite) {
    let is_main = matches!(line.target.record, RecordKind::Deal | RecordKind::Lead);
    if !is_main {
        upsert.contact.push(write);
        return;
    }
    match write.value {
        Value::Stage(stage) if line.is_system(SystemField::Stage) => upsert.stage = Some(stage),
        Value::User(user) if line.is_system(SystemField::Responsible) => upsert.responsible = Some(user),
        Value::Choices(list) if line.is_system(SystemField::Tags) => {
            for choice in list {
                if !upsert.tags.iter().any(|other| other.same(&choice)) {
                    upsert.tags.push(choice);
                }
            }
        }
        value => upsert.fields.push(FieldWrite { value, ..write }),
    }
}

/// The first number of a text in international form; the text itself when it holds none.
fn first_phone(text: &str) -> String {
    crate::phone::parse_all(text)
        .next()
        .map_or_else(|| text.trim().to_owned(), |phone| phone.e164())
}
