//! Results of calls: one row per finished call, whichever way it came, and the event that tells the rules.

mod export;
mod poll;
mod ready;
mod receive;
mod resend;
mod settings;
mod settle;

pub use export::CsvReader;
pub use ready::ReadyRule;
pub use receive::{Heard, Kept};
pub use settings::{CallSettings, ResultOf};

pub(crate) use poll::poll;
pub(crate) use receive::{hear, receive};
pub(crate) use settings::settings;
pub(crate) use settle::settle;
pub(crate) use storage::call_settings::take_turn;

use crate::context::Context;
use crate::error::EngineError;
use crate::worker::Signals;
use domain::command::NewCallResult;
use domain::id::WorkspaceId;
use domain::record::RecordKind;
use std::sync::Arc;
use storage::audit::{Actor, NewEntry};
use storage::deliveries::Delivery;
use storage::events;

/// Works on results of calls.
#[derive(Clone)]
pub struct Calls {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

impl Calls {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// Stores a result that a person or a caller of our API gives.
    pub async fn add(&self, workspace: WorkspaceId, heard: Heard) -> Result<Kept, EngineError> {
        storage::connections::find(&self.context.db, workspace, heard.connection).await?;
        if heard.phone.is_none() && heard.lead.is_none() {
            return Err(EngineError::Invalid {
                pointer: "/phone",
                text: "Укажите телефон или ID лида".to_owned(),
            });
        }
        let tx = self.context.db.begin().await?;
        take_turn(&tx, workspace).await?;
        let settings = settings(&tx, workspace).await?;
        if let Some(word) = &heard.result
            && !settings.results.contains(word)
        {
            return Err(EngineError::Invalid {
                pointer: "/result",
                text: format!("Результата «{word}» нет в настройках: добавьте его или выберите другой"),
            });
        }
        let kept = receive(&tx, workspace, &settings, heard, self.context.clock.now()).await?;
        tx.commit().await?;
        self.signals.events.notify_one();
        Ok(kept)
    }

    /// How calls become results.
    pub async fn settings(&self, workspace: WorkspaceId) -> Result<CallSettings, EngineError> {
        Ok(settings(&self.context.db, workspace).await?)
    }

    /// Changes how calls become results; calls that came before stay as they are.
    pub async fn save_settings(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        wanted: &CallSettings,
    ) -> Result<(), EngineError> {
        wanted.check()?;
        let tx = self.context.db.begin().await?;
        let before = settings(&tx, workspace).await?;
        storage::call_settings::save(&tx, workspace, wanted).await?;
        let entry = NewEntry {
            action: "call_settings.changed",
            subject_kind: "workspace",
            subject_id: workspace.to_string(),
            before: serde_json::to_value(&before).ok(),
            after: serde_json::to_value(wanted).ok(),
        };
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Carries out «save call result» of a rule. Done twice it is still one row: the delivery is its key.
pub(crate) async fn save(
    context: &Context,
    delivery: &Delivery,
    wanted: &NewCallResult,
) -> Result<(), EngineError> {
    let workspace = delivery.workspace;
    let event = events::find(&context.db, workspace, delivery.event).await?.event;
    let fact = &event.fact;
    let lead = std::iter::once(&fact.key)
        .chain(fact.related.iter().map(|record| &record.key))
        .find(|key| key.kind == RecordKind::Lead);
    let now = context.clock.now();
    // A call keeps its own id, so that the rule completes its row instead of adding one.
    let key = match fact.key.kind {
        RecordKind::Call => fact.key.id.0.clone(),
        _ => format!("rule:{}", delivery.id),
    };
    let heard = Heard {
        connection: event.connection,
        key: Some(key),
        at: wanted.at.or(fact.occurred_at).unwrap_or(event.received_at),
        phone: Some(wanted.phone.clone()),
        contact: None,
        result: Some(wanted.result.clone()),
        duration: wanted.duration.map(i64::from),
        direction: None,
        disposition: None,
        comment: wanted.comment.clone(),
        operator: wanted.operator.clone(),
        recording: wanted.recording.clone(),
        source: "rule",
        lead: lead.map(|key| key.id.clone()),
        chain: delivery.chain.saturating_add(1),
    };
    let tx = context.db.begin().await?;
    take_turn(&tx, workspace).await?;
    let settings = settings(&tx, workspace).await?;
    receive(&tx, workspace, &settings, heard, now).await?;
    tx.commit().await?;
    Ok(())
}
