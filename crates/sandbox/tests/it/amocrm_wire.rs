//! Checklist line 26 and the golden tests: bytes of webhooks against captured deliveries.

use std::path::PathBuf;

use sandbox::amocrm::model::{Choice, Field, Task};
use sandbox::amocrm::{Entity, Kind};
use sandbox::*;
use serde_json::json;

use crate::lab::{Got, Lab, Receiver, decoded};

/// Captured deliveries lie beside the checkout where the contracts are at hand.
fn captured() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contracts/amocrm-fixtures");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("no captured deliveries beside the checkout: only the hand-written ones are compared");
    None
}

/// Compares with the text written by hand after the contract, and with the captured file when it is there.
fn check(got: &Got, by_hand: &str, file: &str) {
    let escaped = by_hand.replace('[', "%5B").replace(']', "%5D");
    assert_eq!(got.body, escaped);
    if let Some(folder) = captured() {
        let bytes = std::fs::read_to_string(folder.join(file)).expect("the file");
        assert_eq!(got.body, bytes.trim_end(), "{file}");
    }
}

/// The account `example` of the captured deliveries with one lead and one contact.
fn example(lab: &Lab) {
    let mut state = lab.sandbox.world.amocrm();
    let account = state.account();
    account.subdomain = "example".to_owned();
    let mut lead = Entity::new(Kind::Lead, 40_000_001);
    lead.name = "TEST LEAD (API)".to_owned();
    (lead.status_id, lead.pipeline_id) = (17_944_873, 936_736);
    (lead.responsible_user_id, lead.created_by, lead.updated_by) = (2_852_878, 2_852_878, 2_852_878);
    (lead.created_at, lead.updated_at) = (1_744_532_875, 1_744_532_875);
    account.insert(lead);
    let mut contact = Entity::new(Kind::Contact, 37_054_081);
    contact.name = "Тест Тестович".to_owned();
    (contact.responsible_user_id, contact.created_by) = (10_000_698, 10_000_698);
    (contact.created_at, contact.updated_at) = (1_748_289_231, 1_748_292_937);
    account.users.push(sandbox::amocrm::model::User {
        id: 10_000_698,
        name: "Пользователь".into(),
        email: String::new(),
        is_admin: false,
        is_active: true,
    });
    contact
        .values
        .insert(FIELD_POSITION, vec![json!({"value": "Директор"})]);
    let kind = |value: &str, id: i64| vec![json!({"value": value, "enum_id": id, "enum_code": "WORK"})];
    contact
        .values
        .insert(FIELD_PHONE, kind("+79000000001", ENUM_PHONE_WORK));
    contact
        .values
        .insert(FIELD_EMAIL, kind("user@example.com", ENUM_EMAIL_WORK));
    account.insert(contact);
}

const ACCOUNT: &str =
    "account[subdomain]=example&account[id]=30000001&account[_links][self]=https%3A%2F%2Fexample.amocrm.ru&";

#[tokio::test]
async fn lead_and_contact_bodies_equal_captured_ones_byte_for_byte() {
    let lab = Lab::start();
    example(&lab);
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &["add_lead", "restore_lead", "delete_lead", "update_contact"],
    )
    .await;

    lab.control("amocrm/ui/delete", json!({"entity": "leads", "id": 40_000_001}))
        .await
        .ok();
    lab.idle().await;
    let by_hand = format!(
        "{ACCOUNT}leads[delete][0][id]=40000001&leads[delete][0][status_id]=17944873&leads[delete][0][pipeline_id]=936736"
    );
    check(&receiver.take()[0], &by_hand, "webhook-leads-delete.form");

    // A restored lead is a whole entity: the same keys as an added one, under another action.
    lab.clock().freeze_at(1_744_532_875_000);
    lab.control(
        "amocrm/ui/restore?user_id=2852878",
        json!({"entity": "leads", "id": 40_000_001}),
    )
    .await
    .ok();
    lab.idle().await;
    let mut restored = receiver.take().remove(0);
    restored.body = restored.body.replace("%5Brestore%5D", "%5Badd%5D");
    let at = |key: &str, value: &str| format!("leads[add][0][{key}]={value}");
    let pairs = [
        at("id", "40000001"),
        at("name", "TEST+LEAD+%28API%29"),
        at("status_id", "17944873"),
        at("price", "0"),
        at("responsible_user_id", "2852878"),
        at("last_modified", "1744532875"),
        at("modified_user_id", "2852878"),
        at("created_user_id", "2852878"),
        at("date_create", "1744532875"),
        at("pipeline_id", "936736"),
        at("account_id", "30000001"),
        at("created_at", "1744532875"),
        at("updated_at", "1744532875"),
    ];
    check(
        &restored,
        &format!("{ACCOUNT}{}", pairs.join("&")),
        "webhook-leads-add.form",
    );

    lab.clock().freeze_at(1_748_292_937_000);
    {
        let mut state = lab.sandbox.world.amocrm();
        state
            .account()
            .contacts
            .get_mut(&37_054_081)
            .expect("the contact")
            .values
            .remove(&FIELD_POSITION);
    }
    let edit = json!({"entity": "contacts", "id": 37_054_081, "set": {"custom_fields_values": [
        {"field_code": "POSITION", "values": [{"value": "Директор"}]}]}});
    lab.control("amocrm/ui/edit?user_id=10000698", edit).await.ok();
    lab.idle().await;
    let got = receiver.take().remove(0);
    let keys: Vec<String> = got
        .pairs()
        .into_iter()
        .skip(3)
        .map(|(k, _)| k.replace("contacts[update][0]", ""))
        .collect();
    let expected = [
        "[id]",
        "[name]",
        "[responsible_user_id]",
        "[date_create]",
        "[last_modified]",
        "[created_user_id]",
        "[modified_user_id]",
        "[account_id]",
        "[custom_fields][0][id]",
        "[custom_fields][0][name]",
        "[custom_fields][0][values][0][value]",
        "[custom_fields][0][code]",
        "[custom_fields][1][id]",
        "[custom_fields][1][name]",
        "[custom_fields][1][values][0][value]",
        "[custom_fields][1][values][0][enum]",
        "[custom_fields][1][code]",
        "[custom_fields][2][id]",
        "[custom_fields][2][name]",
        "[custom_fields][2][values][0][value]",
        "[custom_fields][2][values][0][enum]",
        "[custom_fields][2][code]",
        "[old_responsible_user_id]",
        "[created_at]",
        "[updated_at]",
        "[type]",
    ];
    assert_eq!(keys, expected);
    if let Some(folder) = captured() {
        let bytes = std::fs::read_to_string(folder.join("webhook-contacts-update.form")).expect("the file");
        assert_eq!(got.body, bytes.trim_end());
    }
}

#[tokio::test]
async fn every_captured_form_decodes_and_encodes_back_to_itself() {
    let Some(folder) = captured() else { return };
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the folder").flatten() {
        if file.path().extension().is_none_or(|e| e != "form") {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(file.path()).expect("the file");
        let pairs = decoded(text.trim_end());
        assert!(
            pairs.iter().any(|(k, _)| k == "account[subdomain]"),
            "{:?}",
            file.path()
        );
        let body = pairs
            .iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
            .collect::<Vec<_>>()
            .join("&");
        assert_eq!(body, text.trim_end(), "{:?}", file.path());
    }
    assert!(seen >= 10, "{seen}");
}

/// PHP's encoding of a form, written apart from the code under test.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match byte {
            b' ' => out.push('+'),
            _ if plain => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

// Line 26.
#[tokio::test]
async fn transport_and_values_have_the_wire_shape() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &["update_lead", "note_lead", "note_contact", "add_task"],
    )
    .await;
    let (birthday, switch) = {
        let mut state = lab.sandbox.world.amocrm();
        let account = state.account();
        let birthday = account.add_field(Kind::Lead, "День рождения", "birthday", &[]);
        let mut switch = Field::new(9_001, Kind::Lead, "Переключатель", "radiobutton", 900);
        switch.enums = vec![Choice {
            id: 566_642,
            value: "2".into(),
            sort: 1,
            code: None,
        }];
        account.fields.push(switch);
        (birthday, 9_001)
    };
    let id = lab.new_lead(json!({"name": "x", "custom_fields_values": [{"field_id": FIELD_CITY, "values": [{"value": "Тверь"}]}]})).await;
    let fields = json!([
        {"field_id": FIELD_CITY, "values": null},
        {"field_id": FIELD_SOURCE, "values": [{"value": "Сайт"}]},
        {"field_id": FIELD_PRODUCT_TAGS, "values": [{"value": "CRM"}, {"value": "Чат-бот"}]},
        {"field_id": FIELD_CALL_DATE, "values": [{"value": 1_725_915_600}]},
        {"field_id": FIELD_CONSENT, "values": [{"value": true}]},
        {"field_id": birthday, "values": [{"value": 379_641_600}]},
        {"field_id": switch, "values": [{"value": "2"}]},
    ]);
    lab.patch(
        &format!("leads/{id}"),
        json!({"name": "А & Б +", "custom_fields_values": fields, "tags_to_add": [{"name": "form"}]}),
    )
    .await
    .ok();
    lab.idle().await;
    let got = receiver.take().remove(0);
    assert_eq!(got.line, "POST /hook HTTP/1.1");
    assert_eq!(got.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(got.header("user-agent"), "amoCRM-Webhooks/3.0");
    assert_eq!(got.header("accept-encoding"), "gzip");
    assert!(got.body.starts_with("account%5Bsubdomain%5D=demo&account%5Bid%5D=30000001&account%5B_links%5D%5Bself%5D=https%3A%2F%2Fdemo.amocrm.ru&leads%5Bupdate%5D"));
    assert!(got.body.contains("=%D0%90+%26+%D0%91+%2B&"), "{}", got.body);
    let below = |field: &str| -> Vec<(String, String)> {
        let pairs = got.pairs();
        let own = pairs
            .iter()
            .find(|(k, v)| k.ends_with("[id]") && k.contains("custom_fields") && v == field)
            .expect("the field");
        let prefix = own.0.strip_suffix("[id]").expect("an id").to_owned();
        let values = pairs
            .iter()
            .filter(|(k, _)| k.starts_with(&format!("{prefix}[values]")));
        values
            .map(|(k, v)| (k[prefix.len()..].to_owned(), v.clone()))
            .collect()
    };
    let is = |field: i64, expected: &[(&str, &str)]| {
        let expected: Vec<(String, String)> =
            expected.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        assert_eq!(below(&field.to_string()), expected);
    };
    is(FIELD_CITY, &[]);
    is(
        FIELD_SOURCE,
        &[("[values][0][value]", "Сайт"), ("[values][0][enum]", "960001")],
    );
    is(
        FIELD_PRODUCT_TAGS,
        &[
            ("[values][0][value]", "CRM"),
            ("[values][0][enum]", "960021"),
            ("[values][1][value]", "Чат-бот"),
            ("[values][1][enum]", "960023"),
        ],
    );
    is(FIELD_CALL_DATE, &[("[values][0]", "1725915600")]);
    is(FIELD_CONSENT, &[("[values][0][value]", "1")]);
    is(birthday, &[("[values][0][value]", "12.01.1982")]);
    is(switch, &[("[values][value]", "2"), ("[values][enum]", "566642")]);
    assert_eq!(
        got.value("leads[update][0][tags][0][name]").as_deref(),
        Some("form")
    );

    lab.sandbox.world.amocrm().set(|s| s.account_block_last = true);
    lab.post("leads/notes", json!([
        {"entity_id": id, "note_type": "common", "params": {"text": "ссылка & <тег>"}},
        {"entity_id": id, "note_type": "call_in", "params": {"uniq": "u1", "duration": 5, "source": "lpt", "phone": "+7", "link": "https://a.ru/x"}},
        {"entity_id": id, "note_type": "attachment", "params": {"file_uuid": "f", "file_name": "а.txt"}},
    ])).await.ok();
    lab.idle().await;
    let got = receiver.take();
    assert_eq!(got.len(), 4, "a note with a file is told twice");
    assert!(
        got[0].body.starts_with("leads%5Bnote%5D")
            && got[0].body.ends_with("%5Bself%5D=https%3A%2F%2Fdemo.amocrm.ru")
    );
    let note = |got: &Got, key: &str| {
        got.value(&format!("leads[note][0][note][{key}]"))
            .unwrap_or_default()
    };
    assert_eq!(note(&got[0], "text"), "ссылка &amp; &lt;тег&gt;");
    assert_eq!(
        (note(&got[0], "note_type"), note(&got[0], "element_type")),
        ("4".into(), "2".into())
    );
    let metadata: serde_json::Value = serde_json::from_str(&note(&got[0], "metadata")).expect("a JSON text");
    assert_eq!(metadata["event_source"]["author_name"], "Анна Смирнова");
    assert_eq!(note(&got[1], "note_type"), "10");
    let call: serde_json::Value = serde_json::from_str(&note(&got[1], "text")).expect("a JSON text");
    assert_eq!(
        (&call["UNIQ"], &call["LINK"]),
        (&json!("u1"), &json!("https://a.ru/x"))
    );
    assert_eq!(note(&got[2], "attachement"), "а.txt");
}

// Line 26: tasks and notes of contacts, keys and order of the documented samples.
#[tokio::test]
async fn task_and_contact_note_bodies_have_documented_keys() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &[
            "add_task",
            "update_task",
            "delete_task",
            "note_contact",
            "delete_contact",
        ],
    )
    .await;
    lab.clock().freeze_at(1_726_578_449_000);
    let id = {
        let mut state = lab.sandbox.world.amocrm();
        let account = state.account();
        let lead = account.leads.keys().next().copied().expect("a lead");
        account.tasks.insert(
            1,
            Task {
                id: 1,
                entity: Some((Kind::Lead, lead)),
                text: "Текст задачи".into(),
                task_type_id: 1,
                complete_till: 1_759_438_740,
                duration: 0,
                is_completed: false,
                result: None,
                responsible_user_id: USER_ANNA,
                created_by: USER_ANNA,
                updated_by: USER_ANNA,
                created_at: 1_726_578_449,
                updated_at: 1_726_578_449,
            },
        );
        lead
    };
    let body = json!([{"text": "Текст задачи", "complete_till": 1_759_438_740, "entity_id": id, "entity_type": "leads"}]);
    lab.post("tasks", body).await.ok();
    lab.patch("tasks/1", json!({"responsible_user_id": USER_IVAN}))
        .await
        .ok();
    lab.control("amocrm/ui/delete-task", json!({"id": 1})).await.ok();
    let contact = lab.new_contact(json!({"name": "К"})).await;
    lab.post(
        "contacts/notes",
        json!([{"entity_id": contact, "note_type": "common", "params": {"text": "т"}}]),
    )
    .await
    .ok();
    lab.control("amocrm/ui/delete", json!({"entity": "contacts", "id": contact}))
        .await
        .ok();
    lab.idle().await;
    let got = receiver.take();
    let keys = |got: &Got| -> Vec<String> {
        let name = |(k, _): (String, String)| k[k.find("[0]").expect("an index") + 3..].to_owned();
        got.pairs().into_iter().skip(3).map(name).collect()
    };
    let task = [
        "[id]",
        "[element_id]",
        "[element_type]",
        "[task_type]",
        "[date_create]",
        "[text]",
        "[status]",
        "[account_id]",
        "[created_user_id]",
        "[last_modified]",
        "[responsible_user_id]",
        "[complete_till]",
        "[created_at]",
        "[updated_at]",
        "[complete_before]",
    ];
    assert_eq!(keys(&got[0]), task);
    assert_eq!(
        got[0].value("task[add][0][date_create]").as_deref(),
        Some("2024-09-17 13:07:29")
    );
    assert_eq!(
        got[0].value("task[add][0][complete_till]").as_deref(),
        Some("2025-10-02 20:59:00")
    );
    let more = [
        "[action_close]",
        "[old_text]",
        "[main_user]",
        "[modified_by]",
        "[old_responsible_user_id]",
    ];
    assert_eq!(keys(&got[1]), [task.as_slice(), &more].concat());
    assert_eq!(keys(&got[2]), ["[id]"]);
    assert_eq!(
        got[3].value("contacts[note][0][type]").as_deref(),
        Some("contact")
    );
    assert_eq!(
        got[3].value("contacts[note][0][note][date_create]").as_deref(),
        Some("2024-09-17 16:07:29")
    );
    let note = [
        "text",
        "attachement",
        "date_create",
        "note_type",
        "element_type",
        "element_id",
        "catalog_id",
        "group_id",
        "timestamp_x",
        "account_id",
        "metadata",
        "created_by",
        "modified_by",
        "main_user_id",
        "id",
        "created_at",
        "updated_at",
    ];
    let mut expected: Vec<String> = note.iter().map(|k| format!("[note][{k}]")).collect();
    expected.push("[type]".into());
    assert_eq!(keys(&got[3]), expected);
    assert_eq!(keys(&got[4]), ["[id]", "[type]"]);
}
