//! Delivery: due commands are leased, carried out together without any transaction open, and recorded. What a
//! crash leaves behind is looked for before anything is written again.

mod attempt;
mod case;
mod desk;
mod diff;
mod failure;
mod operation;
mod progress;
mod upsert;
mod verdict;

use self::attempt::Attempt;
use self::case::Case;
use self::desk::Desk;
use self::failure::Failure;
use self::upsert::Ended;
use self::verdict::Judge;
use crate::breaker::{self, Circuit};
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::failpoint::point;
use crate::lease::holding;
use crate::pump::Rounds;
use connector::http::Trace;
use connector::{Connector, ConnectorError, Verdict};
use domain::command::Operation;
use domain::connection::ConnectionState;
use domain::delivery::DeliveryState;
use domain::event::Origin;
use domain::id::{AttemptId, ConnectionId, EventId};
use domain::time::Timestamp;
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use storage::connections::{self, Connection};
use storage::deliveries::{self, Delivery};
use storage::events::{self, StoredEvent};

/// Arrays that one round fills where the CRM takes arrays.
const ARRAYS: u64 = 5;

/// Carries deliveries out.
pub(crate) struct Deliverer {
    context: Arc<Context>,
}

/// A delivery whose attempt is at its end.
struct Closed {
    delivery: Delivery,
    attempt: deliveries::Attempt,
    /// When the webhook came that it follows from at once, not by a replay.
    received_at: Option<Timestamp>,
}

impl Rounds for Deliverer {
    type Key = Option<ConnectionId>;
    const NAME: &'static str = "доставка";

    async fn due(&self) -> Result<Vec<Self::Key>, EngineError> {
        Self::due(self).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        Self::next_due(self).await
    }

    async fn round(&self, key: Self::Key) -> Result<usize, EngineError> {
        Self::round(self, key).await
    }
}

impl Deliverer {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Connections with something due; `None` stands for the hub's own operations.
    pub(crate) async fn due(&self) -> Result<Vec<Option<ConnectionId>>, EngineError> {
        let stops = &self.context.stops;
        if stops.is_everything_stopped() {
            return Ok(Vec::new());
        }
        let (held, now) = (stops.connections(), self.context.clock.now());
        let due = deliveries::due_connections(&self.context.db, now).await?;
        let may_send = |id| !held.contains(&id) && self.context.breakers.circuit(id, now) != Circuit::Open;
        Ok(due.into_iter().filter(|due| due.is_none_or(may_send)).collect())
    }

    /// When something that may be sent is next due.
    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let stops = &self.context.stops;
        if stops.is_everything_stopped() {
            return Ok(None);
        }
        let mut held = stops.connections();
        held.extend(self.context.breakers.open(self.context.clock.now()));
        Ok(deliveries::next_due(&self.context.db, &held, &stops.rules()).await?)
    }

    /// One round of a connection: whoever holds its lease takes what is due, first of each lane.
    pub(crate) async fn round(&self, id: Option<ConnectionId>) -> Result<usize, EngineError> {
        Ok(holding(&self.context, id, self.work(id)).await?.unwrap_or(0))
    }

    async fn work(&self, id: Option<ConnectionId>) -> Result<usize, EngineError> {
        let context = &self.context;
        // Whatever another holder, or a round of ours that could not store its end, left under way is nobody's now.
        deliveries::recover(&context.db, id, context.clock.now()).await?;
        point!(DeliverRecovered);
        let Some(id) = id else {
            return self.own_operations().await;
        };
        let Some(connection) = connections::find_any(&context.db, id).await? else {
            return self
                .refuse(Some(id), "connection_gone", "подключение удалено")
                .await;
        };
        if connection.state != ConnectionState::Active {
            // Everything keeps its place until the pause is over.
            context.stops.pause(id);
            return Ok(0);
        }
        let connector = context.connector(&connection).await?;
        let at_once = match (
            context.breakers.circuit(id, context.clock.now()),
            connector.batch(),
        ) {
            (Circuit::Open, _) => return Ok(0),
            (Circuit::Trial, _) => 1,
            (Circuit::Closed, 0 | 1) => context.settings.deliveries_at_once,
            (Circuit::Closed, n) => n as u64 * ARRAYS,
        };
        let leased = self.lease(Some(id), at_once).await?;
        if leased.is_empty() {
            return Ok(0);
        }
        point!(DeliverLeased);
        self.carry_out(Arc::new(connection), connector, leased).await
    }

    async fn lease(&self, id: Option<ConnectionId>, at_once: u64) -> Result<Vec<Delivery>, EngineError> {
        let context = &self.context;
        let now = context.clock.now();
        let until = now.plus_ms(context.settings.lease_ms);
        let held = context.stops.rules();
        Ok(deliveries::lease(&context.db, id, &context.owner, now, until, at_once, &held).await?)
    }

    /// The hub's own operations, for which no CRM is asked.
    async fn own_operations(&self) -> Result<usize, EngineError> {
        let context = &self.context;
        let leased = self.lease(None, context.settings.deliveries_at_once).await?;
        let n_leased = leased.len();
        let mut closed = Vec::with_capacity(n_leased);
        for delivery in leased {
            let Operation::SaveCallResult { result } = &delivery.command.operation else {
                let text = "действия вне CRM в этой версии не выполняются";
                closed.push(self.refused(delivery, "unsupported", text));
                continue;
            };
            let started_at = context.clock.now();
            let saved = crate::calls::save(context, &delivery, result).await;
            let result = saved.map(|()| Ended::Done).map_err(Failure::Engine);
            let progress = progress::Progress::default();
            closed.push(self.close(delivery, &progress, result, &Trace::default(), started_at));
        }
        self.settle(closed).await?;
        Ok(n_leased)
    }

    /// Everything due ends at once: nobody can carry it out.
    async fn refuse(
        &self,
        id: Option<ConnectionId>,
        code: &'static str,
        text: &str,
    ) -> Result<usize, EngineError> {
        let leased = self.lease(id, self.context.settings.deliveries_at_once).await?;
        let n_leased = leased.len();
        let closed = leased
            .into_iter()
            .map(|delivery| self.refused(delivery, code, text));
        self.settle(closed.collect()).await?;
        Ok(n_leased)
    }

    fn refused(&self, delivery: Delivery, code: &'static str, text: &str) -> Closed {
        let failure = Failure::Refused {
            code,
            text: text.to_owned(),
        };
        let (progress, now) = (progress::Progress::default(), self.context.clock.now());
        self.close(delivery, &progress, Err(failure), &Trace::default(), now)
    }

    /// Carries out what was leased, side by side over one desk, and settles all of it together.
    async fn carry_out(
        &self,
        connection: Arc<Connection>,
        connector: Arc<dyn Connector>,
        leased: Vec<Delivery>,
    ) -> Result<usize, EngineError> {
        let context = &self.context;
        let n_leased = leased.len();
        let (cases, mut closed) = self.cases(&connection, leased).await?;
        let desk = Desk::new(
            Arc::clone(context),
            Arc::clone(&connection),
            connector,
            cases.len(),
        );
        let attempts = join_all(cases.into_iter().map(|case| Attempt::run(context, &desk, case)));
        let ended = tokio::select! {
            ended = attempts => ended,
            never = desk.serve() => match never {},
        };
        self.note(&connection, &ended).await;
        point!(DeliverNoted);
        if let Err(error) = breaker::tell(context, connection.workspace, connection.id).await {
            tracing::warn!(%error, "о предохранителе подключения не сказано");
        }
        let mut trouble = None;
        for (case, result) in ended {
            if let Err(Failure::Left { cause }) = result {
                trouble = trouble.or(cause);
                continue;
            }
            let event = &case.event.event;
            let is_first = event.origin == Origin::Webhook && case.delivery.replay_of.is_none();
            let received_at = is_first.then_some(event.received_at);
            closed.push(Closed {
                received_at,
                ..self.close(
                    case.delivery,
                    &case.progress,
                    result,
                    &case.trace,
                    case.started_at,
                )
            });
        }
        self.settle(closed).await?;
        match trouble {
            Some(error) => Err(error),
            None => Ok(n_leased),
        }
    }

    /// What is needed to begin; a delivery that cannot begin ends here.
    async fn cases(
        &self,
        connection: &Arc<Connection>,
        leased: Vec<Delivery>,
    ) -> Result<(Vec<Case>, Vec<Closed>), EngineError> {
        let started_at = self.context.clock.now();
        let mut wanted: Vec<EventId> = leased.iter().map(|delivery| delivery.event).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let events = events::find_all(&self.context.db, connection.workspace, &wanted).await?;
        let events: HashMap<EventId, Arc<StoredEvent>> =
            events.into_iter().map(|it| (it.event.id, Arc::new(it))).collect();
        let (mut cases, mut closed) = (Vec::with_capacity(leased.len()), Vec::new());
        for delivery in leased {
            let progress = serde_json::from_value(delivery.progress.clone());
            match (events.get(&delivery.event), progress) {
                (Some(event), Ok(progress)) => cases.push(Case {
                    progress,
                    event: Arc::clone(event),
                    connection: Arc::clone(connection),
                    started_at,
                    trace: Trace::default(),
                    delivery,
                }),
                (None, _) => {
                    let text = "событие, из которого возникла доставка, удалено или повреждено";
                    closed.push(self.refused(delivery, "event_gone", text));
                }
                (_, Err(_)) => closed.push(self.refused(delivery, "corrupt", "запись доставки повреждена")),
            }
        }
        Ok((cases, closed))
    }

    /// Notes on the connection how the round went; a lost authorisation or a ban pauses it.
    async fn note(&self, connection: &Connection, ended: &[(Case, Result<Ended, Failure>)]) {
        let mut errors: Vec<&ConnectorError> = Vec::new();
        for (_, result) in ended {
            if let Err(Failure::Connector(error)) = result {
                errors.push(error);
            }
        }
        let worst = errors
            .iter()
            .find(|error| matches!(error.verdict(), Verdict::Reauthorise | Verdict::Suspend))
            .or(errors.first());
        let all = worst.into_iter().map(|error| Some(*error));
        let went_well = (errors.len() < ended.len()).then_some(None);
        for error in went_well.into_iter().chain(all) {
            let now = self.context.clock.now();
            if let Err(error) = crate::connections::note(&self.context.db, connection, error, now).await {
                tracing::warn!(%error, "состояние подключения не записано");
            }
        }
    }

    fn close(
        &self,
        mut delivery: Delivery,
        progress: &progress::Progress,
        result: Result<Ended, Failure>,
        trace: &Trace,
        started_at: Timestamp,
    ) -> Closed {
        let now = self.context.clock.now();
        let judge = Judge {
            settings: &self.context.settings,
            progress,
            started_at,
            now,
        };
        let settled = judge.judge(&mut delivery, result);
        delivery.error_code = settled.code.map(str::to_owned);
        delivery.error.clone_from(&settled.text);
        if delivery.state.is_final() {
            delivery.finished_at = Some(now);
        }
        if delivery.state == DeliveryState::Dead {
            tracing::warn!(
                delivery.id = %delivery.id, rule.id = %delivery.rule, code = settled.code.unwrap_or_default(),
                "доставка остановлена и ждёт решения человека"
            );
        }
        let attempt = deliveries::Attempt {
            workspace: delivery.workspace,
            id: AttemptId(new_id()),
            delivery: delivery.id,
            number: delivery.n_attempts,
            outcome: settled.outcome,
            error_code: settled.code.map(str::to_owned),
            error: settled.text,
            exchanges: serde_json::to_value(trace.take()).unwrap_or_default(),
            started_at,
            finished_at: now,
        };
        Closed {
            delivery,
            attempt,
            received_at: None,
        }
    }

    /// One transaction for the fact «these attempts ended so». What went to somebody else meanwhile is theirs.
    async fn settle(&self, closed: Vec<Closed>) -> Result<(), EngineError> {
        if closed.is_empty() {
            return Ok(());
        }
        let rows: Vec<&Delivery> = closed.iter().map(|one| &one.delivery).collect();
        let tx = self.context.db.begin().await?;
        let released = deliveries::release_all(&tx, &rows, &self.context.owner).await?;
        point!(DeliverReleased);
        let ours = closed.into_iter();
        let ours = ours.filter(|one| released.contains(&one.delivery.id));
        let (ended, attempts): (Vec<_>, Vec<_>) = ours
            .map(|one| ((one.delivery, one.received_at), one.attempt))
            .unzip();
        deliveries::insert_attempts(&tx, &attempts).await?;
        point!(DeliverAttempts);
        tx.commit().await?;
        point!(DeliverSettled);
        for ((delivery, received_at), attempt) in ended.iter().zip(&attempts) {
            self.context.meter.attempt(delivery, attempt, *received_at);
        }
        Ok(())
    }
}
