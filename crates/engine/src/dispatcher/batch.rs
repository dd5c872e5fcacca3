//! The events of one connection that are looked at together, with what is known around them: read by a few
//! statements for all, whatever their number.

use super::change::Change;
use super::facts::Reads;
use crate::context::Context;
use crate::error::EngineError;
use crate::rulebook::{Book, Rulebook};
use domain::id::WorkspaceId;
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use storage::connections::Connection;
use storage::deliveries::Delivery;
use storage::events::{Ending, StoredEvent};
use storage::links::{self, Link};
use storage::memory::{self, Echo, Snapshot};
use storage::quiet::{self, Quiet};
use storage::runs::Run;

/// What all events of a round share.
pub(super) struct Round {
    pub(super) workspace: WorkspaceId,
    pub(super) connection: Connection,
    pub(super) book: Arc<Book>,
    /// Kinds of which a creation of ours is on its way.
    pub(super) creating: Vec<RecordKind>,
    pub(super) now: Timestamp,
}

/// The waiting events of one record, in order, with the memory of the record.
pub(super) struct Group {
    pub(super) key: RecordKey,
    pub(super) events: VecDeque<StoredEvent>,
    /// Last known state; moves on with every event.
    pub(super) snapshot: Option<Snapshot>,
    /// Marks of our own writes, newest first.
    pub(super) marks: Vec<Echo>,
    pub(super) link: Option<Link>,
    /// What rules with a quiet window wait for; moves on with every event.
    pub(super) quiet: Vec<Quiet>,
    /// What was read from the CRMs for this record, once for all its events.
    pub(super) reads: Reads,
}

/// An event with everything that is known around it before any rule is asked.
pub(super) struct Case<'a> {
    pub(super) stored: &'a StoredEvent,
    pub(super) connection: &'a Connection,
    pub(super) link: Option<&'a Link>,
    pub(super) change: Change,
    pub(super) chain: u16,
}

/// What became of one event; nothing of it is written yet.
pub(super) enum Decided {
    /// It is done.
    Done {
        ending: Ending,
        runs: Vec<Run>,
        deliveries: Vec<Delivery>,
    },
    /// It has to wait, and so have later events of its record.
    Waits {
        event: domain::id::EventId,
        due_at: Timestamp,
        reason: String,
    },
}

/// What became of some events of one record: written together or not at all.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) decided: Vec<Decided>,
    /// The new memory of the record.
    pub(super) snapshot: Option<Snapshot>,
    /// What rules with a quiet window wait for from now on.
    pub(super) quiet: Vec<Quiet>,
    /// Waits of such rules that are over.
    pub(super) settled: Vec<Quiet>,
}

impl Round {
    pub(super) async fn open(
        context: &Context,
        rulebook: &Rulebook,
        connection: Connection,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let workspace = connection.workspace;
        Ok(Self {
            workspace,
            book: rulebook.book(context, workspace).await?,
            creating: memory::creations_under_way(&context.db, workspace, connection.id, now).await?,
            connection,
            now,
        })
    }

    /// Puts events together by record and reads what is known of these records.
    pub(super) async fn groups(
        &self,
        context: &Context,
        events: Vec<StoredEvent>,
    ) -> Result<Vec<Group>, EngineError> {
        let (db, workspace, connection) = (&context.db, self.workspace, self.connection.id);
        let since = events.iter().map(|stored| stored.event.received_at).min();
        let mut groups: Vec<Group> = Vec::new();
        let mut places: HashMap<RecordKey, usize> = HashMap::new();
        for stored in events {
            let key = stored.event.fact.key.clone();
            let place = *places.entry(key.clone()).or_insert_with(|| {
                groups.push(Group {
                    key,
                    events: VecDeque::new(),
                    snapshot: None,
                    marks: Vec::new(),
                    link: None,
                    quiet: Vec::new(),
                    reads: Reads::default(),
                });
                groups.len() - 1
            });
            groups[place].events.push_back(stored);
        }
        let keys: Vec<RecordKey> = groups.iter().map(|group| group.key.clone()).collect();
        for snapshot in memory::snapshots(db, workspace, connection, &keys).await? {
            if let Some(place) = places.get(&snapshot.record.key) {
                groups[*place].snapshot = Some(snapshot);
            }
        }
        for mark in memory::echoes(db, workspace, connection, &keys, since.unwrap_or(self.now)).await? {
            let key = mark.record.clone().map(|id| RecordKey::new(mark.kind, id));
            if let Some(place) = key.and_then(|key| places.get(&key)) {
                groups[*place].marks.push(mark);
            }
        }
        // Those that changed last come first, and stand.
        for link in links::of_records(db, workspace, connection, &keys).await? {
            for kind in [
                RecordKind::Deal,
                RecordKind::Contact,
                RecordKind::Lead,
                RecordKind::LeadContact,
            ] {
                let key = link.id_of(kind).map(|id| RecordKey::new(kind, id.clone()));
                if let Some(place) = key.and_then(|key| places.get(&key)) {
                    groups[*place].link.get_or_insert_with(|| link.clone());
                }
            }
        }
        if self.book.has_quiet {
            for waiting in quiet::of_records(db, workspace, connection, &keys).await? {
                if let Some(place) = places.get(&waiting.fact.key) {
                    groups[*place].quiet.push(waiting);
                }
            }
        }
        Ok(groups)
    }
}
