//! Checklist lines 25 and 27–30: subscriptions, what causes a hook, retries, modes, Digital Pipeline.

use std::time::Duration;

use sandbox::*;
use serde_json::{Value, json};

use crate::lab::{Lab, Receiver};

const MINUTE: Duration = Duration::from_secs(60);

// Line 25.
#[tokio::test]
async fn subscription_is_keyed_by_its_address_and_replaced_whole() {
    let lab = Lab::start();
    assert_eq!(lab.get("webhooks").await.status, 204);
    let hook =
        |codes: Value| json!({"destination": "https://hooks.example.com/a", "settings": codes, "sort": 10});
    let made = lab
        .post("webhooks", hook(json!(["add_lead", "update_lead"])))
        .await;
    assert_eq!(made.status, 200);
    let made = made.json();
    let mut keys: Vec<&String> = made.as_object().expect("an object").keys().collect();
    keys.sort();
    let expected = [
        "account_id",
        "created_at",
        "created_by",
        "destination",
        "disabled",
        "id",
        "settings",
        "sort",
        "updated_at",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        (&made["disabled"], &made["sort"], &made["created_by"]),
        (&json!(false), &json!(10), &json!(USER_ANNA))
    );
    lab.sandbox.world.amocrm().set(|s| s.webhook_post_201 = true);
    let again = lab.post("webhooks", hook(json!(["status_lead"]))).await;
    assert_eq!((again.status, &again.json()["id"]), (201, &made["id"]));
    let list = lab
        .get("webhooks?filter[destination]=https://hooks.example.com/a")
        .await
        .ok();
    assert_eq!(
        (
            &list["_total_items"],
            &list["_embedded"]["webhooks"][0]["settings"]
        ),
        (&json!(1), &json!(["status_lead"]))
    );
    assert_eq!(
        lab.get("webhooks?filter[destination]=https://else").await.status,
        204
    );
    assert_eq!(
        lab.post("webhooks", hook(json!(["sing_song"]))).await.faults(),
        ["NotSupportedChoice settings.0"]
    );
    assert_eq!(
        lab.post("webhooks", json!({"destination": "ftp://x", "settings": []}))
            .await
            .faults(),
        ["NotSupportedChoice destination"]
    );
    assert_eq!(
        lab.post("webhooks", json!({})).await.faults(),
        ["FieldMissing destination", "FieldMissing settings"]
    );
    for n in 1..100 {
        let body = json!({"destination": format!("https://hooks.example.com/{n}"), "settings": ["add_lead"]});
        assert_eq!(lab.post("webhooks", body).await.status, 201);
    }
    assert_eq!(
        lab.post(
            "webhooks",
            json!({"destination": "https://one.too/many", "settings": []})
        )
        .await
        .status,
        400
    );
    assert_eq!(
        lab.delete("webhooks", json!({"destination": "https://hooks.example.com/a"}))
            .await
            .status,
        204
    );
    assert_eq!(lab.get("webhooks").await.ok()["_total_items"], 99);
}

// Line 27.
#[tokio::test]
async fn every_change_is_told_and_a_status_change_twice() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    let codes: Vec<&str> = sandbox::amocrm::hooks::CODES.to_vec();
    lab.subscribe(&receiver, &codes).await;
    let told = async || {
        lab.idle().await;
        let facts = receiver.facts();
        let got = receiver.take();
        (facts, got)
    };
    let contact = lab.new_contact(json!({"name": "К"})).await;
    assert_eq!(told().await.0, ["contacts[add]"]);
    let lead = lab
        .new_lead(json!({"name": "Л", "_embedded": {"contacts": [{"id": contact}]}}))
        .await;
    assert_eq!(
        told().await.0,
        ["leads[add]", "contacts[update]"],
        "a lead with links tells of the contact too"
    );
    let path = format!("leads/{lead}");
    lab.patch(&path, json!({"status_id": STATUS_CONFIRMED}))
        .await
        .ok();
    let (facts, got) = told().await;
    assert_eq!(facts, ["leads[status]", "leads[update]"]);
    for (got, action) in got.iter().zip(["status", "update"]) {
        assert_eq!(
            got.value(&format!("leads[{action}][0][old_status_id]")),
            Some(STATUS_NEW.to_string())
        );
        assert_eq!(
            got.value(&format!("leads[{action}][0][modified_user_id]")),
            Some(USER_ANNA.to_string())
        );
    }
    lab.patch(&path, json!({"price": 5})).await.ok();
    let (facts, got) = told().await;
    assert_eq!(facts, ["leads[update]"]);
    assert_eq!(got[0].value("leads[update][0][old_status_id]"), None);
    lab.patch(&path, json!({"price": 5})).await.ok();
    assert!(
        told().await.0.is_empty(),
        "a write that changes nothing is silent"
    );
    lab.sandbox.world.amocrm().set(|s| s.hook_on_noop = true);
    lab.patch(&path, json!({"price": 5})).await.ok();
    assert_eq!(told().await.0, ["leads[update]"], "unless told otherwise");
    lab.patch(&path, json!({"responsible_user_id": USER_IVAN, "updated_by": 0}))
        .await
        .ok();
    let (facts, got) = told().await;
    assert_eq!(facts, ["leads[responsible]", "leads[update]"]);
    assert_eq!(
        got[0].value("leads[responsible][0][modified_user_id]").as_deref(),
        Some("0")
    );
    assert_eq!(
        got[0].value("leads[responsible][0][old_responsible_user_id]"),
        Some(USER_ANNA.to_string())
    );
    lab.sandbox.world.amocrm().set(|s| s.modified_user_zero = true);
    lab.patch(&path, json!({"name": "Иначе"})).await.ok();
    assert_eq!(
        told().await.1[0]
            .value("leads[update][0][modified_user_id]")
            .as_deref(),
        Some("0")
    );
    lab.post(
        "leads/notes",
        json!([{"entity_id": lead, "note_type": "common", "params": {"text": "п"}}]),
    )
    .await
    .ok();
    assert_eq!(told().await.0, ["leads[note]"]);
    let task = lab
        .post(
            "tasks",
            json!([{"text": "т", "complete_till": 1, "entity_id": lead, "entity_type": "leads"}]),
        )
        .await
        .ok();
    assert_eq!(told().await.0, ["task[add]"]);
    let task = format!("tasks/{}", task["_embedded"]["tasks"][0]["id"]);
    lab.patch(&task, json!({"is_completed": true, "result": {"text": "ок"}}))
        .await
        .ok();
    let (facts, got) = told().await;
    assert_eq!(facts, ["task[update]"]);
    assert_eq!(
        got[0].value("task[update][0][action_close]").as_deref(),
        Some("1")
    );
    assert_eq!(
        got[0].value("task[update][0][result][text]").as_deref(),
        Some("ок")
    );
    lab.post("companies", json!([{"name": "Компания"}])).await.ok();
    let (facts, got) = told().await;
    assert_eq!(facts, ["contacts[add]"], "companies share the key of contacts");
    assert_eq!(got[0].value("contacts[add][0][type]").as_deref(), Some("company"));
    lab.post(
        "leads/complex",
        json!([{"name": "Всё", "_embedded": {"contacts": [{"name": "А"}], "companies": [{"name": "Б"}]}}]),
    )
    .await
    .ok();
    assert_eq!(
        told().await.0,
        [
            "contacts[add]",
            "contacts[add]",
            "leads[add]",
            "contacts[update]",
            "contacts[update]"
        ]
    );
}

/// Attempts so far and the statuses they brought.
fn statuses(lab: &Lab) -> Vec<u16> {
    lab.attempts().iter().filter_map(|e| e.status).collect()
}

// Line 28, schedule.
#[tokio::test]
async fn repeats_follow_the_schedule_of_their_status() {
    for (answer, attempts) in [
        (200, 1),
        (204, 1),
        (302, 3),
        (404, 3),
        (499, 5),
        (500, 5),
        (503, 5),
    ] {
        let lab = Lab::start();
        lab.clock().freeze();
        let receiver = Receiver::start().await;
        receiver.answer(answer);
        lab.subscribe(&receiver, &["add_lead"]).await;
        lab.new_lead(json!({"name": "x"})).await;
        lab.idle().await;
        assert_eq!(
            receiver.got().len(),
            1,
            "{answer}: the first attempt is immediate"
        );
        for (pause, total) in [(5, 2), (15, 3), (15, 4), (60, 5)] {
            lab.clock().advance(MINUTE * pause - Duration::from_millis(1));
            lab.idle().await;
            assert_eq!(
                receiver.got().len(),
                (total - 1).min(attempts),
                "{answer}: not before {pause} min"
            );
            lab.clock().advance(Duration::from_millis(1));
            lab.idle().await;
            assert_eq!(
                receiver.got().len(),
                total.min(attempts),
                "{answer}: after {pause} min"
            );
        }
        lab.clock().advance(MINUTE * 600);
        lab.idle().await;
        assert_eq!(statuses(&lab), vec![answer; attempts]);
        let bodies: Vec<String> = receiver.got().into_iter().map(|g| g.body).collect();
        assert!(
            bodies.iter().all(|b| *b == bodies[0]),
            "repeats are the same body"
        );
        assert_eq!(lab.sandbox.world.emitter.queued(), 0);
    }
}

// Line 28, timeout.
#[tokio::test]
async fn silent_receiver_counts_as_no_answer() {
    for (code, second) in [(0, 2), (499, 2)] {
        let lab = Lab::start();
        lab.clock().freeze();
        assert_eq!(sandbox::amocrm::Settings::default().webhook_timeout_ms, 2_000);
        lab.sandbox.world.amocrm().set(|s| {
            s.webhook_timeout_ms = 60;
            s.timeout_status = code;
        });
        let receiver = Receiver::start().await;
        receiver.answer(0);
        lab.subscribe(&receiver, &["add_lead"]).await;
        lab.new_lead(json!({"name": "x"})).await;
        lab.idle().await;
        assert_eq!(statuses(&lab), [code]);
        lab.clock().advance(MINUTE * 5);
        lab.idle().await;
        assert_eq!(statuses(&lab).len(), second);
    }
}

// Line 28, switching off.
#[tokio::test]
async fn hook_is_switched_off_after_more_than_a_hundred_failures_in_two_hours() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    receiver.answer(500);
    lab.subscribe(&receiver, &["add_lead"]).await;
    let leads = |n: usize| json!(vec![json!({"name": "x"}); n]);
    let disabled =
        async || lab.get("webhooks").await.ok()["_embedded"]["webhooks"][0]["disabled"] == json!(true);
    lab.post("leads", leads(100)).await.ok();
    lab.idle().await;
    assert!(!disabled().await, "a hundred are not more than a hundred");
    lab.clock().advance(MINUTE * 5);
    lab.idle().await;
    assert!(disabled().await);
    let before = receiver.got().len();
    lab.post("leads", leads(1)).await.ok();
    lab.sandbox.world.emitter.reset();
    lab.idle().await;
    assert_eq!(receiver.got().len(), before, "a disabled hook is silent");
    receiver.answer(200);
    lab.control("amocrm/ui/enable-hook", json!({"destination": receiver.url}))
        .await
        .ok();
    assert!(!disabled().await);
    lab.post("leads", leads(1)).await.ok();
    lab.idle().await;
    assert_eq!(receiver.got().len(), before + 1);
}

// Line 28, old failures are forgotten.
#[tokio::test]
async fn failures_older_than_two_hours_do_not_count() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    receiver.answer(404);
    lab.subscribe(&receiver, &["add_lead"]).await;
    for _ in 0..3 {
        lab.post("leads", json!(vec![json!({"name": "x"}); 30]))
            .await
            .ok();
        lab.idle().await;
        lab.sandbox.world.emitter.reset();
        lab.clock().advance(MINUTE * 121);
    }
    lab.post("leads", json!(vec![json!({"name": "x"}); 100]))
        .await
        .ok();
    lab.idle().await;
    assert_eq!(
        lab.get("webhooks").await.ok()["_embedded"]["webhooks"][0]["disabled"],
        false
    );
}

async fn modes(lab: &Lab, modes: Value) {
    lab.control("webhooks/modes", json!({"side": "amocrm", "modes": modes}))
        .await
        .ok();
}

// Line 29.
#[tokio::test]
async fn deliveries_are_doubled_reordered_delayed_held_and_lost_on_demand() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    lab.subscribe(&receiver, &["add_lead"]).await;
    let names = async |items: &[&str]| {
        let list: Vec<Value> = items.iter().map(|n| json!({"name": n})).collect();
        lab.post("leads", json!(list)).await.ok();
        lab.idle().await;
        receiver
            .take()
            .iter()
            .filter_map(|g| g.value("leads[add][0][name]"))
            .collect::<Vec<_>>()
    };
    let late = async || {
        lab.idle().await;
        receiver
            .take()
            .iter()
            .filter_map(|g| g.value("leads[add][0][name]"))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&["а", "б"]).await, ["а", "б"], "in order by default");
    modes(&lab, json!({"duplicate": true})).await;
    assert_eq!(names(&["в"]).await, ["в", "в"]);
    modes(&lab, json!({"reorder": true})).await;
    assert_eq!(names(&["г", "д"]).await, ["д"]);
    lab.clock().advance(Duration::from_secs(1));
    assert_eq!(late().await, ["г"], "the first comes after the second");
    modes(&lab, json!({"delay_ms": 90_000})).await;
    assert!(names(&["е"]).await.is_empty());
    lab.clock().advance(Duration::from_secs(90));
    assert_eq!(late().await, ["е"]);
    modes(&lab, json!({"hold": true})).await;
    assert!(names(&["ж"]).await.is_empty());
    modes(&lab, json!({"drop": true})).await;
    assert_eq!(
        late().await,
        Vec::<String>::new(),
        "held ones are dropped when the mode drops"
    );
    assert!(names(&["з"]).await.is_empty());
    modes(&lab, json!({})).await;
    assert_eq!(names(&["и"]).await, ["и"]);
    modes(&lab, json!({"hold": true})).await;
    assert!(names(&["к"]).await.is_empty());
    modes(&lab, json!({})).await;
    assert_eq!(late().await, ["к"], "released");
}

// Line 29, bodies.
#[tokio::test]
async fn one_body_may_hold_several_facts_of_several_kinds() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.sandbox.world.amocrm().set(|s| s.bundle_hooks = true);
    lab.subscribe(&receiver, &["add_lead", "add_contact", "add_company"])
        .await;
    lab.post("leads", json!([{"name": "1"}, {"name": "2"}]))
        .await
        .ok();
    lab.post(
        "leads/complex",
        json!([{"name": "3", "_embedded": {"contacts": [{"name": "К"}], "companies": [{"name": "Ф"}]}}]),
    )
    .await
    .ok();
    lab.idle().await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].value("leads[add][0][name]").as_deref(), Some("1"));
    assert_eq!(got[0].value("leads[add][1][name]").as_deref(), Some("2"));
    let kinds = [
        got[1].value("contacts[add][0][type]"),
        got[1].value("contacts[add][1][type]"),
    ];
    assert_eq!(
        kinds,
        [Some("company".into()), Some("contact".into())],
        "both under one key"
    );
    assert_eq!(got[1].value("leads[add][0][name]").as_deref(), Some("3"));
}

// Line 29, request ids.
#[tokio::test]
async fn request_id_of_repeats_is_the_same_or_not_on_demand() {
    for same in [true, false] {
        let lab = Lab::start();
        lab.clock().freeze();
        lab.sandbox.world.amocrm().set(|s| s.same_request_id = same);
        let receiver = Receiver::start().await;
        receiver.answer(500);
        lab.subscribe(&receiver, &["add_lead"]).await;
        lab.new_lead(json!({"name": "x"})).await;
        lab.idle().await;
        lab.clock().advance(MINUTE * 5);
        lab.idle().await;
        let got = receiver.got();
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].header("x-amocrm-requestid").len(), 36);
        assert_eq!(
            got[0].header("x-amocrm-requestid") == got[1].header("x-amocrm-requestid"),
            same
        );
    }
}

// Line 30.
#[tokio::test]
async fn digital_pipeline_hook_fires_on_every_entry_with_its_own_body_and_repeats() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    let hook = json!({"url": receiver.url, "pipeline_id": PIPELINE_SALES, "status_id": STATUS_TO_CALL});
    assert_eq!(lab.control("amocrm/stage-hooks", hook).await.status, 204);
    let id = lab
        .new_lead(json!({"name": "x", "status_id": STATUS_TO_CALL}))
        .await;
    lab.idle().await;
    let body = |pairs: &str| pairs.replace('[', "%5B").replace(']', "%5D");
    let tail = format!("account[id]={DEMO_AMOCRM_ACCOUNT}&account[subdomain]=demo");
    let expected = format!(
        "leads[add][0][id]={id}&leads[add][0][status_id]={STATUS_TO_CALL}&leads[add][0][pipeline_id]={PIPELINE_SALES}&{tail}"
    );
    assert_eq!(receiver.take()[0].body, body(&expected));
    let go = async |status: i64| {
        lab.patch(&format!("leads/{id}"), json!({"status_id": status}))
            .await
            .ok();
        lab.idle().await;
    };
    go(STATUS_NEW).await;
    assert!(receiver.take().is_empty(), "another stage");
    receiver.answer(500);
    go(STATUS_TO_CALL).await;
    let expected = format!(
        "leads[status][0][id]={id}&leads[status][0][status_id]={STATUS_TO_CALL}&leads[status][0][pipeline_id]={PIPELINE_SALES}\
         &leads[status][0][old_status_id]={STATUS_NEW}&leads[status][0][old_pipeline_id]={PIPELINE_SALES}&{tail}"
    );
    assert_eq!(receiver.got()[0].body, body(&expected));
    for _ in 0..60 {
        lab.clock().advance(MINUTE);
        lab.idle().await;
    }
    assert_eq!(receiver.got().len(), 4, "up to four attempts within an hour");
}

// Line 30, pause.
#[tokio::test]
async fn digital_pipeline_pauses_for_five_minutes_after_a_hundred_failures() {
    let lab = Lab::start();
    lab.clock().freeze();
    let receiver = Receiver::start().await;
    receiver.answer(500);
    lab.control(
        "amocrm/stage-hooks",
        json!({"url": receiver.url, "pipeline_id": PIPELINE_SALES, "status_id": STATUS_TO_CALL}),
    )
    .await;
    let leads = |n: usize| json!(vec![json!({"name": "x", "status_id": STATUS_TO_CALL}); n]);
    lab.post("leads", leads(101)).await.ok();
    lab.idle().await;
    lab.sandbox.world.emitter.reset();
    assert_eq!(receiver.take().len(), 101);
    lab.post("leads", leads(1)).await.ok();
    lab.idle().await;
    assert!(receiver.take().is_empty(), "paused");
    lab.clock().advance(MINUTE * 5);
    lab.post("leads", leads(1)).await.ok();
    lab.idle().await;
    assert_eq!(receiver.take().len(), 1, "resumed by itself");
}
