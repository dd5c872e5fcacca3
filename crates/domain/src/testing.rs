//! A small workspace for tests: two connections with catalogues, facts of a deal, and strategies that make
//! rules of any kind.

mod strategies;

pub(crate) use strategies::*;

use crate::action::{Action, ActionCard};
use crate::catalogue::{Catalogue, FieldInfo, Pipeline, StageInfo, StageKind, TagInfo, UserInfo};
use crate::catalogues::Catalogues;
use crate::command::{MatchBy, Target, WriteMode};
use crate::condition::{Alike, Compare, Condition, Moved, Operand, Operator, Span, SpanUnit};
use crate::connection::ConnectorKind;
use crate::evaluate::{Calendar, Facts, KnownRecord, Source};
use crate::event::EventKind;
use crate::field::{FieldKey, FieldPath, FieldType, Moment, SystemField};
use crate::id::ConnectionId;
use crate::mapping::{Conversion, Expression, IfEmpty, LetterCase, MappingLine};
use crate::record::{Record, RecordKey, RecordKind};
use crate::rule::{Rule, Trigger};
use crate::time::{Timestamp, Zone};
use crate::value::{Choice, Day, Stage, Value};
use proptest::prelude::*;
use rust_decimal::Decimal;

pub(crate) const AMO: ConnectionId = ConnectionId(uuid::Uuid::from_u128(1));
pub(crate) const LPT: ConnectionId = ConnectionId(uuid::Uuid::from_u128(2));
pub(crate) const NEW: Stage = Stage {
    pipeline: 10,
    status: 100,
};
pub(crate) const TALKS: Stage = Stage {
    pipeline: 10,
    status: 101,
};
pub(crate) const LOST: Stage = Stage {
    pipeline: 10,
    status: 143,
};
pub(crate) const STEP: Stage = Stage {
    pipeline: 50,
    status: 500,
};
pub(crate) const CALLED: Stage = Stage {
    pipeline: 50,
    status: 501,
};

fn field(
    record: RecordKind,
    id: i64,
    name: &str,
    field_type: FieldType,
    options: &[(i64, &str)],
) -> FieldInfo {
    FieldInfo {
        record,
        id,
        name: name.to_owned(),
        field_type,
        raw_type: String::new(),
        code: None,
        options: options.iter().map(|(id, name)| Choice::new(*id, *name)).collect(),
        read_only: false,
    }
}

fn stage(id: i64, name: &str, kind: StageKind) -> StageInfo {
    StageInfo {
        id,
        name: name.to_owned(),
        color: None,
        kind,
    }
}

pub(crate) fn catalogues() -> Catalogues {
    use FieldType as T;
    let user = |id, name: &str, is_active| UserInfo {
        id,
        name: name.to_owned(),
        is_active,
    };
    let amocrm = Catalogue {
        pipelines: vec![Pipeline {
            id: 10,
            name: "Продажи".to_owned(),
            stages: vec![
                stage(100, "Новая", StageKind::Open),
                stage(101, "Переговоры", StageKind::Open),
                stage(142, "Успешно", StageKind::Won),
                stage(143, "Закрыто", StageKind::Lost),
            ],
        }],
        fields: vec![
            field(RecordKind::Deal, 1, "Город", T::Text, &[]),
            field(RecordKind::Deal, 2, "Площадь", T::Number, &[]),
            field(RecordKind::Deal, 3, "Дата встречи", T::DateTime, &[]),
            field(RecordKind::Deal, 4, "День рождения", T::Date, &[]),
            field(RecordKind::Deal, 5, "Согласие", T::Flag, &[]),
            field(
                RecordKind::Deal,
                6,
                "Источник",
                T::Select,
                &[(61, "Сайт"), (62, "Звонок"), (63, "Ёлка")],
            ),
            field(
                RecordKind::Deal,
                7,
                "Интересы",
                T::MultiSelect,
                &[(71, "Дом"), (72, "Дача"), (73, "Сад")],
            ),
            field(RecordKind::Deal, 8, "Чек-лист", T::Opaque, &[]),
            FieldInfo {
                read_only: true,
                ..field(RecordKind::Deal, 9, "Счёт", T::Text, &[])
            },
            field(RecordKind::Contact, 20, "Должность", T::Text, &[]),
        ],
        users: vec![
            user(7, "Анна", true),
            user(8, "Борис", true),
            user(9, "Вера", false),
        ],
        tags: vec![TagInfo {
            record: RecordKind::Deal,
            id: 31,
            name: "vip".to_owned(),
        }],
        task_types: vec![Choice::new(1, "Связаться"), Choice::new(2, "Встреча")],
        loss_reasons: vec![Choice::new(41, "Дорого")],
        ..Catalogue::default()
    };
    let lptracker = Catalogue {
        pipelines: vec![Pipeline {
            id: 50,
            name: "Обзвон".to_owned(),
            stages: vec![
                stage(500, "Новый лид", StageKind::Open),
                stage(501, "Дозвон", StageKind::Open),
            ],
        }],
        fields: vec![
            field(RecordKind::Lead, 1, "Город", T::Text, &[]),
            field(RecordKind::Lead, 2, "Бюджет", T::Number, &[]),
            FieldInfo {
                options: vec![Choice::named("сайт"), Choice::named("звонок")],
                ..field(RecordKind::Lead, 3, "Канал", T::Select, &[])
            },
            field(RecordKind::Lead, 4, "Перезвонить", T::Date, &[]),
        ],
        users: vec![user(70, "Анна Л.", true), user(80, "Борис Л.", true)],
        ..Catalogue::default()
    };
    Catalogues::new()
        .with(AMO, ConnectorKind::Amocrm, amocrm)
        .with(LPT, ConnectorKind::Lptracker, lptracker)
}

pub(crate) fn path(text: &str) -> FieldPath {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}

/// Thursday, 5 March 2026, 12:00 in Moscow.
pub(crate) const NOW: Timestamp = Timestamp(1_772_701_200_000);

/// A moment in Moscow.
pub(crate) fn at(text: &str) -> Timestamp {
    match crate::calendar::parse_date(text, &Zone::moscow()) {
        Some(Value::Instant(at)) => at,
        other => panic!("{text}: {other:?}"),
    }
}

pub(crate) fn day(text: &str) -> Day {
    match crate::calendar::parse_date(text, &Zone::moscow()) {
        Some(Value::Day(day)) => day,
        other => panic!("{text}: {other:?}"),
    }
}

/// A deal in talks that was new, with its contact.
pub(crate) fn facts() -> Facts {
    let deal = Record::new(RecordKind::Deal, 77)
        .with(SystemField::Name, Value::text("Заявка Ёлкина"))
        .with(SystemField::Price, number("90000"))
        .with(SystemField::Stage, Value::Stage(TALKS))
        .with(SystemField::Responsible, Value::User(7))
        .with(SystemField::CreatedBy, Value::User(7))
        .with(
            SystemField::Tags,
            Value::Choices(vec![Choice::new(31, "vip"), Choice::named("сайт")]),
        )
        .with(SystemField::CreatedAt, Value::Instant(at("02.03.2026 10:00")))
        .with(SystemField::UpdatedAt, Value::Instant(NOW))
        .with(SystemField::ClosedAt, Value::Empty)
        .with(FieldKey::Custom(1), Value::text("  Санкт-Петербург "))
        .with(FieldKey::Custom(2), number("0"))
        .with(FieldKey::Custom(3), Value::Instant(at("06.03.2026 18:30")))
        .with(FieldKey::Custom(4), Value::Day(day("01.03.2026")))
        .with(FieldKey::Custom(5), Value::Flag(false))
        .with(FieldKey::Custom(6), Value::Choice(Choice::new(61, "Сайт")))
        .with(
            FieldKey::Custom(7),
            Value::Choices(vec![Choice::new(71, "Дом"), Choice::new(73, "Сад")]),
        );
    let contact = Record::new(RecordKind::Contact, 88)
        .with(SystemField::Name, Value::text("Пётр Ёлкин"))
        .with(
            SystemField::Phone,
            Value::Texts(vec!["8 (912) 345-67-89".to_owned(), "+375291234567".to_owned()]),
        )
        .with(SystemField::Email, Value::Texts(vec!["Petr@Mail.ru".to_owned()]))
        .with(FieldKey::Custom(20), Value::Empty);
    let known = |record| KnownRecord {
        record,
        source: Source::Read,
        at: NOW,
    };
    Facts {
        kind: EventKind::DealStageChanged,
        key: RecordKey::new(RecordKind::Deal, 77),
        records: vec![known(deal), known(contact)],
        before: vec![(SystemField::Stage.into(), Value::Stage(NEW))],
        changed: None,
        exists_in_other: None,
        now: NOW,
        zone: Zone::moscow(),
        calendar: Calendar::default(),
    }
}

pub(crate) fn compare(field: &str, operator: Operator, with: Operand) -> Condition {
    Condition::Compare(Compare {
        field: path(field),
        operator,
        with,
        alike: Alike::default(),
    })
}

pub(crate) fn note(text: &str) -> ActionCard {
    card(Action::AddNote {
        target: Target::Trigger,
        text: Expression::Template(text.to_owned()),
    })
}

pub(crate) fn card(action: Action) -> ActionCard {
    ActionCard {
        connection: None,
        enabled: true,
        action,
    }
}

pub(crate) fn rule(condition: Condition, actions: Vec<ActionCard>) -> Rule {
    Rule {
        name: "Правило".to_owned(),
        description: String::new(),
        source: AMO,
        triggers: vec![Trigger::on(EventKind::DealStageChanged)],
        condition,
        actions,
        stop: false,
        quiet_secs: 0,
    }
}

pub(crate) fn line(
    record: RecordKind,
    field: &str,
    from: Expression,
    convert: Vec<Conversion>,
) -> MappingLine {
    MappingLine {
        record,
        field: field.parse().expect("a field"),
        from,
        convert,
        mode: WriteMode::Replace,
        if_empty: IfEmpty::Leave,
    }
}

pub(crate) fn from(field: &str) -> Expression {
    Expression::Field(path(field))
}
