//! Intake: verify, parse, commit, and only then say yes. Nothing else happens here, because the CRM waits
//! two seconds at most.

use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::worker::Signals;
use connector::IntakeContext;
use domain::catalogue::Catalogue;
use domain::connection::ConnectorKind;
use domain::event::{Event, Fact, Origin};
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage::credentials::HookOwner;
use storage::events::{Inbound, NewEvent};
use storage::{connections, credentials, events};

/// What became of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Facts in the body.
    pub n_facts: usize,
    /// Of these, stored now; the others were known already.
    pub n_new: usize,
}

/// What the intake knows of a connection, kept for a short time so that most bodies need no query.
#[derive(Clone)]
struct Known {
    owner: HookOwner,
    catalogue: Option<Arc<Catalogue>>,
    account: Option<i64>,
    projects: Vec<i64>,
    until: Timestamp,
}

const KNOWN_FOR_MS: i64 = 5_000;

/// Receives bodies.
pub struct Intake {
    context: Arc<Context>,
    signals: Arc<Signals>,
    known: Mutex<HashMap<String, Known>>,
}

impl Intake {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            context,
            signals,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Takes a body that came to the address with this secret. When this returns, its facts are stored.
    pub async fn receive(
        &self,
        kind: ConnectorKind,
        secret: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Accepted, EngineError> {
        let now = self.context.clock.now();
        let known = self.known(kind, secret, now).await?;
        let context = IntakeContext {
            catalogue: known.catalogue.as_deref(),
            account: known.account,
            projects: &known.projects,
            zone: None,
        };
        let facts = self
            .context
            .connectors
            .intake(kind)
            .parse(content_type, body, context)?;
        let HookOwner {
            workspace,
            connection,
            ..
        } = known.owner;
        let inbound = Inbound {
            workspace,
            id: new_id(),
            connection,
            received_at: now,
            content_type: content_type.to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let n_facts = facts.len();
        let n_new = self
            .store(workspace, connection, facts, Origin::Webhook, Some(inbound))
            .await?;
        Ok(Accepted { n_facts, n_new })
    }

    /// Stores facts as events in one transaction; known ones are left out.
    pub(crate) async fn store(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        facts: Vec<Fact>,
        origin: Origin,
        inbound: Option<Inbound>,
    ) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let inbound_id = inbound.as_ref().map(|inbound| inbound.id);
        let new: Vec<NewEvent> = facts
            .into_iter()
            .map(|fact| NewEvent {
                key: event_key(&fact),
                inbound: inbound_id,
                replay_of: None,
                only_rule: None,
                due_at: now,
                event: Event {
                    id: EventId(new_id()),
                    workspace,
                    connection,
                    origin,
                    received_at: now,
                    chain: 0,
                    fact,
                },
            })
            .collect();
        let tx = self.context.db.begin().await?;
        if let Some(inbound) = inbound {
            events::insert_inbound(&tx, &[inbound]).await?;
        }
        let n_new = events::insert(&tx, &new).await?.len();
        connections::note_event(&tx, workspace, connection, now).await?;
        tx.commit().await?;
        if n_new > 0 {
            self.signals.events.notify_one();
        }
        Ok(n_new)
    }

    async fn known(&self, kind: ConnectorKind, secret: &str, now: Timestamp) -> Result<Known, EngineError> {
        let hash = vault::hash_token(secret);
        let kept = self.lock().get(&hash).filter(|known| known.until > now).cloned();
        if let Some(known) = kept {
            return if known.owner.kind == kind {
                Ok(known)
            } else {
                Err(EngineError::UnknownHook)
            };
        }
        let owner = match credentials::hook_owner(&self.context.db, &hash, now).await {
            Ok(owner) if owner.kind == kind => owner,
            Ok(_) | Err(storage::StorageError::NotFound { .. }) => return Err(EngineError::UnknownHook),
            Err(error) => return Err(error.into()),
        };
        let connection = connections::find(&self.context.db, owner.workspace, owner.connection).await?;
        let catalogue = connections::catalogue(&self.context.db, owner.workspace, owner.connection).await?;
        let number = |document: &Option<serde_json::Value>, member: &str| {
            document
                .as_ref()
                .and_then(|document| document.get(member))
                .and_then(serde_json::Value::as_i64)
        };
        let settings = Some(connection.settings.clone());
        let known = Known {
            owner,
            catalogue: catalogue.map(Arc::new),
            account: if kind == ConnectorKind::Amocrm {
                number(&connection.card, "id")
            } else {
                None
            },
            projects: number(&settings, "project").into_iter().collect(),
            until: now.plus_ms(KNOWN_FOR_MS),
        };
        let mut kept = self.lock();
        if kept.len() > 10_000 {
            kept.retain(|_, known| known.until > now);
        }
        kept.insert(hash, known.clone());
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a fact inside its connection: equal for two deliveries of the same fact.
fn event_key(fact: &Fact) -> String {
    let mut hash = Sha256::new();
    hash.update(fact.kind.as_str());
    hash.update([0]);
    hash.update(fact.key.to_string());
    hash.update([0]);
    hash.update(&fact.dedupe);
    hash.finalize()
        .iter()
        .take(20)
        .fold(String::with_capacity(40), |mut text, byte| {
            use std::fmt::Write;
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}
