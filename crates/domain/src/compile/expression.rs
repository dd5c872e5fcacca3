//! Expressions.

use super::MAX_LINES;
use super::checker::Checker;
use crate::field::{FieldPath, FieldType};
use crate::mapping::Expression;
use crate::template::Template;
use crate::types::{Shape, shape_of_value, type_title};
use crate::value::Value;

/// An expression ready to be evaluated.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum CompiledExpression {
    Field(FieldPath),
    Constant(Value),
    Template(Template),
    FirstOf(Box<[CompiledExpression]>),
    /// Not understood; gives nothing.
    Broken,
}

/// FirstOf in FirstOf, at most.
const MAX_NESTING: usize = 8;
/// Compiles an expression; its shape is `None` when it is not known (an empty constant, a mistake).
pub(super) fn expression(
    checker: &mut Checker<'_>,
    expression: &Expression,
) -> (CompiledExpression, Option<Shape>) {
    nested(checker, expression, 0)
}

fn nested(
    checker: &mut Checker<'_>,
    expression: &Expression,
    depth: usize,
) -> (CompiledExpression, Option<Shape>) {
    match expression {
        Expression::Field(path) => {
            let field_type = checker.at("field", |checker| checker.read(*path));
            match field_type {
                Some(field_type) => (CompiledExpression::Field(*path), Some(Shape::of_field(field_type))),
                None => (CompiledExpression::Broken, None),
            }
        }
        Expression::Constant(value) => (CompiledExpression::Constant(value.clone()), shape_of_value(value)),
        Expression::Template(source) => checker.at("template", |checker| match Template::parse(source) {
            Ok(template) => {
                let mut sound = true;
                for path in template.paths() {
                    sound &= checker.read(path).is_some();
                }
                if !sound {
                    return (CompiledExpression::Broken, Some(Shape::one(FieldType::Text)));
                }
                (CompiledExpression::Template(template), Some(Shape::one(FieldType::Text)))
            }
            Err(error) => {
                checker.error("template", format!("ошибка в шаблоне, {error}"));
                (CompiledExpression::Broken, None)
            }
        }),
        Expression::FirstOf(list) => checker.at("first_of", |checker| {
            if list.is_empty() {
                checker.error("empty_first_of", "«первое непустое» без вариантов; добавьте хотя бы один");
                return (CompiledExpression::Broken, None);
            }
            if depth >= MAX_NESTING || list.len() > MAX_LINES {
                checker.error("too_deep", "«первое непустое» слишком большое или вложено слишком глубоко; упростите");
                return (CompiledExpression::Broken, None);
            }
            let mut shape: Option<Shape> = None;
            let mut parts = Vec::with_capacity(list.len());
            for (at, one) in list.iter().enumerate() {
                checker.at(at, |checker| {
                    let (part, own) = nested(checker, one, depth + 1);
                    parts.push(part);
                    match (shape, own) {
                        (Some(all), Some(own)) if !is_alike(all, own) => checker.error(
                            "type_mismatch",
                            format!(
                                "варианты «первого непустого» разных типов: «{}» и «{}»; приведите их к одному",
                                type_title(all.field_type),
                                type_title(own.field_type)
                            ),
                        ),
                        (Some(all), Some(own)) => shape = Some(Shape { many: all.many || own.many, ..all }),
                        (None, own) => shape = own,
                        _ => {}
                    }
                });
            }
            (CompiledExpression::FirstOf(parts.into()), shape)
        }),
    }
}

/// Two shapes that one target takes alike.
fn is_alike(left: Shape, right: Shape) -> bool {
    use FieldType as T;
    left.field_type == right.field_type
        || matches!(
            (left.field_type, right.field_type),
            (T::Number | T::Money, T::Number | T::Money)
                | (T::Date | T::DateTime, T::Date | T::DateTime)
                | (T::Text | T::Select, T::Text | T::Select)
                | (T::Text | T::Email, T::Text | T::Email)
                | (T::Text | T::Phone, T::Text | T::Phone)
                | (
                    T::MultiSelect | T::Tags | T::Select,
                    T::MultiSelect | T::Tags | T::Select
                )
        )
}

/// Compiles an expression that must give a text or what is shown as text: notes, tasks, messages.
pub(super) fn text(checker: &mut Checker<'_>, source: &Expression) -> CompiledExpression {
    if let Expression::Constant(value) = source
        && value.is_empty()
    {
        checker.error("empty_text", "текст пуст; напишите его");
        return CompiledExpression::Broken;
    }
    if let Expression::Template(text) = source
        && text.trim().is_empty()
    {
        checker.error("empty_text", "текст пуст; напишите его");
        return CompiledExpression::Broken;
    }
    let (compiled, shape) = expression(checker, source);
    if shape.is_some_and(|shape| shape.field_type == FieldType::Opaque) {
        checker.error(
            "type_mismatch",
            "это поле хаб только хранит, в текст его не превратить; выберите другое",
        );
    }
    compiled
}

/// Compiles an expression that must give one of some types.
pub(super) fn typed(
    checker: &mut Checker<'_>,
    source: &Expression,
    wanted: &[FieldType],
    what: &str,
) -> CompiledExpression {
    let (compiled, shape) = expression(checker, source);
    if let Some(shape) = shape
        && !wanted.contains(&shape.field_type)
    {
        checker.error(
            "type_mismatch",
            format!(
                "здесь нужно {what}, а не «{}»; выберите другое поле",
                type_title(shape.field_type)
            ),
        );
    }
    if matches!(source, Expression::Constant(value) if value.is_empty()) {
        checker.error(
            "operand_missing",
            format!("здесь нужно {what}; заполните значение"),
        );
    }
    compiled
}
