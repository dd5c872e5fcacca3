//! Where the attempts of one round hand in what they want of the CRM. Where the CRM takes lists and arrays, what was
//! handed in waits until no attempt can add to it, and is then done together: reads in lists, writes in arrays, each
//! array with one transaction before and one after for all that travel in it.

use super::case::{Case, Memory};
use super::failure::Failure;
use super::progress::Sent;
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use connector::http::{Exchange, Trace, traced};
use connector::{Connector, ConnectorError, Effect, Outgoing, Snapshot};
use domain::command::Write;
use domain::id::{DeliveryId, RuleId};
use domain::record::RecordKey;
use futures::future::join_all;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::connections::Connection;
use storage::{deliveries, memory};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// What was handed in does not wait longer than this for attempts that are busy with calls of their own.
const PATIENCE: Duration = Duration::from_millis(500);

type Read = Result<Option<Snapshot>, Failure>;
/// The case as it is stored after its write, and what the CRM said.
type Written = Result<(Case, Result<Effect, Failure>), Failure>;

/// A record to be read.
pub(super) struct Reading {
    pub(super) key: RecordKey,
    /// With the records around it.
    pub(super) related: bool,
    pub(super) rule: RuleId,
    pub(super) trace: Trace,
}

/// A write to be carried out.
struct Writing {
    case: Case,
    write: Write,
}

/// A write whose intention is committed.
struct Leaving {
    place: usize,
    case: Case,
    sent: Sent,
}

struct Waiting<W, A> {
    wanted: W,
    answer: oneshot::Sender<A>,
}

#[derive(Default)]
struct Queue {
    /// Attempts that work on their own side: what they hand in next comes soon.
    n_running: usize,
    /// Attempts that wait for a call of their own.
    n_calling: usize,
    reads: Vec<Waiting<Reading, Read>>,
    writes: Vec<Waiting<Writing, Written>>,
    since: Option<Instant>,
}

/// The desk of one round.
pub(super) struct Desk {
    context: Arc<Context>,
    connection: Arc<Connection>,
    connector: Arc<dyn Connector>,
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Desk {
    pub(super) fn new(
        context: Arc<Context>,
        connection: Arc<Connection>,
        connector: Arc<dyn Connector>,
        n_attempts: usize,
    ) -> Self {
        let queue = Queue {
            n_running: n_attempts,
            ..Queue::default()
        };
        Self {
            context,
            connection,
            connector,
            queue: Mutex::new(queue),
            changed: Notify::new(),
        }
    }

    fn gathers(&self) -> bool {
        self.connector.batch() > 1
    }

    /// The connector for calls that nothing else can share.
    pub(super) fn connector(&self, rules: Vec<RuleId>) -> Arc<dyn Connector> {
        self.context
            .behind_stops(&self.connection, Arc::clone(&self.connector), rules)
    }

    /// Reads a record.
    pub(super) async fn read(&self, reading: Reading) -> Read {
        if !self.gathers() {
            let connector = self.connector(vec![reading.rule]);
            let read = connector.read(&reading.key, reading.related);
            return Ok(traced(reading.trace.clone(), read).await?);
        }
        let (answer, answered) = oneshot::channel();
        self.hand_in(|queue| {
            queue.reads.push(Waiting {
                wanted: reading,
                answer,
            });
        });
        answered
            .await
            .unwrap_or_else(|_| Err(Failure::Left { cause: None }))
    }

    /// Carries out a write of a case; gives back the case as it is stored then.
    pub(super) async fn write(&self, case: Case, write: Write) -> Written {
        let writing = Writing { case, write };
        if !self.gathers() {
            let mut written = self.write_together(vec![writing]).await;
            return written.pop().unwrap_or(Err(Failure::Left { cause: None }));
        }
        let (answer, answered) = oneshot::channel();
        self.hand_in(|queue| {
            queue.writes.push(Waiting {
                wanted: writing,
                answer,
            });
        });
        answered
            .await
            .unwrap_or_else(|_| Err(Failure::Left { cause: None }))
    }

    /// Waits for something that another attempt may hold: meanwhile nobody waits for this one.
    pub(super) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        self.leave();
        let done = wait.await;
        self.lock().n_running += 1;
        done
    }

    /// Waits for a call that nothing else can share: meanwhile others are patient with this one.
    pub(super) async fn calling<T>(&self, call: impl Future<Output = T>) -> T {
        self.lock().n_calling += 1;
        let done = self.aside(call).await;
        self.lock().n_calling -= 1;
        done
    }

    /// An attempt is at its end.
    pub(super) fn leave(&self) {
        self.lock().n_running -= 1;
        self.changed.notify_one();
    }

    fn hand_in(&self, put: impl FnOnce(&mut Queue)) {
        let mut queue = self.lock();
        put(&mut queue);
        queue.since.get_or_insert_with(Instant::now);
        drop(queue);
        self.leave();
    }

    /// Answers, for as long as it is polled.
    pub(super) async fn serve(&self) -> Infallible {
        loop {
            let (reads, writes) = self.ready().await;
            if !reads.is_empty() {
                let (readings, answers): (Vec<_>, Vec<_>) =
                    reads.into_iter().map(|it| (it.wanted, it.answer)).unzip();
                self.answer(answers, self.read_together(readings).await);
            }
            if !writes.is_empty() {
                self.write_in_arrays(writes).await;
            }
        }
    }

    /// Waits until it is time to call, and takes what is to be done: reads first, for what they bring may become
    /// writes that travel with the others.
    async fn ready(&self) -> (Vec<Waiting<Reading, Read>>, Vec<Waiting<Writing, Written>>) {
        loop {
            let changed = self.changed.notified();
            let deadline = {
                let mut queue = self.lock();
                match queue.since.filter(|_| queue.n_running == 0) {
                    None => None,
                    Some(since) if queue.n_calling > 0 && Instant::now() < since + PATIENCE => {
                        Some(since + PATIENCE)
                    }
                    Some(_) => {
                        let reads = std::mem::take(&mut queue.reads);
                        let writes = if reads.is_empty() {
                            std::mem::take(&mut queue.writes)
                        } else {
                            Vec::new()
                        };
                        queue.since = (!queue.writes.is_empty()).then(Instant::now);
                        return (reads, writes);
                    }
                }
            };
            match deadline {
                Some(deadline) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(deadline) => {}
                },
                None => changed.await,
            }
        }
    }

    /// The attempts run again before they know: nobody must think that all are waiting.
    fn answer<T>(&self, to: Vec<oneshot::Sender<T>>, answers: Vec<T>) {
        self.lock().n_running += to.len();
        for (to, answer) in to.into_iter().zip(answers) {
            let _dropped_with_its_round = to.send(answer);
        }
    }

    async fn read_together(&self, readings: Vec<Reading>) -> Vec<Read> {
        let rules = readings.iter().map(|reading| reading.rule).collect();
        let connector = self.connector(rules);
        let mut known: BTreeMap<RecordKey, Result<Option<Snapshot>, ConnectorError>> = BTreeMap::new();
        for related in [true, false] {
            let asked = readings.iter().filter(|reading| reading.related == related);
            let keys: HashSet<&RecordKey> = asked.map(|reading| &reading.key).collect();
            let keys: Vec<RecordKey> = keys
                .into_iter()
                .filter(|key| !known.contains_key(key))
                .cloned()
                .collect();
            if keys.is_empty() {
                continue;
            }
            let common = Trace::default();
            let results = traced(common.clone(), async {
                match keys.as_slice() {
                    [key] => vec![connector.read(key, related).await],
                    keys => connector.read_all(keys, related).await,
                }
            })
            .await;
            note_shared(&common.take(), &readings, &keys);
            known.extend(keys.into_iter().zip(results));
        }
        readings
            .iter()
            .map(|reading| match known.get(&reading.key) {
                Some(result) => result.clone().map_err(Failure::Connector),
                None => Err(Failure::Left { cause: None }),
            })
            .collect()
    }

    /// Writes of one kind go together, as many as an array takes. The arrays do not wait for each other: two writes
    /// never belong to one lane, since a lane has but one delivery under way.
    async fn write_in_arrays(&self, mut writes: Vec<Waiting<Writing, Written>>) {
        writes.sort_by_key(|waiting| place_of(&waiting.wanted.write));
        let mut arrays = Vec::new();
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(self.connector.batch()));
            arrays.push(std::mem::replace(&mut writes, rest));
        }
        join_all(arrays.into_iter().map(|array| async {
            let (writings, answers): (Vec<_>, Vec<_>) =
                array.into_iter().map(|it| (it.wanted, it.answer)).unzip();
            self.answer(answers, self.write_together(writings).await);
        }))
        .await;
    }

    /// Carries out writes with one transaction for their intentions and one for what became of them. Where storing
    /// fails, what is stored counts and not what is known here: such deliveries are left to the next round.
    async fn write_together(&self, writings: Vec<Writing>) -> Vec<Written> {
        let (now, held) = (self.context.clock.now(), self.context.stops.rules());
        let mut answers: Vec<Option<Written>> = Vec::with_capacity(writings.len());
        let mut leaving = Vec::with_capacity(writings.len());
        for (place, Writing { mut case, write }) in writings.into_iter().enumerate() {
            answers.push(None);
            if held.contains(&case.delivery.rule) {
                answers[place] = Some(Ok((case, Err(ConnectorError::Stopped.into()))));
                continue;
            }
            let sent = case.intend(write, now);
            leaving.push(Leaving { place, case, sent });
        }
        let mut cause = None;
        match self.commit_intentions(&leaving).await {
            Ok(saved) => leaving.retain(|one| saved.contains(&one.case.delivery.id)),
            Err(error) => {
                leaving.clear();
                cause = Some(error);
            }
        }
        if !leaving.is_empty() {
            let results = self.send(&leaving).await;
            point!(DeliverAnswered);
            match self.record(&mut leaving, &results).await {
                Ok(saved) => {
                    for (one, result) in leaving.into_iter().zip(results) {
                        let is_open = result.as_ref().is_err_and(ConnectorError::is_uncertain);
                        if is_open || saved.contains(&one.case.delivery.id) {
                            answers[one.place] = Some(Ok((one.case, result.map_err(Failure::Connector))));
                        }
                    }
                }
                Err(error) => cause = Some(error),
            }
        }
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| Err(Failure::Left { cause: cause.take() })))
            .collect()
    }

    /// One transaction for the intentions of all. Returns those whose rows are still ours.
    async fn commit_intentions(&self, leaving: &[Leaving]) -> Result<HashSet<DeliveryId>, EngineError> {
        let context = &*self.context;
        if leaving.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<&deliveries::Delivery> = leaving.iter().map(|one| &one.case.delivery).collect();
        let tx = context.db.begin().await?;
        let saved = deliveries::save_all(&tx, &rows, &context.owner).await?;
        point!(DeliverIntended);
        let marks: Vec<memory::Echo> = leaving
            .iter()
            .filter(|one| saved.contains(&one.case.delivery.id))
            .flat_map(|one| one.case.marks(context, &one.sent, None))
            .collect();
        memory::insert_echoes(&tx, &marks).await?;
        point!(DeliverMarked);
        tx.commit().await?;
        point!(DeliverSending);
        Ok(saved)
    }

    async fn send(&self, leaving: &[Leaving]) -> Vec<Result<Effect, ConnectorError>> {
        let rules = leaving.iter().map(|one| one.case.delivery.rule).collect();
        let connector = self.connector(rules);
        if let [one] = leaving {
            return vec![traced(one.case.trace.clone(), connector.write(&one.sent.write)).await];
        }
        let outgoing: Vec<Outgoing> = leaving
            .iter()
            .map(|one| Outgoing {
                write: one.sent.write.clone(),
                trace: one.case.trace.clone(),
            })
            .collect();
        connector.write_all(&outgoing).await
    }

    /// One transaction for what became of all. Returns those whose rows were still ours.
    async fn record(
        &self,
        leaving: &mut [Leaving],
        results: &[Result<Effect, ConnectorError>],
    ) -> Result<HashSet<DeliveryId>, EngineError> {
        let context = &*self.context;
        let mut known = Vec::with_capacity(leaving.len());
        for (one, result) in leaving.iter_mut().zip(results) {
            match result {
                Ok(effect) => one.case.apply(&one.sent, effect),
                Err(error) if error.is_uncertain() => continue,
                Err(_) => one.case.withdraw(),
            }
            known.push((&*one, result.as_ref().ok()));
        }
        if known.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<&deliveries::Delivery> = known.iter().map(|(one, _)| &one.case.delivery).collect();
        let tx = context.db.begin().await?;
        let saved = deliveries::save_all(&tx, &rows, &context.owner).await?;
        point!(DeliverSaved);
        let mut learnt = Memory::default();
        for (one, effect) in known {
            if saved.contains(&one.case.delivery.id) {
                match effect {
                    Some(effect) => {
                        one.case
                            .record(context, &tx, &one.sent, effect, &mut learnt)
                            .await?
                    }
                    None => {
                        one.case.forget(&tx, &one.sent).await?;
                        point!(DeliverForgotten);
                    }
                }
            }
        }
        learnt.store(&tx, &self.connection, context.clock.now()).await?;
        point!(DeliverLearnt);
        tx.commit().await?;
        point!(DeliverRecorded);
        Ok(saved)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every attempt sees the exchanges that served it; of those made for several, only that they were.
fn note_shared(exchanges: &[Exchange], readings: &[Reading], keys: &[RecordKey]) {
    for reading in readings.iter().filter(|reading| keys.contains(&reading.key)) {
        for exchange in exchanges {
            let mut exchange = exchange.clone();
            if keys.len() > 1 {
                exchange
                    .url
                    .truncate(exchange.url.find('?').unwrap_or(exchange.url.len()));
                if exchange.status.is_some_and(|status| status < 300) {
                    exchange.answered = Some(format!("общее чтение для {} записей", keys.len()));
                }
            }
            reading.trace.push(exchange);
        }
    }
}

/// Writes that can share an array stand side by side.
const fn place_of(write: &Write) -> u8 {
    match write {
        Write::CreateContact { .. } => 0,
        Write::CreateRecord { .. } => 1,
        Write::UpdateRecord { .. }
        | Write::Move { .. }
        | Write::SetResponsible { .. }
        | Write::ChangeTags { .. } => 2,
        Write::AddNote { .. } | Write::LogCall { .. } => 3,
        Write::AddTask { .. } => 4,
        Write::AddPayment { .. } => 5,
        Write::StartCall { .. } => 6,
    }
}
