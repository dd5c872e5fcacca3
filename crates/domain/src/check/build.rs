//! From operator and operand to a comparison. Nothing is converted: an operand of a wrong type is a problem.

mod phone;
mod time;

use super::choice::{ChoiceCheck, ChoiceOp};
use super::code::{CodeCheck, Wanted};
use super::fields::{FieldCheck, FieldOp};
use super::number::{Cmp, NumberCheck};
use super::text::{TextCheck, TextOp};
use super::{ChangeCheck, Check};
use crate::condition::{Alike, Operand, Operator};
use crate::field::FieldType;
use crate::text::{MAX_PATTERN, Pattern};
use crate::types::{OperandShape, OperatorUse, is_operand, operator_use, type_title};
use crate::value::{Choice, Stage, Value};
use phone::{country, phone_check};
use rust_decimal::Decimal;
use std::fmt::Display;
use time::time;

/// Why an operand does not do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OperandProblem {
    /// Stable word.
    pub(crate) code: &'static str,
    /// In Russian, with what to do.
    pub(crate) text: String,
}

fn problem<T>(code: &'static str, text: impl Display) -> Result<T, OperandProblem> {
    Err(OperandProblem {
        code,
        text: text.to_string(),
    })
}

/// The longest list on the right side.
pub(crate) const MAX_LIST: usize = 1000;
/// The longest text on the right side, in characters.
pub(crate) const MAX_TEXT: usize = 1000;

/// Makes a comparison. A field as operand is checked by the caller, who knows its type.
pub(crate) fn build(
    field_type: FieldType,
    operator: Operator,
    with: &Operand,
    alike: Alike,
) -> Result<Check, OperandProblem> {
    let Some(entry) = operator_use(field_type, operator) else {
        return problem(
            "operator_type",
            format!(
                "у поля типа «{}» нет оператора «{}»; выберите другой",
                type_title(field_type),
                operator.title()
            ),
        );
    };
    if let Operand::Field(other) = with {
        if !entry.other_field {
            return problem(
                "operand_shape",
                format!(
                    "«{}» нельзя сравнить с другим полем; укажите значение",
                    operator.title()
                ),
            );
        }
        let op = match operator {
            Operator::Contains => FieldOp::Contains { negate: false },
            Operator::NotContains => FieldOp::Contains { negate: true },
            operator => FieldOp::Order(cmp_of(operator).unwrap_or(Cmp::Equal)),
        };
        let phones = field_type == FieldType::Phone;
        return Ok(Check::Field(FieldCheck {
            op,
            other: *other,
            alike,
            phones,
        }));
    }
    match operator {
        Operator::IsEmpty => return none(with, Check::Presence(true)),
        Operator::IsNotEmpty => return none(with, Check::Presence(false)),
        Operator::IsTrue => return none(with, Check::Flag(true)),
        Operator::IsFalse => return none(with, Check::Flag(false)),
        Operator::ExistsInOther => return none(with, Check::Other(true)),
        Operator::NotInOther => return none(with, Check::Other(false)),
        Operator::Changed => return none(with, Check::Change(Box::new(ChangeCheck::Changed))),
        Operator::BecameEmpty => return none(with, Check::Change(Box::new(ChangeCheck::BecameEmpty))),
        Operator::ChangedFrom => {
            let check = is_one_of(field_type, with, alike)?;
            return Ok(Check::Change(Box::new(ChangeCheck::From(check))));
        }
        Operator::ChangedTo => {
            let check = is_one_of(field_type, with, alike)?;
            return Ok(Check::Change(Box::new(ChangeCheck::To(check))));
        }
        _ => {}
    }
    match field_type {
        FieldType::DateTime | FieldType::Date => time(field_type, entry, with).map(Check::Time),
        _ => {
            let values = values(field_type, entry, with)?;
            of_values(field_type, operator, &values, alike)
        }
    }
}

fn none(with: &Operand, check: Check) -> Result<Check, OperandProblem> {
    match with {
        Operand::None => Ok(check),
        _ => problem("operand_shape", "этому оператору значение не нужно; уберите его"),
    }
}

/// «Изменилось на»: the comparison of the value itself.
fn is_one_of(field_type: FieldType, with: &Operand, alike: Alike) -> Result<Check, OperandProblem> {
    let many = OperatorUse {
        operator: Operator::In,
        operand: OperandShape::OneOrMany,
        other_field: false,
    };
    let list = values(field_type, &many, with)?;
    if let (FieldType::Flag, [Value::Flag(flag), ..]) = (field_type, &list[..]) {
        return Ok(Check::Flag(*flag));
    }
    of_values(field_type, Operator::In, &list, alike)
}

/// The values on the right side, checked for number and type.
fn values<'v>(
    field_type: FieldType,
    entry: &OperatorUse,
    with: &'v Operand,
) -> Result<Vec<&'v Value>, OperandProblem> {
    let list: Vec<&Value> = match (entry.operand, with) {
        (OperandShape::Value | OperandShape::Pattern, Operand::Value(value)) => vec![value],
        (OperandShape::OneOrMany | OperandShape::Country, Operand::Value(value)) => vec![value],
        (OperandShape::List | OperandShape::OneOrMany | OperandShape::Country, Operand::Values(list)) => {
            list.iter().collect()
        }
        (OperandShape::List, Operand::Value(Value::Choices(list))) if list.is_empty() => Vec::new(),
        (OperandShape::Between, Operand::Between(from, to)) => vec![from, to],
        (_, Operand::None) => {
            return problem(
                "operand_missing",
                "не указано, с чем сравнивать; заполните значение",
            );
        }
        (shape, _) => {
            return problem(
                "operand_shape",
                match shape {
                    OperandShape::List => "здесь нужен список значений",
                    OperandShape::Between => "здесь нужны два значения: от и до",
                    OperandShape::Value | OperandShape::Pattern => "здесь нужно одно значение",
                    _ => "это значение не подходит к оператору; выберите его заново",
                },
            );
        }
    };
    if list.is_empty() {
        return problem("operand_missing", "список пуст; добавьте хотя бы одно значение");
    }
    if list.len() > MAX_LIST {
        return problem(
            "operand_limit",
            format!("в списке больше {MAX_LIST} значений; разбейте условие на части"),
        );
    }
    let wanted = if matches!(entry.operand, OperandShape::Country) {
        FieldType::Text
    } else {
        field_type
    };
    for value in &list {
        if value.is_empty() {
            return problem(
                "operand_missing",
                "значение пустое; для проверки на пустоту есть операторы «пусто» и «не пусто»",
            );
        }
        if !is_operand(wanted, value) {
            return problem(
                "operand_type",
                format!(
                    "поле типа «{}» нельзя сравнить со значением типа «{}»; укажите значение заново",
                    type_title(field_type),
                    value_title(value)
                ),
            );
        }
        if let Value::Text(text) = value
            && text.chars().count() > MAX_TEXT
        {
            return problem(
                "operand_limit",
                format!("текст длиннее {MAX_TEXT} знаков; сократите его"),
            );
        }
    }
    Ok(list)
}

/// Russian name of a value's type.
pub(crate) fn value_title(value: &Value) -> &'static str {
    crate::types::shape_of_value(value).map_or("пусто", |shape| type_title(shape.field_type))
}

fn of_values(
    field_type: FieldType,
    operator: Operator,
    list: &[&Value],
    alike: Alike,
) -> Result<Check, OperandProblem> {
    let negate = matches!(
        operator,
        Operator::NotEquals | Operator::NotIn | Operator::NotContains
    );
    let texts = || list.iter().filter_map(|value| as_text(value));
    match field_type {
        FieldType::Phone if alike.phone => phone_check(operator, negate, &texts().collect::<Vec<_>>()),
        FieldType::Text | FieldType::Email | FieldType::Phone => {
            let op = match operator {
                Operator::Contains | Operator::NotContains => TextOp::Contains,
                Operator::StartsWith => TextOp::StartsWith,
                Operator::EndsWith => TextOp::EndsWith,
                Operator::Matches => {
                    let Some(pattern) = texts().next().and_then(|text| Pattern::new(text, alike)) else {
                        return problem(
                            "operand_limit",
                            format!("шаблон длиннее {MAX_PATTERN} знаков; сократите его"),
                        );
                    };
                    TextOp::Matches(pattern)
                }
                Operator::Country => return country(&texts().collect::<Vec<_>>()),
                _ => TextOp::Equals,
            };
            Ok(Check::Text(TextCheck::new(op, negate, texts(), alike)))
        }
        FieldType::Number | FieldType::Money => {
            let numbers: Box<[Decimal]> = list
                .iter()
                .filter_map(|value| {
                    if let Value::Number(n) = value {
                        Some(*n)
                    } else {
                        None
                    }
                })
                .collect();
            Ok(Check::Number(match (operator, &*numbers) {
                (Operator::Between, [from, to]) if from > to => {
                    return problem("operand_order", "«от» больше, чем «до»; поменяйте их местами");
                }
                (Operator::Between, [from, to]) => NumberCheck::Between(*from, *to),
                (Operator::In | Operator::NotIn, _) => NumberCheck::In(numbers, negate),
                (operator, [one, ..]) => NumberCheck::Order(cmp_of(operator).unwrap_or(Cmp::Equal), *one),
                _ => return problem("operand_missing", "не указано число"),
            }))
        }
        FieldType::Select | FieldType::MultiSelect | FieldType::Tags => {
            let choices = list.iter().filter_map(|value| {
                if let Value::Choice(c) = value {
                    Some(c)
                } else {
                    None
                }
            });
            let op = match operator {
                Operator::ContainsAll => ChoiceOp::All,
                Operator::ContainsNone => ChoiceOp::None,
                _ if negate => ChoiceOp::None,
                _ => ChoiceOp::Any,
            };
            Ok(Check::Choice(ChoiceCheck::new(
                op,
                choices.collect::<Vec<&Choice>>(),
                alike,
            )))
        }
        FieldType::User => {
            let users = list.iter().filter_map(|value| {
                if let Value::User(id) = value {
                    Some(*id)
                } else {
                    None
                }
            });
            Ok(Check::Code(CodeCheck {
                wanted: Wanted::Users(sorted(users)),
                negate,
            }))
        }
        FieldType::Stage => {
            let stages = list.iter().filter_map(|value| {
                if let Value::Stage(s) = value {
                    Some(*s)
                } else {
                    None
                }
            });
            let mut stages: Vec<Stage> = stages.collect();
            stages.sort_unstable();
            stages.dedup();
            Ok(Check::Code(CodeCheck {
                wanted: Wanted::Stages(stages.into()),
                negate,
            }))
        }
        FieldType::Pipeline | FieldType::Id => {
            let ids = list.iter().filter_map(|value| {
                if let Value::Id(id) = value {
                    Some(*id)
                } else {
                    None
                }
            });
            Ok(Check::Code(CodeCheck {
                wanted: Wanted::Ids(sorted(ids)),
                negate,
            }))
        }
        FieldType::Flag | FieldType::DateTime | FieldType::Date | FieldType::Opaque => problem(
            "operator_type",
            "этот оператор к такому полю не подходит; выберите другой",
        ),
    }
}

fn sorted(ids: impl Iterator<Item = i64>) -> Box<[i64]> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into()
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn cmp_of(operator: Operator) -> Option<Cmp> {
    Some(match operator {
        Operator::Equals => Cmp::Equal,
        Operator::NotEquals => Cmp::NotEqual,
        Operator::Less | Operator::Before => Cmp::Less,
        Operator::LessOrEqual => Cmp::LessOrEqual,
        Operator::Greater | Operator::After => Cmp::Greater,
        Operator::GreaterOrEqual => Cmp::GreaterOrEqual,
        _ => return None,
    })
}
