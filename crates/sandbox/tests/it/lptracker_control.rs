//! Checklist: faults, the control API and the demo data.

use std::time::Duration;

use reqwest::Method;
use sandbox::lptracker::{self as lpt, NewLead};
use sandbox::{Fault, FaultKind, Options, Sandbox, Side};
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, NOWHERE, PROJECT, custom};

async fn text(lp: &Lp, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut request = client
        .request(method, format!("{}{path}", lp.sandbox.lptracker_url))
        .header("token", &lp.token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn faults_hit_with_errors_pages_and_cut_connections() {
    let lp = Lp::start().await;
    let faults = &lp.sandbox.world.faults;
    for code in [500, 502, 503] {
        faults.add(Fault::once(Side::Lptracker, FaultKind::status(code)));
        let (status, page) = text(&lp, Method::GET, "/projects", None).await.unwrap();
        assert!(status == code && page.contains("<html>"), "{status} {page}");
    }
    faults.add(Fault::once(Side::Lptracker, FaultKind::NotJson));
    let (status, page) = text(&lp, Method::GET, "/projects", None).await.unwrap();
    assert!(status == 200 && serde_json::from_str::<Value>(&page).is_err());
    let envelope = FaultKind::ErrorEnvelope {
        code: 400,
        message: "Invalid lead ID".into(),
    };
    faults.add(Fault::once(Side::Lptracker, envelope));
    assert_eq!(
        lp.refusal(Method::GET, "/projects", None).await,
        (400, "Invalid lead ID".into())
    );

    // Cut after the write: the caller sees nothing, the lead is there.
    let body = lp.lead_body(json!({})).await;
    let list = format!("/lead/{PROJECT}/list");
    for (fault, leads) in [(FaultKind::CutBeforeApply, 0), (FaultKind::CutAfterApply, 1)] {
        faults.add(Fault::once(Side::Lptracker, fault).method("POST").path("/lead"));
        assert!(
            text(&lp, Method::POST, "/lead", Some(body.clone()))
                .await
                .is_err()
        );
        assert_eq!(lp.get(&list).await.as_array().unwrap().len(), leads);
    }
    // The usual slowness of the service, here shortened.
    faults.add(Fault::once(Side::Lptracker, FaultKind::Delay { ms: 120 }));
    let start = std::time::Instant::now();
    lp.get("/projects").await;
    assert!(start.elapsed() >= Duration::from_millis(120));
    lp.set(|settings| (settings.latency_min_ms, settings.latency_max_ms) = (130, 140));
    let start = std::time::Instant::now();
    lp.get("/projects").await;
    assert!(start.elapsed() >= Duration::from_millis(130));
    assert!(faults.list().is_empty());
}

#[tokio::test]
async fn journal_tells_writes_from_reads_and_sign_ins() {
    let lp = Lp::start().await;
    lp.lead(json!({})).await;
    lp.get("/projects").await;
    lp.control(Method::GET, "board", None).await;
    let journal = &lp.sandbox.world.journal;
    let writes: Vec<String> = journal
        .writes(Side::Lptracker)
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(writes, ["/contact", "/lead"]);
    let all: Vec<String> = journal.entries().into_iter().map(|entry| entry.path).collect();
    assert_eq!(
        all,
        ["/login", "/contact", "/lead", "/projects"],
        "control requests are not calls"
    );
}

#[tokio::test]
async fn a_person_works_through_the_control_api() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let post = async |path: &str, body: Value| lp.control(Method::POST, path, Some(body)).await;
    let city = lpt::DEMO_LPTRACKER_FIELD_CITY;
    let id = post(
        "ui/create",
        json!({"name": "С витрины", "contact_name": "Мария", "phone": "8 (999) 000-00-21", "step": "перезвонить",
               "custom": {city.to_string(): "Тверь"}, "owner": lpt::DEMO_LPTRACKER_STAFF_ANNA}),
    )
    .await["id"]
        .as_i64()
        .unwrap();
    post(
        "ui/move",
        json!({"lead_id": id, "step_id": lpt::DEMO_LPTRACKER_STEP_REFUSED}),
    )
    .await;
    post("ui/edit", json!({"lead_id": id, "name": "Иначе", "phone": "79990000022", "custom": {city.to_string(): "Псков"}}))
        .await;
    post(
        "ui/owner",
        json!({"lead_id": id, "owner": lpt::DEMO_LPTRACKER_STAFF_IGOR}),
    )
    .await;
    post(
        "ui/comment",
        json!({"lead_id": id, "text": "Звонил", "author": lpt::DEMO_LPTRACKER_STAFF_IGOR}),
    )
    .await;
    let hooks = lp.hooks().await;
    let fields: Vec<&str> = hooks
        .iter()
        .map(|h| h["action_update_fields"].as_str().unwrap_or(""))
        .collect();
    let edited = format!("custom.{city},name");
    assert_eq!(
        fields,
        ["", "stage.id", &edited, "contact", "owner.id", "comments"]
    );
    assert_eq!(hooks[5]["author"]["id"], lpt::DEMO_LPTRACKER_STAFF_IGOR);
    assert_eq!(hooks[0]["capture_type"], "manual");

    let board = lp
        .control(Method::GET, &format!("board?project_id={PROJECT}"), None)
        .await;
    assert_eq!(board["project"]["name"], "Обзвон заявок");
    let steps = board["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 7);
    assert_eq!(steps.iter().filter(|step| step["robot"] == true).count(), 1);
    let column = steps
        .iter()
        .find(|step| step["id"] == lpt::DEMO_LPTRACKER_STEP_REFUSED)
        .unwrap();
    let card = &column["leads"][0];
    assert_eq!(
        (&card["id"], &card["name"], &card["phone"]),
        (&json!(id), &json!("Иначе"), &json!("79990000022"))
    );
    assert_eq!(
        (&card["contact"]["name"], &card["comments_count"]),
        (&json!("Мария"), &json!(1))
    );
    assert_eq!(card["owner"], "Игорь Петров");
    assert_eq!(custom(card, city), "Псков");
    assert_eq!(
        lp.control(Method::GET, &format!("lead?id={id}"), None).await,
        *card
    );
    let read = lp.get(&format!("/lead/{id}")).await;
    assert_eq!(read["name"], "Иначе", "the API shows the same lead");

    post("ui/call", json!({"lead_id": id})).await;
    lp.advance(3_000);
    assert_eq!(
        lp.get(&format!("/lead/{id}/calls"))
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    post(
        "ui/payment",
        json!({"lead_id": id, "category": "Услуги", "purpose": "Аванс", "sum": 100}),
    )
    .await;
    assert_eq!(lp.get(&format!("/lead/{id}")).await["deal"], true);
    post("ui/delete", json!({"lead_id": id})).await;
    assert_eq!(lp.refused(Method::GET, &format!("/lead/{id}"), None).await, 404);
}

#[tokio::test]
async fn control_refuses_mistakes_aloud() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({})).await;
    for (path, body, code) in [
        ("ui/move", json!({"lead_id": id, "step": "Нет такого"}), 400),
        (
            "ui/move",
            json!({"lead_id": 1, "step_id": lpt::DEMO_LPTRACKER_STEP_NEW}),
            404,
        ),
        ("ui/move", json!({}), 400),
        ("ui/comment", json!({"lead_id": id, "text": ""}), 400),
        (
            "ui/step/remove",
            json!({"step_id": lpt::DEMO_LPTRACKER_STEP_NEW}),
            400,
        ),
        (
            "ui/field/remove",
            json!({"field_id": lpt::DEMO_LPTRACKER_FIELD_OWNER}),
            400,
        ),
        ("ui/field/add", json!({"name": "x", "type": "?"}), 400),
        ("settings", json!({"step_as_strng": true}), 400),
        ("settings", json!({"robot_delay_ms": "soon"}), 400),
        ("unknown", json!({}), 404),
    ] {
        let (status, answer) = lp.control_answer(Method::POST, path, Some(body)).await;
        assert_eq!(status, code, "{path}: {answer}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn switches_are_read_and_merged() {
    let lp = Lp::start().await;
    let changed = lp
        .control(Method::POST, "settings", Some(json!({"step_as_string": true})))
        .await;
    assert_eq!(
        (&changed["step_as_string"], &changed["raw_array_list"]),
        (&json!(true), &json!(false))
    );
    let outcome =
        json!({"default_outcome": {"disposition": "NOANSWER", "step": "Недозвон"}, "robot_delay_ms": 10});
    lp.control(Method::PATCH, "settings", Some(outcome)).await;
    assert_eq!(
        lp.control(Method::GET, "settings", None).await["step_as_string"],
        true
    );
    let id = lp.lead(json!({"funnel": lpt::DEMO_LPTRACKER_STEP_ROBOT})).await;
    lp.advance(10);
    let step = custom(
        &lp.get(&format!("/lead/{id}")).await,
        lpt::DEMO_LPTRACKER_FIELD_FUNNEL,
    );
    assert_eq!(step, lpt::DEMO_LPTRACKER_STEP_NO_ANSWER.to_string());
}

#[tokio::test]
async fn webhooks_are_fired_and_tokens_killed_by_hand() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let id = lp.lead(json!({})).await;
    lp.hooks().await;
    for (action, fields) in [
        ("update", json!(["custom.5"])),
        ("delete", json!([])),
        ("create", json!([])),
    ] {
        let body = json!({"lead_id": id, "action": action, "fields": fields});
        lp.control(Method::POST, "fire", Some(body)).await;
    }
    let hooks = lp.hooks().await;
    let actions: Vec<&str> = hooks
        .iter()
        .map(|hook| hook["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["update", "delete", "create"]);
    assert_eq!(hooks[0]["action_update_fields"], "custom.5");
    lp.control(Method::POST, "tokens/expire", None).await;
    assert_eq!(lp.refused(Method::GET, "/projects", None).await, 401);
}

#[tokio::test]
async fn reset_and_seed_come_through_the_shared_control_api() {
    let lp = Lp::start().await;
    lp.lead(json!({})).await;
    let leads = async || {
        let board = lp.control(Method::GET, "board", None).await;
        let steps = board["steps"].as_array().unwrap();
        steps
            .iter()
            .map(|step| step["leads"].as_array().unwrap().len())
            .sum::<usize>()
    };
    assert_eq!(leads().await, 1);
    for (demo, expected) in [(true, 4), (false, 0)] {
        lp.send(Method::POST, "/_sandbox/reset", None, Some(json!({"demo": demo})))
            .await;
        assert_eq!(leads().await, expected);
    }
    lp.login(lpt::DEMO_LPTRACKER_LOGIN, lpt::DEMO_LPTRACKER_PASSWORD)
        .await;
}

#[tokio::test]
async fn demo_is_alive_on_running_time_and_usable_in_the_process() {
    let sandbox = Sandbox::start(Options::demo());
    let world = &sandbox.world;
    let mut state = world.lptracker();
    assert_eq!((state.projects.len(), state.leads.len()), (2, 4));
    state.settings.robot_delay_ms = 0;
    let new = NewLead {
        project_id: PROJECT,
        name: "Из теста",
        phone: "+79990000031",
        step_id: Some(lpt::DEMO_LPTRACKER_STEP_ROBOT),
        custom: vec![(lpt::DEMO_LPTRACKER_FIELD_PRODUCTS, json!(["Окна"]))],
        ..NewLead::default()
    };
    let id = state.ui_create(&new).unwrap();
    drop(state);
    let lead = lpt::with(world, |state| state.lead(id).cloned()).unwrap();
    assert_eq!(
        lead.step_id,
        lpt::DEMO_LPTRACKER_STEP_INTEREST,
        "the robot has called"
    );
    assert_eq!(lead.calls.len(), 1);
    assert_eq!(lead.custom[&lpt::DEMO_LPTRACKER_FIELD_PRODUCTS], json!(["Окна"]));
}
