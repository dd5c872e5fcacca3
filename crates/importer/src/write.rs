//! Files of rows: what failed, what was filtered. Nothing in them can become a formula.

use crate::error::ImportError;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes a workbook of one sheet row by row; finished rows are not kept in memory.
pub struct SheetWriter {
    book: Workbook,
    n_rows: u32,
}

fn failed(error: XlsxError) -> ImportError {
    match error {
        XlsxError::IoError(error) => ImportError::Io(error),
        other => ImportError::Io(std::io::Error::other(other)),
    }
}

impl SheetWriter {
    /// Begins a sheet with its header.
    pub fn new(name: &str, header: &[String]) -> Result<Self, ImportError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory();
        let name: String = name
            .chars()
            .filter(|c| !"[]:*?/\\'".contains(*c))
            .take(31)
            .collect();
        sheet
            .set_name(if name.is_empty() { "Лист1" } else { &name })
            .map_err(failed)?;
        let bold = Format::new().set_bold();
        for (column, name) in (0u16..).zip(header) {
            sheet.set_column_width(column, 22).map_err(failed)?;
            sheet
                .write_string_with_format(0, column, cut(name), &bold)
                .map_err(failed)?;
        }
        Ok(Self { book, n_rows: 1 })
    }

    /// Adds a row. Everything is written as text: a text is never a formula.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> Result<(), ImportError> {
        let row = self.n_rows;
        let sheet: &mut Worksheet = self.book.worksheet_from_index(0).map_err(failed)?;
        for (column, text) in (0u16..).zip(cells) {
            let text = text.as_ref();
            if !text.is_empty() {
                sheet.write_string(row, column, cut(text)).map_err(failed)?;
            }
        }
        self.n_rows += 1;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(mut self, path: &Path) -> Result<(), ImportError> {
        let file = BufWriter::new(File::create(path)?);
        self.book.save_to_writer(file).map_err(failed)
    }
}

/// Excel takes at most 32,767 characters in a cell.
fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(32_000)
        .map_or(text, |(at, _)| &text[..at])
}

/// A cell of a CSV that no spreadsheet takes for a formula (ASVS 1.2.10): an apostrophe stands before what could
/// be one. Phones and numbers stay as they are.
pub fn csv_cell(text: &str) -> std::borrow::Cow<'_, str> {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let harmless = text.strip_prefix(['+', '-']).is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || " ().,".contains(c))
    });
    if risky && !harmless {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// A line of a CSV: semicolons, quotes where needed, `\r\n`.
pub fn csv_line<T: AsRef<str>>(cells: &[T]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let cells = cells.iter().map(|cell| csv_cell(cell.as_ref()).into_owned());
    match writer.write_record(cells) {
        Ok(()) => writer.into_inner().unwrap_or_default(),
        // A vector takes everything.
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_csv_becomes_a_formula() {
        for (text, expect) in [
            ("=1+1", "'=1+1"),
            ("+7 (999) 123", "+7 (999) 123"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("-5,5", "-5,5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("обычный", "обычный"),
        ] {
            assert_eq!(csv_cell(text), expect, "{text}");
        }
        assert_eq!(csv_line(&["a;b", "=x"]), "\"a;b\";'=x\r\n".as_bytes());
    }
}
