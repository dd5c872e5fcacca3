//! Credentials: renewed before they end, and a person is told ahead of an end that only a person can move.

use crate::connections::note;
use crate::context::Context;
use crate::error::EngineError;
use crate::lease::holding;
use domain::connection::ConnectionState;
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use std::sync::Arc;
use storage::connections::{self, Connection};
use storage::{StorageError, credentials};

/// Looked at when less than this is left, in milliseconds: a connector then renews before it calls.
const AHEAD_MS: i64 = 14 * 60_000;
/// A refresh token that is not used for this long is lost, in milliseconds: three months.
const IDLE_MS: i64 = 90 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

/// A credential that a person has to renew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// When it stops working.
    pub at: Timestamp,
    /// Whole days left: the warning is raised at fourteen, seven and one.
    pub days_left: i64,
    /// How urgent: the step of 14, 7 or 1 days that was passed.
    pub step: u8,
}

/// Looks after credentials.
pub struct Refresher {
    context: Arc<Context>,
}

impl Refresher {
    pub(crate) const fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Renews what ends soon. The connection's lease makes it one renewal among all processes; a renewal reads
    /// the store again and is itself a compare-and-set. Returns how many connections were looked at.
    pub async fn round(&self) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let mut n_done = 0;
        for (workspace, id) in credentials::ending(&self.context.db, now.plus_ms(AHEAD_MS)).await? {
            let done = holding(&self.context, Some(id), self.renew(workspace, id)).await;
            match done {
                Ok(Some(true)) => n_done += 1,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(connection.id = %id, error = &error as &dyn std::error::Error, "доступ не обновлён заранее");
                }
            }
        }
        Ok(n_done)
    }

    async fn renew(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<bool, EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        if connection.state != ConnectionState::Active {
            return Ok(false);
        }
        let connector = self.context.connector(&connection).await?;
        // The cheapest call that proves a credential; a connector renews what ends soon before it calls.
        let result = connector.check().await;
        note(
            &self.context.db,
            &connection,
            result.as_ref().err(),
            self.context.clock.now(),
        )
        .await?;
        result?;
        Ok(true)
    }

    /// Whether a credential of a connection ends soon in a way that only a person can mend: a token without
    /// refresh, or a refresh token that nothing used for almost three months.
    pub async fn ending(&self, connection: &Connection) -> Result<Option<Ending>, EngineError> {
        let tokens = crate::secrets::DbTokens::new(&self.context, connection)?;
        let secret = match tokens.secret().await {
            Ok(secret) => secret,
            // It waits for its consent: nothing can end yet.
            Err(EngineError::Storage(StorageError::NotFound { .. })) => return Ok(None),
            Err(error) => return Err(error),
        };
        let credential = credentials::find(&self.context.db, connection.workspace, connection.id).await?;
        let at = match secret {
            crate::Secret::Token { .. } => credential.expires_at,
            crate::Secret::Oauth { .. } => {
                credentials::updated_at(&self.context.db, connection.workspace, connection.id)
                    .await?
                    .map(|at| at.plus_ms(IDLE_MS))
            }
            crate::Secret::Login { .. } => None,
        };
        Ok(at.and_then(|at| warning(at, self.context.clock.now())))
    }
}

fn warning(at: Timestamp, now: Timestamp) -> Option<Ending> {
    let left = at.0 - now.0;
    let step = [1, 7, 14]
        .into_iter()
        .find(|days| left <= i64::from(*days) * DAY_MS)?;
    Some(Ending {
        at,
        days_left: left.max(0) / DAY_MS,
        step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_come_fourteen_seven_and_one_day_ahead() {
        let now = Timestamp::from_secs(1_780_000_000);
        let step = |days: i64| warning(now.plus_ms(days * DAY_MS), now).map(|it| (it.step, it.days_left));
        assert_eq!(step(15), None);
        assert_eq!(step(14), Some((14, 14)));
        assert_eq!(step(8), Some((14, 8)));
        assert_eq!(step(7), Some((7, 7)));
        assert_eq!(step(2), Some((7, 2)));
        assert_eq!(step(1), Some((1, 1)));
        assert_eq!(step(-3), Some((1, 0)));
    }
}
