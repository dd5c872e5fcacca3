//! Deals that sit in stages.

use super::AmocrmConnector;
use crate::wire::entity::Lead;
use connector::{ConnectorError, Listing};
use domain::field::SystemField;
use domain::record::Record;
use domain::value::{Stage, Value};

/// Stages asked for in one address, so that it stays short.
const STAGES_PER_CALL: usize = 25;

/// Where a listing stands: which part of the stages, which page of it.
fn place(cursor: Option<&str>) -> Option<(usize, u32)> {
    let Some(text) = cursor else { return Some((0, 1)) };
    let (part, page) = text.split_once('.')?;
    Some((part.parse().ok()?, page.parse().ok()?))
}

impl AmocrmConnector {
    /// Filters by pairs of pipeline and status (contract §4.3). A filter that the account does not know is passed over by
    /// it, so every row is looked at again.
    pub(super) async fn deals_in(
        &self,
        stages: &[Stage],
        cursor: Option<&str>,
    ) -> Result<Listing, ConnectorError> {
        let (part, page) = place(cursor).ok_or_else(|| ConnectorError::Protocol {
            message: "неизвестное место чтения".to_owned(),
        })?;
        let Some(some) = stages.chunks(STAGES_PER_CALL).nth(part) else {
            return Ok(Listing {
                records: Vec::new(),
                next: None,
            });
        };
        let mut query = vec![
            ("with".to_owned(), "contacts,loss_reason".to_owned()),
            ("order[id]".to_owned(), "asc".to_owned()),
        ];
        for (at, stage) in some.iter().enumerate() {
            query.push((
                format!("filter[statuses][{at}][pipeline_id]"),
                stage.pipeline.to_string(),
            ));
            query.push((
                format!("filter[statuses][{at}][status_id]"),
                stage.status.to_string(),
            ));
        }
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let (leads, more): (Vec<Lead>, bool) = self
            .client
            .get_page("/api/v4/leads", &query, "leads", page)
            .await?;
        let sits = |record: &Record| match record.get(SystemField::Stage.into()) {
            Some(Value::Stage(stage)) => some.contains(stage),
            _ => false,
        };
        let records = leads
            .iter()
            .filter(|lead| !lead.is_deleted)
            .map(|lead| self.reading(|reader| reader.lead(lead)))
            .filter(sits)
            .collect();
        // A server that repeats pages for ever must not keep us here.
        let next = match (
            more && !leads.is_empty(),
            (part + 1) * STAGES_PER_CALL < stages.len(),
        ) {
            (true, _) => Some(format!("{part}.{}", page + 1)),
            (false, true) => Some(format!("{}.1", part + 1)),
            (false, false) => None,
        };
        Ok(Listing { records, next })
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_travel_as_text() {
        assert_eq!(place(None), Some((0, 1)));
        assert_eq!(place(Some("2.7")), Some((2, 7)));
        for bad in ["", "7", "a.1", "1.b"] {
            assert_eq!(place(Some(bad)), None, "{bad}");
        }
    }
}
