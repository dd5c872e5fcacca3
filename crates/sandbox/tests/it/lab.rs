//! A sandbox, a client and a receiver of webhooks for the amoCRM modules.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, Response};
use sandbox::{Clock, DEMO_AMOCRM_TOKEN, Entry, Options, Sandbox, Side};
use serde_json::{Value, json};

/// A running sandbox with the demo data and no rate limit.
pub struct Lab {
    pub sandbox: Sandbox,
    client: reqwest::Client,
    pub token: String,
}

/// Status and body of an answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// `validation-errors[0].errors` as `code path`.
    pub fn faults(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{}", self.text);
        assert_eq!(self.content_type, "application/problem+json");
        let body = self.json();
        let errors = body["validation-errors"][0]["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let word = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
        errors
            .iter()
            .map(|e| format!("{} {}", word(e, "code"), word(e, "path")))
            .collect()
    }

    pub fn ok(self) -> Value {
        assert!(
            (200..=202).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self.json()
    }
}

impl Lab {
    pub fn start() -> Self {
        let sandbox = Sandbox::start(Options::demo());
        sandbox.world.amocrm().set(|s| {
            s.rate_per_integration = None;
            s.rate_per_account = None;
            s.search_delay_ms = 0;
        });
        Self {
            sandbox,
            client: reqwest::Client::new(),
            token: DEMO_AMOCRM_TOKEN.to_owned(),
        }
    }

    pub fn clock(&self) -> &Clock {
        &self.sandbox.world.clock
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client
            .request(method, format!("{}{path}", self.sandbox.amocrm_url))
    }

    pub async fn read(response: Response) -> Reply {
        let status = response.status().as_u16();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let content_type = header("content-type");
        Reply {
            status,
            content_type,
            text: response.text().await.expect("a body"),
        }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self
            .request(method, &format!("/api/v4/{path}"))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::read(request.send().await.expect("an answer")).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, Some(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send("PATCH", path, Some(&body)).await
    }

    pub async fn delete(&self, path: &str, body: Value) -> Reply {
        self.send("DELETE", path, Some(&body)).await
    }

    /// Control API.
    pub async fn control(&self, path: &str, body: Value) -> Reply {
        let request = self.request("POST", &format!("/_sandbox/{path}")).json(&body);
        Self::read(request.send().await.expect("an answer")).await
    }

    pub async fn new_lead(&self, item: Value) -> i64 {
        let made = self.post("leads", json!([item])).await.ok();
        made["_embedded"]["leads"][0]["id"].as_i64().expect("an id")
    }

    pub async fn new_contact(&self, item: Value) -> i64 {
        let made = self.post("contacts", json!([item])).await.ok();
        made["_embedded"]["contacts"][0]["id"].as_i64().expect("an id")
    }

    pub async fn lead(&self, id: i64) -> Value {
        self.get(&format!("leads/{id}")).await.ok()
    }

    /// Subscribes a receiver.
    pub async fn subscribe(&self, receiver: &Receiver, codes: &[&str]) -> Value {
        self.post(
            "webhooks",
            json!({"destination": receiver.url, "settings": codes}),
        )
        .await
        .ok()
    }

    /// Waits until nothing is due.
    pub async fn idle(&self) {
        let world = Arc::clone(&self.sandbox.world);
        assert!(
            world.emitter.idle(&world, Duration::from_secs(20)).await,
            "webhooks never settle"
        );
    }

    pub fn attempts(&self) -> Vec<Entry> {
        self.sandbox.world.journal.webhooks(Side::Amocrm)
    }
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or_default()
    }

    /// Decoded pairs.
    pub fn pairs(&self) -> Vec<(String, String)> {
        decoded(&self.body)
    }

    pub fn value(&self, key: &str) -> Option<String> {
        self.pairs().into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }
}

/// Decodes a form body.
pub fn decoded(body: &str) -> Vec<(String, String)> {
    let text = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .expect("UTF-8")
            .into_owned()
    };
    body.split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(k, v)| (text(k), text(v)))
        .collect()
}

/// An HTTP server that answers every request with the status it is told.
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<Got>>>,
    status: Arc<Mutex<u16>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let got = Arc::new(Mutex::new(Vec::new()));
        let status = Arc::new(Mutex::new(200));
        let task = tokio::spawn(serve(listener, Arc::clone(&got), Arc::clone(&status)));
        Self {
            url,
            got,
            status,
            task,
        }
    }

    /// Status of the answers from now on; 0 = no answer at all.
    pub fn answer(&self, status: u16) {
        *self.status.lock().expect("the status") = status;
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().expect("the list").clone()
    }

    /// Takes what came so far.
    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut *self.got.lock().expect("the list"))
    }

    /// `section[action]` and the entity id of everything that came.
    pub fn facts(&self) -> Vec<String> {
        let fact = |got: &Got| {
            let pairs = got.pairs();
            let first = pairs
                .iter()
                .find(|(k, _)| !k.starts_with("account"))
                .expect("an entity");
            let end = first.0.find("[0]").expect("an index");
            first.0[..end].to_owned()
        };
        self.got().iter().map(fact).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: tokio::net::TcpListener, got: Arc<Mutex<Vec<Got>>>, status: Arc<Mutex<u16>>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            return;
        };
        let (got, status) = (Arc::clone(&got), Arc::clone(&status));
        tokio::spawn(async move {
            while let Some(request) = read_request(&mut stream).await {
                got.lock().expect("the list").push(request);
                let status = *status.lock().expect("the status");
                if status == 0 {
                    std::future::pending::<()>().await;
                }
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                if write_all(&mut stream, answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn write_all(stream: &mut tokio::net::TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> Option<Got> {
    let mut data = Vec::new();
    loop {
        if let Some(end) = data.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&data[..end]).into_owned();
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap_or_default().to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|l| l.split_once(':'))
                .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
                .collect();
            let length = headers
                .iter()
                .find(|(n, _)| n == "content-length")
                .map_or(0, |(_, v)| v.parse().unwrap_or(0));
            if data.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&data[end + 4..end + 4 + length]).into_owned();
                return Some(Got { line, headers, body });
            }
        }
        stream.readable().await.ok()?;
        let mut chunk = [0u8; 16_384];
        match stream.try_read(&mut chunk) {
            Ok(0) => return None,
            Ok(n) => data.extend_from_slice(&chunk[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}
