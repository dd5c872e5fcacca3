//! A connector behind the emergency stop and its circuit breaker: each call runs with the gate that its requests look at
//! before they leave, and tells how it ended.

use crate::stops::Passage;
use async_trait::async_trait;
use connector::http::{Gate, gated};
use connector::{
    AccountCard, Changes, Connector, ConnectorError, ContactQuery, Effect, Listing, Look, Outgoing, Snapshot,
    Subscription, Verdict,
};
use domain::catalogue::Catalogue;
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::record::{Record, RecordId, RecordKey};
use domain::time::Timestamp;
use domain::value::Stage;
use std::sync::Arc;
use std::time::Duration;

/// The connector with its gate.
pub(crate) struct Gated {
    inner: Arc<dyn Connector>,
    gate: Arc<Passage>,
}

impl Gated {
    pub(crate) fn new(inner: Arc<dyn Connector>, gate: Arc<Passage>) -> Self {
        Self { inner, gate }
    }

    /// Refuses at once when the gate is shut, so that nothing waits for the budget in vain.
    async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, ConnectorError>> + Send,
    ) -> Result<T, ConnectorError> {
        if !self.gate.is_open() {
            return Err(ConnectorError::Stopped);
        }
        let result = gated(self.gate(), call).await;
        self.gate.note(result.as_ref().err());
        result
    }

    /// Of several calls at once: nothing when they may not leave.
    async fn pass_all<T>(
        &self,
        n_calls: usize,
        calls: impl Future<Output = Vec<Result<T, ConnectorError>>> + Send,
    ) -> Vec<Result<T, ConnectorError>> {
        if !self.gate.is_open() {
            return (0..n_calls).map(|_| Err(ConnectorError::Stopped)).collect();
        }
        let results = gated(self.gate(), calls).await;
        // They shared requests: one that was answered speaks for all.
        let answered = |result: &&Result<T, ConnectorError>| match result {
            Ok(_) => true,
            Err(error) => error.verdict() == Verdict::Permanent,
        };
        let told = results.iter().find(answered).or(results.first());
        self.gate.note(told.and_then(|result| result.as_ref().err()));
        results
    }

    fn gate(&self) -> Arc<dyn Gate> {
        let gate: Arc<Passage> = Arc::clone(&self.gate);
        gate
    }
}

#[async_trait]
impl Connector for Gated {
    fn kind(&self) -> ConnectorKind {
        self.inner.kind()
    }

    async fn check(&self) -> Result<AccountCard, ConnectorError> {
        self.pass(self.inner.check()).await
    }

    async fn catalogue(&self) -> Result<Catalogue, ConnectorError> {
        self.pass(self.inner.catalogue()).await
    }

    async fn read(&self, key: &RecordKey, related: bool) -> Result<Option<Snapshot>, ConnectorError> {
        self.pass(self.inner.read(key, related)).await
    }

    fn batch(&self) -> usize {
        self.inner.batch()
    }

    async fn read_all(
        &self,
        keys: &[RecordKey],
        related: bool,
    ) -> Vec<Result<Option<Snapshot>, ConnectorError>> {
        self.pass_all(keys.len(), self.inner.read_all(keys, related))
            .await
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        self.pass(self.inner.find_contacts(query)).await
    }

    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        self.pass(self.inner.records_of_contact(contact)).await
    }

    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError> {
        self.pass(self.inner.write(write)).await
    }

    async fn write_all(&self, outgoing: &[Outgoing]) -> Vec<Result<Effect, ConnectorError>> {
        self.pass_all(outgoing.len(), self.inner.write_all(outgoing))
            .await
    }

    async fn look(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        self.pass(self.inner.look(write, since)).await
    }

    async fn subscription(&self, url: &str) -> Result<Subscription, ConnectorError> {
        self.pass(self.inner.subscription(url)).await
    }

    async fn subscribe(&self, url: &str) -> Result<(), ConnectorError> {
        self.pass(self.inner.subscribe(url)).await
    }

    async fn unsubscribe(&self, url: &str) -> Result<(), ConnectorError> {
        self.pass(self.inner.unsubscribe(url)).await
    }

    async fn changes(&self, since: Timestamp, cursor: Option<&str>) -> Result<Changes, ConnectorError> {
        self.pass(self.inner.changes(since, cursor)).await
    }

    async fn sitting(&self, stages: &[Stage], cursor: Option<&str>) -> Result<Listing, ConnectorError> {
        self.pass(self.inner.sitting(stages, cursor)).await
    }

    async fn calls(&self, lead: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        self.pass(self.inner.calls(lead)).await
    }

    async fn rest(&self, length: Duration) {
        self.inner.rest(length).await;
    }

    fn card_url(&self, key: &RecordKey) -> Option<String> {
        self.inner.card_url(key)
    }
}
