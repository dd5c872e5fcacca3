//! The type table: which operators a field type has, what stands on their right side, and what may be mapped
//! into what. The editor and the compiler read the same table.

mod describe;
mod fit;
mod records;
#[cfg(test)]
mod tests;

pub use describe::{FieldDescription, all_fields, describe};
pub use fit::{Fit, Need, Shape, after, fit, shape_of_value, suggest};
pub use records::{is_writable, system_fields};

use crate::condition::Operator;
use crate::field::FieldType;
use crate::value::Value;

/// What stands on the right side of an operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperandShape {
    /// Nothing.
    None,
    /// One value of the field's type.
    Value,
    /// A list of values of the field's type.
    List,
    /// One value or a list of them.
    OneOrMany,
    /// Two values, both included.
    Between,
    /// A moment or a day: fixed, or moved from now or from a field.
    Moment,
    /// Two moments or days, both included.
    Period,
    /// A length of time.
    Span,
    /// Days of the week.
    Weekdays,
    /// A stretch of the day.
    TimeOfDay,
    /// A text with `*` and `?`.
    Pattern,
    /// A country by two letters or calling code, or a list of them.
    Country,
}

/// One operator of a field type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperatorUse {
    /// The operator.
    pub operator: Operator,
    /// What stands on its right side.
    pub operand: OperandShape,
    /// Another field may stand there instead.
    pub other_field: bool,
}

const fn plain(operator: Operator, operand: OperandShape) -> OperatorUse {
    OperatorUse {
        operator,
        operand,
        other_field: false,
    }
}

const fn or_field(operator: Operator, operand: OperandShape) -> OperatorUse {
    OperatorUse {
        operator,
        operand,
        other_field: true,
    }
}

use OperandShape as S;
use Operator as O;

const EMPTY: OperatorUse = plain(O::IsEmpty, S::None);
const FILLED: OperatorUse = plain(O::IsNotEmpty, S::None);
const CHANGED: OperatorUse = plain(O::Changed, S::None);
const BECAME_EMPTY: OperatorUse = plain(O::BecameEmpty, S::None);
const FROM: OperatorUse = plain(O::ChangedFrom, S::OneOrMany);
const TO: OperatorUse = plain(O::ChangedTo, S::OneOrMany);
const THERE: OperatorUse = plain(O::ExistsInOther, S::None);
const NOT_THERE: OperatorUse = plain(O::NotInOther, S::None);
const EQUALS: OperatorUse = or_field(O::Equals, S::Value);
const NOT_EQUALS: OperatorUse = or_field(O::NotEquals, S::Value);
const IN: OperatorUse = plain(O::In, S::List);
const NOT_IN: OperatorUse = plain(O::NotIn, S::List);

const TEXT: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    or_field(O::Contains, S::Value),
    or_field(O::NotContains, S::Value),
    plain(O::StartsWith, S::Value),
    plain(O::EndsWith, S::Value),
    IN,
    NOT_IN,
    plain(O::Matches, S::Pattern),
    EMPTY,
    FILLED,
    CHANGED,
    FROM,
    TO,
    BECAME_EMPTY,
];

const NUMBER: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    or_field(O::Less, S::Value),
    or_field(O::LessOrEqual, S::Value),
    or_field(O::Greater, S::Value),
    or_field(O::GreaterOrEqual, S::Value),
    plain(O::Between, S::Between),
    IN,
    NOT_IN,
    EMPTY,
    FILLED,
    CHANGED,
    FROM,
    TO,
    BECAME_EMPTY,
];

const DATE_TIME: &[OperatorUse] = &[
    or_field(O::Equals, S::Moment),
    or_field(O::NotEquals, S::Moment),
    or_field(O::Before, S::Moment),
    or_field(O::After, S::Moment),
    plain(O::Between, S::Period),
    plain(O::OlderThan, S::Span),
    plain(O::WithinLast, S::Span),
    plain(O::WithinNext, S::Span),
    plain(O::Weekday, S::Weekdays),
    plain(O::TimeOfDay, S::TimeOfDay),
    plain(O::WorkingTime, S::None),
    EMPTY,
    FILLED,
    CHANGED,
    BECAME_EMPTY,
];

const DATE: &[OperatorUse] = &[
    or_field(O::Equals, S::Moment),
    or_field(O::NotEquals, S::Moment),
    or_field(O::Before, S::Moment),
    or_field(O::After, S::Moment),
    plain(O::Between, S::Period),
    plain(O::OlderThan, S::Span),
    plain(O::WithinLast, S::Span),
    plain(O::WithinNext, S::Span),
    plain(O::Weekday, S::Weekdays),
    EMPTY,
    FILLED,
    CHANGED,
    BECAME_EMPTY,
];

const FLAG: &[OperatorUse] = &[
    plain(O::IsTrue, S::None),
    plain(O::IsFalse, S::None),
    EMPTY,
    FILLED,
    CHANGED,
    TO,
    BECAME_EMPTY,
];

const SELECT: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    IN,
    NOT_IN,
    EMPTY,
    FILLED,
    CHANGED,
    FROM,
    TO,
    BECAME_EMPTY,
];

const MULTI: &[OperatorUse] = &[
    plain(O::ContainsAny, S::List),
    plain(O::ContainsAll, S::List),
    plain(O::ContainsNone, S::List),
    EMPTY,
    FILLED,
    CHANGED,
    BECAME_EMPTY,
];

const PHONE: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    plain(O::Contains, S::Value),
    plain(O::NotContains, S::Value),
    plain(O::StartsWith, S::Value),
    IN,
    NOT_IN,
    plain(O::Country, S::Country),
    EMPTY,
    FILLED,
    CHANGED,
    BECAME_EMPTY,
    THERE,
    NOT_THERE,
];

const EMAIL: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    plain(O::Contains, S::Value),
    plain(O::NotContains, S::Value),
    plain(O::StartsWith, S::Value),
    plain(O::EndsWith, S::Value),
    IN,
    NOT_IN,
    plain(O::Matches, S::Pattern),
    EMPTY,
    FILLED,
    CHANGED,
    BECAME_EMPTY,
    THERE,
    NOT_THERE,
];

const CODE: &[OperatorUse] = &[
    EQUALS,
    NOT_EQUALS,
    IN,
    NOT_IN,
    EMPTY,
    FILLED,
    CHANGED,
    FROM,
    TO,
    BECAME_EMPTY,
];

const ID: &[OperatorUse] = &[
    EQUALS, NOT_EQUALS, IN, NOT_IN, EMPTY, FILLED, CHANGED, THERE, NOT_THERE,
];

const OPAQUE: &[OperatorUse] = &[EMPTY, FILLED, CHANGED, BECAME_EMPTY];

/// The operators of a field type, in the order of the editor.
pub const fn operators(field_type: FieldType) -> &'static [OperatorUse] {
    match field_type {
        FieldType::Text => TEXT,
        FieldType::Number | FieldType::Money => NUMBER,
        FieldType::DateTime => DATE_TIME,
        FieldType::Date => DATE,
        FieldType::Flag => FLAG,
        FieldType::Select => SELECT,
        FieldType::MultiSelect | FieldType::Tags => MULTI,
        FieldType::User | FieldType::Stage | FieldType::Pipeline => CODE,
        FieldType::Phone => PHONE,
        FieldType::Email => EMAIL,
        FieldType::Id => ID,
        FieldType::Opaque => OPAQUE,
    }
}

/// How a field type uses an operator; `None` when it does not have it.
pub fn operator_use(field_type: FieldType, operator: Operator) -> Option<&'static OperatorUse> {
    operators(field_type)
        .iter()
        .find(|entry| entry.operator == operator)
}

/// Every field type.
pub const ALL_TYPES: [FieldType; 16] = [
    FieldType::Text,
    FieldType::Number,
    FieldType::Money,
    FieldType::DateTime,
    FieldType::Date,
    FieldType::Flag,
    FieldType::Select,
    FieldType::MultiSelect,
    FieldType::Tags,
    FieldType::User,
    FieldType::Phone,
    FieldType::Email,
    FieldType::Stage,
    FieldType::Pipeline,
    FieldType::Id,
    FieldType::Opaque,
];

/// Russian name of a field type.
pub const fn type_title(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Text => "текст",
        FieldType::Number => "число",
        FieldType::Money => "сумма",
        FieldType::DateTime => "дата и время",
        FieldType::Date => "дата",
        FieldType::Flag => "да/нет",
        FieldType::Select => "список",
        FieldType::MultiSelect => "мультисписок",
        FieldType::Tags => "теги",
        FieldType::User => "пользователь",
        FieldType::Phone => "телефон",
        FieldType::Email => "e-mail",
        FieldType::Stage => "этап",
        FieldType::Pipeline => "воронка",
        FieldType::Id => "номер записи",
        FieldType::Opaque => "особое",
    }
}

/// A fixed value that may stand on the right side of a comparison with a field of this type. Nothing is
/// converted: a number is no text and a text is no number.
pub fn is_operand(field_type: FieldType, value: &Value) -> bool {
    match field_type {
        FieldType::Text | FieldType::Phone | FieldType::Email => matches!(value, Value::Text(_)),
        FieldType::Number | FieldType::Money => matches!(value, Value::Number(_)),
        FieldType::DateTime => matches!(value, Value::Instant(_) | Value::Day(_)),
        FieldType::Date => matches!(value, Value::Day(_)),
        FieldType::Flag => matches!(value, Value::Flag(_)),
        FieldType::Select | FieldType::MultiSelect | FieldType::Tags => matches!(value, Value::Choice(_)),
        FieldType::User => matches!(value, Value::User(_)),
        FieldType::Stage => matches!(value, Value::Stage(_)),
        FieldType::Pipeline | FieldType::Id => matches!(value, Value::Id(_)),
        FieldType::Opaque => false,
    }
}

/// A field of the one type may be compared with a field of the other.
pub const fn is_comparable(left: FieldType, right: FieldType) -> bool {
    use FieldType as T;
    matches!(
        (left, right),
        (T::Text | T::Select | T::Email, T::Text | T::Select | T::Email)
            | (T::Number | T::Money, T::Number | T::Money)
            | (T::Date | T::DateTime, T::Date | T::DateTime)
            | (T::User, T::User)
            | (T::Stage, T::Stage)
            | (T::Pipeline, T::Pipeline)
            | (T::Id, T::Id)
            | (T::Phone, T::Phone)
    )
}
