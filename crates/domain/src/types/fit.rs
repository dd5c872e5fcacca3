//! What may be mapped into what, and what conversions do to a type.

use crate::field::{FieldPath, FieldType};
use crate::mapping::Conversion;
use crate::text::same_name;
use crate::types::FieldDescription;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// The type of a value on its way from an expression to a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    /// Its type.
    pub field_type: FieldType,
    /// There may be several: phones, options of a multi-select.
    pub many: bool,
}

impl Shape {
    /// One value.
    pub const fn one(field_type: FieldType) -> Self {
        Self {
            field_type,
            many: false,
        }
    }

    /// What a field holds.
    pub const fn of_field(field_type: FieldType) -> Self {
        let many = matches!(
            field_type,
            FieldType::Phone | FieldType::Email | FieldType::MultiSelect | FieldType::Tags
        );
        Self { field_type, many }
    }
}

/// The shape of a fixed value; `None` for one that tells nothing.
pub fn shape_of_value(value: &Value) -> Option<Shape> {
    Some(match value {
        Value::Empty | Value::Json(_) => return None,
        Value::Text(_) => Shape::one(FieldType::Text),
        Value::Number(_) => Shape::one(FieldType::Number),
        Value::Flag(_) => Shape::one(FieldType::Flag),
        Value::Instant(_) => Shape::one(FieldType::DateTime),
        Value::Day(_) => Shape::one(FieldType::Date),
        Value::Choice(_) => Shape::one(FieldType::Select),
        Value::Choices(_) => Shape {
            field_type: FieldType::MultiSelect,
            many: true,
        },
        Value::User(_) => Shape::one(FieldType::User),
        Value::Stage(_) => Shape::one(FieldType::Stage),
        Value::Id(_) => Shape::one(FieldType::Id),
        Value::Texts(_) => Shape {
            field_type: FieldType::Text,
            many: true,
        },
    })
}

/// A conversion by its kind, as a diagnostic proposes it and the editor offers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// «Телефон».
    Phone,
    /// «В число».
    Number,
    /// «Формат даты».
    DateFormat,
    /// «Таблица соответствия».
    Options,
    /// «Первое из нескольких».
    First,
    /// «Объединить через».
    Join,
    /// «В текст».
    Text,
}

impl Need {
    /// Russian words in the editor.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Phone => "Телефон",
            Self::Number => "В число",
            Self::DateFormat => "Формат даты",
            Self::Options => "Таблица соответствия",
            Self::First => "Первое из нескольких",
            Self::Join => "Объединить",
            Self::Text => "В текст",
        }
    }
}

/// Whether a value of one shape may be written into a field of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// As it is.
    Direct,
    /// After one of these conversions.
    Through(&'static [Need]),
    /// Not at all.
    Never,
}

/// What it takes to write a value into a field. Options are matched by name, a day becomes its midnight and a
/// moment its local day; every other change of type must be asked for.
pub fn fit(from: Shape, target: FieldType) -> Fit {
    use FieldType as T;
    match (from.field_type, target) {
        (T::Opaque, _) | (_, T::Opaque | T::Id | T::Pipeline) => Fit::Never,
        (T::Text | T::Select, T::Text) if !from.many => Fit::Direct,
        (T::Phone | T::Email, T::Text) if !from.many => Fit::Direct,
        (T::Text | T::Phone | T::Email | T::MultiSelect | T::Tags, T::Text) => {
            Fit::Through(&[Need::Join, Need::First])
        }
        (T::Date | T::DateTime, T::Text) => Fit::Through(&[Need::DateFormat]),
        (_, T::Text) => Fit::Through(&[Need::Text]),
        (T::Number | T::Money, T::Number | T::Money) => Fit::Direct,
        (T::Text, T::Number | T::Money) => Fit::Through(&[Need::Number]),
        (T::Select, T::Number | T::Money) => Fit::Through(&[Need::Options, Need::Number]),
        (T::Date | T::DateTime, T::Date | T::DateTime) => Fit::Direct,
        (T::Text, T::Date | T::DateTime) => Fit::Through(&[Need::DateFormat]),
        (T::Flag, T::Flag) => Fit::Direct,
        (T::Text | T::Select, T::Flag) => Fit::Through(&[Need::Options]),
        (T::Select | T::Text, T::Select) if !from.many => Fit::Direct,
        (T::MultiSelect | T::Tags | T::Text, T::Select) => Fit::Through(&[Need::First]),
        (T::Flag | T::User | T::Stage | T::Number | T::Money, T::Select | T::MultiSelect) => {
            Fit::Through(&[Need::Options, Need::Text])
        }
        (T::Select | T::MultiSelect | T::Tags | T::Text, T::MultiSelect | T::Tags) => Fit::Direct,
        (T::User | T::Stage, T::Tags) => Fit::Through(&[Need::Text]),
        (T::User, T::User) | (T::Stage, T::Stage) => Fit::Direct,
        (T::Text | T::Select | T::User | T::Stage, T::User | T::Stage) => Fit::Through(&[Need::Options]),
        (T::Phone, T::Phone) | (T::Email | T::Text, T::Email) => Fit::Direct,
        (T::Text, T::Phone) => Fit::Through(&[Need::Phone]),
        _ => Fit::Never,
    }
}

/// The shape after a conversion, or why the conversion cannot be applied, in Russian.
pub fn after(from: Shape, conversion: &Conversion) -> Result<Shape, &'static str> {
    use FieldType as T;
    let texty = matches!(from.field_type, T::Text | T::Phone | T::Email);
    Ok(match conversion {
        Conversion::Phone if texty => Shape {
            field_type: T::Phone,
            many: from.many,
        },
        Conversion::Phone => return Err("«Телефон» применяют к тексту или телефону"),
        Conversion::Trim | Conversion::Case(_) if texty || from.field_type == T::Select => {
            if texty {
                from
            } else {
                Shape::one(T::Text)
            }
        }
        Conversion::Trim => return Err("«Убрать пробелы» применяют к тексту"),
        Conversion::Case(_) => return Err("«Регистр» применяют к тексту"),
        Conversion::Number if matches!(from.field_type, T::Text | T::Select) && !from.many => {
            Shape::one(T::Number)
        }
        Conversion::Number if matches!(from.field_type, T::Number | T::Money) => Shape::one(T::Number),
        Conversion::Number => return Err("«В число» применяют к одному тексту"),
        Conversion::DateFormat(_) if matches!(from.field_type, T::Date | T::DateTime) => Shape::one(T::Text),
        Conversion::DateFormat(format) if from.field_type == T::Text && !from.many => {
            let has_time = crate::calendar::DateTimeFormat::new(format).is_ok_and(|format| format.has_time());
            Shape::one(if has_time { T::DateTime } else { T::Date })
        }
        Conversion::DateFormat(_) => return Err("«Формат даты» применяют к дате или к одному тексту"),
        Conversion::Options { table, default } => {
            let shape = table
                .iter()
                .map(|(_, to)| to)
                .chain(default)
                .find_map(shape_of_value)
                .ok_or("в таблице соответствия нет ни одного значения «во что»")?;
            // Several options are each looked up in the table.
            match (from.many, shape.field_type) {
                (true, T::Select) => Shape {
                    field_type: T::MultiSelect,
                    many: true,
                },
                (many, _) => Shape {
                    many: many || shape.many,
                    ..shape
                },
            }
        }
        Conversion::First => match from.field_type {
            T::MultiSelect | T::Tags => Shape::one(T::Select),
            field_type => Shape::one(field_type),
        },
        Conversion::Join(_) if texty || matches!(from.field_type, T::Select | T::MultiSelect | T::Tags) => {
            Shape::one(T::Text)
        }
        Conversion::Join(_) => return Err("«Объединить» применяют к нескольким значениям"),
        Conversion::Default(_) => from,
        Conversion::Text if from.field_type == T::Opaque => {
            return Err("это поле хаб только хранит, в текст его не превратить");
        }
        Conversion::Text => Shape {
            field_type: T::Text,
            many: from.many && texty,
        },
    })
}

/// The best source for a target field by name, then by code and type: never applied by itself. Candidates are
/// the source fields of the picker.
pub fn suggest<'a>(
    target: &FieldDescription,
    sources: &'a [FieldDescription],
    source_record: impl Fn(FieldPath) -> bool,
) -> Option<&'a FieldDescription> {
    let score = |source: &FieldDescription| {
        let named = if source.path.key == target.path.key
            && matches!(source.path.key, crate::field::FieldKey::System(_))
        {
            4
        } else if same_name(&source.name, &target.name) {
            3
        } else if source.field_type == target.field_type
            && matches!(source.field_type, FieldType::Phone | FieldType::Email)
        {
            2
        } else {
            return 0;
        };
        match fit(Shape::of_field(source.field_type), target.field_type) {
            Fit::Direct => named * 2 + 1,
            Fit::Through(_) => named,
            Fit::Never => 0,
        }
    };
    sources
        .iter()
        .filter(|source| source_record(source.path))
        .map(|source| (score(source), source))
        .filter(|(score, _)| *score > 0)
        // The first of equal ones, so that the order of the picker decides.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, source)| source)
}
