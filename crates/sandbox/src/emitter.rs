//! Delivery of webhooks in the background, driven by the virtual clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::journal::Side;
use crate::world::World;

/// When a failed attempt is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Pause after the failed attempt.
    pub after: Duration,
    /// Only after 499 or 500–599 (otherwise after anything outside 100–299, no answer included).
    pub only_server_errors: bool,
}

/// A webhook to be delivered.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Who sends it.
    pub side: Side,
    /// Where to.
    pub url: String,
    /// HTTP method, `POST` for every real hook; amoCRM's revocation hook is a `GET`.
    pub method: &'static str,
    /// `Content-Type`; none when empty.
    pub content_type: &'static str,
    /// More headers; the value `{uuid}` becomes a fresh UUID on every attempt.
    pub headers: Vec<(String, String)>,
    /// Body as it goes out.
    pub body: String,
    /// Attempts at most, the first included.
    pub max_attempts: u32,
    /// Pauses before attempts 2, 3, …; a missing one ends the attempts.
    pub schedule: Vec<Retry>,
    /// How long (real time) an attempt waits for an answer.
    pub timeout: Duration,
    /// Status noted when no answer came in time.
    pub timeout_status: u16,
    /// Sender's mark of the subscription, handed back in `attempt_ended`.
    pub tag: Option<String>,
}

/// How deliveries misbehave; all off by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Modes {
    /// Every webhook is delivered twice.
    pub duplicate: bool,
    /// Every first of two webhooks comes after the second one.
    pub reorder: bool,
    /// Virtual delay before the first attempt, ms.
    pub delay_ms: u64,
    /// Webhooks are lost.
    pub drop: bool,
    /// Webhooks wait until this is switched off.
    pub hold: bool,
    /// Deliveries to one address at the same time; 0 and 1 keep their order.
    pub parallel: usize,
}

/// How late the first of two webhooks comes in mode `reorder`, virtual ms.
const REORDER_MS: i64 = 300;

/// The queue of webhooks.
#[derive(Debug, Default)]
pub struct Emitter {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// By destination, then by moment and order.
    queues: BTreeMap<String, BTreeMap<(i64, u64), Job>>,
    held: Vec<Webhook>,
    in_flight: BTreeMap<String, usize>,
    seq: u64,
    /// Mode `reorder`: whether the last webhook was the first of its pair.
    first_of_two: bool,
    amocrm: Modes,
    lptracker: Modes,
}

#[derive(Clone, Debug)]
struct Job {
    attempt: u32,
    webhook: Webhook,
}

impl Emitter {
    /// Queues a webhook; `now_ms` is virtual time.
    pub fn emit(&self, webhook: Webhook, now_ms: i64) {
        {
            let mut state = self.state();
            let modes = state.modes(webhook.side).clone();
            if modes.drop {
                return;
            }
            if modes.hold {
                state.held.push(webhook);
                return;
            }
            let copies = if modes.duplicate { 2 } else { 1 };
            for _ in 0..copies {
                let delay = i64::try_from(modes.delay_ms).unwrap_or(i64::MAX / 4);
                if modes.reorder {
                    state.first_of_two = !state.first_of_two;
                }
                let late = if modes.reorder && state.first_of_two {
                    REORDER_MS
                } else {
                    0
                };
                let due_ms = now_ms.saturating_add(delay).saturating_add(late);
                state.push(
                    due_ms,
                    Job {
                        attempt: 1,
                        webhook: webhook.clone(),
                    },
                );
            }
        }
        self.signal();
    }

    /// The modes of one side.
    pub fn modes(&self, side: Side) -> Modes {
        self.state().modes(side).clone()
    }

    /// Sets the modes of one side; switching `hold` off releases what was held.
    pub fn set_modes(&self, side: Side, modes: Modes, now_ms: i64) {
        let released = {
            let mut state = self.state();
            let hold = modes.hold;
            *state.modes_mut(side) = modes;
            if hold {
                Vec::new()
            } else {
                let (mine, others) = state.held.drain(..).partition(|w| w.side == side);
                state.held = others;
                mine
            }
        };
        for webhook in released {
            self.emit(webhook, now_ms);
        }
    }

    /// Makes everything queued due at once, retries and delayed ones included.
    pub fn hurry(&self) {
        for queue in self.state().queues.values_mut() {
            let jobs = std::mem::take(queue);
            // Keys keep their order: all are due, the earliest first.
            queue.extend(jobs.into_iter().enumerate().map(|(place, ((_, seq), job))| {
                let due_ms = i64::MIN + i64::try_from(place).unwrap_or(0);
                ((due_ms, seq), job)
            }));
        }
        self.signal();
    }

    /// Forgets everything queued and held, and switches all modes off.
    pub fn reset(&self) {
        {
            let mut state = self.state();
            let in_flight = std::mem::take(&mut state.in_flight);
            let seq = state.seq;
            *state = State {
                in_flight,
                seq,
                ..State::default()
            };
        }
        self.signal();
    }

    /// Number of queued attempts, due or not, without held ones.
    pub fn queued(&self) -> usize {
        self.state().queues.values().map(BTreeMap::len).sum()
    }

    /// Moment of the next attempt (virtual ms), if one is queued.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.state().first_due().min()
    }

    /// Waits until nothing is due and nothing is under way, at most `limit` of real time.
    /// Answers whether that came true.
    pub async fn idle(&self, world: &World, limit: Duration) -> bool {
        let mut changed = self.changed.subscribe();
        let quiet = async {
            loop {
                changed.mark_unchanged();
                let now = world.clock.now_ms();
                {
                    let state = self.state();
                    if state.in_flight.is_empty() && state.first_due().all(|due| due > now) {
                        return;
                    }
                }
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, quiet).await.is_ok()
    }

    /// Takes one due job whose destination is free. Deliveries to one address keep their order.
    fn take_due(&self, now_ms: i64) -> Option<Job> {
        let mut state = self.state();
        let state = &mut *state;
        let free = |url: &str, job: &Job| {
            let busy = state.in_flight.get(url).copied().unwrap_or_default();
            busy < state.modes(job.webhook.side).parallel.max(1)
        };
        let first = state.queues.iter().filter_map(|(url, queue)| {
            let (key, job) = queue.first_key_value()?;
            (key.0 <= now_ms && free(url, job)).then(|| (*key, url.clone()))
        });
        let (key, url) = first.min()?;
        let queue = state.queues.get_mut(&url)?;
        let job = queue.remove(&key)?;
        if queue.is_empty() {
            state.queues.remove(&url);
        }
        *state.in_flight.entry(url).or_default() += 1;
        Some(job)
    }

    fn done(&self, job: Job, retry_at_ms: Option<i64>) {
        {
            let mut state = self.state();
            if let Some(busy) = state.in_flight.get_mut(&job.webhook.url) {
                *busy -= 1;
                if *busy == 0 {
                    state.in_flight.remove(&job.webhook.url);
                }
            }
            if let Some(due_ms) = retry_at_ms {
                state.push(
                    due_ms,
                    Job {
                        attempt: job.attempt + 1,
                        webhook: job.webhook,
                    },
                );
            }
        }
        self.signal();
    }

    fn signal(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, due_ms: i64, job: Job) {
        self.seq += 1;
        let queue = self.queues.entry(job.webhook.url.clone()).or_default();
        queue.insert((due_ms, self.seq), job);
    }

    /// The earliest moment of every destination.
    fn first_due(&self) -> impl Iterator<Item = i64> {
        self.queues
            .values()
            .filter_map(|queue| queue.first_key_value())
            .map(|((due, _), _)| *due)
    }

    fn modes(&self, side: Side) -> &Modes {
        match side {
            Side::Amocrm => &self.amocrm,
            Side::Lptracker => &self.lptracker,
        }
    }

    fn modes_mut(&mut self, side: Side) -> &mut Modes {
        match side {
            Side::Amocrm => &mut self.amocrm,
            Side::Lptracker => &mut self.lptracker,
        }
    }
}

/// The loop that delivers; ends when the world is gone.
pub(crate) async fn run(world: Weak<World>) {
    let client = match reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
    {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no webhook will be delivered");
            return;
        }
    };
    loop {
        let Some(strong) = world.upgrade() else { return };
        let mut changed = strong.emitter.changed.subscribe();
        let clock = strong.clock.clone();
        while let Some(job) = strong.emitter.take_due(clock.now_ms()) {
            actix_web::rt::spawn(attempt(Arc::clone(&strong), client.clone(), job));
        }
        // Jobs already due wait for their destination; its release is a change.
        let now = clock.now_ms();
        let next = strong.emitter.state().first_due().filter(|due| *due > now).min();
        drop(strong);
        // The short wait lets the loop see that the world is gone.
        let limit = tokio::time::sleep(Duration::from_millis(500));
        tokio::select! {
            _ = changed.changed() => {}
            _ = clock.sleep_until(next.unwrap_or(i64::MAX)), if next.is_some() => {}
            _ = limit => {}
        }
    }
}

async fn attempt(world: Arc<World>, client: reqwest::Client, job: Job) {
    let webhook = &job.webhook;
    let method = reqwest::Method::from_bytes(webhook.method.as_bytes()).unwrap_or(reqwest::Method::POST);
    let mut request = client.request(method, &webhook.url).timeout(webhook.timeout);
    if !webhook.content_type.is_empty() {
        request = request
            .header("content-type", webhook.content_type)
            .body(webhook.body.clone());
    }
    for (name, value) in &webhook.headers {
        let value = if value == "{uuid}" {
            uuid::Uuid::new_v4().to_string()
        } else {
            value.clone()
        };
        request = request.header(name, value);
    }
    let (status, answer) = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            (status, response.text().await.unwrap_or_default())
        }
        Err(error) if error.is_timeout() => (webhook.timeout_status, "no answer in time".to_owned()),
        Err(error) => (0, error.to_string()),
    };
    world.journal.webhook(
        webhook.side,
        &webhook.url,
        webhook.body.as_bytes(),
        status,
        answer.as_bytes(),
        job.attempt,
    );
    let good = (100..300).contains(&status);
    if webhook.side == Side::Amocrm {
        world.amocrm().attempt_ended(webhook.tag.as_deref(), good);
    }
    let retry = if good || job.attempt >= webhook.max_attempts {
        None
    } else {
        let server_error = status == 499 || (500..600).contains(&status);
        webhook
            .schedule
            .get(job.attempt as usize - 1)
            .filter(|retry| server_error || !retry.only_server_errors)
            .map(|retry| {
                world.clock.now_ms() + i64::try_from(retry.after.as_millis()).unwrap_or(i64::MAX / 4)
            })
    };
    world.emitter.done(job, retry);
}
