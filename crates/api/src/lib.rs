//! Request and response shapes of the HTTP API, shared by the server and the browser.
//!
//! Moments are Unix milliseconds in UTC ([`domain::time::Timestamp`]), ids are UUIDs, words of a closed set are
//! snake case. The rule document travels as [`domain::rule::Rule`] itself, and so do the explanation of a run
//! and the command of a delivery: both sides run the same code over them (ADR 0003).
//!
//! Schemas of the OpenAPI document stand behind the feature `openapi`, so that the browser does not carry them.
#![warn(missing_docs)]

pub mod account;
pub mod api_key;
pub mod audit;
pub mod call;
pub mod chronicle;
pub mod connection;
pub mod delivery;
pub mod event;
pub mod import;
pub mod link;
pub mod page;
pub mod panel;
pub mod problem;
pub mod retention;
pub mod rule;
pub mod rule_case;
pub mod run;
pub mod session;
pub mod stop;
pub mod sweep;
pub mod travel;
pub mod trial;
pub mod workspace;

pub use page::{Order, Page};
pub use problem::{FieldProblem, Problem, ProblemType};
