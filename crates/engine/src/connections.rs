//! Connections as a person works with them: make, check, subscribe, refresh the catalogue.

use crate::catalogue_diff;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::failpoint::point;
use crate::lease::holding;
use crate::secrets::{self, Secret};
use connector::{AccountCard, Connector, ConnectorError, Subscription, Verdict};
use domain::catalogue::Catalogue;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use secrecy::ExposeSecret;
use std::sync::Arc;
use storage::audit::{Actor, NewEntry};
use storage::connections::{self, Connection};
use storage::{Db, Tx, credentials, deliveries, reconciliations};

/// What is needed for a new connection.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Which CRM.
    pub kind: ConnectorKind,
    /// Name for people.
    pub name: String,
    /// Settings of the connector, without secrets.
    pub settings: serde_json::Value,
    /// Its secret; `None` while consent is still to be given.
    pub secret: Option<Secret>,
    /// When the secret expires, when known.
    pub expires_at: Option<Timestamp>,
}

/// Works on connections.
#[derive(Clone)]
pub struct Connections {
    context: Arc<Context>,
}

impl Connections {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Stores a new connection with its sealed secret and a hook address of its own.
    pub async fn create(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        new: NewConnection,
    ) -> Result<Connection, EngineError> {
        let now = self.context.clock.now();
        let id = ConnectionId(new_id());
        let sealed_key = secrets::new_data_key(&self.context.keyring, id)?;
        let connection = Connection {
            workspace,
            id,
            kind: new.kind,
            name: new.name,
            settings: new.settings,
            state: match &new.secret {
                Some(secret) if !secret.needs_consent() => ConnectionState::Active,
                _ => ConnectionState::New,
            },
            state_reason: None,
            card: None,
            catalogue_at: None,
            subscription: None,
            subscription_at: None,
            last_success_at: None,
            last_failure_at: None,
            last_failure: None,
            last_event_at: None,
            reconciled_at: None,
            data_key: Some(sealed_key),
            version: 1,
            created_at: now,
        };
        let key = secrets::data_key(&self.context.keyring, &connection)?;
        let hook = vault::random_token(32).map_err(EngineError::Secret)?;
        let sealed_hook = secrets::seal_hook(&key, id, &hook)?;
        let tx = self.context.db.begin().await?;
        connections::insert(&tx, &connection).await?;
        if let Some(secret) = &new.secret {
            secrets::put(&tx, &key, workspace, id, secret, new.expires_at, now).await?;
        }
        let hash = vault::hash_token(hook.expose_secret());
        credentials::insert_hook_secret(&tx, workspace, id, &hash, &sealed_hook, now).await?;
        let made = NewEntry::of("connection", "connection.created", id, None, shown(&connection));
        self.context.audit(&tx, workspace, actor, made).await?;
        tx.commit().await?;
        Ok(connection)
    }

    /// Gives a connection a new secret; what waited for it goes on.
    pub async fn authorise(
        &self,
        (workspace, id): (WorkspaceId, ConnectionId),
        actor: &Actor,
        secret: &Secret,
        expires_at: Option<Timestamp>,
    ) -> Result<(), EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        let now = self.context.clock.now();
        let key = secrets::data_key(&self.context.keyring, &connection)?;
        let tx = self.context.db.begin().await?;
        secrets::put(&tx, &key, workspace, id, secret, expires_at, now).await?;
        connections::update(&tx, workspace, id, &connection.name, &connection.settings, now).await?;
        self.let_work(&tx, workspace, id).await?;
        let given = NewEntry::of("connection", "connection.authorised", id, None, None);
        self.context.audit(&tx, workspace, actor, given).await?;
        tx.commit().await?;
        self.context.forget(id);
        Ok(())
    }

    /// Keeps a new OAuth application of a connection; it waits for consent and then goes on.
    pub async fn await_consent(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        secret: &Secret,
    ) -> Result<(), EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        let key = secrets::data_key(&self.context.keyring, &connection)?;
        let tx = self.context.db.begin().await?;
        secrets::put(&tx, &key, workspace, id, secret, None, self.context.clock.now()).await?;
        let reason = Some("нужно дать доступ в amoCRM");
        connections::set_state(&tx, workspace, id, ConnectionState::New, reason).await?;
        tx.commit().await?;
        self.context.forget(id);
        Ok(())
    }

    /// The stored secret, for finishing a consent.
    pub async fn secret(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Secret, EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        secrets::DbTokens::new(&self.context, &connection)?.secret().await
    }

    /// Changes name and settings.
    pub async fn update(
        &self,
        (workspace, id): (WorkspaceId, ConnectionId),
        actor: &Actor,
        name: &str,
        settings: &serde_json::Value,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let before = connections::find(&tx, workspace, id).await?;
        connections::update(&tx, workspace, id, name, settings, self.context.clock.now()).await?;
        let after = serde_json::json!({ "name": name, "settings": settings });
        let changed = NewEntry::of(
            "connection",
            "connection.changed",
            id,
            shown(&before),
            Some(after),
        );
        self.context.audit(&tx, workspace, actor, changed).await?;
        tx.commit().await?;
        self.context.forget(id);
        Ok(())
    }

    /// The address that the CRM is to call.
    pub async fn hook_url(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<String, EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        let key = secrets::data_key(&self.context.keyring, &connection)?;
        let sealed = credentials::hook_secret(&self.context.db, workspace, id).await?;
        let secret = secrets::open_hook(&key, id, &sealed)?;
        Ok(format!(
            "{}/hooks/{}/{}",
            self.context.settings.public_url,
            connection.kind.as_str(),
            secret.expose_secret()
        ))
    }

    /// Proves that the connection works, and stores what that told.
    pub async fn check(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<AccountCard, EngineError> {
        let (connection, connector) = self.open(workspace, id).await?;
        let card = self.noted(&connection, connector.check().await).await?;
        let document = serde_json::to_value(&card).unwrap_or_default();
        connections::set_card(
            &self.context.db,
            workspace,
            id,
            &document,
            self.context.clock.now(),
        )
        .await?;
        if matches!(
            connection.state,
            ConnectionState::NeedsReauth | ConnectionState::Blocked
        ) {
            self.activate(workspace, id).await?;
        }
        Ok(card)
    }

    /// Lets a connection work again and wakes what waited for it.
    async fn let_work(&self, tx: &Tx, workspace: WorkspaceId, id: ConnectionId) -> Result<(), EngineError> {
        connections::set_state(tx, workspace, id, ConnectionState::Active, None).await?;
        deliveries::wake(tx, id, self.context.clock.now()).await?;
        Ok(())
    }

    /// Lets a connection work again by a person's wish.
    pub async fn start(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: ConnectionId,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        self.let_work(&tx, workspace, id).await?;
        let started = NewEntry::of("connection", "connection.started", id, None, None);
        self.context.audit(&tx, workspace, actor, started).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same, found out by a check: there is nobody to tell of.
    async fn activate(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        self.let_work(&tx, workspace, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Installs our webhook subscription if it is missing, and stores its state.
    pub async fn subscribe(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<Subscription, EngineError> {
        let (connection, connector) = self.open(workspace, id).await?;
        let url = self.hook_url(workspace, id).await?;
        let result = install(&*connector, &url).await;
        let state = self.noted(&connection, result).await?;
        let document = serde_json::to_value(&state).unwrap_or_default();
        connections::set_subscription(
            &self.context.db,
            workspace,
            id,
            &document,
            self.context.clock.now(),
        )
        .await?;
        Ok(state)
    }

    /// Installs our webhook subscription of a new connection. Its address is new too, so nobody needs to look
    /// whether it is there; entries of others are learnt at the next look.
    pub async fn install(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<(), EngineError> {
        let (connection, connector) = self.open(workspace, id).await?;
        let url = self.hook_url(workspace, id).await?;
        let result = connector.subscribe(&url).await;
        self.noted(&connection, result).await?;
        let state = Subscription {
            installed: true,
            disabled: false,
            foreign: Vec::new(),
        };
        let document = serde_json::to_value(&state).unwrap_or_default();
        connections::set_subscription(
            &self.context.db,
            workspace,
            id,
            &document,
            self.context.clock.now(),
        )
        .await?;
        Ok(())
    }

    /// Takes our subscription away, as far as the CRM still lets us, and the connection with it.
    pub async fn delete(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: ConnectionId,
    ) -> Result<(), EngineError> {
        let before = connections::find(&self.context.db, workspace, id).await?;
        if let Ok((connection, connector)) = self.open(workspace, id).await {
            let url = self.hook_url(workspace, id).await?;
            if let Err(error) = connector.unsubscribe(&url).await {
                tracing::warn!(connection.id = %connection.id, error = %error, "подписка в CRM не снята");
            }
        }
        let tx = self.context.db.begin().await?;
        connections::delete(&tx, workspace, id).await?;
        let deleted = NewEntry::of("connection", "connection.deleted", id, shown(&before), None);
        self.context.audit(&tx, workspace, actor, deleted).await?;
        tx.commit().await?;
        self.context.forget(id);
        Ok(())
    }

    /// Reads the catalogue anew and stores it with what changed.
    pub async fn refresh_catalogue(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<Catalogue, EngineError> {
        let (connection, connector) = self.open(workspace, id).await?;
        let mut catalogue = self.noted(&connection, connector.catalogue().await).await?;
        catalogue.read_at = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        let known = connections::catalogue(&tx, workspace, id).await?;
        let changes = known
            .map(|known| catalogue_diff::diff(&known, &catalogue))
            .unwrap_or_default();
        let document = serde_json::to_value(&changes).unwrap_or_default();
        let change = (!changes.is_empty()).then(|| (new_id(), &document));
        connections::set_catalogue(&tx, workspace, id, &catalogue, change).await?;
        crate::attention::mark(&tx, workspace).await?;
        tx.commit().await?;
        Ok(catalogue)
    }

    /// Looks at all subscriptions and repairs those that are gone or switched off.
    pub async fn repair_subscriptions(&self) -> Result<(), EngineError> {
        for connection in connections::list_all(&self.context.db).await? {
            if connection.state != ConnectionState::Active {
                continue;
            }
            let repaired = holding(&self.context, Some(connection.id), self.repair(&connection)).await;
            if let Err(error) = repaired {
                tracing::warn!(connection.id = %connection.id, error = %error, "подписка на вебхуки не проверена");
            }
        }
        Ok(())
    }

    /// Compares a subscription with the CRM; what was missed while it was gone is read at once.
    async fn repair(&self, connection: &Connection) -> Result<(), EngineError> {
        let (workspace, id) = (connection.workspace, connection.id);
        // A person who never subscribed, or undid it, is not overruled.
        if connection.subscription.is_none() {
            return Ok(());
        }
        let connector = self.context.connector(connection).await?;
        let url = self.hook_url(workspace, id).await?;
        let seen = self.noted(connection, connector.subscription(&url).await).await?;
        let is_whole = seen.installed && !seen.disabled;
        let state = if is_whole {
            seen
        } else {
            self.subscribe(workspace, id).await?
        };
        let now = self.context.clock.now();
        if is_whole {
            let document = serde_json::to_value(&state).unwrap_or_default();
            connections::set_subscription(&self.context.db, workspace, id, &document, now).await?;
        } else {
            tracing::warn!(connection.id = %id, "подписка на вебхуки пропала и восстановлена, пропущенное читаем");
            reconciliations::hasten(&self.context.db, workspace, id, now).await?;
        }
        Ok(())
    }

    async fn open(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<(Connection, Arc<dyn Connector>), EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        if connection.state == ConnectionState::New {
            return Err(EngineError::Inactive {
                reason: "доступ ещё не предоставлен".to_owned(),
            });
        }
        let connector = self.context.connector(&connection).await?;
        Ok((connection, connector))
    }

    async fn noted<T>(
        &self,
        connection: &Connection,
        result: Result<T, ConnectorError>,
    ) -> Result<T, EngineError> {
        note(
            &self.context.db,
            connection,
            result.as_ref().err(),
            self.context.clock.now(),
        )
        .await?;
        result.map_err(EngineError::from)
    }
}

/// A connection as the audit log tells it: settings hold no secrets.
fn shown(connection: &Connection) -> Option<serde_json::Value> {
    Some(serde_json::json!({
        "kind": connection.kind.as_str(), "name": connection.name, "settings": connection.settings,
    }))
}

async fn install(connector: &dyn Connector, url: &str) -> Result<Subscription, ConnectorError> {
    let state = connector.subscription(url).await?;
    if state.installed && !state.disabled {
        return Ok(state);
    }
    connector.subscribe(url).await?;
    connector.subscription(url).await
}

/// Notes how a call ended on its connection; a lost authorisation or a ban pauses it.
pub(crate) async fn note(
    db: &Db,
    connection: &Connection,
    error: Option<&ConnectorError>,
    now: Timestamp,
) -> Result<(), EngineError> {
    let (workspace, id) = (connection.workspace, connection.id);
    let Some(error) = error else {
        // One write a second at most: this is a courtesy of the status card, not a fact of the pipeline.
        if connection.last_success_at.is_none_or(|at| now.0 - at.0 > 1_000) {
            connections::note_success(db, workspace, id, now).await?;
        }
        return Ok(());
    };
    if error.verdict() == Verdict::Hold {
        return Ok(());
    }
    connections::note_failure(db, workspace, id, &error.to_string(), now).await?;
    point!(ConnectionFailure);
    let paused = match error.verdict() {
        Verdict::Reauthorise => Some((
            ConnectionState::NeedsReauth,
            "авторизация потеряна: подключите CRM заново",
        )),
        Verdict::Suspend => Some((
            ConnectionState::Blocked,
            if matches!(error, ConnectorError::Unpaid) {
                "аккаунт CRM не оплачен"
            } else {
                "CRM заблокировала доступ: обратитесь в её поддержку"
            },
        )),
        Verdict::Permanent | Verdict::Retry(_) | Verdict::Hold => None,
    };
    if let Some((state, reason)) = paused {
        tracing::warn!(connection.id = %id, state = state.as_str(), "подключение приостановлено: {reason}");
        connections::set_state(db, workspace, id, state, Some(reason)).await?;
    }
    Ok(())
}
