//! Evaluating expressions.

use super::{Planner, convert, target};
use crate::check::value;
use crate::command::Target;
use crate::compile::{CompiledExpression, CompiledLine};
use crate::field::{FieldPath, SystemField};
use crate::record::RecordKind;
use crate::template::Sources;
use crate::text::same_name;
use crate::value::{Choice, Value};
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;

impl Planner<'_> {
    /// The value for a field; `None` when nothing is known, an error when it cannot be brought into shape.
    pub(super) fn line(&mut self, line: &CompiledLine) -> Result<Option<Value>, String> {
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
    pub(super) fn expression(&mut self, expression: &CompiledExpression) -> Option<Value> {
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
    pub(super) fn text(&mut self, expression: &CompiledExpression) -> Option<String> {
        let value = self.expression(expression)?;
        let path = match expression {
            CompiledExpression::Field(path) => Some(*path),
            _ => None,
        };
        let text = self.rule.scope().value_text(path, &value, &self.facts.zone);
        (!text.trim().is_empty()).then_some(text)
    }

    /// A text without which the action is left out.
    pub(super) fn needed(&mut self, expression: &CompiledExpression, otherwise: &str) -> Option<String> {
        let text = self.text(expression);
        if text.is_none() {
            self.note(otherwise.to_owned());
        }
        text
    }

    pub(super) fn seconds(&mut self, expression: &CompiledExpression) -> Option<u32> {
        match self.expression(expression)? {
            Value::Number(seconds) => seconds.to_u32(),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn known_text(&self, path: FieldPath) -> Option<String> {
        let value = value(self.facts, path)?;
        let text = self.rule.scope().value_text(Some(path), &value, &self.facts.zone);
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn instant(&self, path: FieldPath) -> Option<crate::time::Timestamp> {
        match value(self.facts, path).as_deref() {
            Some(Value::Instant(at)) => Some(*at),
            _ => None,
        }
    }

    /// The call came in, unless the event says it went out.
    pub(super) fn is_incoming(&self) -> bool {
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

    pub(super) fn tags(&mut self, list: &[CompiledExpression]) -> Vec<Choice> {
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
    pub(super) fn must_have_stage(&mut self, target: Target) -> Option<()> {
        let kind = self.facts.key.kind;
        if target == Target::Trigger && matches!(kind, RecordKind::Contact | RecordKind::Company) {
            self.note(format!("Этап не изменён: у записи «{}» нет этапов", kind.title()));
            return None;
        }
        Some(())
    }

    /// A value as a member of a JSON body: numbers and flags as such, instants in seconds, the rest in words.
    pub(super) fn json(&self, expression: &CompiledExpression, value: Option<Value>) -> serde_json::Value {
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
