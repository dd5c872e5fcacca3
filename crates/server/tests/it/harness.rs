//! A server of a test's own and the callers that speak to it.

use engine::Engine;
use engine::clock::{ManualClock, SystemClock};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use sandbox::{Options, Sandbox};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::config::Config;
use server::startup::{self, Running};
use std::sync::Arc;
use storage::accounts::{Role, User, Workspace};
use storage::audit::Actor;
use test_db::TestDb;

/// Thirty-two random bytes; the key of no installation.
pub const VAULT_KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QESIzRFVmd4iZqrs=";

/// A running server.
pub struct TestApp {
    pub running: Running,
    pub clock: Option<Arc<ManualClock>>,
    pub sandbox: Option<Sandbox>,
    db: TestDb,
    _files: tempfile::TempDir,
}

/// What a test wants to be different.
#[derive(Default)]
pub struct Wanted {
    /// With both sandbox CRMs and the demo workspace.
    pub demo: bool,
    /// With a clock that moves when told.
    pub manual_clock: bool,
    /// Further lines of configuration.
    pub file: String,
}

impl TestApp {
    /// An empty installation on SQLite.
    pub async fn empty() -> Self {
        Self::start(test_db::sqlite().await, Wanted::default()).await
    }

    /// The demo on SQLite.
    pub async fn demo() -> Self {
        let wanted = Wanted {
            demo: true,
            ..Wanted::default()
        };
        Self::start(test_db::sqlite().await, wanted).await
    }

    /// Workers are off: tests step the engine by hand.
    pub async fn start(db: TestDb, wanted: Wanted) -> Self {
        let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
        let sandbox = wanted.demo.then(|| Sandbox::start(Options::demo()));
        let mut environment = vec![
            ("INTEGRATOR_SERVER__PORT".to_owned(), "0".to_owned()),
            ("INTEGRATOR_DATABASE__URL".to_owned(), db.url().to_owned()),
            ("INTEGRATOR_VAULT__KEY".to_owned(), VAULT_KEY.to_owned()),
            ("INTEGRATOR_ENGINE__WORKERS".to_owned(), "false".to_owned()),
        ];
        let files = tempfile::tempdir().expect("a folder for files");
        let folder = files.path().to_str().expect("a plain path").to_owned();
        environment.push(("INTEGRATOR_FILES__FOLDER".to_owned(), folder));
        if let Some(sandbox) = &sandbox {
            environment.push((
                "INTEGRATOR_DEMO__AMOCRM_URL".to_owned(),
                sandbox.amocrm_url.clone(),
            ));
            environment.push((
                "INTEGRATOR_DEMO__LPTRACKER_URL".to_owned(),
                sandbox.lptracker_url.clone(),
            ));
        }
        let config = Config::from_parts(&wanted.file, environment).expect("a good configuration");
        let clock = wanted
            .manual_clock
            .then(|| Arc::new(ManualClock::new(domain::time::Timestamp(1_764_000_000_000))));
        let running = match &clock {
            Some(clock) => startup::start_with(config, Arc::clone(clock) as _).await,
            None => startup::start_with(config, Arc::new(SystemClock)).await,
        };
        Self {
            running: running.expect("the server starts"),
            clock,
            sandbox,
            db,
            _files: files,
        }
    }

    /// Address of its database, for others who open it beside.
    pub fn db_url(&self) -> &str {
        self.db.url()
    }

    pub fn engine(&self) -> &Engine {
        &self.running.engine
    }

    /// Somebody whom the server does not know.
    pub fn anonymous(&self) -> Caller {
        let client = Client::builder()
            .cookie_store(true)
            // A connection that was idle between two calls may be closed by the server as the next one begins.
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .expect("a client");
        Caller {
            client,
            base: self.running.url.clone(),
            key: None,
            workspace: None,
            marked: true,
        }
    }

    /// A new workspace.
    pub async fn workspace(&self, name: &str) -> Workspace {
        let workspace = Workspace {
            id: domain::id::WorkspaceId(engine::new_id()),
            name: name.to_owned(),
            zone: "Europe/Moscow".to_owned(),
            calendar: None,
            created_at: self.engine().clock().now(),
        };
        storage::accounts::insert_workspace(self.engine().db(), &workspace)
            .await
            .unwrap();
        workspace
    }

    /// A new person in a workspace, signed in.
    pub async fn member(&self, workspace: &Workspace, role: Role) -> Caller {
        let now = self.engine().clock().now();
        let id = domain::id::UserId(engine::new_id());
        let user = User {
            id,
            email: format!("{id}@example.ru"),
            name: format!("{role:?}"),
            password_hash: None,
            is_superuser: false,
            disabled_at: None,
            created_at: now,
        };
        let db = self.engine().db();
        storage::accounts::insert_user(db, &user).await.unwrap();
        storage::accounts::insert_membership(db, workspace.id, id, role, now)
            .await
            .unwrap();
        let token = self.engine().accounts().sign_in_token(id).await.unwrap();
        let mut caller = self.anonymous();
        let body = json!({ "token": token.expose_secret() });
        assert_eq!(caller.post("/api/v1/session/link", &body).await.status, 200);
        caller.workspace = Some(workspace.id.to_string());
        caller
    }

    /// A script with a key of a workspace.
    pub async fn script(&self, workspace: &Workspace, scopes: &[&str]) -> Caller {
        let wanted = engine::accounts::NewApiKey {
            name: "скрипт".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_in_days: None,
        };
        let accounts = self.engine().accounts();
        let (_, secret) = accounts
            .create_api_key(workspace.id, &Actor::system(), wanted)
            .await
            .unwrap();
        let mut caller = self.anonymous();
        caller.key = Some(secret.expose_secret().to_owned());
        caller.marked = false;
        caller
    }

    /// The person of the demo, signed in by the printed link.
    pub async fn demo_person(&self) -> Caller {
        let link = self.running.sign_in_url.as_ref().expect("a demo prints a link");
        let token = link
            .expose_secret()
            .split_once('#')
            .expect("a token")
            .1
            .to_owned();
        let caller = self.anonymous();
        let answer = caller
            .post("/api/v1/session/link", &json!({ "token": token }))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        caller
    }
}

/// Somebody who speaks to the server.
pub struct Caller {
    client: Client,
    base: String,
    pub key: Option<String>,
    pub workspace: Option<String>,
    /// Sends the header that only our own pages send.
    pub marked: bool,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// The kind of problem, for refusals.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(
            body["trace_id"].is_string() && body["instance"].is_string(),
            "{self:?}"
        );
        body["type"]
            .as_str()
            .expect("a type")
            .trim_start_matches("/problems/")
            .to_owned()
    }
}

impl Caller {
    /// A request with everything that this caller always sends.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if self.marked {
            request = request.header("x-requested-with", "integrator");
        }
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(workspace) = &self.workspace {
            request = request.header("x-workspace-id", workspace);
        }
        request
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let mut answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // A stream has no end to wait for: its beginning is the answer.
        let is_stream = headers
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let text = if is_stream {
            let begin = answer.chunk().await.expect("a beginning").unwrap_or_default();
            String::from_utf8_lossy(&begin).into_owned()
        } else {
            answer.text().await.expect("a text")
        };
        Answer {
            status,
            headers,
            text,
        }
    }

    /// The body of an answer that must be there, as bytes.
    pub async fn send_bytes(&self, request: RequestBuilder) -> Vec<u8> {
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.expect("a body").to_vec()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends files as a form does.
    pub async fn upload(&self, path: &str, files: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, content) in files {
            let head = format!(
                "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend(head.as_bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"--frontier--\r\n");
        let request = self
            .request(Method::POST, path)
            .header("content-type", "multipart/form-data; boundary=frontier");
        self.send(request.body(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// An edit that starts from a version.
    pub async fn edit(&self, method: Method, path: &str, version: &Value, body: &Value) -> Answer {
        let request = self
            .request(method, path)
            .header("if-match", format!("\"{version}\""));
        self.send(request.json(body)).await
    }
}
