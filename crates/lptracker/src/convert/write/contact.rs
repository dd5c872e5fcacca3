//! Bodies of writes to contacts, whose details keep their ids.

use super::{not_here, plain, refused, several};
use crate::phone;
use crate::wire::contact::{Contact, Detail};
use ::connector::ConnectorError;
use domain::command::FieldWrite;
use domain::field::{FieldKey, SystemField};
use domain::time::Zone;
use serde_json::{Map, Value as Json, json};

/// Body of `POST /contact`. The name falls back to the phone or address; without either nothing identifies the
/// contact and the service refuses it.
pub fn new_contact(project: i64, fields: &[FieldWrite], zone: &Zone) -> Result<Json, ConnectorError> {
    let change = ContactChange::read(fields, zone)?;
    let details = change.merged_details(&[]);
    let Some(first) = details.first() else {
        return Err(refused(
            "phone",
            "для контакта LPTracker нужен телефон или e-mail",
        ));
    };
    let fallback = first.data.clone();
    let mut body = change.plain;
    body.insert("project_id".into(), json!(project));
    if body
        .get("name")
        .and_then(Json::as_str)
        .is_none_or(|name| name.trim().is_empty())
    {
        body.insert("name".into(), json!(fallback));
    }
    body.insert("details".into(), details.iter().map(detail_json).collect());
    if !change.custom.is_empty() {
        body.insert("fields".into(), Json::Object(change.custom));
    }
    Ok(Json::Object(body))
}

/// Body of `PUT /contact/{id}`, made from the contact as it was read.
///
/// Every detail is sent along with its id, since it is not known whether unsent ones are dropped. A number that
/// is no longer wanted gives its detail to a new one; one that nothing replaces stays, because the service has
/// no working way to delete a detail (contract §9.9).
pub fn contact_update(contact: &Contact, fields: &[FieldWrite], zone: &Zone) -> Result<Json, ConnectorError> {
    let change = ContactChange::read(fields, zone)?;
    let details = change.merged_details(contact.details.as_deref().unwrap_or_default());
    let mut body = change.plain;
    body.insert("id".into(), json!(contact.id));
    if !details.is_empty() {
        body.insert("details".into(), details.iter().map(detail_json).collect());
    }
    if !change.custom.is_empty() {
        body.insert("fields".into(), Json::Object(change.custom));
    }
    Ok(Json::Object(body))
}

fn detail_json(detail: &Detail) -> Json {
    match detail.id {
        Some(id) => json!({"id": id, "type": detail.kind, "data": detail.data}),
        None => json!({"type": detail.kind, "data": detail.data}),
    }
}

/// What a contact shall become.
#[derive(Default)]
struct ContactChange {
    plain: Map<String, Json>,
    phones: Option<Vec<String>>,
    emails: Option<Vec<String>>,
    custom: Map<String, Json>,
}

impl ContactChange {
    fn read(fields: &[FieldWrite], zone: &Zone) -> Result<Self, ConnectorError> {
        use SystemField as F;
        let mut change = Self::default();
        for FieldWrite { key, value, .. } in fields {
            match key {
                FieldKey::Custom(id) => {
                    change
                        .custom
                        .insert(id.to_string(), plain(*key, value, zone)?.into());
                }
                FieldKey::System(field @ (F::Name | F::Profession | F::Site)) => {
                    change
                        .plain
                        .insert(field.as_str().into(), plain(*key, value, zone)?.into());
                }
                FieldKey::System(F::Phone) => change.phones = Some(several(*key, value)?),
                FieldKey::System(F::Email) => change.emails = Some(several(*key, value)?),
                FieldKey::System(field) => return Err(not_here(*field)),
            }
        }
        Ok(change)
    }

    /// The details there are, with those of the wanted kinds brought to what is wanted.
    fn merged_details(&self, existing: &[Detail]) -> Vec<Detail> {
        let mut details = existing.to_vec();
        if let Some(phones) = &self.phones {
            let wanted = phones
                .iter()
                .map(|phone| phone::sent(phone))
                .filter(|phone| !phone.is_empty());
            merge(&mut details, "phone", wanted, phone::same);
        }
        if let Some(emails) = &self.emails {
            let wanted = emails
                .iter()
                .map(|email| email.trim().to_owned())
                .filter(|email| !email.is_empty());
            merge(&mut details, "email", wanted, same_email);
        }
        details
    }
}

/// Whether two addresses are one, ignoring case.
pub(crate) fn same_email(left: &str, right: &str) -> bool {
    !left.trim().is_empty() && left.trim().to_lowercase() == right.trim().to_lowercase()
}

fn merge(
    details: &mut Vec<Detail>,
    kind: &str,
    wanted: impl Iterator<Item = String>,
    same: impl Fn(&str, &str) -> bool,
) {
    let mut missing: Vec<String> = Vec::new();
    let mut kept = vec![false; details.len()];
    for data in wanted {
        let found = details
            .iter()
            .position(|detail| detail.kind == kind && same(&detail.data, &data));
        match found {
            Some(at) => kept[at] = true,
            None if missing.iter().any(|known| same(known, &data)) => {}
            None => missing.push(data),
        }
    }
    let unwanted = (0..kept.len())
        .filter(|at| details[*at].kind == kind && !kept[*at])
        .collect::<Vec<_>>();
    let mut missing = missing.into_iter();
    for (at, data) in unwanted.into_iter().zip(missing.by_ref()) {
        details[at].data = data;
    }
    details.extend(missing.map(|data| Detail {
        id: None,
        kind: kind.to_owned(),
        data,
    }));
}
