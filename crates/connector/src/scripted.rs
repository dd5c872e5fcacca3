//! A connector over a tiny CRM in memory, for tests of the engine: it remembers every call, applies writes,
//! and fails where the test says so.

use crate::connector::{
    AccountCard, Changes, Connector, ContactQuery, Effect, Listing, Look, Outgoing, Snapshot, Subscription,
};
use crate::credential::TokenStore;
use crate::error::ConnectorError;
use async_trait::async_trait;
use domain::catalogue::Catalogue;
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::event::Fact;
use domain::field::SystemField;
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod crm;
mod pairs;

pub use crm::{Applied, Crm};
pub use pairs::Pairs;
use pairs::Tokens;

/// One call as the connector received it.
#[derive(Clone, PartialEq, Debug)]
pub enum Call {
    /// `check`.
    Check,
    /// `catalogue`.
    Catalogue,
    /// `read`.
    Read(RecordKey),
    /// `read_all`.
    ReadAll(Vec<RecordKey>),
    /// `rest`.
    Rest(Duration),
    /// `find_contacts`.
    FindContacts(ContactQuery),
    /// `records_of_contact`.
    RecordsOfContact(RecordId),
    /// `write`, or one of `write_all`.
    Write(Write),
    /// `write_all` with this many writes; each follows as a [`Call::Write`].
    WriteAll(usize),
    /// `look`.
    Look(Write),
    /// `subscription`.
    Subscription(String),
    /// `subscribe`.
    Subscribe(String),
    /// `unsubscribe`.
    Unsubscribe(String),
    /// `changes`.
    Changes(Timestamp),
    /// `sitting`.
    Sitting(Vec<Stage>),
    /// `calls`.
    Calls(RecordId),
}

/// Which calls a fault hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// `read`, `find_contacts`, `records_of_contact`, `changes`, `sitting`, `calls`.
    Read,
    /// `write`, and every write of `write_all`.
    Write,
    /// `look`.
    Look,
    /// `check`, `catalogue` and the subscription.
    Account,
}

/// What goes wrong with one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It fails and nothing is applied.
    Fail(ConnectorError),
    /// The write is applied and its answer is lost.
    AnswerLost,
    /// The look cannot tell.
    Undecided,
}

#[derive(Debug)]
struct State {
    crm: Crm,
    calls: Vec<Call>,
    faults: VecDeque<(On, Fault)>,
    catalogue: Catalogue,
    subscriptions: Vec<String>,
    changes: Vec<Fact>,
    phone_calls: Vec<(RecordId, Record)>,
    card: AccountCard,
    pairs: Pairs,
}

/// The connector. Cloning shares the CRM, the faults and the account of calls.
#[derive(Clone, Debug)]
pub struct ScriptedConnector {
    kind: ConnectorKind,
    state: Arc<Mutex<State>>,
    tokens: Option<Tokens>,
}

impl ScriptedConnector {
    /// An empty CRM of a kind; ids are given from `first_id` upwards.
    pub fn new(kind: ConnectorKind, first_id: i64) -> Self {
        let record_kind = match kind {
            ConnectorKind::Amocrm => (RecordKind::Deal, RecordKind::Contact),
            ConnectorKind::Lptracker => (RecordKind::Lead, RecordKind::LeadContact),
        };
        let state = State {
            crm: Crm::new(record_kind.0, record_kind.1, first_id),
            calls: Vec::new(),
            faults: VecDeque::new(),
            catalogue: Catalogue::default(),
            subscriptions: Vec::new(),
            changes: Vec::new(),
            phone_calls: Vec::new(),
            pairs: Pairs::default(),
            card: AccountCard {
                id: Some(1),
                name: "Проверочный аккаунт".to_owned(),
                url: None,
                user: Some(1),
                zone: Some("Europe/Moscow".to_owned()),
                expires_at: None,
                warnings: Vec::new(),
            },
        };
        Self {
            kind,
            state: Arc::new(Mutex::new(state)),
            tokens: None,
        }
    }

    /// The same CRM, reached with a pair of tokens that `check` renews: see [`Pairs`].
    #[must_use]
    pub fn with_tokens(&self, store: Arc<dyn TokenStore>) -> Self {
        Self {
            tokens: Some(Tokens(store)),
            ..self.clone()
        }
    }

    /// How many pairs of tokens the CRM gave.
    pub fn n_pairs(&self) -> usize {
        self.lock().pairs.n_given()
    }

    /// Sets the time by which creations and applied writes are stamped.
    pub fn set_now(&self, now: Timestamp) {
        self.lock().crm.now = now;
    }

    /// Puts a record into the CRM, as a person there would.
    pub fn put(&self, record: Record) {
        self.lock().crm.put(record);
    }

    /// Takes a record out of the CRM.
    pub fn remove(&self, key: &RecordKey) {
        self.lock().crm.remove(key);
    }

    /// A record as the CRM holds it now.
    pub fn record(&self, key: &RecordKey) -> Option<Record> {
        self.lock().crm.record(key).cloned()
    }

    /// Every record of a kind, oldest first.
    pub fn records(&self, kind: RecordKind) -> Vec<Record> {
        self.lock()
            .crm
            .records()
            .filter(|record| record.key.kind == kind)
            .cloned()
            .collect()
    }

    /// Writes that took effect, in order, lost answers included.
    pub fn applied(&self) -> Vec<Applied> {
        self.lock().crm.applied().to_vec()
    }

    /// Takes the account of calls.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    /// The next call of this kind goes wrong; several queue up.
    pub fn fail_next(&self, on: On, fault: Fault) {
        self.lock().faults.push_back((on, fault));
    }

    /// What `catalogue` answers.
    pub fn set_catalogue(&self, catalogue: Catalogue) {
        self.lock().catalogue = catalogue;
    }

    /// What `check` answers.
    pub fn set_card(&self, card: AccountCard) {
        self.lock().card = card;
    }

    /// What `changes` answers, wherever `occurred_at` is not before the asked moment.
    pub fn set_changes(&self, facts: Vec<Fact>) {
        self.lock().changes = facts;
    }

    /// Adds a telephone call of a lead, for `calls`.
    pub fn add_phone_call(&self, lead: RecordId, call: Record) {
        self.lock().phone_calls.push((lead, call));
    }

    /// Addresses subscribed at this moment.
    pub fn subscriptions(&self) -> Vec<String> {
        self.lock().subscriptions.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fault(&mut self, on: On) -> Option<Fault> {
        let at = self.faults.iter().position(|(hit, _)| *hit == on)?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    /// Counts a call that can only fail or succeed.
    fn begin(&mut self, on: On, call: Call) -> Result<(), ConnectorError> {
        self.calls.push(call);
        match self.fault(on) {
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::AnswerLost) => Err(lost()),
            Some(Fault::Undecided) | None => Ok(()),
        }
    }

    fn write(&mut self, write: &Write) -> Result<Effect, ConnectorError> {
        self.calls.push(Call::Write(write.clone()));
        match self.fault(On::Write) {
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::AnswerLost) => self.crm.apply(write).and(Err(lost())),
            Some(Fault::Undecided) | None => self.crm.apply(write),
        }
    }
}

fn lost() -> ConnectorError {
    ConnectorError::NoAnswer {
        uncertain: true,
        cause: "ответ потерян".to_owned(),
    }
}

#[async_trait]
impl Connector for ScriptedConnector {
    fn kind(&self) -> ConnectorKind {
        self.kind
    }

    async fn check(&self) -> Result<AccountCard, ConnectorError> {
        if let Some(tokens) = &self.tokens {
            tokens.renew(&self.state).await?;
        }
        let mut state = self.lock();
        state.begin(On::Account, Call::Check)?;
        Ok(state.card.clone())
    }

    async fn catalogue(&self) -> Result<Catalogue, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Account, Call::Catalogue)?;
        Ok(state.catalogue.clone())
    }

    async fn read(&self, key: &RecordKey, related: bool) -> Result<Option<Snapshot>, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::Read(key.clone()))?;
        Ok(state.crm.snapshot(key, related))
    }

    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::FindContacts(query.clone()))?;
        Ok(state.crm.find_contacts(query))
    }

    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::RecordsOfContact(contact.clone()))?;
        Ok(state.crm.records_of_contact(contact))
    }

    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError> {
        self.lock().write(write)
    }

    fn batch(&self) -> usize {
        match self.kind {
            ConnectorKind::Amocrm => 50,
            ConnectorKind::Lptracker => 1,
        }
    }

    async fn read_all(
        &self,
        keys: &[RecordKey],
        related: bool,
    ) -> Vec<Result<Option<Snapshot>, ConnectorError>> {
        let mut state = self.lock();
        state.calls.push(Call::ReadAll(keys.to_vec()));
        keys.iter()
            .map(|key| match state.fault(On::Read) {
                Some(Fault::Fail(error)) => Err(error),
                Some(Fault::AnswerLost) => Err(lost()),
                Some(Fault::Undecided) | None => Ok(state.crm.snapshot(key, related)),
            })
            .collect()
    }

    async fn write_all(&self, outgoing: &[Outgoing]) -> Vec<Result<Effect, ConnectorError>> {
        let mut state = self.lock();
        state.calls.push(Call::WriteAll(outgoing.len()));
        outgoing.iter().map(|one| state.write(&one.write)).collect()
    }

    async fn rest(&self, length: Duration) {
        self.lock().calls.push(Call::Rest(length));
    }

    async fn look(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        let mut state = self.lock();
        state.calls.push(Call::Look(write.clone()));
        match state.fault(On::Look) {
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::AnswerLost) => Err(lost()),
            Some(Fault::Undecided) => Ok(Look::Undecided {
                reason: "поиск CRM ещё не обновился".to_owned(),
            }),
            None => Ok(state.crm.look(write, since)),
        }
    }

    async fn subscription(&self, url: &str) -> Result<Subscription, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Account, Call::Subscription(url.to_owned()))?;
        Ok(Subscription {
            installed: state.subscriptions.iter().any(|known| known == url),
            disabled: false,
            foreign: state
                .subscriptions
                .iter()
                .filter(|known| *known != url)
                .cloned()
                .collect(),
        })
    }

    async fn subscribe(&self, url: &str) -> Result<(), ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Account, Call::Subscribe(url.to_owned()))?;
        if !state.subscriptions.iter().any(|known| known == url) {
            state.subscriptions.push(url.to_owned());
        }
        Ok(())
    }

    async fn unsubscribe(&self, url: &str) -> Result<(), ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Account, Call::Unsubscribe(url.to_owned()))?;
        state.subscriptions.retain(|known| known != url);
        Ok(())
    }

    async fn changes(&self, since: Timestamp, _cursor: Option<&str>) -> Result<Changes, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::Changes(since))?;
        let facts = state
            .changes
            .iter()
            .filter(|fact| fact.occurred_at.is_none_or(|at| at >= since))
            .cloned()
            .collect();
        Ok(Changes { facts, next: None })
    }

    async fn sitting(&self, stages: &[Stage], _cursor: Option<&str>) -> Result<Listing, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::Sitting(stages.to_vec()))?;
        let sits = |record: &&Record| match record.get(SystemField::Stage.into()) {
            Some(Value::Stage(stage)) => stages.contains(stage),
            _ => false,
        };
        let records = state.crm.records().filter(sits).cloned().collect();
        Ok(Listing { records, next: None })
    }

    async fn calls(&self, lead: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let mut state = self.lock();
        state.begin(On::Read, Call::Calls(lead.clone()))?;
        Ok(state
            .phone_calls
            .iter()
            .filter(|(of, _)| of == lead)
            .map(|(_, call)| call.clone())
            .collect())
    }

    fn card_url(&self, key: &RecordKey) -> Option<String> {
        Some(format!("https://crm.example/{}/{}", key.kind.as_str(), key.id))
    }
}

#[cfg(test)]
mod tests;
