//! Finding out whether a write whose answer was lost was applied.
//!
//! LPTracker has no idempotency key, writes lead dates to the minute, and shows a payment without its time; what
//! cannot be told is said to be undecided, never guessed.

use super::write::lead_id;
use super::{LptrackerConnector, found, number};
use crate::convert::{self, write as body};
use crate::phone;
use crate::wire::contact::Contact;
use crate::wire::lead::Lead;
use crate::wire::list;
use crate::wire::project::Comment;
use ::connector::ConnectorError;
use ::connector::connector::{ContactQuery, Effect, Look};
use domain::command::{FieldWrite, NewPayment, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Stage, Value};

/// How far the service's clock may lag behind ours.
const SKEW_MS: i64 = 30_000;

/// Lead dates are cut to the minute besides.
const MINUTE_MS: i64 = 60_000;

impl LptrackerConnector {
    pub(super) async fn look_for(&self, write: &Write, since: Timestamp) -> Result<Look, ConnectorError> {
        match write {
            Write::CreateContact {
                kind: RecordKind::LeadContact,
                fields,
                pipeline,
            } => self.look_for_contact(fields, *pipeline, since).await,
            Write::CreateRecord {
                kind: RecordKind::Lead,
                contact: Some(contact),
                fields,
                stage,
                ..
            } => self.look_for_lead(contact, fields, *stage, since).await,
            Write::UpdateRecord { key, fields } if key.kind == RecordKind::LeadContact => {
                self.look_at_contact(key, fields).await
            }
            Write::UpdateRecord { key, fields } => {
                self.look_at_lead(key, |record| holds(record, fields)).await
            }
            Write::Move { key, stage, .. } => {
                let wanted = Value::Stage(*stage);
                self.look_at_lead(key, |record| {
                    record.get(SystemField::Stage.into()) == Some(&wanted)
                })
                .await
            }
            Write::SetResponsible { key, user } => {
                let wanted = Value::User(*user);
                self.look_at_lead(key, |record| {
                    record.get(SystemField::Responsible.into()) == Some(&wanted)
                })
                .await
            }
            Write::AddNote { key, text } => self.look_for_comment(key, text, since).await,
            Write::AddPayment { key, payment } => self.look_for_payment(key, payment, since).await,
            Write::StartCall { key } => self.look_for_call(key, since).await,
            _ => Err(ConnectorError::Unsupported {
                what: "проверка такого действия",
            }),
        }
    }

    async fn look_for_contact(
        &self,
        fields: &[FieldWrite],
        pipeline: Option<i64>,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let project = self.project_for_contact(pipeline).await?;
        let query = if let Some(phone) = first_text(fields, SystemField::Phone) {
            ContactQuery::Phone(phone)
        } else if let Some(email) = first_text(fields, SystemField::Email) {
            ContactQuery::Email(email)
        } else {
            // Such a contact is refused before it is sent.
            return Ok(Look::NotApplied);
        };
        let contacts = self.matching_contacts(&query, &[project]).await?;
        let candidates: Vec<i64> = contacts
            .iter()
            .filter(|contact| contact.created_at.is_none_or(|at| is_after(at, since)))
            .map(|contact| contact.id)
            .collect();
        Ok(one_of(
            &candidates,
            RecordKind::LeadContact,
            "несколько новых контактов с этим телефоном или e-mail",
        ))
    }

    /// Among the contact's leads, one made since then that holds what was written. Without a title or fields to
    /// tell by, any new lead of the contact is a candidate.
    async fn look_for_lead(
        &self,
        contact: &RecordId,
        fields: &[FieldWrite],
        stage: Option<Stage>,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let dated = fields
            .iter()
            .any(|field| field.key == SystemField::CreatedAt.into());
        let telling: Vec<FieldWrite> = fields
            .iter()
            .filter(|field| is_lasting(field.key))
            .cloned()
            .collect();
        let mut candidates = Vec::new();
        for lead in self.complete_leads(number(contact)?).await? {
            let in_project = stage.is_none_or(|stage| lead.project_id.is_none_or(|id| id == stage.pipeline));
            let is_new = dated || lead.created_at.is_none_or(|at| is_after_minute(at, since));
            if in_project && is_new && holds(&self.lead_record(&lead).await?, &telling) {
                candidates.push(lead.id);
            }
        }
        Ok(one_of(
            &candidates,
            RecordKind::Lead,
            "у контакта несколько подходящих новых лидов",
        ))
    }

    async fn look_at_lead(
        &self,
        key: &RecordKey,
        is_done: impl Fn(&domain::record::Record) -> bool + Send,
    ) -> Result<Look, ConnectorError> {
        let lead = self
            .get_lead(lead_id(key)?)
            .await?
            .ok_or(ConnectorError::NotFound)?;
        let record = self.lead_record(&lead).await?;
        Ok(match is_done(&record) {
            true => applied(key, None, lead.updated_at),
            false => Look::NotApplied,
        })
    }

    async fn look_at_contact(&self, key: &RecordKey, fields: &[FieldWrite]) -> Result<Look, ConnectorError> {
        let contact = self
            .get_contact(number(&key.id)?)
            .await?
            .ok_or(ConnectorError::NotFound)?;
        Ok(match contact_holds(&contact, fields, self)? {
            true => applied(key, None, None),
            false => Look::NotApplied,
        })
    }

    async fn look_for_comment(
        &self,
        key: &RecordKey,
        text: &str,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let path = ["lead", &lead_id(key)?.to_string(), "comments"];
        let answer = found(self.client.get(&path, &[]).await)?.ok_or(ConnectorError::NotFound)?;
        let comment = list(&answer, |json| Comment::read(json, self.zone()))
            .into_iter()
            .filter(|comment| comment.text.trim() == text.trim())
            .find(|comment| comment.created_at.is_none_or(|at| is_after(at, since)));
        Ok(match comment {
            Some(comment) => applied(key, comment.id.map(|id| id.to_string()), None),
            None => Look::NotApplied,
        })
    }

    /// Payments carry no time: one that fits, on a lead that changed since, is taken for ours.
    async fn look_for_payment(
        &self,
        key: &RecordKey,
        payment: &NewPayment,
        since: Timestamp,
    ) -> Result<Look, ConnectorError> {
        let lead = self
            .get_lead(lead_id(key)?)
            .await?
            .ok_or(ConnectorError::NotFound)?;
        if lead.updated_at.is_some_and(|at| !is_after_minute(at, since)) || lead.deal == Some(false) {
            return Ok(Look::NotApplied);
        }
        let Lead {
            payments: Some(payments),
            ..
        } = &lead
        else {
            return Ok(undecided("LPTracker не показал оплаты этого лида"));
        };
        let fitting = payments.iter().filter(|known| {
            known.sum == payment.sum && known.category == payment.category && known.purpose == payment.purpose
        });
        Ok(match fitting.count() {
            0 => Look::NotApplied,
            1 => applied(key, None, lead.updated_at),
            _ => undecided("у лида несколько одинаковых оплат, и неизвестно, какая из них новая"),
        })
    }

    /// A call shows itself only when it has ended, so its absence proves nothing, and a second one would ring at
    /// a person.
    async fn look_for_call(&self, key: &RecordKey, since: Timestamp) -> Result<Look, ConnectorError> {
        let calls = self.get_calls(lead_id(key)?).await?;
        let call = calls.iter().find(|call| {
            call.incoming != Some(true) && call.time.is_some_and(|time| time.0 >= since.0 - 5_000)
        });
        Ok(match call {
            Some(call) => applied(key, call.linkedid.clone(), None),
            None => undecided("звонок мог начаться и ещё не закончиться"),
        })
    }
}

fn is_after_minute(at: Timestamp, since: Timestamp) -> bool {
    is_after(at, since.plus_ms(-MINUTE_MS))
}

fn is_after(at: Timestamp, since: Timestamp) -> bool {
    at.0 >= since.0.saturating_sub(SKEW_MS)
}

fn applied(key: &RecordKey, part: Option<String>, updated_at: Option<Timestamp>) -> Look {
    Look::Applied(Effect {
        key: Some(key.clone()),
        part,
        updated_at,
    })
}

fn undecided(reason: &str) -> Look {
    Look::Undecided {
        reason: reason.to_owned(),
    }
}

fn one_of(candidates: &[i64], kind: RecordKind, several: &str) -> Look {
    match candidates {
        [] => Look::NotApplied,
        [id] => applied(&RecordKey::new(kind, *id), None, None),
        _ => undecided(several),
    }
}

/// Fields that a new lead still shows moments later: the traffic source appears late.
fn is_lasting(key: FieldKey) -> bool {
    matches!(key, FieldKey::Custom(_) | FieldKey::System(SystemField::Name))
}

fn first_text(fields: &[FieldWrite], field: SystemField) -> Option<String> {
    let write = fields.iter().find(|write| write.key == field.into())?;
    match &write.value {
        Value::Text(text) => Some(text.clone()),
        Value::Texts(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// Whether a record holds what was written, compared as the texts that both sides spell.
fn holds(record: &domain::record::Record, fields: &[FieldWrite]) -> bool {
    fields.iter().all(|field| match record.get(field.key) {
        Some(value) => spelled(value) == spelled(&field.value),
        None => field.value.is_empty(),
    })
}

/// One spelling for values that are written as one type and read as another: a number as text, one choice as a
/// list, a moment as its minute.
fn spelled(value: &Value) -> Vec<String> {
    use crate::wire::project::folded;
    match value {
        Value::Empty => Vec::new(),
        Value::Text(text) if text.trim().is_empty() => Vec::new(),
        Value::Text(text) => vec![folded(text)],
        Value::Texts(texts) => texts.iter().map(|text| folded(text)).collect(),
        Value::Choice(choice) => vec![folded(&choice.name)],
        Value::Choices(choices) => {
            let mut names: Vec<String> = choices.iter().map(|choice| folded(&choice.name)).collect();
            names.sort_unstable();
            names
        }
        Value::Number(number) => vec![number.normalize().to_string()],
        Value::Flag(flag) => vec![if *flag { "да" } else { "нет" }.to_owned()],
        Value::Instant(at) => vec![format!("minute {}", at.secs().div_euclid(60))],
        Value::User(id) | Value::Id(id) => vec![id.to_string()],
        other => vec![format!("{other:?}")],
    }
}

/// A contact holds the writes when carrying them out would change nothing.
fn contact_holds(
    contact: &Contact,
    fields: &[FieldWrite],
    connector: &LptrackerConnector,
) -> Result<bool, ConnectorError> {
    let body = body::contact_update(contact, fields, connector.zone())?;
    let record = convert::contact(contact, connector.zone());
    let other: Vec<FieldWrite> = fields
        .iter()
        .filter(|field| {
            !matches!(
                field.key,
                FieldKey::System(SystemField::Phone | SystemField::Email)
            )
        })
        .cloned()
        .collect();
    let details = contact.details.as_deref().unwrap_or_default();
    let sent = list(&body["details"], crate::wire::contact::Detail::read);
    let same_details = sent.len() == details.len()
        && sent.iter().zip(details).all(|(sent, known)| {
            sent.id == known.id && (sent.data == known.data || phone::same(&sent.data, &known.data))
        });
    Ok(same_details && holds(&record, &other))
}
