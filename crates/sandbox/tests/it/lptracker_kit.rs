//! What the tests of the fake LPTracker share: a signed-in client and a receiver of webhooks.

use std::time::Duration;

use reqwest::Method;
use sandbox::lptracker::{DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD, DEMO_LPTRACKER_PROJECT, Settings};
use sandbox::{Entry, Options, Sandbox, Side};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// 28.07.2026 17:58:20 in Moscow.
pub const NOW_MS: i64 = 1_785_250_700_000;
pub const PROJECT: i64 = DEMO_LPTRACKER_PROJECT;
/// A receiver that refuses connections: attempts are read from the journal.
pub const NOWHERE: &str = "http://127.0.0.1:9/hooks/lptracker/secret";

/// A sandbox without leads, on standing time, without a rate limit, and a client signed in to it.
pub struct Lp {
    pub sandbox: Sandbox,
    http: reqwest::Client,
    pub token: String,
}

impl Lp {
    pub async fn start() -> Lp {
        let sandbox = Sandbox::start(Options::default());
        sandbox.world.clock.freeze_at(NOW_MS);
        sandbox.world.lptracker().settings.rate_limit_per_second = 0;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut lp = Lp {
            sandbox,
            http,
            token: String::new(),
        };
        lp.token = lp.login(DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD).await;
        lp
    }

    pub async fn login(&self, login: &str, password: &str) -> String {
        let body = json!({"login": login, "password": password, "service": "Тест", "version": "1.0"});
        let answer = self.send(Method::POST, "/login", None, Some(body)).await.1;
        answer["result"]["token"].as_str().expect("a token").to_owned()
    }

    /// HTTP status and body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.sandbox.lptracker_url));
        if let Some(token) = token {
            request = request.header("token", token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    async fn checked(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method, path, Some(&self.token), body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["result"].clone()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.checked(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.checked(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        self.checked(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.checked(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Value {
        self.checked(Method::DELETE, path, None).await
    }

    /// Code of the error envelope; the HTTP status must be 200.
    pub async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> i64 {
        self.refusal(method, path, body).await.0
    }

    /// Code and message of the error envelope; the HTTP status must be 200.
    pub async fn refusal(&self, method: Method, path: &str, body: Option<Value>) -> (i64, String) {
        let (status, answer) = self.send(method, path, Some(&self.token), body).await;
        assert_eq!(
            (status, &answer["status"]),
            (200, &json!("error")),
            "{path}: {answer}"
        );
        assert!(answer.get("result").is_none());
        let error = &answer["errors"][0];
        (
            error["code"].as_i64().expect("a code"),
            error["message"].as_str().expect("a message").to_owned(),
        )
    }

    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.sandbox.world.lptracker().settings);
    }

    pub fn advance(&self, ms: u64) {
        self.sandbox.world.clock.advance(Duration::from_millis(ms));
    }

    pub async fn contact(&self, phone: &str) -> i64 {
        let details = json!([{"type": "phone", "data": phone}]);
        let body = json!({"project_id": PROJECT, "name": "Контакт", "details": details});
        self.post("/contact", body).await["id"].as_i64().expect("an id")
    }

    /// Creates a lead for a new contact; `more` adds or replaces keys.
    pub async fn lead(&self, more: Value) -> i64 {
        self.post("/lead", self.lead_body(more).await).await["id"]
            .as_i64()
            .expect("an id")
    }

    pub async fn lead_body(&self, more: Value) -> Value {
        let contact = self.contact("+79990000001").await;
        let mut body = json!({"contact_id": contact, "name": "Заявка", "callback": false});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    }

    /// Waits until nothing is due and returns the webhook attempts made since the last call.
    pub async fn attempts(&self) -> Vec<Entry> {
        let world = &self.sandbox.world;
        assert!(world.emitter.idle(world, Duration::from_secs(10)).await);
        let attempts = world.journal.webhooks(Side::Lptracker);
        world.journal.clear();
        attempts
    }

    /// The payloads of [`Lp::attempts`].
    pub async fn hooks(&self) -> Vec<Value> {
        self.attempts()
            .await
            .iter()
            .map(|attempt| payload(&attempt.body))
            .collect()
    }

    pub async fn subscribe(&self, url: &str) {
        let body = json!({"url": url, "name": "Интегратор"});
        assert_eq!(
            self.put(&format!("/project/{PROJECT}/callback-url"), body).await,
            json!(true)
        );
    }

    /// A control request; panics unless it is answered with 200.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.control_answer(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn control_answer(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send(method, &format!("/_sandbox/lptracker/{path}"), None, body)
            .await
    }

    pub async fn raw(&self, url: &str, range: Option<&str>) -> reqwest::Response {
        let mut request = self.http.get(url);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        request.send().await.expect("an answer")
    }
}

/// The JSON inside the form field `data`, decoded by hand.
pub fn payload(form: &str) -> Value {
    let data = form.strip_prefix("data=").expect("one field called data");
    assert!(!data.contains('&'), "more than one field: {form}");
    let spaced = data.replace('+', " ");
    let text = percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .expect("UTF-8");
    serde_json::from_str(&text).expect("JSON in data")
}

/// A receiver of webhooks: answers 200 (or nothing at all) and hands over head and body.
pub struct Receiver {
    pub url: String,
    requests: mpsc::UnboundedReceiver<(String, String)>,
}

impl Receiver {
    pub async fn start(answers: bool) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!(
            "http://{}/hooks/secret",
            listener.local_addr().expect("an address")
        );
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                let (head, body) = loop {
                    let mut chunk = [0; 4096];
                    let count = stream.read(&mut chunk).await.unwrap_or(0);
                    bytes.extend_from_slice(&chunk[..count]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some((head, body)) = text.split_once("\r\n\r\n") {
                        let head = head.to_lowercase();
                        let length = head
                            .split("content-length: ")
                            .nth(1)
                            .and_then(|rest| rest.lines().next());
                        if count == 0 || body.len() >= length.and_then(|n| n.parse().ok()).unwrap_or(0) {
                            break (head, body.to_owned());
                        }
                    } else if count == 0 {
                        break (text, String::new());
                    }
                };
                let _ = sender.send((head, body));
                if answers {
                    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    let _ = stream.write_all(reply).await;
                } else {
                    kept.push(stream);
                }
            }
        });
        Receiver { url, requests }
    }

    pub async fn next(&mut self) -> (String, String) {
        let next = tokio::time::timeout(Duration::from_secs(10), self.requests.recv());
        next.await.expect("a webhook in time").expect("the receiver runs")
    }
}

/// Sorted keys of an object.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// The value of a lead field in an answer.
pub fn custom(lead: &Value, field: i64) -> Value {
    let fields = lead["custom"].as_array().expect("custom");
    fields.iter().find(|item| item["id"] == field).expect("the field")["value"].clone()
}
