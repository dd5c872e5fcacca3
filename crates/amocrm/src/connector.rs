//! amoCRM as the engine sees it.

use crate::client::Client;
use crate::convert::Entity;
use crate::convert::read::Reader;
use crate::settings::AmocrmSettings;
use async_trait::async_trait;
use connector::credential::TokenStore;
use connector::http::HttpClient;
use connector::throttle::Throttle;
use connector::{
    AccountCard, Changes, Connector, ConnectorError, ContactQuery, Effect, Listing, Look, Outgoing, Snapshot,
    Subscription,
};
use domain::catalogue::Catalogue;
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Stage;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

mod batch;
mod catalogue;
mod changes;
mod hooks;
mod look;
mod read_all;
mod reads;
mod sitting;

pub use hooks::HOOK_EVENTS;

/// One amoCRM account.
pub struct AmocrmConnector {
    client: Client,
    /// Field definitions as they were last read or given.
    known: RwLock<Option<Arc<Catalogue>>>,
}

impl AmocrmConnector {
    /// Joins the parts; nothing is sent.
    pub fn new(
        http: HttpClient,
        throttle: Throttle,
        settings: AmocrmSettings,
        tokens: Arc<dyn TokenStore>,
    ) -> Self {
        Self {
            client: Client::new(http, throttle, settings, tokens),
            known: RwLock::new(None),
        }
    }

    /// Gives it the field definitions that are stored, so that records read tell empty fields from unknown
    /// ones before the catalogue is read again.
    #[must_use]
    pub fn with_catalogue(self, catalogue: Arc<Catalogue>) -> Self {
        self.keep(catalogue);
        self
    }

    /// The client beneath, for calls that the port has not.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn settings(&self) -> &AmocrmSettings {
        self.client.settings()
    }

    fn keep(&self, catalogue: Arc<Catalogue>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(catalogue);
    }

    fn known(&self) -> Option<Arc<Catalogue>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a reading with what is known of the account.
    fn reading<T>(&self, read: impl FnOnce(&Reader<'_>) -> T) -> T {
        let known = self.known();
        read(&Reader {
            zone: &self.settings().zone,
            catalogue: known.as_deref(),
        })
    }
}

#[async_trait]
impl Connector for AmocrmConnector {
    fn kind(&self) -> ConnectorKind {
        ConnectorKind::Amocrm
    }

    async fn check(&self) -> Result<AccountCard, ConnectorError> {
        catalogue::check(&self.client).await
    }

    async fn catalogue(&self) -> Result<Catalogue, ConnectorError> {
        let catalogue = catalogue::read(&self.client).await?;
        self.keep(Arc::new(catalogue.clone()));
        Ok(catalogue)
    }

    async fn read(&self, key: &RecordKey, related: bool) -> Result<Option<Snapshot>, ConnectorError> {
        self.snapshot(key, related).await
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        self.search_contacts(query).await
    }

    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        self.leads_of_contact(contact).await
    }

    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError> {
        self.write_one(write).await
    }

    fn batch(&self) -> usize {
        batch::ITEMS_PER_CALL
    }

    async fn read_all(
        &self,
        keys: &[RecordKey],
        related: bool,
    ) -> Vec<Result<Option<Snapshot>, ConnectorError>> {
        self.snapshots(keys, related).await
    }

    async fn write_all(&self, outgoing: &[Outgoing]) -> Vec<Result<Effect, ConnectorError>> {
        self.write_many(outgoing).await
    }

    async fn rest(&self, length: Duration) {
        self.client.rest(length);
    }

    async fn look(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        self.look_for(write, since).await
    }

    async fn subscription(&self, url: &str) -> Result<Subscription, ConnectorError> {
        hooks::state(&self.client, url).await
    }

    async fn subscribe(&self, url: &str) -> Result<(), ConnectorError> {
        hooks::install(&self.client, url).await
    }

    async fn unsubscribe(&self, url: &str) -> Result<(), ConnectorError> {
        hooks::remove(&self.client, url).await
    }

    async fn changes(&self, since: Timestamp, cursor: Option<&str>) -> Result<Changes, ConnectorError> {
        self.changes_since(since, cursor).await
    }

    async fn sitting(&self, stages: &[Stage], cursor: Option<&str>) -> Result<Listing, ConnectorError> {
        self.deals_in(stages, cursor).await
    }

    fn card_url(&self, key: &RecordKey) -> Option<String> {
        let path = match key.kind {
            RecordKind::Deal => "leads",
            RecordKind::Contact => "contacts",
            RecordKind::Company => "companies",
            _ => return None,
        };
        Some(self.settings().join(&format!("/{path}/detail/{}", key.id)).into())
    }
}

/// Path of one entity.
fn entity_path(entity: Entity, id: &RecordId) -> Option<String> {
    id.number().map(|id| format!("/api/v4/{}/{id}", entity.word()))
}
