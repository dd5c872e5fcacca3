//! The main job through the HTTP API only, by a script with a key: a deal moved in amoCRM becomes a lead in
//! LPTracker, and the lead's step moves the deal back.

use crate::harness::{Caller, TestApp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// The control API of a fake CRM.
struct Crm {
    client: reqwest::Client,
    base: String,
}

impl Crm {
    async fn get(&self, path: &str) -> Value {
        let answer = self
            .client
            .get(format!("{}/_sandbox/{path}", self.base))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self
            .client
            .post(format!("{}/_sandbox/{path}", self.base))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }
}

fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    all.as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {all}"))
}

/// Lets every webhook arrive and everything that follows happen.
async fn settle(app: &TestApp, crm: &Crm) {
    for _ in 0..10 {
        crm.post("webhooks/idle", json!({})).await;
        if app.engine().settle(50).await.unwrap() == 0 {
            return;
        }
    }
    panic!("events and deliveries go round in circles");
}

async fn key(app: &TestApp) -> Caller {
    let person = app.demo_person().await;
    let form = json!({ "name": "скрипт", "scopes": ["read", "events"] });
    let made = person.post("/api/v1/api-keys", &form).await.json();
    let mut script = app.anonymous();
    script.marked = false;
    script.key = Some(made["secret"].as_str().unwrap().to_owned());
    script
}

/// Both fake CRMs of the demo.
fn crms(app: &TestApp) -> (Crm, Crm) {
    let sandbox = app.sandbox.as_ref().unwrap();
    let crm = |base: &String| Crm {
        client: reqwest::Client::new(),
        base: base.clone(),
    };
    (crm(&sandbox.amocrm_url), crm(&sandbox.lptracker_url))
}

/// A deal is made and moved to where the demo hands deals over; everything that follows has happened. Gives the deal
/// and the columns of its board.
pub async fn deal_to_the_calls(app: &TestApp) -> (Value, Value) {
    let (amocrm, _) = crms(app);
    let form =
        json!({ "name": "Вера Тестова", "phone": "+79995550101", "deal": "Окна под ключ", "price": 45000 });
    let deal = amocrm.post("amocrm/ui/create", form).await[0]["id"].clone();
    let columns = amocrm.get("amocrm/board").await["columns"].clone();
    let stage = named(&columns, "Передано в обзвон")["id"].clone();
    amocrm
        .post("amocrm/ui/move", json!({ "id": deal, "status_id": stage }))
        .await;
    settle(app, &amocrm).await;
    (deal, columns)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_deal_becomes_a_lead_and_the_moved_lead_moves_the_deal() {
    let app = TestApp::demo().await;
    let script = key(&app).await;
    let (amocrm, lptracker) = crms(&app);
    let (deal, columns) = deal_to_the_calls(&app).await;

    let steps = lptracker.get("lptracker/board").await["steps"].clone();
    let leads = named(&steps, "Новый лид")["leads"].as_array().unwrap().clone();
    let ours: Vec<&Value> = leads
        .iter()
        .filter(|lead| lead["phone"] == "79995550101")
        .collect();
    let [lead] = ours[..] else {
        panic!("not one lead: {leads:?}")
    };
    assert_eq!(
        named(&lead["custom"], "ID сделки amoCRM")["value"],
        deal.to_string()
    );
    assert_eq!(named(&lead["custom"], "Бюджет")["value"], "45000");

    let step = named(&steps, "Интерес подтвержден")["id"].clone();
    lptracker
        .post(
            "lptracker/ui/move",
            json!({ "lead_id": lead["id"], "step_id": step }),
        )
        .await;
    settle(&app, &amocrm).await;
    chronicle_tells_all(&script, &deal).await;
    let card = amocrm.get(&format!("amocrm/card/{deal}")).await;
    assert_eq!(card["status_id"], named(&columns, "Подтверждён")["id"]);
    assert_eq!(card["notes"].as_array().map(Vec::len), Some(1), "{card}");

    story(
        &script,
        "deal_stage_changed",
        &[deal.to_string(), lead["id"].to_string()],
    )
    .await;
    story(
        &script,
        "lead_stage_changed",
        &[deal.to_string(), lead["id"].to_string()],
    )
    .await;
    let panel = script.get("/api/v1/panel?period=hour").await.json();
    assert_eq!(panel["n_matched"], 2, "{panel}");
    assert_eq!(panel["n_dead"], 0);
    replay(&app, &script, &amocrm).await;
}

/// The page of the matched event of a kind tells everything and leads to both cards.
async fn story(script: &Caller, kind: &str, records: &[String]) {
    let found = script
        .get(&format!("/api/v1/events?kind={kind}&matched=true"))
        .await
        .json();
    let id = found["items"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no {kind}: {found}"));
    let page = script.get(&format!("/api/v1/events/{id}")).await;
    let parsed: api::event::EventView = serde_json::from_str(&page.text).expect("what the browser reads");
    assert!(parsed.body.is_some());
    assert!(
        parsed
            .runs
            .iter()
            .any(|run| run.outcome == domain::run::RunOutcome::Matched)
    );
    assert!(!parsed.deliveries.is_empty());
    for delivery in &parsed.deliveries {
        assert_eq!(
            delivery.state,
            domain::delivery::DeliveryState::Delivered,
            "{delivery:?}"
        );
        assert!(
            delivery
                .attempts
                .iter()
                .any(|attempt| !attempt.exchanges.is_empty())
        );
    }
    for record in records {
        let card = parsed.records.iter().find(|card| card.id.0 == *record);
        assert!(
            card.is_some_and(|card| card.url.is_some()),
            "{record} in {:?}",
            parsed.records
        );
    }
}

/// A replay looks at how things are now: the deal has moved on, so the rule does not match and nothing is written.
async fn replay(app: &TestApp, script: &Caller, crm: &Crm) {
    let found = script
        .get("/api/v1/events?kind=deal_stage_changed&matched=true")
        .await
        .json();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let leads = script.get("/api/v1/links").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    let made = script
        .post(&format!("/api/v1/events/{id}/replay"), &json!({}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    settle(app, crm).await;
    let again = made.json()["event_id"].as_str().unwrap().to_owned();
    let page = script.get(&format!("/api/v1/events/{again}")).await.json();
    assert_eq!(page["replay_of"], id);
    assert_eq!(
        (&page["n_matched"], &page["runs"][0]["outcome"]),
        (&json!(0), &json!("not_matched")),
        "{page}"
    );
    assert_eq!(
        script.get("/api/v1/links").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        leads
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_ready_when_the_server_listens() {
    let app = TestApp::demo().await;
    let announced: Value = serde_json::from_str(&app.running.announcement()).unwrap();
    assert_eq!(announced["event"], "listening");
    assert_eq!(announced["setup_url"], Value::Null);
    assert_eq!(
        announced["sign_in_url"],
        app.running.sign_in_url.as_ref().unwrap().expose_secret()
    );
    let person = app.demo_person().await;
    let rules = person.get("/api/v1/rules").await.json();
    let rules = rules["items"].as_array().unwrap();
    assert_eq!(rules.len(), 4);
    for rule in rules {
        assert_eq!(
            (&rule["enabled"], &rule["published_number"]),
            (&json!(true), &json!(1)),
            "{rule}"
        );
    }
    let connections = person.get("/api/v1/connections").await.json();
    for connection in connections["items"].as_array().unwrap() {
        assert_eq!(connection["state"], "active");
        assert_eq!(connection["subscription"]["installed"], true);
    }
    assert!(
        !connections.to_string().contains("eyJ0eXAi"),
        "a token left the server"
    );
    let session = person.get("/api/v1/session").await.json();
    assert_eq!(session["sandbox_urls"].as_array().map(Vec::len), Some(2));
}

/// The defaults of the demo are the sandbox's own.
#[test]
fn the_demo_knows_the_sandbox() {
    let defaults: toml::Table = server::config::DEFAULTS.parse().unwrap();
    let demo = &defaults["demo"];
    assert_eq!(demo["amocrm_token"].as_str(), Some(sandbox::DEMO_AMOCRM_TOKEN));
    assert_eq!(
        demo["lptracker_login"].as_str(),
        Some(sandbox::lptracker::DEMO_LPTRACKER_LOGIN)
    );
    assert_eq!(
        demo["lptracker_password"].as_str(),
        Some(sandbox::lptracker::DEMO_LPTRACKER_PASSWORD)
    );
    assert_eq!(
        demo["lptracker_project"].as_integer(),
        Some(sandbox::lptracker::DEMO_LPTRACKER_PROJECT)
    );
}

/// Consent by OAuth, there and back, at the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_by_oauth_waits_for_consent_and_takes_it_once() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let sandbox = app.sandbox.as_ref().unwrap();
    let form = json!({
        "kind": "amocrm", "name": "через OAuth", "domain": sandbox.amocrm_url,
        "auth": { "method": "oauth", "client_id": sandbox::DEMO_AMOCRM_CLIENT_ID,
            "client_secret": sandbox::DEMO_AMOCRM_CLIENT_SECRET },
    });
    let made = person.post("/api/v1/connections", &form).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!(made["state"], "new");
    assert_eq!(made["settings"]["auth"], "oauth");
    let path = format!("/api/v1/connections/{}", made["id"].as_str().unwrap());
    assert_eq!(
        person
            .post(&format!("{path}/subscribe"), &json!({}))
            .await
            .problem(),
        "conflict"
    );
    let begin = async || {
        let begun = person.post(&format!("{path}/authorize"), &json!({})).await.json();
        let address: url::Url = begun["url"].as_str().unwrap().parse().unwrap();
        assert!(address.as_str().starts_with(&sandbox.amocrm_url), "{begun}");
        address
    };
    // As registered at amoCRM; then the person presses «Разрешить».
    let crm = Crm {
        client: reqwest::Client::new(),
        base: sandbox.amocrm_url.clone(),
    };
    let registered = json!({
        "client_id": sandbox::DEMO_AMOCRM_CLIENT_ID, "client_secret": sandbox::DEMO_AMOCRM_CLIENT_SECRET,
        "redirect_uri": format!("{}/oauth/amocrm/callback", app.running.url),
    });
    crm.post("amocrm/integrations", registered).await;
    let patient = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut address = begin().await;
    address.set_path("/oauth/allow");
    let allowed = patient.get(address).send().await.unwrap();
    let back = allowed.headers()["location"].to_str().unwrap();
    let back = back.strip_prefix(&app.running.url).unwrap().to_owned();
    let arrived = person.get(&back).await;
    assert_eq!(
        arrived.status, 404,
        "the browser was sent on to a page, and this server has no interface"
    );
    assert!(
        arrived
            .text
            .contains(&format!("/connections/{}", made["id"].as_str().unwrap())),
        "{arrived:?}"
    );
    let connected = person.get(&path).await.json();
    assert_eq!(connected["state"], "active", "{connected}");
    assert_eq!(connected["subscription"]["installed"], true);
    assert_eq!(
        person.get(&back).await.problem(),
        "bad-request",
        "a state works once"
    );

    let address = begin().await;
    let state = address
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let stolen = app
        .anonymous()
        .get(&format!("/oauth/amocrm/callback?state={state}&code=x"))
        .await;
    assert_eq!(
        stolen.problem(),
        "bad-request",
        "a state belongs to the person who began"
    );
}

/// One page holds both sides: each echo names the write that caused it, and the event behind that write.
async fn chronicle_tells_all(script: &Caller, deal: &Value) {
    let told = script
        .get(&format!(
            "/api/v1/chronicle?record={deal}&record_kind=deal&limit=200"
        ))
        .await
        .json();
    let items = told["items"].as_array().unwrap();
    let kinds: Vec<&str> = items
        .iter()
        .map(|item| item["event"]["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"deal_stage_changed") && kinds.contains(&"lead_stage_changed"),
        "{kinds:?}"
    );
    assert_eq!(told["links"].as_array().unwrap().len(), 1);
    let ids: Vec<&Value> = items.iter().map(|item| &item["event"]["id"]).collect();
    let echoes: Vec<&Value> = items
        .iter()
        .filter(|item| item["event"]["state"] == "echo")
        .collect();
    assert!(!echoes.is_empty(), "our writes came back: {kinds:?}");
    for echo in echoes {
        assert!(ids.contains(&&echo["cause"]["event_id"]), "{echo}");
    }
    let by_phone = script
        .get("/api/v1/chronicle?phone=8%20(999)%20555-01-01&limit=200")
        .await
        .json();
    let again: Vec<&Value> = by_phone["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["event"]["id"])
        .collect();
    assert_eq!(again, ids, "the phone leads to the same chronicle");
    let listed = script
        .get("/api/v1/events?phone=%2B79995550101&limit=200")
        .await
        .json();
    assert_eq!(listed["items"].as_array().unwrap().len(), ids.len());
}
