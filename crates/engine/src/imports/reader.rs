//! Cells to values, with everything one must know for it.

use super::Import;
use super::plan::{Plan, Purpose, kinds};
use crate::context::Context;
use crate::error::EngineError;
use domain::connection::ConnectorKind;
use domain::field::{FieldKey, FieldPath, FieldType, SystemField as F};
use domain::record::{Record, RecordKind};
use domain::time::Zone;
use domain::value::Value;
use importer::value::Wanted;
use std::collections::HashMap;
use storage::{StorageError, connections};

/// A row as values, or why not: by column, `None` for the row as a whole.
pub(super) struct ReadRow {
    pub(super) records: Vec<Record>,
    pub(super) key: Option<String>,
    pub(super) errors: Vec<(Option<usize>, String)>,
}

/// Reads the rows of one import as it is planned now.
pub(super) struct Reader {
    pub(super) plan: Plan,
    pub(super) purpose: Purpose,
    pub(super) zone: Zone,
    kind: ConnectorKind,
    /// Types of the account's own fields that columns may mean.
    types: HashMap<FieldPath, FieldType>,
}

impl Reader {
    /// The reader of an import; `None` if its connection was deleted, since nobody knows then what its columns mean.
    pub(super) async fn of(context: &Context, import: &Import) -> Result<Option<Self>, EngineError> {
        let (db, workspace) = (&context.db, import.workspace);
        let Some(connection) = import.plan.connection else {
            return Ok(None);
        };
        let kind = match connections::find(db, workspace, connection).await {
            Ok(connection) => connection.kind,
            Err(StorageError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let catalogue = connections::catalogue(db, workspace, connection).await?;
        let fields = catalogue.iter().flat_map(|it| &it.fields);
        let types = fields.map(|field| {
            let path = FieldPath::now(field.record, FieldKey::Custom(field.id));
            (path, field.field_type)
        });
        Ok(Some(Self {
            plan: import.plan.clone(),
            purpose: import.plan.purpose(&import.purpose),
            zone: crate::rulebook::frame(context, workspace).await?.zone,
            kind,
            types: types.collect(),
        }))
    }

    /// Values of a row.
    pub(super) fn read(&self, cells: &[String]) -> ReadRow {
        let mut read = ReadRow {
            records: Vec::new(),
            key: None,
            errors: Vec::new(),
        };
        for (at, path) in self.plan.columns.iter().enumerate() {
            let (Some(path), Some(text)) = (path, cells.get(at)) else {
                continue;
            };
            let wanted = Wanted {
                key: path.key,
                of_type: self.type_of(path),
            };
            match importer::value::typed(text, wanted, &self.zone) {
                Ok(Some(value)) => put(&mut read.records, *path, value),
                Ok(None) => {}
                Err(reason) => read.errors.push((Some(at), reason)),
            }
        }
        read.key = match self.purpose {
            Purpose::Contacts => contact_key(&read.records, kinds(self.kind).1),
            Purpose::Calls => call_key(&read.records),
        };
        if read.errors.is_empty() && read.key.is_none() {
            let text = match self.purpose {
                Purpose::Contacts => "в строке нет ни телефона, ни e-mail",
                Purpose::Calls => "в строке нет телефона (или ID лида) либо даты звонка",
            };
            read.errors.push((None, text.to_owned()));
        }
        read
    }

    fn type_of(&self, path: &FieldPath) -> FieldType {
        match path.key {
            FieldKey::System(F::Id) => FieldType::Text,
            // Words of results are the workspace's own.
            FieldKey::System(F::Result | F::Direction) => FieldType::Text,
            FieldKey::System(field) => field.field_type(),
            FieldKey::Custom(_) => self.types.get(path).copied().unwrap_or(FieldType::Text),
        }
    }
}

fn put(records: &mut Vec<Record>, path: FieldPath, value: Value) {
    let at = records.iter().position(|record| record.key.kind == path.record);
    let at = at.unwrap_or_else(|| {
        records.push(Record::new(path.record, ""));
        records.len() - 1
    });
    if path.key == FieldKey::System(F::Id) {
        if let Value::Text(id) = value {
            records[at].key.id = id.as_str().into();
        }
    } else {
        records[at].set(path.key, value);
    }
}

fn of(records: &[Record], kind: RecordKind, field: F) -> Option<&Value> {
    records
        .iter()
        .find(|record| record.key.kind == kind)?
        .get(field.into())
}

fn first_text(value: Option<&Value>) -> Option<&str> {
    match value? {
        Value::Texts(texts) => texts.first().map(String::as_str),
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn contact_key(records: &[Record], contact: RecordKind) -> Option<String> {
    let text = |field| first_text(of(records, contact, field));
    text(F::Phone).or_else(|| text(F::Email)).map(str::to_owned)
}

fn call_key(records: &[Record]) -> Option<String> {
    let at = match of(records, RecordKind::Call, F::At)? {
        Value::Instant(at) => at.0,
        Value::Day(day) => day.date()?.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis(),
        _ => return None,
    };
    let lead = || {
        let lead = records
            .iter()
            .find(|record| record.key.kind == RecordKind::Lead)?;
        Some(lead.key.id.0.as_str()).filter(|id| !id.is_empty())
    };
    let who = first_text(of(records, RecordKind::Call, F::Phone)).or_else(lead)?;
    Some(format!("call {who} {at}"))
}
