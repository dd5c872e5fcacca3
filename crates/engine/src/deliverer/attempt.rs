//! One attempt of one delivery: what it asks of the CRM, through the desk it shares with others.

use super::case::{Case, Memory};
use super::desk::{Desk, Reading};
use super::failure::Failure;
use super::progress::Sent;
use super::upsert::Ended;
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use connector::http::traced;
use connector::{Connector, ConnectorError, Effect, Look, Snapshot};
use domain::command::Write;
use domain::record::RecordKey;
use std::sync::Arc;
use storage::deliveries;

/// One attempt.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a Context,
    pub(super) desk: &'a Desk,
    pub(super) case: Case,
    connector: Arc<dyn Connector>,
}

impl<'a> Attempt<'a> {
    /// Carries a delivery out as far as it goes.
    pub(super) async fn run(
        context: &'a Context,
        desk: &'a Desk,
        case: Case,
    ) -> (Case, Result<Ended, Failure>) {
        let operation = case.delivery.command.operation.clone();
        let trace = case.trace.clone();
        let mut attempt = Self {
            context,
            desk,
            connector: desk.connector(vec![case.delivery.rule]),
            case,
        };
        let result = traced(trace, async {
            attempt.resolve().await?;
            attempt.operate(&operation).await
        })
        .await;
        desk.leave();
        (attempt.case, result)
    }

    /// Finds out what became of the write that a former attempt left behind.
    async fn resolve(&mut self) -> Result<(), Failure> {
        let Some(sent) = self.case.progress.sent.clone() else {
            return Ok(());
        };
        let connector = Arc::clone(&self.connector);
        match self.desk.calling(connector.look(&sent.write, sent.at)).await? {
            Look::Applied(effect) => self.found_out(&sent, Some(&effect)).await,
            Look::NotApplied => self.found_out(&sent, None).await,
            Look::Undecided { reason } => Err(Failure::Uncertain { reason }),
        }
    }

    async fn found_out(&mut self, sent: &Sent, effect: Option<&Effect>) -> Result<(), Failure> {
        match effect {
            Some(effect) => self.case.apply(sent, effect),
            None => self.case.withdraw(),
        }
        let stored = self.store_found(sent, effect).await;
        ours(stored)
    }

    async fn store_found(&self, sent: &Sent, effect: Option<&Effect>) -> Result<bool, EngineError> {
        let context = self.context;
        let tx = context.db.begin().await?;
        let saved = deliveries::save_all(&tx, &[&self.case.delivery], &context.owner).await?;
        point!(DeliverFoundSaved);
        match effect {
            Some(effect) => {
                let mut learnt = Memory::default();
                self.case.record(context, &tx, sent, effect, &mut learnt).await?;
                learnt
                    .store(&tx, &self.case.connection, context.clock.now())
                    .await?;
                point!(DeliverFoundRecorded);
            }
            None => {
                self.case.forget(&tx, sent).await?;
                point!(DeliverFoundForgotten);
            }
        }
        // What was stored beside the row is taken back with it when the row is not ours.
        if !saved.is_empty() {
            tx.commit().await?;
            point!(DeliverFoundCommitted);
        }
        Ok(!saved.is_empty())
    }

    /// Carries out one write. Before it leaves, the intention and the mark that explains its echo are
    /// committed; after the answer, the effect. So a crash at any moment leaves either nothing sent, or a
    /// write that the next attempt looks for. Writes of other attempts may travel in the same call.
    pub(super) async fn write(&mut self, write: Write) -> Result<Effect, Failure> {
        let (case, result) = self.desk.write(self.case.clone(), write).await?;
        self.case = case;
        result
    }

    /// Carries out what is still to be done.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        while let Some(write) = self
            .case
            .progress
            .todo
            .as_ref()
            .and_then(|todo| todo.first())
            .cloned()
        {
            self.write(write).await?;
        }
        Ok(())
    }

    /// Stores what was found out without writing.
    pub(super) async fn keep(&mut self) -> Result<(), Failure> {
        self.case.pack();
        ours(self.store_kept().await)
    }

    async fn store_kept(&self) -> Result<bool, EngineError> {
        let context = self.context;
        let tx = context.db.begin().await?;
        let saved = deliveries::save_all(&tx, &[&self.case.delivery], &context.owner).await?;
        point!(DeliverKeptSaved);
        self.case.save_link(&tx, context.clock.now()).await?;
        point!(DeliverKeptLinked);
        if !saved.is_empty() {
            tx.commit().await?;
            point!(DeliverKeptCommitted);
        }
        Ok(!saved.is_empty())
    }

    /// Reads a record with those around it; reads of other attempts may travel in the same call.
    pub(super) async fn read(&self, key: &RecordKey) -> Result<Option<Snapshot>, Failure> {
        self.desk.read(self.reading(key, true)).await
    }

    /// Reads a record alone.
    pub(super) async fn read_alone(&self, key: &RecordKey) -> Result<Option<Snapshot>, Failure> {
        self.desk.read(self.reading(key, false)).await
    }

    fn reading(&self, key: &RecordKey, related: bool) -> Reading {
        Reading {
            key: key.clone(),
            related,
            rule: self.case.delivery.rule,
            trace: self.case.trace.clone(),
        }
    }

    /// A call that nothing else can share.
    pub(super) async fn call<T, F>(&self, call: impl FnOnce(Arc<dyn Connector>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, ConnectorError>>,
    {
        Ok(self.desk.calling(call(Arc::clone(&self.connector))).await?)
    }
}

fn ours(stored: Result<bool, EngineError>) -> Result<(), Failure> {
    match stored {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Left { cause: None }),
        Err(error) => Err(Failure::Left { cause: Some(error) }),
    }
}
