//! Checklist lines 15–18: custom fields, validation, statuses, price.

use sandbox::*;
use serde_json::{Value, json};

use crate::lab::Lab;

/// `field_id → values` of an entity.
fn value(entity: &Value, field: i64) -> Value {
    let fields = entity["custom_fields_values"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    fields
        .into_iter()
        .find(|f| f["field_id"] == field)
        .map_or(Value::Null, |f| f["values"].clone())
}

fn set(field: i64, values: Value) -> Value {
    json!({"custom_fields_values": [{"field_id": field, "values": values}]})
}

// Line 15.
#[tokio::test]
async fn mentioned_field_is_replaced_null_clears_and_others_stay() {
    let lab = Lab::start();
    let id = lab.new_lead(set(FIELD_CITY, json!([{"value": "Тверь"}]))).await;
    let path = format!("leads/{id}");
    lab.patch(
        &path,
        set(
            FIELD_PRODUCT_TAGS,
            json!([{"enum_id": ENUM_PRODUCT_CRM}, {"value": "Чат-бот"}]),
        ),
    )
    .await
    .ok();
    lab.patch(&path, set(FIELD_PRODUCT_TAGS, json!([{"value": "Телефония"}])))
        .await
        .ok();
    let lead = lab.lead(id).await;
    assert_eq!(value(&lead, FIELD_CITY), json!([{"value": "Тверь"}]));
    let only = json!([{"value": "Телефония", "enum_id": ENUM_PRODUCT_TELEPHONY, "enum_code": null}]);
    assert_eq!(value(&lead, FIELD_PRODUCT_TAGS), only);
    lab.patch(&path, set(FIELD_PRODUCT_TAGS, Value::Null)).await.ok();
    lab.patch(&path, set(FIELD_CITY, json!([]))).await.ok();
    assert_eq!(lab.lead(id).await["custom_fields_values"], Value::Null);
    lab.sandbox.world.amocrm().set(|s| s.empty_values_as_list = true);
    assert_eq!(lab.lead(id).await["custom_fields_values"], json!([]));

    let phones = json!([{"value": "+7900"}, {"value": "8901", "enum_code": "MOB"}]);
    let contact = lab.new_contact(set(FIELD_PHONE, phones)).await;
    let read = lab.get(&format!("contacts/{contact}")).await.ok();
    let expected = json!([
        {"value": "+7900", "enum_id": ENUM_PHONE_WORK, "enum_code": "WORK"},
        {"value": "8901", "enum_id": ENUM_PHONE_MOB, "enum_code": "MOB"},
    ]);
    assert_eq!(value(&read, FIELD_PHONE), expected);
    assert_eq!(read["custom_fields_values"][0]["field_code"], "PHONE");
    assert!(
        read["custom_fields_values"][0].get("is_computed").is_none(),
        "leads only"
    );
    lab.patch(
        &format!("contacts/{contact}"),
        set(FIELD_PHONE, json!([{"value": "+7902"}])),
    )
    .await
    .ok();
    let read = lab.get(&format!("contacts/{contact}")).await.ok();
    assert_eq!(
        value(&read, FIELD_PHONE).as_array().expect("values").len(),
        1,
        "writing replaces the whole set"
    );
}

// Line 15, one case per type of the contract's table.
#[tokio::test]
async fn every_type_is_read_back_in_its_shape() {
    let lab = Lab::start();
    let add = |name: &'static str, kind: &'static str| {
        lab.sandbox
            .world
            .amocrm()
            .account()
            .add_field(sandbox::amocrm::Kind::Lead, name, kind, &["А", "Б"])
    };
    let entity = json!({"name": "ООО", "entity_type": 2, "vat_id": "77"});
    let cases = [
        ("text", json!({"value": "строка"}), json!({"value": "строка"})),
        ("textarea", json!({"value": "а\nб"}), json!({"value": "а\nб"})),
        (
            "url",
            json!({"value": "https://a.ru"}),
            json!({"value": "https://a.ru"}),
        ),
        (
            "streetaddress",
            json!({"value": "ул. Ленина"}),
            json!({"value": "ул. Ленина"}),
        ),
        (
            "tracking_data",
            json!({"value": "yandex"}),
            json!({"value": "yandex"}),
        ),
        ("numeric", json!({"value": 1.5}), json!({"value": "1.5"})),
        ("numeric", json!({"value": "2"}), json!({"value": "2"})),
        ("monetary", json!({"value": "200"}), json!({"value": "200"})),
        ("checkbox", json!({"value": true}), json!({"value": true})),
        (
            "date",
            json!({"value": "2020-01-01T00:00:00+03:00"}),
            json!({"value": 1_577_826_000}),
        ),
        (
            "date_time",
            json!({"value": 1_577_836_800}),
            json!({"value": 1_577_836_800}),
        ),
        (
            "birthday",
            json!({"value": 1_577_836_800}),
            json!({"value": 1_577_836_800}),
        ),
        ("legal_entity", json!({"value": entity}), json!({"value": entity})),
        (
            "chained_list",
            json!({"catalog_id": 1, "catalog_element_id": 2}),
            json!({"catalog_id": 1, "catalog_element_id": 2}),
        ),
        (
            "file",
            json!({"value": {"file_uuid": "u"}}),
            json!({"value": {"file_uuid": "u"}}),
        ),
        (
            "smart_address",
            json!({"value": "Москва", "enum_code": "city"}),
            json!({"value": "Москва", "enum_id": 3, "enum_code": "city"}),
        ),
        (
            "some_new_type",
            json!({"value": {"a": 1}}),
            json!({"value": {"a": 1}}),
        ),
    ];
    for (kind, written, read) in cases {
        let field = add("Поле", kind);
        let id = lab.new_lead(set(field, json!([written]))).await;
        assert_eq!(value(&lab.lead(id).await, field), json!([read]), "{kind}");
    }
    for kind in ["select", "radiobutton", "category"] {
        let field = add("Список", kind);
        let id = lab.new_lead(set(field, json!([{"value": "Б"}]))).await;
        let read = value(&lab.lead(id).await, field);
        assert_eq!(
            (&read[0]["value"], &read[0]["enum_code"]),
            (&json!("Б"), &Value::Null)
        );
        assert!(read[0]["enum_id"].is_i64());
    }
}

// Line 16.
#[tokio::test]
async fn refusals_name_the_exact_path() {
    let lab = Lab::start();
    let fields = |list: Value| json!({"custom_fields_values": list});
    let cases = [
        (
            set(1, json!([{"value": "x"}])),
            "NotSupportedChoice custom_fields_values.0.field_id",
        ),
        (
            set(FIELD_PHONE, json!([{"value": "x"}])),
            "NotSupportedChoice custom_fields_values.0.field_id",
        ),
        (
            fields(json!([{"field_code": "NOPE", "values": []}])),
            "NotSupportedChoice custom_fields_values.0.field_code",
        ),
        (
            fields(json!([{"values": []}])),
            "FieldMissing custom_fields_values.0.field_id",
        ),
        (
            fields(json!([{"field_id": FIELD_CITY}])),
            "FieldMissing custom_fields_values.0.values",
        ),
        (fields(json!({"a": 1})), "InvalidType custom_fields_values"),
        (
            set(FIELD_SOURCE, json!([{"value": "Нет такого"}])),
            "NotSupportedChoice custom_fields_values.0.values.0.value",
        ),
        (
            set(FIELD_SOURCE, json!([{"value": "сайт"}])),
            "NotSupportedChoice custom_fields_values.0.values.0.value",
        ),
        (
            set(FIELD_SOURCE, json!([{"enum_id": 5}])),
            "NotSupportedChoice custom_fields_values.0.values.0.enum_id",
        ),
        (
            set(FIELD_BUDGET, json!([{"value": "много"}])),
            "InvalidType custom_fields_values.0.values.0.value",
        ),
        (
            set(FIELD_CONSENT, json!([{"value": "да"}])),
            "InvalidType custom_fields_values.0.values.0.value",
        ),
        (
            set(FIELD_CALL_DATE, json!([{"value": "завтра"}])),
            "InvalidType custom_fields_values.0.values.0.value",
        ),
        (
            set(FIELD_CITY, json!([{"value": 5}])),
            "InvalidType custom_fields_values.0.values.0.value",
        ),
        (json!({"status_id": 1}), "NotSupportedChoice status_id"),
        (json!({"status_id": "142"}), "InvalidType status_id"),
        (
            json!({"status_id": STATUS_REPEAT_NEW}),
            "NotSupportedChoice status_id",
        ),
        (json!({"pipeline_id": 1}), "NotSupportedChoice pipeline_id"),
        (
            json!({"responsible_user_id": 1}),
            "NotSupportedChoice responsible_user_id",
        ),
        (
            json!({"responsible_user_id": USER_OLGA}),
            "NotSupportedChoice responsible_user_id",
        ),
        (json!({"created_by": USER_OLGA}), "NotSupportedChoice created_by"),
        (json!({"updated_by": USER_OLGA}), "NotSupportedChoice updated_by"),
        (json!({"price": "сто"}), "InvalidType price"),
        (json!({"name": 5}), "InvalidType name"),
        (
            json!({"loss_reason_id": LOSS_EXPENSIVE}),
            "NotSupportedChoice loss_reason_id",
        ),
        (
            json!({"_embedded": {"contacts": [{"id": 1}]}}),
            "NotSupportedChoice _embedded.contacts.0.id",
        ),
        (
            json!({"_embedded": {"tags": [{"id": 1}]}}),
            "NotSupportedChoice _embedded.tags.0.id",
        ),
    ];
    let before = lab.get("leads?limit=250").await.ok();
    for (item, expected) in cases {
        assert_eq!(
            lab.post("leads", json!([item])).await.faults(),
            [expected],
            "{item}"
        );
    }
    let seventh: Vec<Value> = (0..7)
        .map(|n| {
            if n == 6 {
                json!({"field_id": FIELD_SOURCE, "values": [{"value": "?"}]})
            } else {
                json!({"field_id": FIELD_CITY, "values": [{"value": "Т"}]})
            }
        })
        .collect();
    let faults = lab.post("leads", json!([fields(json!(seventh))])).await.faults();
    assert_eq!(
        faults,
        ["NotSupportedChoice custom_fields_values.6.values.0.value"]
    );
    assert_eq!(lab.get("leads?limit=250").await.ok(), before, "nothing was made");
}

// Line 16, batches.
#[tokio::test]
async fn batch_is_atomic_names_only_the_bad_items_and_has_a_limit() {
    let lab = Lab::start();
    let before = lab.get("leads?limit=250").await.ok();
    let reply = lab
        .post(
            "leads",
            json!([{"name": "Хорошая"}, {"price": "x", "request_id": "плохая"}, {"name": 1}]),
        )
        .await;
    let body = reply.json();
    assert_eq!(
        (reply.status, &body["detail"]),
        (400, &json!("Request validation failed"))
    );
    let items = body["validation-errors"].as_array().expect("items");
    assert_eq!(
        items.iter().map(|i| i["request_id"].clone()).collect::<Vec<_>>(),
        [json!("плохая"), json!("2")]
    );
    assert_eq!(lab.get("leads?limit=250").await.ok(), before);
    let many: Vec<Value> = (0..251).map(|_| json!({"name": "x"})).collect();
    let reply = lab.post("leads", json!(many)).await;
    assert_eq!(
        (reply.status, &reply.json()["detail"]),
        (422, &json!("Limit 250 per page"))
    );
    let id = before["_embedded"]["leads"][0]["id"].clone();
    let faults = lab
        .patch("leads", json!([{"id": 1, "name": "x"}, {"id": id, "name": "y"}]))
        .await
        .faults();
    assert_eq!(faults, ["NotSupportedChoice id"]);
    assert_eq!(lab.get("leads?limit=250").await.ok(), before);
    let complex =
        json!([{"_embedded": {"contacts": [{"responsible_user_id": "x"}]}, "request_id": "ext-77"}]);
    let faults = lab.post("leads/complex", complex).await.faults();
    let at = "_embedded.contacts.0.responsible_user_id";
    assert_eq!(
        faults,
        [format!("InvalidType {at}"), format!("NotSupportedChoice {at}")]
    );
    let strange = json!([{"_embedded": {"catalog_elements": []}}]);
    assert_eq!(
        lab.post("leads/complex", strange).await.faults(),
        ["NotSupportedChoice _embedded.catalog_elements"]
    );
}

// Line 17.
#[tokio::test]
async fn closing_statuses_are_in_every_pipeline_and_govern_closing() {
    let lab = Lab::start();
    let pipelines = lab.get("leads/pipelines").await.ok();
    for pipeline in pipelines["_embedded"]["pipelines"].as_array().expect("pipelines") {
        let statuses = pipeline["_embedded"]["statuses"].as_array().expect("statuses");
        let find = |id: i64| statuses.iter().find(|s| s["id"] == id).expect("a system status");
        assert_eq!(
            (&find(142)["sort"], &find(142)["color"]),
            (&json!(10_000), &json!("#CCFF66"))
        );
        assert_eq!(
            (&find(143)["sort"], &find(143)["color"]),
            (&json!(11_000), &json!("#D5D8DB"))
        );
        let unsorted: Vec<_> = statuses.iter().filter(|s| s["type"] == 1).collect();
        assert_eq!(unsorted.len(), 1);
        assert_eq!(
            (&unsorted[0]["is_editable"], &unsorted[0]["sort"]),
            (&json!(false), &json!(10))
        );
    }
    let id = lab.new_lead(json!({"name": "Х"})).await;
    let path = format!("leads/{id}");
    let lead = lab.lead(id).await;
    assert_eq!(
        (&lead["pipeline_id"], &lead["status_id"]),
        (&json!(PIPELINE_SALES), &json!(STATUS_NEW))
    );
    lab.patch(&path, json!({"status_id": 143, "loss_reason_id": LOSS_EXPENSIVE}))
        .await
        .ok();
    let lost = lab.get(&format!("{path}?with=loss_reason")).await.ok();
    assert!(lost["closed_at"].is_i64());
    assert_eq!(lost["_embedded"]["loss_reason"][0]["name"], "Слишком дорого");
    lab.patch(&path, json!({"status_id": STATUS_CONFIRMED}))
        .await
        .ok();
    let open = lab.lead(id).await;
    assert_eq!(
        (&open["closed_at"], &open["loss_reason_id"]),
        (&Value::Null, &Value::Null)
    );
    lab.patch(&path, json!({"status_id": 142})).await.ok();
    assert!(lab.lead(id).await["closed_at"].is_i64());
    let faults = lab
        .patch(&path, json!({"status_id": 142, "loss_reason_id": LOSS_EXPENSIVE}))
        .await
        .faults();
    assert_eq!(faults, ["NotSupportedChoice loss_reason_id"]);
    assert_eq!(
        lab.patch(&path, json!({"status_id": STATUS_REPEAT_OFFER}))
            .await
            .faults(),
        ["NotSupportedChoice status_id"]
    );
    lab.patch(
        &path,
        json!({"pipeline_id": PIPELINE_REPEAT, "status_id": STATUS_REPEAT_OFFER}),
    )
    .await
    .ok();
    let moved = lab.lead(id).await;
    assert_eq!(
        (&moved["pipeline_id"], &moved["status_id"]),
        (&json!(PIPELINE_REPEAT), &json!(STATUS_REPEAT_OFFER))
    );
    lab.patch(&path, json!({"pipeline_id": PIPELINE_SALES}))
        .await
        .ok();
    assert_eq!(
        lab.lead(id).await["status_id"],
        STATUS_NEW,
        "the first status that is not Unsorted"
    );
}

// Line 18.
#[tokio::test]
async fn price_is_whole_and_carries_its_fraction_beside() {
    let lab = Lab::start();
    for (written, price, minor) in [
        (json!(100), json!(100), json!(100)),
        (json!(100.5), json!(100), json!(100.5)),
    ] {
        let id = lab.new_lead(json!({"price": written})).await;
        let lead = lab.lead(id).await;
        assert_eq!(
            (&lead["price"], &lead["price_with_minor_units"]),
            (&price, &minor)
        );
        assert_eq!(
            lead["name"],
            format!("Сделка #{id}"),
            "a lead without a name is named by its id"
        );
    }
}

// Definitions of fields and structure: §5 and §6.1.
#[tokio::test]
async fn administrator_changes_fields_and_pipelines_through_the_api() {
    let lab = Lab::start();
    let made = lab
        .post(
            "leads/custom_fields",
            json!([{"name": "Тип", "type": "select", "enums": [{"value": "Новый"}, {"value": "VIP"}]}]),
        )
        .await;
    assert_eq!(made.status, 201);
    let field = made.json()["_embedded"]["custom_fields"][0].clone();
    let path = format!("leads/custom_fields/{}", field["id"]);
    let vip = field["enums"][1]["id"].clone();
    let changed = lab
        .patch(
            &path,
            json!({"enums": [{"id": vip, "value": "Важный"}, {"value": "Ещё"}]}),
        )
        .await
        .ok();
    assert_eq!(
        (&changed["enums"][0]["id"], &changed["enums"][0]["value"]),
        (&vip, &json!("Важный"))
    );
    assert_eq!(lab.send("DELETE", &path, None).await.status, 204);
    assert_eq!(lab.get(&path).await.status, 404);
    let made = lab.post("leads/pipelines", json!([{"name": "Новая", "_embedded": {"statuses": [{"name": "Шаг"}, {"id": 142, "name": "Ура"}]}}])).await.ok();
    let pipeline = &made["_embedded"]["pipelines"][0];
    let names: Vec<&str> = pipeline["_embedded"]["statuses"]
        .as_array()
        .expect("statuses")
        .iter()
        .filter_map(|s| s["name"].as_str())
        .collect();
    assert_eq!(names, ["Неразобранное", "Шаг", "Ура", "Закрыто и не реализовано"]);
    let path = format!("leads/pipelines/{}", pipeline["id"]);
    let added = lab
        .post(
            &format!("{path}/statuses"),
            json!([{"name": "Ещё шаг", "color": "#fffeb2"}]),
        )
        .await
        .ok();
    let status = format!("{path}/statuses/{}", added["_embedded"]["statuses"][0]["id"]);
    assert_eq!(
        lab.patch(&status, json!({"color": "#000000"})).await.faults(),
        ["NotSupportedChoice color"]
    );
    assert_eq!(lab.send("DELETE", &status, None).await.ok(), json!({}));
    assert_eq!(lab.send("DELETE", &path, None).await.ok(), json!({}));
    let busy = format!("leads/pipelines/{PIPELINE_SALES}");
    assert_eq!(lab.send("DELETE", &busy, None).await.status, 400, "it has leads");
}
