//! Checklist lines 8–14: shapes of requests and answers, lists, search.

use std::time::Duration;

use sandbox::*;
use serde_json::{Value, json};

use crate::lab::Lab;

fn ids(list: &Value, key: &str) -> Vec<i64> {
    let items = list["_embedded"][key].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|i| i["id"].as_i64()).collect()
}

// Line 8.
#[tokio::test]
async fn arrays_and_objects_are_not_interchangeable() {
    let lab = Lab::start();
    for path in [
        "leads",
        "contacts",
        "companies",
        "tasks",
        "leads/notes",
        "leads/complex",
        "leads/tags",
    ] {
        let reply = lab.post(path, json!({"name": "x"})).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.text);
        assert_eq!(
            lab.post(path, json!([])).await.json()["detail"],
            "Request data can not be empty",
            "{path}"
        );
        assert_eq!(lab.post(path, json!(["x"])).await.status, 400, "{path}");
    }
    let id = lab.new_lead(json!({"name": "Одна"})).await;
    assert_eq!(
        lab.patch(&format!("leads/{id}"), json!([{"name": "x"}]))
            .await
            .status,
        400
    );
    assert_eq!(
        lab.patch("leads", json!({"id": id, "name": "x"})).await.status,
        400
    );
    assert_eq!(
        lab.post(
            "webhooks",
            json!([{"destination": "https://a.ru", "settings": []}])
        )
        .await
        .status,
        400
    );
    let broken = lab
        .request("POST", "/api/v4/leads")
        .bearer_auth(&lab.token)
        .body("{oops")
        .send()
        .await;
    assert_eq!(broken.expect("an answer").status(), 400);
    assert_eq!(lab.lead(id).await["name"], "Одна");
}

// Line 9.
#[tokio::test]
async fn absence_is_204_for_entities_and_404_elsewhere() {
    let lab = Lab::start();
    for path in [
        "leads/1",
        "contacts/1",
        "companies/1",
        "leads?page=99",
        "contacts?query=нетакого",
        "tasks",
        "leads/notes",
    ] {
        let reply = lab.get(path).await;
        assert_eq!(
            (reply.status, reply.text.as_str(), reply.content_type.as_str()),
            (204, "", ""),
            "{path}"
        );
    }
    for path in [
        "leads/custom_fields/1",
        "leads/unsorted/abc",
        "nothing",
        "leads/pipelines/1",
        "customers/1",
    ] {
        let reply = lab.get(path).await;
        assert_eq!(
            (reply.status, reply.content_type.as_str()),
            (404, "application/problem+json"),
            "{path}"
        );
        assert_eq!(reply.json()["type"], "https://httpstatus.es/404");
    }
    assert_eq!(
        lab.get("leads/custom_fields/1").await.json()["detail"],
        "Custom field not found"
    );
    assert_eq!(
        lab.delete("webhooks", json!({"destination": "https://nobody.ru"}))
            .await
            .status,
        404
    );
    for (method, path) in [
        ("DELETE", "leads/40000001"),
        ("DELETE", "leads"),
        ("PUT", "contacts"),
        ("GET", "calls"),
    ] {
        let reply = lab.send(method, path, Some(&json!({}))).await;
        assert_eq!(
            (reply.status, &reply.json()["detail"]),
            (405, &json!("Method Not Allowed")),
            "{method} {path}"
        );
    }
    let found = lab
        .request("GET", "/api/v4/account")
        .bearer_auth(&lab.token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(found.headers()["content-type"], "application/hal+json");
    assert!(found.headers().contains_key("x-request-id"));
}

// Line 10.
#[tokio::test]
async fn pages_have_limits_links_and_totals_only_where_documented() {
    let lab = Lab::start();
    let items: Vec<Value> = (0..60).map(|n| json!({"name": format!("Л{n}")})).collect();
    lab.post("contacts", json!(items)).await.ok();
    let first = lab.get("contacts?with=leads").await.ok();
    assert_eq!(ids(&first, "contacts").len(), 50);
    assert_eq!(first["_page"], 1);
    assert!(first.get("_total_items").is_none());
    let next = first["_links"]["next"]["href"]
        .as_str()
        .expect("a next page")
        .to_owned();
    assert!(next.ends_with("?with=leads&page=2&limit=50"), "{next}");
    let second = lab.request(
        "GET",
        next.strip_prefix(&lab.sandbox.amocrm_url).expect("our own host"),
    );
    let second = Lab::read(second.bearer_auth(&lab.token).send().await.expect("an answer"))
        .await
        .ok();
    assert_eq!(ids(&second, "contacts").len(), 15);
    assert!(second["_links"].get("next").is_none());
    assert_eq!(lab.get("contacts?page=3").await.status, 204);
    let exact = lab.get("contacts?limit=13&page=5").await.ok();
    assert!(
        exact["_links"].get("next").is_none(),
        "65 = 5 × 13: the last page is full"
    );
    let more: Vec<Value> = (0..250).map(|n| json!({"name": format!("М{n}")})).collect();
    lab.post("contacts", json!(more)).await.ok();
    let clamped = lab.get("contacts?limit=1000").await.ok();
    assert_eq!(ids(&clamped, "contacts").len(), 250);
    let mut sorted = ids(&clamped, "contacts");
    sorted.sort_unstable();
    assert_eq!(ids(&clamped, "contacts"), sorted, "by id when nothing is asked");
    for path in [
        "leads/pipelines",
        "leads/custom_fields",
        "users",
        "leads/loss_reasons",
    ] {
        assert!(lab.get(path).await.ok()["_total_items"].is_i64(), "{path}");
    }
    for path in ["leads", "events"] {
        lab.new_lead(json!({})).await;
        assert!(lab.get(path).await.ok().get("_total_items").is_none(), "{path}");
    }
}

// Line 11.
#[tokio::test]
async fn unknown_filters_change_nothing_and_field_filters_need_the_option() {
    let lab = Lab::start();
    let all = ids(&lab.get("leads").await.ok(), "leads");
    for filter in ["filter[tags][]=x", "filter[nonsense]=1", "filter[id][]=abc"] {
        assert_eq!(
            ids(&lab.get(&format!("leads?{filter}")).await.ok(), "leads"),
            all,
            "{filter}"
        );
    }
    let by_field = format!("leads?filter[custom_fields_values][{FIELD_CITY}][]=Москва");
    let refused = lab.get(&by_field).await;
    assert_eq!(
        (refused.status, &refused.json()["detail"]),
        (400, &json!("Invalid filter for current account"))
    );
    lab.control("amocrm/account", json!({"is_api_filter_enabled": true}))
        .await
        .ok();
    assert_eq!(
        lab.get("account?with=is_api_filter_enabled").await.ok()["is_api_filter_enabled"],
        true
    );
    assert_eq!(ids(&lab.get(&by_field).await.ok(), "leads"), all);
    assert_eq!(lab.get(&by_field.replace("Москва", "Тверь")).await.status, 204);
}

// Line 11, filters that are known.
#[tokio::test]
async fn known_filters_and_orders_select_what_they_say() {
    let lab = Lab::start();
    let a = lab
        .new_lead(json!({"name": "Альфа", "price": 100, "updated_at": 1_700_000_000}))
        .await;
    let b = lab.new_lead(json!({"name": "Бета", "price": 900, "updated_at": 1_700_000_500, "pipeline_id": PIPELINE_REPEAT})).await;
    let cases = [
        (format!("filter[id][]={a}&filter[id][]={b}"), vec![a, b]),
        (format!("filter[id]={b}"), vec![b]),
        (
            "filter[updated_at][from]=1700000000&filter[updated_at][to]=1700000100".into(),
            vec![a],
        ),
        (
            "filter[updated_at][to]=1700000600&order[updated_at]=desc".into(),
            vec![b, a],
        ),
        (format!("filter[pipeline_id]={PIPELINE_REPEAT}"), vec![b]),
        (
            format!(
                "filter[statuses][0][pipeline_id]={PIPELINE_REPEAT}&filter[statuses][0][status_id]={STATUS_REPEAT_NEW}"
            ),
            vec![b],
        ),
        ("filter[price][from]=50&filter[price][to]=200".into(), vec![a]),
        ("filter[name]=бета".into(), vec![b]),
        ("query=альф".into(), vec![a]),
    ];
    for (filter, expected) in cases {
        assert_eq!(
            ids(&lab.get(&format!("leads?{filter}")).await.ok(), "leads"),
            expected,
            "{filter}"
        );
    }
}

// Line 12.
#[tokio::test]
async fn search_looks_at_texts_as_stored_and_lags_behind_writes() {
    let lab = Lab::start();
    lab.sandbox.world.amocrm().set(|s| s.search_delay_ms = 3_000);
    let phone = json!([{"field_code": "PHONE", "values": [{"value": "8 (999) 111-22-33"}]}]);
    let id = lab
        .new_contact(json!({"name": "Зоя", "custom_fields_values": phone}))
        .await;
    assert_eq!(lab.get("contacts?query=зоя").await.status, 204);
    lab.clock().advance(Duration::from_secs(3));
    assert_eq!(ids(&lab.get("contacts?query=зоя").await.ok(), "contacts"), [id]);
    assert_eq!(
        ids(&lab.get("contacts?query=111-22").await.ok(), "contacts"),
        [id]
    );
    assert_eq!(
        lab.get("contacts?query=89991112233").await.status,
        204,
        "digits are matched as stored"
    );
    lab.patch(&format!("contacts/{id}"), json!({"name": "Ася"}))
        .await
        .ok();
    assert_eq!(
        ids(&lab.get("contacts?query=зоя").await.ok(), "contacts"),
        [id],
        "still the old text"
    );
    assert_eq!(lab.get("contacts?query=ася").await.status, 204);
    lab.clock().advance(Duration::from_secs(3));
    assert_eq!(lab.get("contacts?query=зоя").await.status, 204);
    assert_eq!(ids(&lab.get("contacts?query=ася").await.ok(), "contacts"), [id]);
}

// Line 13.
#[tokio::test]
async fn neighbours_come_only_when_asked_for() {
    let lab = Lab::start();
    let leads = lab.get("leads?limit=1").await.ok();
    let plain = &leads["_embedded"]["leads"][0];
    let id = plain["id"].as_i64().expect("an id");
    assert!(plain["_embedded"]["tags"].is_array() && plain["_embedded"]["companies"].is_array());
    assert!(plain["_embedded"].get("contacts").is_none());
    let full = lab
        .get(&format!("leads/{id}?with=contacts,loss_reason,catalog_elements"))
        .await
        .ok();
    let contact = &full["_embedded"]["contacts"][0];
    assert_eq!(contact["is_main"], true);
    assert_eq!(
        (
            &full["_embedded"]["loss_reason"],
            &full["_embedded"]["catalog_elements"]
        ),
        (&json!([]), &json!([]))
    );
    let path = format!("contacts/{}", contact["id"]);
    let plain = lab.get(&path).await.ok();
    assert!(plain["_embedded"].get("leads").is_none() && plain["_embedded"]["companies"].is_array());
    let full = lab.get(&format!("{path}?with=leads,customers")).await.ok();
    assert_eq!(full["_embedded"]["leads"][0]["id"], id);
    assert_eq!(full["_embedded"]["customers"], json!([]));
}

// Line 14.
#[tokio::test]
async fn writes_echo_ids_and_request_ids_only() {
    let lab = Lab::start();
    let made = lab
        .post(
            "leads",
            json!([{"name": "А", "request_id": "ext-1"}, {"name": "Б"}]),
        )
        .await
        .ok();
    let list = made["_embedded"]["leads"].as_array().expect("leads");
    assert_eq!(
        (&list[0]["request_id"], &list[1]["request_id"]),
        (&json!("ext-1"), &json!("1"))
    );
    let mut keys: Vec<&String> = list[0].as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["_links", "id", "request_id"]);
    let (a, b) = (
        list[0]["id"].as_i64().expect("id"),
        list[1]["id"].as_i64().expect("id"),
    );

    let flat = lab.patch(&format!("leads/{a}"), json!({"name": "В"})).await.ok();
    assert_eq!(flat["id"], a);
    assert!(flat["updated_at"].is_i64() && flat.get("_embedded").is_none() && flat.get("name").is_none());
    let batch = lab
        .patch(
            "leads",
            json!([{"id": a, "price": 1}, {"id": b, "price": 2, "request_id": "r"}]),
        )
        .await
        .ok();
    assert_eq!(batch["_embedded"]["leads"][0]["request_id"], "0");
    assert_eq!(batch["_embedded"]["leads"][1]["request_id"], "r");
    lab.sandbox.world.amocrm().set(|s| s.wrapped_single_patch = true);
    let wrapped = lab.patch(&format!("leads/{a}"), json!({"name": "Г"})).await.ok();
    assert_eq!(wrapped["_embedded"]["leads"][0]["id"], a);

    let item = json!({"name": "К", "request_id": "c-1", "_embedded": {"contacts": [{"name": "Кто"}]}});
    let complex = lab.post("leads/complex", json!([item])).await.ok();
    let line = &complex.as_array().expect("a bare array")[0];
    assert_eq!(
        (&line["request_id"], &line["merged"], &line["company_id"]),
        (&json!(["c-1"]), &json!(false), &Value::Null)
    );
    let contact = lab.post("contacts", json!([{"name": "X"}])).await.ok();
    let line = &contact["_embedded"]["contacts"][0];
    assert_eq!(
        (&line["is_deleted"], &line["is_unsorted"], &line["request_id"]),
        (&json!(false), &json!(false), &json!("0"))
    );
}
