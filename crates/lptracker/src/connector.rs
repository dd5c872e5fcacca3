//! LPTracker behind the engine's port.

mod catalogue;
mod changes;
mod hooks;
mod look;
mod read;
mod write;

use crate::client::Client;
use crate::settings::LptrackerSettings;
use ::connector::connector::{
    AccountCard, Changes, ContactQuery, Effect, Listing, Look, Snapshot, Subscription,
};
use ::connector::credential::TokenStore;
use ::connector::http::HttpClient;
use ::connector::throttle::Throttle;
use ::connector::{Connector, ConnectorError};
use async_trait::async_trait;
use domain::catalogue::Catalogue;
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::Stage;
use std::sync::Arc;
use std::time::Duration;

/// Web interface of the service.
const WEB: &str = "https://my.lptracker.ru";

/// One connection to one LPTracker login, limited to its projects.
pub struct LptrackerConnector {
    client: Client,
    definitions: catalogue::Definitions,
}

impl LptrackerConnector {
    /// Joins its parts; nothing is sent yet. `tokens` holds the session token (an empty one means: sign in).
    pub fn new(
        http: HttpClient,
        throttle: Throttle,
        settings: LptrackerSettings,
        tokens: Arc<dyn TokenStore>,
    ) -> Self {
        Self {
            client: Client::new(http, throttle, settings, tokens),
            definitions: catalogue::Definitions::default(),
        }
    }

    /// The client underneath, for calls that the port does not have.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn zone(&self) -> &Zone {
        &self.client.settings().zone
    }

    /// The project, where there is only one.
    fn only_project(&self) -> Option<i64> {
        match self.client.settings().projects.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Whether records of a project belong to this connection; an unknown project is given the benefit.
    fn is_ours(&self, project: Option<i64>) -> bool {
        let ours = &self.client.settings().projects;
        ours.is_empty() || project.is_none_or(|project| ours.contains(&project))
    }
}

/// The number of a record's id; ids that are no numbers were not given by this service.
fn number(id: &RecordId) -> Result<i64, ConnectorError> {
    id.number()
        .filter(|number| *number > 0)
        .ok_or_else(|| ConnectorError::Rejected {
            code: "invalid_id".to_owned(),
            field: None,
            message: "номер записи LPTracker не число".to_owned(),
        })
}

/// «Not there» as an answer instead of a failure. Some calls say so with 400 `Invalid lead ID`.
fn found<T>(result: Result<T, ConnectorError>) -> Result<Option<T>, ConnectorError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ConnectorError::NotFound) => Ok(None),
        Err(error) if crate::envelope::is_invisible_lead(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An answer without what the contract promises.
fn protocol(message: &str) -> ConnectorError {
    ConnectorError::Protocol {
        message: message.to_owned(),
    }
}

#[async_trait]
impl Connector for LptrackerConnector {
    fn kind(&self) -> ConnectorKind {
        ConnectorKind::Lptracker
    }

    async fn check(&self) -> Result<AccountCard, ConnectorError> {
        self.check_account().await
    }

    async fn catalogue(&self) -> Result<Catalogue, ConnectorError> {
        self.read_catalogue().await
    }

    async fn read(&self, key: &RecordKey, related: bool) -> Result<Option<Snapshot>, ConnectorError> {
        self.read_record(key, related).await
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        self.search_contacts(query).await
    }

    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        self.leads_of_contact(contact).await
    }

    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError> {
        self.carry_out(write).await
    }

    async fn rest(&self, length: Duration) {
        self.client.rest(length);
    }

    async fn look(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        self.look_for(write, since).await
    }

    async fn subscription(&self, url: &str) -> Result<Subscription, ConnectorError> {
        self.read_subscription(url).await
    }

    async fn subscribe(&self, url: &str) -> Result<(), ConnectorError> {
        self.add_subscription(url).await
    }

    async fn unsubscribe(&self, url: &str) -> Result<(), ConnectorError> {
        self.remove_subscription(url).await
    }

    async fn changes(&self, since: Timestamp, cursor: Option<&str>) -> Result<Changes, ConnectorError> {
        self.changed_leads(since, cursor).await
    }

    /// The calls carry no phone of the client: it is in the lead's contact.
    async fn calls(&self, lead: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        self.calls_of_lead(lead).await
    }

    async fn sitting(&self, stages: &[Stage], cursor: Option<&str>) -> Result<Listing, ConnectorError> {
        self.leads_in(stages, cursor).await
    }

    fn card_url(&self, key: &RecordKey) -> Option<String> {
        match key.kind {
            RecordKind::Lead => Some(format!("{WEB}/#leads/card/{}", key.id)),
            _ => None,
        }
    }
}
