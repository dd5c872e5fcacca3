//! Everything the fakes received and everything they sent, in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::clock::Clock;

/// Bodies longer than this are cut in the journal (bytes).
pub const BODY_CAP: usize = 64 * 1024;
/// The oldest entries are forgotten beyond this number.
const ENTRIES_CAP: usize = 50_000;

/// Which fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The fake amoCRM.
    Amocrm,
    /// The fake LPTracker.
    Lptracker,
}

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A request received by a fake.
    Request,
    /// A webhook sent by a fake (one entry per attempt).
    Webhook,
}

/// One request received or one webhook attempt made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the journal, from 1, never reused.
    pub seq: u64,
    /// Virtual time of arrival or sending, ms.
    pub at_ms: i64,
    /// The fake concerned.
    pub side: Side,
    /// Request or webhook.
    pub kind: EntryKind,
    /// HTTP method.
    pub method: String,
    /// Path with query of a request; full URL of a webhook.
    pub path: String,
    /// Request body (lossy UTF-8, capped).
    pub body: String,
    /// HTTP status; 0 = none came (webhook) or the connection was cut (request); `None` = not finished.
    pub status: Option<u16>,
    /// Answer body (lossy UTF-8, capped); for a failed webhook the reason.
    pub answer: String,
    /// Whether the request asks for a change of CRM data.
    pub write: bool,
    /// Attempt number of a webhook, from 1; 0 for requests.
    pub attempt: u32,
    /// The fault that was played, if any.
    pub fault: Option<String>,
}

/// The journal of one sandbox.
#[derive(Debug)]
pub struct Journal {
    clock: Clock,
    state: Mutex<State>,
    live: broadcast::Sender<Entry>,
}

#[derive(Debug, Default)]
struct State {
    next_seq: u64,
    entries: VecDeque<Entry>,
    windows: BTreeMap<Side, VecDeque<i64>>,
    peaks: BTreeMap<Side, usize>,
    statuses: BTreeMap<(Side, u16), u64>,
}

impl Journal {
    /// An empty journal that reads its times from `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            live: broadcast::Sender::new(4096),
        }
    }

    /// Records the arrival of a request; answer with [`Journal::finish`].
    pub fn begin(&self, side: Side, method: &str, path: &str, body: &[u8], write: bool) -> u64 {
        let at_ms = self.clock.now_ms();
        let mut state = self.state();
        let window = state.windows.entry(side).or_default();
        while window.front().is_some_and(|t| *t <= at_ms - 1000) {
            window.pop_front();
        }
        window.push_back(at_ms);
        let rate = window.len();
        let peak = state.peaks.entry(side).or_default();
        *peak = (*peak).max(rate);
        state.push(Entry {
            seq: 0,
            at_ms,
            side,
            kind: EntryKind::Request,
            method: method.to_owned(),
            path: path.to_owned(),
            body: capped(body),
            status: None,
            answer: String::new(),
            write,
            attempt: 0,
            fault: None,
        })
    }

    /// Records how a request ended. `status` 0 = the connection was cut.
    pub fn finish(&self, seq: u64, status: u16, answer: &[u8], fault: Option<String>) {
        let done = {
            let mut state = self.state();
            let first = state.entries.front().map_or(seq, |e| e.seq);
            let Some(entry) = seq
                .checked_sub(first)
                .and_then(|i| state.entries.get_mut(i as usize))
            else {
                return;
            };
            entry.status = Some(status);
            entry.answer = capped(answer);
            entry.fault = fault;
            let done = entry.clone();
            *state.statuses.entry((done.side, status)).or_default() += 1;
            done
        };
        let _ = self.live.send(done);
    }

    /// Records one attempt to deliver a webhook.
    pub fn webhook(
        &self,
        side: Side,
        url: &str,
        body: &[u8],
        status: u16,
        answer: &[u8],
        attempt: u32,
    ) -> u64 {
        let at_ms = self.clock.now_ms();
        let mut entry = Entry {
            seq: 0,
            at_ms,
            side,
            kind: EntryKind::Webhook,
            method: "POST".to_owned(),
            path: url.to_owned(),
            body: capped(body),
            status: Some(status),
            answer: capped(answer),
            write: false,
            attempt,
            fault: None,
        };
        let seq = self.state().push(entry.clone());
        entry.seq = seq;
        let _ = self.live.send(entry);
        seq
    }

    /// All entries kept.
    pub fn entries(&self) -> Vec<Entry> {
        self.since(0)
    }

    /// Entries with a position greater than `seq`.
    pub fn since(&self, seq: u64) -> Vec<Entry> {
        self.state()
            .entries
            .iter()
            .filter(|e| e.seq > seq)
            .cloned()
            .collect()
    }

    /// Requests of one side that ask for a change of CRM data.
    pub fn writes(&self, side: Side) -> Vec<Entry> {
        self.state()
            .entries
            .iter()
            .filter(|e| e.write && e.side == side)
            .cloned()
            .collect()
    }

    /// Webhook attempts of one side.
    pub fn webhooks(&self, side: Side) -> Vec<Entry> {
        let state = self.state();
        let of_side = |e: &&Entry| e.kind == EntryKind::Webhook && e.side == side;
        state.entries.iter().filter(of_side).cloned().collect()
    }

    /// Position of the newest entry; 0 when nothing happened yet.
    pub fn last_seq(&self) -> u64 {
        self.state().next_seq
    }

    /// The most requests one side received inside any second of virtual time since the last clear.
    pub fn peak_rate(&self, side: Side) -> usize {
        self.state().peaks.get(&side).copied().unwrap_or_default()
    }

    /// How many requests of a side were answered with `status` since the last clear.
    pub fn count_status(&self, side: Side, status: u16) -> u64 {
        self.state()
            .statuses
            .get(&(side, status))
            .copied()
            .unwrap_or_default()
    }

    /// Forgets entries, peaks and counts. Positions go on.
    pub fn clear(&self) {
        let mut state = self.state();
        let next_seq = state.next_seq;
        *state = State {
            next_seq,
            ..State::default()
        };
    }

    /// A live feed of finished entries.
    pub fn subscribe(&self) -> broadcast::Receiver<Entry> {
        self.live.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, mut entry: Entry) -> u64 {
        self.next_seq += 1;
        entry.seq = self.next_seq;
        self.entries.push_back(entry);
        if self.entries.len() > ENTRIES_CAP {
            self.entries.pop_front();
        }
        self.next_seq
    }
}

fn capped(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(BODY_CAP)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn peak_rate_counts_a_sliding_second() {
        let clock = Clock::default();
        clock.freeze_at(10_000);
        let journal = Journal::new(clock.clone());
        for _ in 0..3 {
            journal.begin(Side::Amocrm, "GET", "/a", b"", false);
        }
        clock.advance(Duration::from_millis(999));
        journal.begin(Side::Amocrm, "GET", "/a", b"", false);
        clock.advance(Duration::from_millis(1));
        journal.begin(Side::Amocrm, "GET", "/a", b"", false);
        assert_eq!(journal.peak_rate(Side::Amocrm), 4);
        assert_eq!(journal.peak_rate(Side::Lptracker), 0);
    }

    #[test]
    fn entries_keep_their_positions_after_a_clear() {
        let journal = Journal::new(Clock::default());
        let seq = journal.begin(Side::Lptracker, "POST", "/lead", b"{}", true);
        journal.finish(seq, 200, b"ok", None);
        assert_eq!(journal.writes(Side::Lptracker).len(), 1);
        assert_eq!(journal.count_status(Side::Lptracker, 200), 1);
        journal.clear();
        assert!(journal.entries().is_empty());
        assert_eq!(
            journal.begin(Side::Lptracker, "GET", "/lead/1", b"", false),
            seq + 1
        );
    }
}
