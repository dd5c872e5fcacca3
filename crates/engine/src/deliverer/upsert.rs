//! Find or create a deal or lead with its contact. Duplicates are never made silently: the link decides
//! first, then the ways the rule names, one after the other.

use super::attempt::Attempt;
use super::case::{contact_kind, phones, texts};
use super::diff;
use super::failure::Failure;
use connector::{ContactQuery, Snapshot};
use domain::catalogue::StageKind;
use domain::command::{FieldWrite, IfFound, IfNone, MatchBy, Pick, Upsert, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey};
use domain::value::{Stage, Value};
use storage::{connections, links, memory};

/// How an upsert ended.
pub(super) enum Ended {
    Done,
    /// Nothing was done, and why.
    Skipped(String),
}

impl Attempt<'_> {
    pub(super) async fn upsert(&mut self, wanted: &Upsert) -> Result<Ended, Failure> {
        if self.case.progress.record.is_none() {
            // Two deliveries for one phone must not both find nothing and both create.
            let who = who(wanted);
            let turn = self.context.turns.of(self.case.connection.id, &who);
            let _turn = self.desk.aside(turn).await;
            if let Some(snapshot) = self.find(wanted).await? {
                self.plan_found(wanted, &snapshot).await?;
            } else {
                match wanted.search.if_none {
                    IfNone::Skip => return Ok(Ended::Skipped("подходящая запись не найдена".to_owned())),
                    IfNone::Fail => {
                        return Err(Failure::Refused {
                            code: "not_found",
                            text: "подходящая запись не найдена, правило запрещает создавать новую"
                                .to_owned(),
                        });
                    }
                    IfNone::Create => self.create(wanted).await?,
                }
            }
        }
        self.finish().await?;
        if self.case.progress.n_done == 0 {
            return Ok(Ended::Skipped("запись уже в нужном состоянии".to_owned()));
        }
        Ok(Ended::Done)
    }

    async fn create(&mut self, wanted: &Upsert) -> Result<(), Failure> {
        let kind = contact_kind(wanted.kind);
        if self.case.progress.contact.is_none() && !wanted.contact.is_empty() {
            let pipeline = wanted.stage.map(|stage| stage.pipeline);
            self.write(Write::CreateContact {
                kind,
                fields: wanted.contact.clone(),
                pipeline,
            })
            .await?;
        } else if let Some(id) = self.case.progress.contact.clone() {
            // The contact is known already: it gets what it lacks, but loses nothing.
            let key = RecordKey::new(kind, id);
            if let Some(known) = self.read(&key).await?
                && let Some(record) = known.record(kind)
                && let Some(write) = diff::fields(record, &diff::keep_addresses(&wanted.contact))
            {
                self.write(write).await?;
            }
        }
        self.write(Write::CreateRecord {
            kind: wanted.kind,
            contact: self.case.progress.contact.clone(),
            fields: wanted.fields.clone(),
            stage: wanted.stage,
            responsible: wanted.responsible,
            tags: wanted.tags.clone(),
        })
        .await?;
        self.case.progress.todo = Some(Vec::new());
        Ok(())
    }

    async fn plan_found(&mut self, wanted: &Upsert, snapshot: &Snapshot) -> Result<(), Failure> {
        let Some(record) = snapshot.record(wanted.kind) else {
            return Ok(());
        };
        let mut todo = Vec::new();
        if wanted.search.if_found == IfFound::Update {
            todo.extend(diff::fields(record, &wanted.fields));
            if let Some(contact) = snapshot.record(contact_kind(wanted.kind)) {
                todo.extend(diff::fields(contact, &diff::keep_addresses(&wanted.contact)));
            }
            todo.extend(wanted.stage.and_then(|stage| diff::stage(record, stage, None)));
            todo.extend(
                wanted
                    .responsible
                    .and_then(|user| diff::responsible(record, user)),
            );
            todo.extend(diff::tags(record, &wanted.tags, &[]));
        }
        self.case.progress.record = Some(record.key.clone());
        if let Some(contact) = snapshot.record(contact_kind(wanted.kind)) {
            self.case.progress.contact = Some(contact.key.id.clone());
        }
        self.case.progress.todo = Some(todo);
        self.case.delivery.record = Some(record.key.clone());
        self.keep().await
    }

    /// Looks for the record in the order the rule names. Remembers a contact that was found without one.
    async fn find(&mut self, wanted: &Upsert) -> Result<Option<Snapshot>, Failure> {
        for way in &wanted.search.order {
            let contacts = match way {
                MatchBy::Link => match self.linked(wanted).await? {
                    Some(found) => return Ok(Some(found)),
                    None => continue,
                },
                MatchBy::Phone => self.by_phone(wanted).await?,
                MatchBy::Email => self.by_text(wanted, SystemField::Email).await?,
                MatchBy::Name => self.by_text(wanted, SystemField::Name).await?,
            };
            if let Some(found) = self.record_of(wanted, &contacts).await? {
                return Ok(Some(found));
            }
            if self.case.progress.contact.is_none()
                && let Some(first) = contacts.into_iter().next()
            {
                self.case.progress.contact = Some(first);
            }
        }
        Ok(None)
    }

    async fn linked(&mut self, wanted: &Upsert) -> Result<Option<Snapshot>, Failure> {
        let event = &self.case.event.event;
        let link = crate::links::to(
            &self.context.db,
            event.workspace,
            event.connection,
            &event.fact.key,
            self.case.connection.id,
        )
        .await?;
        let Some(link) = link else { return Ok(None) };
        if self.case.progress.contact.is_none() {
            self.case.progress.contact = link.id_of(contact_kind(wanted.kind)).cloned();
        }
        let Some(id) = link.id_of(wanted.kind) else {
            return Ok(None);
        };
        self.read(&RecordKey::new(wanted.kind, id.clone())).await
    }

    async fn by_phone(&mut self, wanted: &Upsert) -> Result<Vec<RecordId>, Failure> {
        let mut found = Vec::new();
        for phone in phones(&written(&wanted.contact)) {
            // Our own memory first: the CRM's search does not see a fresh contact for some seconds.
            let known = memory::known_contact(
                &self.context.db,
                self.case.delivery.workspace,
                self.case.connection.id,
                &phone,
            )
            .await?;
            if let Some(id) = known
                && self
                    .read(&RecordKey::new(contact_kind(wanted.kind), id.clone()))
                    .await?
                    .is_some()
            {
                push_new(&mut found, id);
            }
            for contact in self.contacts(ContactQuery::Phone(phone)).await? {
                push_new(&mut found, contact.key.id);
            }
        }
        Ok(found)
    }

    async fn by_text(&mut self, wanted: &Upsert, field: SystemField) -> Result<Vec<RecordId>, Failure> {
        let mut found = Vec::new();
        for write in wanted
            .contact
            .iter()
            .filter(|write| write.key == FieldKey::System(field))
        {
            for text in texts(&write.value) {
                let query = if field == SystemField::Email {
                    ContactQuery::Email(text)
                } else {
                    ContactQuery::Name(text)
                };
                for contact in self.contacts(query).await? {
                    push_new(&mut found, contact.key.id);
                }
            }
        }
        Ok(found)
    }

    /// The record to take among those of the contacts.
    async fn record_of(
        &mut self,
        wanted: &Upsert,
        contacts: &[RecordId],
    ) -> Result<Option<Snapshot>, Failure> {
        let catalogue = connections::catalogue(
            &self.context.db,
            self.case.delivery.workspace,
            self.case.connection.id,
        )
        .await?;
        let is_closed = |stage: Stage| {
            catalogue
                .as_ref()
                .and_then(|catalogue| catalogue.stage(stage))
                .is_some_and(|(_, info)| matches!(info.kind, StageKind::Won | StageKind::Lost))
        };
        for contact in contacts {
            let mut open: Vec<Record> = Vec::new();
            for record in self.records_of_contact(contact).await? {
                let stage = match record.get(SystemField::Stage.into()) {
                    Some(Value::Stage(stage)) => Some(*stage),
                    _ => None,
                };
                let elsewhere = matches!(wanted.search.pick, Pick::InPipeline { pipeline }
                    if stage.is_none_or(|stage| stage.pipeline != pipeline));
                if elsewhere || stage.is_some_and(is_closed) || self.is_anothers(&record.key).await? {
                    continue;
                }
                open.push(record);
            }
            if open.len() > 1 && wanted.search.pick == Pick::Single {
                return Err(Failure::Refused {
                    code: "several_found",
                    text: format!(
                        "у контакта несколько открытых записей ({}), выберите сами",
                        open.len()
                    ),
                });
            }
            if let Some(newest) = open.first() {
                self.case.progress.contact = Some(contact.clone());
                return self.read(&newest.key).await;
            }
        }
        Ok(None)
    }

    async fn contacts(&self, query: ContactQuery) -> Result<Vec<Record>, Failure> {
        self.call(|connector| async move { connector.find_contacts(&query).await })
            .await
    }

    async fn records_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, Failure> {
        let contact = contact.clone();
        self.call(|connector| async move { connector.records_of_contact(&contact).await })
            .await
    }

    /// The record already belongs to another record of the event's CRM: writing to it would mix two deals up.
    async fn is_anothers(&self, key: &RecordKey) -> Result<bool, Failure> {
        let event = &self.case.event.event;
        let links = links::of_record(
            &self.context.db,
            self.case.delivery.workspace,
            self.case.connection.id,
            key,
        )
        .await?;
        Ok(links.iter().any(|link| {
            let joins_us = link.amocrm == event.connection || link.lptracker == event.connection;
            joins_us
                && link
                    .id_of(event.fact.key.kind)
                    .is_some_and(|id| *id != event.fact.key.id)
        }))
    }
}

/// Whose turn it is: everything that could create the same contact waits for each other.
fn who(wanted: &Upsert) -> String {
    let fields = written(&wanted.contact);
    phones(&fields).into_iter().next().unwrap_or_else(|| {
        let first = |field: SystemField| {
            fields
                .iter()
                .find(|(key, _)| *key == FieldKey::System(field))
                .and_then(|(_, value)| texts(value).pop())
        };
        first(SystemField::Email)
            .or_else(|| first(SystemField::Name))
            .unwrap_or_default()
            .to_lowercase()
    })
}

fn written(fields: &[FieldWrite]) -> Vec<(FieldKey, Value)> {
    fields
        .iter()
        .map(|field| (field.key, field.value.clone()))
        .collect()
}

fn push_new(list: &mut Vec<RecordId>, id: RecordId) {
    if !list.contains(&id) {
        list.push(id);
    }
}
