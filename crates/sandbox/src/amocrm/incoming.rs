//! Leads that come with their people, at once or by way of Unsorted.

use serde_json::{Value, json};

use super::account::Account;
use super::model::*;
use super::notes::last_ten;
use super::ops::Draft;
use super::wire;

/// Drafts of a lead and what comes with it.
#[derive(Default)]
pub(crate) struct Parcel {
    pub lead: Draft,
    pub contact: Option<Draft>,
    pub company: Option<Draft>,
    pub category: Option<String>,
    pub metadata: Value,
}

/// Ids of what a parcel became.
pub(crate) struct Opened {
    pub lead: i64,
    pub contact: Option<i64>,
    pub company: Option<i64>,
}

impl Account {
    /// A contact with the same phone or e-mail, where duplicate control is on.
    pub(crate) fn duplicate_of(&self, parcel: &Parcel) -> Option<i64> {
        let contact = parcel.contact.as_ref().filter(|_| self.duplicate_control)?;
        let texts = |values: &[Value]| -> Vec<String> {
            values
                .iter()
                .filter_map(|v| v.get("value").and_then(Value::as_str))
                .map(str::to_owned)
                .collect()
        };
        for code in ["PHONE", "EMAIL"] {
            let Some(field) = self.field_by_code(Kind::Contact, code).map(|f| f.id) else {
                continue;
            };
            let key = |text: &String| {
                if code == "PHONE" {
                    last_ten(text)
                } else {
                    text.to_lowercase()
                }
            };
            let wanted: Vec<String> = contact
                .values
                .iter()
                .filter(|(id, _)| *id == field)
                .flat_map(|(_, values)| texts(values))
                .map(|t| key(&t))
                .collect();
            let same = |e: &&Entity| {
                let own = e.values.get(&field).map(|v| texts(v)).unwrap_or_default();
                !e.is_deleted && own.iter().any(|t| wanted.contains(&key(t)))
            };
            if let Some(found) = self.contacts.values().find(same) {
                return Some(found.id);
            }
        }
        None
    }

    /// Makes the lead and its people; with a category the lead lands in Unsorted.
    pub(crate) fn open_parcel(
        &mut self,
        parcel: &mut Parcel,
        known: Option<i64>,
        author: i64,
        uid: &str,
        name: &str,
    ) -> Opened {
        let waits = parcel.category.is_some();
        let company = parcel.company.take().map(|mut draft| {
            draft.unsorted = waits;
            self.create(Kind::Company, &draft, author)
        });
        let fresh = known.is_none();
        let contact = known.or_else(|| {
            parcel.contact.take().map(|mut draft| {
                draft.unsorted = waits;
                self.create(Kind::Contact, &draft, author)
            })
        });
        let mut lead = std::mem::take(&mut parcel.lead);
        lead.unsorted = waits;
        let pipeline = lead.status.map_or(0, |(pipeline, _)| pipeline);
        if waits && let Some(status) = self.pipeline(pipeline).and_then(Pipeline::unsorted_status) {
            lead.status = Some((pipeline, status.id));
        }
        let id = self.create(Kind::Lead, &lead, author);
        if let Some(contact) = contact {
            self.join((Kind::Lead, id), (Kind::Contact, contact), true);
        }
        if let Some(company) = company {
            self.join((Kind::Lead, id), (Kind::Company, company), false);
            if let Some(contact) = contact {
                self.join((Kind::Contact, contact), (Kind::Company, company), false);
            }
        }
        if let Some(category) = &parcel.category {
            let contacts: Vec<i64> = contact.filter(|_| fresh).into_iter().collect();
            self.add_unsorted(
                category,
                pipeline,
                uid,
                name,
                &parcel.metadata,
                id,
                contacts,
                company,
            );
        } else {
            for neighbour in contact
                .map(|c| (Kind::Contact, c))
                .into_iter()
                .chain(company.map(|c| (Kind::Company, c)))
            {
                self.touch(neighbour, lead.created_by.unwrap_or(author));
            }
        }
        Opened {
            lead: id,
            contact,
            company,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record, given once")]
    fn add_unsorted(
        &mut self,
        category: &str,
        pipeline_id: i64,
        source_uid: &str,
        source_name: &str,
        metadata: &Value,
        lead_id: i64,
        contacts: Vec<i64>,
        company: Option<i64>,
    ) {
        let uid = format!(
            "{}{}",
            uuid::Uuid::new_v4().simple(),
            &uuid::Uuid::new_v4().simple().to_string()[..28]
        );
        let now = self.now();
        let lead = self.leads.get(&lead_id);
        let data = json!({"leads": [{
            "id": lead_id, "name": lead.map(|l| l.name.as_str()), "pipeline_id": pipeline_id,
            "modified_user_id": 0, "date_create": now, "last_modified": now,
        }]});
        let body = json!({
            "uid": uid, "category": category, "source_data": metadata, "date_create": now, "data": data,
            "pipeline_id": pipeline_id, "account_id": self.id, "source_uid": source_uid, "lead_id": lead_id,
            "created_at": now,
        });
        self.owe("add_unsorted", "unsorted", "add", wire::object(&body));
        let companies = company.into_iter().collect();
        self.unsorted.push(Unsorted {
            uid,
            category: category.to_owned(),
            pipeline_id,
            source_uid: source_uid.to_owned(),
            source_name: source_name.to_owned(),
            metadata: metadata.clone(),
            created_at: now,
            lead_id,
            contacts,
            companies,
        });
    }

    /// Accepts an incoming lead into a status (the first one when none is given).
    pub fn accept_unsorted(&mut self, uid: &str, status: Option<i64>, user: i64) -> bool {
        let Some(incoming) = self.unsorted.iter().find(|u| u.uid == uid).cloned() else {
            return false;
        };
        let pipeline = incoming.pipeline_id;
        let first = self
            .pipeline(pipeline)
            .and_then(Pipeline::first_status)
            .map(|s| s.id);
        let Some(status) = status.or(first) else {
            return false;
        };
        // `update` takes the record away and clears `is_unsorted` when the status leaves Unsorted.
        let draft = Draft {
            status: Some((pipeline, status)),
            responsible_user_id: Some(user),
            ..Draft::default()
        };
        self.update(Kind::Lead, incoming.lead_id, &draft, user);
        self.tell_decision(&incoming, "accept", user);
        true
    }

    /// Declines an incoming lead: it goes into the bin.
    pub fn decline_unsorted(&mut self, uid: &str, user: i64) -> bool {
        let Some(at) = self.unsorted.iter().position(|u| u.uid == uid) else {
            return false;
        };
        let incoming = self.unsorted.remove(at);
        for (kind, ids) in [
            (Kind::Lead, vec![incoming.lead_id]),
            (Kind::Contact, incoming.contacts.clone()),
            (Kind::Company, incoming.companies.clone()),
        ] {
            for id in ids {
                self.delete(kind, id, user);
            }
        }
        self.tell_decision(&incoming, "decline", user);
        true
    }

    fn tell_decision(&mut self, incoming: &Unsorted, action: &str, user: i64) {
        let mut body = json!({
            "action": action, "uid": incoming.uid, "category": incoming.category,
            "created_at": incoming.created_at, "modified_user_id": user,
        });
        body[format!("{action}_result")] = json!({"leads": [incoming.lead_id]});
        self.owe("delete_unsorted", "unsorted", "delete", wire::object(&body));
    }
}
