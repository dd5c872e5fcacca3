//! Contacts: operations and routes (contract §3).

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::hooks::Action;
use super::model::{Contact, Detail};
use super::render::{self, Answer};
use super::router::{Call, object_id};
use super::state::{By, IdKind, State};
use super::text::{digits, flag, int, scalar, text_of, value_pairs};

/// A detail as it was sent.
struct SentDetail {
    id: Option<i64>,
    kind: String,
    data: String,
}

impl State {
    /// Routes below `/contact`; `rest` is the path after it.
    pub(super) fn contact_routes(&mut self, call: &Call<'_>, rest: &[&str]) -> Result<Value, ApiError> {
        let login = call.login;
        match (call.method, rest) {
            ("POST", []) => {
                let id = self.create_contact(call.body, login, call.by)?;
                Ok(self.contact_json(self.contact(id)?))
            }
            ("GET", ["search"]) => self.search_contacts(call),
            ("GET", ["details", id]) => self
                .own_detail(login, object_id(id)?)
                .map(|(_, d)| render::detail(&d)),
            ("PUT", ["details", id]) => self.put_detail(login, object_id(id)?, call),
            // The service's own deletion of a detail never worked.
            ("DELETE", ["details", id]) => self
                .own_detail(login, object_id(id)?)
                .and_then(|_| Err(ApiError::bad_request())),
            ("GET", [id]) => Ok(self.contact_json(self.own_contact(login, object_id(id)?)?)),
            ("PUT", [id]) => {
                let id = self.own_contact(login, object_id(id)?)?.id;
                self.edit_contact(id, call.body, call.by)?;
                Ok(self.contact_json(self.contact(id)?))
            }
            ("DELETE", [id]) => {
                let id = self.own_contact(login, object_id(id)?)?.id;
                self.delete_contact(id, call.by);
                Ok(Value::Bool(true))
            }
            ("GET", [id, "leads"]) => {
                let id = self.own_contact(login, object_id(id)?)?.id;
                Ok(self
                    .leads_of(id)
                    .into_iter()
                    .filter_map(|id| self.contact_lead(id))
                    .collect())
            }
            ("GET" | "PUT" | "DELETE", [id, "field", field]) => {
                let id = self.own_contact(login, object_id(id)?)?.id;
                self.contact_field(id, object_id(field)?, call)
            }
            _ => Err(ApiError::not_found()),
        }
    }

    fn contact_lead(&self, lead_id: i64) -> Option<Value> {
        let mut lead = self.lead_json(self.lead(lead_id).ok()?, Answer::Listed);
        if self.settings.slim_contact_leads
            && let Some(map) = lead.as_object_mut()
        {
            for key in ["custom", "view", "contact"] {
                map.remove(key);
            }
        }
        Some(lead)
    }

    /// `POST /contact` and the inline contact of `POST /lead`. Never merges with an existing contact.
    pub(super) fn create_contact(
        &mut self,
        body: &Map<String, Value>,
        login: &str,
        by: By,
    ) -> Result<i64, ApiError> {
        let project_id = body
            .get("project_id")
            .and_then(int)
            .ok_or_else(|| ApiError::invalid("project ID"))?;
        if !self.owns(login, project_id) {
            return Err(ApiError::invalid("project ID"));
        }
        let sent = sent_details(body.get("details").unwrap_or(&Value::Null))?;
        if sent.is_empty() {
            return Err(ApiError::invalid("details"));
        }
        let fields = self.accept_contact_fields(project_id, body)?;
        let details: Vec<Detail> = sent
            .into_iter()
            .map(|detail| Detail {
                id: self.ids.next(IdKind::Detail),
                kind: detail.kind,
                data: detail.data,
            })
            .collect();
        let name = text_of(body, "name");
        let id = self.ids.next(IdKind::Contact);
        let contact = Contact {
            id,
            project_id,
            name: if name.is_empty() {
                details[0].data.clone()
            } else {
                name
            },
            profession: text_of(body, "profession"),
            site: text_of(body, "site"),
            details,
            fields: fields
                .into_iter()
                .filter_map(|(id, value)| Some((id, value?)))
                .collect(),
            created_ms: by.now_ms,
        };
        self.contacts.insert(id, contact);
        Ok(id)
    }

    /// `PUT /contact/{id}`: sent keys change; a detail with an id replaces that detail, one without is added;
    /// others stay unless `clear_contacts` is set.
    pub(super) fn edit_contact(
        &mut self,
        id: i64,
        body: &Map<String, Value>,
        by: By,
    ) -> Result<(), ApiError> {
        let project_id = self.contact(id)?.project_id;
        let sent = match body.get("details") {
            None | Some(Value::Null) => None,
            Some(details) => Some(sent_details(details)?),
        };
        let known: Vec<i64> = self.contact(id)?.details.iter().map(|detail| detail.id).collect();
        let strange = |detail: &SentDetail| detail.id.is_some_and(|id| !known.contains(&id));
        if sent.as_ref().is_some_and(|sent| sent.iter().any(strange)) {
            return Err(ApiError::invalid("detail ID"));
        }
        let clear = body.get("clear_contacts").and_then(flag).unwrap_or(false);
        if clear && sent.as_ref().is_some_and(Vec::is_empty) {
            return Err(ApiError::invalid("details"));
        }
        let fields = self.accept_contact_fields(project_id, body)?;
        let mut details = self.contact(id)?.details.clone();
        if let Some(sent) = sent {
            if clear {
                details.retain(|old| {
                    sent.iter()
                        .any(|new| new.id == Some(old.id) || (new.kind == old.kind && new.data == old.data))
                });
            }
            for new in sent {
                if let Some(old) = details.iter_mut().find(|old| Some(old.id) == new.id) {
                    (old.kind, old.data) = (new.kind, new.data);
                } else if !details
                    .iter()
                    .any(|old| old.kind == new.kind && old.data == new.data)
                {
                    details.push(Detail {
                        id: self.ids.next(IdKind::Detail),
                        kind: new.kind,
                        data: new.data,
                    });
                }
            }
        }
        let contact = self.contact_mut(id)?;
        for (key, slot) in [
            ("name", &mut contact.name),
            ("profession", &mut contact.profession),
            ("site", &mut contact.site),
        ] {
            if let Some(text) = body.get(key).and_then(scalar) {
                *slot = text;
            }
        }
        contact.details = details;
        for (field, value) in fields {
            match value {
                Some(value) => contact.fields.insert(field, value),
                None => contact.fields.remove(&field),
            };
        }
        self.contact_changed(id, by);
        Ok(())
    }

    /// Removes the contact with its leads (whether the service cascades is not known).
    pub(super) fn delete_contact(&mut self, id: i64, by: By) {
        for lead in self.leads_of(id) {
            self.delete_lead(lead, by);
        }
        self.contacts.remove(&id);
    }

    fn contact_changed(&mut self, contact_id: i64, by: By) {
        for lead in self.leads_of(contact_id) {
            self.queue_lead(lead, Action::Update, &["contact"], by);
        }
    }

    fn accept_contact_fields(
        &self,
        project_id: i64,
        body: &Map<String, Value>,
    ) -> Result<Vec<(i64, Option<String>)>, ApiError> {
        // The documentation prints both spellings.
        let Some(map) = body.get("fields").or_else(|| body.get("field")) else {
            return Ok(Vec::new());
        };
        let known = &self.project(project_id)?.contact_fields;
        let pairs = value_pairs(map).ok_or_else(|| ApiError::invalid("fields"))?;
        pairs
            .into_iter()
            .map(|(id, value)| {
                if !known.iter().any(|field| field.id == id) {
                    return Err(ApiError::invalid(&format!("field {id}")));
                }
                match value {
                    Value::Null => Ok((id, None)),
                    value => match scalar(&value) {
                        Some(text) => Ok((id, Some(text).filter(|text| !text.is_empty()))),
                        None => Err(ApiError::invalid(&format!("value of field {id}"))),
                    },
                }
            })
            .collect()
    }

    fn search_contacts(&self, call: &Call<'_>) -> Result<Value, ApiError> {
        let query = &call.query;
        let project_id = query.get("project_id").and_then(|text| text.trim().parse().ok());
        let project_id: i64 = project_id.ok_or_else(ApiError::bad_request)?;
        self.own_project(call.login, project_id)?;
        let mut wanted: Vec<(&str, String)> = Vec::new();
        for kind in ["phone", "email", "max_bot_id", "max_user_id"] {
            wanted.extend(query.all(kind).into_iter().map(|value| (kind, value)));
        }
        if wanted.is_empty() {
            return Err(ApiError::bad_request());
        }
        let hit = |detail: &Detail| {
            wanted.iter().any(|(kind, value)| {
                detail.kind == *kind
                    && match *kind {
                        "phone" => !digits(value).is_empty() && detail.data == digits(value),
                        _ => detail.data.to_lowercase() == value.to_lowercase(),
                    }
            })
        };
        let found = self
            .contacts
            .values()
            .filter(|contact| contact.project_id == project_id);
        Ok(found
            .filter(|contact| contact.details.iter().any(hit))
            .map(|contact| self.contact_json(contact))
            .collect())
    }

    fn own_detail(&self, login: &str, detail_id: i64) -> Result<(i64, Detail), ApiError> {
        let (contact, detail) = self.detail(detail_id)?;
        self.own_contact(login, contact.id)?;
        Ok((contact.id, detail.clone()))
    }

    fn put_detail(&mut self, login: &str, detail_id: i64, call: &Call<'_>) -> Result<Value, ApiError> {
        let (contact_id, detail) = self.own_detail(login, detail_id)?;
        let value = text_of(call.body, "value");
        let data = spelled(&detail.kind, &value).ok_or_else(|| ApiError::invalid("value"))?;
        let details = &mut self.contact_mut(contact_id)?.details;
        if let Some(stored) = details.iter_mut().find(|stored| stored.id == detail_id) {
            stored.data = data;
        }
        self.contact_changed(contact_id, call.by);
        // This answer shows the value as it was sent; the next read shows it as it is stored.
        Ok(json!({"id": detail_id.to_string(), "type": detail.kind, "data": value}))
    }

    fn contact_field(&mut self, contact_id: i64, field_id: i64, call: &Call<'_>) -> Result<Value, ApiError> {
        let project_id = self.contact(contact_id)?.project_id;
        let fields = &self.project(project_id)?.contact_fields;
        let field = fields
            .iter()
            .find(|field| field.id == field_id)
            .ok_or_else(ApiError::not_found)?
            .clone();
        let contact = self.contact_mut(contact_id)?;
        match call.method {
            "PUT" => {
                let value = call
                    .body
                    .get("value")
                    .and_then(scalar)
                    .ok_or_else(|| ApiError::invalid("value"))?;
                contact.fields.insert(field_id, value);
                self.contact_changed(contact_id, call.by);
            }
            "DELETE" => {
                contact.fields.remove(&field_id);
                self.contact_changed(contact_id, call.by);
            }
            _ => {}
        }
        let value = self.contact(contact_id)?.fields.get(&field_id);
        Ok(json!({"id": field_id.to_string(), "name": field.name, "type": field.kind, "value": value}))
    }
}

/// How a detail is stored: phones as digits, the rest trimmed; `None` when nothing is left.
fn spelled(kind: &str, data: &str) -> Option<String> {
    let data = if kind == "phone" {
        digits(data)
    } else {
        data.trim().to_owned()
    };
    (!data.is_empty()).then_some(data)
}

fn sent_details(value: &Value) -> Result<Vec<SentDetail>, ApiError> {
    let refuse = || ApiError::invalid("details");
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => return Err(refuse()),
    };
    items
        .iter()
        .map(|item| {
            let kind = item
                .get("type")
                .and_then(Value::as_str)
                .map(str::trim)
                .unwrap_or_default()
                .to_owned();
            let data = item.get("data").and_then(scalar).unwrap_or_default();
            let data = spelled(&kind, &data)
                .filter(|_| !kind.is_empty())
                .ok_or_else(refuse)?;
            let id = item
                .get("id")
                .filter(|id| !id.is_null())
                .map(|id| int(id).ok_or_else(refuse))
                .transpose()?;
            Ok(SentDetail { id, kind, data })
        })
        .collect()
}
