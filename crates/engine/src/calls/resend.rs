//! Sending results again that did not arrive.

use super::receive::tell;
use super::{Calls, take_turn};
use crate::error::EngineError;
use crate::replay::Replays;
use domain::delivery::DeliveryState;
use domain::id::{CallResultId, WorkspaceId};
use std::sync::Arc;
use storage::audit::Actor;
use storage::call_results::{self, CallFilter, Order};
use storage::{StorageError, deliveries};

impl Calls {
    /// Sends a result again. What stopped goes on where it stopped, so nothing is written twice; one that no rule
    /// took is shown to the rules anew. One that has arrived, or is on its way, is refused.
    pub async fn resend(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: CallResultId,
    ) -> Result<(), EngineError> {
        let it = call_results::find(&self.context.db, workspace, id).await?;
        if it.sync == "synced" || it.event.is_some() && !it.is_settled {
            return Err(EngineError::WrongMoment {
                text: "Результат уже передан или ещё в пути: отправлять его снова незачем".to_owned(),
            });
        }
        if it.sync == "failed"
            && let Some(event) = it.event
        {
            let replays = Replays::new(Arc::clone(&self.context), Arc::clone(&self.signals));
            let all = deliveries::of_event(&self.context.db, workspace, event).await?;
            let mut n_again = 0;
            for delivery in all.iter().filter(|it| it.state == DeliveryState::Dead) {
                replays.delivery(workspace, actor, delivery.id).await?;
                n_again += 1;
            }
            if n_again > 0 {
                call_results::reopen(&self.context.db, &it).await?;
                return Ok(());
            }
        }
        let tx = self.context.db.begin().await?;
        take_turn(&tx, workspace).await?;
        let mut it = call_results::find(&tx, workspace, id).await?;
        if it.result.is_none() {
            return Err(EngineError::Invalid {
                pointer: "/result",
                text: "У звонка ещё нет результата: выберите его и отправьте снова".to_owned(),
            });
        }
        tell(&tx, &mut it, 0, self.context.clock.now()).await?;
        call_results::save(&tx, &it).await?;
        tx.commit().await?;
        self.signals.events.notify_one();
        Ok(())
    }

    /// Sends everything again that fits and has not arrived; returns how many.
    pub async fn resend_all(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        wanted: &CallFilter,
    ) -> Result<usize, EngineError> {
        let (mut after, mut n_sent) = (None, 0);
        loop {
            let db = &self.context.db;
            let rows = call_results::list(db, workspace, wanted, Order::Oldest, after, 200).await?;
            let Some(last) = rows.last() else {
                return Ok(n_sent);
            };
            after = Some(Order::Oldest.place(last));
            for it in &rows {
                match self.resend(workspace, actor, it.id).await {
                    Ok(()) => n_sent += 1,
                    // It has arrived, or somebody was quicker.
                    Err(
                        EngineError::Storage(StorageError::Stale { .. })
                        | EngineError::WrongMoment { .. }
                        | EngineError::Invalid { .. },
                    ) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Gives a call a result by hand, and tells the rules.
    pub async fn set_result(
        &self,
        workspace: WorkspaceId,
        id: CallResultId,
        result: &str,
        comment: Option<&str>,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        take_turn(&tx, workspace).await?;
        let settings = super::settings(&tx, workspace).await?;
        if !settings.results.iter().any(|word| word == result) {
            return Err(EngineError::Invalid {
                pointer: "/result",
                text: format!("Результата «{result}» нет в настройках: добавьте его или выберите другой"),
            });
        }
        let mut it = call_results::find(&tx, workspace, id).await?;
        let is_other = it.result.as_deref() != Some(result);
        it.result = Some(result.to_owned());
        if let Some(comment) = comment {
            it.comment = Some(comment.to_owned());
        }
        let now = self.context.clock.now();
        it.updated_at = now;
        if is_other {
            tell(&tx, &mut it, 0, now).await?;
        }
        call_results::save(&tx, &it).await?;
        tx.commit().await?;
        self.signals.events.notify_one();
        Ok(())
    }
}
