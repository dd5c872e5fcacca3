//! LPTracker: a typed client of its Direct API, its [`LptrackerConnector`] and its [`LptrackerIntake`].
//!
//! **Invariant.** Everything learnt about LPTracker's wire format stays here. The service answers errors under
//! HTTP 200, spells ids as numbers or texts, and names the same things differently in REST and webhooks; the
//! readers in [`wire`] accept every spelling that was seen, and lose one odd value rather than a whole answer.
//! Only reads are repeated automatically; a write that was sent is never sent again by this crate.
//!
//! Reading order: [`wire`] is what the service says, [`convert`] turns it into neutral records and back,
//! [`client`] sends with `auth` and the rules of [`envelope`], [`connector`] offers it all to the engine,
//! [`intake`] reads webhooks.

mod auth;
pub mod client;
pub mod connector;
pub mod convert;
pub mod envelope;
pub mod intake;
pub mod phone;
pub mod settings;
pub mod time;
pub mod wire;

pub use crate::connector::LptrackerConnector;
pub use crate::intake::LptrackerIntake;
pub use crate::settings::LptrackerSettings;
