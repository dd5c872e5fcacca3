//! Intake: verify, parse, commit, and only then say yes. Nothing else happens here, because the CRM waits
//! two seconds at most.

mod commits;

use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::worker::Signals;
use commits::{Commits, Stored};
use connector::IntakeContext;
use domain::catalogue::Catalogue;
use domain::connection::ConnectorKind;
use domain::event::{Event, Fact, Origin};
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use storage::credentials::HookOwner;
use storage::events::{Inbound, NewEvent};
use storage::{connections, credentials};

/// What became of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Facts in the body.
    pub n_facts: usize,
    /// Of these, stored now; the others were known already.
    pub n_new: usize,
}

/// What the intake knows of a connection, kept for a short time so that most bodies need no query.
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
    commits: Arc<Commits>,
    known: Mutex<HashMap<String, Arc<Known>>>,
}

impl Intake {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            commits: Commits::new(Arc::clone(&context), signals),
            context,
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
        let began = Instant::now();
        let answer = self.take(kind, secret, content_type, body).await;
        self.context.meter.body(kind, &answer, began.elapsed());
        answer
    }

    async fn take(
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
            body: storable(body),
        };
        let n_facts = facts.len();
        let n_new = self
            .store(workspace, connection, facts, Origin::Webhook, Some(inbound))
            .await?;
        Ok(Accepted { n_facts, n_new })
    }

    /// Stores facts as events in one transaction, perhaps shared with others; known ones are left out.
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
        let events = facts.into_iter().map(|mut fact| NewEvent {
            key: key_of(&mut fact),
            inbound: inbound_id,
            replay_of: None,
            only_rule: None,
            as_then: false,
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
        });
        let wanted = Stored {
            workspace,
            connection,
            events: events.collect(),
            inbound,
            at: now,
        };
        self.commits.store(wanted).await
    }

    async fn known(
        &self,
        kind: ConnectorKind,
        secret: &str,
        now: Timestamp,
    ) -> Result<Arc<Known>, EngineError> {
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
        let known = Arc::new(Known {
            owner,
            catalogue: catalogue.map(Arc::new),
            account: if kind == ConnectorKind::Amocrm {
                number(&connection.card, "id")
            } else {
                None
            },
            projects: number(&settings, "project").into_iter().collect(),
            until: now.plus_ms(KNOWN_FOR_MS),
        });
        let mut kept = self.lock();
        if kept.len() > 10_000 {
            kept.retain(|_, known| known.until > now);
        }
        kept.insert(hash, Arc::clone(&known));
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body as a text that both databases take: PostgreSQL has no zero character.
fn storable(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.into_owned()
    }
}

/// The key of a fact inside its connection: equal for two deliveries of the same fact. The text behind it is taken
/// out of the fact: the key is all that is left to tell, and it would double what is stored.
pub(crate) fn key_of(fact: &mut Fact) -> String {
    let mut hash = Sha256::new();
    hash.update(fact.kind.as_str());
    hash.update([0]);
    hash.update(fact.key.to_string());
    hash.update([0]);
    hash.update(std::mem::take(&mut fact.dedupe));
    hex(&hash.finalize()[..20])
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
