//! Connections and what they offer.

use domain::catalogue::Catalogue;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::id::{ConnectionId, RuleId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A connection with its status card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connection {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: ConnectionId,
    /// Which CRM: `amocrm` or `lptracker`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "amocrm"))]
    pub kind: ConnectorKind,
    /// Name in the workspace.
    pub name: String,
    /// `active`, `new`, `needs_reauth`, `blocked` or `stopped`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "active"))]
    pub state: ConnectionState,
    /// Why it is not active and what to do, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// What it is connected to, without secrets.
    pub settings: ConnectionSettings,
    /// What the last successful check told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// State of the webhook subscription, as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Subscription>,
    /// Figures of the status card.
    pub status: ConnectionStatus,
    /// How far the reading of what webhooks did not tell has come. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
    /// That a person has to renew the access soon. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
}

/// What a connection is connected to. Secrets never leave the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectionSettings {
    /// amoCRM.
    Amocrm {
        /// Address of the account: `https://example.amocrm.ru`.
        base_url: String,
        /// How it is authorised: `token` or `oauth`.
        auth: AmocrmAuthMethod,
        /// Id of the OAuth integration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    /// LPTracker.
    Lptracker {
        /// Address of its API; absent for the usual one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base_url: Option<String>,
        /// Login.
        login: String,
        /// Project it is bound to.
        project_id: i64,
    },
}

/// Ways to be authorised at amoCRM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AmocrmAuthMethod {
    /// A long-lived token.
    Token,
    /// OAuth with rotating tokens.
    Oauth,
}

/// The account as the CRM described it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Its id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Its name; the project's for LPTracker.
    pub name: String,
    /// Address for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// IANA zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When the credential stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub expires_at: Option<Timestamp>,
    /// What works only in part, in Russian.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Our webhook subscription in the CRM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subscription {
    /// It is there and complete.
    pub installed: bool,
    /// It is there but the CRM switched it off.
    pub disabled: bool,
    /// Addresses of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<String>,
    /// When this was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub seen_at: Option<Timestamp>,
}

/// Figures of a connection's status card.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionStatus {
    /// When a call last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub last_success_at: Option<Timestamp>,
    /// When a call last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub last_failure_at: Option<Timestamp>,
    /// Why, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// When an event last arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub last_event_at: Option<Timestamp>,
    /// When the catalogue was last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub catalogue_at: Option<Timestamp>,
    /// Deliveries that wait for this connection.
    pub n_waiting: u64,
    /// Dead deliveries of this connection.
    pub n_dead: u64,
}

/// The reading of what changed in the CRM, which makes good what its webhooks did not tell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// Everything that changed up to here is known; absent before the first reading ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub reconciled_at: Option<Timestamp>,
    /// It is being read now.
    pub is_under_way: bool,
    /// When it goes on or begins anew; absent before it was ever planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub due_at: Option<Timestamp>,
    /// When a reading last found something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub found_at: Option<Timestamp>,
    /// How many events it found then.
    pub n_last_found: u32,
    /// Why it does not get on, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// An access that only a person can renew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expiry {
    /// When it stops working.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub at: Timestamp,
    /// Whole days left.
    pub days_left: u32,
    /// How urgent: 14, 7 or 1 days are not left any more.
    pub within_days: u8,
}

/// A connection to be made. The credential is tried before it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CreateConnection {
    /// amoCRM.
    Amocrm {
        /// Name in the workspace; the account's name when empty.
        #[serde(default)]
        name: String,
        /// Domain (`example.amocrm.ru`) or address of the account.
        domain: String,
        /// How to be authorised.
        auth: AmocrmAuth,
    },
    /// LPTracker.
    Lptracker {
        /// Name in the workspace; the project's name when empty.
        #[serde(default)]
        name: String,
        /// Login.
        login: String,
        /// Password.
        #[cfg_attr(feature = "openapi", schema(format = Password))]
        password: String,
        /// Project to be bound to.
        project_id: i64,
        /// Address of the API, for installations that go through a relay; the usual one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base_url: Option<String>,
    },
}

/// How to be authorised at amoCRM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum AmocrmAuth {
    /// A long-lived token of a private integration.
    Token {
        /// The token.
        #[cfg_attr(feature = "openapi", schema(format = Password))]
        token: String,
    },
    /// OAuth: after creation open `authorize_connection`'s address in the browser.
    Oauth {
        /// Id of the integration.
        client_id: String,
        /// Its secret.
        #[cfg_attr(feature = "openapi", schema(format = Password))]
        client_secret: String,
    },
}

/// Changes of a connection; what is absent stays.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateConnection {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New way to be authorised at amoCRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amocrm_auth: Option<AmocrmAuth>,
    /// New login at LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lptracker_login: Option<String>,
    /// New password at LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub lptracker_password: Option<String>,
    /// New project at LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lptracker_project_id: Option<i64>,
}

crate::session::no_secrets_in_debug!(CreateConnection, AmocrmAuth, UpdateConnection);

/// Where to send the browser so that a person allows access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizeUrl {
    /// Address at amoCRM; usable once, for ten minutes.
    pub url: String,
}

/// What a connection offers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueView {
    /// The connection.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// Pipelines, fields, users, tags, task types, loss reasons.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub catalogue: Catalogue,
}

/// What one refresh of a catalogue changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueChange {
    /// When it was noticed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub at: Timestamp,
    /// Changes, in Russian, one line each: «Поле «Город» удалено».
    pub lines: Vec<String>,
    /// Rules that refer to something gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<uuid::Uuid>))]
    pub rules: Vec<RuleId>,
}

/// What a refresh found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshedCatalogue {
    /// What the connection offers now.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub catalogue: Catalogue,
    /// What changed since the refresh before, in Russian; empty when nothing did.
    pub changes: Vec<String>,
}
