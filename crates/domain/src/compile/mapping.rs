//! Mapping lines.

use super::checker::Checker;
use super::expression::{CompiledExpression, expression};
use super::{MAX_LINES, Thing};
use crate::calendar::DateTimeFormat;
use crate::catalogue::Catalogue;
use crate::command::WriteMode;
use crate::field::{FieldKey, FieldType, SystemField};
use crate::id::ConnectionId;
use crate::mapping::{Conversion, Expression, IfEmpty, MappingLine};
use crate::record::RecordKind;
use crate::types::{Fit, Shape, after, fit, is_writable, shape_of_value, system_fields, type_title};
use crate::value::{Choice, Value};
use std::sync::Arc;

/// A field that is written.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) record: RecordKind,
    pub(crate) key: FieldKey,
    pub(crate) field_type: FieldType,
    pub(crate) name: String,
    /// Options of a select.
    pub(crate) options: Vec<Choice>,
    /// Where names of tags are looked up.
    pub(crate) catalogue: Arc<Catalogue>,
}

/// A mapping line ready to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct CompiledLine {
    pub(crate) target: Target,
    pub(crate) from: CompiledExpression,
    pub(crate) convert: Vec<Conversion>,
    pub(crate) mode: WriteMode,
    pub(crate) if_empty: IfEmpty,
}

/// Conversions of one line, at most.
const MAX_CONVERSIONS: usize = 10;
/// Lines of one table of options, at most.
const MAX_TABLE: usize = 2_000;

/// Compiles a mapping table into records of one connection.
pub(super) fn mapping(
    checker: &mut Checker<'_>,
    lines: &[MappingLine],
    connection: Option<ConnectionId>,
    records: &[RecordKind],
) -> Vec<CompiledLine> {
    checker.at("mapping", |checker| {
        if lines.len() > MAX_LINES {
            checker.error(
                "too_many_lines",
                format!("строк больше {MAX_LINES}; уберите лишние"),
            );
            return Vec::new();
        }
        let mut out: Vec<CompiledLine> = Vec::with_capacity(lines.len());
        for (at, source) in lines.iter().enumerate() {
            checker.at(at, |checker| {
                let Some(line) = line(checker, source, connection, records) else {
                    return;
                };
                let twice = out.iter().any(|other| {
                    (other.target.record, other.target.key) == (line.target.record, line.target.key)
                        && line.mode == WriteMode::Replace
                });
                if twice {
                    checker.at("field", |checker| {
                        let text = format!(
                            "поле «{}» заполняется дважды, останется последнее; уберите одну строку",
                            line.target.name
                        );
                        checker.warn("written_twice", text);
                    });
                }
                out.push(line);
            });
        }
        out
    })
}

fn line(
    checker: &mut Checker<'_>,
    source: &MappingLine,
    connection: Option<ConnectionId>,
    records: &[RecordKind],
) -> Option<CompiledLine> {
    let target = target(checker, source, connection, records);
    let (mut from, shape) = checker.at("from", |checker| expression(checker, &source.from));
    let (convert, shape) = conversions(checker, &source.convert, shape, target.as_ref(), connection);
    let target = target?;
    let mapped = source
        .convert
        .iter()
        .any(|one| matches!(one, Conversion::Options { .. }));
    if let Some(shape) = shape {
        let constant = match &from {
            CompiledExpression::Constant(value) if convert.is_empty() => Some(value.clone()),
            _ => None,
        };
        fits(checker, source, shape, &target, constant.as_ref());
        if let Some(value) = constant {
            from = CompiledExpression::Constant(checker.at("from/constant", |checker| {
                known_target_value(checker, connection, &target, &value)
            }));
        }
        if !mapped && matches!(target.field_type, FieldType::User | FieldType::Stage) {
            other_side(checker, &source.from, connection, &target);
        }
    } else if matches!(from, CompiledExpression::Constant(_)) && source.if_empty == IfEmpty::Leave {
        checker.at("from", |checker| {
            checker.warn(
                "nothing_written",
                "значение пустое, и строка ничего не делает; выберите «очистить поле»",
            );
        });
    }
    if source.mode == WriteMode::Append && !Shape::of_field(target.field_type).many {
        checker.at("mode", |checker| {
            let text = format!(
                "в поле «{}» помещается одно значение, дописать нельзя; выберите «заменить»",
                target.name
            );
            checker.error("append_single", text);
        });
    }
    Some(CompiledLine {
        target,
        from,
        convert,
        mode: source.mode,
        if_empty: source.if_empty,
    })
}

fn target(
    checker: &mut Checker<'_>,
    line: &MappingLine,
    connection: Option<ConnectionId>,
    records: &[RecordKind],
) -> Option<Target> {
    if !records.contains(&line.record) {
        checker.at("record", |checker| {
            let names: Vec<&str> = records.iter().map(|record| record.title()).collect();
            checker.error(
                "wrong_record",
                format!(
                    "это действие не пишет в «{}»; можно: {}",
                    line.record.title(),
                    names.join(", ")
                ),
            );
        });
        return None;
    }
    // A missing connection is told at the card.
    let connection = connection?;
    let catalogue = Arc::clone(&checker.catalogues.get(connection)?.catalogue);
    checker.at("field", |checker| match line.field {
        FieldKey::System(field) => {
            let exists = system_fields(line.record).contains(&field);
            if !exists || !is_writable(line.record, field) {
                let text = if exists { "заполняет сама CRM" } else { "у этой записи нет" };
                checker.error(
                    if exists { "not_writable" } else { "unknown_field" },
                    format!("поле «{}» {text}; выберите другое", field.title()),
                );
                return None;
            }
            let options =
                if field == SystemField::LossReason { catalogue.loss_reasons.clone() } else { Vec::new() };
            let (field_type, name) = (field.field_type(), field.title().to_owned());
            Some(Target { record: line.record, key: line.field, field_type, name, options, catalogue })
        }
        FieldKey::Custom(id) => {
            checker.refer(connection, Thing::Field(line.record, id));
            let Some(info) = catalogue.field(line.record, id) else {
                checker.error(
                    "gone_field",
                    format!(
                        "поля {id} у записи «{}» больше нет в CRM; выберите другое или обновите каталог подключения",
                        line.record.title()
                    ),
                );
                return None;
            };
            if info.read_only {
                checker.error("not_writable", format!("поле «{}» только для чтения; выберите другое", info.name));
                return None;
            }
            Some(Target {
                record: line.record,
                key: line.field,
                field_type: info.field_type,
                name: info.name.clone(),
                options: info.options.clone(),
                catalogue: Arc::clone(&catalogue),
            })
        }
    })
}

/// Follows the shape through the conversions.
fn conversions(
    checker: &mut Checker<'_>,
    list: &[Conversion],
    mut shape: Option<Shape>,
    target: Option<&Target>,
    connection: Option<ConnectionId>,
) -> (Vec<Conversion>, Option<Shape>) {
    checker.at("convert", |checker| {
        if list.len() > MAX_CONVERSIONS {
            checker.error(
                "too_many_conversions",
                format!("преобразований больше {MAX_CONVERSIONS}; уберите лишние"),
            );
            return (Vec::new(), None);
        }
        let mut out = Vec::with_capacity(list.len());
        for (at, conversion) in list.iter().enumerate() {
            checker.at(at, |checker| {
                out.push(conversion_checked(
                    checker,
                    conversion,
                    at + 1 == list.len(),
                    target,
                    connection,
                ));
                if let Some(before) = shape {
                    match after(before, conversion) {
                        Ok(next) => shape = Some(next),
                        Err(text) => {
                            checker.error(
                                "conversion_type",
                                format!(
                                    "{text}, а здесь «{}»; уберите преобразование",
                                    type_title(before.field_type)
                                ),
                            );
                            shape = None;
                        }
                    }
                } else if let Conversion::Options { .. } | Conversion::Text = conversion {
                    shape = after(Shape::one(FieldType::Text), conversion).ok();
                }
            });
        }
        (out, shape)
    })
}

fn conversion_checked(
    checker: &mut Checker<'_>,
    conversion: &Conversion,
    is_last: bool,
    target: Option<&Target>,
    connection: Option<ConnectionId>,
) -> Conversion {
    match conversion {
        Conversion::DateFormat(format) => {
            if let Err(error) = DateTimeFormat::new(format) {
                checker.at("date_format", |checker| {
                    checker.error("date_format", error.to_string())
                });
            }
        }
        Conversion::Options { table, default } => {
            return checker.at("options", |checker| {
                if table.len() > MAX_TABLE {
                    checker.error(
                        "too_many_lines",
                        format!("строк в таблице больше {MAX_TABLE}; уберите лишние"),
                    );
                    return conversion.clone();
                }
                if table.is_empty() && default.is_none() {
                    checker.error(
                        "empty_table",
                        "таблица соответствия пуста; заполните хотя бы одну строку",
                    );
                    return conversion.clone();
                }
                let known = |checker: &mut Checker<'_>, value: &Value| match target {
                    Some(target) if is_last => known_target_value(checker, connection, target, value),
                    _ => value.clone(),
                };
                let checked = table
                    .iter()
                    .enumerate()
                    .map(|(at, (from, to))| {
                        let to = checker.at(format_args!("table/{at}/1"), |checker| known(checker, to));
                        (from.clone(), to)
                    })
                    .collect();
                let default = default
                    .as_ref()
                    .map(|value| checker.at("default", |checker| known(checker, value)));
                Conversion::Options {
                    table: checked,
                    default,
                }
            });
        }
        Conversion::Default(value) => {
            if value.is_empty() {
                checker.error(
                    "operand_missing",
                    "значение по умолчанию пусто; заполните его или уберите преобразование",
                );
            }
            if let (true, Some(target)) = (is_last, target) {
                if let Some(shape) = shape_of_value(value)
                    && fit(shape, target.field_type) != Fit::Direct
                    && !(target.field_type == FieldType::Phone && shape.field_type == FieldType::Text)
                {
                    checker.error(
                        "type_mismatch",
                        format!(
                            "значение по умолчанию типа «{}» не подходит полю «{}»; укажите другое",
                            type_title(shape.field_type),
                            target.name
                        ),
                    );
                }
                return Conversion::Default(known_target_value(checker, connection, target, value));
            }
        }
        _ => {}
    }
    conversion.clone()
}

/// Tells whether the shape may be written, with the conversions that would help.
fn fits(
    checker: &mut Checker<'_>,
    line: &MappingLine,
    shape: Shape,
    target: &Target,
    constant: Option<&Value>,
) {
    let fit = fit(shape, target.field_type);
    let is_phone = |text: &String| crate::phone::parse_all(text).next().is_some();
    if fit == Fit::Direct
        || (target.field_type == FieldType::Phone
            && matches!(constant, Some(Value::Text(text)) if is_phone(text)))
    {
        return;
    }
    let own = type_title(shape.field_type);
    let wanted = type_title(target.field_type);
    let text = match fit {
        Fit::Through(needs) => {
            let names: Vec<String> = needs.iter().map(|need| format!("«{}»", need.title())).collect();
            format!(
                "значение типа «{own}»{} нельзя записать в поле «{}» ({wanted}) напрямую; добавьте преобразование {}",
                if shape.many {
                    " (может быть несколько)"
                } else {
                    ""
                },
                target.name,
                names.join(" или ")
            )
        }
        _ => format!(
            "значение типа «{own}» нельзя записать в поле «{}» ({wanted}); выберите другое поле",
            target.name
        ),
    };
    let member = if line.convert.is_empty() {
        "from"
    } else {
        "convert"
    };
    checker.at(member, |checker| checker.error("type_mismatch", text));
}

/// Users and stages of one CRM mean nothing in the other.
fn other_side(
    checker: &mut Checker<'_>,
    from: &Expression,
    connection: Option<ConnectionId>,
    target: &Target,
) {
    let mut foreign = false;
    let mut todo = vec![from];
    while let Some(one) = todo.pop() {
        match one {
            Expression::Field(path) => foreign |= checker.home(path.record).map(|(id, _)| id) != connection,
            Expression::FirstOf(list) => todo.extend(list),
            _ => {}
        }
    }
    if foreign {
        checker.at("from", |checker| {
            checker.error(
                "other_crm",
                format!(
                    "{} другой CRM нельзя записать в поле «{}»; добавьте таблицу соответствия",
                    if target.field_type == FieldType::User {
                        "пользователя"
                    } else {
                        "этап"
                    },
                    target.name
                ),
            );
        });
    }
}

/// Checks a fixed value for a target against the target's catalogue; names become options with ids.
fn known_target_value(
    checker: &mut Checker<'_>,
    connection: Option<ConnectionId>,
    target: &Target,
    value: &Value,
) -> Value {
    let Some(connection) = connection else {
        return value.clone();
    };
    match value {
        Value::Stage(stage) => {
            checker.stage(connection, *stage);
        }
        Value::User(user) => checker.user(connection, *user, true),
        Value::Choice(choice) if !target.options.is_empty() => {
            return option_of(checker, connection, target, choice)
                .map_or_else(|| value.clone(), Value::Choice);
        }
        Value::Text(text)
            if matches!(target.field_type, FieldType::Select | FieldType::MultiSelect)
                && !target.options.is_empty() =>
        {
            return option_of(checker, connection, target, &Choice::named(text.as_str()))
                .map_or_else(|| value.clone(), Value::Choice);
        }
        Value::Choices(list) if !target.options.is_empty() => {
            return Value::Choices(
                list.iter()
                    .map(|choice| {
                        option_of(checker, connection, target, choice).unwrap_or_else(|| choice.clone())
                    })
                    .collect(),
            );
        }
        _ => {}
    }
    value.clone()
}

fn option_of(
    checker: &mut Checker<'_>,
    connection: ConnectionId,
    target: &Target,
    choice: &Choice,
) -> Option<Choice> {
    let found = target.options.iter().find(|option| match (choice.id, option.id) {
        (Some(a), Some(b)) => a == b,
        _ => crate::text::same_name(&choice.name, &option.name),
    });
    if let (FieldKey::Custom(field), Some(id)) =
        (target.key, found.and_then(|option| option.id).or(choice.id))
    {
        checker.refer(connection, Thing::Option(field, id));
    }
    if found.is_none() {
        let shown = if choice.name.is_empty() {
            choice.id.map(|id| id.to_string()).unwrap_or_default()
        } else {
            choice.name.clone()
        };
        checker.error(
            "gone_option",
            format!(
                "варианта «{shown}» в поле «{}» нет; выберите другой или обновите каталог подключения",
                target.name
            ),
        );
    }
    found.cloned()
}
