//! From a payload to facts (contract §6.3, §6.5).

use crate::convert;
use crate::convert::records::client_phone;
use crate::time;
use crate::wire::call::Call;
use crate::wire::lead::Lead;
use crate::wire::scalar;
use ::connector::{IntakeContext, IntakeError};
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::Value;
use serde_json::Value as Json;

/// A body repeats all calls of its lead. Those that ended longer ago than this before the change are history:
/// the first body of an old lead must not announce years of calls.
const FRESH_CALL_MS: i64 = 24 * 3600 * 1000;

/// What a payload says.
pub(super) fn read(payload: &Json, context: IntakeContext<'_>) -> Result<Vec<Fact>, IntakeError> {
    let moscow = Zone::moscow();
    let zone = context.zone.unwrap_or(&moscow);
    let reader = Reader {
        payload,
        context,
        zone,
    };
    let is_structure = payload.get("type").is_some_and(Json::is_string)
        && payload
            .get("data")
            .is_some_and(|data| data.is_array() || data.is_object());
    if is_structure {
        reader.structure()
    } else {
        reader.lead()
    }
}

struct Reader<'a> {
    payload: &'a Json,
    context: IntakeContext<'a>,
    zone: &'a Zone,
}

impl Reader<'_> {
    fn lead(&self) -> Result<Vec<Fact>, IntakeError> {
        let Some(lead) = Lead::read(self.payload, self.zone) else {
            return Err(IntakeError::Malformed {
                position: 0,
                message: "нет номера лида (id)",
            });
        };
        let Some(action) = self.payload.get("action").and_then(Json::as_str) else {
            return Err(IntakeError::Malformed {
                position: 0,
                message: "нет действия (action)",
            });
        };
        self.check_project(lead.project_id)?;
        let facts = LeadFacts::new(self, &lead, action);
        Ok(match action {
            "create" => {
                let mut all = vec![facts.fact(EventKind::LeadCreated, None)];
                all.extend(facts.calls());
                all
            }
            "update" => facts.updates(),
            "delete" => vec![facts.fact(EventKind::LeadDeleted, None)],
            _ => Vec::new(),
        })
    }

    /// Changed fields or steps of a project: only a reason to read the catalogue again.
    fn structure(&self) -> Result<Vec<Fact>, IntakeError> {
        let Some(project) = scalar::id(self.payload, "project_id") else {
            return Err(IntakeError::Malformed {
                position: 0,
                message: "нет номера проекта (project_id)",
            });
        };
        self.check_project(Some(project))?;
        let word = |key: &str| self.payload.get(key).and_then(Json::as_str).unwrap_or_default();
        let occurred_at = self.acted_at();
        let dedupe = match occurred_at {
            Some(at) => format!("structure:{project}:{}:{}:{}", word("type"), word("action"), at.0),
            None => format!("structure:{}", self.payload),
        };
        let mut record = Record::new(RecordKind::Structure, project);
        record.set(SystemField::Pipeline, Value::Id(project));
        Ok(vec![Fact {
            kind: EventKind::StructureChanged,
            key: record.key.clone(),
            occurred_at,
            record,
            related: Vec::new(),
            before: Vec::new(),
            changed: None,
            author: None,
            dedupe,
        }])
    }

    /// A body that names no project (a deletion may hold ids only) is taken: the address was secret.
    fn check_project(&self, project: Option<i64>) -> Result<(), IntakeError> {
        let ours = self.context.projects;
        match project {
            Some(project) if !ours.is_empty() && !ours.contains(&project) => Err(IntakeError::WrongAccount),
            _ => Ok(()),
        }
    }

    fn acted_at(&self) -> Option<Timestamp> {
        self.payload
            .get("action_timestamp")
            .and_then(|at| time::instant(at, self.zone))
    }
}

/// What all facts of one body share.
struct LeadFacts<'a> {
    lead: &'a Lead,
    record: Record,
    contact: Option<Record>,
    acted_at: Option<Timestamp>,
    author: Option<i64>,
    words: Vec<String>,
    /// Beginning of the event keys.
    identity: String,
}

impl<'a> LeadFacts<'a> {
    fn new(reader: &Reader<'_>, lead: &'a Lead, action: &str) -> Self {
        let types = |id| {
            let catalogue = reader.context.catalogue?;
            catalogue
                .field(RecordKind::Lead, id)
                .map(|field| field.field_type)
        };
        // A connection of one project knows it even when the body does not say.
        let only = match reader.context.projects {
            [one] => Some(*one),
            _ => None,
        };
        let acted_at = reader.acted_at();
        let project = lead.project_id.or(only).unwrap_or_default();
        let identity = match acted_at {
            Some(at) => format!("lead:{project}:{}:{action}:{}", lead.id, at.0),
            None => format!("lead:{}", reader.payload),
        };
        Self {
            lead,
            record: convert::lead(lead, only, &types, reader.zone),
            contact: lead
                .contact
                .as_ref()
                .map(|contact| convert::contact(contact, reader.zone)),
            acted_at,
            author: reader
                .payload
                .get("author")
                .and_then(|author| scalar::id(author, "id")),
            words: reader
                .payload
                .get("action_update_fields")
                .map(words)
                .unwrap_or_default(),
            identity,
        }
    }

    fn fact(&self, kind: EventKind, changed: Option<Vec<FieldKey>>) -> Fact {
        Fact {
            kind,
            key: self.record.key.clone(),
            occurred_at: self.acted_at,
            record: self.record.clone(),
            related: self.contact.iter().cloned().collect(),
            before: Vec::new(),
            changed,
            author: self.author,
            dedupe: format!("{}:{}", self.identity, kind.as_str()),
        }
    }

    /// An update, and beside it what the named fields make of it.
    fn updates(&self) -> Vec<Fact> {
        let meanings: Vec<Meaning> = self.words.iter().map(|word| meaning(word)).collect();
        let named = |kind: EventKind, field: SystemField| {
            let is_named = meanings.contains(&Meaning::Field(field.into()));
            is_named.then(|| self.fact(kind, Some(vec![field.into()])))
        };
        let mut all = vec![self.fact(EventKind::LeadUpdated, changed(&meanings))];
        all.extend(named(EventKind::LeadStageChanged, SystemField::Stage));
        all.extend(named(EventKind::LeadOwnerChanged, SystemField::Responsible));
        all.extend(named(EventKind::LeadPaymentAdded, SystemField::PaymentSum));
        all.extend(self.calls());
        all
    }

    fn calls(&self) -> Vec<Fact> {
        self.lead
            .calls
            .iter()
            .filter(|call| self.is_fresh(call))
            .map(|call| self.call(call))
            .collect()
    }

    fn is_fresh(&self, call: &Call) -> bool {
        match (call.ended_at(), self.acted_at) {
            (Some(ended), Some(acted)) => acted.0.saturating_sub(ended.0) <= FRESH_CALL_MS,
            _ => true,
        }
    }

    fn call(&self, call: &Call) -> Fact {
        let record = convert::call(call, self.lead.id, client_phone(self.lead));
        let mut related = vec![self.record.clone()];
        related.extend(self.contact.clone());
        Fact {
            kind: EventKind::CallFinished,
            key: RecordKey::new(RecordKind::Call, record.key.id.clone()),
            occurred_at: call.ended_at().or(self.acted_at),
            dedupe: format!("call:{}:{}", self.lead.id, record.key.id),
            record,
            related,
            before: Vec::new(),
            changed: None,
            author: self.author,
        }
    }
}

/// What a word of `action_update_fields` names.
#[derive(Clone, PartialEq, Debug)]
enum Meaning {
    /// A field of the lead.
    Field(FieldKey),
    /// Something that is not a field of the lead: its calls, comments, contact.
    Beside,
    /// A word never seen.
    Unknown,
}

/// One text, several separated by commas, or an array of either.
fn words(value: &Json) -> Vec<String> {
    let split = |text: &str| {
        let parts = text
            .split([',', ';'])
            .map(|word| word.trim().to_ascii_lowercase());
        parts.filter(|word| !word.is_empty()).collect::<Vec<_>>()
    };
    match value {
        Json::String(text) => split(text),
        Json::Array(items) => items
            .iter()
            .flat_map(|item| match item {
                Json::String(text) => split(text),
                // Unknown, but something was named.
                other => vec![other.to_string()],
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn meaning(word: &str) -> Meaning {
    use SystemField as F;
    let (head, rest) = word.split_once('.').unwrap_or((word, ""));
    let field = match head {
        "stage" | "stage_id" | "funnel" | "funnel_id" => F::Stage,
        "owner" | "owner_id" => F::Responsible,
        "payments" | "payment" => F::PaymentSum,
        "deal" => F::IsDeal,
        "name" => F::Name,
        "view" => match rest.split('.').next() {
            Some("source") => F::Source,
            Some("campaign") => F::Campaign,
            Some("keyword") => F::Keyword,
            _ => return Meaning::Unknown,
        },
        "custom" => {
            let id = rest.split('.').next().and_then(|id| id.parse().ok());
            return id.map_or(Meaning::Unknown, |id| Meaning::Field(FieldKey::Custom(id)));
        }
        "calls_records" | "comments" | "comment" | "contact" | "contacts" => return Meaning::Beside,
        _ => return Meaning::Unknown,
    };
    Meaning::Field(field.into())
}

/// The fields named as changed; `None` when nothing is named, or something that is not understood, since then
/// any field may have changed.
fn changed(meanings: &[Meaning]) -> Option<Vec<FieldKey>> {
    if meanings.is_empty() || meanings.contains(&Meaning::Unknown) {
        return None;
    }
    let mut fields: Vec<FieldKey> = meanings
        .iter()
        .filter_map(|meaning| match meaning {
            Meaning::Field(field) => Some(*field),
            Meaning::Beside | Meaning::Unknown => None,
        })
        .collect();
    fields.sort_unstable();
    fields.dedup();
    Some(fields)
}
