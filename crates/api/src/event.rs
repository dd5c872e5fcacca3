//! Events: what arrived and what became of it.

use crate::delivery::DeliveryView;
use crate::page::Order;
use crate::run::RunView;
use domain::event::{EventKind, Fact, Origin};
use domain::id::{ConnectionId, EventId, RuleId};
use domain::record::{RecordId, RecordKind};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an event stands, as a person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Received, rules have not looked at it yet.
    New,
    /// Rules have looked at it.
    Dispatched,
    /// Our own write, come back: no rule looks at it.
    Echo,
    /// It could not be processed and needs a person.
    Failed,
}

impl EventState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::New, Self::Dispatched, Self::Echo, Self::Failed];

    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Dispatched => "dispatched",
            Self::Echo => "echo",
            Self::Failed => "failed",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Russian name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::New => "Ожидает",
            Self::Dispatched => "Обработано",
            Self::Echo => "Наше изменение",
            Self::Failed => "Ошибка",
        }
    }
}

/// An event in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventSummary {
    /// Id; ascending in time of arrival.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: EventId,
    /// Connection it came from.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// What happened: `deal_stage_changed`, …
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "deal_stage_changed"))]
    pub kind: EventKind,
    /// The record it happened to.
    pub record: RecordRef,
    /// How it came: `webhook`, `poll`, `import`, `manual`, `replay`, `schedule`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "webhook"))]
    pub origin: Origin,
    /// Where it stands.
    pub state: EventState,
    /// How it ended in words («эхо», «нет подходящих правил»), in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Rules that matched.
    pub n_matched: i32,
    /// Deliveries by where they stand.
    #[serde(rename = "delivery_counts")]
    pub deliveries: DeliveryCounts,
    /// When we received it.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub received_at: Timestamp,
    /// When it happened, by the CRM's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub occurred_at: Option<Timestamp>,
    /// The event that this one replays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub replay_of: Option<EventId>,
}

/// Deliveries of an event by where they stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryCounts {
    /// Under way: pending, leased, uncertain.
    pub waiting: u32,
    /// Delivered.
    pub delivered: u32,
    /// Skipped or cancelled.
    pub skipped: u32,
    /// Dead.
    pub dead: u32,
}

/// A record of a CRM with the address of its card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordRef {
    /// Kind: `deal`, `contact`, `company`, `lead`, `lead_contact`, `call`, `task`, `note`, `unsorted`, …
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "deal"))]
    pub kind: RecordKind,
    /// Id in its CRM.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "1234567"))]
    pub id: RecordId,
    /// Name, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address of its card for people, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The page of an event: the whole story.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: EventSummary,
    /// What arrived, in neutral form.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub fact: Fact,
    /// The body as it arrived, when it is still kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<InboundBody>,
    /// Which rules looked at it, and why they matched or not, in the order of evaluation.
    pub runs: Vec<RunView>,
    /// What was planned and every attempt.
    pub deliveries: Vec<DeliveryView>,
    /// Records on both sides that this event is about, linked ones included.
    pub records: Vec<RecordRef>,
}

/// An inbound body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboundBody {
    /// Its content type.
    pub content_type: String,
    /// Its text.
    pub text: String,
    /// When it arrived.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub received_at: Timestamp,
}

/// Which events to list. Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct EventQuery {
    /// Cursor from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page, 1–200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Received at or after, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Received before, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// From this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub connection: Option<ConnectionId>,
    /// Of this kind: `deal_stage_changed`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub kind: Option<EventKind>,
    /// In this state: `new`, `dispatched`, `echo`, `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<EventState>,
    /// Only events that at least one rule matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<bool>,
    /// Only events that this rule looked at and matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub rule: Option<RuleId>,
    /// Of the record with this id in its CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Of contacts with this phone, in any spelling, and of the records that belong with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Of records of this kind: `deal`, `lead`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub record_kind: Option<RecordKind>,
    /// Which come first: `newest` or `oldest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<Order>))]
    pub order: Option<Order>,
}

/// How to let an event run again.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayEvent {
    /// Only this rule; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
    /// In which versions rules look at it: `current` when absent.
    #[serde(default)]
    pub versions: RuleVersions,
}

/// In which versions rules look at an event that is replayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleVersions {
    /// Those in force now.
    #[default]
    Current,
    /// Those that looked at it the first time, of rules that still exist.
    Original,
}

/// The event that a replay made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayedEvent {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub event_id: EventId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::record::Record;

    #[test]
    fn the_page_of_an_event_survives_the_wire() {
        let id = EventId(uuid::Uuid::from_u128(7));
        let record = Record::new(RecordKind::Deal, 5);
        let view = EventView {
            summary: EventSummary {
                id,
                connection_id: ConnectionId(uuid::Uuid::from_u128(8)),
                kind: EventKind::DealCreated,
                record: RecordRef {
                    kind: RecordKind::Deal,
                    id: 5.into(),
                    name: None,
                    url: None,
                },
                origin: Origin::Webhook,
                state: EventState::Dispatched,
                outcome: None,
                n_matched: 1,
                deliveries: DeliveryCounts::default(),
                received_at: Timestamp(1),
                occurred_at: None,
                replay_of: None,
            },
            fact: Fact {
                kind: EventKind::DealCreated,
                key: record.key.clone(),
                occurred_at: None,
                record,
                related: Vec::new(),
                before: Vec::new(),
                changed: None,
                author: None,
                dedupe: String::new(),
            },
            body: None,
            runs: Vec::new(),
            deliveries: Vec::new(),
            records: Vec::new(),
        };
        let text = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<EventView>(&text).unwrap(), view, "{text}");
    }
}
