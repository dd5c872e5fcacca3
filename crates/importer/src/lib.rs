//! Sheets to typed rows and row errors: what a file is, which sheets it has, its header, its rows as cells, what
//! a column probably means, and the values in it.
//!
//! Reading order: [`mod@format`] decides by content what a file is and refuses what cannot be read; [`sheet`] gives
//! its rows one by one without keeping them; [`header`] finds the row of names and guesses meanings; [`value`]
//! makes values of cells; [`mod@write`] makes files of rows.
//!
//! **Invariant.** Any bytes give rows or a refusal that a manager understands, never a panic. Nothing is kept in
//! memory but the present row, the shared texts of a workbook and, for the two old formats, one sheet.

pub mod cell;
pub mod error;
pub mod format;
pub mod header;
pub mod sheet;
pub mod value;
pub mod write;

pub use cell::Cell;
pub use error::ImportError;
pub use format::{Format, Inspection, Limits, SheetInfo, inspect};
pub use header::{Header, Meaning};
pub use sheet::{Row, read};
