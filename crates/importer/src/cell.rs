//! A cell, and the one text that it has for people.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// What stands in a cell.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text, without outer blanks.
    Text(String),
    /// A number.
    Number(f64),
    /// A date with time by the file's own calendar, without a zone.
    Moment(NaiveDateTime),
    /// A length of time in seconds.
    Duration(i64),
    /// Yes or no.
    Flag(bool),
    /// A formula that did not come out, by the name Excel shows.
    Error(&'static str),
}

/// Excel counts days from here.
const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(1899, 12, 30);
/// Day numbers that are taken for dates: 1927-05-18 to 2119-01-14.
const SERIALS: std::ops::Range<f64> = 10_000.0..80_000.0;

impl Cell {
    /// A text cell; blank ones are empty. The apostrophe with which Excel marks texts is taken off.
    pub fn text(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
        let text = match text.strip_prefix('\'') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || "+-=@(".contains(c)) => rest,
            _ => text,
        };
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text.to_owned())
        }
    }

    /// Holds nothing.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The text that people see and that is kept: no scientific form, no needless fraction, dates as they are
    /// written in Russian.
    pub fn show(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => show_number(*number),
            Self::Moment(at) if at.time() == NaiveTime::MIN => at.format("%d.%m.%Y").to_string(),
            Self::Moment(at) if at.second() == 0 => at.format("%d.%m.%Y %H:%M").to_string(),
            Self::Moment(at) => at.format("%d.%m.%Y %H:%M:%S").to_string(),
            Self::Duration(secs) => show_duration(*secs),
            Self::Flag(true) => "да".to_owned(),
            Self::Flag(false) => "нет".to_owned(),
            Self::Error(name) => (*name).to_owned(),
        }
    }
}

fn show_number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e18 {
        return format!("{number:.0}");
    }
    // What people typed has at most fifteen digits; the rest is binary noise.
    let text = format!("{number:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn show_duration(secs: i64) -> String {
    let (sign, secs) = (if secs < 0 { "-" } else { "" }, secs.unsigned_abs());
    format!("{sign}{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// The moment that a day number of Excel means, where it is a plausible one.
pub fn moment_of_serial(serial: f64) -> Option<NaiveDateTime> {
    if !SERIALS.contains(&serial) {
        return None;
    }
    let secs = (serial * 86_400.0).round() as i64;
    EPOCH?
        .and_time(NaiveTime::MIN)
        .checked_add_signed(chrono::TimeDelta::seconds(secs))
}

/// A number in scientific form as Excel leaves it in CSV (`7,9991E+10`), written out, with how many of its digits
/// were given.
pub fn expand_scientific(text: &str) -> Option<(String, usize)> {
    let upper = text.trim().replace(',', ".").to_ascii_uppercase();
    let (mantissa, exponent) = upper.split_once('E')?;
    let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !is_digits(whole)
        || !is_digits(fraction)
        || exponent > 30
        || fraction.len() > exponent
    {
        return None;
    }
    let mut digits = format!("{whole}{fraction}");
    let n_given = digits.len();
    digits.push_str(&"0".repeat(exponent - fraction.len()));
    Some((digits, n_given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        for (number, text) in [
            (79_991_234_567.0, "79991234567"),
            (7.9991e10, "79991000000"),
            (0.1 + 0.2, "0.3"),
            (-5.0, "-5"),
            (1234.56, "1234.56"),
        ] {
            assert_eq!(Cell::Number(number).show(), text);
        }
    }

    #[test]
    fn apostrophes_of_excel_are_taken_off() {
        assert_eq!(
            Cell::text(" '+79991234567 "),
            Cell::Text("+79991234567".to_owned())
        );
        assert_eq!(Cell::text("'цитата'"), Cell::Text("'цитата'".to_owned()));
        assert_eq!(Cell::text(" \u{a0} "), Cell::Empty);
    }

    #[test]
    fn scientific_numbers_are_written_out_with_what_is_known() {
        assert_eq!(
            expand_scientific("7,9991E+10"),
            Some(("79991000000".to_owned(), 5))
        );
        assert_eq!(
            expand_scientific("7.9991234567e+10"),
            Some(("79991234567".to_owned(), 11))
        );
        for text in ["E5", "7.5E-3", "1E99", "abc", "7,99912E+3"] {
            assert_eq!(expand_scientific(text), None, "{text}");
        }
    }

    #[test]
    fn day_numbers_are_dates() {
        let at = moment_of_serial(45_986.5).expect("a date");
        assert_eq!(Cell::Moment(at).show(), "25.11.2025 12:00");
        assert_eq!(moment_of_serial(79_991_234_567.0), None);
    }
}
