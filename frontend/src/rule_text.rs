//! A rule document in Russian: when, if, then. Plain structures; pages only draw them.

use domain::command::{MatchBy, Target, WriteMode};
use domain::condition::{Compare, Condition, Operand, Operator, Span, SpanUnit};
use domain::connection::ConnectorKind;
use domain::field::FieldKey;
use domain::mapping::{Conversion, Expression, IfEmpty, LetterCase, MappingLine};
use domain::record::RecordKind;
use domain::rule::Trigger;
use domain::value::Value;

use crate::clock;
use crate::names::Names;
use crate::text::{counted, plural};

mod actions;

pub use actions::{ActionText, action, pick_text, tag_names};

/// How the members of a group belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// И.
    All,
    /// ИЛИ.
    Any,
    /// НЕ.
    Not,
}

impl Join {
    /// What stands above the group.
    pub const fn title(self) -> &'static str {
        match self {
            Self::All => "Выполнены все условия",
            Self::Any => "Выполнено хотя бы одно условие",
            Self::Not => "Не выполнено",
        }
    }

    /// The word between two members.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "И",
            Self::Any => "ИЛИ",
            Self::Not => "НЕ",
        }
    }
}

/// A node of a condition tree in words.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// A group.
    Group {
        /// How its members belong together.
        join: Join,
        /// Its members.
        children: Vec<Node>,
        /// JSON pointer into the document.
        pointer: String,
    },
    /// A comparison.
    Leaf(Leaf),
}

/// A comparison in words.
#[derive(Clone, PartialEq, Debug)]
pub struct Leaf {
    /// «Сделка · Бюджет».
    pub field: String,
    /// «не меньше».
    pub operator: &'static str,
    /// «100 000».
    pub with: Option<String>,
    /// JSON pointer into the document.
    pub pointer: String,
}

impl Leaf {
    /// The comparison as one sentence.
    pub fn sentence(&self) -> String {
        match &self.with {
            Some(with) => format!("{} {} {with}", self.field, self.operator),
            None => format!("{} {}", self.field, self.operator),
        }
    }
}

/// The condition of a rule in words.
pub fn condition(condition: &Condition, names: &Names) -> Node {
    node(condition, names, "/condition".to_owned())
}

fn node(condition: &Condition, names: &Names, pointer: String) -> Node {
    let group = |join, word: &str, list: &[Condition]| Node::Group {
        join,
        children: list
            .iter()
            .enumerate()
            .map(|(at, inner)| node(inner, names, format!("{pointer}/{word}/{at}")))
            .collect(),
        pointer: pointer.clone(),
    };
    match condition {
        Condition::All(list) => group(Join::All, "all", list),
        Condition::Any(list) => group(Join::Any, "any", list),
        Condition::Not(inner) => Node::Group {
            join: Join::Not,
            children: vec![node(inner, names, format!("{pointer}/not"))],
            pointer,
        },
        Condition::Compare(compare) => Node::Leaf(Leaf {
            field: names.path(compare.field),
            operator: operator(compare),
            with: operand(compare, names),
            pointer: format!("{pointer}/compare"),
        }),
    }
}

/// How many comparisons a condition has.
pub fn count(condition: &Condition) -> u64 {
    match condition {
        Condition::All(list) | Condition::Any(list) => list.iter().map(count).sum(),
        Condition::Not(inner) => count(inner),
        Condition::Compare(_) => 1,
    }
}

fn operator(compare: &Compare) -> &'static str {
    match compare.operator {
        Operator::ExistsInOther => "— запись есть в другой CRM",
        Operator::NotInOther => "— записи нет в другой CRM",
        Operator::IsTrue => "— да",
        Operator::IsFalse => "— нет",
        Operator::WorkingTime => "— в рабочее время",
        other => other.title(),
    }
}

/// The right side of a comparison; `None` when it has none.
pub fn operand(compare: &Compare, names: &Names) -> Option<String> {
    operand_of(compare.field.record, compare.field.key, &compare.with, names)
}

/// The right side of a comparison with a field; `None` when it has none.
pub fn operand_of(record: RecordKind, key: FieldKey, with: &Operand, names: &Names) -> Option<String> {
    let say = |value: &Value| names.quoted(record, Some(key), value);
    Some(match with {
        Operand::None => return None,
        Operand::Value(value) => say(value),
        Operand::Values(list) => list.iter().map(say).collect::<Vec<_>>().join(", "),
        Operand::Between(from, to) => format!("{} и {}", say(from), say(to)),
        Operand::Field(path) => format!("поле «{}»", names.path(*path)),
        Operand::Span(span_) => span(*span_),
        Operand::Moved(moved) => {
            let from = moved
                .from
                .map_or_else(|| "сейчас".to_owned(), |path| format!("«{}»", names.path(path)));
            match moved.by.n {
                0 => from,
                n if n < 0 => format!("{from} \u{2212} {}", span(moved.by)),
                _ => format!("{from} + {}", span(moved.by)),
            }
        }
        Operand::Weekdays(days) => days
            .iter()
            .filter_map(|day| WEEKDAYS.get(usize::from(*day).checked_sub(1)?))
            .copied()
            .collect::<Vec<_>>()
            .join(", "),
        Operand::TimeOfDay(from, to) => format!(
            "с {:02}:{:02} до {:02}:{:02}",
            from / 60,
            from % 60,
            to / 60,
            to % 60
        ),
        Operand::Day(day) => clock::day(*day),
    })
}

const WEEKDAYS: [&str; 7] = [
    "понедельник",
    "вторник",
    "среда",
    "четверг",
    "пятница",
    "суббота",
    "воскресенье",
];

/// A length of time in words, without its sign.
fn span(span: Span) -> String {
    let n = span.n.unsigned_abs();
    match span.unit {
        SpanUnit::Minutes => counted(n, "минута", "минуты", "минут"),
        SpanUnit::Hours => counted(n, "час", "часа", "часов"),
        SpanUnit::Days => counted(n, "день", "дня", "дней"),
        SpanUnit::Weeks => counted(n, "неделя", "недели", "недель"),
        SpanUnit::WorkingDays => format!(
            "{} {}",
            counted(n, "рабочий", "рабочих", "рабочих"),
            plural(n, "день", "дня", "дней")
        ),
    }
}

/// What wakes a rule, in words.
pub fn trigger(trigger: &Trigger, names: &Names, home: Option<ConnectorKind>) -> String {
    let Some(schedule) = &trigger.schedule else {
        return trigger.kind.title().to_owned();
    };
    let when = match &schedule.cron {
        Some(cron) => format!("по расписанию {cron}"),
        None => format!(
            "каждые {}",
            counted(u64::from(schedule.every_minutes), "минуту", "минуты", "минут")
        ),
    };
    let idle = match schedule.idle_days {
        0 => String::new(),
        n => format!(", не менявшиеся {}", counted(u64::from(n), "день", "дня", "дней")),
    };
    if schedule.stages.is_empty() {
        let all = if idle.is_empty() {
            String::new()
        } else {
            format!(", записи на открытых этапах{idle}")
        };
        return format!("{}: {when}{all}", trigger.kind.title());
    }
    let record = match home {
        Some(ConnectorKind::Lptracker) => RecordKind::Lead,
        _ => RecordKind::Deal,
    };
    let stages: Vec<String> = schedule
        .stages
        .iter()
        .map(|stage| format!("«{}»", names.stage(record, *stage)))
        .collect();
    format!(
        "{}: {when}, записи на этапах {}{idle}",
        trigger.kind.title(),
        stages.join(", ")
    )
}

/// A line of a mapping table in words.
#[derive(Clone, PartialEq, Debug)]
pub struct MappingText {
    /// «Сделка · Бюджет», a constant or a template.
    pub from: String,
    /// Conversions in order.
    pub convert: Vec<String>,
    /// «Лид · Сумма».
    pub to: String,
    /// What is special about the line.
    pub note: Option<&'static str>,
}

/// A line of a mapping table.
pub fn mapping(line: &MappingLine, names: &Names) -> MappingText {
    let note = match (line.mode, line.if_empty) {
        (_, IfEmpty::Require) => Some("обязательно: без значения действие не выполняется"),
        (_, IfEmpty::Clear) => Some("пустое значение очищает поле"),
        (WriteMode::Append, _) => Some("добавляется к имеющимся значениям"),
        (WriteMode::FillEmpty, _) => Some("только если поле пустое"),
        (WriteMode::Replace, IfEmpty::Leave) => None,
    };
    MappingText {
        from: expression(&line.from, Some((line.record, line.field)), names),
        convert: line.convert.iter().map(|step| conversion(step, names)).collect(),
        to: format!(
            "{} · {}",
            line.record.title(),
            names.field(line.record, line.field)
        ),
        note,
    }
}

/// An expression in words. `target` is the field it is for: constants are read in its catalogue.
pub fn expression(expression_: &Expression, target: Option<(RecordKind, FieldKey)>, names: &Names) -> String {
    match expression_ {
        Expression::Field(path) => names.path(*path),
        Expression::Constant(value) => {
            let (record, key) = target.map_or((RecordKind::Event, None), |(record, key)| (record, Some(key)));
            names.quoted(record, key, value)
        }
        Expression::Template(text) => format!("«{}»", template(text, names)),
        Expression::FirstOf(list) => format!(
            "первое непустое из: {}",
            list.iter()
                .map(|inner| expression(inner, target, names))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    }
}

/// A template with the names of its places instead of their codes: `{{deal.name}}` → `{Сделка · Название}`.
pub fn template(text: &str, names: &Names) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let Some(close) = rest[open..].find("}}") else {
            break;
        };
        let place = rest[open + 2..open + close].trim();
        out.push_str(&rest[..open]);
        match place.parse() {
            Ok(path) => out.push_str(&format!("{{{}}}", names.path(path))),
            Err(_) => out.push_str(&rest[open..open + close + 2]),
        }
        rest = &rest[open + close + 2..];
    }
    out.push_str(rest);
    out
}

fn conversion(step: &Conversion, names: &Names) -> String {
    match step {
        Conversion::Phone => "телефон в едином виде".to_owned(),
        Conversion::Trim => "без лишних пробелов".to_owned(),
        Conversion::Case(LetterCase::Lower) => "строчными буквами".to_owned(),
        Conversion::Case(LetterCase::Upper) => "прописными буквами".to_owned(),
        Conversion::Case(LetterCase::Title) => "Каждое Слово С Прописной".to_owned(),
        Conversion::Number => "в число".to_owned(),
        Conversion::DateFormat(format) => format!("дата вида {format}"),
        Conversion::Options { table, default } => {
            let n = u64::try_from(table.len()).unwrap_or(u64::MAX);
            let mut text = format!(
                "по таблице: {}",
                counted(n, "соответствие", "соответствия", "соответствий")
            );
            if let Some(default) = default {
                text.push_str(&format!(
                    ", иначе {}",
                    names.quoted(RecordKind::Event, None, default)
                ));
            }
            text
        }
        Conversion::First => "первое значение".to_owned(),
        Conversion::Join(between) => format!("через «{between}»"),
        Conversion::Default(value) => {
            format!("если пусто — {}", names.quoted(RecordKind::Event, None, value))
        }
        Conversion::Text => "в текст".to_owned(),
    }
}

/// A way to recognise a record, in words.
pub const fn match_by(way: MatchBy) -> &'static str {
    match way {
        MatchBy::Link => "по связи",
        MatchBy::Phone => "по телефону",
        MatchBy::Email => "по e\u{2011}mail",
        MatchBy::Name => "по имени",
    }
}

/// The record a command works on, in words.
pub const fn target(target: Target) -> &'static str {
    match target {
        Target::Trigger => "запись события",
        Target::Linked => "связанная запись в другой CRM",
    }
}

/// The record that a card's target most likely is, so that ids are read in the right catalogue.
pub fn record_of(side: Option<ConnectorKind>) -> RecordKind {
    match side {
        Some(ConnectorKind::Lptracker) => RecordKind::Lead,
        _ => RecordKind::Deal,
    }
}

#[cfg(test)]
mod tests;
