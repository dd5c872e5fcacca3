//! The port: what the engine asks of any CRM.
//!
//! **Invariant.** No CRM is named here, and no signature shows the HTTP library: [`http`] speaks in our own
//! [`http::Request`] and [`http::Response`].
//!
//! [`connector::Connector`] is what the engine calls, [`intake::Intake`] reads inbound bodies,
//! [`error::ConnectorError`] says what to do after a failure, [`throttle::Throttle`] keeps the request budget
//! and [`credential`] how tokens are kept and renewed.

#[cfg(feature = "testing")]
pub mod conformance;
pub mod connector;
pub mod credential;
pub mod error;
pub mod http;
pub mod intake;
#[cfg(feature = "testing")]
pub mod scripted;
pub mod throttle;

pub use connector::{
    AccountCard, Changes, Connector, ContactQuery, Effect, Listing, Look, Outgoing, Snapshot, Subscription,
};
pub use error::{ConnectorError, Verdict};
pub use intake::{Intake, IntakeContext, IntakeError};
