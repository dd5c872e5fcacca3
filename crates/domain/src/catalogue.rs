//! What a connection offers: pipelines, fields, users. Read from the CRM, kept, compared.

use crate::field::FieldType;
use crate::record::RecordKind;
use crate::time::Timestamp;
use crate::value::{Choice, Stage};
use serde::{Deserialize, Serialize};

/// Everything the editor and the compiler know of one account.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// When it was read.
    pub read_at: Timestamp,
    /// amoCRM pipelines; LPTracker projects with their steps.
    pub pipelines: Vec<Pipeline>,
    /// Custom fields of every kind of record.
    pub fields: Vec<FieldInfo>,
    /// Users or staff.
    pub users: Vec<UserInfo>,
    /// Tags per kind of record.
    pub tags: Vec<TagInfo>,
    /// Types of tasks.
    pub task_types: Vec<Choice>,
    /// Reasons for losing a deal.
    pub loss_reasons: Vec<Choice>,
}

/// A funnel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its stages in order.
    pub stages: Vec<StageInfo>,
}

/// What a stage means to the CRM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// An ordinary stage.
    #[default]
    Open,
    /// «Неразобранное».
    Unsorted,
    /// Successfully closed (amoCRM 142).
    Won,
    /// Closed without success (amoCRM 143).
    Lost,
}

/// One stage of a funnel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StageInfo {
    /// Its id, unique only inside the pipeline.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Colour as `#rrggbb`, when the CRM has colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it means.
    #[serde(default)]
    pub kind: StageKind,
}

/// A custom field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldInfo {
    /// Kind of record it belongs to.
    pub record: RecordKind,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Type for rules.
    pub field_type: FieldType,
    /// Type in the CRM's own word.
    #[serde(default)]
    pub raw_type: String,
    /// Symbolic code, where the CRM gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Options of a select.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The hub must not write it.
    #[serde(default)]
    pub read_only: bool,
}

/// A user of the CRM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserInfo {
    /// Id; 0 is LPTracker's main account.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Whether records may be given to this user.
    pub is_active: bool,
}

/// A tag.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TagInfo {
    /// Kind of record the tag is for.
    pub record: RecordKind,
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
}

impl Catalogue {
    /// A custom field of a kind of record.
    pub fn field(&self, record: RecordKind, id: i64) -> Option<&FieldInfo> {
        self.fields
            .iter()
            .find(|field| field.record == record && field.id == id)
    }

    /// A custom field by its symbolic code (`PHONE`).
    pub fn field_by_code(&self, record: RecordKind, code: &str) -> Option<&FieldInfo> {
        self.fields
            .iter()
            .find(|field| field.record == record && field.code.as_deref() == Some(code))
    }

    /// Pipeline and status of a stage.
    pub fn stage(&self, stage: Stage) -> Option<(&Pipeline, &StageInfo)> {
        let pipeline = self
            .pipelines
            .iter()
            .find(|pipeline| pipeline.id == stage.pipeline)?;
        Some((
            pipeline,
            pipeline.stages.iter().find(|info| info.id == stage.status)?,
        ))
    }

    /// Every stage that is neither won nor lost, and not «Неразобранное».
    pub fn open_stages(&self) -> Vec<Stage> {
        let of = |pipeline: &Pipeline| {
            let open = pipeline
                .stages
                .iter()
                .filter(|stage| stage.kind == StageKind::Open);
            let id = pipeline.id;
            open.map(move |stage| Stage {
                pipeline: id,
                status: stage.id,
            })
            .collect::<Vec<_>>()
        };
        self.pipelines.iter().flat_map(of).collect()
    }

    /// A user by id.
    pub fn user(&self, id: i64) -> Option<&UserInfo> {
        self.users.iter().find(|user| user.id == id)
    }
}
