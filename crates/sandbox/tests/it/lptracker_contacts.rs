//! Checklist: contacts, details, search.

use reqwest::Method;
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, PROJECT, keys};

const REGION: i64 = 40_112;

async fn create(lp: &Lp) -> Value {
    let body = json!({
        "project_id": PROJECT, "name": "Контакт Тестовый", "profession": "Менеджер", "site": "site.example.com",
        "details": [{"type": "email", "data": "Client@example.com"}, {"type": "phone", "data": "+7 (999) 000-00-01"}],
        "fields": {REGION.to_string(): "Краснодар"},
    });
    lp.post("/contact", body).await
}

#[tokio::test]
async fn contact_has_text_ids_inside_digits_and_a_short_year() {
    let lp = Lp::start().await;
    let contact = create(&lp).await;
    let expected = [
        "created_at",
        "details",
        "fields",
        "id",
        "name",
        "profession",
        "project_id",
        "site",
    ];
    assert_eq!(keys(&contact), expected);
    assert!(contact["id"].is_i64() && contact["project_id"].is_i64());
    assert_eq!(contact["created_at"], "28.07.26 17:58:20");
    let details = contact["details"].as_array().unwrap();
    assert!(details.iter().all(|detail| detail["id"].is_string()));
    assert_eq!(
        (&details[1]["type"], &details[1]["data"]),
        (&json!("phone"), &json!("79990000001"))
    );
    let field = json!({"id": REGION.to_string(), "name": "Регион", "type": "string", "value": "Краснодар"});
    assert_eq!(contact["fields"], json!([field]));
    let id = &contact["id"];
    assert_eq!(lp.get(&format!("/contact/{id}")).await, contact);
}

#[tokio::test]
async fn creation_never_merges_and_checks_what_it_is_given() {
    let lp = Lp::start().await;
    let (first, second) = (create(&lp).await, create(&lp).await);
    assert_ne!(first["id"], second["id"]);
    let phone = json!([{"type": "phone", "data": "+79990000001"}]);
    for body in [
        json!({"project_id": PROJECT, "name": "Без телефона", "details": []}),
        json!({"project_id": PROJECT, "name": "Без телефона"}),
        json!({"name": "Без проекта", "details": phone}),
        json!({"project_id": 1, "name": "Чужой проект", "details": phone}),
        json!({"project_id": PROJECT, "details": [{"type": "phone", "data": "нет"}]}),
        json!({"project_id": PROJECT, "details": phone, "fields": {"1": "x"}}),
    ] {
        assert_eq!(
            lp.refused(Method::POST, "/contact", Some(body.clone())).await,
            400,
            "{body}"
        );
    }
    let nameless = lp
        .post("/contact", json!({"project_id": PROJECT, "details": phone}))
        .await;
    assert_eq!(nameless["name"], "79990000001");
}

#[tokio::test]
async fn search_takes_digits_with_or_without_plus_and_wants_a_filter() {
    let lp = Lp::start().await;
    let id = create(&lp).await["id"].clone();
    let search = format!("/contact/search?project_id={PROJECT}");
    for filter in [
        "&phone=79990000001",
        "&phone=%2B79990000001",
        "&phone=+79990000001",
        "&phone[]=70000000000&phone[]=79990000001",
        "&phone%5B0%5D=79990000001",
        "&phone=70000000000,79990000001",
        "&email=client@EXAMPLE.com",
    ] {
        let found = lp.get(&format!("{search}{filter}")).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{filter}");
        assert_eq!(found[0]["id"], id);
        assert_eq!(found[0]["project_id"], PROJECT);
    }
    for filter in [
        "&phone=9990000001",
        "&phone=79990000002",
        "&email=client",
        "&max_user_id=5",
    ] {
        assert_eq!(lp.get(&format!("{search}{filter}")).await, json!([]), "{filter}");
    }
    for filter in ["", "&phone=", "&name=x"] {
        let refusal = lp.refusal(Method::GET, &format!("{search}{filter}"), None).await;
        assert_eq!(refusal, (400, "Bad request".to_owned()), "{filter}");
    }
    let other = sandbox::lptracker::DEMO_LPTRACKER_SECOND_PROJECT;
    assert_eq!(
        lp.get(&format!("/contact/search?project_id={other}&phone=79990000001"))
            .await,
        json!([])
    );
}

#[tokio::test]
async fn edit_keeps_adds_and_replaces_details() {
    let lp = Lp::start().await;
    let contact = create(&lp).await;
    let path = format!("/contact/{}", contact["id"]);
    let phone_id: i64 = contact["details"][1]["id"].as_str().unwrap().parse().unwrap();
    let edited = lp
        .put(
            &path,
            json!({
                "id": contact["id"], "name": "Контакт Новый",
                "details": [{"id": phone_id, "type": "phone", "data": "+79990000002"},
                            {"type": "telegram", "data": "@client"}, {"type": "email", "data": "Client@example.com"}],
                "fields": {REGION.to_string(): "Москва"},
            }),
        )
        .await;
    assert_eq!(edited["name"], "Контакт Новый");
    assert_eq!(edited["profession"], "Менеджер", "what is not sent stays");
    assert_eq!(edited["fields"][0]["value"], "Москва");
    let data: Vec<&str> = edited["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["data"].as_str().unwrap())
        .collect();
    assert_eq!(data, ["Client@example.com", "79990000002", "@client"]);
    // The SDK sends fields back as a list of definitions with values; the documentation also prints `field`.
    let listed =
        json!({"fields": [{"id": REGION.to_string(), "name": "Регион", "type": "string", "value": "Тверь"}]});
    assert_eq!(lp.put(&path, listed).await["fields"][0]["value"], "Тверь");
    let singular = json!({"field": {REGION.to_string(): "Псков"}});
    assert_eq!(lp.put(&path, singular).await["fields"][0]["value"], "Псков");
    let cleared = json!({"clear_contacts": true, "details": [{"id": phone_id, "type": "phone", "data": "79990000002"}]});
    assert_eq!(
        lp.put(&path, cleared).await["details"].as_array().unwrap().len(),
        1
    );
    let strange = json!({"details": [{"id": 1, "type": "phone", "data": "79990000003"}]});
    assert_eq!(lp.refused(Method::PUT, &path, Some(strange)).await, 400);
}

#[tokio::test]
async fn detail_is_read_and_replaced_but_never_deleted() {
    let lp = Lp::start().await;
    let contact = create(&lp).await;
    let id = contact["details"][1]["id"].as_str().unwrap().to_owned();
    let path = format!("/contact/details/{id}");
    let detail = lp.get(&path).await;
    assert_eq!(detail, json!({"id": id, "type": "phone", "data": "79990000001"}));
    let answer = lp.put(&path, json!({"value": "+79990000002"})).await;
    assert_eq!(answer["data"], "+79990000002", "the answer repeats what was sent");
    assert_eq!(lp.get(&path).await["data"], "79990000002");
    assert_eq!(
        lp.refused(Method::PUT, &path, Some(json!({"volume": "+7999"})))
            .await,
        400
    );
    assert_eq!(lp.refused(Method::DELETE, &path, None).await, 400);
    assert_eq!(
        lp.refused(Method::DELETE, &format!("/contact/detail/{id}"), None)
            .await,
        404
    );
    assert_eq!(lp.get(&path).await["data"], "79990000002", "it stays");
}

#[tokio::test]
async fn contact_fields_are_read_set_and_cleared() {
    let lp = Lp::start().await;
    let id = create(&lp).await["id"].clone();
    let path = format!("/contact/{id}/field/{REGION}");
    assert_eq!(lp.get(&path).await["value"], "Краснодар");
    let set = lp.put(&path, json!({"value": "Москва"})).await;
    assert_eq!(
        set,
        json!({"id": REGION.to_string(), "name": "Регион", "type": "string", "value": "Москва"})
    );
    assert_eq!(lp.delete(&path).await["value"], Value::Null);
    assert_eq!(lp.get(&format!("/contact/{id}")).await["fields"], json!([]));
    assert_eq!(
        lp.refused(Method::GET, &format!("/contact/{id}/field/1"), None)
            .await,
        404
    );
    let fields = lp.get(&format!("/project/{PROJECT}/fields")).await;
    let kinds: Vec<&str> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["string", "text", "date", "number"]);
}

#[tokio::test]
async fn contact_leads_may_be_slim_and_deletion_takes_them_along() {
    let lp = Lp::start().await;
    let lead = lp.lead(json!({})).await;
    let contact = lp.get(&format!("/lead/{lead}")).await["contact_id"].clone();
    let path = format!("/contact/{contact}/leads");
    let full = lp.get(&path).await;
    assert_eq!(full.as_array().unwrap().len(), 1);
    assert_eq!(full[0]["id"], lead);
    assert!(full[0]["custom"].is_array());
    lp.set(|settings| settings.slim_contact_leads = true);
    let slim = lp.get(&path).await;
    assert!(slim[0].get("custom").is_none() && slim[0].get("contact").is_none());
    assert_eq!(lp.delete(&format!("/contact/{contact}")).await, json!(true));
    assert_eq!(
        lp.refused(Method::GET, &format!("/contact/{contact}"), None)
            .await,
        404
    );
    assert_eq!(lp.refused(Method::GET, &format!("/lead/{lead}"), None).await, 404);
}
