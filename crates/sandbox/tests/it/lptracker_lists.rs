//! Checklist: the lead list, project definitions, field creation, labels, autofunnels, callback-url.

use reqwest::Method;
use sandbox::lptracker as lpt;
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, NOW_MS, PROJECT, keys};

fn ids(list: &Value) -> Vec<i64> {
    list.as_array()
        .expect("an array")
        .iter()
        .map(|lead| lead["id"].as_i64().expect("an id"))
        .collect()
}

#[tokio::test]
async fn list_pages_sorts_and_filters() {
    let lp = Lp::start().await;
    let mut leads = Vec::new();
    for _ in 0..4 {
        leads.push(lp.lead(json!({})).await);
        lp.advance(10_000);
    }
    let path = format!("/lead/{PROJECT}/list");
    // The oldest lead becomes the one changed last.
    lp.put(&format!("/lead/{}", leads[0]), json!({"name": "Изменена"}))
        .await;
    let [a, b, c, d] = leads[..] else { unreachable!() };
    let now = NOW_MS / 1000;
    for (query, expected) in [
        (String::new(), vec![d, c, b, a]),
        ("?sort[created_at]=3".into(), vec![d, c, b, a]),
        ("?sort[created_at]=4".into(), vec![a, b, c, d]),
        ("?sort[updated_at]=3".into(), vec![a, d, c, b]),
        ("?sort%5Bupdated_at%5D=4".into(), vec![b, c, d, a]),
        ("?sort[created_at]=3&offset=1&limit=2".into(), vec![c, b]),
        ("?offset=3&limit=100".into(), vec![a]),
        ("?offset=4".into(), vec![]),
        ("?offset=&limit=&is_deal=0".into(), vec![d, c, b, a]),
        (format!("?filter[created_at_from]={}", now + 10), vec![d, c, b]),
        (
            format!("?filter%5Bupdated_at_from%5D={}&sort[updated_at]=3", now + 30),
            vec![a, d],
        ),
        (
            format!("?filter[updated_at_from]={}&is_deal=false", now + 40),
            vec![a],
        ),
        ("?is_deal=1".into(), vec![]),
    ] {
        assert_eq!(ids(&lp.get(&format!("{path}{query}")).await), expected, "{query}");
    }
    for wrong in [
        "?offset=x",
        "?limit=-1",
        "?filter[created_at_from]=today",
        "?is_deal=maybe",
    ] {
        assert_eq!(
            lp.refused(Method::GET, &format!("{path}{wrong}"), None).await,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn listed_leads_have_no_stage_id_and_pages_have_a_ceiling() {
    let lp = Lp::start().await;
    for _ in 0..3 {
        lp.lead(json!({})).await;
    }
    let path = format!("/lead/{PROJECT}/list");
    let list = lp.get(&path).await;
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|lead| lead["stage_id"].is_null() && lead["custom"].is_array())
    );
    lp.set(|settings| (settings.list_default_limit, settings.list_max_limit) = (1, 2));
    assert_eq!(lp.get(&path).await.as_array().unwrap().len(), 1);
    assert_eq!(
        lp.get(&format!("{path}?limit=100"))
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    lp.set(|settings| settings.raw_array_list = true);
    let (_, bare) = lp.send(Method::GET, &path, Some(&lp.token), None).await;
    assert!(bare.is_array(), "{bare}");
    let (_, refused) = lp.send(Method::GET, &path, None, None).await;
    assert_eq!(refused["errors"][0]["code"], 401, "errors keep the envelope");
}

#[tokio::test]
async fn definitions_have_the_documented_shape() {
    let lp = Lp::start().await;
    let fields = lp.get(&format!("/project/{PROJECT}/customs")).await;
    let of = |id: i64| {
        fields
            .as_array()
            .unwrap()
            .iter()
            .find(|field| field["id"] == id)
            .unwrap()
    };
    assert_eq!(keys(of(lpt::DEMO_LPTRACKER_FIELD_CITY)), ["id", "name", "type"]);
    assert_eq!(of(lpt::DEMO_LPTRACKER_FIELD_OWNER)["type"], "owner");
    assert_eq!(of(lpt::DEMO_LPTRACKER_FIELD_FUNNEL)["type"], "funnel");
    assert_eq!(of(lpt::DEMO_LPTRACKER_FIELD_CALL_DATE)["type"], "date");
    let source = of(lpt::DEMO_LPTRACKER_FIELD_SOURCE);
    assert_eq!(
        keys(source),
        ["categories", "id", "is_multi_select", "name", "type"]
    );
    assert_eq!(
        (&source["is_multi_select"], &source["categories"][0]["name"]),
        (&json!(0), &json!("Сайт"))
    );
    assert_eq!(of(lpt::DEMO_LPTRACKER_FIELD_PRODUCTS)["is_multi_select"], 1);
    let steps = lp.get(&format!("/project/{PROJECT}/funnel")).await;
    let names: Vec<&str> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    let expected = [
        "Новый лид",
        "Обзвон роботом",
        "Интерес подтвержден",
        "Недозвон",
        "Перезвонить",
        "Отказ",
        "Оплата",
    ];
    assert_eq!(names, expected);
    assert_eq!(keys(&steps[0]), ["id", "in_deals", "in_leads", "name", "notify"]);
    let one = lp
        .get(&format!(
            "/project/{PROJECT}/funnel/{}",
            lpt::DEMO_LPTRACKER_STEP_NEW
        ))
        .await;
    assert_eq!(one, steps[0]);
}

#[tokio::test]
async fn fields_and_categories_are_created() {
    let lp = Lp::start().await;
    let path = format!("/custom/{PROJECT}/create");
    let body = json!({
        "name": "Тип", "type": "cats", "is_multi_select": true, "show_in_leads": true, "is_required": 0,
        "categories": ["Первый", {"name": "Второй", "color": "#fff000"}], "description": "Зачем",
    });
    let field = lp.post(&path, body.clone()).await;
    assert_eq!(
        (&field["name"], &field["is_multi_select"]),
        (&json!("Тип"), &json!(1))
    );
    assert_eq!(
        (&field["project_id"], &field["show_in_leads"]),
        (&json!(PROJECT), &json!(true))
    );
    assert_eq!(field["categories"][1]["name"], "Второй");
    let id = field["id"].as_i64().unwrap();
    let add = format!("/custom/{PROJECT}/{id}/add-category");
    lp.patch(&add, json!({"categories": ["Третий"]})).await;
    let grown = lp.patch(&add, json!({"name": "Третий"})).await;
    assert_eq!(
        grown["categories"].as_array().unwrap().len(),
        3,
        "a known name is not doubled"
    );
    let lead = lp
        .lead(json!({"custom": {id.to_string(): ["Третий", "Первый"]}}))
        .await;
    assert_eq!(
        lp.get(&format!("/lead/{lead}/custom/{id}")).await["value"],
        json!(["Третий", "Первый"])
    );
    for wrong in [
        json!({"type": "text"}),
        json!({"name": "x", "type": "неизвестный"}),
        json!({"name": "x", "type": "owner"}),
        json!({"name": "x", "type": "text", "categories": ["a"]}),
    ] {
        assert_eq!(lp.refused(Method::POST, &path, Some(wrong)).await, 400);
    }
    let city = lpt::DEMO_LPTRACKER_FIELD_CITY;
    let wrong = format!("/custom/{PROJECT}/{city}/add-category");
    assert_eq!(
        lp.refused(Method::PATCH, &wrong, Some(json!({"name": "x"})))
            .await,
        400
    );
    lp.set(|settings| settings.bare_field_create = true);
    let bare = lp
        .send(
            Method::POST,
            &path,
            Some(&lp.token),
            Some(json!({"name": "Ещё", "type": "text"})),
        )
        .await
        .1;
    assert_eq!((&bare["type"], bare.get("status")), (&json!("text"), None));
}

#[tokio::test]
async fn labels_take_a_title_and_answer_with_a_name() {
    let lp = Lp::start().await;
    let label = lp
        .post(
            "/label",
            json!({"title": "Важно", "color": "#f00", "project_id": PROJECT}),
        )
        .await;
    assert_eq!((&label["name"], label.get("title")), (&json!("Важно"), None));
    let path = format!("/label/{}", label["id"]);
    assert_eq!(lp.put(&path, json!({"title": "Срочно"})).await["name"], "Срочно");
    let list = lp.get(&format!("/label/{PROJECT}/list")).await;
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["name"]),
        (1, &json!("Срочно"))
    );
    assert_eq!(lp.delete(&path).await, json!(true));
    assert_eq!(lp.get(&format!("/label/{PROJECT}/list")).await, json!([]));
    assert_eq!(lp.refused(Method::DELETE, &path, None).await, 404);
    assert_eq!(
        lp.refused(
            Method::POST,
            "/label",
            Some(json!({"name": "x", "project_id": PROJECT}))
        )
        .await,
        400
    );
}

#[tokio::test]
async fn callback_lists_grow_rename_and_shrink_by_name() {
    let lp = Lp::start().await;
    for list in ["callback-url", "project-callback-url"] {
        let path = format!("/project/{PROJECT}/{list}");
        assert_eq!(lp.get(&path).await, json!([]));
        for (url, name) in [
            ("https://a.example/1", "A"),
            ("https://b.example/2", "B"),
            ("https://c.example/3", "B"),
        ] {
            assert_eq!(
                lp.put(&path, json!({"url": url, "name": name})).await,
                json!(true)
            );
        }
        lp.put(&path, json!({"url": "https://a.example/1", "name": "A2"}))
            .await;
        let entries = lp.get(&path).await;
        assert_eq!(entries.as_array().unwrap().len(), 3);
        let expected = ["created_at", "id", "name", "site_id", "type", "updated_at", "url"];
        assert_eq!(keys(&entries[0]), expected);
        assert_eq!(
            (&entries[0]["name"], &entries[0]["site_id"]),
            (&json!("A2"), &json!(PROJECT))
        );
        assert_eq!(entries[0]["created_at"], NOW_MS / 1000);
        lp.put(&path, json!({"url": "", "name": "B"})).await;
        assert_eq!(
            lp.get(&path).await.as_array().unwrap().len(),
            1,
            "both of that name are gone"
        );
        lp.put(&path, json!({"url": ""})).await;
        assert_eq!(lp.get(&path).await, json!([]), "without a name all are gone");
        assert_eq!(
            lp.refused(Method::PUT, &path, Some(json!({"name": "x"}))).await,
            400
        );
        assert_eq!(
            lp.refused(Method::PUT, &path, Some(json!({"url": "ftp://x"})))
                .await,
            400
        );
    }
}

#[tokio::test]
async fn autofunnels_are_listed_and_switched() {
    let lp = Lp::start().await;
    let path = format!("/project/{PROJECT}/autofunnels");
    let list = lp.get(&path).await;
    assert_eq!(list[0]["step_id"], lpt::DEMO_LPTRACKER_STEP_ROBOT);
    assert_eq!(list[0]["is_active"], true);
    let one = format!("{path}/{}", list[0]["id"]);
    assert_eq!(
        lp.patch(&one, json!({"is_active": false})).await["is_active"],
        false
    );
    let id = lp.lead(json!({"funnel": lpt::DEMO_LPTRACKER_STEP_ROBOT})).await;
    lp.advance(60_000);
    assert_eq!(
        lp.get(&format!("/lead/{id}/calls")).await,
        json!([]),
        "a switched-off robot does not call"
    );
    assert_eq!(lp.patch(&one, json!({})).await["is_active"], true);
}
