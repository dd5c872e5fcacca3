//! Whether anything changed in a workspace, told to all who listen in this process by one reader of the database.
//!
//! From the database and not from memory: another process may be the one that works.

use domain::id::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::Db;
use storage::pulse::{self, Pulse};
use tokio::sync::watch;

/// How often the database is asked while somebody listens. A change is told within a second.
const EVERY: Duration = Duration::from_millis(400);

type Readers = Arc<Mutex<HashMap<WorkspaceId, watch::Sender<Pulse>>>>;

/// The readers of this process, one per workspace that somebody listens to.
#[derive(Clone, Default)]
pub struct Pulses {
    readers: Readers,
}

impl Pulses {
    /// Listens to a workspace, from where it stands now.
    pub fn listen(&self, db: &Db, workspace: WorkspaceId, now: Pulse) -> watch::Receiver<Pulse> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = readers.get(&workspace) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(now);
        readers.insert(workspace, sender);
        tokio::spawn(read(Arc::clone(&self.readers), db.clone(), workspace));
        receiver
    }
}

/// Reads until nobody listens any more.
async fn read(readers: Readers, db: Db, workspace: WorkspaceId) {
    loop {
        tokio::time::sleep(EVERY).await;
        let found = pulse::pulse(&db, workspace).await;
        let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = readers.get(&workspace) else {
            return;
        };
        if sender.receiver_count() == 0 {
            readers.remove(&workspace);
            return;
        }
        match found {
            Ok(pulse) => {
                sender.send_if_modified(|known| {
                    let changed = *known != pulse;
                    *known = pulse;
                    changed
                });
            }
            // Told by whoever cannot do their work because of it; here the next look may succeed.
            Err(error) => tracing::debug!(%error, "поток изменений не прочитан"),
        }
    }
}

/// Words of what differs between two moments of a workspace.
pub fn topics(before: &Pulse, after: &Pulse) -> Vec<&'static str> {
    [
        ("events", before.events != after.events),
        ("deliveries", before.deliveries != after.deliveries),
        ("connections", before.connections != after.connections),
        ("rules", before.rules != after.rules),
        ("stops", before.stops != after.stops),
    ]
    .into_iter()
    .filter_map(|(word, differs)| differs.then_some(word))
    .collect()
}
