//! The language of the product: rules, events, evaluation, ids and states.
//!
//! **Invariant.** Nothing here does IO, is async, reads a clock or draws random numbers; nothing here knows
//! SQL, HTTP or the wire format of a CRM. The crate builds for `wasm32-unknown-unknown`, and the server and
//! the browser evaluate rules with this very code.
//!
//! Reading order: [`value`] and [`field`] say what records hold, [`record`] what records are, [`event`] what
//! happens to them; [`rule`], [`condition`], [`action`] and [`mapping`] are the document a manager writes;
//! [`compile`] checks it, [`cycles`] tells whether rules wake one another for ever, [`index`] finds the rules
//! an event concerns, [`evaluate`] applies them;
//! [`command`] is what comes out, [`delivery`] how it travels. [`types`] is the table of operators and
//! conversions that editor and compiler share, [`catalogues`] what accounts offer, [`template`], [`text`],
//! [`phone`] and [`calendar`] are the tools, [`words`] says it all in Russian, [`case`] keeps what a rule must do, [`portable`] lets it travel, [`diff`] what changes between two states of a rule.

pub mod action;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod catalogues;
mod check;
pub mod command;
pub mod compile;
pub mod condition;
pub mod connection;
pub mod cycles;
pub mod delivery;
pub mod diff;
pub mod evaluate;
pub mod event;
pub mod field;
pub mod id;
pub mod index;
mod labels;
pub mod mapping;
pub mod phone;
mod plan;
pub mod portable;
pub mod record;
pub mod rule;
pub mod run;
pub mod template;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time;
pub mod types;
pub mod value;
pub mod words;
