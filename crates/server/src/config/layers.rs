//! Defaults, a file and variables laid over each other, and what to say of a name that nobody knows.

use super::DEFAULTS;
use toml::{Table, Value};

/// What the names of our variables begin with.
const PREFIX: &str = "INTEGRATOR_";
/// The variable that names the file.
pub(super) const FILE_VARIABLE: &str = "INTEGRATOR_CONFIG";
/// Variables of the test harness are none of ours.
const FOREIGN: &str = "INTEGRATOR_TEST_";

pub(super) fn defaults() -> Table {
    DEFAULTS
        .parse()
        .expect("the built-in defaults are TOML: a test reads them")
}

pub(super) fn merge_file(table: &mut Table, wanted: &Table, mistakes: &mut Vec<String>) {
    let known = known_keys(table);
    for (section, values) in wanted {
        let Some(values) = values.as_table() else {
            mistakes.push(unknown(section, &known));
            continue;
        };
        for (key, value) in values {
            let name = format!("{section}.{key}");
            match table.get_mut(section).and_then(|section| section.get_mut(key)) {
                None => mistakes.push(unknown(&name, &known)),
                Some(slot) if slot.type_str() == value.type_str() => *slot = value.clone(),
                Some(slot) => mistakes.push(format!(
                    "ключ {name}: нужно {}, а задано {}",
                    type_title(slot),
                    type_title(value)
                )),
            }
        }
    }
}

pub(super) fn merge_environment(
    table: &mut Table,
    environment: impl IntoIterator<Item = (String, String)>,
    mistakes: &mut Vec<String>,
) {
    let known: Vec<String> = known_keys(table).iter().map(|key| variable(key)).collect();
    for (name, text) in environment {
        if !name.starts_with(PREFIX) || name == FILE_VARIABLE || name.starts_with(FOREIGN) {
            continue;
        }
        let slot = name[PREFIX.len()..].to_lowercase();
        let slot = slot
            .split_once("__")
            .and_then(|(section, key)| table.get_mut(section).and_then(|section| section.get_mut(key)));
        let Some(slot) = slot else {
            mistakes.push(format!("переменная {}", unknown(&name, &known)));
            continue;
        };
        let parsed = match slot {
            Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
            Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
            _ => Some(Value::String(text)),
        };
        match parsed {
            Some(value) => *slot = value,
            None => mistakes.push(format!("переменная {name}: нужно {}", type_title(slot))),
        }
    }
}

fn known_keys(table: &Table) -> Vec<String> {
    let keys = table.iter().flat_map(|(section, values)| {
        values
            .as_table()
            .into_iter()
            .flatten()
            .map(move |(key, _)| format!("{section}.{key}"))
    });
    keys.collect()
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn type_title(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "целое число",
        Value::Boolean(_) => "true или false",
        Value::String(_) => "строка в кавычках",
        _ => "простое значение",
    }
}

fn unknown(name: &str, known: &[String]) -> String {
    // Who forgot the section is as near as who mistyped a letter.
    let far =
        |candidate: &String| distance(name, candidate).min(1 + distance(key_of(name), key_of(candidate)));
    let nearest = known.iter().min_by_key(|candidate| far(candidate));
    match nearest {
        Some(nearest) => format!("{name} неизвестна; ближайшее известное имя: {nearest}"),
        None => format!("{name} неизвестна"),
    }
}

/// The part of a name after its section.
fn key_of(name: &str) -> &str {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    name.rsplit_once("__")
        .or_else(|| name.rsplit_once('.'))
        .map_or(name, |(_, key)| key)
}

/// How many letters must be changed, added or taken away.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}
