//! Named points between the database writes of the engine, at which tests let a process die.
//!
//! Only with the feature `failpoints` is there anything at a point; without it the macro expands to nothing. A point
//! that a test armed never goes on: it says that it was reached, and waits for ever. The test then ends the runtime
//! of that process with everything in it, transactions included, which is what `kill -9` does.
//!
//! Points are armed for a thread: a process of a test lives in a runtime with one.

/// Marks a point. Nothing without the feature `failpoints`.
macro_rules! point {
    ($name:ident) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reached($crate::failpoint::Point::$name).await;
    };
}

pub(crate) use point;

#[cfg(feature = "failpoints")]
pub use armed::arm;
#[cfg(feature = "failpoints")]
pub(crate) use armed::reached;

macro_rules! points {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Where a process may die: between two writes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Point {
            $($(#[$doc])* $name,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

points! {
    /// Intake: the bodies are written, their events are not.
    IntakeBodies,
    /// Intake: the events are written, the connections' rows are not.
    IntakeEvents,
    /// Intake: results of calls are written.
    IntakeCalls,
    /// Intake: everything is written, nothing is committed.
    IntakeNoted,
    /// Intake: committed, nobody was answered.
    IntakeCommitted,
    /// The lease of a connection is taken, no work is begun.
    LeaseTaken,
    /// Dispatch: decided, nothing is written.
    DispatchDecided,
    /// Dispatch: the runs are written.
    DispatchRuns,
    /// Dispatch: the deliveries are written.
    DispatchDeliveries,
    /// Dispatch: the memory of the records is written.
    DispatchSnapshots,
    /// Dispatch: the events are done.
    DispatchFinished,
    /// Dispatch: a match of a quiet window is counted.
    DispatchMatches,
    /// Dispatch: an event is put off.
    DispatchPostponed,
    /// Dispatch: a quiet window is open.
    DispatchQuietOpened,
    /// Dispatch: a quiet window is closed.
    DispatchQuietClosed,
    /// Dispatch: a person is told of a loop.
    DispatchAlarm,
    /// Dispatch: the mark of a rule is set, the audit entry is not written.
    DispatchAlarmMarked,
    /// Dispatch: committed.
    DispatchCommitted,
    /// Dispatch after a death: the look at an event is counted, and has not begun.
    DispatchCounted,
    /// Dispatch: an answer of a CRM was noted, what was read is not used yet.
    DispatchRead,
    /// Delivery: what a dead process left leased is taken back.
    DeliverRecovered,
    /// Delivery: deliveries are leased, nothing is begun.
    DeliverLeased,
    /// Delivery: the intentions to write are in the rows, their marks are not stored.
    DeliverIntended,
    /// Delivery: the marks are stored, nothing is committed.
    DeliverMarked,
    /// Delivery: the intentions are committed, nothing is sent.
    DeliverSending,
    /// Delivery: the CRM answered, nothing is recorded.
    DeliverAnswered,
    /// Delivery: the progress is in the rows.
    DeliverSaved,
    /// Delivery: the link of a written record is stored.
    DeliverLinked,
    /// Delivery: the marks of an effect are stored.
    DeliverEchoes,
    /// Delivery: the memory of written records is stored, that of their phones is not.
    DeliverRemembered,
    /// Delivery: everything about the effects is stored, nothing is committed.
    DeliverLearnt,
    /// Delivery: the effects are recorded.
    DeliverRecorded,
    /// Delivery: the marks of a write that was not applied are taken away.
    DeliverForgotten,
    /// Delivery: what a look found is in the row.
    DeliverFoundSaved,
    /// Delivery: the effect that a look found is stored.
    DeliverFoundRecorded,
    /// Delivery: the marks of a write that a look did not find are taken away.
    DeliverFoundForgotten,
    /// Delivery: what a look found is committed.
    DeliverFoundCommitted,
    /// Delivery: the target that was found is in the row.
    DeliverKeptSaved,
    /// Delivery: the link to the target that was found is stored.
    DeliverKeptLinked,
    /// Delivery: the target that was found is committed.
    DeliverKeptCommitted,
    /// Delivery: the connection's card tells how the round went, the deliveries are not settled.
    DeliverNoted,
    /// Delivery: the deliveries have their new state.
    DeliverReleased,
    /// Delivery: the attempts are written.
    DeliverAttempts,
    /// Delivery: settled.
    DeliverSettled,
    /// Reconciliation: the first page was read, nothing is written.
    ReconcileRead,
    /// Reconciliation: the events of a page are written.
    ReconcileEvents,
    /// Reconciliation: the connection's last event is noted.
    ReconcileNoted,
    /// Reconciliation: states from before the connection are remembered.
    ReconcileRemembered,
    /// Reconciliation: the connection counts as reconciled.
    ReconcileMoment,
    /// Reconciliation: the place after the page is written.
    ReconcilePlace,
    /// Reconciliation: committed.
    ReconcileCommitted,
    /// Reconciliation: a failure of the CRM is noted at the connection, not at the walk.
    ReconcileFailed,
    /// Imports: rows of a file are written, the place in it is not.
    ImportRows,
    /// Imports: a piece of a file is read, committed.
    ImportRead,
    /// Imports: rows are marked as handed over, their events are not written.
    ImportMarked,
    /// Imports: the events are written, nothing is committed.
    ImportEvents,
    /// Imports: handed over, committed.
    ImportHanded,
    /// Tokens: the CRM gave a new pair, nothing of it is stored.
    TokensGiven,
    /// Tokens: the new pair is stored, nobody used it.
    TokensStored,
    /// Connections: a failure is noted, the state is not changed.
    ConnectionFailure,
}

#[cfg(feature = "failpoints")]
mod armed {
    use super::Point;
    use std::cell::RefCell;
    use std::sync::Arc;
    use tokio::sync::Notify;

    struct Armed {
        point: Point,
        is_reached: Arc<Notify>,
    }

    thread_local! {
        static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
    }

    /// Arms a point for this thread, in place of another. What it gives is notified when the point is reached.
    pub fn arm(point: Point) -> Arc<Notify> {
        let is_reached = Arc::new(Notify::new());
        let armed = Armed {
            point,
            is_reached: Arc::clone(&is_reached),
        };
        ARMED.with_borrow_mut(|place| *place = Some(armed));
        is_reached
    }

    /// Passes a point, or stays at it for ever.
    pub(crate) async fn reached(point: Point) {
        let is_reached = ARMED.with_borrow(|armed| {
            let armed = armed.as_ref().filter(|armed| armed.point == point);
            armed.map(|armed| Arc::clone(&armed.is_reached))
        });
        if let Some(is_reached) = is_reached {
            is_reached.notify_one();
            std::future::pending::<()>().await;
        }
    }
}
