//! Operands of dates.

use super::{OperandProblem, cmp_of, problem, value_title};
use crate::calendar::MAX_SPAN;
use crate::check::number::Cmp;
use crate::check::time::{Bound, TimeCheck};
use crate::condition::{Operand, Operator, Span, SpanUnit};
use crate::field::FieldType;
use crate::types::{OperandShape, OperatorUse};
use crate::value::Value;

/// Makes a comparison of moments or days.
pub(super) fn time(
    field_type: FieldType,
    entry: &OperatorUse,
    with: &Operand,
) -> Result<TimeCheck, OperandProblem> {
    let bound = |value: &Value| match value {
        Value::Instant(at) if field_type == FieldType::DateTime => Ok(Bound::At(*at)),
        Value::Day(day) if day.date().is_some() => Ok(Bound::On(*day)),
        Value::Day(_) => problem("operand_type", "такого дня нет в календаре; проверьте дату"),
        Value::Empty => problem("operand_missing", "не указана дата; заполните её"),
        Value::Instant(_) => problem(
            "operand_type",
            "поле хранит только день; укажите день без времени",
        ),
        other => problem(
            "operand_type",
            format!(
                "дату нельзя сравнить со значением типа «{}»; укажите дату",
                value_title(other)
            ),
        ),
    };
    Ok(match (entry.operand, with) {
        (OperandShape::None, Operand::None) => TimeCheck::WorkingTime,
        (OperandShape::Moment, with) => {
            let bound = match with {
                Operand::Value(value) => bound(value)?,
                Operand::Day(day) => bound(&Value::Day(*day))?,
                Operand::Moved(moved) => {
                    span(moved.by, i64::MIN)?;
                    Bound::Moved(*moved)
                }
                Operand::None => return problem("operand_missing", "не указана дата; заполните её"),
                _ => return problem("operand_shape", "здесь нужна дата или «сейчас плюс-минус срок»"),
            };
            TimeCheck::Order(cmp_of(entry.operator).unwrap_or(Cmp::Equal), bound)
        }
        (OperandShape::Period, Operand::Between(from, to)) => TimeCheck::Between(bound(from)?, bound(to)?),
        (OperandShape::Period, _) => return problem("operand_shape", "здесь нужны две даты: от и до"),
        (OperandShape::Span, Operand::Span(by)) => {
            let by = span(*by, 1)?;
            match entry.operator {
                Operator::OlderThan => TimeCheck::OlderThan(by),
                Operator::WithinLast => TimeCheck::WithinLast(by),
                _ => TimeCheck::WithinNext(by),
            }
        }
        (OperandShape::Span, _) => return problem("operand_shape", "здесь нужен срок: сколько и чего"),
        (OperandShape::Weekdays, Operand::Weekdays(days)) => {
            if days.is_empty() {
                return problem("operand_missing", "не выбран ни один день недели");
            }
            if days.iter().any(|day| !(1..=7).contains(day)) {
                return problem(
                    "operand_type",
                    "дни недели — от 1 (понедельник) до 7 (воскресенье)",
                );
            }
            TimeCheck::Weekday(days.iter().fold(0, |set, day| set | 1 << day))
        }
        (OperandShape::Weekdays, _) => return problem("operand_shape", "выберите дни недели"),
        (OperandShape::TimeOfDay, Operand::TimeOfDay(from, to)) => {
            if *from >= 24 * 60 || *to > 24 * 60 {
                return problem("operand_type", "время суток — от 00:00 до 24:00");
            }
            TimeCheck::TimeOfDay(*from, *to)
        }
        (OperandShape::TimeOfDay, _) => return problem("operand_shape", "здесь нужно время суток: от и до"),
        _ => return problem("operand_shape", "этому оператору значение не нужно; уберите его"),
    })
}

/// A span that leads somewhere.
fn span(by: Span, min: i64) -> Result<Span, OperandProblem> {
    let most = match by.unit {
        SpanUnit::Minutes => MAX_SPAN * 24 * 60,
        SpanUnit::Hours => MAX_SPAN * 24,
        SpanUnit::Days => MAX_SPAN,
        SpanUnit::Weeks => MAX_SPAN / 7,
        SpanUnit::WorkingDays => 2_500,
    };
    if by.n < min {
        return problem("operand_limit", "срок должен быть больше нуля");
    }
    if by.n > most || by.n < -most {
        return problem("operand_limit", format!("срок слишком большой; не больше {most}"));
    }
    Ok(by)
}
