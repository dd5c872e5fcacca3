//! The workspace itself: figures, keys, the audit log.

use api::Page;
use api::api_key::{ApiKey, CreateApiKey, CreatedApiKey};
use api::audit::{AuditEntry, AuditQuery};
use api::panel::{Panel, Period};
use api::workspace::Workspace;
use domain::id::ApiKeyId;

use super::client::{Request, delete, get, order, post};
use crate::filters::query;

/// The workspace.
pub fn get_workspace() -> Request<Workspace> {
    get("/workspace").answers()
}

/// Figures of a period.
pub fn get_panel(period: Period) -> Request<Panel> {
    let word = match period {
        Period::Hour => "hour",
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
    };
    get(format!("/panel?period={word}")).answers()
}

/// Keys of the workspace.
pub fn list_api_keys() -> Request<Page<ApiKey>> {
    get("/api-keys").answers()
}

/// Makes a key; its secret is shown this once.
pub fn create_api_key(form: &CreateApiKey) -> Request<CreatedApiKey> {
    post("/api-keys").json(form).once().answers()
}

/// Revokes a key.
pub fn revoke_api_key(id: ApiKeyId) -> Request<()> {
    delete(format!("/api-keys/{id}")).done()
}

/// Audit entries, newest first.
pub fn list_audit_entries(filter: &AuditQuery) -> Request<Page<AuditEntry>> {
    let moment = |at: Option<i64>| at.map(|at| at.to_string()).unwrap_or_default();
    let address = query([
        ("cursor", filter.cursor.clone().unwrap_or_default()),
        ("subject_kind", filter.subject_kind.clone().unwrap_or_default()),
        ("subject_id", filter.subject_id.clone().unwrap_or_default()),
        ("from", moment(filter.from)),
        ("to", moment(filter.to)),
        ("order", order(filter.order)),
    ]);
    get(format!("/audit{address}")).answers()
}
