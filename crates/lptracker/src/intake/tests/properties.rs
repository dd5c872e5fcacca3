use super::*;
use proptest::prelude::*;

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        Just(json!("create")),
        Just(json!("update")),
        Just(json!("stage.id,payments,calls_records")),
    ];
    let key = prop::sample::select(vec![
        "id",
        "action",
        "action_timestamp",
        "action_update_fields",
        "custom",
        "contact",
        "contacts",
        "type",
        "value",
        "data",
        "view",
        "stage",
        "owner",
        "payments",
        "sum",
        "calls_records",
        "time",
        "duration",
        "project_id",
        "created_at",
        "name",
        "linkedid",
        "127",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..12)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200), kind in 0..3) {
        let types = ["application/json", "application/x-www-form-urlencoded", ""];
        let content_type = types[kind as usize];
        let _ = LptrackerIntake.parse(content_type, &body, IntakeContext::default());
        let mut data = b"data=".to_vec();
        data.extend_from_slice(&body);
        let _ = LptrackerIntake.parse(content_type, &data, IntakeContext::default());
    }

    #[test]
    fn arbitrary_json_never_panics_and_shapes_agree(payload in any_json()) {
        let direct = LptrackerIntake.parse("", payload.to_string().as_bytes(), IntakeContext::default());
        let form = LptrackerIntake.parse("", form(&payload).as_bytes(), IntakeContext::default());
        // A text member `data` is the second shape when it stands in JSON, and no shape inside a form.
        if payload.is_object() && !payload["data"].is_string() {
            prop_assert_eq!(direct.ok(), form.ok());
        }
    }

    #[test]
    fn cut_bodies_never_panic(cut in 0_usize..4000) {
        let whole = form(&lead());
        let body = &whole.as_bytes()[..cut.min(whole.len())];
        let parsed = LptrackerIntake.parse("", body, IntakeContext::default());
        prop_assert_eq!(parsed.is_ok(), cut >= whole.len());
    }

    #[test]
    fn what_is_sent_is_read(
        id in 1_i64..i64::MAX, step in 1_i64..i64::MAX, owner in 0_i64..i64::MAX,
        name in ".{1,40}", cents in 0_u32..u32::MAX, texts in any::<bool>(),
    ) {
        let spell = |number: i64| if texts { json!(number.to_string()) } else { json!(number) };
        let sum = format!("{}.{:02}", cents / 100, cents % 100);
        let payload = with(json!({
            "id": spell(id), "stage": {"id": spell(step)}, "owner_id": spell(owner), "name": name,
            "payments": [{"sum": sum}],
        }));
        let body = form(&payload);
        let facts = LptrackerIntake.parse("", body.as_bytes(), IntakeContext::default()).unwrap();
        let record = &facts[0].record;
        prop_assert_eq!(record.key.id.number(), Some(id));
        let stage = Value::Stage(Stage { pipeline: 10001, status: step });
        prop_assert_eq!(record.get(SystemField::Stage.into()), Some(&stage));
        prop_assert_eq!(record.get(SystemField::Responsible.into()), Some(&Value::User(owner)));
        prop_assert_eq!(record.get(SystemField::Name.into()), Some(&Value::Text(name)));
        let sum = scalar::decimal(&json!(sum)).map(Value::Number);
        prop_assert_eq!(record.get(SystemField::PaymentSum.into()), sum.as_ref());
    }
}
