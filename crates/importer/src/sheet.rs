//! Rows of a sheet, one by one.

use crate::cell::Cell;
use crate::error::ImportError;
use crate::format::{Format, Limits};
use calamine::{CellErrorType, Data, DataRef, ExcelDateTime, Ods, Reader, Xls, Xlsx, open_workbook};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

/// A row with something in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its number as Excel shows it, from 1.
    pub number: u64,
    /// Its cells from the first column on.
    pub cells: Vec<Cell>,
}

/// What takes rows; it may end the reading.
type Taker<'a> = dyn FnMut(Row) -> ControlFlow<()> + 'a;

/// Reads the rows of a sheet in order; rows without anything are left out.
pub fn read(
    path: &Path,
    format: Format,
    sheet: &str,
    limits: Limits,
    take: &mut Taker<'_>,
) -> Result<(), ImportError> {
    match format {
        Format::Xlsx => xlsx(path, sheet, limits, take),
        Format::Xls => {
            let mut book: Xls<_> = open_workbook(path).map_err(damaged)?;
            whole(&mut book, sheet, limits, take)
        }
        Format::Ods => {
            let mut book: Ods<_> = open_workbook(path).map_err(damaged)?;
            whole(&mut book, sheet, limits, take)
        }
        Format::Csv { is_cp1251, delimiter } => csv(path, is_cp1251, delimiter, limits, take),
    }
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> ImportError {
    ImportError::Damaged(Box::new(error))
}

fn xlsx(path: &Path, sheet: &str, limits: Limits, take: &mut Taker<'_>) -> Result<(), ImportError> {
    let mut book: Xlsx<BufReader<File>> = open_workbook(path).map_err(damaged)?;
    let mut reader = match book.worksheet_cells_reader(sheet) {
        Ok(reader) => reader,
        Err(calamine::XlsxError::WorksheetNotFound(_)) => return Err(ImportError::NoSheet(sheet.to_owned())),
        Err(error) => return Err(damaged(error)),
    };
    let mut gather = Gather::new(limits);
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let value = of_ref(cell.get_value());
        if value.is_empty() {
            continue;
        }
        if gather
            .put(u64::from(row) + 1, column as usize, value, take)?
            .is_break()
        {
            return Ok(());
        }
    }
    gather.flush(take)
}

fn whole<R>(book: &mut R, sheet: &str, limits: Limits, take: &mut Taker<'_>) -> Result<(), ImportError>
where
    R: Reader<BufReader<File>>,
    R::Error: std::error::Error + Send + Sync + 'static,
{
    if !book.sheet_names().iter().any(|name| name == sheet) {
        return Err(ImportError::NoSheet(sheet.to_owned()));
    }
    let range = book.worksheet_range(sheet).map_err(damaged)?;
    let (top, left) = range.start().unwrap_or_default();
    let mut gather = Gather::new(limits);
    for (row, column, value) in range.used_cells() {
        let value = of_data(value);
        if value.is_empty() {
            continue;
        }
        let number = u64::from(top) + row as u64 + 1;
        if gather
            .put(number, left as usize + column, value, take)?
            .is_break()
        {
            return Ok(());
        }
    }
    gather.flush(take)
}

/// Puts cells together to rows.
struct Gather {
    limits: Limits,
    n_rows: u64,
    row: Option<Row>,
}

impl Gather {
    const fn new(limits: Limits) -> Self {
        Self {
            limits,
            n_rows: 0,
            row: None,
        }
    }

    fn put(
        &mut self,
        number: u64,
        column: usize,
        value: Cell,
        take: &mut Taker<'_>,
    ) -> Result<ControlFlow<()>, ImportError> {
        if column >= self.limits.columns {
            return Err(ImportError::TooManyColumns {
                limit: self.limits.columns,
            });
        }
        if self.row.as_ref().is_none_or(|row| row.number != number) {
            self.n_rows += 1;
            if self.n_rows > self.limits.rows {
                return Err(ImportError::TooManyRows {
                    limit: self.limits.rows,
                });
            }
            let done = self.row.replace(Row {
                number,
                cells: Vec::with_capacity(16),
            });
            if let Some(done) = done
                && take(done).is_break()
            {
                self.row = None;
                return Ok(ControlFlow::Break(()));
            }
        }
        if let Some(row) = &mut self.row {
            if row.cells.len() <= column {
                row.cells.resize(column + 1, Cell::Empty);
            }
            row.cells[column] = value;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn flush(self, take: &mut Taker<'_>) -> Result<(), ImportError> {
        if let Some(row) = self.row {
            let _nothing_follows = take(row);
        }
        Ok(())
    }
}

fn csv(
    path: &Path,
    is_cp1251: bool,
    delimiter: char,
    limits: Limits,
    take: &mut Taker<'_>,
) -> Result<(), ImportError> {
    let mut input = BufReader::with_capacity(256 * 1024, File::open(path)?);
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let mut first_line = 1;
    if input.fill_buf()?.starts_with(b"sep=") {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        first_line = 2;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(delimiter).unwrap_or(b';'))
        .from_reader(input);
    let mut record = csv::ByteRecord::new();
    let (mut n_rows, mut number) = (0, first_line - 1);
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        number += 1;
        let mut cells: Vec<Cell> = record.iter().map(|field| of_bytes(field, is_cp1251)).collect();
        while cells.last().is_some_and(Cell::is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            continue;
        }
        if cells.len() > limits.columns {
            return Err(ImportError::TooManyColumns {
                limit: limits.columns,
            });
        }
        n_rows += 1;
        if n_rows > limits.rows {
            return Err(ImportError::TooManyRows { limit: limits.rows });
        }
        if take(Row { number, cells }).is_break() {
            break;
        }
    }
    Ok(())
}

fn of_bytes(field: &[u8], is_cp1251: bool) -> Cell {
    if is_cp1251 {
        Cell::text(&encoding_rs::WINDOWS_1251.decode_without_bom_handling(field).0)
    } else {
        Cell::text(&String::from_utf8_lossy(field))
    }
}

fn of_ref(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(text),
        DataRef::Bool(flag) => Cell::Flag(*flag),
        DataRef::DateTime(at) => moment(at),
        DataRef::DateTimeIso(text) => iso(text),
        DataRef::DurationIso(text) => duration(text),
        DataRef::Error(error) => Cell::Error(error_name(error)),
        DataRef::Empty => Cell::Empty,
    }
}

fn of_data(value: &Data) -> Cell {
    match value {
        Data::Int(number) => Cell::Number(*number as f64),
        Data::Float(number) => Cell::Number(*number),
        Data::String(text) => Cell::text(text),
        Data::Bool(flag) => Cell::Flag(*flag),
        Data::DateTime(at) => moment(at),
        Data::DateTimeIso(text) => iso(text),
        Data::DurationIso(text) => duration(text),
        Data::Error(error) => Cell::Error(error_name(error)),
        Data::Empty => Cell::Empty,
    }
}

fn moment(at: &ExcelDateTime) -> Cell {
    // A time of day without a date is how people write the length of a call.
    if at.is_duration() || (0.0..1.0).contains(&at.as_f64()) {
        return Cell::Duration((at.as_f64() * 86_400.0).round() as i64);
    }
    let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
    let date = chrono::NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
    let moment = date.and_then(|date| date.and_hms_opt(hour.into(), minute.into(), second.into()));
    match moment {
        // Halves of a second are noise of the day number.
        Some(at) if milli >= 500 => Cell::Moment(at + chrono::TimeDelta::seconds(1)),
        Some(at) => Cell::Moment(at),
        None => Cell::Number(at.as_f64()),
    }
}

fn iso(text: &str) -> Cell {
    let text = text.trim_end_matches('Z');
    let day = || {
        chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    let exact = || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
    match exact().or_else(day) {
        Some(at) => Cell::Moment(at),
        None => Cell::text(text),
    }
}

/// `PT00H02M08S` of LibreOffice.
fn duration(text: &str) -> Cell {
    let Some(rest) = text.strip_prefix("PT") else {
        return Cell::text(text);
    };
    let (mut secs, mut number) = (0.0, String::new());
    for c in rest.chars() {
        let factor = match c {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => {
                number.push(c);
                continue;
            }
        };
        secs += factor * number.parse::<f64>().unwrap_or_default();
        number.clear();
    }
    Cell::Duration(secs.round() as i64)
}

const fn error_name(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#ДЕЛ/0!",
        CellErrorType::NA => "#Н/Д",
        CellErrorType::Name => "#ИМЯ?",
        CellErrorType::Null => "#ПУСТО!",
        CellErrorType::Num => "#ЧИСЛО!",
        CellErrorType::Ref => "#ССЫЛКА!",
        CellErrorType::Value => "#ЗНАЧ!",
        CellErrorType::GettingData => "#ДАННЫЕ",
    }
}
