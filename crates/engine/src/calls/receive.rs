//! Taking a call in: is it known already, whose is it, what is its result, who has to hear of it?

use super::settings::{CallSettings, settings};
use crate::context::new_id;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::field::SystemField as F;
use domain::id::{CallResultId, ConnectionId, EventId, WorkspaceId};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Value};
use rust_decimal::prelude::ToPrimitive;
use storage::call_results::{self, CallResult};
use storage::events::{self, NewEvent};
use storage::{StorageError, Tx, call_settings, links, memory};

/// Two reports of one call may differ by so much: files give minutes, CRMs seconds.
const TOLERANCE_MS: i64 = 60_000;
/// Lengths of one call may differ by rounding.
const TOLERANCE_SECS: i64 = 2;

/// A call as somebody tells of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Heard {
    /// Whose call it is.
    pub connection: ConnectionId,
    /// The id that the CRM gave it.
    pub key: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Phone in any spelling.
    pub phone: Option<String>,
    /// Name of the person.
    pub contact: Option<String>,
    /// Result in words.
    pub result: Option<String>,
    /// Length in seconds.
    pub duration: Option<i64>,
    /// `incoming` or `outgoing`.
    pub direction: Option<String>,
    /// How the exchange ended it.
    pub disposition: Option<String>,
    /// Comment.
    pub comment: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// Address of the recording.
    pub recording: Option<String>,
    /// How it came: `webhook`, `poll`, `import`, `manual`, `api`, `rule`.
    pub source: &'static str,
    /// The lead.
    pub lead: Option<RecordId>,
    /// How many of our own deliveries stand between this call and a person's act.
    pub chain: u16,
}

/// What became of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    /// Its row.
    pub result: CallResult,
    /// It was not known before.
    pub is_new: bool,
}

impl Heard {
    /// From the records of an event or of a row: the call, its lead, the person. `None` without a time.
    pub fn of_records(
        connection: ConnectionId,
        source: &'static str,
        records: &[Record],
        zone: &Zone,
    ) -> Option<Self> {
        let call = records
            .iter()
            .find(|record| record.key.kind == RecordKind::Call)?;
        let of = |kind| {
            records
                .iter()
                .find(move |record: &&Record| record.key.kind == kind)
        };
        let text = |field: F| call.get(field.into()).and_then(text_of);
        let at = match call.get(F::At.into())? {
            Value::Instant(at) => *at,
            Value::Day(day) => domain::calendar::start_of(*day, zone)?,
            _ => return None,
        };
        let person = of(RecordKind::LeadContact);
        let phone = text(F::Phone).or_else(|| person?.get(F::Phone.into()).and_then(text_of));
        Some(Self {
            connection,
            key: Some(call.key.id.0.clone()).filter(|id| !id.is_empty()),
            at,
            phone,
            contact: person.and_then(|it| it.get(F::Name.into())).and_then(text_of),
            result: text(F::Result),
            duration: match call.get(F::Duration.into()) {
                Some(Value::Number(secs)) => secs.to_i64(),
                _ => None,
            },
            direction: text(F::Direction),
            disposition: text(F::Disposition),
            comment: text(F::Comment),
            operator: text(F::Operator),
            recording: text(F::Recording),
            source,
            lead: of(RecordKind::Lead)
                .map(|lead| lead.key.id.clone())
                .filter(|id| !id.0.is_empty()),
            chain: 0,
        })
    }
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Texts(texts) => texts.first()?.clone(),
        Value::Choice(choice) => choice.name.clone(),
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Takes over what events that were just stored tell of calls: finished ones become results; the calls of leads
/// that were put on another step are to be asked for.
pub(crate) async fn hear(tx: &Tx, events: &[&Event], now: Timestamp) -> Result<(), StorageError> {
    for event in events {
        let source = match event.origin {
            Origin::Webhook => "webhook",
            Origin::Poll => "poll",
            _ => continue,
        };
        if event.fact.kind == EventKind::LeadStageChanged {
            let lead = &event.fact.key.id;
            call_settings::ask(tx, event.workspace, event.connection, lead, now).await?;
        }
        // A call of amoCRM is a note that somebody, or we, wrote there.
        let of_lead = event
            .fact
            .related
            .iter()
            .any(|it| it.key.kind == RecordKind::Lead);
        if event.fact.kind != EventKind::CallFinished || !of_lead {
            continue;
        }
        let records: Vec<Record> = std::iter::once(&event.fact.record)
            .chain(&event.fact.related)
            .cloned()
            .collect();
        if let Some(mut heard) = Heard::of_records(event.connection, source, &records, &Zone::moscow()) {
            heard.chain = event.chain;
            super::take_turn(tx, event.workspace).await?;
            let settings = settings(tx, event.workspace).await?;
            receive(tx, event.workspace, &settings, heard, now).await?;
        }
    }
    Ok(())
}

/// Takes a call in. The caller holds the workspace's turn ([`super::take_turn`]).
pub(crate) async fn receive(
    tx: &Tx,
    workspace: WorkspaceId,
    settings: &CallSettings,
    mut heard: Heard,
    now: Timestamp,
) -> Result<Kept, StorageError> {
    heard.phone = heard
        .phone
        .as_deref()
        .and_then(|phone| domain::phone::normalise(phone).into_iter().next());
    let known_result = heard.result.as_deref().and_then(|word| {
        let same = |other: &&String| other.to_lowercase() == word.to_lowercase();
        settings.results.iter().find(same).cloned()
    });
    let by_disposition = || {
        heard
            .disposition
            .as_deref()
            .and_then(|word| settings.of_disposition(word))
    };
    heard.result = known_result
        .or_else(|| heard.result.clone())
        .or_else(|| by_disposition().map(str::to_owned));
    let found = same_call(tx, workspace, &heard).await?;
    let is_new = found.is_none();
    let mut result = found.unwrap_or_else(|| blank(workspace, &heard, now));
    let before = result.clone();
    fill(&mut result, &heard);
    find_records(tx, &mut result).await?;
    if !is_new && result == before {
        return Ok(Kept { result, is_new });
    }
    result.updated_at = now;
    if result.result.is_some() && result.result != before.result || is_new && result.result.is_some() {
        tell(tx, &mut result, heard.chain, now).await?;
    }
    call_results::save(tx, &result).await?;
    Ok(Kept { result, is_new })
}

/// The row of the same call: by its id, else by phone, time and length, unless both have ids of their own.
async fn same_call(
    tx: &Tx,
    workspace: WorkspaceId,
    heard: &Heard,
) -> Result<Option<CallResult>, StorageError> {
    if let Some(key) = &heard.key
        && let Some(found) = call_results::by_key(tx, workspace, heard.connection, key).await?
    {
        return Ok(Some(found));
    }
    let Some(phone) = &heard.phone else {
        return Ok(None);
    };
    let (from, to) = (heard.at.plus_ms(-TOLERANCE_MS), heard.at.plus_ms(TOLERANCE_MS));
    let near = call_results::near(tx, workspace, phone, from, to).await?;
    let fits = |it: &CallResult| {
        let lengths = match (it.duration, heard.duration) {
            (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE_SECS,
            _ => true,
        };
        let ids = it.call_key.is_none() || heard.key.is_none();
        let recordings =
            it.recording.is_none() || heard.recording.is_none() || it.recording == heard.recording;
        lengths && ids && recordings
    };
    Ok(near
        .into_iter()
        .filter(fits)
        .min_by_key(|it| (it.at.0 - heard.at.0).abs()))
}

fn blank(workspace: WorkspaceId, heard: &Heard, now: Timestamp) -> CallResult {
    CallResult {
        workspace,
        id: CallResultId(new_id()),
        connection: heard.connection,
        call_key: None,
        at: heard.at,
        phone: None,
        contact: None,
        result: None,
        duration: None,
        direction: None,
        disposition: None,
        comment: None,
        operator: None,
        recording: None,
        source: heard.source.to_owned(),
        lead: None,
        deal: None,
        event: None,
        sync: "pending".to_owned(),
        sync_error: None,
        is_settled: false,
        created_at: now,
        updated_at: now,
    }
}

/// Fills in what is new; what is known stays, so that the first to tell is not overruled by a poorer report.
fn fill(result: &mut CallResult, heard: &Heard) {
    fn take<T: Clone>(known: &mut Option<T>, new: &Option<T>) {
        if known.is_none() {
            known.clone_from(new);
        }
    }
    if result.call_key.is_none() && heard.key.is_some() {
        // The CRM knows the second; a file only the minute.
        result.at = heard.at;
        result.connection = heard.connection;
    }
    take(&mut result.call_key, &heard.key);
    take(&mut result.phone, &heard.phone);
    take(&mut result.contact, &heard.contact);
    take(&mut result.result, &heard.result);
    take(&mut result.duration, &heard.duration);
    take(&mut result.direction, &heard.direction);
    take(&mut result.disposition, &heard.disposition);
    take(&mut result.comment, &heard.comment);
    take(&mut result.operator, &heard.operator);
    take(&mut result.recording, &heard.recording);
    take(&mut result.lead, &heard.lead);
}

/// The lead and the deal of a call: by the link, else by the contact that is known to have the phone.
async fn find_records(tx: &Tx, result: &mut CallResult) -> Result<(), StorageError> {
    if result.lead.is_some() && result.deal.is_some() {
        return Ok(());
    }
    let (workspace, connection) = (result.workspace, result.connection);
    let mut keys: Vec<RecordKey> = Vec::new();
    keys.extend(
        result
            .lead
            .iter()
            .map(|id| RecordKey::new(RecordKind::Lead, id.clone())),
    );
    if let Some(phone) = &result.phone
        && let Some(contact) = memory::known_contact(tx, workspace, connection, phone).await?
    {
        keys.push(RecordKey::new(RecordKind::LeadContact, contact.clone()));
        keys.push(RecordKey::new(RecordKind::Contact, contact));
    }
    for key in keys {
        let link = links::of_record(tx, workspace, connection, &key)
            .await?
            .into_iter()
            .next();
        if let Some(link) = link {
            result.lead = result.lead.take().or(link.lead);
            result.deal = result.deal.take().or(link.deal);
            return Ok(());
        }
    }
    Ok(())
}

/// Stores the event «call result received» and lets the row wait for what becomes of it.
pub(super) async fn tell(
    tx: &Tx,
    result: &mut CallResult,
    chain: u16,
    now: Timestamp,
) -> Result<(), StorageError> {
    let id = EventId(new_id());
    let fact = fact(result);
    result.event = Some(id);
    "pending".clone_into(&mut result.sync);
    result.sync_error = None;
    result.is_settled = false;
    let new = NewEvent {
        key: format!("result:{id}"),
        inbound: None,
        replay_of: None,
        only_rule: None,
        as_then: false,
        due_at: now,
        event: Event {
            id,
            workspace: result.workspace,
            connection: result.connection,
            origin: match result.source.as_str() {
                "webhook" => Origin::Webhook,
                "poll" => Origin::Poll,
                "import" => Origin::Import,
                _ => Origin::Manual,
            },
            received_at: now,
            chain,
            fact,
        },
    };
    events::insert(tx, &[new]).await?;
    Ok(())
}

fn fact(it: &CallResult) -> Fact {
    let id = it.call_key.clone().unwrap_or_else(|| it.id.to_string());
    let mut record = Record::new(RecordKind::Call, id.as_str()).with(F::At, Value::Instant(it.at));
    let texts = |text: &String| Value::Texts(vec![text.clone()]);
    let choice = |text: &String| Value::Choice(Choice::named(text.as_str()));
    let plain = |text: &String| Value::text(text.as_str());
    for (field, value) in [
        (F::Phone, it.phone.as_ref().map(texts)),
        (F::Result, it.result.as_ref().map(choice)),
        (F::Direction, it.direction.as_ref().map(choice)),
        (F::Duration, it.duration.map(|secs| Value::Number(secs.into()))),
        (F::Disposition, it.disposition.as_ref().map(plain)),
        (F::Comment, it.comment.as_ref().map(plain)),
        (F::Operator, it.operator.as_ref().map(plain)),
        (F::Recording, it.recording.as_ref().map(plain)),
    ] {
        if let Some(value) = value {
            record.set(field, value);
        }
    }
    let lead = it
        .lead
        .as_ref()
        .map(|id| Record::new(RecordKind::Lead, id.clone()));
    let person = it.contact.as_ref().map(|name| {
        let mut person = Record::new(RecordKind::LeadContact, "");
        person.set(F::Name, Value::text(name.as_str()));
        if let Some(phone) = &it.phone {
            person.set(F::Phone, texts(phone));
        }
        person
    });
    Fact {
        kind: EventKind::CallResultReceived,
        key: RecordKey::new(RecordKind::Call, id.as_str()),
        occurred_at: Some(it.at),
        record,
        related: lead.into_iter().chain(person).collect(),
        before: Vec::new(),
        changed: None,
        author: None,
        dedupe: String::new(),
    }
}
