//! Leads (contract §4.3): the tolerant reader of REST answers and webhook payloads.

use super::call::Call;
use super::contact::{Contact, FieldValue};
use super::{list, scalar};
use crate::time;
use domain::time::{Timestamp, Zone};
use rust_decimal::Decimal;
use serde_json::Value;

/// A lead; with a payment it is a deal. Parts that the answer does not tell are `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct Lead {
    /// Its id.
    pub id: i64,
    /// Its contact's id.
    pub contact_id: Option<i64>,
    /// Its project: its own word in webhooks, its contact's in REST.
    pub project_id: Option<i64>,
    /// Title.
    pub name: Option<String>,
    /// Step of the funnel.
    pub step: Option<i64>,
    /// Owner; 0 is the main account.
    pub owner: Option<i64>,
    /// It has payments.
    pub deal: Option<bool>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it changed last; REST gives minutes only.
    pub updated_at: Option<Timestamp>,
    /// Traffic source; `None` also right after creation.
    pub view: Option<View>,
    /// Field values, step and owner among them.
    pub custom: Option<Vec<FieldValue>>,
    /// Its contact.
    pub contact: Option<Contact>,
    /// Payments.
    pub payments: Option<Vec<Payment>>,
    /// Calls, where the account tells them with the lead.
    pub calls: Vec<Call>,
    /// Detail of the contact that the lead came by.
    pub detail_id: Option<i64>,
}

/// A traffic source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// Id.
    pub id: Option<i64>,
    /// Source.
    pub source: Option<String>,
    /// Campaign.
    pub campaign: Option<String>,
    /// Keyword.
    pub keyword: Option<String>,
    /// Page: `page` in REST, `address` in webhooks.
    pub page: Option<String>,
    /// Referring page: `referer` in REST, `referrer` in webhooks.
    pub referer: Option<String>,
}

/// A payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    /// Category: `category` in REST, `category_name` in webhooks.
    pub category: String,
    /// Purpose: `purpose` in REST, `purpose_name` in webhooks.
    pub purpose: String,
    /// Sum.
    pub sum: Decimal,
}

impl Lead {
    /// Reads a lead; `None` without an id.
    pub fn read(value: &Value, zone: &Zone) -> Option<Self> {
        let custom = value.get("custom").and_then(FieldValue::read_all);
        let contact = value
            .get("contact")
            .and_then(|contact| Contact::read(contact, zone));
        let view = value.get("view").filter(|view| view.is_object());
        Some(Self {
            id: scalar::id(value, "id")?,
            contact_id: scalar::id(value, "contact_id").or(contact.as_ref().map(|contact| contact.id)),
            project_id: scalar::id(value, "project_id")
                .or(contact.as_ref().and_then(|contact| contact.project_id))
                .or_else(|| view.and_then(|view| scalar::id(view, "project_id"))),
            name: scalar::known_text(value, "name"),
            step: step(value, custom.as_deref()),
            owner: owner(value, custom.as_deref()),
            deal: value.get("deal").and_then(scalar::flag),
            created_at: ["created_at", "lead_date"]
                .iter()
                .find_map(|key| time::instant(value.get(*key)?, zone)),
            updated_at: value.get("updated_at").and_then(|at| time::instant(at, zone)),
            view: view.map(View::read),
            custom,
            contact,
            payments: value
                .get("payments")
                .filter(|payments| payments.is_array())
                .map(|payments| list(payments, Payment::read)),
            calls: value
                .get("calls_records")
                .map(|calls| list(calls, |call| Call::read(call, zone)))
                .unwrap_or_default(),
            detail_id: scalar::id(value, "detail_id"),
        })
    }

    /// Everything that picking among a contact's leads needs is known.
    pub fn is_complete(&self) -> bool {
        self.step.is_some() && self.project_id.is_some() && self.created_at.is_some() && self.name.is_some()
    }

    /// Sum of the payments: zero when the service says that it is no deal, unknown when it says nothing.
    pub fn payment_sum(&self) -> Option<Decimal> {
        match (&self.payments, self.deal) {
            (Some(payments), _) => Some(
                payments
                    .iter()
                    .fold(Decimal::ZERO, |sum, payment| sum.saturating_add(payment.sum)),
            ),
            (None, Some(false)) => Some(Decimal::ZERO),
            (None, _) => None,
        }
    }
}

/// An id given as a scalar or inside an object; no step is called 0.
fn step_id(value: &Value) -> Option<i64> {
    scalar::int(value)
        .or_else(|| scalar::id(value, "id"))
        .filter(|id| *id != 0)
}

/// First hit wins, in the order that production code uses; `stage_id` is null in lists although the step is
/// set in `custom`.
fn step(value: &Value, custom: Option<&[FieldValue]>) -> Option<i64> {
    ["funnel", "stage", "funnel_stage", "funnel_id", "stage_id"]
        .iter()
        .find_map(|key| value.get(*key).and_then(step_id))
        .or_else(|| {
            ["funnel", "conv_funnel"].iter().find_map(|kind| {
                custom?
                    .iter()
                    .filter(|field| field.kind == *kind)
                    .find_map(|field| step_id(&field.value))
            })
        })
}

fn owner(value: &Value, custom: Option<&[FieldValue]>) -> Option<i64> {
    scalar::id(value, "owner_id")
        .or_else(|| {
            value
                .get("owner")
                .and_then(|owner| scalar::int(owner).or_else(|| scalar::id(owner, "id")))
        })
        .or_else(|| {
            let field = custom?.iter().find(|field| field.kind == "owner")?;
            scalar::int(&field.value).or_else(|| scalar::id(&field.value, "id"))
        })
}

impl View {
    fn read(value: &Value) -> Self {
        let either = |rest: &str, webhook: &str| {
            scalar::known_text(value, rest).or_else(|| scalar::known_text(value, webhook))
        };
        Self {
            id: scalar::id(value, "id"),
            source: scalar::known_text(value, "source"),
            campaign: scalar::known_text(value, "campaign"),
            keyword: scalar::known_text(value, "keyword"),
            page: either("page", "address"),
            referer: either("referer", "referrer"),
        }
    }
}

impl Payment {
    /// Reads a payment; `None` without a sum.
    pub fn read(value: &Value) -> Option<Self> {
        let either = |rest: &str, webhook: &str| {
            let found = value.get(rest).or_else(|| value.get(webhook));
            found.and_then(scalar::text).unwrap_or_default()
        };
        Some(Self {
            category: either("category", "category_name"),
            purpose: either("purpose", "purpose_name"),
            sum: scalar::decimal(value.get("sum")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_step(value: Value, expected: Option<i64>) {
        let mut value = value;
        value["id"] = json!(1);
        assert_eq!(
            Lead::read(&value, &Zone::moscow()).unwrap().step,
            expected,
            "{value}"
        );
    }

    #[test]
    fn step_is_the_first_hit() {
        check_step(json!({"funnel": 5, "stage": {"id": 6}}), Some(5));
        check_step(json!({"funnel": "5"}), Some(5));
        check_step(
            json!({"funnel": {"id": "5", "name": "x"}, "stage_id": 7}),
            Some(5),
        );
        check_step(
            json!({"funnel": null, "stage": {"id": 6}, "stage_id": 7}),
            Some(6),
        );
        check_step(json!({"funnel_stage": 8, "stage_id": 7}), Some(8));
        check_step(json!({"funnel_id": 9, "stage_id": 7}), Some(9));
        check_step(json!({"stage_id": "7"}), Some(7));
        let custom =
            json!([{"id": 1, "type": "conv_funnel", "value": 3}, {"id": 2, "type": "funnel", "value": "4"}]);
        check_step(json!({"stage_id": null, "custom": custom}), Some(4));
        check_step(
            json!({"custom": [{"id": 1, "type": "conv_funnel", "value": {"id": 3}}]}),
            Some(3),
        );
        check_step(
            json!({"stage_id": 0, "custom": [{"id": 1, "type": "funnel", "value": null}]}),
            None,
        );
        check_step(json!({"custom": null}), None);
    }

    #[test]
    fn owner_zero_is_somebody() {
        let check = |mut value: Value, expected: Option<i64>| {
            value["id"] = json!(1);
            assert_eq!(
                Lead::read(&value, &Zone::moscow()).unwrap().owner,
                expected,
                "{value}"
            );
        };
        check(json!({"owner_id": 0, "owner": {"id": 5}}), Some(0));
        check(json!({"owner_id": null, "owner": {"id": "5"}}), Some(5));
        check(
            json!({"custom": [{"id": 1, "type": "owner", "value": {"id": 100, "type": "main"}}]}),
            Some(100),
        );
        check(json!({"owner": null}), None);
    }

    #[test]
    fn payments_of_both_spellings() {
        let read = |value: Value| Payment::read(&value).unwrap();
        let rest = read(json!({"category": "Услуги", "purpose": "Предоплата", "sum": 1500.5}));
        let webhook =
            read(json!({"category_name": "Услуги", "purpose_name": "Предоплата", "sum": "1500.50"}));
        assert_eq!(rest, webhook);
    }
}
