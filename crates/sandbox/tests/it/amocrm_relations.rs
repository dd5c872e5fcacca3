//! Checklist lines 22–24: tags, links, calls, history; tasks, notes and incoming leads beside them.

use sandbox::amocrm::Kind;
use sandbox::*;
use serde_json::{Value, json};

use crate::lab::Lab;

fn names(entity: &Value) -> Vec<String> {
    let tags = entity["_embedded"]["tags"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    tags.iter()
        .filter_map(|t| t["name"].as_str().map(str::to_owned))
        .collect()
}

// Line 22, tags.
#[tokio::test]
async fn tags_are_told_apart_by_exact_name_and_entity_type() {
    let lab = Lab::start();
    let tags = |list: Value| json!({"_embedded": {"tags": list}});
    let id = lab
        .new_lead(tags(json!([{"name": "VIP"}, {"name": "vip"}, {"name": "VIP "}])))
        .await;
    assert_eq!(names(&lab.lead(id).await), ["VIP", "vip", "VIP "]);
    let path = format!("leads/{id}");
    let vip = lab.lead(id).await["_embedded"]["tags"][0]["id"].clone();
    lab.patch(
        &path,
        json!({"tags_to_add": [{"name": "новый"}, {"id": vip}], "tags_to_delete": [{"name": "vip"}]}),
    )
    .await
    .ok();
    assert_eq!(names(&lab.lead(id).await), ["VIP", "VIP ", "новый"]);
    lab.patch(&path, tags(json!([{"id": vip}]))).await.ok();
    assert_eq!(names(&lab.lead(id).await), ["VIP"]);
    lab.patch(&path, tags(Value::Null)).await.ok();
    assert!(names(&lab.lead(id).await).is_empty());
    let made = lab
        .post(
            "leads/tags",
            json!([{"name": "VIP", "color": "FFCE5A"}, {"name": "Другой", "request_id": "r"}]),
        )
        .await
        .ok();
    assert_eq!(
        made["_embedded"]["tags"][0]["id"], vip,
        "a known name gives the known tag"
    );
    assert_eq!(
        (&made["_total_items"], &made["_embedded"]["tags"][1]["request_id"]),
        (&json!(2), &json!("r"))
    );
    let contact = lab.post("contacts/tags", json!([{"name": "VIP"}])).await.ok();
    assert_ne!(
        contact["_embedded"]["tags"][0]["id"], vip,
        "ids are per entity type"
    );
    let found = lab.get("leads/tags?query=vip").await.ok();
    assert_eq!(found["_embedded"]["tags"].as_array().expect("tags").len(), 3);
    assert_eq!(found["_embedded"]["tags"][0]["color"], "FFCE5A");
    assert_eq!(
        lab.post("contacts/tags", json!([{"name": "x", "color": "FFCE5A"}]))
            .await
            .faults(),
        ["NotSupportedChoice color"]
    );
}

// Line 22, links.
#[tokio::test]
async fn links_are_written_as_is_main_and_read_as_main_contact() {
    let lab = Lab::start();
    let lead = lab.new_lead(json!({"name": "Л"})).await;
    let (a, b) = (
        lab.new_contact(json!({"name": "А"})).await,
        lab.new_contact(json!({"name": "Б"})).await,
    );
    let company = |made: Value| made["_embedded"]["companies"][0]["id"].as_i64().expect("an id");
    let one = company(lab.post("companies", json!([{"name": "Одна"}])).await.ok());
    let two = company(lab.post("companies", json!([{"name": "Две"}])).await.ok());
    let to = |id: i64, kind: &str, main: bool| json!({"to_entity_id": id, "to_entity_type": kind, "metadata": {"is_main": main}});
    let answer = lab
        .post(
            &format!("leads/{lead}/link"),
            json!([
                to(a, "contacts", false),
                to(b, "contacts", true),
                to(one, "companies", false)
            ]),
        )
        .await
        .ok();
    assert_eq!(answer["_total_items"], 3);
    let links = lab.get(&format!("leads/{lead}/links")).await.ok();
    let expected = json!([
        {"to_entity_id": a, "to_entity_type": "contacts", "metadata": {"main_contact": false}},
        {"to_entity_id": b, "to_entity_type": "contacts", "metadata": {"main_contact": true}},
        {"to_entity_id": one, "to_entity_type": "companies", "metadata": null},
    ]);
    assert_eq!(links["_embedded"]["links"], expected);
    lab.post(
        &format!("leads/{lead}/link"),
        json!([to(two, "companies", false)]),
    )
    .await
    .ok();
    let read = lab.lead(lead).await;
    assert_eq!(
        read["_embedded"]["companies"]
            .as_array()
            .expect("companies")
            .len(),
        1,
        "one company per lead"
    );
    assert_eq!(read["_embedded"]["companies"][0]["id"], two);
    let back = lab.get(&format!("contacts/{b}?with=leads")).await.ok();
    assert_eq!(back["_embedded"]["leads"][0]["id"], lead);
    assert_eq!(
        lab.post(&format!("leads/{lead}/unlink"), json!([to(a, "contacts", false)]))
            .await
            .status,
        204
    );
    let links = lab
        .get(&format!("leads/{lead}/links?filter[to_entity_type]=contacts"))
        .await
        .ok();
    assert_eq!(links["_embedded"]["links"].as_array().expect("links").len(), 1);
    let mass = lab
        .get(&format!("leads/links?filter[entity_id][]={lead}"))
        .await
        .ok();
    assert_eq!(mass["_embedded"]["links"][0]["entity_id"], lead);
    let mut bad = to(a, "contacts", false);
    bad["metadata"]["updated_by"] = json!(USER_OLGA);
    let faults = lab
        .post(&format!("leads/{lead}/link"), json!([bad]))
        .await
        .faults();
    assert_eq!(faults, ["NotSupportedChoice metadata.updated_by"]);
    let element = json!([{"to_entity_id": 597_393, "to_entity_type": "catalog_elements", "metadata": {"quantity": 2, "catalog_id": 4521}}]);
    let answer = lab.post(&format!("leads/{lead}/link"), element).await.ok();
    assert_eq!(
        answer["_embedded"]["links"][0]["metadata"],
        json!({"quantity": 2, "catalog_id": 4521})
    );
    let read = lab.get(&format!("leads/{lead}?with=catalog_elements")).await.ok();
    assert_eq!(read["_embedded"]["catalog_elements"][0]["catalog_id"], 4521);
}

// Line 23.
#[tokio::test]
async fn call_goes_to_the_only_open_lead_else_to_the_owner_of_the_phone() {
    let lab = Lab::start();
    let phone = |text: &str| json!([{"field_code": "PHONE", "values": [{"value": text}]}]);
    let call = |phone: &str| json!({"direction": "inbound", "duration": 60, "source": "lptracker", "phone": phone, "uniq": "u", "call_status": 4, "request_id": "c1"});
    let contact = lab
        .new_contact(json!({"name": "К", "custom_fields_values": phone("8 (999) 000-11-22")}))
        .await;
    let place = async |number: &str| {
        let answer = lab.post("calls", json!([call(number)])).await.ok();
        let call = &answer["_embedded"]["calls"][0];
        (
            call["entity_type"].as_str().unwrap_or_default().to_owned(),
            call["entity_id"].as_i64(),
        )
    };
    assert_eq!(
        place("+7 999 000 11 22").await,
        ("contact".into(), Some(contact)),
        "no lead"
    );
    let people = json!({"_embedded": {"contacts": [{"id": contact}]}});
    let first = lab.new_lead(people.clone()).await;
    assert_eq!(
        place("79990001122").await,
        ("lead".into(), Some(first)),
        "one open lead"
    );
    let second = lab.new_lead(people).await;
    assert_eq!(
        place("9990001122").await,
        ("contact".into(), Some(contact)),
        "two open leads"
    );
    lab.patch(&format!("leads/{first}"), json!({"status_id": 142}))
        .await
        .ok();
    assert_eq!(
        place("79990001122").await,
        ("lead".into(), Some(second)),
        "closed leads do not count"
    );
    let notes = lab.get(&format!("leads/{second}/notes")).await.ok();
    let note = &notes["_embedded"]["notes"][0];
    assert_eq!(
        (
            &note["note_type"],
            &note["params"]["call_status"],
            &note["created_by"]
        ),
        (&json!("call_in"), &json!(4), &json!(0))
    );
    let nobody = lab.post("calls", json!([call("+70000000000")])).await.ok();
    assert_eq!(
        (&nobody["_embedded"]["calls"], &nobody["errors"][0]["request_id"]),
        (&json!([]), &json!("c1"))
    );
    assert_eq!(
        lab.post("calls", json!([{"direction": "sideways"}]))
            .await
            .faults()
            .len(),
        4
    );
}

// Line 24.
#[tokio::test]
async fn history_tells_before_and_after_of_every_change() {
    let lab = Lab::start();
    let id = lab.new_lead(json!({"name": "Было", "price": 1})).await;
    let path = format!("leads/{id}");
    lab.patch(&path, json!({"name": "Стало", "price": 2, "status_id": STATUS_TO_CALL, "responsible_user_id": USER_IVAN, "tags_to_add": [{"name": "т"}]})).await.ok();
    lab.patch(
        &path,
        json!({"custom_fields_values": [{"field_id": FIELD_SOURCE, "values": [{"value": "Звонок"}]}]}),
    )
    .await
    .ok();
    lab.post(
        "leads/notes",
        json!([{"entity_id": id, "note_type": "common", "params": {"text": "п"}}]),
    )
    .await
    .ok();
    let twin = lab.new_lead(json!({"name": "Двойник"})).await;
    lab.control(
        "amocrm/ui/merge",
        json!({"entity": "leads", "id": id, "gone_id": twin}),
    )
    .await
    .ok();
    lab.control("amocrm/ui/delete", json!({"entity": "leads", "id": id}))
        .await
        .ok();
    let list = lab
        .get(&format!(
            "events?filter[entity]=lead&filter[entity_id][]={id}&limit=100"
        ))
        .await
        .ok();
    let events = list["_embedded"]["events"].as_array().expect("events").clone();
    let mut types: Vec<&str> = events.iter().filter_map(|e| e["type"].as_str()).collect();
    types.reverse();
    let custom = format!("custom_field_{FIELD_SOURCE}_value_changed");
    assert_eq!(
        types,
        [
            "lead_added",
            "name_field_changed",
            "sale_field_changed",
            "lead_status_changed",
            "entity_responsible_changed",
            "entity_tag_added",
            &custom,
            "common_note_added",
            "entity_merged",
            "lead_deleted",
        ]
    );
    let find = |kind: &str| events.iter().find(|e| e["type"] == kind).expect("the event");
    let moved = find("lead_status_changed");
    assert_eq!(
        moved["value_before"],
        json!([{"lead_status": {"id": STATUS_NEW, "pipeline_id": PIPELINE_SALES}}])
    );
    assert_eq!(
        moved["value_after"],
        json!([{"lead_status": {"id": STATUS_TO_CALL, "pipeline_id": PIPELINE_SALES}}])
    );
    assert_eq!(
        find(&custom)["value_after"][0]["custom_field_value"]["enum_id"],
        ENUM_SOURCE_CALL
    );
    assert_eq!(find("entity_merged")["value_before"][0]["entity"]["id"], twin);
    let key = moved["id"].as_str().expect("a string id");
    assert_eq!(key.len(), 26);
    assert_eq!(
        lab.get(&format!("events/{key}")).await.ok()["type"],
        "lead_status_changed"
    );
    let by_type = lab
        .get("events?filter[type]=custom_field_value_changed,lead_deleted")
        .await
        .ok();
    assert_eq!(
        by_type["_embedded"]["events"].as_array().expect("events").len(),
        2
    );
    let by_status = lab.get(&format!("events?filter[value_after][leads_statuses][0][pipeline_id]={PIPELINE_SALES}&filter[value_after][leads_statuses][0][status_id]={STATUS_TO_CALL}")).await.ok();
    assert_eq!(by_status["_embedded"]["events"][0]["id"], key);
    let at = moved["created_at"].as_i64().expect("a moment");
    for window in [
        format!("filter[created_at]={at},{at}"),
        format!("filter[created_at][from]={at}&filter[created_at][to]={at}"),
    ] {
        assert_eq!(lab.get(&format!("events?{window}")).await.status, 200, "{window}");
    }
    assert_eq!(
        lab.get(&format!("events?filter[created_at][from]={}", at + 1000))
            .await
            .status,
        204
    );
    assert_eq!(
        lab.get("events?filter[entity_id]=5").await.status,
        400,
        "an id needs its entity"
    );
    assert!(lab.get("events/types").await.ok()["_total_items"].as_i64() > Some(30));
}

// §9.1.
#[tokio::test]
async fn tasks_are_made_filtered_and_closed() {
    let lab = Lab::start();
    let lead = lab.new_lead(json!({"name": "Л"})).await;
    assert_eq!(
        lab.post("tasks", json!([{}])).await.faults(),
        ["FieldMissing text", "FieldMissing complete_till"]
    );
    let at = lab.clock().now() + 3600;
    let made = lab.post("tasks", json!([{"text": "Позвонить", "complete_till": at, "entity_id": lead, "entity_type": "leads", "request_id": "example"}])).await.ok();
    assert_eq!(made["_embedded"]["tasks"][0]["request_id"], "example");
    let id = made["_embedded"]["tasks"][0]["id"].clone();
    assert_eq!(lab.lead(lead).await["closest_task_at"], at);
    let task = lab.get(&format!("tasks/{id}")).await.ok();
    assert_eq!(
        (
            &task["result"],
            &task["responsible_user_id"],
            &task["task_type_id"]
        ),
        (&json!([]), &json!(USER_ANNA), &json!(1))
    );
    lab.patch(
        &format!("tasks/{id}"),
        json!({"is_completed": true, "result": {"text": "Готово"}}),
    )
    .await
    .ok();
    let task = lab
        .get(&format!(
            "tasks?filter[entity_type]=leads&filter[entity_id][]={lead}&filter[is_completed]=1"
        ))
        .await
        .ok();
    assert_eq!(task["_embedded"]["tasks"][0]["result"], json!({"text": "Готово"}));
    assert_eq!(lab.get("tasks?filter[is_completed]=0").await.status, 204);
    assert_eq!(lab.lead(lead).await["closest_task_at"], Value::Null);
    let wrong = json!([{"text": "т", "complete_till": at, "entity_id": lead}]);
    assert_eq!(
        lab.post("tasks", wrong).await.faults(),
        ["FieldMissing entity_type"]
    );
}

// §9.2.
#[tokio::test]
async fn notes_of_every_writable_type_are_checked_and_read_back() {
    let lab = Lab::start();
    let lead = lab.new_lead(json!({"name": "Л"})).await;
    let items = json!([
        {"entity_id": lead, "note_type": "common", "params": {"text": "Текст"}, "request_id": "n1"},
        {"entity_id": lead, "note_type": "service_message", "params": {"service": "LPTracker", "text": "Статус"}},
        {"entity_id": lead, "note_type": "call_out", "params": {"uniq": "u", "duration": 5, "source": "lptracker", "phone": "+7"}},
    ]);
    let made = lab.post("leads/notes", items).await.ok();
    assert_eq!(made["_embedded"]["notes"][0]["request_id"], "n1");
    let id = made["_embedded"]["notes"][0]["id"].clone();
    let list = lab
        .get(&format!(
            "leads/{lead}/notes?filter[note_type][]=common&filter[note_type][]=call_out"
        ))
        .await
        .ok();
    assert_eq!(list["_embedded"]["notes"].as_array().expect("notes").len(), 2);
    lab.patch(
        &format!("leads/notes/{id}"),
        json!({"params": {"text": "Другой"}}),
    )
    .await
    .ok();
    assert_eq!(
        lab.get(&format!("leads/notes/{id}")).await.ok()["params"]["text"],
        "Другой"
    );
    assert_eq!(
        lab.send("POST", &format!("leads/{lead}/notes/{id}/pin"), None)
            .await
            .status,
        204
    );
    assert_eq!(
        lab.get(&format!("leads/{lead}/notes/{id}?with=is_pinned"))
            .await
            .ok()["is_pinned"],
        true
    );
    let own = lab
        .post(
            &format!("leads/{lead}/notes"),
            json!([{"note_type": "service_message", "params": {"text": "х"}}]),
        )
        .await;
    assert_eq!(own.faults(), ["FieldMissing params.service"]);
    assert_eq!(
        lab.post(
            "leads/notes",
            json!([{"entity_id": 1, "note_type": "chat", "params": {}}])
        )
        .await
        .faults(),
        ["NotSupportedChoice entity_id", "NotSupportedChoice note_type"]
    );
}

// §9.6 and §7.5.
#[tokio::test]
async fn incoming_lead_waits_in_unsorted_until_accepted_or_declined() {
    let lab = Lab::start();
    let metadata = json!({"form_id": "f", "form_name": "Форма", "form_page": "https://a.ru", "form_sent_at": 1, "category": "forms"});
    let item = json!({"name": "С сайта", "status_id": STATUS_CONFIRMED, "pipeline_id": PIPELINE_SALES,
        "_embedded": {"contacts": [{"name": "Гость"}], "metadata": metadata}});
    let made = lab.post("leads/complex", json!([item.clone()])).await.ok();
    let id = made[0]["id"].as_i64().expect("an id");
    assert_eq!(
        lab.lead(id).await["status_id"],
        STATUS_UNSORTED,
        "metadata send the lead to Unsorted"
    );
    let contact = format!("contacts/{}", made[0]["contact_id"]);
    assert_eq!(lab.get(&contact).await.ok()["is_unsorted"], true);
    let list = lab.get("leads/unsorted?filter[category][]=forms").await.ok();
    let uid = list["_embedded"]["unsorted"][0]["uid"]
        .as_str()
        .expect("a uid")
        .to_owned();
    assert_eq!(uid.len(), 60);
    let accepted = lab
        .post(
            &format!("leads/unsorted/{uid}/accept"),
            json!({"user_id": USER_IVAN, "status_id": STATUS_QUALIFICATION}),
        )
        .await
        .ok();
    assert_eq!(
        (&accepted["category"], &accepted["_embedded"]["leads"][0]["id"]),
        (&json!("forms"), &json!(id))
    );
    let lead = lab.lead(id).await;
    assert_eq!(
        (&lead["status_id"], &lead["responsible_user_id"]),
        (&json!(STATUS_QUALIFICATION), &json!(USER_IVAN))
    );
    assert_eq!(lab.get(&contact).await.ok()["is_unsorted"], false);
    assert_eq!(lab.get(&format!("leads/unsorted/{uid}")).await.status, 404);
    let form = json!([{"source_uid": "s", "source_name": "Сайт", "metadata": metadata, "pipeline_id": PIPELINE_SALES,
        "request_id": "456", "_embedded": {"leads": [{"name": "Вторая"}], "contacts": [{"name": "Гость 2"}]}}]);
    let made = lab.post("leads/unsorted/forms", form).await.ok();
    let line = &made["_embedded"]["unsorted"][0];
    assert_eq!(line["request_id"], "456");
    let path = format!("leads/unsorted/{}/decline", line["uid"].as_str().expect("a uid"));
    assert_eq!(lab.delete(&path, json!({"user_id": USER_ANNA})).await.status, 200);
    assert_eq!(
        lab.get(&format!("leads/{}", line["_embedded"]["leads"][0]["id"]))
            .await
            .status,
        204
    );
    assert_eq!(
        lab.post("leads/unsorted/sip", json!([{"source_uid": "s"}]))
            .await
            .faults(),
        ["FieldMissing source_name", "FieldMissing metadata"]
    );
}

// §7.5.
#[tokio::test]
async fn duplicate_control_joins_to_what_was_there_before_the_call() {
    let lab = Lab::start();
    let item = |phone: &str| json!({"_embedded": {"contacts": [{"name": "П", "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}]}]}});
    let first = lab
        .post("leads/complex", json!([item("+79995550000")]))
        .await
        .ok();
    let off = lab
        .post("leads/complex", json!([item("+79995550000")]))
        .await
        .ok();
    assert_ne!(
        first[0]["contact_id"], off[0]["contact_id"],
        "without control every call makes a contact"
    );
    lab.control("amocrm/account", json!({"duplicate_control": true}))
        .await
        .ok();
    let on = lab
        .post(
            "leads/complex",
            json!([
                item("8 999 555-00-00"),
                item("+79995559999"),
                item("+79995559999")
            ]),
        )
        .await
        .ok();
    assert_eq!(
        (&on[0]["merged"], &on[0]["contact_id"]),
        (&json!(true), &first[0]["contact_id"])
    );
    assert_eq!(
        (&on[1]["merged"], &on[2]["merged"]),
        (&json!(false), &json!(false)),
        "not inside one call"
    );
    assert_ne!(on[1]["contact_id"], on[2]["contact_id"]);
    assert!(lab.sandbox.world.amocrm().account().table(Kind::Contact).len() >= 8);
}
