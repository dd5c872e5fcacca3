//! Making a connection: its credential is tried before it is kept, then the catalogue is read and the webhooks
//! are installed.

use crate::connectors::{Connectors, Secretless, secretless};
use amocrm::OauthApp;
use connector::ConnectorError;
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, WorkspaceId};
use engine::connections::NewConnection;
use engine::{Engine, EngineError, Secret};
use secrecy::ExposeSecret;
use storage::audit::Actor;
use storage::connections::{self, Connection};
use url::Url;

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
    (workspace, actor): (WorkspaceId, &Actor),
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
    let connection = engine.connections().create(workspace, actor, new).await?;
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
    let connection = connect_later(engine, (workspace, &Actor::system()), wanted).await?;
    let connections = engine.connections();
    connections.refresh_catalogue(workspace, connection.id).await?;
    connections.install(workspace, connection.id).await?;
    Ok(connection)
}

/// Makes a connection that waits for a person's consent.
pub async fn connect_later(
    engine: &Engine,
    (workspace, actor): (WorkspaceId, &Actor),
    wanted: Wanted,
) -> Result<Connection, EngineError> {
    let new = NewConnection {
        kind: kind(&wanted.settings),
        name: named(&wanted.name, "amoCRM")?,
        settings: wanted.settings.document(),
        secret: Some(wanted.secret),
        expires_at: None,
    };
    engine.connections().create(workspace, actor, new).await
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

/// Exchanges the code of a consent for tokens; what waited for them goes on.
pub async fn finish_consent(
    engine: &Engine,
    connectors: &Connectors,
    (workspace, id): (WorkspaceId, ConnectionId),
    actor: &Actor,
    code: &str,
    consented: Option<&str>,
) -> Result<(), EngineError> {
    let row = connections::find(engine.db(), workspace, id).await?;
    let works = engine.connections();
    let stored = works.secret(workspace, id).await?;
    let (
        Secretless::Amocrm {
            base_url,
            client_id: Some(client_id),
        },
        Secret::Oauth {
            client_secret,
            redirect_uri,
            ..
        },
    ) = (secretless(&row), stored)
    else {
        return Err(EngineError::SecretShape);
    };
    check_account(&base_url, consented)?;
    let app = OauthApp {
        client_id,
        client_secret: client_secret.clone().into(),
        redirect_uri: redirect_uri.clone(),
    };
    let tokens = connectors.exchange_code(&base_url, app, code).await?;
    let secret = Secret::Oauth {
        client_secret,
        redirect_uri,
        access: tokens.access.expose_secret().to_owned(),
        refresh: tokens
            .refresh
            .map(|token| token.expose_secret().to_owned())
            .unwrap_or_default(),
    };
    works
        .authorise((workspace, id), actor, &secret, tokens.expires_at)
        .await?;
    works.check(workspace, id).await?;
    prepare(engine, workspace, &row).await;
    Ok(())
}

/// The account that consented must be the one that was meant.
fn check_account(base_url: &str, consented: Option<&str>) -> Result<(), EngineError> {
    let base = Url::parse(base_url).ok();
    let host = base.as_ref().and_then(|url| url.host_str());
    let is_account = host.is_some_and(|host| amocrm::account_host(host).is_ok());
    match consented {
        Some(consented) if is_account && Some(consented.to_ascii_lowercase().as_str()) != host => {
            Err(EngineError::Invalid {
                pointer: "",
                text: "доступ дан из другого аккаунта amoCRM: выберите нужный и повторите".to_owned(),
            })
        }
        _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, referer: Option<&str>, good: bool) {
        assert_eq!(check_account(base, referer).is_ok(), good, "{base} {referer:?}");
    }

    #[test]
    fn another_account_is_refused() {
        check("https://one.amocrm.ru/", Some("one.amocrm.ru"), true);
        check("https://one.amocrm.ru/", Some("ONE.amocrm.ru"), true);
        check("https://one.amocrm.ru/", Some("two.amocrm.ru"), false);
        check("http://127.0.0.1:7081/", Some("demo.amocrm.ru"), true);
        check("https://one.amocrm.ru/", None, true);
    }
}
