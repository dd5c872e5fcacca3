//! The workspace itself: figures, people, keys, the audit log.

use api::Page;
use api::api_key::{ApiKey, CreateApiKey, CreatedApiKey};
use api::audit::{AuditEntry, AuditQuery};
use api::panel::{Panel, Period};
use api::workspace::{Member, Workspace};
use domain::id::ApiKeyId;

use super::client::{Answer, delete, get, post};
use crate::filters::query;

/// The workspace.
pub async fn get_workspace() -> Answer<Workspace> {
    get("/workspace").send().await
}

/// Figures of a period.
pub async fn get_panel(period: Period) -> Answer<Panel> {
    let word = match period {
        Period::Hour => "hour",
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
    };
    get(format!("/panel?period={word}")).send().await
}

/// People of the workspace.
pub async fn list_members() -> Answer<Page<Member>> {
    get("/members").send().await
}

/// Keys of the workspace.
pub async fn list_api_keys() -> Answer<Page<ApiKey>> {
    get("/api-keys").send().await
}

/// Makes a key; its secret is shown this once.
pub async fn create_api_key(form: &CreateApiKey) -> Answer<CreatedApiKey> {
    post("/api-keys").json(form).once().send().await
}

/// Revokes a key.
pub async fn revoke_api_key(id: ApiKeyId) -> Answer<()> {
    delete(format!("/api-keys/{id}")).done().await
}

/// Audit entries, newest first.
pub async fn list_audit_entries(filter: &AuditQuery) -> Answer<Page<AuditEntry>> {
    let address = query([
        ("cursor", filter.cursor.clone().unwrap_or_default()),
        ("subject_kind", filter.subject_kind.clone().unwrap_or_default()),
        ("subject_id", filter.subject_id.clone().unwrap_or_default()),
    ]);
    get(format!("/audit{address}")).send().await
}
