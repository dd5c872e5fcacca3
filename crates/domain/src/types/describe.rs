//! From the name of a field in a rule to its type and the words people know it by.

use crate::catalogues::{Catalogues, Scope};
use crate::field::{FieldKey, FieldPath, FieldType, Moment};
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::types::records::{is_writable, system_fields};
use crate::value::Choice;
use serde::{Deserialize, Serialize};

/// What is known of a field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldDescription {
    /// How a rule names it.
    pub path: FieldPath,
    /// Its type.
    pub field_type: FieldType,
    /// Its name: «Бюджет».
    pub name: String,
    /// With the record: «Сделка: Бюджет».
    pub label: String,
    /// The connection it belongs to, where it belongs to one.
    pub connection: Option<ConnectionId>,
    /// Options of a select.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The hub may write it.
    pub writable: bool,
}

impl Scope {
    /// What is known of a field; `None` when the record has no such field or the account lost it.
    pub fn describe(&self, path: FieldPath) -> Option<FieldDescription> {
        let (field_type, name, options, writable) = match path.key {
            FieldKey::System(field) => {
                if !system_fields(path.record).contains(&field) {
                    return None;
                }
                let options = match field {
                    crate::field::SystemField::LossReason => self
                        .catalogue(path.record)
                        .map(|all| all.loss_reasons.clone())
                        .unwrap_or_default(),
                    crate::field::SystemField::Kind if path.record == RecordKind::Task => self
                        .catalogue(path.record)
                        .map(|all| all.task_types.clone())
                        .unwrap_or_default(),
                    _ => Vec::new(),
                };
                let name = system_name(path.record, field);
                (
                    field.field_type(),
                    name.to_owned(),
                    options,
                    is_writable(path.record, field),
                )
            }
            FieldKey::Custom(id) => {
                let info = self.field(path.record, id)?;
                (
                    info.field_type,
                    info.name.clone(),
                    info.options.clone(),
                    !info.read_only,
                )
            }
        };
        let was = if path.moment == Moment::Before {
            " (было)"
        } else {
            ""
        };
        Some(FieldDescription {
            path,
            field_type,
            label: format!("{}: {name}{was}", path.record.title()),
            name,
            connection: self
                .kind_of(path.record)
                .and_then(|kind| self.side(kind))
                .map(|(id, _)| id),
            options,
            writable: writable && path.moment == Moment::Now,
        })
    }

    /// The type of a field, without the words.
    pub fn field_type(&self, path: FieldPath) -> Option<FieldType> {
        match path.key {
            FieldKey::System(field) => system_fields(path.record)
                .contains(&field)
                .then(|| field.field_type()),
            FieldKey::Custom(id) => self.field(path.record, id).map(|info| info.field_type),
        }
    }

    /// Every field that a rule may look at, records in their order, system fields first.
    pub fn fields(&self) -> Vec<FieldDescription> {
        let mut out = Vec::new();
        for record in RecordKind::ALL {
            let system = system_fields(record).iter().map(|field| FieldKey::System(*field));
            let custom = self
                .catalogue(record)
                .into_iter()
                .flat_map(|all| &all.fields)
                .filter(|info| info.record == record)
                .map(|info| FieldKey::Custom(info.id));
            out.extend(
                system
                    .chain(custom)
                    .filter_map(|key| self.describe(FieldPath::now(record, key))),
            );
        }
        out
    }
}

/// A step of LPTracker is a «шаг», its funnel a «проект», its responsible user an «владелец».
fn system_name(record: RecordKind, field: crate::field::SystemField) -> &'static str {
    use crate::field::SystemField as F;
    match (record, field) {
        (RecordKind::Lead, F::Stage) => "Шаг",
        (RecordKind::Lead | RecordKind::LeadContact, F::Pipeline) => "Проект",
        (RecordKind::Lead, F::Responsible) => "Владелец",
        (RecordKind::Contact | RecordKind::LeadContact, F::Name) => "Имя",
        _ => field.title(),
    }
}

/// What is known of a field, looked for in every connection of its CRM, oldest first.
pub fn describe(path: FieldPath, catalogues: &Catalogues) -> Option<FieldDescription> {
    Scope::each(catalogues).find_map(|scope| scope.describe(path))
}

/// Every field of every connection, for a picker that knows no rule yet; each path once.
pub fn all_fields(catalogues: &Catalogues) -> Vec<FieldDescription> {
    let mut out: Vec<FieldDescription> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for scope in Scope::each(catalogues) {
        out.extend(scope.fields().into_iter().filter(|field| seen.insert(field.path)));
    }
    out.sort_by_key(|field| field.path.record);
    out
}
