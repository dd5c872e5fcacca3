//! Projects and what belongs to them: steps, fields, staff, webhook receivers (contract §2, §5.1, §6.1).

use super::{list, scalar};
use serde_json::Value;

/// A project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Its id.
    pub id: i64,
    /// Name.
    pub name: String,
}

/// A step of a project's funnel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its id.
    pub id: i64,
    /// Name as people typed it, blanks collapsed.
    pub name: String,
    /// Shown in the leads section.
    pub in_leads: bool,
    /// Shown in the deals section.
    pub in_deals: bool,
}

/// Definition of a lead or contact field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Its id.
    pub id: i64,
    /// Name, blanks collapsed.
    pub name: String,
    /// Type in the service's word.
    pub kind: String,
    /// Several categories may be chosen.
    pub multi: bool,
    /// Categories exactly as they must be written; empty when the service left them out.
    pub categories: Vec<String>,
}

/// An employee; id 0 is the main account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Employee {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Job title.
    pub job: String,
}

/// A webhook receiver of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    /// Name given by whoever made it; may be empty.
    pub name: String,
    /// Address.
    pub url: String,
}

/// A comment on a lead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// Id.
    pub id: Option<i64>,
    /// Text.
    pub text: String,
    /// When it was written.
    pub created_at: Option<domain::time::Timestamp>,
}

/// People type double and trailing blanks into names.
pub fn tidy(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The spelling by which names are compared: blanks collapsed, one case.
pub fn folded(name: &str) -> String {
    tidy(name).to_lowercase()
}

fn name(value: &Value) -> String {
    tidy(&value.get("name").and_then(scalar::text).unwrap_or_default())
}

impl Project {
    /// Reads a project.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id")?,
            name: name(value),
        })
    }
}

impl Step {
    /// Reads a step; the documentation once spells `in_deals` as `id_deals`.
    pub fn read(value: &Value) -> Option<Self> {
        let flag = |key: &str| value.get(key).and_then(scalar::flag);
        Some(Self {
            id: scalar::id(value, "id")?,
            name: name(value),
            in_leads: flag("in_leads").unwrap_or(true),
            in_deals: flag("in_deals").or_else(|| flag("id_deals")).unwrap_or(false),
        })
    }
}

impl Definition {
    /// Reads a field definition.
    pub fn read(value: &Value) -> Option<Self> {
        let category = |value: &Value| {
            let named = value.get("name").unwrap_or(value);
            scalar::text(named).filter(|name| !name.trim().is_empty())
        };
        Some(Self {
            id: scalar::id(value, "id")?,
            name: name(value),
            kind: value.get("type").and_then(scalar::text).unwrap_or_default(),
            multi: value
                .get("is_multi_select")
                .and_then(scalar::flag)
                .unwrap_or(false),
            categories: value
                .get("categories")
                .map(|all| list(all, category))
                .unwrap_or_default(),
        })
    }
}

impl Employee {
    /// Reads an employee.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id")?,
            name: name(value),
            job: value.get("job").and_then(scalar::text).unwrap_or_default(),
        })
    }
}

impl Callback {
    /// Reads a receiver; an entry without an address is switched off.
    pub fn read(value: &Value) -> Option<Self> {
        let url = value
            .get("url")
            .and_then(scalar::text)
            .filter(|url| !url.trim().is_empty())?;
        Some(Self {
            name: value.get("name").and_then(scalar::text).unwrap_or_default(),
            url,
        })
    }
}

impl Comment {
    /// Reads a comment.
    pub fn read(value: &Value, zone: &domain::time::Zone) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id"),
            text: value.get("text").and_then(scalar::text)?,
            created_at: value
                .get("created_at")
                .and_then(|at| crate::time::instant(at, zone)),
        })
    }
}
