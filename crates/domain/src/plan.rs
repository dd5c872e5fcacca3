//! From the actions of a matched rule to commands: expressions evaluated, values brought into the form their
//! target takes. What cannot be filled is left out and told in a note; nothing is guessed.

mod convert;
mod target;
#[cfg(test)]
mod tests;

use crate::check::value;
use crate::command::{
    Command, FieldWrite, NewCall, NewCallResult, NewPayment, NewTask, Operation, Target, Upsert, WriteMode,
};
use crate::compile::{CompiledAction, CompiledExpression, CompiledLine, CompiledRule, Work};
use crate::evaluate::{Facts, Note};
use crate::field::{FieldPath, SystemField};
use crate::mapping::IfEmpty;
use crate::record::RecordKind;
use crate::template::Sources;
use crate::text::same_name;
use crate::value::{Choice, Value};
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;

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
                Operation::Update {
                    target: *target,
                    kind: *kind,
                    fields,
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

    /// The value for a field; `None` when nothing is known, an error when it cannot be brought into shape.
    fn line(&mut self, line: &CompiledLine) -> Result<Option<Value>, String> {
        if line.from == CompiledExpression::Broken {
            return Err("источник составлен с ошибкой".to_owned());
        }
        let mut value = self.expression(&line.from);
        let path = match &line.from {
            CompiledExpression::Field(path) => Some(*path),
            _ => None,
        };
        for conversion in &line.convert {
            value = convert::apply(conversion, value, path, self.rule.scope(), &self.facts.zone)?;
        }
        match value {
            None => Ok(None),
            Some(value) if value.is_empty() => Ok(Some(Value::Empty)),
            Some(value) => target::fit(value, path, &line.target, self.rule.scope(), self.facts).map(Some),
        }
    }

    /// The value of an expression; `None` when it is not known.
    fn expression(&mut self, expression: &CompiledExpression) -> Option<Value> {
        match expression {
            CompiledExpression::Field(path) => value(self.facts, *path).map(Cow::into_owned),
            CompiledExpression::Constant(value) => Some(value.clone()),
            CompiledExpression::Template(template) => {
                let facts = self.facts;
                let look = |path| value(facts, path);
                let from = Sources {
                    value: &look,
                    scope: self.rule.scope(),
                    now: facts.now,
                    zone: &facts.zone,
                };
                let rendered = template.render(&from);
                if rendered.is_cut {
                    self.note("Текст шаблона слишком длинный и обрезан".to_owned());
                }
                match (
                    rendered.is_blank && !template.is_constant(),
                    rendered.absent.is_empty(),
                ) {
                    (true, false) => None,
                    (true, true) => Some(Value::Empty),
                    (false, _) => Some(Value::text(rendered.text)),
                }
            }
            CompiledExpression::FirstOf(list) => {
                let mut known = None;
                for one in list {
                    match self.expression(one) {
                        Some(value) if !value.is_empty() => return Some(value),
                        Some(_) => known = Some(Value::Empty),
                        None => {}
                    }
                }
                known
            }
            CompiledExpression::Broken => None,
        }
    }

    /// An expression as text; `None` when blank or not known.
    fn text(&mut self, expression: &CompiledExpression) -> Option<String> {
        let value = self.expression(expression)?;
        let path = match expression {
            CompiledExpression::Field(path) => Some(*path),
            _ => None,
        };
        let text = self.rule.scope().value_text(path, &value, &self.facts.zone);
        (!text.trim().is_empty()).then_some(text)
    }

    /// A text without which the action is left out.
    fn needed(&mut self, expression: &CompiledExpression, otherwise: &str) -> Option<String> {
        let text = self.text(expression);
        if text.is_none() {
            self.note(otherwise.to_owned());
        }
        text
    }

    fn seconds(&mut self, expression: &CompiledExpression) -> Option<u32> {
        match self.expression(expression)? {
            Value::Number(seconds) => seconds.to_u32(),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn known_text(&self, path: FieldPath) -> Option<String> {
        let value = value(self.facts, path)?;
        let text = self.rule.scope().value_text(Some(path), &value, &self.facts.zone);
        (!text.is_empty()).then_some(text)
    }

    fn instant(&self, path: FieldPath) -> Option<crate::time::Timestamp> {
        match value(self.facts, path).as_deref() {
            Some(Value::Instant(at)) => Some(*at),
            _ => None,
        }
    }

    /// The call came in, unless the event says it went out.
    fn is_incoming(&self) -> bool {
        match value(
            self.facts,
            FieldPath::now(RecordKind::Call, SystemField::Direction),
        )
        .as_deref()
        {
            Some(Value::Choice(choice)) => same_name(&choice.name, "incoming"),
            Some(Value::Text(text)) => same_name(text, "incoming"),
            _ => false,
        }
    }

    fn tags(&mut self, list: &[CompiledExpression]) -> Vec<Choice> {
        let mut out: Vec<Choice> = Vec::new();
        for one in list {
            let found = match self.expression(one) {
                Some(Value::Choice(choice)) => vec![choice],
                Some(Value::Choices(list)) => list,
                Some(Value::Text(text)) => vec![Choice::named(text.trim())],
                Some(Value::Texts(list)) => list.into_iter().map(Choice::named).collect(),
                _ => Vec::new(),
            };
            for choice in found {
                let blank = choice.id.is_none() && choice.name.trim().is_empty();
                if !blank && !out.iter().any(|other| other.same(&choice)) {
                    out.push(choice);
                }
            }
        }
        out
    }

    /// Only deals and leads have stages; a call or a task stands for the one it belongs to.
    fn must_have_stage(&mut self, target: Target) -> Option<()> {
        let kind = self.facts.key.kind;
        if target == Target::Trigger && matches!(kind, RecordKind::Contact | RecordKind::Company) {
            self.note(format!("Этап не изменён: у записи «{}» нет этапов", kind.title()));
            return None;
        }
        Some(())
    }

    /// A value as a member of a JSON body: numbers and flags as such, instants in seconds, the rest in words.
    fn json(&self, expression: &CompiledExpression, value: Option<Value>) -> serde_json::Value {
        let path = match expression {
            CompiledExpression::Field(path) => Some(*path),
            _ => None,
        };
        match value {
            None | Some(Value::Empty) => serde_json::Value::Null,
            Some(Value::Number(number)) => match (number.is_integer(), number.to_i64(), number.to_f64()) {
                (true, Some(whole), _) => whole.into(),
                (_, _, Some(float)) => float.into(),
                _ => number.to_string().into(),
            },
            Some(Value::Flag(flag)) => flag.into(),
            Some(Value::Instant(at)) => at.secs().into(),
            Some(Value::Id(id)) => id.into(),
            Some(Value::Texts(list)) => list.into(),
            Some(Value::Choices(list)) => {
                let text = |choice| {
                    self.rule
                        .scope()
                        .value_text(path, &Value::Choice(choice), &self.facts.zone)
                };
                list.into_iter().map(text).collect::<Vec<_>>().into()
            }
            Some(Value::Json(json)) => json,
            Some(value) => self
                .rule
                .scope()
                .value_text(path, &value, &self.facts.zone)
                .into(),
        }
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
