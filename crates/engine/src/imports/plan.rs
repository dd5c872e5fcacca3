//! What is to be done with a file: its sheet and header, what the columns mean, where the rows go.

use crate::error::EngineError;
use domain::catalogue::Catalogue;
use domain::connection::ConnectorKind;
use domain::field::{FieldKey, FieldPath, SystemField as F};
use domain::id::ConnectionId;
use domain::record::RecordKind;
use domain::types::{is_writable, system_fields};
use domain::value::Stage;
use importer::header::{ERROR_COLUMN, plain};
use importer::{Header, ImportError, Inspection, Limits, Meaning};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::Path;

/// What the rows of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Contacts with their deals or leads.
    Contacts,
    /// Results of calls.
    Calls,
}

impl Purpose {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Calls => "calls",
        }
    }
}

/// What becomes of rows about people who are there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// They are left out; what is in the CRM stays.
    #[default]
    Skip,
    /// The row's values replace those in the CRM.
    Update,
    /// The row fills only what is empty in the CRM.
    Merge,
    /// A new record is made all the same.
    Create,
}

impl Duplicates {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Update => "update",
            Self::Merge => "merge",
            Self::Create => "create",
        }
    }
}

/// A place in a CRM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Pipeline with status, project with step.
    pub stage: Stage,
    /// Who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<i64>,
}

/// What the check found in a column.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Cells with something in them.
    pub n_filled: u64,
    /// Cells that do not fit.
    pub n_errors: u64,
    /// The first of these: row and reason.
    pub examples: Vec<(i64, String)>,
}

/// What the check counted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Rows about somebody who stands in an earlier row.
    pub n_in_file: u64,
    /// Rows about somebody from an earlier import.
    pub n_earlier: u64,
    /// By column.
    pub columns: Vec<ColumnReport>,
    /// Rows by the word of their state, when the import has come to its end: they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Vec<(String, i64)>>,
}

/// The document of an import.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What the file is.
    pub inspection: Inspection,
    /// The chosen sheet.
    pub sheet: String,
    /// Row of the header, as Excel shows it.
    pub header_row: u64,
    /// Names of the columns.
    pub names: Vec<String>,
    /// The first rows, for showing.
    pub samples: Vec<Vec<String>>,
    /// What each column means; `None` passes it over.
    pub columns: Vec<Option<FieldPath>>,
    /// Whose records the rows become.
    pub connection: Option<ConnectionId>,
    /// Where they go; without it, the rules decide.
    pub place: Option<Place>,
    /// What the rule of that place knows its rows by.
    pub label: Option<String>,
    /// What becomes of those that are there already.
    pub duplicates: Duplicates,
    /// What the check counted.
    pub stats: Stats,
}

const SAMPLES: usize = 20;

impl Plan {
    /// Finds the header and the first rows of a sheet.
    pub(crate) fn look(
        path: &Path,
        inspection: Inspection,
        sheet: &str,
        limits: Limits,
    ) -> Result<Self, ImportError> {
        let mut rows = Vec::new();
        importer::read(path, inspection.format, sheet, limits, &mut |row| {
            rows.push(row);
            if rows.len() < SAMPLES + importer::header::LOOKED_AT {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let header = Header::find(&rows).ok_or(ImportError::NoRows)?;
        let samples = rows
            .iter()
            .filter(|row| row.number > header.row)
            .take(SAMPLES)
            .map(|row| row.cells.iter().map(importer::Cell::show).collect())
            .collect();
        Ok(Self {
            inspection,
            sheet: sheet.to_owned(),
            header_row: header.row,
            columns: vec![None; header.names.len()],
            names: header.names,
            samples,
            connection: None,
            place: None,
            label: None,
            duplicates: Duplicates::default(),
            stats: Stats::default(),
        })
    }

    fn header(&self) -> Header {
        Header {
            row: self.header_row,
            names: self.names.clone(),
        }
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.header().fingerprint()
    }

    pub(crate) fn purpose(&self, word: &str) -> Purpose {
        if word == Purpose::Calls.as_str() {
            Purpose::Calls
        } else {
            Purpose::Contacts
        }
    }

    /// A file with results, lengths or recordings is one of calls.
    pub(crate) fn guess_purpose(&self) -> Purpose {
        let found = self.header().guess();
        let has = |meaning| found.contains(&Some(meaning));
        if has(Meaning::Duration) || has(Meaning::Recording) || (has(Meaning::Result) && has(Meaning::At)) {
            Purpose::Calls
        } else {
            Purpose::Contacts
        }
    }

    /// Guesses what the columns mean: by known names, then by names of the account's own fields.
    pub(crate) fn guess_columns(
        &mut self,
        purpose: Purpose,
        kind: ConnectorKind,
        catalogue: Option<&Catalogue>,
    ) {
        let (main, contact) = kinds(kind);
        let guessed = self.header().guess();
        let mut columns: Vec<Option<FieldPath>> = guessed
            .into_iter()
            .map(|meaning| path_of(meaning?, purpose, main, contact))
            .collect();
        if purpose == Purpose::Contacts {
            for (at, name) in self.names.iter().enumerate() {
                let own = catalogue.and_then(|it| {
                    it.fields.iter().find(|field| {
                        plain(&field.name) == plain(name)
                            && [main, contact].contains(&field.record)
                            && !field.read_only
                    })
                });
                let path = own.map(|field| FieldPath::now(field.record, FieldKey::Custom(field.id)));
                if columns[at].is_none() && path.is_some() && !columns.contains(&path) {
                    columns[at] = path;
                }
            }
        }
        self.columns = columns;
    }

    /// Takes a remembered mapping over; a column of errors that came in since means nothing.
    pub(crate) fn recall(&mut self, known: Vec<Option<FieldPath>>) {
        let mut known = known.into_iter();
        self.columns = self
            .names
            .iter()
            .map(|name| {
                if name == ERROR_COLUMN {
                    None
                } else {
                    known.next().flatten()
                }
            })
            .collect();
    }

    /// The fields that columns may mean.
    pub fn fields(purpose: Purpose, kind: ConnectorKind, catalogue: Option<&Catalogue>) -> Vec<FieldPath> {
        if purpose == Purpose::Calls {
            return CALL_FIELDS
                .iter()
                .map(|field| FieldPath::now(RecordKind::Call, *field))
                .chain([
                    FieldPath::now(RecordKind::LeadContact, F::Name),
                    FieldPath::now(RecordKind::Lead, F::Id),
                ])
                .collect();
        }
        let (main, contact) = kinds(kind);
        let own = |record: RecordKind| {
            system_fields(record)
                .iter()
                .filter(move |field| {
                    is_writable(record, **field) && !matches!(field, F::Stage | F::LossReason)
                })
                .map(move |field| FieldPath::now(record, *field))
        };
        let custom = catalogue.into_iter().flat_map(|it| &it.fields);
        own(contact)
            .chain(own(main))
            .chain(
                custom
                    .filter(|field| [main, contact].contains(&field.record) && !field.read_only)
                    .map(|field| FieldPath::now(field.record, FieldKey::Custom(field.id))),
            )
            .collect()
    }

    /// Each column means something that exists, no two the same.
    pub(crate) fn check_columns(&self, purpose: Purpose, kind: ConnectorKind) -> Result<(), EngineError> {
        let wrong = |text: String| EngineError::Invalid {
            pointer: "/columns",
            text,
        };
        if self.columns.len() != self.names.len() {
            return Err(wrong(format!(
                "В файле {} столбцов, укажите значение для каждого",
                self.names.len()
            )));
        }
        let allowed = Self::fields(purpose, kind, None);
        let (main, contact) = kinds(kind);
        for (at, path) in self.columns.iter().enumerate() {
            let Some(path) = path else { continue };
            let is_custom = purpose == Purpose::Contacts
                && matches!(path.key, FieldKey::Custom(_))
                && [main, contact].contains(&path.record);
            if !is_custom && !allowed.contains(path) {
                return Err(wrong(format!(
                    "Столбец «{}»: такого поля здесь нет",
                    self.names[at]
                )));
            }
            if self.columns[..at].contains(&Some(*path)) {
                return Err(wrong(format!(
                    "Столбец «{}»: это поле уже занято другим столбцом",
                    self.names[at]
                )));
            }
        }
        Ok(())
    }

    /// Somebody must be recognisable.
    pub(crate) fn require_key(&self, purpose: Purpose) -> Result<(), EngineError> {
        let has = |field: F| {
            self.columns
                .iter()
                .flatten()
                .any(|path| path.key == FieldKey::System(field))
        };
        let text = match purpose {
            Purpose::Contacts if !has(F::Phone) && !has(F::Email) => "Укажите столбец с телефоном или e-mail",
            Purpose::Calls if !has(F::Phone) && !has(F::Id) => "Укажите столбец с телефоном или ID лида",
            Purpose::Calls if !has(F::At) => "Укажите столбец с датой звонка",
            _ => return Ok(()),
        };
        Err(EngineError::Invalid {
            pointer: "/columns",
            text: text.to_owned(),
        })
    }

    /// As many cells as there are columns.
    pub(crate) fn cut(&self, mut cells: Vec<String>) -> Vec<String> {
        cells.resize(self.names.len(), String::new());
        cells
    }
}

const CALL_FIELDS: &[F] = &[
    F::Phone,
    F::Result,
    F::Duration,
    F::At,
    F::Comment,
    F::Operator,
    F::Recording,
    F::Disposition,
    F::Direction,
];

/// The record and the contact of a CRM.
pub(crate) const fn kinds(kind: ConnectorKind) -> (RecordKind, RecordKind) {
    match kind {
        ConnectorKind::Amocrm => (RecordKind::Deal, RecordKind::Contact),
        ConnectorKind::Lptracker => (RecordKind::Lead, RecordKind::LeadContact),
    }
}

fn path_of(meaning: Meaning, purpose: Purpose, main: RecordKind, contact: RecordKind) -> Option<FieldPath> {
    use RecordKind as R;
    let path = |record, field: F| Some(FieldPath::now(record, field));
    if purpose == Purpose::Calls {
        return match meaning {
            Meaning::Phone => path(R::Call, F::Phone),
            Meaning::Name => path(R::LeadContact, F::Name),
            Meaning::Result => path(R::Call, F::Result),
            Meaning::Duration => path(R::Call, F::Duration),
            Meaning::At => path(R::Call, F::At),
            Meaning::Comment => path(R::Call, F::Comment),
            Meaning::Operator => path(R::Call, F::Operator),
            Meaning::Recording => path(R::Call, F::Recording),
            Meaning::Lead => path(R::Lead, F::Id),
            _ => None,
        };
    }
    let is_amocrm = matches!(main, R::Deal);
    match meaning {
        Meaning::Phone => path(contact, F::Phone),
        Meaning::Name => path(contact, F::Name),
        Meaning::Email => path(contact, F::Email),
        Meaning::Title => path(main, F::Name),
        Meaning::Price if is_amocrm => path(main, F::Price),
        Meaning::Tags if is_amocrm => path(main, F::Tags),
        Meaning::Site if !is_amocrm => path(contact, F::Site),
        Meaning::Profession if !is_amocrm => path(contact, F::Profession),
        Meaning::Source if !is_amocrm => path(main, F::Source),
        Meaning::Campaign if !is_amocrm => path(main, F::Campaign),
        Meaning::Keyword if !is_amocrm => path(main, F::Keyword),
        _ => None,
    }
}
