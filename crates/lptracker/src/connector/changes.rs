//! What changed since a moment, and what sits where (contract §4.4): lists of leads and deals, newest change first.
//!
//! Items are ordered by a key that moves while we page: a lead that changes meanwhile goes to the front and
//! pushes others into the next page, where they are seen twice; a deleted one pulls others out of it, against
//! which pages overlap.

use super::{LptrackerConnector, protocol};
use crate::wire::lead::Lead;
use ::connector::ConnectorError;
use ::connector::connector::{Changes, Listing};
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::record::Record;
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use serde_json::Value as Json;
use std::fmt;
use std::str::FromStr;

/// Items of a page; the service's default and maximum are not known, 5 to 200 were seen.
const PAGE: usize = 100;

/// Items that two pages share.
const OVERLAP: usize = 5;

/// `updated_at` is answered to the minute; and the service's clock is not ours.
const SLACK_MS: i64 = 60_000;

/// Where paging stands: a project, its leads or its deals, an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cursor {
    project: i64,
    deals: bool,
    offset: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.project, u8::from(self.deals), self.offset)
    }
}

impl FromStr for Cursor {
    type Err = ConnectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let (Some(project), Some(deals), Some(offset), None) = (number(), number(), number(), number())
        else {
            return Err(protocol("закладка чтения изменений испорчена"));
        };
        Ok(Self {
            project,
            deals: deals == 1,
            offset: usize::try_from(offset).unwrap_or(0),
        })
    }
}

impl LptrackerConnector {
    pub(super) async fn changed_leads(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> Result<Changes, ConnectorError> {
        let projects = self.projects().await?;
        let at = match (cursor, projects.first()) {
            (Some(text), _) => text.parse()?,
            (None, Some(project)) => Cursor {
                project: *project,
                deals: false,
                offset: 0,
            },
            (None, None) => {
                return Ok(Changes {
                    facts: Vec::new(),
                    next: None,
                });
            }
        };
        let from = since.plus_ms(-SLACK_MS);
        let items = self.page(at, from).await?;
        let mut facts: Vec<Fact> = Vec::new();
        let mut has_older = false;
        for item in items.iter() {
            let Some(lead) = Lead::read(item, self.zone()) else {
                continue;
            };
            if lead.updated_at.is_some_and(|at| at < from.plus_ms(-SLACK_MS)) {
                has_older = true;
                continue;
            }
            let record = self.lead_record(&lead).await?;
            let fact = fact(&lead, at.project, record, item, self.zone());
            if !facts.iter().any(|known| known.dedupe == fact.dedupe) {
                facts.push(fact);
            }
        }
        facts.reverse();
        facts.sort_by_key(|fact| fact.occurred_at);
        let is_last = items.len() < PAGE || has_older;
        let next = if is_last {
            following(at, &projects)
        } else {
            Some(later(at, items.len()))
        };
        Ok(Changes {
            facts,
            next: next.map(|cursor| cursor.to_string()),
        })
    }

    /// The service filters no list by step (contract §4.4): everything is read and looked at here.
    pub(super) async fn leads_in(
        &self,
        stages: &[Stage],
        cursor: Option<&str>,
    ) -> Result<Listing, ConnectorError> {
        let projects = self.projects().await?;
        let wanted: Vec<i64> = projects
            .into_iter()
            .filter(|project| stages.iter().any(|stage| stage.pipeline == *project))
            .collect();
        let at = match (cursor, wanted.first()) {
            (Some(text), _) => text.parse()?,
            (None, Some(project)) => Cursor {
                project: *project,
                deals: false,
                offset: 0,
            },
            (None, None) => {
                return Ok(Listing {
                    records: Vec::new(),
                    next: None,
                });
            }
        };
        let items = self.page(at, Timestamp(0)).await?;
        let mut records = Vec::new();
        for item in &items {
            let Some(lead) = Lead::read(item, self.zone()) else {
                continue;
            };
            let record = self.lead_record(&lead).await?;
            if matches!(record.get(SystemField::Stage.into()), Some(Value::Stage(stage)) if stages.contains(stage))
            {
                records.push(record);
            }
        }
        let next = if items.len() < PAGE {
            following(at, &wanted)
        } else {
            Some(later(at, items.len()))
        };
        Ok(Listing {
            records,
            next: next.map(|cursor| cursor.to_string()),
        })
    }

    async fn page(&self, at: Cursor, from: Timestamp) -> Result<Vec<Json>, ConnectorError> {
        let (offset, limit) = (at.offset.to_string(), PAGE.to_string());
        let from = from.secs().max(0).to_string();
        let query = [
            ("offset", offset.as_str()),
            ("limit", limit.as_str()),
            ("sort[updated_at]", "3"),
            ("filter[updated_at_from]", from.as_str()),
            ("is_deal", if at.deals { "true" } else { "false" }),
        ];
        match self
            .client
            .get(&["lead", &at.project.to_string(), "list"], &query)
            .await?
        {
            Json::Array(items) => Ok(items),
            Json::Null => Ok(Vec::new()),
            _ => Err(protocol("список лидов не массив")),
        }
    }
}

fn later(at: Cursor, read: usize) -> Cursor {
    Cursor {
        offset: at.offset + read.saturating_sub(OVERLAP).max(1),
        ..at
    }
}

/// After a project's leads its deals, then the next project.
fn following(at: Cursor, projects: &[i64]) -> Option<Cursor> {
    if !at.deals {
        return Some(Cursor {
            deals: true,
            offset: 0,
            ..at
        });
    }
    let mut rest = projects
        .iter()
        .skip_while(|project| **project != at.project)
        .skip(1);
    rest.next().map(|project| Cursor {
        project: *project,
        deals: false,
        offset: 0,
    })
}

/// The change time has minutes only, so the state itself is part of the key: two changes inside a minute are
/// two facts, and reading the same state twice is one.
fn fact(lead: &Lead, project: i64, record: Record, item: &Json, zone: &domain::time::Zone) -> Fact {
    let changed_at = lead.updated_at.or(lead.created_at);
    let related = lead
        .contact
        .iter()
        .map(|contact| crate::convert::contact(contact, zone))
        .collect();
    Fact {
        kind: EventKind::LeadUpdated,
        key: record.key.clone(),
        occurred_at: changed_at,
        record,
        related,
        before: Vec::new(),
        changed: None,
        author: None,
        dedupe: format!(
            "poll:{project}:{}:{}:{item}",
            lead.id,
            changed_at.unwrap_or_default().0
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_travel_as_text() {
        let cursor = Cursor {
            project: 10001,
            deals: true,
            offset: 95,
        };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for bad in ["", "1:2", "1:0:x", "1:0:0:0"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn leads_then_deals_of_every_project() {
        let mut at = Cursor {
            project: 1,
            deals: false,
            offset: 300,
        };
        let mut seen = Vec::new();
        while let Some(next) = following(at, &[1, 2]) {
            seen.push(next.to_string());
            at = next;
        }
        assert_eq!(seen, ["1:1:0", "2:0:0", "2:1:0"]);
        assert_eq!(
            later(
                Cursor {
                    project: 1,
                    deals: false,
                    offset: 100
                },
                100
            )
            .offset,
            195
        );
    }
}
