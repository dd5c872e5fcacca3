//! Tables as CSV (RFC 4180) for people who open them in a spreadsheet.

use chrono::{DateTime, SecondsFormat};
use storage::audit::Entry;

/// Entries of the audit log, newest first.
pub fn audit(entries: &[Entry]) -> String {
    // The mark tells Excel that this is UTF-8.
    let mut out = String::from("\u{feff}");
    line(
        &mut out,
        &[
            "at",
            "actor_kind",
            "actor",
            "action",
            "subject_kind",
            "subject",
            "before",
            "after",
            "address",
            "request",
        ],
    );
    for entry in entries {
        let json =
            |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
        line(
            &mut out,
            &[
                &moment(entry.at.0),
                &entry.actor_kind,
                &entry.actor_name,
                &entry.action,
                &entry.subject_kind,
                &entry.subject_id,
                &json(&entry.before),
                &json(&entry.after),
                entry.address.as_deref().unwrap_or_default(),
                entry.request_id.as_deref().unwrap_or_default(),
            ],
        );
    }
    out
}

fn moment(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

fn line(out: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        self::cell(out, cell);
    }
    out.push_str("\r\n");
}

/// What a spreadsheet would take for a formula gets an apostrophe (ASVS 5.0, 1.2.10); quotes are doubled.
fn cell(out: &mut String, text: &str) {
    out.push('"');
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']) {
        out.push('\'');
    }
    for c in text.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        cell(&mut out, text);
        assert_eq!(out, expected);
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            check(text, &format!("\"'{text}\""));
        }
        check("Анна \"Петрова\"", "\"Анна \"\"Петрова\"\"\"");
        check("a,b", "\"a,b\"");
        check("", "\"\"");
    }

    #[test]
    fn moments_are_told_in_utc() {
        assert_eq!(moment(1_764_000_123_456), "2025-11-24T16:02:03.456Z");
    }
}
