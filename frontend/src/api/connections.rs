//! Connections and what they offer.

use api::Page;
use api::connection::{
    AuthorizeUrl, CatalogueChange, CatalogueView, Connection, CreateConnection, RefreshedCatalogue,
    Subscription, UpdateConnection,
};
use domain::id::ConnectionId;

use super::client::{Answer, delete, get, patch, post};

/// Every connection of the workspace.
pub async fn list_connections() -> Answer<Page<Connection>> {
    get("/connections").send().await
}

/// One connection.
pub async fn get_connection(id: ConnectionId) -> Answer<Connection> {
    get(format!("/connections/{id}")).send().await
}

/// Makes a connection; the credential is tried first.
pub async fn create_connection(form: &CreateConnection) -> Answer<Connection> {
    post("/connections").json(form).once().send().await
}

/// Changes a connection.
pub async fn update_connection(id: ConnectionId, changes: &UpdateConnection) -> Answer<Connection> {
    patch(format!("/connections/{id}")).json(changes).send().await
}

/// Deletes a connection.
pub async fn delete_connection(id: ConnectionId) -> Answer<()> {
    delete(format!("/connections/{id}")).done().await
}

/// Tries the credential now.
pub async fn check_connection(id: ConnectionId) -> Answer<Connection> {
    post(format!("/connections/{id}/check")).send().await
}

/// Stops the exchange; waiting work is kept.
pub async fn stop_connection(id: ConnectionId) -> Answer<Connection> {
    post(format!("/connections/{id}/stop")).send().await
}

/// Lets a stopped connection go on.
pub async fn start_connection(id: ConnectionId) -> Answer<Connection> {
    post(format!("/connections/{id}/start")).send().await
}

/// Installs or repairs our webhook subscription.
pub async fn subscribe_connection(id: ConnectionId) -> Answer<Subscription> {
    post(format!("/connections/{id}/subscribe")).send().await
}

/// Where a person allows access by OAuth.
pub async fn authorize_connection(id: ConnectionId) -> Answer<AuthorizeUrl> {
    post(format!("/connections/{id}/authorize")).send().await
}

/// Pipelines, fields, users, tags.
pub async fn get_catalogue(id: ConnectionId) -> Answer<CatalogueView> {
    get(format!("/connections/{id}/catalogue")).send().await
}

/// Reads the catalogue from the CRM again.
pub async fn refresh_catalogue(id: ConnectionId) -> Answer<RefreshedCatalogue> {
    post(format!("/connections/{id}/catalogue/refresh")).send().await
}

/// What earlier refreshes changed, newest first.
pub async fn list_catalogue_changes(id: ConnectionId) -> Answer<Page<CatalogueChange>> {
    get(format!("/connections/{id}/catalogue/changes")).send().await
}
