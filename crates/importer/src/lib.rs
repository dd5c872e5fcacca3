//! Sheets to typed rows and row errors.
