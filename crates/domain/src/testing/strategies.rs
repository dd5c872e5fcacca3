//! Strategies: every part of the language, sense or nonsense.

use super::*;

pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Empty),
        "[а-яё a-z]{0,6}|8912[0-9]{7}".prop_map(Value::Text),
        (-1000i64..1000, 0u32..3).prop_map(|(n, scale)| Value::Number(Decimal::new(n, scale))),
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(|at| Value::Instant(Timestamp(at))),
        (0i64..4_000_000_000_000).prop_map(|at| Value::Instant(Timestamp(at))),
        (any::<i32>(), any::<u8>(), any::<u8>()).prop_map(|(year, month, day)| Value::Day(Day {
            year,
            month,
            day
        })),
        (2020i32..2030, 1u8..13, 1u8..29).prop_map(|(year, month, day)| Value::Day(Day { year, month, day })),
        (proptest::option::of(60i64..75), "[а-я]{0,4}|Сайт|Дом")
            .prop_map(|(id, name)| Value::Choice(Choice { id, name })),
        proptest::collection::vec((70i64..75).prop_map(|id| Choice::new(id, "Дом")), 0..3)
            .prop_map(Value::Choices),
        (0i64..10).prop_map(Value::User),
        prop_oneof![Just(NEW), Just(TALKS), Just(STEP)].prop_map(Value::Stage),
        prop_oneof![Just(10i64), Just(50), any::<i64>()].prop_map(Value::Id),
        proptest::collection::vec("[a-z0-9+]{0,8}", 0..3).prop_map(Value::Texts),
        Just(Value::Json(serde_json::json!({"a": [1, null]}))),
    ]
}

pub(crate) fn any_path() -> impl Strategy<Value = FieldPath> {
    let key = prop_oneof![
        proptest::sample::select(SystemField::ALL).prop_map(FieldKey::System),
        (0i64..22).prop_map(FieldKey::Custom),
    ];
    (any::<bool>(), proptest::sample::select(&RecordKind::ALL[..]), key).prop_map(|(before, record, key)| {
        if before && key != FieldKey::Custom(0) {
            FieldPath::before(record, key)
        } else {
            FieldPath::now(record, key)
        }
    })
}

/// Fields that the small workspace has.
pub(crate) fn real_path() -> impl Strategy<Value = FieldPath> {
    proptest::sample::select(
        [
            "deal.name",
            "deal.price",
            "deal.stage",
            "deal.pipeline",
            "deal.responsible",
            "deal.tags",
            "deal.created_at",
            "deal.closed_at",
            "deal.cf.1",
            "deal.cf.2",
            "deal.cf.3",
            "deal.cf.4",
            "deal.cf.5",
            "deal.cf.6",
            "deal.cf.7",
            "deal.cf.8",
            "contact.phone",
            "contact.email",
            "contact.cf.20",
            "lead.name",
            "before.deal.stage",
            "event.at",
            "deal.id",
            "deal.loss_reason",
        ]
        .map(path)
        .to_vec(),
    )
}

fn any_span() -> impl Strategy<Value = Span> {
    let unit = prop_oneof![
        Just(SpanUnit::Minutes),
        Just(SpanUnit::Hours),
        Just(SpanUnit::Days),
        Just(SpanUnit::Weeks),
        Just(SpanUnit::WorkingDays)
    ];
    (prop_oneof![-40i64..40, any::<i64>()], unit).prop_map(|(n, unit)| Span { n, unit })
}

pub(crate) fn any_operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        Just(Operand::None),
        any_value().prop_map(Operand::Value),
        proptest::collection::vec(any_value(), 0..4).prop_map(Operand::Values),
        (any_value(), any_value()).prop_map(|(from, to)| Operand::Between(from, to)),
        any_path().prop_map(Operand::Field),
        any_span().prop_map(Operand::Span),
        (proptest::option::of(real_path()), any_span())
            .prop_map(|(from, by)| Operand::Moved(Moved { from, by })),
        proptest::collection::vec(0u8..9, 0..4).prop_map(Operand::Weekdays),
        (0u16..1500, 0u16..1500).prop_map(|(from, to)| Operand::TimeOfDay(from, to)),
        (2020i32..2030, 0u8..14, 0u8..33).prop_map(|(year, month, day)| Operand::Day(Day {
            year,
            month,
            day
        })),
    ]
}

pub(crate) fn any_compare() -> impl Strategy<Value = Compare> {
    let alike = any::<(bool, bool, bool, bool)>().prop_map(|(case, yo, spaces, phone)| Alike {
        case,
        yo,
        spaces,
        phone,
    });
    (
        prop_oneof![real_path(), any_path()],
        proptest::sample::select(Operator::ALL),
        any_operand(),
        alike,
    )
        .prop_map(|(field, operator, with, alike)| Compare {
            field,
            operator,
            with,
            alike,
        })
}

/// A comparison whose operand is made for its field, so that most of them compile.
pub(crate) fn sound_compare() -> impl Strategy<Value = Compare> {
    (real_path(), any::<prop::sample::Index>(), any_operand()).prop_map(|(field, pick, with)| {
        let catalogues = catalogues();
        let field_type =
            crate::types::describe(field, &catalogues).map_or(FieldType::Text, |one| one.field_type);
        let list = crate::types::operators(field_type);
        let changes = [
            Operator::Changed,
            Operator::ChangedFrom,
            Operator::ChangedTo,
            Operator::BecameEmpty,
        ];
        let entry = match list[pick.index(list.len())] {
            // A former value does not change.
            entry if field.moment == Moment::Before && changes.contains(&entry.operator) => list[0],
            entry => entry,
        };
        let one = || match field_type {
            FieldType::Text | FieldType::Email => Value::text("заявка"),
            FieldType::Phone => Value::text("89123456789"),
            FieldType::Number | FieldType::Money => number("90000"),
            FieldType::DateTime | FieldType::Date => Value::Day(day("05.03.2026")),
            FieldType::Flag => Value::Flag(true),
            FieldType::Select if field.key == FieldKey::Custom(6) => Value::Choice(Choice::new(61, "Сайт")),
            FieldType::Select => Value::Choice(Choice::new(41, "Дорого")),
            FieldType::MultiSelect => Value::Choice(Choice::new(72, "Дача")),
            FieldType::Tags => Value::Choice(Choice::named("VIP")),
            FieldType::User => Value::User(7),
            FieldType::Stage => Value::Stage(TALKS),
            FieldType::Pipeline => Value::Id(10),
            FieldType::Id | FieldType::Opaque => Value::Id(77),
        };
        use crate::types::OperandShape as S;
        let with = match (entry.operand, with) {
            (S::None, _) => Operand::None,
            (S::Value | S::Pattern | S::OneOrMany | S::Moment, _) => Operand::Value(one()),
            (S::List, _) => Operand::Values(vec![one()]),
            (S::Between | S::Period, _) => Operand::Between(one(), one()),
            (S::Span, _) => Operand::Span(Span {
                n: 3,
                unit: SpanUnit::Days,
            }),
            (S::Weekdays, _) => Operand::Weekdays(vec![1, 4]),
            (S::TimeOfDay, _) => Operand::TimeOfDay(540, 1080),
            (S::Country, _) => Operand::Value(Value::text("RU")),
        };
        Compare {
            field,
            operator: entry.operator,
            with,
            alike: Alike::default(),
        }
    })
}

pub(crate) fn tree(leaf: impl Strategy<Value = Compare> + 'static) -> impl Strategy<Value = Condition> {
    leaf.prop_map(Condition::Compare)
        .prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
                inner.prop_map(|inner| Condition::Not(Box::new(inner))),
            ]
        })
}

pub(crate) fn any_expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        prop_oneof![real_path(), any_path()].prop_map(Expression::Field),
        any_value().prop_map(Expression::Constant),
        "(\\{\\{(deal|contact)\\.(name|phone|price|stage)( \\| (phone|money|upper))?\\}\\} ?|[а-я{} ]{0,4}){0,4}"
            .prop_map(Expression::Template),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        proptest::collection::vec(inner, 0..3).prop_map(Expression::FirstOf)
    })
}

fn any_conversion() -> impl Strategy<Value = Conversion> {
    prop_oneof![
        Just(Conversion::Phone),
        Just(Conversion::Trim),
        Just(Conversion::Case(LetterCase::Title)),
        Just(Conversion::Number),
        "[dmYHi. x]{0,8}".prop_map(Conversion::DateFormat),
        (
            proptest::collection::vec((any_value(), any_value()), 0..3),
            proptest::option::of(any_value())
        )
            .prop_map(|(table, default)| Conversion::Options { table, default }),
        Just(Conversion::First),
        "[, ]{0,2}".prop_map(Conversion::Join),
        any_value().prop_map(Conversion::Default),
        Just(Conversion::Text),
    ]
}

fn any_line() -> impl Strategy<Value = MappingLine> {
    (
        proptest::sample::select(&RecordKind::ALL[..5]),
        prop_oneof![
            proptest::sample::select(SystemField::ALL).prop_map(FieldKey::System),
            (0i64..22).prop_map(FieldKey::Custom)
        ],
        any_expression(),
        proptest::collection::vec(any_conversion(), 0..3),
        prop_oneof![
            Just(WriteMode::Replace),
            Just(WriteMode::Append),
            Just(WriteMode::FillEmpty)
        ],
        prop_oneof![Just(IfEmpty::Leave), Just(IfEmpty::Clear), Just(IfEmpty::Require)],
    )
        .prop_map(|(record, field, from, convert, mode, if_empty)| MappingLine {
            record,
            field,
            from,
            convert,
            mode,
            if_empty,
        })
}

pub(crate) fn any_action() -> impl Strategy<Value = Action> {
    let target = || prop_oneof![Just(Target::Trigger), Just(Target::Linked)];
    let stage = || prop_oneof![Just(NEW), Just(TALKS), Just(LOST), Just(STEP), Just(CALLED)];
    let lines = || proptest::collection::vec(any_line(), 0..4);
    prop_oneof![
        (
            any::<bool>(),
            lines(),
            proptest::option::of(stage()),
            proptest::option::of(0i64..90)
        )
            .prop_map(|(deal, mapping, stage, responsible)| Action::Upsert {
                kind: if deal { RecordKind::Deal } else { RecordKind::Lead },
                order: vec![MatchBy::Link, MatchBy::Phone],
                pick: Default::default(),
                if_none: Default::default(),
                if_found: Default::default(),
                mapping,
                stage,
                responsible,
                tags: Vec::new(),
            }),
        (target(), lines()).prop_map(|(target, mapping)| Action::Update { target, mapping }),
        (target(), stage(), proptest::option::of(40i64..43)).prop_map(|(target, stage, loss_reason)| {
            Action::Move {
                target,
                stage,
                loss_reason,
            }
        }),
        (target(), any_expression()).prop_map(|(target, user)| Action::SetResponsible { target, user }),
        (target(), proptest::collection::vec(any_expression(), 0..2)).prop_map(|(target, add)| {
            Action::ChangeTags {
                target,
                add,
                remove: Vec::new(),
            }
        }),
        (target(), any_expression()).prop_map(|(target, text)| Action::AddNote { target, text }),
        (target(), any_expression(), any::<i64>()).prop_map(|(target, text, due_in_minutes)| {
            Action::AddTask {
                target,
                text,
                task_type: None,
                due_in_minutes,
                responsible: None,
            }
        }),
        (target(), proptest::option::of(any_expression())).prop_map(|(target, phone)| Action::LogCall {
            target,
            phone,
            duration: None,
            recording: None,
            result: None,
        }),
        (target(), any_expression()).prop_map(|(target, sum)| Action::AddPayment {
            target,
            category: Expression::Constant(Value::text("Оплата")),
            purpose: Expression::Template("{{deal.name}}".to_owned()),
            sum,
        }),
        target().prop_map(|target| Action::StartCall { target }),
        (any_expression(), any_expression()).prop_map(|(phone, result)| Action::SaveCallResult {
            phone,
            result,
            comment: None
        }),
        proptest::collection::vec(("[a-z]{0,3}", any_expression()), 0..3).prop_map(|body| {
            Action::SendWebhook {
                url: "https://example.org/hook".to_owned(),
                body,
            }
        }),
        any_expression().prop_map(|text| Action::Notify {
            channel: crate::command::NotifyChannel::InApp,
            to: String::new(),
            text
        }),
        Just(Action::Stop {
            reason: String::new()
        }),
    ]
}

pub(crate) fn any_rule() -> impl Strategy<Value = Rule> {
    let trigger = proptest::sample::select(EventKind::ALL).prop_map(Trigger::on);
    (
        "[а-я ]{0,10}",
        prop_oneof![4 => Just(AMO), 1 => Just(LPT), 1 => Just(ConnectionId(uuid::Uuid::nil()))],
        proptest::collection::vec(trigger, 0..3),
        tree(any_compare()),
        proptest::collection::vec(
            (
                any::<bool>(),
                proptest::option::of(prop_oneof![Just(AMO), Just(LPT)]),
                any_action(),
            ),
            0..4,
        ),
        any::<bool>(),
        any::<u8>(),
    )
        .prop_map(
            |(name, source, triggers, condition, actions, stop, quiet_secs)| Rule {
                name,
                description: String::new(),
                source,
                triggers,
                condition,
                actions: actions
                    .into_iter()
                    .map(|(enabled, connection, action)| ActionCard {
                        connection,
                        enabled,
                        action,
                    })
                    .collect(),
                stop,
                quiet_secs,
            },
        )
}

/// The small workspace's facts with any values in any fields.
pub(crate) fn any_facts() -> impl Strategy<Value = Facts> {
    let fields = proptest::collection::vec((real_path(), any_value()), 0..12);
    let before = proptest::collection::vec((real_path(), any_value()), 0..3);
    let changed = proptest::option::of(proptest::collection::vec(real_path(), 0..3));
    (
        fields,
        before,
        changed,
        proptest::option::of(any::<bool>()),
        proptest::sample::select(EventKind::ALL),
        any::<bool>(),
    )
        .prop_map(|(fields, before, changed, exists_in_other, kind, fresh)| {
            let mut facts = facts();
            if fresh {
                facts.records.truncate(1);
                facts.records[0].record = Record::new(RecordKind::Deal, 77);
            }
            for (path, value) in fields {
                if let Some(known) = facts
                    .records
                    .iter_mut()
                    .find(|known| known.record.key.kind == path.record)
                {
                    known.record.set(path.key, value);
                }
            }
            facts.before = before
                .into_iter()
                .map(|(path, value)| (path.key, value))
                .collect();
            facts.changed = changed.map(|list| list.into_iter().map(|path| path.key).collect());
            facts.exists_in_other = exists_in_other;
            facts.kind = kind;
            facts
        })
}
