//! What any CRM must offer.

use crate::error::ConnectorError;
use crate::http::{Trace, traced};
use async_trait::async_trait;
use domain::catalogue::Catalogue;
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::event::Fact;
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Stage;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a successful check tells about the account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccountCard {
    /// Id of the account in the CRM, when it has one.
    pub id: Option<i64>,
    /// Name of the account or project.
    pub name: String,
    /// Address for people.
    pub url: Option<String>,
    /// User that the credential acts as.
    pub user: Option<i64>,
    /// IANA zone of the account, when the CRM tells.
    pub zone: Option<String>,
    /// When the credential expires, when that is known.
    pub expires_at: Option<Timestamp>,
    /// What works only in part, in Russian («нет прав администратора: список пользователей недоступен»).
    pub warnings: Vec<String>,
}

/// A record with its surroundings as read from the CRM.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Snapshot {
    /// The record and those around it (contact and company of a deal, contact of a lead), at most one of
    /// each kind; the one asked for comes first.
    pub records: Vec<Record>,
}

impl Snapshot {
    /// The record of a kind.
    pub fn record(&self, kind: RecordKind) -> Option<&Record> {
        self.records.iter().find(|record| record.key.kind == kind)
    }
}

/// How to look for contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContactQuery {
    /// By phone, any spelling; the answer holds only contacts whose phone is equal when normalised.
    Phone(String),
    /// By e-mail, ignoring case.
    Email(String),
    /// By exact name, ignoring case and blanks.
    Name(String),
}

/// What became of a write that succeeded.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Effect {
    /// Record made or written.
    pub key: Option<RecordKey>,
    /// Id of what was added to it (note, task, call).
    pub part: Option<String>,
    /// `updated_at` that the CRM answered.
    pub updated_at: Option<Timestamp>,
}

/// A write that travels with others, and where its exchanges are noted: of a call that carries many, each gets its
/// own part.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The write.
    pub write: Write,
    /// Its account.
    pub trace: Trace,
}

impl From<Write> for Outgoing {
    fn from(write: Write) -> Self {
        Self {
            write,
            trace: Trace::default(),
        }
    }
}

/// What a look after an uncertain write found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// The write was applied.
    Applied(Effect),
    /// It was not: it may be sent again.
    NotApplied,
    /// It cannot be told (yet): the CRM's search lags, or several candidates fit.
    Undecided {
        /// Why, in Russian.
        reason: String,
    },
}

/// State of our webhook subscription in the CRM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// Ours is there and complete.
    pub installed: bool,
    /// Ours is there but switched off by the CRM.
    pub disabled: bool,
    /// Addresses of others, for showing.
    pub foreign: Vec<String>,
}

/// A page of changes for reconciliation.
#[derive(Clone, PartialEq, Debug)]
pub struct Changes {
    /// Facts in ascending order of time.
    pub facts: Vec<Fact>,
    /// Where to go on; `None` when everything up to now was read.
    pub next: Option<String>,
}

/// A page of records that sit in some stages.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing {
    /// Deals or leads, each as far as the list tells.
    pub records: Vec<Record>,
    /// Where to go on; `None` when everything was read.
    pub next: Option<String>,
}

/// One connection to one account, authorised. Every method may wait for the account's request budget.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Which CRM.
    fn kind(&self) -> ConnectorKind;

    /// Cheapest call that proves the credential, with what it tells.
    async fn check(&self) -> Result<AccountCard, ConnectorError>;

    /// Everything the editor needs, all pages.
    async fn catalogue(&self) -> Result<Catalogue, ConnectorError>;

    /// A record; with `related`, also its contact and company (deal) or contact (lead).
    /// `Ok(None)` when it is not there.
    async fn read(&self, key: &RecordKey, related: bool) -> Result<Option<Snapshot>, ConnectorError>;

    /// How many writes may travel in one call; 1 where the CRM takes no arrays.
    fn batch(&self) -> usize {
        1
    }

    /// Reads several records as [`Connector::read`] does, with as few calls as the CRM allows; one result for each,
    /// in order. The default reads them one by one.
    async fn read_all(
        &self,
        keys: &[RecordKey],
        related: bool,
    ) -> Vec<Result<Option<Snapshot>, ConnectorError>> {
        let mut results = Vec::with_capacity(keys.len());
        for key in keys {
            results.push(self.read(key, related).await);
        }
        results
    }

    /// Contacts that match; oldest first.
    async fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError>;

    /// Deals or leads of a contact; newest first. Each has at least `Stage`, `CreatedAt` and `Name`.
    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError>;

    /// Carries out one write.
    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError>;

    /// Carries out several writes with as few calls as the CRM allows; one result for each, in order.
    /// The default sends them one by one.
    async fn write_all(&self, outgoing: &[Outgoing]) -> Vec<Result<Effect, ConnectorError>> {
        let mut results = Vec::with_capacity(outgoing.len());
        for one in outgoing {
            results.push(traced(one.trace.clone(), self.write(&one.write)).await);
        }
        results
    }

    /// Finds out whether a write of unknown outcome, sent at or after `since`, was applied.
    async fn look(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError>;

    /// State of the webhook subscription to `url`.
    async fn subscription(&self, url: &str) -> Result<Subscription, ConnectorError>;

    /// Subscribes `url` to everything the hub understands, without touching foreign entries.
    async fn subscribe(&self, url: &str) -> Result<(), ConnectorError>;

    /// Takes our subscription away, without touching foreign entries.
    async fn unsubscribe(&self, url: &str) -> Result<(), ConnectorError>;

    /// What changed since a moment, page by page: `cursor` is what the page before gave as `next`.
    async fn changes(&self, since: Timestamp, cursor: Option<&str>) -> Result<Changes, ConnectorError>;

    /// Deals or leads that sit in any of the stages now, page by page: `cursor` is what the page before gave as `next`.
    /// A record that moves meanwhile may be told twice or not at all.
    async fn sitting(&self, stages: &[Stage], cursor: Option<&str>) -> Result<Listing, ConnectorError>;

    /// Calls of a lead (LPTracker), as call records.
    async fn calls(&self, lead: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let _unused = lead;
        Err(ConnectorError::Unsupported {
            what: "список звонков",
        })
    }

    /// Sends nothing for so long: another process may have used the account's budget a moment ago.
    async fn rest(&self, length: Duration);

    /// Address of a record's card for people.
    fn card_url(&self, key: &RecordKey) -> Option<String>;
}
