//! Files of many programs, and files that mean harm.
#![allow(clippy::unwrap_used)] // The lint knows tests, not what they call.

mod corpus;
mod quirks;
