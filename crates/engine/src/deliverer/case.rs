//! One delivery on its way: its state, and what is stored of it around each write.

use super::progress::{Progress, Sent};
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::failpoint::point;
use connector::Effect;
use connector::http::Trace;
use domain::command::{FieldWrite, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::connections::Connection;
use storage::deliveries::Delivery;
use storage::events::StoredEvent;
use storage::links::Link;
use storage::memory::{self, Echo, Snapshot};
use storage::{StorageError, Tx, links};

/// One delivery on its way. The desk works on copies: what counts is what it gives back.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) delivery: Delivery,
    pub(super) progress: Progress,
    pub(super) event: Arc<StoredEvent>,
    pub(super) connection: Arc<Connection>,
    pub(super) started_at: Timestamp,
    pub(super) trace: Trace,
}

impl Case {
    /// The intention to send a write: what is committed before it leaves.
    pub(super) fn intend(&mut self, write: Write, now: Timestamp) -> Sent {
        let sent = Sent {
            parent_mark: is_part(&write).then(new_id),
            write,
            at: now,
            mark: new_id(),
        };
        self.progress.sent = Some(sent.clone());
        self.pack();
        sent
    }

    /// The write was applied: what is known now.
    pub(super) fn apply(&mut self, sent: &Sent, effect: &Effect) {
        self.progress.sent = None;
        self.progress.n_done += 1;
        if let Some(todo) = &mut self.progress.todo
            && todo.first() == Some(&sent.write)
        {
            todo.remove(0);
        }
        match &sent.write {
            Write::CreateContact { .. } => {
                self.progress.contact = effect.key.as_ref().map(|key| key.id.clone());
            }
            Write::CreateRecord { .. } => {
                self.progress.record.clone_from(&effect.key);
                self.progress.created = true;
            }
            _ => {}
        }
        self.delivery.record = self.progress.record.clone().or_else(|| sent.write.key().cloned());
        self.pack();
    }

    /// The write was certainly not applied.
    pub(super) fn withdraw(&mut self) {
        self.progress.sent = None;
        self.pack();
    }

    /// Puts the progress into the row.
    pub(super) fn pack(&mut self) {
        self.delivery.progress = self.progress.to_json();
    }

    /// Stores what a write changed, beside the row: link and mark. What was learnt of the record joins `learnt`.
    pub(super) async fn record(
        &self,
        context: &Context,
        tx: &Tx,
        sent: &Sent,
        effect: &Effect,
        learnt: &mut Memory,
    ) -> Result<(), EngineError> {
        self.save_link(tx, context.clock.now()).await?;
        point!(DeliverLinked);
        let made = made_id(&sent.write, effect);
        memory::insert_echoes(tx, &self.marks(context, sent, made)).await?;
        point!(DeliverEchoes);
        if let Some(key) = remembered_key(&sent.write, effect) {
            let is_new_contact = matches!(sent.write, Write::CreateContact { .. });
            let written = Written {
                fields: written_fields(&sent.write),
                at: sent.at,
                is_creation: matches!(
                    sent.write,
                    Write::CreateContact { .. } | Write::CreateRecord { .. }
                ),
            };
            learnt.add(key, written, is_new_contact);
        }
        Ok(())
    }

    /// Takes the marks of a write away that was certainly not applied.
    pub(super) async fn forget(&self, tx: &Tx, sent: &Sent) -> Result<(), StorageError> {
        for mark in std::iter::once(sent.mark).chain(sent.parent_mark) {
            memory::delete_echo(tx, self.delivery.workspace, mark).await?;
        }
        Ok(())
    }

    /// The marks that explain the echoes of a write.
    pub(super) fn marks(&self, context: &Context, sent: &Sent, made: Option<RecordId>) -> Vec<Echo> {
        let mark = self.mark(context, sent, made);
        let parent = match (sent.parent_mark, sent.write.key()) {
            (Some(id), Some(key)) => Some(Echo {
                id,
                kind: key.kind,
                record: Some(key.id.clone()),
                ..mark.clone()
            }),
            _ => None,
        };
        parent.into_iter().chain([mark]).collect()
    }

    fn mark(&self, context: &Context, sent: &Sent, made: Option<RecordId>) -> Echo {
        let settings = &context.settings;
        let (kind, record) = match &sent.write {
            Write::CreateContact { kind, .. } | Write::CreateRecord { kind, .. } => (*kind, made),
            Write::AddNote { .. } | Write::LogCall { .. } => (RecordKind::Note, made),
            Write::AddTask { .. } => (RecordKind::Task, made),
            other => match other.key() {
                Some(key) => (key.kind, Some(key.id.clone())),
                None => (RecordKind::Structure, made),
            },
        };
        // A creation on its way explains announcements of new records only as long as it can be on its way.
        let window = if record.is_some() {
            settings.echo_window_ms
        } else {
            settings.creation_wait_ms * 4
        };
        Echo {
            workspace: self.delivery.workspace,
            id: sent.mark,
            connection: self.connection.id,
            delivery: self.delivery.id,
            kind,
            record,
            fields: written_fields(&sent.write),
            chain: self.delivery.chain,
            written_at: sent.at,
            expires_at: context.clock.now().plus_ms(window),
        }
    }

    /// Links the event's record with the target, as far as both are known.
    pub(super) async fn save_link(&self, tx: &Tx, now: Timestamp) -> Result<(), EngineError> {
        let Some(target) = &self.progress.record else {
            return Ok(());
        };
        let event = &self.event.event;
        if event.connection == self.connection.id || event.fact.key.kind == RecordKind::Event {
            return Ok(());
        }
        let existing = crate::links::to(
            tx,
            event.workspace,
            event.connection,
            &event.fact.key,
            self.connection.id,
        )
        .await?;
        let (amocrm, lptracker) = match self.connection.kind {
            domain::connection::ConnectorKind::Amocrm => (self.connection.id, event.connection),
            domain::connection::ConnectorKind::Lptracker => (event.connection, self.connection.id),
        };
        let before = existing.clone();
        let mut link = existing.unwrap_or_else(|| Link {
            workspace: event.workspace,
            id: domain::id::LinkId(new_id()),
            amocrm,
            lptracker,
            deal: None,
            contact: None,
            lead: None,
            lead_contact: None,
            lane: self.delivery.lane.clone(),
            created_at: now,
            updated_at: now,
        });
        let mut know = |kind: RecordKind, id: &RecordId| {
            let place = match kind {
                RecordKind::Deal => &mut link.deal,
                RecordKind::Contact => &mut link.contact,
                RecordKind::Lead => &mut link.lead,
                RecordKind::LeadContact => &mut link.lead_contact,
                _ => return,
            };
            *place = Some(id.clone());
        };
        know(event.fact.key.kind, &event.fact.key.id);
        know(target.kind, &target.id);
        if let Some(contact) = &self.progress.contact {
            know(contact_kind(target.kind), contact);
        }
        if before.as_ref() != Some(&link) {
            link.updated_at = now;
            links::save(tx, &link).await?;
        }
        Ok(())
    }
}

/// What writes taught about records, stored together. What was written is part of what is known of a record, unless
/// its CRM has told of it since; the phones of a new contact find it again.
#[derive(Default)]
pub(super) struct Memory {
    records: BTreeMap<RecordKey, Vec<Written>>,
    phones: BTreeMap<String, RecordId>,
}

/// Fields written to a record, and when.
struct Written {
    fields: Vec<(FieldKey, Value)>,
    at: Timestamp,
    /// The record was made by it.
    is_creation: bool,
}

impl Memory {
    fn add(&mut self, key: &RecordKey, written: Written, is_new_contact: bool) {
        if is_new_contact {
            let found = phones(&written.fields)
                .into_iter()
                .map(|phone| (phone, key.id.clone()));
            self.phones.extend(found);
        }
        if !written.fields.is_empty() {
            self.records.entry(key.clone()).or_default().push(written);
        }
    }

    pub(super) async fn store(
        self,
        tx: &Tx,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let (workspace, connection) = (connection.workspace, connection.id);
        let keys: Vec<RecordKey> = self.records.keys().cloned().collect();
        let known = memory::snapshots_to_change(tx, workspace, connection, &keys).await?;
        let mut known: BTreeMap<RecordKey, Snapshot> =
            known.into_iter().map(|it| (it.record.key.clone(), it)).collect();
        for (key, writes) in self.records {
            let snapshot = known
                .entry(key)
                .or_insert_with_key(|key| Snapshot::new(Record::new(key.kind, key.id.clone()), Timestamp(0)));
            let learnt_at = snapshot.updated_at;
            for written in writes {
                // What is heard of a record, whenever it arrives, was told after it was made.
                if written.is_creation {
                    snapshot.seen_to = snapshot.seen_to.max(written.at);
                }
                // Heard of since: that may be newer or older, and until this is known the mark stands for the write.
                if written.at >= learnt_at {
                    for (field, value) in written.fields {
                        snapshot.record.set(field, value);
                    }
                }
                snapshot.updated_at = now;
            }
        }
        let snapshots: Vec<&Snapshot> = known.values().filter(|it| it.updated_at == now).collect();
        memory::save_snapshots(tx, workspace, connection, &snapshots).await?;
        point!(DeliverRemembered);
        for (phone, contact) in self.phones {
            memory::remember_contact(tx, workspace, connection, &phone, &contact, now).await?;
        }
        Ok(())
    }
}

/// The kind of contact that belongs to a deal or a lead.
pub(super) const fn contact_kind(kind: RecordKind) -> RecordKind {
    match kind {
        RecordKind::Lead | RecordKind::LeadContact => RecordKind::LeadContact,
        _ => RecordKind::Contact,
    }
}

/// The write adds something of its own to a record.
const fn is_part(write: &Write) -> bool {
    matches!(
        write,
        Write::AddNote { .. }
            | Write::AddTask { .. }
            | Write::LogCall { .. }
            | Write::AddPayment { .. }
            | Write::StartCall { .. }
    )
}

/// The id under which a webhook will announce what was made.
fn made_id(write: &Write, effect: &Effect) -> Option<RecordId> {
    match write {
        Write::CreateContact { .. } | Write::CreateRecord { .. } => {
            effect.key.as_ref().map(|key| key.id.clone())
        }
        _ => effect.part.as_deref().map(RecordId::from),
    }
}

fn remembered_key<'a>(write: &'a Write, effect: &'a Effect) -> Option<&'a RecordKey> {
    match write {
        Write::CreateContact { .. } | Write::CreateRecord { .. } => effect.key.as_ref(),
        other => other.key(),
    }
}

/// What a record holds once a write is applied.
fn written_fields(write: &Write) -> Vec<(FieldKey, Value)> {
    let plain = |fields: &[FieldWrite]| {
        fields
            .iter()
            .map(|field| (field.key, field.value.clone()))
            .collect()
    };
    match write {
        Write::CreateContact { fields, .. } | Write::UpdateRecord { fields, .. } => plain(fields),
        Write::CreateRecord {
            fields,
            stage,
            responsible,
            tags,
            contact,
            ..
        } => {
            let mut all: Vec<(FieldKey, Value)> = plain(fields);
            all.extend(stage.map(|stage| (SystemField::Stage.into(), Value::Stage(stage))));
            all.extend(responsible.map(|user| (SystemField::Responsible.into(), Value::User(user))));
            if !tags.is_empty() {
                all.push((SystemField::Tags.into(), Value::Choices(tags.clone())));
            }
            let contact = contact.as_ref().and_then(RecordId::number);
            all.extend(contact.map(|id| (SystemField::Contact.into(), Value::Id(id))));
            all
        }
        Write::Move { stage, .. } => vec![(SystemField::Stage.into(), Value::Stage(*stage))],
        Write::SetResponsible { user, .. } => vec![(SystemField::Responsible.into(), Value::User(*user))],
        Write::ChangeTags { .. }
        | Write::AddNote { .. }
        | Write::AddTask { .. }
        | Write::LogCall { .. }
        | Write::StartCall { .. } => Vec::new(),
        Write::AddPayment { payment, .. } => {
            vec![(SystemField::PaymentSum.into(), Value::Number(payment.sum))]
        }
    }
}

/// Normalised phones among written fields.
pub(super) fn phones(fields: &[(FieldKey, Value)]) -> Vec<String> {
    fields
        .iter()
        .filter(|(key, _)| *key == FieldKey::System(SystemField::Phone))
        .flat_map(|(_, value)| texts(value))
        .flat_map(|text| domain::phone::normalise(&text))
        .collect()
}

/// The texts in a value.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => vec![text.clone()],
        Value::Texts(texts) => texts
            .iter()
            .filter(|text| !text.trim().is_empty())
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}
