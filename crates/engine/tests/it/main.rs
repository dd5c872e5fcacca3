//! The engine over real databases and scripted CRMs, stepped by hand.

// A test that panics has failed: just what is wanted.
#![allow(clippy::unwrap_used)]

mod breaker;
mod coalescing;
mod dispatch;
mod echoes;
mod failpoints;
mod files;
mod flow;
mod house;
mod intake;
mod loops;
mod once;
mod reconcile;
mod replays;
mod retention;
mod stops;
mod sweeps;
mod trouble;
