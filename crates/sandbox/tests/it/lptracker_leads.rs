//! Checklist: leads, their fields, steps and money.

use reqwest::Method;
use sandbox::lptracker::{self as lpt, UnknownCategory};
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, PROJECT, custom, keys};

#[tokio::test]
async fn created_lead_carries_the_step_in_custom_and_no_view_yet() {
    let lp = Lp::start().await;
    let body = lp
        .lead_body(json!({
            "funnel": lpt::DEMO_LPTRACKER_STEP_CALL_BACK, "owner": lpt::DEMO_LPTRACKER_STAFF_ANNA,
            "view": {"source": "yandex", "campaign": "sale-up", "keyword": "ремонт", "page": "https://a.example/"},
            "custom": {lpt::DEMO_LPTRACKER_FIELD_AMOCRM_ID.to_string(): 34_567_890},
        }))
        .await;
    let created = lp.post("/lead", body).await;
    assert_eq!(
        keys(&created),
        ["contact", "contact_id", "custom", "id", "name", "view"]
    );
    assert_eq!(created["view"], Value::Null);
    assert!(created["id"].is_i64() && created["contact_id"].is_i64());
    assert_eq!(
        custom(&created, lpt::DEMO_LPTRACKER_FIELD_FUNNEL),
        lpt::DEMO_LPTRACKER_STEP_CALL_BACK
    );
    let owner = json!({"id": lpt::DEMO_LPTRACKER_STAFF_ANNA, "type": "staff"});
    assert_eq!(custom(&created, lpt::DEMO_LPTRACKER_FIELD_OWNER), owner);
    assert_eq!(custom(&created, lpt::DEMO_LPTRACKER_FIELD_AMOCRM_ID), "34567890");
    assert_eq!(
        custom(&created, lpt::DEMO_LPTRACKER_FIELD_CITY),
        Value::Null,
        "unset fields are present"
    );

    let read = lp.get(&format!("/lead/{}", created["id"])).await;
    let expected = [
        "contact",
        "contact_id",
        "created_at",
        "custom",
        "deal",
        "id",
        "name",
        "owner_id",
        "stage_id",
        "updated_at",
        "view",
    ];
    assert_eq!(keys(&read), expected);
    assert_eq!(read["view"]["keyword"], "ремонт");
    let view = [
        "campaign",
        "ga_client_id",
        "id",
        "keyword",
        "page",
        "project_id",
        "referer",
        "seo_system",
        "source",
        "uuid",
        "ym_client_id",
    ];
    assert_eq!(keys(&read["view"]), view);
    assert_eq!(read["created_at"], "28.07.2026 17:58");
    assert_eq!((&read["stage_id"], &read["deal"]), (&Value::Null, &json!(false)));
    assert_eq!(read["contact"]["created_at"], "28.07.26 17:58:20");
    assert_eq!(read["contact"]["details"][0]["data"], "79990000001");
}

#[tokio::test]
async fn step_is_a_number_or_text_by_switch() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({})).await;
    let step = lpt::DEMO_LPTRACKER_STEP_NEW;
    let read = lp.get(&format!("/lead/{id}")).await;
    assert_eq!(
        custom(&read, lpt::DEMO_LPTRACKER_FIELD_FUNNEL),
        json!(step),
        "the first step by default"
    );
    lp.set(|settings| settings.step_as_string = true);
    let read = lp.get(&format!("/lead/{id}")).await;
    assert_eq!(
        custom(&read, lpt::DEMO_LPTRACKER_FIELD_FUNNEL),
        json!(step.to_string())
    );
}

#[tokio::test]
async fn inline_contact_is_created_with_the_lead_and_only_with_it() {
    let lp = Lp::start().await;
    let contact =
        json!({"project_id": PROJECT, "name": "К", "details": [{"type": "phone", "data": "+79990000009"}]});
    let lead = lp
        .post(
            "/lead",
            json!({"contact": contact, "name": "З", "callback": false}),
        )
        .await;
    assert_eq!(lead["contact"]["id"], lead["contact_id"]);
    assert_eq!(lead["contact"]["project_id"], PROJECT);
    let search = format!("/contact/search?project_id={PROJECT}&phone=79990000009");
    lp.post(
        "/lead",
        json!({"contact": contact, "name": "Вторая", "callback": false}),
    )
    .await;
    assert_eq!(lp.get(&search).await.as_array().unwrap().len(), 2, "never merged");
    let wrong = json!({"contact": contact, "name": "З", "funnel": 1});
    assert_eq!(lp.refused(Method::POST, "/lead", Some(wrong)).await, 400);
    assert_eq!(
        lp.get(&search).await.as_array().unwrap().len(),
        2,
        "a refused lead leaves no contact"
    );
}

#[tokio::test]
async fn creation_refuses_what_it_cannot_place() {
    let lp = Lp::start().await;
    for wrong in [
        json!({"contact_id": 1}),
        json!({"contact_id": null}),
        json!({"funnel": 1_702_411}),
        json!({"owner": 1}),
        json!({"lead_date": "2026-01-02"}),
        json!({"lead_date": "1.2.2026 10:00"}),
        json!({"custom": {"1": "x"}}),
        json!({"custom": "x"}),
        json!({"payments": [{"category": "a", "purpose": "b", "sum": 0}]}),
        json!({"view_id": 1}),
    ] {
        let body = lp.lead_body(wrong.clone()).await;
        assert_eq!(
            lp.refused(Method::POST, "/lead", Some(body)).await,
            400,
            "{wrong}"
        );
    }
    let dated = lp
        .lead(json!({"lead_date": "23.12.2017 15:47", "deal_date": "ignored without payments"}))
        .await;
    assert_eq!(
        lp.get(&format!("/lead/{dated}")).await["created_at"],
        "23.12.2017 15:47"
    );
    // The SDK's doubles are understood.
    let step = lpt::DEMO_LPTRACKER_STEP_REFUSED;
    let doubled = lp
        .lead(json!({"stage_id": step.to_string(), "owner_id": 0}))
        .await;
    let read = lp.get(&format!("/lead/{doubled}")).await;
    assert_eq!(custom(&read, lpt::DEMO_LPTRACKER_FIELD_FUNNEL), step);
    let owner = json!({"id": 0, "type": "main"});
    assert_eq!(
        custom(&read, lpt::DEMO_LPTRACKER_FIELD_OWNER),
        owner,
        "0 is the main account"
    );
}

#[tokio::test]
async fn payment_step_needs_money_and_money_makes_a_deal() {
    let lp = Lp::start().await;
    let paid_step = lpt::DEMO_LPTRACKER_STEP_PAYMENT;
    let body = lp.lead_body(json!({"funnel": paid_step})).await;
    assert_eq!(lp.refused(Method::POST, "/lead", Some(body)).await, 400);
    let id = lp.lead(json!({})).await;
    let funnel = format!("/lead/{id}/funnel");
    assert_eq!(
        lp.refused(Method::PUT, &funnel, Some(json!({"funnel": paid_step})))
            .await,
        400
    );
    let payment = json!({"category": "Услуги", "purpose": "Предоплата", "sum": "1500.50"});
    let deal = lp.post(&format!("/lead/{id}/payment"), payment).await;
    assert_eq!(deal["deal"], true);
    assert_eq!(deal["payments"][0]["sum"], 1500.5);
    assert_eq!(custom(&deal, lpt::DEMO_LPTRACKER_FIELD_FUNNEL), paid_step);
    let list = |deals: &str| format!("/lead/{PROJECT}/list?is_deal={deals}");
    assert_eq!(lp.get(&list("false")).await, json!([]));
    assert_eq!(lp.get(&list("true")).await[0]["id"], id);
    let payments = json!([{"category": "Услуги", "purpose": "Всё", "sum": 10}]);
    let second = lp.lead(json!({"payments": payments})).await;
    let read = lp.get(&format!("/lead/{second}")).await;
    assert_eq!(
        custom(&read, lpt::DEMO_LPTRACKER_FIELD_FUNNEL),
        paid_step,
        "the default step of a paid lead"
    );
    assert_eq!(read["deal"], true);
    lp.set(|settings| settings.payment_step_needs_payment = false);
    let third = lp.lead(json!({})).await;
    let moved = lp
        .put(
            &format!("/lead/{third}/funnel"),
            json!({"funnel": paid_step, "options": {}}),
        )
        .await;
    assert_eq!(moved, json!({"id": third, "funnel": paid_step}));
}

#[tokio::test]
async fn partial_update_leaves_the_rest() {
    let lp = Lp::start().await;
    let [city, budget] = [lpt::DEMO_LPTRACKER_FIELD_CITY, lpt::DEMO_LPTRACKER_FIELD_BUDGET];
    let id = lp
        .lead(json!({"custom": {city.to_string(): "Тверь", budget.to_string(): "10"}}))
        .await;
    let path = format!("/lead/{id}");
    let edited = lp.put(&path, json!({"custom": {budget.to_string(): "20"}})).await;
    assert_eq!(
        (custom(&edited, city), custom(&edited, budget)),
        (json!("Тверь"), json!("20"))
    );
    assert_eq!(edited["name"], "Заявка");
    let edited = lp
        .put(&path, json!({"name": "Другая", "custom": {city.to_string(): ""}}))
        .await;
    assert_eq!(
        (edited["name"].clone(), custom(&edited, city)),
        (json!("Другая"), Value::Null)
    );
    // A client that writes back all it read, system fields included, changes nothing.
    let all: serde_json::Map<String, Value> = edited["custom"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["id"].to_string(), field["value"].clone()))
        .collect();
    let view = edited["view"].clone();
    assert_eq!(
        lp.put(&path, json!({"custom": all, "view": view})).await["custom"],
        edited["custom"]
    );
    let step = lpt::DEMO_LPTRACKER_STEP_REFUSED;
    let moved = lp
        .put(
            &path,
            json!({"funnel": step, "owner": lpt::DEMO_LPTRACKER_STAFF_IGOR}),
        )
        .await;
    assert_eq!(custom(&moved, lpt::DEMO_LPTRACKER_FIELD_FUNNEL), step);
    assert_eq!(moved["owner_id"], lpt::DEMO_LPTRACKER_STAFF_IGOR);
    assert_eq!(lp.delete(&path).await, json!(true));
    assert_eq!(lp.refused(Method::GET, &path, None).await, 404);
}

#[tokio::test]
async fn step_and_owner_have_calls_of_their_own() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({})).await;
    let step = lpt::DEMO_LPTRACKER_STEP_NO_ANSWER;
    let moved = lp
        .put(&format!("/lead/{id}/funnel"), json!({"funnel": step}))
        .await;
    assert_eq!(moved, json!({"id": id, "funnel": step}));
    let owned = lp
        .put(&format!("/lead/{id}/owner"), json!({"owner": 0, "options": {}}))
        .await;
    assert_eq!(owned, json!({"id": id, "owner_id": 0}));
    let read = lp.get(&format!("/lead/{id}")).await;
    assert_eq!(custom(&read, lpt::DEMO_LPTRACKER_FIELD_FUNNEL), step);
    for (path, body) in [
        ("funnel", json!({"funnel": 5})),
        ("funnel", json!({})),
        ("owner", json!({"owner": 5})),
        ("owner", json!({"owner": "x"})),
    ] {
        assert_eq!(
            lp.refused(Method::PUT, &format!("/lead/{id}/{path}"), Some(body))
                .await,
            400,
            "{path}"
        );
    }
}

#[tokio::test]
async fn choices_read_back_as_arrays_and_dates_echo() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({})).await;
    let path = |field: i64| format!("/lead/{id}/custom/{field}");
    let [source, products, date] = [
        lpt::DEMO_LPTRACKER_FIELD_SOURCE,
        lpt::DEMO_LPTRACKER_FIELD_PRODUCTS,
        lpt::DEMO_LPTRACKER_FIELD_CALL_DATE,
    ];
    for (field, sent, expected) in [
        (source, json!("Сайт"), json!(["Сайт"])),
        (source, json!(["Авито"]), json!(["Авито"])),
        (source, json!([]), Value::Null),
        (
            products,
            json!(["Окна", "Двери", "Окна"]),
            json!(["Окна", "Двери"]),
        ),
        (date, json!("03.08.2026 15:00"), json!("03.08.2026 15:00")),
        (date, json!(""), Value::Null),
        (lpt::DEMO_LPTRACKER_FIELD_BUDGET, json!(1500.5), json!("1500.5")),
    ] {
        let answer = lp.put(&path(field), json!({"value": sent, "options": {}})).await;
        assert_eq!(keys(&answer), ["id", "name", "type", "value"]);
        assert_eq!(
            (&answer["id"], &answer["value"]),
            (&json!(field), &expected),
            "{sent}"
        );
        assert_eq!(lp.get(&path(field)).await, answer);
    }
    for (field, wrong) in [
        (source, json!("сайт")),
        (source, json!(["Сайт", "Авито"])),
        (products, json!("Окна")),
        (products, json!(["Нет такого"])),
        (date, json!("2026-08-03")),
        (date, json!("31.02.2026 10:00")),
        (date, json!(1_785_250_700)),
        (lpt::DEMO_LPTRACKER_FIELD_CITY, json!(["x"])),
        (
            lpt::DEMO_LPTRACKER_FIELD_FUNNEL,
            json!(lpt::DEMO_LPTRACKER_STEP_REFUSED),
        ),
    ] {
        let body = json!({"value": wrong});
        assert_eq!(
            lp.refused(Method::PUT, &path(field), Some(body)).await,
            400,
            "{wrong}"
        );
    }
    assert_eq!(lp.delete(&path(products)).await["value"], Value::Null);
    assert_eq!(lp.get(&path(products)).await["value"], Value::Null);
    assert_eq!(lp.refused(Method::GET, &path(1), None).await, 404);

    lp.set(|settings| settings.unknown_category = UnknownCategory::Ignore);
    assert_eq!(
        lp.put(&path(products), json!({"value": ["Окна", "Иное"]})).await["value"],
        json!(["Окна"])
    );
    lp.set(|settings| settings.unknown_category = UnknownCategory::Create);
    let created = lp.put(&path(products), json!({"value": ["Иное"]})).await;
    assert_eq!(created["value"], json!(["Иное"]));
}
