//! What travels between amoCRM and us, as typed as amoCRM allows.

pub mod account;
pub mod body;
pub mod entity;
pub mod event;
pub mod id;
pub mod note;
pub mod page;
pub mod token;
pub mod tolerant;
