//! A sandbox of one's own and connectors to it.

use amocrm::{AmocrmConnector, AmocrmSettings};
use connector::credential::{MemoryTokens, TokenStore, Tokens};
use connector::http::{AddressRules, HttpClient, Limits};
use connector::throttle::Throttle;
use domain::record::RecordId;
use sandbox::amocrm::{Entity, Kind};
use sandbox::{Options, Sandbox};
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A fake account without limits of rate, and a way to it.
pub struct Fake {
    pub sandbox: Sandbox,
}

impl Fake {
    pub fn start() -> Self {
        let sandbox = Sandbox::start(Options::default());
        sandbox.world.amocrm().set(|settings| {
            settings.rate_per_integration = None;
            settings.rate_per_account = None;
        });
        Self { sandbox }
    }

    pub fn settings(&self) -> AmocrmSettings {
        AmocrmSettings::at(self.sandbox.amocrm_url.parse().unwrap())
    }

    pub fn with_token(&self, token: &str) -> AmocrmConnector {
        self.with(self.settings(), memory(token))
    }

    pub fn with(&self, settings: AmocrmSettings, tokens: Arc<dyn TokenStore>) -> AmocrmConnector {
        AmocrmConnector::new(
            http(),
            Throttle::new(1_000, Duration::from_secs(1)),
            settings,
            tokens,
        )
    }

    pub fn admin(&self) -> AmocrmConnector {
        self.with_token(sandbox::DEMO_AMOCRM_TOKEN)
    }

    /// A contact as a manager makes it.
    pub fn contact(&self, name: &str, phone: &str) -> i64 {
        let mut state = self.sandbox.world.amocrm();
        let account = state.account();
        let mut entity = made(account, Kind::Contact, name);
        let value = json!({"value": phone, "enum_id": sandbox::ENUM_PHONE_MOB, "enum_code": "MOB"});
        entity.values.insert(sandbox::FIELD_PHONE, vec![value]);
        let id = entity.id;
        account.insert(entity);
        id
    }

    /// A deal as a manager makes it, on the stage «Новая заявка».
    pub fn deal(&self, contact: Option<i64>, name: &str) -> i64 {
        let mut state = self.sandbox.world.amocrm();
        let account = state.account();
        let mut entity = made(account, Kind::Lead, name);
        entity.pipeline_id = sandbox::PIPELINE_SALES;
        entity.status_id = sandbox::STATUS_NEW;
        let id = entity.id;
        account.insert(entity);
        if let Some(contact) = contact {
            account.join((Kind::Lead, id), (Kind::Contact, contact), true);
        }
        id
    }

    /// Writing requests that the account has seen, as method and path.
    pub fn written(&self) -> Vec<String> {
        let entries = self.sandbox.world.journal.entries();
        entries
            .iter()
            .filter(|entry| entry.write)
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect()
    }

    /// How many requests the account has seen whose path holds a piece.
    pub fn n_requests(&self, piece: &str) -> usize {
        self.sandbox
            .world
            .journal
            .entries()
            .iter()
            .filter(|entry| entry.path.contains(piece))
            .count()
    }
}

fn made(account: &mut sandbox::amocrm::Account, kind: Kind, name: &str) -> Entity {
    let mut entity = Entity::new(kind, account.next(kind.plural()));
    entity.name = name.to_owned();
    (entity.responsible_user_id, entity.created_by) = (sandbox::USER_ANNA, sandbox::USER_ANNA);
    entity.updated_by = sandbox::USER_ANNA;
    (entity.created_at, entity.updated_at) = (account.now(), account.now());
    entity
}

pub fn http() -> HttpClient {
    let rules = AddressRules {
        allowed_hosts: vec!["127.0.0.1".to_owned()],
    };
    HttpClient::new(rules, Limits::default()).unwrap()
}

pub fn memory(token: &str) -> Arc<dyn TokenStore> {
    Arc::new(MemoryTokens::new(Tokens {
        access: SecretString::from(token),
        refresh: None,
        expires_at: None,
        version: 1,
    }))
}

pub fn id(number: i64) -> RecordId {
    RecordId::from(number)
}
