//! Making a connection: its credential is tried before it is kept, then the catalogue is read and the webhooks
//! are installed.

use crate::connectors::{Connectors, Secretless};
use connector::ConnectorError;
use domain::connection::ConnectorKind;
use domain::id::WorkspaceId;
use engine::connections::NewConnection;
use engine::{Engine, EngineError, Secret};
use storage::connections::{self, Connection};

/// Which account, with which credential.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Name in the workspace; the account's when empty.
    pub name: String,
    /// Which account.
    pub settings: Secretless,
    /// The credential.
    pub secret: Secret,
}

/// Makes a connection that works at once. The credential is tried first; nothing is kept when it fails. A
/// catalogue that cannot be read or a webhook that cannot be installed is told on the connection's card.
pub async fn connect(
    engine: &Engine,
    connectors: &Connectors,
    workspace: WorkspaceId,
    wanted: Wanted,
) -> Result<Connection, EngineError> {
    let card = connectors
        .try_out(&wanted.settings, &wanted.secret)?
        .check()
        .await?;
    let new = NewConnection {
        kind: kind(&wanted.settings),
        name: named(&wanted.name, &card.name)?,
        settings: wanted.settings.document(),
        secret: Some(wanted.secret),
        expires_at: card.expires_at,
    };
    let connection = engine.connections().create(workspace, new).await?;
    let document = serde_json::to_value(&card).unwrap_or_default();
    connections::set_card(
        engine.db(),
        workspace,
        connection.id,
        &document,
        engine.clock().now(),
    )
    .await?;
    prepare(engine, workspace, &connection).await;
    Ok(connections::find(engine.db(), workspace, connection.id).await?)
}

/// Makes a connection whose credential is known to be good (the demo's): fewer calls, so that it is there soon.
/// What it is connected to is learnt by the caller's next check.
pub async fn connect_trusted(
    engine: &Engine,
    workspace: WorkspaceId,
    wanted: Wanted,
) -> Result<Connection, EngineError> {
    let connection = connect_later(engine, workspace, wanted).await?;
    let connections = engine.connections();
    connections.refresh_catalogue(workspace, connection.id).await?;
    connections.install(workspace, connection.id).await?;
    Ok(connection)
}

/// Makes a connection that waits for a person's consent.
pub async fn connect_later(
    engine: &Engine,
    workspace: WorkspaceId,
    wanted: Wanted,
) -> Result<Connection, EngineError> {
    let new = NewConnection {
        kind: kind(&wanted.settings),
        name: named(&wanted.name, "amoCRM")?,
        settings: wanted.settings.document(),
        secret: Some(wanted.secret),
        expires_at: None,
    };
    engine.connections().create(workspace, new).await
}

/// Reads the catalogue and installs the webhooks of a connection that has just been authorised.
pub async fn prepare(engine: &Engine, workspace: WorkspaceId, connection: &Connection) {
    let connections = engine.connections();
    if let Err(error) = connections.refresh_catalogue(workspace, connection.id).await {
        tracing::warn!(connection.id = %connection.id, %error, "справочник нового подключения не прочитан");
    }
    if let Err(error) = connections.install(workspace, connection.id).await {
        tracing::warn!(connection.id = %connection.id, %error, "вебхуки нового подключения не установлены");
    }
}

fn kind(settings: &Secretless) -> ConnectorKind {
    match settings {
        Secretless::Amocrm { .. } => ConnectorKind::Amocrm,
        Secretless::Lptracker { .. } => ConnectorKind::Lptracker,
    }
}

/// The name to keep: what a person typed, or what the CRM calls the account.
pub fn named(typed: &str, known: &str) -> Result<String, EngineError> {
    let typed = typed.trim();
    let name = if typed.is_empty() { known.trim() } else { typed };
    match name.chars().count() {
        1..=200 if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(EngineError::Invalid {
            pointer: "/name",
            text: "укажите название длиной от 1 до 200 символов".to_owned(),
        }),
    }
}

/// A refused credential is a mistake in the form, not a failure of the CRM.
pub fn blame(error: EngineError, pointer: &'static str) -> EngineError {
    let text = match &error {
        EngineError::Connector(ConnectorError::Unauthorized) => {
            "CRM не приняла эти данные для входа: проверьте их и введите заново"
        }
        EngineError::Connector(ConnectorError::AddressRefused { .. }) => {
            "по этому адресу обращаться нельзя: укажите домен вида example.amocrm.ru"
        }
        EngineError::Connector(ConnectorError::NotFound) => {
            "такого аккаунта или проекта нет, проверьте номер и адрес"
        }
        _ => return error,
    };
    EngineError::Invalid {
        pointer,
        text: text.to_owned(),
    }
}
