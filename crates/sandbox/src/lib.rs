//! Fake amoCRM and fake LPTracker with faults, a journal and a clock of their own.
//!
//! Start one in a test with [`Sandbox::start`], or the program `sandbox` for a person. Both are written from the
//! vendors' documentation and depend on none of the project's crates: a fake made from the client's own types
//! would repeat the client's misunderstandings.
//!
//! Reading order: [`clock`], [`journal`], [`fault`], [`emitter`], [`world`], [`server`], then a fake.

pub mod amocrm;
pub mod clock;
pub mod control;
pub mod emitter;
pub mod fault;
pub mod journal;
pub mod lptracker;
pub mod server;
pub mod world;

pub use amocrm::ids::*;
pub use clock::Clock;
pub use emitter::{Emitter, Modes, Retry, Webhook};
pub use fault::{Fault, FaultKind, Faults};
pub use journal::{Entry, EntryKind, Journal, Side};
pub use server::{Options, Sandbox, StartError};
pub use world::World;
