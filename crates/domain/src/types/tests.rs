use super::*;
use crate::catalogue::{Catalogue, FieldInfo};
use crate::catalogues::Catalogues;
use crate::connection::ConnectorKind;
use crate::field::{FieldPath, SystemField};
use crate::id::ConnectionId;
use crate::mapping::Conversion;
use crate::record::RecordKind;

fn catalogues() -> Catalogues {
    let field = |record, id, name: &str, field_type| FieldInfo {
        record,
        id,
        name: name.to_owned(),
        field_type,
        raw_type: String::new(),
        code: None,
        options: Vec::new(),
        read_only: false,
    };
    let amocrm = Catalogue {
        fields: vec![field(RecordKind::Deal, 5, "Город", FieldType::Text)],
        ..Catalogue::default()
    };
    let lptracker = Catalogue {
        fields: vec![field(RecordKind::Lead, 5, "город ", FieldType::Select)],
        ..Catalogue::default()
    };
    Catalogues::new()
        .with(
            ConnectionId(uuid::Uuid::from_u128(1)),
            ConnectorKind::Amocrm,
            amocrm,
        )
        .with(
            ConnectionId(uuid::Uuid::from_u128(2)),
            ConnectorKind::Lptracker,
            lptracker,
        )
}

#[test]
fn there_are_at_least_45_pairs_and_no_pair_twice() {
    let mut n = 0;
    for field_type in ALL_TYPES {
        let list = operators(field_type);
        n += list.len();
        for (at, entry) in list.iter().enumerate() {
            assert!(
                list[at + 1..]
                    .iter()
                    .all(|other| other.operator != entry.operator),
                "{field_type:?}"
            );
            assert_eq!(operator_use(field_type, entry.operator), Some(entry));
        }
    }
    assert!(n >= 45, "{n}");
    for operator in Operator::ALL {
        assert!(
            ALL_TYPES.iter().any(|t| operator_use(*t, *operator).is_some()),
            "{operator:?} is nowhere"
        );
    }
}

#[test]
fn fields_are_described_in_russian() {
    let all = catalogues();
    let check = |path: &str, label: &str, field_type| {
        let found = describe(path.parse().expect("a path"), &all).expect("described");
        assert_eq!((found.label.as_str(), found.field_type), (label, field_type));
    };
    check("deal.price", "Сделка: Бюджет", FieldType::Money);
    check("before.deal.stage", "Сделка: Этап (было)", FieldType::Stage);
    check("lead.stage", "Лид: Шаг", FieldType::Stage);
    check("deal.cf.5", "Сделка: Город", FieldType::Text);
    check("lead.cf.5", "Лид: город ", FieldType::Select);
    assert_eq!(describe("deal.cf.6".parse().expect("a path"), &all), None);
    assert_eq!(describe("deal.phone".parse().expect("a path"), &all), None);
    let fields = all_fields(&all);
    assert!(fields.iter().any(|field| field.label == "Сделка: Город"));
    assert!(fields.is_sorted_by_key(|field| field.path.record));
}

#[test]
fn every_writable_field_exists() {
    for record in RecordKind::ALL {
        for field in SystemField::ALL {
            if is_writable(record, *field) {
                assert!(system_fields(record).contains(field), "{record:?} {field:?}");
            }
        }
    }
}

#[test]
fn every_needed_conversion_leads_to_a_fit() {
    let options = |target| Conversion::Options {
        table: vec![(
            Value::text("а"),
            match target {
                FieldType::Number | FieldType::Money => Value::Number(1.into()),
                FieldType::Flag => Value::Flag(true),
                FieldType::User => Value::User(1),
                FieldType::Stage => Value::Stage(crate::value::Stage {
                    pipeline: 1,
                    status: 2,
                }),
                _ => Value::Choice(crate::value::Choice::named("а")),
            },
        )],
        default: None,
    };
    for from in ALL_TYPES {
        for target in ALL_TYPES {
            let shape = Shape::of_field(from);
            let Fit::Through(needs) = fit(shape, target) else {
                continue;
            };
            let works = |need: &Need| {
                let conversion = match need {
                    Need::Phone => Conversion::Phone,
                    Need::Number => Conversion::Number,
                    Need::DateFormat => Conversion::DateFormat("d.m.Y".to_owned()),
                    Need::Options => options(target),
                    Need::First => Conversion::First,
                    Need::Join => Conversion::Join(", ".to_owned()),
                    Need::Text => Conversion::Text,
                };
                after(shape, &conversion).is_ok_and(|shape| fit(shape, target) != Fit::Never)
            };
            assert!(needs.iter().all(works), "{from:?} → {target:?}: {needs:?}");
        }
    }
}

#[test]
fn a_field_always_fits_its_own_type() {
    for field_type in ALL_TYPES {
        let expect = match field_type {
            FieldType::Id | FieldType::Pipeline | FieldType::Opaque => Fit::Never,
            _ => Fit::Direct,
        };
        assert_eq!(
            fit(Shape::of_field(field_type), field_type),
            expect,
            "{field_type:?}"
        );
    }
}

#[test]
fn mapping_is_suggested_by_name_and_type() {
    let all = catalogues();
    let fields = all_fields(&all);
    let target = describe("lead.cf.5".parse().expect("a path"), &all).expect("described");
    let deal = |path: FieldPath| path.record == RecordKind::Deal;
    assert_eq!(
        suggest(&target, &fields, deal).map(|field| field.label.as_str()),
        Some("Сделка: Город")
    );
    let phone = describe("lead_contact.phone".parse().expect("a path"), &all).expect("described");
    let contact = |path: FieldPath| path.record == RecordKind::Contact;
    assert_eq!(
        suggest(&phone, &fields, contact).map(|f| f.label.as_str()),
        Some("Контакт: Телефон")
    );
    assert_eq!(suggest(&phone, &fields, deal), None);
}
