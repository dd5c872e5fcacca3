//! The only crate that knows tables and queries.
