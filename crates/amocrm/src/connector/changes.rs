//! What changed since a moment: the history of the account, which knows former values and deletions, and the
//! lists of changed entities, which know the rest.

use super::AmocrmConnector;
use super::reads::created_at;
use crate::convert::Entity;
use crate::wire::entity::{Company, Contact, Lead, Task};
use crate::wire::event::Event;
use crate::wire::note::Note;
use crate::wire::tolerant::int;
use connector::{Changes, ConnectorError};
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use serde_json::Value as Json;

/// Windows overlap by this much: rows move between pages while they are read. Seconds.
const OVERLAP_SECS: i64 = 60;

/// History entries that lists do not tell.
const EVENT_TYPES: &str = "lead_status_changed,entity_responsible_changed,lead_deleted,lead_restored,\
    contact_deleted,company_deleted,task_deleted";

/// The lists to read, in order. The history comes last: what a record is now is told before how it came to be so,
/// because an update tells the change of everything that the hub did not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Leads,
    Contacts,
    Companies,
    Tasks,
    LeadNotes,
    ContactNotes,
    Events,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Leads,
        Self::Contacts,
        Self::Companies,
        Self::Tasks,
        Self::LeadNotes,
        Self::ContactNotes,
        Self::Events,
    ];
}

/// Where a walk stands: which list, from which moment on (Unix seconds), and which page of that.
///
/// A row that changes while we read moves to the end of its list and pulls the others one place forward, across
/// the border of pages. So the next page is not asked for by number: the list is asked for anew from the moment of
/// the last row. Only rows of one and the same second are read by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cursor {
    part: usize,
    page: u32,
    from: i64,
}

/// A page of a list.
struct Page {
    facts: Vec<Fact>,
    /// More follow.
    more: bool,
    /// The moment of the last row, if the rows were in order of their moments.
    last: Option<i64>,
}

impl Page {
    fn new(facts: Vec<Fact>, more: bool, moments: &[i64]) -> Self {
        Self {
            facts,
            more,
            last: moments.last().copied().filter(|_| moments.is_sorted()),
        }
    }
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let cursor = Self {
            part: numbers.next()?.parse().ok()?,
            page: numbers.next()?.parse().ok()?,
            from: numbers.next()?.parse().ok()?,
        };
        (cursor.part < Part::ALL.len()).then_some(cursor)
    }

    fn text(self) -> String {
        format!("{}.{}.{}", self.part, self.page, self.from)
    }
}

impl AmocrmConnector {
    pub(super) async fn changes_since(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> Result<Changes, ConnectorError> {
        let from = since.secs() - OVERLAP_SECS;
        let at = match cursor {
            Some(text) => Cursor::parse(text).ok_or_else(|| ConnectorError::Protocol {
                message: "неизвестное место чтения".to_owned(),
            })?,
            None => Cursor {
                part: 0,
                page: 1,
                from,
            },
        };
        let page = self.part(Part::ALL[at.part], from, at).await?;
        let mut facts = page.facts;
        facts.sort_by_key(|fact| fact.occurred_at);
        let next = match page.last {
            Some(last) if page.more && last > at.from => Some(Cursor {
                page: 1,
                from: last,
                ..at
            }),
            _ if page.more => Some(Cursor {
                page: at.page + 1,
                ..at
            }),
            _ => (at.part + 1 < Part::ALL.len()).then_some(Cursor {
                part: at.part + 1,
                page: 1,
                from,
            }),
        };
        Ok(Changes {
            facts,
            next: next.map(Cursor::text),
        })
    }

    async fn part(&self, part: Part, from: i64, at: Cursor) -> Result<Page, ConnectorError> {
        let since = at.from.to_string();
        let window = [
            ("filter[updated_at][from]", since.as_str()),
            ("order[updated_at]", "asc"),
        ];
        let client = &self.client;
        match part {
            Part::Events => {
                let query = [
                    ("filter[type]", EVENT_TYPES),
                    ("filter[created_at][from]", since.as_str()),
                ];
                let (events, more): (Vec<Event>, bool) = client
                    .get_page("/api/v4/events", &query, "events", at.page)
                    .await?;
                let in_window = |event: &&Event| event.created_at.is_some_and(|made| made.0 >= from);
                let facts: Vec<Fact> = events.iter().filter(in_window).filter_map(event_fact).collect();
                // Newest come first: a page of only older ones ends the walk.
                let more = more
                    && events
                        .iter()
                        .any(|event| event.created_at.is_some_and(|at| at.0 >= from));
                Ok(Page {
                    facts,
                    more,
                    last: None,
                })
            }
            Part::Leads => {
                let mut query = window.to_vec();
                query.push(("with", "contacts,loss_reason"));
                let (leads, more): (Vec<Lead>, bool) =
                    client.get_page("/api/v4/leads", &query, "leads", at.page).await?;
                let read = leads.iter().map(|lead| self.reading(|reader| reader.lead(lead)));
                Ok(rows(read.map(|record| (record, None)), from, more))
            }
            Part::Contacts => {
                let (contacts, more): (Vec<Contact>, bool) = client
                    .get_page("/api/v4/contacts", &window, "contacts", at.page)
                    .await?;
                let read = contacts
                    .iter()
                    .map(|one| self.reading(|reader| reader.contact(one)));
                Ok(rows(read.map(|record| (record, None)), from, more))
            }
            Part::Companies => {
                let (companies, more): (Vec<Company>, bool) = client
                    .get_page("/api/v4/companies", &window, "companies", at.page)
                    .await?;
                let read = companies
                    .iter()
                    .map(|one| self.reading(|reader| reader.company(one)));
                Ok(rows(read.map(|record| (record, None)), from, more))
            }
            Part::Tasks => {
                let (tasks, more): (Vec<Task>, bool) = client
                    .get_page("/api/v4/tasks", &window, "tasks", at.page)
                    .await?;
                let read = tasks.iter().map(|task| self.reading(|reader| reader.task(task)));
                Ok(rows(read, from, more))
            }
            Part::LeadNotes => self.notes(Entity::Leads, &window, from, at.page).await,
            Part::ContactNotes => self.notes(Entity::Contacts, &window, from, at.page).await,
        }
    }

    /// Notes made in the window; a note that was only edited is no new note.
    async fn notes(
        &self,
        entity: Entity,
        window: &[(&str, &str)],
        from: i64,
        page: u32,
    ) -> Result<Page, ConnectorError> {
        let path = format!("/api/v4/{}/notes", entity.word());
        let (notes, more): (Vec<Note>, bool) = self.client.get_page(&path, window, "notes", page).await?;
        let made = notes
            .iter()
            .filter(|note| note.created_at.is_some_and(|at| at.0 >= from));
        let facts = made.map(|note| {
            let (record, parent) = self.reading(|reader| reader.note(entity, note));
            listed(record, from, parent)
        });
        let moment = |note: &Note| note.updated_at.or(note.created_at).map_or(0, |at| at.0);
        let moments: Vec<i64> = notes.iter().map(moment).collect();
        Ok(Page::new(facts.collect(), more, &moments))
    }
}

/// Rows of a list as facts. A filter that the account does not know is passed over, so every row is looked at again.
fn rows(read: impl Iterator<Item = (Record, Option<RecordKey>)>, from: i64, more: bool) -> Page {
    let (mut facts, mut moments) = (Vec::new(), Vec::new());
    for (record, parent) in read {
        let moment = updated_at(&record).map_or(0, Timestamp::secs);
        moments.push(moment);
        if moment >= from {
            facts.push(listed(record, from, parent));
        }
    }
    Page::new(facts, more, &moments)
}

/// A row of a list as a fact: made in the window, or changed in it.
fn listed(record: Record, from: i64, parent: Option<RecordKey>) -> Fact {
    let made = created_at(&record) >= from.saturating_mul(1000);
    let done = record.get(SystemField::IsDone.into()) == Some(&Value::Flag(true));
    let kind = match (record.key.kind, made) {
        (RecordKind::Contact, true) => EventKind::ContactCreated,
        (RecordKind::Contact, false) => EventKind::ContactUpdated,
        (RecordKind::Company, true) => EventKind::CompanyCreated,
        (RecordKind::Company, false) => EventKind::CompanyUpdated,
        (RecordKind::Task, _) if done => EventKind::TaskCompleted,
        (RecordKind::Task, true) => EventKind::TaskCreated,
        (RecordKind::Task, false) => EventKind::TaskUpdated,
        (RecordKind::Note, _) => EventKind::NoteAdded,
        (_, true) => EventKind::DealCreated,
        (_, false) => EventKind::DealUpdated,
    };
    let occurred_at = updated_at(&record);
    let author = match record
        .get(SystemField::UpdatedBy.into())
        .or(record.get(SystemField::CreatedBy.into()))
    {
        Some(Value::User(user)) => Some(*user),
        _ => None,
    };
    Fact {
        kind,
        key: record.key.clone(),
        occurred_at,
        // The moment makes the key: the same state read twice is one fact.
        dedupe: format!(
            "amocrm|list|{}|{}",
            record.key,
            occurred_at.unwrap_or_default().secs()
        ),
        related: parent
            .map(|key| Record::new(key.kind, key.id.0.as_str()))
            .into_iter()
            .collect(),
        record,
        before: Vec::new(),
        changed: None,
        author,
    }
}

fn updated_at(record: &Record) -> Option<Timestamp> {
    [SystemField::UpdatedAt, SystemField::CreatedAt]
        .into_iter()
        .find_map(|field| match record.get(field.into()) {
            Some(Value::Instant(at)) => Some(*at),
            _ => None,
        })
}

/// An entry of the history as a fact; kinds that say nothing here are left out.
fn event_fact(event: &Event) -> Option<Fact> {
    let record_kind = match event.entity_type.as_str() {
        "lead" => RecordKind::Deal,
        "contact" => RecordKind::Contact,
        "company" => RecordKind::Company,
        "task" => RecordKind::Task,
        _ => return None,
    };
    let kind = match (event.kind.as_str(), record_kind) {
        ("lead_status_changed", _) => EventKind::DealStageChanged,
        ("lead_deleted", _) => EventKind::DealDeleted,
        ("lead_restored", _) => EventKind::DealRestored,
        ("contact_deleted", _) => EventKind::ContactDeleted,
        ("company_deleted", _) => EventKind::CompanyDeleted,
        ("task_deleted", _) => EventKind::TaskDeleted,
        // Of the others the lists tell it.
        ("entity_responsible_changed", RecordKind::Deal) => EventKind::DealResponsibleChanged,
        _ => return None,
    };
    let mut record = Record::new(record_kind, event.entity_id?.0);
    let mut before = Vec::new();
    let mut changed = Vec::new();
    for (list, is_after) in [(&event.value_after, true), (&event.value_before, false)] {
        for (field, value) in list.iter().filter_map(event_value) {
            if is_after {
                changed.push(FieldKey::from(field));
                record.set(field, value);
            } else {
                before.push((FieldKey::from(field), value));
            }
        }
    }
    Some(Fact {
        kind,
        key: record.key.clone(),
        occurred_at: event.created_at.map(|at| Timestamp::from_secs(at.0)),
        record,
        related: Vec::new(),
        before,
        changed: (!changed.is_empty()).then_some(changed),
        author: event.created_by.map(|user| user.0),
        dedupe: format!("amocrm|event|{}", event.id),
    })
}

fn event_value(json: &Json) -> Option<(SystemField, Value)> {
    if let Some(status) = json.get("lead_status") {
        let stage = Stage {
            pipeline: status.get("pipeline_id").and_then(int)?,
            status: status.get("id").and_then(int)?,
        };
        return Some((SystemField::Stage, Value::Stage(stage)));
    }
    let user = json.get("responsible_user")?.get("id").and_then(int)?;
    Some((SystemField::Responsible, Value::User(user)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cursor_is_its_text() {
        let cursor = Cursor {
            part: 3,
            page: 12,
            from: 1_700_000_000,
        };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for wrong in ["", "1", "1.2", "9.1.1", "a.b.c"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn status_change_has_its_former_stage() {
        let event: Event = serde_json::from_value(json!({
            "id": "01pz58t6p04ymgsgfbmfyfy1mf", "type": "lead_status_changed", "entity_id": 7,
            "entity_type": "lead", "created_by": 5, "created_at": 1_665_064_411,
            "value_after": [{"lead_status": {"id": 111, "pipeline_id": 123}}],
            "value_before": [{"lead_status": {"id": 222, "pipeline_id": 456}}]
        }))
        .unwrap();
        let fact = event_fact(&event).unwrap();
        let stage = |pipeline, status| Value::Stage(Stage { pipeline, status });
        assert_eq!(fact.kind, EventKind::DealStageChanged);
        assert_eq!(fact.record.get(SystemField::Stage.into()), Some(&stage(123, 111)));
        assert_eq!(fact.before, [(SystemField::Stage.into(), stage(456, 222))]);
        assert_eq!(fact.author, Some(5));
    }

    #[test]
    fn unknown_history_is_left_out() {
        let event: Event =
            serde_json::from_value(json!({"id": 5, "type": "nps_rate_added", "entity_type": "lead"}))
                .unwrap();
        assert_eq!(event_fact(&event), None);
    }
}
