//! Files: uploaded, described, checked, handed over row by row.

use domain::id::{ConnectionId, EventId, ImportId, RuleId};
use domain::time::Timestamp;
use domain::value::Stage;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal, $title:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this stable word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
            }

            /// Russian name.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where an import stands.
    ImportState {
        /// Uploaded; its columns may be described.
        Uploaded = "uploaded", "Загружен";
        /// Its rows are being read.
        Checking = "checking", "Проверяется";
        /// Every row is read; it may be started.
        Checked = "checked", "Проверен";
        /// Rows are being handed over.
        Running = "running", "Выполняется";
        /// Stopped by a person, to go on later.
        Paused = "paused", "На паузе";
        /// Every row came to its end.
        Done = "done", "Готово";
        /// Given up by a person.
        Cancelled = "cancelled", "Отменён";
        /// It cannot go on.
        Failed = "failed", "Ошибка";
    }
}

words! {
    /// Where a row stands.
    RowState {
        /// Read, waits to be handed over.
        Accepted = "accepted", "Принята";
        /// Handed over, not through yet.
        Queued = "queued", "В работе";
        /// Carried out.
        Done = "done", "Выполнена";
        /// Left out as a duplicate.
        Duplicate = "duplicate", "Дубликат";
        /// Nothing had to be done, or it was given up.
        Skipped = "skipped", "Пропущена";
        /// It cannot be taken, or the CRM refused it.
        Failed = "failed", "Ошибка";
    }
}

words! {
    /// What the rows of a file are.
    ImportPurpose {
        /// Contacts with their deals or leads.
        Contacts = "contacts", "Контакты и лиды";
        /// Results of calls.
        Calls = "calls", "Результаты прозвонов";
    }
}

words! {
    /// What becomes of rows about people who are there already.
    DuplicatePolicy {
        /// They are left out.
        Skip = "skip", "Пропустить";
        /// The row's values replace those in the CRM.
        Update = "update", "Обновить";
        /// The row fills only what is empty.
        Merge = "merge", "Дополнить пустое";
        /// A new record is made all the same.
        Create = "create", "Создать ещё одну запись";
    }
}

/// A sheet of a workbook.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportSheet {
    /// Name; empty for a text file.
    pub name: String,
    /// Hidden in the workbook.
    pub is_hidden: bool,
}

/// A cell that does not fit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CellProblem {
    /// Row as the spreadsheet program numbers it.
    pub row: i64,
    /// What is wrong, in Russian.
    pub text: String,
}

/// A column: what it is called, what it means, what the check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportColumn {
    /// Name in the header.
    pub name: String,
    /// Field it means: `lead_contact.phone`; absent when it is passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Values of the first rows.
    pub samples: Vec<String>,
    /// Cells with something in them.
    pub n_filled: u64,
    /// Cells that do not fit.
    pub n_errors: u64,
    /// The first of these.
    pub examples: Vec<CellProblem>,
}

/// A place in a CRM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportPlace {
    /// Pipeline with status, or project with step.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub stage: Stage,
    /// Who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<i64>,
}

/// How many rows are where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowCounts {
    /// Wait to be handed over.
    pub n_accepted: u64,
    /// Handed over, not through yet.
    pub n_queued: u64,
    /// Carried out.
    pub n_done: u64,
    /// Left out as duplicates.
    pub n_duplicate: u64,
    /// Skipped.
    pub n_skipped: u64,
    /// Failed.
    pub n_failed: u64,
}

impl RowCounts {
    /// Rows that came to their end.
    pub const fn n_ended(&self) -> u64 {
        self.n_done + self.n_duplicate + self.n_skipped + self.n_failed
    }

    /// All rows.
    pub const fn n_all(&self) -> u64 {
        self.n_ended() + self.n_accepted + self.n_queued
    }
}

/// An import in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportSummary {
    /// Id; ascending in time of upload.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: ImportId,
    /// Name of the file.
    pub name: String,
    /// What its rows are.
    pub purpose: ImportPurpose,
    /// Where it stands.
    pub state: ImportState,
    /// Rows read so far.
    pub n_rows: i64,
    /// How many of them are where.
    pub counts: RowCounts,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was uploaded.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When its rows began to be handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub finished_at: Option<Timestamp>,
}

/// An import with its columns and what the check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportView {
    /// What the list shows too.
    #[serde(flatten)]
    pub summary: ImportSummary,
    /// What the file is by its content: `XLSX`, `XLS`, `ODS`, «CSV, UTF-8».
    pub format: String,
    /// Sheets of the file.
    pub sheets: Vec<ImportSheet>,
    /// The chosen one.
    pub sheet: String,
    /// Row of the header, as the spreadsheet program numbers it.
    pub header_row: u64,
    /// Columns in their order.
    pub columns: Vec<ImportColumn>,
    /// Whose records the rows become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection_id: Option<ConnectionId>,
    /// Where the rows go; absent when rules decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<ImportPlace>,
    /// What becomes of those that are there already.
    pub duplicates: DuplicatePolicy,
    /// The rule that puts the rows into their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
    /// Rows about somebody who stands in an earlier row of the file.
    pub n_in_file: u64,
    /// Rows about somebody from an earlier import.
    pub n_earlier: u64,
    /// Rows whose contact the hub knows in the CRM already.
    pub n_known: u64,
    /// Fields that columns may mean: `lead_contact.phone`.
    pub fields: Vec<String>,
}

/// What is to be done with a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DescribeImport {
    /// What its rows are.
    pub purpose: ImportPurpose,
    /// Which sheet.
    #[serde(default)]
    pub sheet: String,
    /// Whose records they become.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// What each column means, `null` to pass it over; absent to let the hub guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Option<String>>>,
    /// Where they go; absent to leave that to the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<ImportPlace>,
    /// What becomes of those that are there already.
    pub duplicates: DuplicatePolicy,
}

/// One file of an upload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadedFile {
    /// Its name.
    pub name: String,
    /// The import, when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportView>,
    /// Why it was not, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of the files of an upload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadedFiles {
    /// In the order of the upload.
    pub items: Vec<UploadedFile>,
}

/// The body of an upload, for the document.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
pub struct UploadForm {
    /// One or several files.
    #[schema(value_type = Vec<String>, format = Binary)]
    pub file: Vec<Vec<u8>>,
}

/// A row of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportRowView {
    /// Number as the spreadsheet program shows it.
    pub number: i64,
    /// Where it stands.
    pub state: RowState,
    /// Its cells.
    pub cells: Vec<String>,
    /// Why it failed, was skipped, or whose duplicate it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The event it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub event_id: Option<EventId>,
}

/// New cells of a row that was not handed over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditImportRow {
    /// All of them, in the order of the columns.
    pub cells: Vec<String>,
}

/// Which rows of a file are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ImportRowQuery {
    /// Only in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RowState>,
    /// Cursor of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page, 1–200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
