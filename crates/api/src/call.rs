//! Results of calls.

use crate::import::words;
use domain::id::{CallResultId, ConnectionId, EventId, RuleId};
use domain::time::Timestamp;
use domain::value::Stage;
use serde::{Deserialize, Serialize};

words! {
    /// Whether a result has arrived in amoCRM.
    SyncState {
        /// On its way, or no rule has taken it yet.
        Pending = "pending", "Ожидает";
        /// Arrived.
        Synced = "synced", "Синхронизировано";
        /// Refused.
        Failed = "failed", "Ошибка";
    }
}

words! {
    /// How a call came to the hub.
    CallSource {
        /// LPTracker told of it.
        Webhook = "webhook", "Вебхук LPTracker";
        /// LPTracker was asked.
        Poll = "poll", "Опрос LPTracker";
        /// It stood in a file.
        Import = "import", "Файл";
        /// A person wrote it down.
        Manual = "manual", "Вручную";
        /// A script told of it.
        Api = "api", "API";
        /// A rule saved it.
        Rule = "rule", "Правило";
    }
}

words! {
    /// Who called whom.
    CallDirection {
        /// The customer called.
        Incoming = "incoming", "Входящий";
        /// The customer was called.
        Outgoing = "outgoing", "Исходящий";
    }
}

words! {
    /// What a list of results is ordered by.
    CallOrder {
        /// Newest first.
        Newest = "newest", "Сначала новые";
        /// Oldest first.
        Oldest = "oldest", "Сначала старые";
        /// Longest first.
        Longest = "longest", "Сначала длинные";
        /// Shortest first.
        Shortest = "shortest", "Сначала короткие";
    }
}

words! {
    /// A kind of file.
    ExportFormat {
        /// Excel.
        Xlsx = "xlsx", "XLSX";
        /// Text with semicolons.
        Csv = "csv", "CSV";
    }
}

/// A result of a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallResultView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: CallResultId,
    /// Connection whose call it is.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// The id that the CRM gave the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// When the call was.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub at: Timestamp,
    /// Phone in international form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Name of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Result in the words of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Length in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    /// Who called whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<CallDirection>,
    /// How the telephone exchange ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// Comment of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// It has a recording, which `GET …/recording` streams to members.
    pub has_recording: bool,
    /// How it came first.
    pub source: CallSource,
    /// Lead in LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// Deal in amoCRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<String>,
    /// The event that told the rules of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub event_id: Option<EventId>,
    /// Whether it has arrived.
    pub sync: SyncState,
    /// Why it failed, or why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_error: Option<String>,
    /// It may be sent again.
    pub can_resend: bool,
    /// When it came.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub updated_at: Timestamp,
}

/// Which results are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams, utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default)]
pub struct CallQuery {
    /// With this result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncState>,
    /// That came this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<CallSource>,
    /// Of this operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Calls at or after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Calls before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Whose phone, contact or comment contains this text, or whose lead or deal has this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Order; newest first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<CallOrder>,
    /// Cursor of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page, 1–200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Kind of file, for exports; XLSX by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
}

/// A call that a person or a script tells of.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NewCallResult {
    /// Connection whose call it is; the first LPTracker by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection_id: Option<ConnectionId>,
    /// The id that the CRM or the telephone exchange gave the call: one call with one id is one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// When; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Phone in any spelling; needed when there is no lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Lead in LPTracker; needed when there is no phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// Name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Result, one of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Length in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Who called whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<CallDirection>,
    /// Comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Address of the recording, HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
}

/// A call taken in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddedCallResult {
    /// Its row.
    pub result: CallResultView,
    /// It was not known before.
    pub is_new: bool,
}

/// A result given by a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetCallResult {
    /// One of the settings.
    pub result: String,
    /// Comment; absent leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The ready rule that carries results into amoCRM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateCallRule {
    /// Whose calls: the LPTracker connection.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub source_id: ConnectionId,
    /// The amoCRM connection of the deals.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub amocrm_id: ConnectionId,
    /// With one of these results; with any when empty.
    #[serde(default)]
    pub results: Vec<String>,
    /// The status that the deal is moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub stage: Option<Stage>,
    /// The field of the deal that gets the result: `deal.` and the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// A rule that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedCallRule {
    /// The rule; a person looks at it in the editor and publishes it.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub rule_id: RuleId,
}

/// How many results were sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResentCallResults {
    /// Those that had not arrived and were not on their way.
    pub n_sent: u64,
}

/// A piece of the chart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallFigure {
    /// Day in the workspace's zone, `2026-11-25`.
    pub day: String,
    /// Result; absent when the call has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Operator, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// How many calls.
    pub n: u64,
}

/// A step whose calls have a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepResult {
    /// Project with step.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub stage: Stage,
    /// The result.
    pub result: String,
}

/// A disposition of the telephone exchange that is a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DispositionResult {
    /// The word, compared without case and blanks.
    pub disposition: String,
    /// The result.
    pub result: String,
}

/// How calls become results.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallSettingsView {
    /// Words of results, in the order of the lists.
    pub results: Vec<String>,
    /// A lead that is put on such a step gives its last call this result.
    pub steps: Vec<StepResult>,
    /// A call that ended so has this result.
    pub dispositions: Vec<DispositionResult>,
}
