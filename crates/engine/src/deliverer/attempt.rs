//! One attempt of one delivery: its state, and the only way to write remotely.

use super::failure::Failure;
use super::progress::{Progress, Sent};
use crate::context::{Context, new_id};
use crate::error::EngineError;
use connector::{Connector, Effect, Look};
use domain::command::{FieldWrite, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use std::sync::Arc;
use storage::connections::Connection;
use storage::deliveries::{self, Delivery};
use storage::events::StoredEvent;
use storage::links::Link;
use storage::memory::{self, Echo};
use storage::{Tx, links};

/// One attempt.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a Context,
    pub(super) delivery: Delivery,
    pub(super) progress: Progress,
    pub(super) event: StoredEvent,
    pub(super) connection: Connection,
    pub(super) connector: Arc<dyn Connector>,
}

impl Attempt<'_> {
    /// Finds out what became of the write that a former attempt left behind.
    pub(super) async fn resolve(&mut self) -> Result<(), Failure> {
        let Some(sent) = self.progress.sent.clone() else {
            return Ok(());
        };
        match self.connector.look(&sent.write, sent.at).await? {
            Look::Applied(effect) => self.record(&sent, &effect).await,
            Look::NotApplied => self.forget(&sent).await,
            Look::Undecided { reason } => Err(Failure::Uncertain { reason }),
        }
    }

    /// Carries out one write. Before it leaves, the intention and the mark that explains its echo are
    /// committed; after the answer, the effect. So a crash at any moment leaves either nothing sent, or a
    /// write that the next attempt looks for.
    pub(super) async fn write(&mut self, write: Write) -> Result<Effect, Failure> {
        let sent = Sent {
            parent_mark: is_part(&write).then(new_id),
            write,
            at: self.context.clock.now(),
            mark: new_id(),
        };
        self.progress.sent = Some(sent.clone());
        let tx = self.context.db.begin().await?;
        self.save(&tx).await?;
        self.save_marks(&tx, &sent, None).await?;
        tx.commit().await?;
        match self.connector.write(&sent.write).await {
            Ok(effect) => {
                self.record(&sent, &effect).await?;
                Ok(effect)
            }
            Err(error) if error.is_uncertain() => Err(Failure::Connector(error)),
            Err(error) => {
                self.forget(&sent).await?;
                Err(Failure::Connector(error))
            }
        }
    }

    /// Carries out what is still to be done.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        while let Some(write) = self.progress.todo.as_ref().and_then(|todo| todo.first()).cloned() {
            self.write(write).await?;
        }
        Ok(())
    }

    /// Stores what was found out without writing.
    pub(super) async fn keep(&mut self) -> Result<(), Failure> {
        let tx = self.context.db.begin().await?;
        self.save(&tx).await?;
        self.save_link(&tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One transaction for the fact «this write was applied»: progress, link, memory of the record, the mark.
    async fn record(&mut self, sent: &Sent, effect: &Effect) -> Result<(), Failure> {
        let now = self.context.clock.now();
        self.progress.sent = None;
        self.progress.n_done += 1;
        if let Some(todo) = &mut self.progress.todo
            && todo.first() == Some(&sent.write)
        {
            todo.remove(0);
        }
        match &sent.write {
            Write::CreateContact { .. } => {
                self.progress.contact = effect.key.as_ref().map(|key| key.id.clone())
            }
            Write::CreateRecord { .. } => {
                self.progress.record.clone_from(&effect.key);
                self.progress.created = true;
            }
            _ => {}
        }
        self.delivery.record = self.progress.record.clone().or_else(|| sent.write.key().cloned());
        let tx = self.context.db.begin().await?;
        self.save(&tx).await?;
        self.save_link(&tx).await?;
        let made = made_id(&sent.write, effect);
        self.save_marks(&tx, sent, made).await?;
        if let Some(key) = remembered_key(&sent.write, effect) {
            self.remember(&tx, key, &sent.write, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The write was certainly not applied.
    async fn forget(&mut self, sent: &Sent) -> Result<(), Failure> {
        self.progress.sent = None;
        let tx = self.context.db.begin().await?;
        self.save(&tx).await?;
        for mark in std::iter::once(sent.mark).chain(sent.parent_mark) {
            memory::delete_echo(&tx, self.delivery.workspace, mark).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn save(&mut self, tx: &Tx) -> Result<(), Failure> {
        self.delivery.progress =
            serde_json::to_value(&self.progress).map_err(|_| Failure::Engine(EngineError::SecretShape))?;
        deliveries::save_progress(tx, &self.delivery, &self.context.owner).await?;
        Ok(())
    }

    async fn save_marks(&self, tx: &Tx, sent: &Sent, made: Option<RecordId>) -> Result<(), Failure> {
        let mark = self.mark(sent, made);
        if let (Some(id), Some(key)) = (sent.parent_mark, sent.write.key()) {
            let parent = Echo {
                id,
                kind: key.kind,
                record: Some(key.id.clone()),
                ..mark.clone()
            };
            memory::insert_echo(tx, &parent).await?;
        }
        memory::insert_echo(tx, &mark).await?;
        Ok(())
    }

    fn mark(&self, sent: &Sent, made: Option<RecordId>) -> Echo {
        let settings = &self.context.settings;
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
            expires_at: self.context.clock.now().plus_ms(window),
        }
    }

    /// What was written is now part of what is known of the record; a contact's phones find it again.
    async fn remember(&self, tx: &Tx, key: &RecordKey, write: &Write, now: Timestamp) -> Result<(), Failure> {
        let (workspace, connection) = (self.delivery.workspace, self.connection.id);
        let fields = written_fields(write);
        if !fields.is_empty() {
            let known = memory::snapshot(tx, workspace, connection, key).await?;
            let mut record =
                known.map_or_else(|| Record::new(key.kind, key.id.clone()), |known| known.record);
            for (field, value) in &fields {
                record.set(*field, value.clone());
            }
            memory::save_snapshot(tx, workspace, connection, &record, now).await?;
        }
        if matches!(write, Write::CreateContact { .. }) {
            for phone in phones(&fields) {
                memory::remember_contact(tx, workspace, connection, &phone, &key.id, now).await?;
            }
        }
        Ok(())
    }

    /// Links the event's record with the target, as far as both are known.
    async fn save_link(&self, tx: &Tx) -> Result<(), Failure> {
        let Some(target) = &self.progress.record else {
            return Ok(());
        };
        let event = &self.event.event;
        if event.connection == self.connection.id || event.fact.key.kind == RecordKind::Event {
            return Ok(());
        }
        let now = self.context.clock.now();
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
