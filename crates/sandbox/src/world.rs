//! The shared state of both fakes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::emitter::{Emitter, Webhook};
use crate::fault::Faults;
use crate::journal::Journal;
use crate::{amocrm, lptracker};

/// Everything one sandbox knows.
#[derive(Debug)]
pub struct World {
    /// Virtual time.
    pub clock: Clock,
    /// What was received and sent.
    pub journal: Journal,
    /// What shall go wrong.
    pub faults: Faults,
    /// Webhooks on their way.
    pub emitter: Emitter,
    amocrm: Mutex<amocrm::State>,
    lptracker: Mutex<lptracker::State>,
}

impl World {
    /// A world with the bare seed, or the demo one.
    pub fn new(demo: bool) -> Arc<Self> {
        let clock = Clock::default();
        let world = Self {
            journal: Journal::new(clock.clone()),
            faults: Faults::default(),
            emitter: Emitter::default(),
            amocrm: Mutex::new(amocrm::State::seeded(&clock, demo)),
            lptracker: Mutex::new(lptracker::State::seeded(&clock, demo)),
            clock,
        };
        Arc::new(world)
    }

    /// The fake amoCRM. Hooks caused while the guard is held go out when it is dropped.
    pub fn amocrm(&self) -> AmocrmGuard<'_> {
        AmocrmGuard {
            world: self,
            state: Some(self.amocrm.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// The fake LPTracker. Hooks caused while the guard is held go out when it is dropped.
    pub fn lptracker(&self) -> LptrackerGuard<'_> {
        LptrackerGuard {
            world: self,
            state: Some(self.lptracker.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Queues a webhook for delivery.
    pub fn emit(&self, webhook: Webhook) {
        self.emitter.emit(webhook, self.clock.now_ms());
    }

    /// Back to the seed; journal, faults, clock, modes and queued webhooks are cleared too.
    pub fn reset(&self, demo: bool) {
        self.clock.reset();
        self.emitter.reset();
        self.faults.clear();
        *self.amocrm() = amocrm::State::seeded(&self.clock, demo);
        *self.lptracker() = lptracker::State::seeded(&self.clock, demo);
        self.journal.clear();
    }
}

/// Exclusive access to the fake amoCRM.
pub struct AmocrmGuard<'a> {
    world: &'a World,
    state: Option<MutexGuard<'a, amocrm::State>>,
}

impl std::ops::Deref for AmocrmGuard<'_> {
    type Target = amocrm::State;

    fn deref(&self) -> &amocrm::State {
        self.state.as_ref().expect("the lock is held until drop")
    }
}

impl std::ops::DerefMut for AmocrmGuard<'_> {
    fn deref_mut(&mut self) -> &mut amocrm::State {
        self.state.as_mut().expect("the lock is held until drop")
    }
}

impl Drop for AmocrmGuard<'_> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            let outgoing = state.take_outgoing();
            drop(state);
            for webhook in outgoing {
                self.world.emit(webhook);
            }
        }
    }
}

/// Exclusive access to the fake LPTracker.
pub struct LptrackerGuard<'a> {
    world: &'a World,
    state: Option<MutexGuard<'a, lptracker::State>>,
}

impl std::ops::Deref for LptrackerGuard<'_> {
    type Target = lptracker::State;

    fn deref(&self) -> &lptracker::State {
        self.state.as_ref().expect("the lock is held until drop")
    }
}

impl std::ops::DerefMut for LptrackerGuard<'_> {
    fn deref_mut(&mut self) -> &mut lptracker::State {
        self.state.as_mut().expect("the lock is held until drop")
    }
}

impl Drop for LptrackerGuard<'_> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            let outgoing = state.take_outgoing();
            drop(state);
            for webhook in outgoing {
                self.world.emit(webhook);
            }
        }
    }
}
