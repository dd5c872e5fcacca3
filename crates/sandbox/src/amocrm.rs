//! The fake amoCRM: API v4, OAuth and webhooks, after the contract only.
//!
//! Reading order: [`model`], [`account`], `ops` (changes that leave traces), [`state`], `http` (routing), then
//! one file per resource. `wire` and `hooks` make the webhooks; `control` is what people do by hand.

pub mod account;
mod answer;
mod board;
mod call;
mod catalog;
mod consent;
mod control;
mod draft;
mod entities;
mod events;
mod fields;
mod history;
pub mod hooks;
mod http;
pub mod ids;
mod incoming;
mod manager;
pub mod model;
mod notes;
pub mod oauth;
mod ops;
mod query;
mod relations;
mod seed;
pub mod state;
mod structure;
mod tasks;
mod unsorted;
mod values;
mod wire;

use actix_web::web::{self, ServiceConfig};

pub use account::Account;
pub(crate) use control::configure as control;
pub use model::{Entity, Kind};
pub use state::{RefreshMode, Settings, State};

/// Whether a request asks for a change of CRM data.
pub fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.contains("/oauth2/") && path.contains("/api/")
}

/// Usual error body for a status.
pub(crate) fn problem_text(code: u16, retry_after: Option<u32>) -> String {
    let detail = match code {
        401 => "Неверный логин или пароль",
        402 => "Payment Required",
        429 => "Too many requests, try again later",
        500 => "Internal error",
        _ => "Request can not be processed",
    };
    let mut body = answer::problem(code, detail);
    if let Some(seconds) = retry_after {
        body["retry_after"] = serde_json::json!(seconds);
    }
    body.to_string()
}

/// Routes of the service.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.default_service(web::to(http::handle));
}
