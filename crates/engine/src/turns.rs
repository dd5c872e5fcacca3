//! Turns: within one process, work under the same key goes one after the other.

use domain::id::ConnectionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Waiting = HashMap<(ConnectionId, String), Weak<AsyncMutex<()>>>;

/// Hands out turns by connection and key.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: Mutex<Waiting>,
}

impl Turns {
    /// Waits for one's turn; it ends when the guard is dropped. An empty key waits for nobody.
    pub(crate) async fn of(&self, connection: ConnectionId, key: &str) -> Option<OwnedMutexGuard<()>> {
        if key.is_empty() {
            return None;
        }
        let turn = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() > 10_000 {
                waiting.retain(|_, turn| turn.strong_count() > 0);
            }
            let place = waiting.entry((connection, key.to_owned())).or_default();
            place.upgrade().unwrap_or_else(|| {
                let turn = Arc::new(AsyncMutex::new(()));
                *place = Arc::downgrade(&turn);
                turn
            })
        };
        Some(turn.lock_owned().await)
    }
}
