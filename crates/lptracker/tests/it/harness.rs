//! A sandbox with a connector to it.

use async_trait::async_trait;
use connector::Connector;
use connector::conformance::{Capabilities, Harness, Lost};
use connector::credential::{MemoryTokens, TokenStore, Tokens};
use connector::http::{AddressRules, HttpClient, Limits};
use domain::record::{RecordId, RecordKind};
use domain::time::Timestamp;
use domain::value::Stage;
use lptracker::{LptrackerConnector, LptrackerSettings, settings};
use sandbox::lptracker as lp;
use sandbox::lptracker::NewLead;
use sandbox::{Entry, EntryKind, Fault, FaultKind, Options, Sandbox, Side};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

pub const PROJECT: i64 = lp::DEMO_LPTRACKER_PROJECT;
pub const NEW: Stage = Stage {
    pipeline: PROJECT,
    status: lp::DEMO_LPTRACKER_STEP_NEW,
};
pub const REFUSED: Stage = Stage {
    pipeline: PROJECT,
    status: lp::DEMO_LPTRACKER_STEP_REFUSED,
};

/// A sandbox of its own for one test.
pub struct Lab {
    pub sandbox: Sandbox,
}

/// Tokens as they are before the first sign-in.
pub fn no_tokens() -> Tokens {
    Tokens {
        access: SecretString::from(""),
        refresh: None,
        expires_at: None,
        version: 0,
    }
}

pub fn fresh() -> Lab {
    Lab {
        sandbox: Sandbox::start(Options::default()),
    }
}

impl Lab {
    pub fn settings(&self) -> LptrackerSettings {
        let mut settings = LptrackerSettings::new(
            SecretString::from(lp::DEMO_LPTRACKER_LOGIN),
            SecretString::from(lp::DEMO_LPTRACKER_PASSWORD),
        );
        settings.base_url = self.sandbox.lptracker_url.parse().unwrap();
        settings.allowed_hosts = vec!["127.0.0.1".to_owned()];
        settings.projects = vec![PROJECT];
        settings
    }

    pub fn connect(&self, settings: LptrackerSettings) -> LptrackerConnector {
        self.connect_with(settings, Arc::new(MemoryTokens::new(no_tokens())))
    }

    pub fn connect_with(
        &self,
        settings: LptrackerSettings,
        tokens: Arc<dyn TokenStore>,
    ) -> LptrackerConnector {
        let rules = AddressRules {
            allowed_hosts: vec!["127.0.0.1".to_owned()],
        };
        let http = HttpClient::new(rules, Limits::default()).unwrap();
        LptrackerConnector::new(http, settings::throttle(), settings, tokens)
    }

    pub fn ours(&self) -> LptrackerConnector {
        self.connect(self.settings())
    }

    /// A lead with a contact, made by a person.
    pub fn lead(&self, name: &str, phone: &str) -> (i64, i64) {
        let new = NewLead {
            project_id: PROJECT,
            name,
            contact_name: "Пётр Сидоров",
            phone,
            ..NewLead::default()
        };
        let mut state = self.sandbox.world.lptracker();
        let lead = state.ui_create(&new).unwrap();
        (lead, state.lead(lead).unwrap().contact_id)
    }

    pub fn fault(&self, method: &str, path: &str, kind: FaultKind) {
        self.sandbox
            .world
            .faults
            .add(Fault::once(Side::Lptracker, kind).method(method).path(path));
    }

    /// Requests whose method and path begin like this.
    pub fn requests(&self, method: &str, path: &str) -> Vec<Entry> {
        let mut entries = self.sandbox.world.journal.entries();
        entries.retain(|entry| {
            entry.kind == EntryKind::Request && entry.method == method && entry.path.starts_with(path)
        });
        entries
    }
}

#[async_trait]
impl Harness for Lab {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            record: RecordKind::Lead,
            contact: RecordKind::LeadContact,
            project: Some(PROJECT),
            stages: [NEW, REFUSED],
            text_field: lp::DEMO_LPTRACKER_FIELD_CITY,
            user: lp::DEMO_LPTRACKER_STAFF_ANNA,
            tags: false,
            tasks: false,
            call_log: false,
            payments: true,
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(self.ours())
    }

    fn stranger(&self) -> Box<dyn Connector> {
        let mut settings = self.settings();
        settings.password = SecretString::from("чужой пароль");
        Box::new(self.connect(settings))
    }

    /// A contact alone cannot be typed in; the lead that comes with it is taken away again.
    async fn contact_by_person(&self, name: &str, phone: &str) -> RecordId {
        let new = NewLead {
            project_id: PROJECT,
            name: "x",
            contact_name: name,
            phone,
            ..NewLead::default()
        };
        let mut state = self.sandbox.world.lptracker();
        let lead = state.ui_create(&new).unwrap();
        let contact = state.lead(lead).unwrap().contact_id;
        state.ui_delete(lead).unwrap();
        RecordId::from(contact)
    }

    async fn record_by_person(&self, contact: &RecordId, name: &str) -> RecordId {
        let body = serde_json::json!({"contact_id": contact.0, "name": name, "step_id": NEW.status});
        let made = self
            .sandbox
            .world
            .lptracker()
            .control("POST", "ui/create", "", &body)
            .unwrap();
        RecordId::from(made["id"].as_i64().unwrap())
    }

    fn lose_next_write(&self, how: Lost) {
        let kind = match how {
            Lost::AnswerAfterApplying => FaultKind::CutAfterApply,
            Lost::RequestBeforeApplying => FaultKind::CutBeforeApply,
        };
        for (method, path) in [
            ("POST", "/lead"),
            ("PUT", "/lead"),
            ("POST", "/contact"),
            ("PUT", "/contact"),
        ] {
            self.fault(method, path, kind.clone());
        }
    }

    fn refuse_next_for_rate(&self, _wait: Duration) {
        let kind = FaultKind::ErrorEnvelope {
            code: 503,
            message: "Too many requests".to_owned(),
        };
        self.sandbox.world.faults.add(Fault::once(Side::Lptracker, kind));
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.sandbox.world.clock.now_ms())
    }
}
