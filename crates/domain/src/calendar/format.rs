//! Dates as text: `d.m.Y H:i:s` and its relatives.

use super::{instant, local};
use crate::time::{Timestamp, Zone};
use crate::value::{Day, Value};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use std::fmt::{self, Write};

/// One part of a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Day,
    DayShort,
    Month,
    MonthShort,
    MonthName,
    Year,
    YearShort,
    Hour,
    HourShort,
    Minute,
    Second,
    WeekdayName,
    Literal(char),
}

/// A parsed format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DateTimeFormat {
    tokens: Vec<Token>,
}

/// A format that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormatError {
    /// A letter that means nothing, with its place from 0.
    Letter(char, usize),
    /// Nothing in it.
    Empty,
    /// Longer than anybody needs.
    TooLong,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letter(c, at) => write!(
                f,
                "в формате даты неизвестная буква «{c}» (место {}); можно: d j m n F Y y H G i s l, буква после \\ остаётся как есть",
                at + 1
            ),
            Self::Empty => f.write_str("формат даты пуст; например: d.m.Y H:i"),
            Self::TooLong => f.write_str("формат даты длиннее 64 знаков"),
        }
    }
}

impl std::error::Error for FormatError {}

const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const WEEKDAYS: [&str; 7] = [
    "понедельник",
    "вторник",
    "среда",
    "четверг",
    "пятница",
    "суббота",
    "воскресенье",
];

impl DateTimeFormat {
    /// Reads a format. Letters: `d` `j` day, `m` `n` month, `F` month in words, `Y` `y` year, `H` `G` hour,
    /// `i` minute, `s` second, `l` day of the week; `\` keeps the next letter; other signs stand for
    /// themselves.
    pub fn new(format: &str) -> Result<Self, FormatError> {
        if format.trim().is_empty() {
            return Err(FormatError::Empty);
        }
        if format.chars().count() > 64 {
            return Err(FormatError::TooLong);
        }
        let mut tokens = Vec::new();
        let mut chars = format.chars().enumerate();
        while let Some((at, c)) = chars.next() {
            tokens.push(match c {
                'd' => Token::Day,
                'j' => Token::DayShort,
                'm' => Token::Month,
                'n' => Token::MonthShort,
                'F' => Token::MonthName,
                'Y' => Token::Year,
                'y' => Token::YearShort,
                'H' => Token::Hour,
                'G' => Token::HourShort,
                'i' => Token::Minute,
                's' => Token::Second,
                'l' => Token::WeekdayName,
                '\\' => Token::Literal(chars.next().map_or('\\', |(_, c)| c)),
                c if c.is_ascii_alphabetic() => return Err(FormatError::Letter(c, at)),
                c => Token::Literal(c),
            });
        }
        Ok(Self { tokens })
    }

    /// Shows hours or smaller, so what it reads is a moment and not only a day.
    pub fn has_time(&self) -> bool {
        self.tokens.iter().any(|token| {
            matches!(
                token,
                Token::Hour | Token::HourShort | Token::Minute | Token::Second
            )
        })
    }

    /// Prints a local date and time.
    pub fn print(&self, moment: NaiveDateTime) -> String {
        let mut out = String::new();
        for token in &self.tokens {
            // Writing to a string cannot fail.
            let _ = match token {
                Token::Day => write!(out, "{:02}", moment.day()),
                Token::DayShort => write!(out, "{}", moment.day()),
                Token::Month => write!(out, "{:02}", moment.month()),
                Token::MonthShort => write!(out, "{}", moment.month()),
                Token::MonthName => out.write_str(MONTHS[moment.month0() as usize % 12]),
                Token::Year => write!(out, "{:04}", moment.year()),
                Token::YearShort => write!(out, "{:02}", moment.year().rem_euclid(100)),
                Token::Hour => write!(out, "{:02}", moment.hour()),
                Token::HourShort => write!(out, "{}", moment.hour()),
                Token::Minute => write!(out, "{:02}", moment.minute()),
                Token::Second => write!(out, "{:02}", moment.second()),
                Token::WeekdayName => {
                    out.write_str(WEEKDAYS[moment.weekday().num_days_from_monday() as usize % 7])
                }
                Token::Literal(c) => out.write_char(*c),
            };
        }
        out
    }

    /// Prints an instant in a zone; `None` outside the years that dates can say.
    pub fn print_instant(&self, at: Timestamp, zone: &Zone) -> Option<String> {
        local(at, zone).map(|moment| self.print(moment))
    }

    /// Prints a day, midnight for its time; `None` for a day that does not exist.
    pub fn print_day(&self, day: Day) -> Option<String> {
        day.date().map(|date| self.print(date.and_time(NaiveTime::MIN)))
    }

    /// Reads a text written exactly in this format; the text must hold day, month and year.
    pub fn parse(&self, text: &str) -> Option<NaiveDateTime> {
        let mut rest = text.trim();
        let (mut year, mut month, mut day) = (None, None, None);
        let (mut hour, mut minute, mut second) = (0, 0, 0);
        for token in &self.tokens {
            match token {
                Token::Day | Token::DayShort => day = Some(number(&mut rest, 1, 2)?),
                Token::Month | Token::MonthShort => month = Some(number(&mut rest, 1, 2)?),
                Token::MonthName => {
                    let at = MONTHS.iter().position(|name| word(&mut rest, name))?;
                    month = Some(u32::try_from(at).ok()? + 1);
                }
                Token::Year => year = Some(number(&mut rest, 4, 4)?),
                Token::YearShort => year = Some(short_year(number(&mut rest, 2, 2)?)),
                Token::Hour | Token::HourShort => hour = number(&mut rest, 1, 2)?,
                Token::Minute => minute = number(&mut rest, 1, 2)?,
                Token::Second => second = number(&mut rest, 1, 2)?,
                Token::WeekdayName => {
                    WEEKDAYS.iter().position(|name| word(&mut rest, name))?;
                }
                Token::Literal(c) if c.is_whitespace() => rest = rest.trim_start(),
                Token::Literal(c) => rest = rest.strip_prefix(*c)?,
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
        Some(date.and_time(NaiveTime::from_hms_opt(hour, minute, second)?))
    }

    /// Reads a text in this format as a moment, or as a day when the format has no time.
    pub fn parse_value(&self, text: &str, zone: &Zone) -> Option<Value> {
        let moment = self.parse(text)?;
        Some(if self.has_time() {
            Value::Instant(instant(moment, zone))
        } else {
            Value::Day(moment.date().into())
        })
    }
}

/// Two digits of a year: up to 49 this century, else the last.
fn short_year(year: u32) -> u32 {
    if year < 50 { 2000 + year } else { 1900 + year }
}

/// Takes a number of `min` to `max` digits off the front.
fn number(rest: &mut &str, min: usize, max: usize) -> Option<u32> {
    let n = rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if n < min {
        return None;
    }
    let (digits, tail) = rest.split_at(n);
    *rest = tail;
    digits.parse().ok()
}

/// Takes a word off the front whatever its case.
fn word(rest: &mut &str, name: &str) -> bool {
    let mut chars = rest.chars();
    for expect in name.chars() {
        match chars.next() {
            Some(c) if c.to_lowercase().eq([expect]) => {}
            _ => return false,
        }
    }
    *rest = chars.as_str();
    true
}

/// Reads a date in the forms that Russian files and both CRMs use: `31.12.2026`, `31.12.26`, with or without
/// `H:i` or `H:i:s`; `2026-12-31`, `2026-12-31 10:00`, `2026-12-31T10:00:00Z` or with an offset; the same with
/// `/` or `-` between day, month and year.
pub fn parse_date(text: &str, zone: &Zone) -> Option<Value> {
    let text = text.trim();
    let (date, rest) = date_part(text)?;
    let rest = rest.trim_start_matches(['T', 't', ',', ' ', '\u{a0}']);
    let rest = rest.strip_prefix("в ").unwrap_or(rest).trim();
    if rest.is_empty() {
        return Some(Value::Day(date.into()));
    }
    let (time, rest) = time_part(rest)?;
    let moment = date.and_time(time);
    match rest.trim() {
        "" => Some(Value::Instant(instant(moment, zone))),
        "Z" | "z" => Some(Value::Instant(Timestamp(moment.and_utc().timestamp_millis()))),
        offset => {
            let (sign, rest) = match offset.split_at_checked(1)? {
                ("+", rest) => (1, rest),
                ("-", rest) => (-1, rest),
                _ => return None,
            };
            let mut rest = rest;
            let hours = number(&mut rest, 2, 2)?;
            rest = rest.strip_prefix(':').unwrap_or(rest);
            let minutes = if rest.is_empty() {
                0
            } else {
                number(&mut rest, 2, 2)?
            };
            if !rest.is_empty() || hours > 14 || minutes > 59 {
                return None;
            }
            let shift = sign * i64::from(hours * 60 + minutes) * 60_000;
            Some(Value::Instant(Timestamp(
                moment.and_utc().timestamp_millis() - shift,
            )))
        }
    }
}

fn date_part(text: &str) -> Option<(NaiveDate, &str)> {
    let mut rest = text;
    let n = rest.bytes().take_while(u8::is_ascii_digit).count();
    let first = number(&mut rest, 1, 4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '.' | '-' | '/'))?;
    rest = rest.strip_prefix(separator)?;
    let month = number(&mut rest, 1, 2)?;
    rest = rest.strip_prefix(separator)?;
    let (year, day) = if n == 4 {
        (first, number(&mut rest, 1, 2)?)
    } else if n <= 2 {
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let year = number(&mut rest, 2, 4)?;
        match len {
            2 => (short_year(year), first),
            4 => (year, first),
            _ => return None,
        }
    } else {
        return None;
    };
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = rest
        .strip_prefix(" г.")
        .or_else(|| rest.strip_prefix(" г"))
        .unwrap_or(rest);
    Some((
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?,
        rest,
    ))
}

fn time_part(text: &str) -> Option<(NaiveTime, &str)> {
    let mut rest = text;
    let hour = number(&mut rest, 1, 2)?;
    rest = rest.strip_prefix(':')?;
    let minute = number(&mut rest, 2, 2)?;
    let second = match rest.strip_prefix(':') {
        Some(tail) => {
            rest = tail;
            number(&mut rest, 2, 2)?
        }
        None => 0,
    };
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    Some((NaiveTime::from_hms_opt(hour, minute, second)?, rest))
}
