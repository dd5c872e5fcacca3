use std::collections::BTreeMap;
use std::fmt::Debug;

use api::Page;
use api::connection::{CatalogueView, ConnectionSettings};
use domain::action::{Action, ActionCard};
use domain::catalogue::Catalogue;
use domain::condition::{Compare, Condition, Operand, Operator};
use domain::connection::ConnectorKind;
use domain::field::SystemField;
use domain::mapping::{Conversion, Expression, LetterCase, MappingLine};
use domain::record::{Record, RecordKind};
use domain::rule::Rule;
use domain::value::{Day, Stage, Value as Held};
use serde::{Deserialize, Serialize};

use super::*;
use crate::draft::blank;
use crate::names::tests::{AMO, LPT, catalogues};

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&read::<T>(&text).unwrap(), value, "{text}");
}

fn rule() -> Rule {
    let compare = |with| {
        Condition::Compare(Compare {
            field: "before.deal.cf.17".parse().unwrap(),
            operator: Operator::In,
            with,
            alike: Default::default(),
        })
    };
    let line = MappingLine {
        record: RecordKind::Lead,
        field: SystemField::Name.into(),
        from: Expression::FirstOf(vec![
            Expression::Template("{{deal.name}}".to_owned()),
            Expression::Constant(Held::Day(Day {
                year: 2026,
                month: 1,
                day: 2,
            })),
        ]),
        convert: vec![
            Conversion::Trim,
            Conversion::Case(LetterCase::Upper),
            Conversion::Options {
                table: vec![(Held::text("а"), Held::Flag(true))],
                default: None,
            },
        ],
        mode: Default::default(),
        if_empty: Default::default(),
    };
    Rule {
        condition: Condition::All(vec![
            Condition::Not(Box::new(compare(Operand::None))),
            Condition::Any(vec![
                compare(Operand::Values(vec![
                    Held::User(-1),
                    Held::Stage(Stage {
                        pipeline: 1,
                        status: 2,
                    }),
                ])),
                compare(Operand::TimeOfDay(60, 120)),
            ]),
        ]),
        actions: vec![ActionCard {
            connection: Some(LPT),
            enabled: false,
            action: Action::Upsert {
                kind: RecordKind::Lead,
                order: Vec::new(),
                pick: domain::command::Pick::InPipeline { pipeline: 5 },
                if_none: Default::default(),
                if_found: Default::default(),
                mapping: vec![line],
                stage: None,
                responsible: Some(0),
                tags: Vec::new(),
            },
        }],
        ..blank(AMO, ConnectorKind::Amocrm)
    }
}

#[test]
fn what_the_server_writes_is_read() {
    check(&rule());
    check(&catalogues());
    let known = catalogues().get(AMO).unwrap().catalogue.clone();
    check(&CatalogueView {
        connection_id: AMO,
        catalogue: Catalogue::clone(&known),
    });
    check(&ConnectionSettings::Lptracker {
        base_url: None,
        login: "я".to_owned(),
        project_id: i64::MAX,
    });
    check(&Record::new(RecordKind::Deal, 7).with(SystemField::Name, Held::text("имя")));
    check(&Page::<Held> {
        items: vec![
            Held::Empty,
            Held::Number("-12.50".parse().unwrap()),
            Held::Json(serde_json::json!({ "a": [1, -1, 0.5, null, "б", { "в": false }] })),
        ],
        next: Some("дальше".to_owned()),
    });
}

#[derive(PartialEq, Debug, Serialize, Deserialize)]
enum Every {
    Unit,
    New(Option<u8>),
    Pair(f64, char),
    Named { map: BTreeMap<String, ()> },
}

#[test]
fn every_form_of_a_variant_is_read() {
    check(&vec![
        Every::Unit,
        Every::New(None),
        Every::New(Some(255)),
        Every::Pair(1.5, 'ж'),
        Every::Named {
            map: BTreeMap::from([("к".to_owned(), ())]),
        },
    ]);
}

#[test]
fn wrong_shapes_are_refused() {
    let cases = [
        "[]",
        "{}",
        "null",
        "7",
        "\"x\"",
        "{\"items\":7}",
        "{\"items\":[{}]}",
    ];
    for text in cases {
        let error = read::<Page<String>>(text).unwrap_err();
        assert!(matches!(error.fault(), Fault::Data(_)), "{text}");
    }
    assert!(read::<u8>("256").is_err());
    assert!(read::<u8>("-1").is_err());
}

#[test]
fn syntax_errors_know_their_line() {
    let error = read::<Rule>("{\n  \"name\": ,\n}").unwrap_err();
    assert_eq!(
        error.fault(),
        &Fault::Syntax {
            cut: false,
            line: 2,
            column: 11
        }
    );
    let error = read::<Rule>("{\"name\":").unwrap_err();
    assert!(matches!(error.fault(), Fault::Syntax { cut: true, .. }));
}
