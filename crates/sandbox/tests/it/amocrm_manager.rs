//! Checklist line 31: what people do by hand, through the control API; reset, seed, journal, clock.

use sandbox::*;
use serde_json::{Value, json};

use crate::lab::{Lab, Receiver};

async fn ui(lab: &Lab, action: &str, body: Value) -> Value {
    lab.control(&format!("amocrm/ui/{action}"), body).await.ok()
}

#[tokio::test]
async fn person_creates_edits_moves_deletes_restores_and_merges() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &[
            "add_lead",
            "add_contact",
            "update_lead",
            "status_lead",
            "delete_lead",
            "restore_lead",
        ],
    )
    .await;
    let made = ui(
        &lab,
        "create",
        json!({"name": "Олег", "phone": "+7 900", "deal": "Сделка", "price": 5000}),
    )
    .await;
    let id = made[0]["id"].as_i64().expect("an id");
    let contact = lab.get(&format!("contacts/{}", made[0]["contact_id"])).await.ok();
    assert_eq!(contact["custom_fields_values"][0]["values"][0]["value"], "+7 900");
    ui(
        &lab,
        "edit",
        json!({"entity": "leads", "id": id, "set": {"name": "Иначе"}}),
    )
    .await;
    ui(
        &lab,
        "move",
        json!({"id": id, "status_id": STATUS_REPEAT_OFFER, "pipeline_id": PIPELINE_REPEAT}),
    )
    .await;
    let lead = lab.lead(id).await;
    assert_eq!(
        (&lead["name"], &lead["status_id"]),
        (&json!("Иначе"), &json!(STATUS_REPEAT_OFFER))
    );
    ui(&lab, "delete", json!({"id": id})).await;
    assert_eq!(lab.get(&format!("leads/{id}")).await.status, 204);
    let deleted = lab.get("leads?with=only_deleted").await.ok();
    assert_eq!(deleted["_embedded"]["leads"][0]["id"], id);
    assert_eq!(
        lab.patch(&format!("leads/{id}"), json!({"name": "x"}))
            .await
            .status,
        400
    );
    ui(&lab, "restore", json!({"id": id})).await;
    let twin = ui(&lab, "create", json!({"name": "Ольга", "deal": "Двойник"})).await;
    ui(&lab, "merge", json!({"id": id, "gone_id": twin[0]["id"]})).await;
    assert_eq!(lab.get(&format!("leads/{}", twin[0]["id"])).await.status, 204);
    let merged = lab.get(&format!("leads/{id}?with=contacts")).await.ok();
    assert_eq!(
        merged["_embedded"]["contacts"]
            .as_array()
            .expect("contacts")
            .len(),
        2,
        "links moved to the survivor"
    );
    lab.idle().await;
    assert_eq!(
        receiver.facts(),
        [
            "contacts[add]",
            "leads[add]",
            "leads[update]",
            "leads[status]",
            "leads[update]",
            "leads[delete]",
            "leads[restore]",
            "contacts[add]",
            "leads[add]",
            "leads[delete]",
            "leads[update]",
        ]
    );
    assert!(
        lab.sandbox
            .world
            .journal
            .writes(Side::Amocrm)
            .iter()
            .all(|e| !e.path.contains("_sandbox"))
    );
}

#[tokio::test]
async fn person_adds_notes_and_tasks_and_passes_things_on() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &[
            "note_lead",
            "add_task",
            "update_task",
            "delete_task",
            "responsible_contact",
        ],
    )
    .await;
    let made = ui(&lab, "create", json!({"name": "Олег"})).await;
    let (id, contact) = (made[0]["id"].clone(), made[0]["contact_id"].clone());
    ui(&lab, "note", json!({"id": id, "text": "Позвонил"})).await;
    let task = ui(
        &lab,
        "task",
        json!({"text": "Перезвонить", "complete_till": 1, "entity_id": id, "entity_type": "leads"}),
    )
    .await;
    let task = task["_embedded"]["tasks"][0]["id"].clone();
    ui(&lab, "complete-task", json!({"id": task, "text": "Готово"})).await;
    ui(&lab, "delete-task", json!({"id": task})).await;
    ui(
        &lab,
        "responsible",
        json!({"entity": "contacts", "id": contact, "responsible_user_id": USER_IVAN}),
    )
    .await;
    lab.idle().await;
    assert_eq!(
        receiver.facts(),
        [
            "leads[note]",
            "task[add]",
            "task[update]",
            "task[delete]",
            "contacts[update]"
        ]
    );
    let told = receiver.got().pop().expect("a hook");
    assert_eq!(
        told.value("contacts[update][0][old_responsible_user_id]"),
        Some(USER_ANNA.to_string())
    );
}

#[tokio::test]
async fn person_decides_on_incoming_leads() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(&receiver, &["add_unsorted", "delete_unsorted", "add_lead"])
        .await;
    let form = json!({"source_uid": "s", "source_name": "Сайт", "pipeline_id": PIPELINE_SALES,
        "metadata": {"form_id": "f", "form_name": "Ф", "form_page": "https://a.ru", "form_sent_at": 1},
        "_embedded": {"leads": [{"name": "С сайта"}], "contacts": [{"name": "Гость"}]}});
    let mut uids = Vec::new();
    for _ in 0..2 {
        let made = ui(&lab, "incoming", form.clone()).await;
        uids.push(made["_embedded"]["unsorted"][0]["uid"].clone());
    }
    ui(
        &lab,
        "accept",
        json!({"uid": uids[0], "status_id": STATUS_QUALIFICATION}),
    )
    .await;
    ui(&lab, "decline", json!({"uid": uids[1]})).await;
    lab.idle().await;
    assert_eq!(
        receiver.facts(),
        [
            "unsorted[add]",
            "unsorted[add]",
            "unsorted[delete]",
            "unsorted[delete]"
        ],
        "no plain add"
    );
    let got = receiver.got();
    assert_eq!(
        got[2].value("unsorted[delete][0][action]").as_deref(),
        Some("accept")
    );
    assert!(
        got[2]
            .value("unsorted[delete][0][accept_result][leads][0]")
            .is_some()
    );
    assert_eq!(
        got[3].value("unsorted[delete][0][action]").as_deref(),
        Some("decline")
    );
    assert_eq!(lab.get("leads/unsorted").await.status, 204);
}

#[tokio::test]
async fn administrator_changes_people_and_structure() {
    let lab = Lab::start();
    let user = ui(
        &lab,
        "add-user",
        json!({"name": "Новый", "email": "n@example.com"}),
    )
    .await["id"]
        .clone();
    lab.new_lead(json!({"responsible_user_id": user})).await;
    ui(&lab, "deactivate-user", json!({"id": user})).await;
    let faults = lab
        .post("leads", json!([{"responsible_user_id": user}]))
        .await
        .faults();
    assert_eq!(faults, ["NotSupportedChoice responsible_user_id"]);
    let users = lab.get("users").await.ok();
    let shown = users["_embedded"]["users"]
        .as_array()
        .expect("users")
        .iter()
        .find(|u| u["id"] == user)
        .expect("the user");
    assert_eq!(shown["rights"]["is_active"], false);
    let status = ui(
        &lab,
        "add-status",
        json!({"pipeline_id": PIPELINE_SALES, "name": "Новый этап"}),
    )
    .await["id"]
        .clone();
    let id = lab.new_lead(json!({"status_id": status})).await;
    let refused = lab
        .control(
            "amocrm/ui/remove-status",
            json!({"pipeline_id": PIPELINE_SALES, "id": status}),
        )
        .await;
    assert_eq!(refused.status, 404, "it has a lead");
    ui(&lab, "move", json!({"id": id, "status_id": STATUS_NEW})).await;
    ui(
        &lab,
        "remove-status",
        json!({"pipeline_id": PIPELINE_SALES, "id": status}),
    )
    .await;
    assert_eq!(
        lab.post("leads", json!([{"status_id": status}])).await.faults(),
        ["NotSupportedChoice status_id"]
    );
    let field = ui(
        &lab,
        "add-field",
        json!({"entity": "leads", "name": "Поле", "type": "select", "options": ["А"]}),
    )
    .await["id"]
        .clone();
    let set = json!({"custom_fields_values": [{"field_id": field, "values": [{"value": "А"}]}]});
    let id = lab.new_lead(set.clone()).await;
    ui(&lab, "remove-field", json!({"id": field})).await;
    assert_eq!(lab.lead(id).await["custom_fields_values"], Value::Null);
    assert_eq!(
        lab.post("leads", json!([set])).await.faults(),
        ["NotSupportedChoice custom_fields_values.0.field_id"]
    );
}

#[tokio::test]
async fn control_api_seeds_resets_and_refuses_nonsense() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(&receiver, &["add_contact"]).await;
    let seed = json!({"contacts": [{"name": "Посев"}], "leads": [{"name": "Л"}], "complex": [{"_embedded": {"contacts": [{"name": "С"}]}}]});
    let made = lab.control("amocrm/seed", seed).await.ok();
    assert!(
        made["contacts"]["_embedded"]["contacts"][0]["id"].is_i64()
            && made["complex"][0]["contact_id"].is_i64()
    );
    lab.idle().await;
    assert!(receiver.got().is_empty(), "a seed is silent");
    assert_eq!(lab.get("contacts?query=посев").await.status, 200);
    assert_eq!(
        lab.control("amocrm/seed", json!({"leads": [{"price": "x"}]}))
            .await
            .status,
        400
    );
    assert_eq!(
        lab.control("amocrm/settings", json!({"nonsense": 1}))
            .await
            .status,
        400
    );
    assert_eq!(
        lab.control("amocrm/settings", json!({"retry_after": 9}))
            .await
            .ok()["retry_after"],
        9
    );
    assert_eq!(lab.control("amocrm/ui/dance", json!({})).await.status, 404);
    assert_eq!(lab.control("amocrm/ui/move", json!({})).await.status, 400);
    lab.control("clock", json!({"frozen": true, "advance_s": 100}))
        .await
        .ok();
    let journal = lab
        .request("GET", "/_sandbox/journal?side=amocrm&writes=true")
        .send()
        .await
        .expect("an answer");
    let journal: Value = journal.json().await.expect("JSON");
    assert_eq!(
        journal["entries"].as_array().expect("entries").len(),
        1,
        "the subscription is the only write"
    );
    assert_eq!(journal["amocrm"]["answers_429"], 0);
    lab.control("reset", json!({"demo": false})).await.ok();
    assert_eq!(lab.get("leads").await.status, 204);
    assert_eq!(lab.get("webhooks").await.status, 204);
    assert!(!lab.clock().is_frozen());
    lab.control("reset", json!({"demo": true})).await.ok();
    assert_eq!(
        lab.get("leads").await.ok()["_embedded"]["leads"]
            .as_array()
            .expect("leads")
            .len(),
        4
    );
}

#[tokio::test]
async fn journal_stream_tells_of_requests_as_they_come() {
    let lab = Lab::start();
    let mut stream = lab
        .request("GET", "/_sandbox/journal/stream")
        .send()
        .await
        .expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let hello = stream.chunk().await.expect("a chunk").expect("some bytes");
    assert_eq!(&hello[..], b": open\n\n");
    assert_eq!(lab.get("account").await.status, 200);
    let chunk = stream.chunk().await.expect("a chunk").expect("some bytes");
    let text = String::from_utf8_lossy(&chunk).into_owned();
    let entry: Value =
        serde_json::from_str(text.trim().strip_prefix("data: ").expect("an event")).expect("JSON");
    assert_eq!(
        (&entry["path"], &entry["status"]),
        (&json!("/api/v4/account"), &json!(200))
    );
}

#[tokio::test]
async fn page_and_board_are_served_on_both_ports() {
    let lab = Lab::start();
    let client = reqwest::Client::new();
    for url in [&lab.sandbox.amocrm_url, &lab.sandbox.lptracker_url] {
        let page = client
            .get(format!("{url}/"))
            .send()
            .await
            .expect("a page")
            .text()
            .await
            .expect("text");
        for id in [
            "amo-create-name",
            "amo-create-phone",
            "amo-create-submit",
            "data-testid=\"journal\"",
        ] {
            assert!(page.contains(id), "{id}");
        }
        let board: Value = client
            .get(format!("{url}/_sandbox/amocrm/board"))
            .send()
            .await
            .expect("a board")
            .json()
            .await
            .expect("JSON");
        let columns = board["columns"].as_array().expect("columns");
        assert_eq!((columns.len(), &columns[1]["id"]), (8, &json!(STATUS_NEW)));
        let card = format!("{url}/_sandbox/amocrm/card/{}", columns[1]["cards"][0]["id"]);
        let card: Value = client
            .get(card)
            .send()
            .await
            .expect("a card")
            .json()
            .await
            .expect("JSON");
        assert_eq!(
            (&card["contact"], &card["phone"]),
            (&json!("Мария Иванова"), &json!("+79161234501"))
        );
    }
    assert!(
        lab.sandbox.world.journal.entries().is_empty(),
        "the page leaves no trace"
    );
}

#[tokio::test]
async fn flush_delivers_delayed_hooks_now_and_parallel_lifts_the_order() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    lab.subscribe(&receiver, &["add_lead"]).await;
    lab.control(
        "webhooks/modes",
        json!({"side": "amocrm", "modes": {"delay_ms": 60_000, "parallel": 4}}),
    )
    .await
    .ok();
    lab.post("leads", json!(vec![json!({"name": "x"}); 8])).await.ok();
    lab.idle().await;
    assert!(receiver.got().is_empty());
    assert_eq!(lab.control("webhooks/flush", json!({})).await.ok()["queued"], 0);
    assert_eq!(receiver.got().len(), 8);
}

#[tokio::test]
async fn contact_name_is_built_from_its_parts_when_they_are_sent() {
    let lab = Lab::start();
    let cases = [
        (json!({"name": "1"}), ["1", "", ""]),
        (
            json!({"first_name": "Иван", "last_name": "Петров"}),
            ["Иван Петров", "Иван", "Петров"],
        ),
        (
            json!({"name": "Другое", "first_name": "Иван"}),
            ["Иван", "Иван", ""],
        ),
    ];
    for (item, expected) in cases {
        let id = lab.new_contact(item).await;
        let contact = lab.get(&format!("contacts/{id}")).await.ok();
        assert_eq!(
            [&contact["name"], &contact["first_name"], &contact["last_name"]],
            expected
        );
    }
}
