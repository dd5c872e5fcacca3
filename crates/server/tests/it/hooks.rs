//! Inbound webhooks: what is well-formed is stored once, what is not is refused and leaves nothing.

use crate::harness::{Answer, Caller, TestApp};
use domain::connection::ConnectorKind;
use reqwest::Method;
use serde_json::Value;

pub const FORM: &str = "application/x-www-form-urlencoded";

pub async fn hook(app: &TestApp, caller: &Caller, kind: ConnectorKind) -> String {
    let connections = caller.get("/api/v1/connections").await.json();
    let found = connections["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == kind.as_str())
        .unwrap();
    let id = found["id"].as_str().unwrap().parse().unwrap();
    let workspace = caller.get("/api/v1/workspace").await.json()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let url = app.engine().connections().hook_url(workspace, id).await.unwrap();
    url.strip_prefix(&app.running.url).unwrap().to_owned()
}

pub async fn post(caller: &Caller, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = caller.request(Method::POST, path).header("content-type", kind);
    caller.send(request.body(body.into())).await
}

async fn n_events(caller: &Caller) -> usize {
    caller.get("/api/v1/events?limit=200").await.json()["items"]
        .as_array()
        .unwrap()
        .len()
}

pub fn deal(index: usize, id: u32) -> String {
    format!(
        "leads[update][{index}][id]={id}&leads[update][{index}][name]=x&leads[update][{index}][status_id]=58000001&\
         leads[update][{index}][pipeline_id]=7000001&leads[update][{index}][updated_at]=1764000000&\
         leads[update][{index}][account_id]=30000001"
    )
}

pub const ACCOUNT: &str = "&account[id]=30000001&account[subdomain]=demo";

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_becomes_several_events_and_a_repeat_none() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let path = hook(&app, &person, ConnectorKind::Amocrm).await;
    let body = format!("{}&{}{ACCOUNT}", deal(0, 101), deal(1, 102));
    let crm = app.anonymous();
    assert_eq!(post(&crm, &path, FORM, body.clone()).await.status, 200);
    assert_eq!(n_events(&person).await, 2);
    assert_eq!(post(&crm, &path, FORM, body).await.status, 200);
    assert_eq!(n_events(&person).await, 2, "the same fact is stored once");
    let found = person
        .get("/api/v1/events?record=102&record_kind=deal")
        .await
        .json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["items"][0]["kind"], "deal_updated");
    let first = person.get("/api/v1/events?limit=1").await.json();
    let next = first["next"].as_str().unwrap();
    let second = person
        .get(&format!("/api/v1/events?limit=1&cursor={next}"))
        .await
        .json();
    assert_eq!(second["items"].as_array().map(Vec::len), Some(1));
    assert_ne!(second["items"][0]["id"], first["items"][0]["id"]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_and_leaves_nothing() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let crm = app.anonymous();
    for kind in [ConnectorKind::Amocrm, ConnectorKind::Lptracker] {
        let path = hook(&app, &person, kind).await;
        let unknown = format!("/hooks/{}/unknown", kind.as_str());
        let other = path.replace(
            kind.as_str(),
            if kind == ConnectorKind::Amocrm {
                "lptracker"
            } else {
                "amocrm"
            },
        );
        for path in [unknown, other, format!("/hooks/other{}", &path[6..])] {
            assert_eq!(post(&crm, &path, FORM, deal(0, 5)).await.status, 404, "{path}");
        }
        let nested = format!("leads{}=1", "[a]".repeat(1_000));
        let mut invalid = b"leads[add][0][id]=".to_vec();
        invalid.extend([0xff, 0xfe]);
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("broken encoding", b"leads[add][0][id]=%zz".to_vec()),
            ("nested brackets", nested.into_bytes()),
            ("invalid UTF-8", invalid),
            (
                "percent-encoded invalid UTF-8",
                b"leads[add][0][name]=%ff%fe".to_vec(),
            ),
            ("too long", vec![b'a'; (1 << 20) + 1]),
            (
                "junk",
                (0..200_000_u32)
                    .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
                    .collect(),
            ),
            ("half a JSON body", b"{\"data\": {\"id\": 1".to_vec()),
            ("JSON nested deep", "[".repeat(100_000).into_bytes()),
        ];
        for (name, body) in cases {
            let json = name.contains("JSON");
            let answer = post(&crm, &path, if json { "application/json" } else { FORM }, body).await;
            assert!(
                (400..500).contains(&answer.status),
                "{kind:?}, {name}: {answer:?}"
            );
            answer.problem();
        }
    }
    assert_eq!(n_events(&person).await, 0);
}
