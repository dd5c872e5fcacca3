//! Changes of an account's structure, by the API or by a person. No hook tells of them.

use super::account::Account;
use super::model::*;

impl Account {
    /// A pipeline with the three system statuses.
    pub fn add_pipeline(&mut self, name: &str) -> i64 {
        let (id, unsorted) = (self.next("pipeline"), self.next("status"));
        let sort = self.pipelines.len() as i64 + 1;
        let pipeline = Pipeline {
            id,
            name: name.to_owned(),
            sort,
            is_main: self.pipelines.is_empty(),
            is_unsorted_on: true,
            statuses: system_statuses(unsorted),
        };
        self.pipelines.push(pipeline);
        id
    }

    /// A status before the closing ones; 0 when there is no such pipeline.
    pub fn add_status(&mut self, pipeline: i64, name: &str, color: &str) -> i64 {
        let id = self.next("status");
        let Some(pipeline) = self.pipelines.iter_mut().find(|p| p.id == pipeline) else {
            return 0;
        };
        pipeline.insert_status(id, name, color);
        id
    }

    /// Renames a status of a pipeline.
    pub fn rename_status(&mut self, pipeline: i64, status: i64, name: &str) {
        let found = self.pipelines.iter_mut().find(|p| p.id == pipeline);
        if let Some(status) = found.and_then(|p| p.statuses.iter_mut().find(|s| s.id == status)) {
            status.name = name.to_owned();
        }
    }

    /// Removes a status without leads that is no system one.
    pub fn remove_status(&mut self, pipeline: i64, status: i64) -> bool {
        let used = self
            .leads
            .values()
            .any(|l| (l.pipeline_id, l.status_id) == (pipeline, status) && !l.is_deleted);
        let Some(found) = self.pipelines.iter_mut().find(|p| p.id == pipeline) else {
            return false;
        };
        let removable = found.status(status).is_some_and(|s| !s.is_unsorted && s.id > 143);
        if used || !removable {
            return false;
        }
        found.statuses.retain(|s| s.id != status);
        true
    }

    /// A custom field; `choices` are the options of lists.
    pub fn add_field(&mut self, kind: Kind, name: &str, field_type: &str, choices: &[&str]) -> i64 {
        let id = self.next("field");
        let choices = choices.iter().enumerate().map(|(index, value)| {
            let id = self.next("enum");
            Choice {
                id,
                value: (*value).to_owned(),
                sort: index as i64 + 1,
                code: None,
            }
        });
        let enums = choices.collect();
        let sort = 500 + self.fields.len() as i64;
        let mut field = Field::new(id, kind, name, field_type, sort);
        field.enums = enums;
        self.fields.push(field);
        id
    }

    /// Removes a field; its values stay stored and invisible.
    pub fn remove_field(&mut self, id: i64) -> bool {
        let before = self.fields.len();
        self.fields.retain(|f| f.id != id || f.is_predefined);
        self.fields.len() < before
    }

    /// A new user.
    pub fn add_user(&mut self, name: &str, email: &str, is_admin: bool) -> i64 {
        let id = self.next("user");
        let (name, email) = (name.to_owned(), email.to_owned());
        self.users.push(User {
            id,
            name,
            email,
            is_admin,
            is_active: true,
        });
        id
    }

    /// Switches a user off or on.
    pub fn set_user_active(&mut self, id: i64, active: bool) -> bool {
        let user = self.users.iter_mut().find(|u| u.id == id);
        user.map(|u| u.is_active = active).is_some()
    }

    /// Gives the account another subdomain; the old host is dead from now on.
    pub fn rename(&mut self, subdomain: &str) {
        let old = std::mem::replace(&mut self.subdomain, subdomain.to_owned());
        self.former_subdomains.retain(|s| s != subdomain);
        self.former_subdomains.push(old);
    }

    /// Switches a hook on again, as a person does by saving it.
    pub fn enable_hook(&mut self, destination: &str) -> bool {
        let hook = self.hooks.iter_mut().find(|h| h.destination == destination);
        hook.map(|hook| {
            hook.disabled = false;
            hook.failures_ms.clear();
        })
        .is_some()
    }
}

impl Pipeline {
    /// Puts a status before 142 and 143.
    pub(crate) fn insert_status(&mut self, id: i64, name: &str, color: &str) {
        let place = self
            .statuses
            .iter()
            .position(|s| s.id <= 143)
            .unwrap_or(self.statuses.len());
        let sort = self.statuses[..place].last().map_or(10, |s| s.sort + 10);
        let (name, color) = (name.to_owned(), color.to_owned());
        self.statuses.insert(
            place,
            Status {
                id,
                name,
                sort,
                color,
                is_unsorted: false,
            },
        );
    }
}

impl Field {
    /// A field without options.
    pub fn new(id: i64, kind: Kind, name: &str, field_type: &str, sort: i64) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            field_type: field_type.to_owned(),
            code: None,
            sort,
            enums: Vec::new(),
            is_api_only: false,
            is_predefined: false,
            required_statuses: Vec::new(),
            currency: None,
        }
    }
}

/// «Неразобранное», 142 and 143.
pub(crate) fn system_statuses(unsorted: i64) -> Vec<Status> {
    let status = |id, name: &str, sort, color: &str, is_unsorted| Status {
        id,
        name: name.to_owned(),
        sort,
        color: color.to_owned(),
        is_unsorted,
    };
    vec![
        status(unsorted, "Неразобранное", 10, "#c1c1c1", true),
        status(142, "Успешно реализовано", 10_000, "#CCFF66", false),
        status(143, "Закрыто и не реализовано", 11_000, "#D5D8DB", false),
    ]
}
