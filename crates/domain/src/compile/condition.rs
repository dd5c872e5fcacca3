//! The ЕСЛИ half.

use super::checker::Checker;
use super::{MAX_CONDITIONS, MAX_DEPTH};
use crate::check::{Check, Test, build};
use crate::condition::{Compare, Condition, Operand, Operator};
use crate::field::{FieldKey, Moment, SystemField};
use crate::types::{is_comparable, type_title};
use crate::value::Value;
use std::sync::Arc;

/// A condition in the form that is evaluated; the shape of the tree is that of the document.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Test(Box<Test>),
}

/// Compiles the condition of a rule.
pub(super) fn compile(checker: &mut Checker<'_>, condition: &Condition) -> Node {
    let node = checker.at("condition", |checker| node(checker, condition, 0));
    if checker.n_conditions > MAX_CONDITIONS {
        let text = format!("в правиле больше {MAX_CONDITIONS} условий; разделите его на несколько правил");
        checker.at("condition", |checker| checker.error("too_many_conditions", text));
    }
    node
}

fn node(checker: &mut Checker<'_>, condition: &Condition, depth: usize) -> Node {
    if depth > MAX_DEPTH {
        let text = format!("группы вложены глубже {MAX_DEPTH}; упростите условие");
        checker.error("too_deep", text.clone());
        return Node::Test(Box::new(broken_place(&text)));
    }
    match condition {
        Condition::All(list) => checker.at("all", |checker| Node::All(group(checker, list, depth))),
        Condition::Any(list) => checker.at("any", |checker| {
            if list.is_empty() {
                checker.warn(
                    "empty_any",
                    "группа ИЛИ пуста и никогда не выполняется; добавьте условие или удалите группу",
                );
            }
            Node::Any(group(checker, list, depth))
        }),
        Condition::Not(inner) => checker.at("not", |checker| {
            Node::Not(Box::new(node(checker, inner, depth + 1)))
        }),
        Condition::Compare(compare) => checker.at("compare", |checker| {
            checker.n_conditions += 1;
            Node::Test(Box::new(test(checker, compare)))
        }),
    }
}

fn group(checker: &mut Checker<'_>, list: &[Condition], depth: usize) -> Box<[Node]> {
    list.iter()
        .enumerate()
        .map(|(at, inner)| checker.at(at, |checker| node(checker, inner, depth + 1)))
        .collect()
}

fn test(checker: &mut Checker<'_>, compare: &Compare) -> Test {
    let mut with = compare.with.clone();
    let check = match check(checker, compare, &mut with) {
        Ok(check) => check,
        Err(text) => Check::Broken(text.into()),
    };
    Test {
        path: compare.field,
        operator: compare.operator,
        with: Arc::new(with),
        check,
    }
}

/// The comparison, or why there is none. Diagnostics are already told.
fn check(checker: &mut Checker<'_>, compare: &Compare, with: &mut Operand) -> Result<Check, String> {
    let looks_up = matches!(compare.operator, Operator::ExistsInOther | Operator::NotInOther);
    let told = checker.diagnostics.len();
    let field_type = checker.at("field", |checker| {
        // A look-up names the record; its field need not be known.
        if looks_up {
            checker.field(compare.field.record, compare.field.key)
        } else {
            checker.read(compare.field)
        }
    });
    let Some(field_type) = field_type else {
        return Err(checker
            .diagnostics
            .get(told)
            .map(|found| found.text.clone())
            .unwrap_or_default());
    };
    if looks_up {
        checker.needs_other = true;
    }
    if changes(compare.operator) {
        // Changes are told by the former value, where no source tells them.
        checker.reads.insert(crate::field::FieldPath {
            moment: Moment::Before,
            ..compare.field
        });
        if compare.field.moment == Moment::Before {
            let text = "прежнее значение не меняется; выберите само поле".to_owned();
            checker.at("field", |checker| checker.error("operator_type", text.clone()));
            return Err(text);
        }
    }
    let built = match build(field_type, compare.operator, with, compare.alike) {
        Ok(check) => check,
        Err(problem) => {
            let member = if problem.code == "operator_type" {
                "operator"
            } else {
                "with"
            };
            checker.at(member, |checker| {
                checker.error(problem.code, problem.text.clone())
            });
            return Err(problem.text);
        }
    };
    checker.at("with", |checker| operand(checker, compare, field_type, with))?;
    // Names were filled in from the catalogue: build again with them.
    if matches!(built, Check::Choice(_) | Check::Change(_)) {
        return build(field_type, compare.operator, with, compare.alike).map_err(|problem| problem.text);
    }
    Ok(built)
}

const fn changes(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Changed | Operator::ChangedFrom | Operator::ChangedTo | Operator::BecameEmpty
    )
}

/// Checks what the right side refers to, and fills in the names of options.
fn operand(
    checker: &mut Checker<'_>,
    compare: &Compare,
    field_type: crate::field::FieldType,
    with: &mut Operand,
) -> Result<(), String> {
    match with {
        Operand::Value(value) => {
            *value = checker.at("value", |checker| checker.known_value(compare.field, value));
            phone_warning(checker, compare, value);
        }
        Operand::Values(list) => checker.at("values", |checker| {
            for (at, value) in list.iter_mut().enumerate() {
                *value = checker.at(at, |checker| checker.known_value(compare.field, value));
                phone_warning(checker, compare, value);
            }
        }),
        Operand::Field(other) => {
            let told = checker.diagnostics.len();
            let Some(other_type) = checker.at("field", |checker| checker.read(*other)) else {
                return Err(checker
                    .diagnostics
                    .get(told)
                    .map(|found| found.text.clone())
                    .unwrap_or_default());
            };
            let sides = checker.scope.kind_of(compare.field.record) == checker.scope.kind_of(other.record);
            let local = matches!(
                field_type,
                crate::field::FieldType::User
                    | crate::field::FieldType::Stage
                    | crate::field::FieldType::Pipeline
                    | crate::field::FieldType::Id
            );
            if !is_comparable(field_type, other_type) || (local && !sides) {
                let text = format!(
                    "поле типа «{}» нельзя сравнить с полем типа «{}»{}; выберите другое поле",
                    type_title(field_type),
                    type_title(other_type),
                    if sides { "" } else { " другой CRM" }
                );
                checker.at("field", |checker| checker.error("operand_type", text.clone()));
                return Err(text);
            }
            if compare.field == *other {
                checker.at("field", |checker| {
                    checker.warn(
                        "same_field",
                        "поле сравнивается само с собой; выберите другое поле",
                    );
                });
            }
        }
        Operand::Moved(moved) => {
            if let Some(from) = moved.from {
                let told = checker.diagnostics.len();
                let found = checker.at("moved/from", |checker| checker.read(from));
                match found {
                    Some(crate::field::FieldType::DateTime | crate::field::FieldType::Date) => {}
                    Some(_) => {
                        let text = "срок отсчитывают от поля с датой; выберите такое поле".to_owned();
                        checker.at("moved/from", |checker| {
                            checker.error("operand_type", text.clone())
                        });
                        return Err(text);
                    }
                    None => {
                        return Err(checker
                            .diagnostics
                            .get(told)
                            .map(|found| found.text.clone())
                            .unwrap_or_default());
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn phone_warning(checker: &mut Checker<'_>, compare: &Compare, value: &Value) {
    let whole = matches!(
        compare.operator,
        Operator::Equals | Operator::NotEquals | Operator::In | Operator::NotIn
    );
    let is_phone = compare.field.key == FieldKey::System(SystemField::Phone);
    if let (true, true, Value::Text(text)) = (whole, is_phone, value)
        && crate::phone::parse_all(text).next().is_none()
    {
        checker.warn(
            "phone_not_recognised",
            format!("«{text}» не похоже на телефон и будет сравниваться буквально; проверьте номер"),
        );
    }
}

/// A place that is not compiled at all.
fn broken_place(text: &str) -> Test {
    Test {
        path: crate::field::FieldPath::now(crate::record::RecordKind::Event, SystemField::At),
        operator: Operator::IsNotEmpty,
        with: Arc::new(Operand::None),
        check: Check::Broken(text.into()),
    }
}
