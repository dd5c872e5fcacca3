//! Whatever comes in, the service answers and keeps its data in order.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::amocrm::ids::DEMO_AMOCRM_TOKEN;
use crate::clock::Clock;

const PATHS: [&str; 24] = [
    "leads",
    "contacts",
    "companies",
    "leads/40000001",
    "contacts/50000001",
    "leads/complex",
    "leads/notes",
    "leads/40000001/notes",
    "leads/40000001/link",
    "leads/40000001/unlink",
    "leads/link",
    "leads/tags",
    "tasks",
    "tasks/1",
    "calls",
    "webhooks",
    "leads/unsorted/forms",
    "leads/unsorted/x/accept",
    "leads/pipelines",
    "leads/pipelines/7000001/statuses",
    "leads/custom_fields",
    "leads/custom_fields/740001",
    "events",
    "users",
];

const KEYS: [&str; 33] = [
    "id",
    "name",
    "price",
    "status_id",
    "pipeline_id",
    "loss_reason_id",
    "responsible_user_id",
    "created_by",
    "custom_fields_values",
    "field_id",
    "field_code",
    "values",
    "value",
    "enum_id",
    "_embedded",
    "tags",
    "contacts",
    "companies",
    "metadata",
    "note_type",
    "params",
    "text",
    "to_entity_id",
    "to_entity_type",
    "destination",
    "settings",
    "created_at",
    "updated_at",
    "complete_till",
    "entity_id",
    "entity_type",
    "sort",
    "user_id",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            40_000_001_i64,
            50_000_001,
            142,
            143,
            740_001,
            735_649,
            11_000_001
        ])
        .prop_map(Value::from),
        prop::sample::select(vec!["PHONE", "common", "contacts", "forms", "", "Сайт"]).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

fn ask(state: &mut State, method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
    let request = Incoming {
        method,
        path,
        query,
        base: "http://sandbox".to_owned(),
        host: "demo.amocrm.ru",
        bearer: Some(DEMO_AMOCRM_TOKEN.to_owned()),
        refresh: None,
        body,
    };
    let (Ok(answer) | Err(answer)) = state.answer(&request);
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_answered_and_a_refusal_changes_nothing(
        method in prop::sample::select(vec!["GET", "POST", "PATCH", "DELETE"]),
        path in prop::sample::select(PATHS.to_vec()),
        body in any_json(),
        in_array in any::<bool>(),
    ) {
        let clock = Clock::default();
        clock.freeze();
        let mut state = State::seeded(&clock, true);
        let before = format!("{:?}", state.accounts);
        let body = if in_array { json!([body]) } else { body };
        let answer = ask(&mut state, method, &format!("/api/v4/{path}"), "", body.to_string().as_bytes());
        prop_assert!((200..500).contains(&answer.status), "{} {}", answer.status, answer.body);
        if answer.status >= 400 {
            prop_assert_eq!(before, format!("{:?}", state.accounts));
            prop_assert_eq!(answer.content_type, "application/problem+json");
        }
    }

    #[test]
    fn any_path_and_query_are_answered(path in "/?[a-z0-9/._%а-я-]{0,40}", query in ".{0,60}", junk in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut state = State::seeded(&Clock::default(), true);
        for path in [path.clone(), format!("/api/v4/{path}"), format!("/demo/api/v4/leads{path}"), format!("/oauth2{path}")] {
            let answer = ask(&mut state, "POST", &path, &query, &junk);
            prop_assert!((200..500).contains(&answer.status), "{} {}", answer.status, answer.body);
        }
        let answer = ask(&mut state, "GET", "/api/v4/leads", &query, b"");
        prop_assert!(matches!(answer.status, 200 | 204 | 400 | 429));
    }
}
