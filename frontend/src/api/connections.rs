//! Connections and what they offer.

use api::Page;
use api::connection::{
    AuthorizeUrl, CatalogueChange, CatalogueView, Connection, CreateConnection, RefreshedCatalogue,
    Subscription, UpdateConnection,
};
use domain::id::ConnectionId;

use super::client::{Request, delete, get, patch, post};

/// Every connection of the workspace.
pub fn list_connections() -> Request<Page<Connection>> {
    get("/connections").answers()
}

/// One connection.
pub fn get_connection(id: ConnectionId) -> Request<Connection> {
    get(format!("/connections/{id}")).answers()
}

/// Makes a connection; the credential is tried first.
pub fn create_connection(form: &CreateConnection) -> Request<Connection> {
    post("/connections").json(form).once().answers()
}

/// Changes a connection.
pub fn update_connection(id: ConnectionId, changes: &UpdateConnection) -> Request<Connection> {
    patch(format!("/connections/{id}")).json(changes).answers()
}

/// Deletes a connection.
pub fn delete_connection(id: ConnectionId) -> Request<()> {
    delete(format!("/connections/{id}")).done()
}

/// Tries the credential now.
pub fn check_connection(id: ConnectionId) -> Request<Connection> {
    post(format!("/connections/{id}/check")).answers()
}

/// Stops the exchange; waiting work is kept.
pub fn stop_connection(id: ConnectionId) -> Request<Connection> {
    post(format!("/connections/{id}/stop")).answers()
}

/// Lets a stopped connection go on.
pub fn start_connection(id: ConnectionId) -> Request<Connection> {
    post(format!("/connections/{id}/start")).answers()
}

/// Installs or repairs our webhook subscription.
pub fn subscribe_connection(id: ConnectionId) -> Request<Subscription> {
    post(format!("/connections/{id}/subscribe")).answers()
}

/// Where a person allows access by OAuth.
pub fn authorize_connection(id: ConnectionId) -> Request<AuthorizeUrl> {
    post(format!("/connections/{id}/authorize")).answers()
}

/// Pipelines, fields, users, tags.
pub fn get_catalogue(id: ConnectionId) -> Request<CatalogueView> {
    get(format!("/connections/{id}/catalogue")).answers()
}

/// Reads the catalogue from the CRM again.
pub fn refresh_catalogue(id: ConnectionId) -> Request<RefreshedCatalogue> {
    post(format!("/connections/{id}/catalogue/refresh")).answers()
}

/// What earlier refreshes changed, newest first.
pub fn list_catalogue_changes(id: ConnectionId) -> Request<Page<CatalogueChange>> {
    get(format!("/connections/{id}/catalogue/changes")).answers()
}
