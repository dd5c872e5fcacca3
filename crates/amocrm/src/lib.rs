//! A typed client of amoCRM's API v4, its [`AmocrmConnector`] and its webhook reader [`AmocrmIntake`].
//!
//! **Invariant.** What amoCRM sends is read tolerantly (unknown keys are passed over, ids may be numbers or
//! texts, a missing list may be `null`, `[]` or absent); what we send is typed. Sources and evidence of every
//! fact are in the contract of the API that this crate is written after.
//!
//! Reading order: [`settings`] says which account, [`auth`] how requests are authorised, [`client`] how one
//! call is made, [`wire`] what travels, [`convert`] what it means, [`connector`] what the engine calls;
//! [`intake`] reads webhooks and needs none of the rest.

pub mod auth;
pub mod client;
pub mod connector;
pub mod convert;
pub mod error;
pub mod intake;
pub mod phone;
pub mod settings;
pub mod wire;

pub use auth::{ConsentMode, consent_url, exchange_code};
pub use connector::AmocrmConnector;
pub use intake::AmocrmIntake;
pub use settings::{AmocrmSettings, OauthApp, account_host};

/// The throttle of one integration in one account: 7 requests in a second, and a little for clocks that differ.
pub fn default_throttle() -> ::connector::throttle::Throttle {
    ::connector::throttle::Throttle::new(7, std::time::Duration::from_millis(1_020))
}
