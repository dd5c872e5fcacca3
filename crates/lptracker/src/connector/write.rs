//! Carrying out writes. Each is one request, sent once; reads may come before it.

use super::{LptrackerConnector, number, protocol};
use crate::convert::write as body;
use crate::envelope;
use crate::wire::lead::Lead;
use crate::wire::scalar;
use ::connector::ConnectorError;
use ::connector::connector::Effect;
use domain::command::{FieldWrite, NewPayment, Write};
use domain::field::FieldKey;
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::value::Stage;
use serde_json::Value as Json;
use std::time::Duration;

/// Pauses before a comment on a lead that is not visible yet is sent again (contract §0.9). Such a refusal
/// wrote nothing, so sending again is safe.
const VISIBLE_AFTER: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl LptrackerConnector {
    pub(super) async fn carry_out(&self, write: &Write) -> Result<Effect, ConnectorError> {
        match write {
            Write::CreateContact {
                kind: RecordKind::LeadContact,
                fields,
                pipeline,
            } => self.create_contact(fields, *pipeline).await,
            Write::CreateRecord {
                kind: RecordKind::Lead,
                contact,
                fields,
                stage,
                responsible,
                tags,
            } => {
                if !tags.is_empty() {
                    return Err(ConnectorError::Unsupported {
                        what: "теги лида"
                    });
                }
                self.create_lead(contact.as_ref(), fields, *stage, *responsible)
                    .await
            }
            Write::UpdateRecord { key, fields } => match key.kind {
                RecordKind::Lead => self.update_lead(key, fields).await,
                RecordKind::LeadContact => self.update_contact(key, fields).await,
                _ => Err(ConnectorError::Unsupported {
                    what: "изменение записи этого вида",
                }),
            },
            Write::Move { key, stage, .. } => self.put_lead(key, &["funnel"], &body::step(*stage)).await,
            Write::SetResponsible { key, user } => self.put_lead(key, &["owner"], &body::owner(*user)).await,
            Write::AddNote { key, text } => self.add_comment(key, text).await,
            Write::AddPayment { key, payment } => self.add_payment(key, payment).await,
            Write::StartCall { key } => {
                let id = lead_id(key)?.to_string();
                self.client.post(&["lead", &id, "call"], None).await?;
                Ok(Effect {
                    key: Some(key.clone()),
                    part: None,
                    updated_at: None,
                })
            }
            Write::CreateContact { .. } | Write::CreateRecord { .. } => Err(ConnectorError::Unsupported {
                what: "создание записи этого вида",
            }),
            Write::ChangeTags { .. } => Err(ConnectorError::Unsupported {
                what: "изменение тегов",
            }),
            Write::AddTask { .. } => Err(ConnectorError::Unsupported {
                what: "добавление задачи",
            }),
            Write::LogCall { .. } => Err(ConnectorError::Unsupported {
                what: "запись звонка",
            }),
        }
    }

    async fn create_contact(
        &self,
        fields: &[FieldWrite],
        pipeline: Option<i64>,
    ) -> Result<Effect, ConnectorError> {
        let project = self.project_for_contact(pipeline).await?;
        let body = body::new_contact(project, fields, self.zone())?;
        let answer = self.client.post(&["contact"], Some(&body)).await?;
        let id = scalar::id(&answer, "id").ok_or_else(|| protocol("созданный контакт без номера"))?;
        Ok(Effect {
            key: Some(RecordKey::new(RecordKind::LeadContact, id)),
            ..Effect::default()
        })
    }

    /// The project named, if it is ours; else the only one there is.
    pub(super) async fn project_for_contact(&self, pipeline: Option<i64>) -> Result<i64, ConnectorError> {
        match pipeline {
            Some(project) if self.is_ours(Some(project)) => Ok(project),
            Some(_) => Err(body::refused("pipeline", "проект не входит в это подключение")),
            None => match self.projects().await?.as_slice() {
                [one] => Ok(*one),
                _ => Err(body::refused("pipeline", "не указан проект нового контакта")),
            },
        }
    }

    async fn create_lead(
        &self,
        contact: Option<&RecordId>,
        fields: &[FieldWrite],
        stage: Option<Stage>,
        responsible: Option<i64>,
    ) -> Result<Effect, ConnectorError> {
        let contact = contact.ok_or_else(|| body::refused("contact", "лиду нужен контакт"))?;
        let contact = number(contact)?;
        if let Some(stage) = stage
            && !self.is_ours(Some(stage.pipeline))
        {
            return Err(body::refused("stage", "проект не входит в это подключение"));
        }
        let definitions = self.definitions_of(&custom_ids(fields)).await?;
        let known = |id: i64| definitions.get(&id).cloned();
        let body = body::new_lead(contact, fields, stage, responsible, &known, self.zone())?;
        let answer = self.client.post(&["lead"], Some(&body)).await?;
        let id = scalar::id(&answer, "id").ok_or_else(|| protocol("созданный лид без номера"))?;
        Ok(self.lead_effect(RecordKey::new(RecordKind::Lead, id), &answer))
    }

    async fn update_lead(&self, key: &RecordKey, fields: &[FieldWrite]) -> Result<Effect, ConnectorError> {
        let definitions = self.definitions_of(&custom_ids(fields)).await?;
        let known = |id: i64| definitions.get(&id).cloned();
        let body = body::lead_update(fields, &known, self.zone())?;
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Effect {
                key: Some(key.clone()),
                ..Effect::default()
            });
        }
        self.put_lead(key, &[], &body).await
    }

    /// The contact is read first: a `PUT` must carry the ids of the details it keeps.
    async fn update_contact(&self, key: &RecordKey, fields: &[FieldWrite]) -> Result<Effect, ConnectorError> {
        let id = number(&key.id)?;
        let contact = self.get_contact(id).await?.ok_or(ConnectorError::NotFound)?;
        let body = body::contact_update(&contact, fields, self.zone())?;
        self.client.put(&["contact", &id.to_string()], &body).await?;
        Ok(Effect {
            key: Some(key.clone()),
            ..Effect::default()
        })
    }

    async fn put_lead(&self, key: &RecordKey, rest: &[&str], body: &Json) -> Result<Effect, ConnectorError> {
        let id = lead_id(key)?.to_string();
        let mut path = vec!["lead", id.as_str()];
        path.extend(rest);
        let answer = self.client.put(&path, body).await?;
        Ok(self.lead_effect(key.clone(), &answer))
    }

    fn lead_effect(&self, key: RecordKey, answer: &Json) -> Effect {
        let updated_at = Lead::read(answer, self.zone()).and_then(|lead| lead.updated_at);
        Effect {
            key: Some(key),
            part: None,
            updated_at,
        }
    }

    async fn add_comment(&self, key: &RecordKey, text: &str) -> Result<Effect, ConnectorError> {
        let id = lead_id(key)?.to_string();
        let body = body::comment(text);
        let mut pauses = VISIBLE_AFTER.into_iter();
        let answer = loop {
            let error = match self.client.post(&["lead", &id, "comment"], Some(&body)).await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if envelope::is_invisible_lead(&error) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        };
        let part = scalar::id(&answer, "id").map(|id| id.to_string());
        Ok(Effect {
            key: Some(key.clone()),
            part,
            updated_at: None,
        })
    }

    async fn add_payment(&self, key: &RecordKey, payment: &NewPayment) -> Result<Effect, ConnectorError> {
        let id = lead_id(key)?.to_string();
        let body = body::payment(payment)?;
        let answer = self.client.post(&["lead", &id, "payment"], Some(&body)).await?;
        Ok(self.lead_effect(key.clone(), &answer))
    }
}

/// The number of a lead; other kinds have no such operation.
pub(super) fn lead_id(key: &RecordKey) -> Result<i64, ConnectorError> {
    match key.kind {
        RecordKind::Lead => number(&key.id),
        _ => Err(ConnectorError::Unsupported {
            what: "действие с записью этого вида",
        }),
    }
}

/// Ids of the custom fields that are written.
pub(super) fn custom_ids(fields: &[FieldWrite]) -> Vec<i64> {
    fields
        .iter()
        .filter_map(|field| match field.key {
            FieldKey::Custom(id) => Some(id),
            FieldKey::System(_) => None,
        })
        .collect()
}
