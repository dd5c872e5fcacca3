//! Finding out what became of a write whose answer was lost.
//!
//! amoCRM has no idempotency keys. What is looked for is read from lists, whose order and filters by time do
//! not depend on the search index, and compared here.

use super::AmocrmConnector;
use super::reads::created_at;
use crate::client::now;
use crate::convert::Entity;
use crate::convert::write::call_unique;
use crate::phone;
use crate::wire::entity::{Lead, Task};
use crate::wire::note::Note;
use connector::{ConnectorError, Effect, Look};
use domain::command::{FieldWrite, NewTask, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;

impl AmocrmConnector {
    pub(super) async fn look_for(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        let from = since
            .plus_ms(-(self.settings().look_slack.as_millis() as i64))
            .secs();
        match write {
            Write::CreateContact { kind, fields, .. } => {
                self.look_for_contact(*kind, fields, from, since).await
            }
            Write::CreateRecord { contact, fields, .. } => {
                let made = match contact {
                    Some(contact) => self.leads_of_contact(contact).await?,
                    None => self.fresh_leads(from).await?,
                };
                Ok(self.one_of(made, fields, from, since))
            }
            Write::AddNote { key, text } => {
                let wanted = plain(text);
                let fits = |note: &Note| {
                    note.note_type == "common"
                        && note.param("text").is_some_and(|text| plain(&text) == wanted)
                };
                self.look_for_note(key, from, since, fits).await
            }
            Write::LogCall { key, call } => {
                let unique = call_unique(call);
                let fits = |note: &Note| note.param("uniq").as_deref() == Some(unique.as_str());
                self.look_for_note(key, i64::MIN, since, fits).await
            }
            Write::AddTask { key, task } => self.look_for_task(key, task, from, since).await,
            Write::UpdateRecord { key, .. }
            | Write::Move { key, .. }
            | Write::SetResponsible { key, .. }
            | Write::ChangeTags { key, .. } => {
                let Some(record) = self.record(key).await? else {
                    return Err(ConnectorError::NotFound);
                };
                // These may be repeated safely, so «not as wanted» needs no waiting.
                Ok(if is_done(&record, write) {
                    let updated_at = match record.get(SystemField::UpdatedAt.into()) {
                        Some(Value::Instant(at)) => Some(*at),
                        _ => None,
                    };
                    Look::Applied(Effect {
                        key: Some(key.clone()),
                        part: None,
                        updated_at,
                    })
                } else {
                    Look::NotApplied
                })
            }
            Write::AddPayment { .. } | Write::StartCall { .. } => Err(ConnectorError::Unsupported {
                what: "поиск этой операции",
            }),
        }
    }

    async fn look_for_contact(
        &self,
        kind: RecordKind,
        fields: &[FieldWrite],
        from: i64,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let made: Vec<Record> = match kind {
            RecordKind::Company => {
                let time = from.to_string();
                let query = [
                    ("filter[updated_at][from]", time.as_str()),
                    ("order[updated_at]", "desc"),
                ];
                let path = "/api/v4/companies";
                let (some, _) = self.client.get_page(path, &query, "companies", 1).await?;
                some.iter()
                    .map(|one| self.reading(|reader| reader.company(one)))
                    .collect()
            }
            _ => {
                let some = self.fresh_contacts(from).await?;
                some.iter()
                    .map(|one| self.reading(|reader| reader.contact(one)))
                    .collect()
            }
        };
        Ok(self.one_of(made, fields, from, since))
    }

    async fn fresh_leads(&self, from: i64) -> Result<Vec<Record>, ConnectorError> {
        let time = from.to_string();
        let query = [
            ("with", "contacts"),
            ("filter[updated_at][from]", time.as_str()),
            ("order[updated_at]", "desc"),
        ];
        let (leads, _): (Vec<Lead>, _) = self.client.get_page("/api/v4/leads", &query, "leads", 1).await?;
        Ok(leads
            .iter()
            .map(|lead| self.reading(|reader| reader.lead(lead)))
            .collect())
    }

    /// The one record made since that is what was to be made. A robot or a person may have changed it already,
    /// so its name, phones and e-mails decide; all fields are compared only to tell several apart.
    fn one_of(&self, made: Vec<Record>, fields: &[FieldWrite], from: i64, since: Timestamp) -> Look {
        let mut candidates: Vec<Record> = made
            .into_iter()
            .filter(|record| created_at(record) >= from.saturating_mul(1000))
            .filter(|record| {
                fields
                    .iter()
                    .filter(|field| identifies(field.key))
                    .all(|field| holds(record, field))
            })
            .collect();
        if candidates.len() > 1 {
            candidates.retain(|record| fields.iter().all(|field| holds(record, field)));
        }
        match candidates.as_slice() {
            [] => self.absent(since),
            [record] => Look::Applied(Effect {
                key: Some(record.key.clone()),
                part: None,
                updated_at: None,
            }),
            several => Look::Undecided {
                reason: format!("подходят несколько записей: {}", several.len()),
            },
        }
    }

    async fn look_for_note(
        &self,
        key: &RecordKey,
        from: i64,
        since: Timestamp,
        fits: impl Fn(&Note) -> bool,
    ) -> Result<Look, ConnectorError> {
        let (Some(entity), Some(id)) = (Entity::of(key.kind), key.id.number()) else {
            return Err(ConnectorError::NotFound);
        };
        let path = format!("/api/v4/{}/{id}/notes", entity.word());
        let mut page = 1;
        loop {
            let query = [("order[id]", "desc")];
            let (notes, more): (Vec<Note>, bool) =
                match self.client.get_page(&path, &query, "notes", page).await {
                    Err(ConnectorError::NotFound) => (Vec::new(), false),
                    other => other?,
                };
            let of_this = |note: &&Note| note.entity_id.is_none_or(|entity| entity.0 == id);
            let young = |note: &&Note| note.created_at.is_none_or(|at| at.0 >= from);
            if let Some(note) = notes.iter().filter(of_this).filter(young).find(|note| fits(note)) {
                let part = Some(note.id.to_string());
                return Ok(Look::Applied(Effect {
                    key: Some(key.clone()),
                    part,
                    updated_at: None,
                }));
            }
            let older = notes
                .last()
                .is_some_and(|note| note.created_at.is_some_and(|at| at.0 < from));
            if !more || older || page >= 4 {
                return Ok(self.absent(since));
            }
            page += 1;
        }
    }

    async fn look_for_task(
        &self,
        key: &RecordKey,
        task: &NewTask,
        from: i64,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let (Some(entity), Some(id)) = (Entity::of(key.kind), key.id.number()) else {
            return Err(ConnectorError::NotFound);
        };
        let text = id.to_string();
        let query = [
            ("filter[entity_type]", entity.word()),
            ("filter[entity_id]", text.as_str()),
            ("order[created_at]", "desc"),
        ];
        let tasks: Vec<Task> = self.client.get_page("/api/v4/tasks", &query, "tasks", 1).await?.0;
        let made = tasks.iter().find(|one| {
            one.entity_id.is_some_and(|entity| entity.0 == id)
                && one.created_at.is_some_and(|at| at.0 >= from)
                && one.complete_till.is_some_and(|at| at.0 == task.deadline.secs())
                && one
                    .text
                    .as_deref()
                    .is_some_and(|text| plain(text) == plain(&task.text))
        });
        Ok(match made {
            Some(made) => {
                let part = Some(made.id.to_string());
                Look::Applied(Effect {
                    key: Some(key.clone()),
                    part,
                    updated_at: None,
                })
            }
            None => self.absent(since),
        })
    }

    /// Not there. Right after the write that proves nothing yet: the request may still be under way.
    fn absent(&self, since: Timestamp) -> Look {
        if now().0 - since.0 >= self.settings().look_settle.as_millis() as i64 {
            return Look::NotApplied;
        }
        Look::Undecided {
            reason: "запись могла ещё не дойти до amoCRM".to_owned(),
        }
    }
}

/// Fields by which a made record is recognised.
fn identifies(key: FieldKey) -> bool {
    matches!(
        key,
        FieldKey::System(
            SystemField::Name
                | SystemField::FirstName
                | SystemField::LastName
                | SystemField::Phone
                | SystemField::Email
        )
    )
}

/// Whether a record is as an idempotent write wants it.
fn is_done(record: &Record, write: &Write) -> bool {
    match write {
        Write::UpdateRecord { fields, .. } => fields.iter().all(|field| holds(record, field)),
        Write::Move {
            stage, loss_reason, ..
        } => {
            let reason = match record.get(SystemField::LossReason.into()) {
                Some(Value::Choice(choice)) => choice.id,
                _ => None,
            };
            record.get(SystemField::Stage.into()) == Some(&Value::Stage(*stage))
                && loss_reason.is_none_or(|wanted| reason == Some(wanted))
        }
        Write::SetResponsible { user, .. } => {
            record.get(SystemField::Responsible.into()) == Some(&Value::User(*user))
        }
        Write::ChangeTags { add, remove, .. } => {
            let tags = match record.get(SystemField::Tags.into()) {
                Some(Value::Choices(tags)) => tags.as_slice(),
                _ => &[],
            };
            let has = |wanted: &domain::value::Choice| tags.iter().any(|tag| tag.same(wanted));
            add.iter().all(has) && !remove.iter().any(has)
        }
        _ => false,
    }
}

/// Whether a field holds what was written, as amoCRM gives it back.
fn holds(record: &Record, write: &FieldWrite) -> bool {
    let Some(held) = record.get(write.key) else {
        return write.value.is_empty();
    };
    match (held, &write.value) {
        (held, wanted) if held == wanted => true,
        (held, wanted) if wanted.is_empty() => {
            held.is_empty() || matches!(held, Value::Number(number) if number.is_zero())
        }
        (Value::Text(held), Value::Text(wanted)) => plain(held) == plain(wanted),
        (Value::Texts(held), Value::Texts(wanted)) => wanted
            .iter()
            .all(|wanted| held.iter().any(|held| alike(held, wanted))),
        (Value::Texts(held), Value::Text(wanted)) => held.iter().any(|held| alike(held, wanted)),
        (Value::Choice(held), Value::Choice(wanted)) => held.same(wanted),
        (Value::Choice(held), Value::Text(wanted)) => held.name == *wanted,
        (Value::Choices(held), Value::Choices(wanted)) => {
            held.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|wanted| held.iter().any(|held| held.same(wanted)))
        }
        (Value::Instant(held), Value::Instant(wanted)) => held.secs() == wanted.secs(),
        _ => false,
    }
}

fn alike(held: &str, wanted: &str) -> bool {
    plain(held).to_lowercase() == plain(wanted).to_lowercase() || phone::same(held, wanted)
}

/// A text as it survives amoCRM: without outer blanks, line ends of one kind, HTML escapes undone.
fn plain(text: &str) -> String {
    crate::intake::unescape(text.trim()).replace("\r\n", "\n")
}
