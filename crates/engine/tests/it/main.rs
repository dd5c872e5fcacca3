//! The engine over real databases and scripted CRMs, stepped by hand.

mod echoes;
mod flow;
mod house;
mod once;
