//! Which writes are needed to bring a record from what it is to what a command wants. What is already so is
//! not written: it would only make an echo.

use crate::dispatcher::same;
use domain::command::{FieldWrite, Write, WriteMode};
use domain::field::{FieldKey, SystemField};
use domain::record::Record;
use domain::value::{Choice, Stage, Value};

/// The write of fields that are not as wanted; `None` when all are.
pub(super) fn fields(current: &Record, wanted: &[FieldWrite]) -> Option<Write> {
    let fields: Vec<FieldWrite> = wanted
        .iter()
        .filter_map(|field| needed(current.get(field.key), field))
        .collect();
    (!fields.is_empty()).then(|| Write::UpdateRecord {
        key: current.key.clone(),
        fields,
    })
}

fn needed(current: Option<&Value>, wanted: &FieldWrite) -> Option<FieldWrite> {
    let replace = |value| {
        Some(FieldWrite {
            key: wanted.key,
            value,
            mode: WriteMode::Replace,
        })
    };
    match (wanted.mode, current) {
        (WriteMode::Replace, Some(current)) if same(current, &wanted.value) => None,
        (WriteMode::FillEmpty, Some(current)) if !current.is_empty() => None,
        (WriteMode::Append, Some(current)) => joined(current, &wanted.value).and_then(replace),
        _ => replace(wanted.value.clone()),
    }
}

/// Both values together; `None` when the new ones are all there.
fn joined(current: &Value, new: &Value) -> Option<Value> {
    match (current, new) {
        (Value::Choices(old), Value::Choices(new)) => {
            let added: Vec<Choice> = new
                .iter()
                .filter(|choice| !old.iter().any(|known| known.same(choice)))
                .cloned()
                .collect();
            (!added.is_empty()).then(|| Value::Choices(old.iter().cloned().chain(added).collect()))
        }
        (Value::Texts(old), new) => {
            let fits =
                |known: &String, text: &str| known.trim() == text.trim() || domain::phone::same(known, text);
            let added: Vec<String> = super::case::texts(new)
                .into_iter()
                .filter(|text| !old.iter().any(|known| fits(known, text)))
                .collect();
            (!added.is_empty()).then(|| Value::Texts(old.iter().cloned().chain(added).collect()))
        }
        (current, new) if same(current, new) => None,
        (Value::Text(old), Value::Text(new)) if !old.trim().is_empty() => {
            (!old.contains(new.as_str())).then(|| Value::Text(format!("{old}\n{new}")))
        }
        (_, new) => Some(new.clone()),
    }
}

/// The move to a stage, unless the record is there.
pub(super) fn stage(current: &Record, stage: Stage, loss_reason: Option<i64>) -> Option<Write> {
    let there = matches!(current.get(SystemField::Stage.into()), Some(Value::Stage(now)) if *now == stage);
    (!there).then(|| Write::Move {
        key: current.key.clone(),
        stage,
        loss_reason,
    })
}

/// The change of responsible user, unless it is that one.
pub(super) fn responsible(current: &Record, user: i64) -> Option<Write> {
    let already =
        matches!(current.get(SystemField::Responsible.into()), Some(Value::User(now)) if *now == user);
    (!already).then(|| Write::SetResponsible {
        key: current.key.clone(),
        user,
    })
}

/// The change of tags that are not yet as wanted.
pub(super) fn tags(current: &Record, add: &[Choice], remove: &[Choice]) -> Option<Write> {
    let (add, remove) = match current.get(SystemField::Tags.into()) {
        Some(Value::Choices(now)) => {
            let there = |tag: &Choice| now.iter().any(|known| known.same(tag) || known.name == tag.name);
            (
                add.iter().filter(|tag| !there(tag)).cloned().collect(),
                remove.iter().filter(|tag| there(tag)).cloned().collect(),
            )
        }
        Some(value) if value.is_empty() => (add.to_vec(), Vec::new()),
        _ => (add.to_vec(), remove.to_vec()),
    };
    (!add.is_empty() || !remove.is_empty()).then(|| Write::ChangeTags {
        key: current.key.clone(),
        add,
        remove,
    })
}

/// A known contact never loses a phone or an e-mail to a mapping: new ones are added to those it has.
pub(super) fn keep_addresses(fields: &[FieldWrite]) -> Vec<FieldWrite> {
    let mut fields = fields.to_vec();
    for field in &mut fields {
        let address = matches!(
            field.key,
            FieldKey::System(SystemField::Phone | SystemField::Email)
        );
        if address && field.mode == WriteMode::Replace && !field.value.is_empty() {
            field.mode = WriteMode::Append;
            if let Value::Text(text) = &field.value {
                field.value = Value::Texts(vec![text.clone()]);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::record::RecordKind;

    fn contact(phones: &[&str]) -> Record {
        let phones = phones.iter().map(|phone| (*phone).to_owned()).collect();
        Record::new(RecordKind::Contact, 1).with(SystemField::Phone, Value::Texts(phones))
    }

    fn phone(text: &str) -> Vec<FieldWrite> {
        keep_addresses(&[FieldWrite {
            key: SystemField::Phone.into(),
            value: Value::text(text),
            mode: WriteMode::Replace,
        }])
    }

    #[test]
    fn a_known_phone_is_not_written_again() {
        assert_eq!(
            fields(&contact(&["8 (999) 123-45-67"]), &phone("+79991234567")),
            None
        );
    }

    #[test]
    fn a_new_phone_joins_the_old_one() {
        let Some(Write::UpdateRecord { fields, .. }) =
            fields(&contact(&["+79990000001"]), &phone("+79990000002"))
        else {
            panic!("a write was expected");
        };
        assert_eq!(
            fields[0].value,
            Value::Texts(vec!["+79990000001".into(), "+79990000002".into()])
        );
    }

    #[test]
    fn what_is_as_wanted_needs_no_write() {
        let there = Stage {
            pipeline: 1,
            status: 2,
        };
        let deal = Record::new(RecordKind::Deal, 1)
            .with(SystemField::Stage, Value::Stage(there))
            .with(SystemField::Responsible, Value::User(7));
        assert_eq!(stage(&deal, there, None), None);
        assert_eq!(responsible(&deal, 7), None);
        assert!(
            stage(
                &deal,
                Stage {
                    pipeline: 1,
                    status: 3
                },
                None
            )
            .is_some()
        );
    }
}
