//! Reading leads, contacts and calls; searching contacts.

use super::{LptrackerConnector, found, number};
use crate::convert;
use crate::convert::records;
use crate::convert::write::same_email;
use crate::phone;
use crate::wire::call::Call;
use crate::wire::contact::Contact;
use crate::wire::lead::Lead;
use crate::wire::list;
use ::connector::ConnectorError;
use ::connector::connector::{ContactQuery, Snapshot};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use std::cmp::Reverse;

/// Of a contact with more leads than this, the newest are looked at.
const MAX_LEADS: usize = 30;

impl LptrackerConnector {
    pub(super) async fn read_record(
        &self,
        key: &RecordKey,
        related: bool,
    ) -> Result<Option<Snapshot>, ConnectorError> {
        let id = number(&key.id)?;
        match key.kind {
            RecordKind::Lead => self.read_lead_snapshot(id, related).await,
            RecordKind::LeadContact => {
                let contact = self.get_contact(id).await?;
                Ok(contact.map(|contact| Snapshot {
                    records: vec![convert::contact(&contact, self.zone())],
                }))
            }
            _ => Err(ConnectorError::Unsupported {
                what: "чтение записи этого вида",
            }),
        }
    }

    async fn read_lead_snapshot(&self, id: i64, related: bool) -> Result<Option<Snapshot>, ConnectorError> {
        let Some(mut lead) = self.get_lead(id).await? else {
            return Ok(None);
        };
        let contact_known = lead
            .contact
            .as_ref()
            .is_some_and(|contact| contact.details.is_some());
        let needed =
            (related && !contact_known) || (lead.project_id.is_none() && self.only_project().is_none());
        if needed && let Some(contact_id) = lead.contact_id {
            match self.get_contact(contact_id).await? {
                Some(contact) => {
                    lead.project_id = lead.project_id.or(contact.project_id);
                    lead.contact = Some(contact);
                }
                // The contact is not ours, then neither is the lead.
                None if !self.client.settings().projects.is_empty() && lead.project_id.is_none() => {
                    return Ok(None);
                }
                None => {}
            }
        }
        let mut records = vec![self.lead_record(&lead).await?];
        if related && let Some(contact) = &lead.contact {
            records.push(convert::contact(contact, self.zone()));
        }
        Ok(Some(Snapshot { records }))
    }

    /// A lead of our projects; `None` for one that is absent or another's.
    pub(super) async fn get_lead(&self, id: i64) -> Result<Option<Lead>, ConnectorError> {
        let Some(json) = found(self.client.get(&["lead", &id.to_string()], &[]).await)? else {
            return Ok(None);
        };
        if json.is_null() {
            return Ok(None);
        }
        let lead = Lead::read(&json, self.zone())
            .ok_or_else(|| super::protocol("ответ на чтение лида без номера"))?;
        Ok(Some(lead).filter(|lead| self.is_ours(lead.project_id)))
    }

    /// A contact of our projects; `None` for one that is absent or another's.
    pub(super) async fn get_contact(&self, id: i64) -> Result<Option<Contact>, ConnectorError> {
        let Some(json) = found(self.client.get(&["contact", &id.to_string()], &[]).await)? else {
            return Ok(None);
        };
        if json.is_null() {
            return Ok(None);
        }
        let contact = Contact::read(&json, self.zone())
            .ok_or_else(|| super::protocol("ответ на чтение контакта без номера"))?;
        Ok(Some(contact).filter(|contact| self.is_ours(contact.project_id)))
    }

    /// A lead as a record. Only category fields need definitions: the answer does not tell single choice from
    /// several.
    pub(super) async fn lead_record(&self, lead: &Lead) -> Result<Record, ConnectorError> {
        let project = lead.project_id.or(self.only_project());
        let has_categories = lead.custom.iter().flatten().any(|field| field.kind == "cats");
        let fields = match project {
            Some(project) if has_categories => Some(self.fields_of(project).await?),
            _ => None,
        };
        let types = |id: i64| fields.as_ref()?.get(&id).map(|info| info.field_type);
        Ok(convert::lead(lead, project, &types, self.zone()))
    }

    pub(super) async fn search_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        let contacts = self.matching_contacts(query, &self.projects().await?).await?;
        let mut records: Vec<Record> = contacts
            .iter()
            .map(|contact| convert::contact(contact, self.zone()))
            .collect();
        records.sort_by_key(|record| (records::created_at(record), record.key.id.number()));
        Ok(records)
    }

    /// Contacts of the given projects that really match: whether the service compares whole numbers or endings
    /// is not known.
    pub(super) async fn matching_contacts(
        &self,
        query: &ContactQuery,
        projects: &[i64],
    ) -> Result<Vec<Contact>, ConnectorError> {
        let (name, value) = match query {
            ContactQuery::Phone(phone) => ("phone", phone::normalised(phone)),
            ContactQuery::Email(email) => ("email", email.trim().to_owned()),
            ContactQuery::Name(_) => {
                return Err(ConnectorError::Unsupported {
                    what: "поиск контакта по имени",
                });
            }
        };
        let mut matching: Vec<Contact> = Vec::new();
        if value.is_empty() {
            return Ok(matching);
        }
        for project in projects {
            let query = [("project_id", project.to_string()), (name, value.clone())];
            let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
            let Some(answer) = found(self.client.get(&["contact", "search"], &query).await)? else {
                continue;
            };
            for mut contact in list(&answer, |json| Contact::read(json, self.zone())) {
                let same_project = contact.project_id.is_none_or(|id| id == *project);
                let matches = match name {
                    "phone" => contact.data("phone").any(|data| phone::same(data, &value)),
                    _ => contact.data("email").any(|data| same_email(data, &value)),
                };
                if same_project && matches && !matching.iter().any(|known| known.id == contact.id) {
                    contact.project_id = Some(*project);
                    matching.push(contact);
                }
            }
        }
        Ok(matching)
    }

    pub(super) async fn leads_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let mut records = Vec::new();
        for lead in self.complete_leads(number(contact)?).await? {
            records.push(self.lead_record(&lead).await?);
        }
        records.sort_by_key(|record| Reverse((records::created_at(record), record.key.id.number())));
        Ok(records)
    }

    /// Leads of a contact, newest ids first; those that the list shows only in part are read one by one.
    pub(super) async fn complete_leads(&self, contact: i64) -> Result<Vec<Lead>, ConnectorError> {
        let path = ["contact", &contact.to_string(), "leads"];
        let Some(answer) = found(self.client.get(&path, &[]).await)? else {
            return Ok(Vec::new());
        };
        let mut leads = list(&answer, |json| Lead::read(json, self.zone()));
        leads.sort_by_key(|lead| Reverse(lead.id));
        leads.truncate(MAX_LEADS);
        let mut complete = Vec::with_capacity(leads.len());
        for mut lead in leads {
            lead.project_id = lead.project_id.or(self.only_project());
            if !lead.is_complete() {
                match self.get_lead(lead.id).await? {
                    Some(whole) => lead = whole,
                    None => continue,
                }
            }
            if self.is_ours(lead.project_id) {
                complete.push(lead);
            }
        }
        Ok(complete)
    }

    pub(super) async fn calls_of_lead(&self, lead: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let lead = number(lead)?;
        let calls = self.get_calls(lead).await?;
        Ok(calls.iter().map(|call| convert::call(call, lead, None)).collect())
    }

    pub(super) async fn get_calls(&self, lead: i64) -> Result<Vec<Call>, ConnectorError> {
        let answer = self
            .client
            .get(&["lead", &lead.to_string(), "calls"], &[])
            .await?;
        Ok(list(&answer, |json| Call::read(json, self.zone())))
    }
}
