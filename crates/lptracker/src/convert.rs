//! Between the service's things and neutral records.

pub mod fields;
pub mod records;
pub mod write;

pub use fields::{info, value};
pub use records::{call, contact, lead};
