//! What is told to Prometheus: what the engine counts, what waits, and how the process and its database fare.

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::usage::Usage;
use domain::connection::ConnectorKind;
use domain::time::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use storage::PoolUse;
use storage::backlog::{Backlog, Waiting};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Queue {
    queue: &'static str,
    crm: &'static str,
}

/// Everything, as a text of OpenMetrics.
pub async fn text(app: &App) -> Result<String, Problem> {
    let context = app.engine.context();
    let now = app.clock().now();
    let backlog = context.meter.backlog(&context.db, now).await?;
    let mut registry = Registry::with_prefix("integrator");
    context.meter.register(&mut registry);
    waiting(&mut registry, &backlog, now);
    pool(&mut registry, context.db.pool_use());
    let database = if context.db.is_postgres() {
        "postgres"
    } else {
        "sqlite"
    };
    let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("database", database)]);
    registry.register("build", "Which program this is", build);
    // Not ours by name: what every process that Prometheus reads tells of itself.
    let mut whole = Registry::default();
    if let Some(usage) = Usage::read() {
        process(&mut whole, &usage);
    }
    let mut text = String::new();
    text::encode_registry(&mut text, &registry)
        .and_then(|()| text::encode_registry(&mut text, &whole))
        .and_then(|()| text::encode_eof(&mut text))
        .map_err(|_| Problem::internal())?;
    Ok(text)
}

/// What waits by queue and CRM. Every queue is told of, so that an empty one is a zero and not a gap.
fn waiting(registry: &mut Registry, backlog: &Backlog, now: Timestamp) {
    let depth = Family::<Queue, Gauge>::default();
    let age = Family::<Queue, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    let queues = [("events", &backlog.events), ("deliveries", &backlog.deliveries)];
    for (queue, all) in queues {
        for (crm, (n_waiting, late_ms)) in by_crm(all, now) {
            let labels = Queue { queue, crm };
            depth.get_or_create(&labels).set(n_waiting);
            age.get_or_create(&labels).set(late_ms as f64 / 1_000.0);
        }
    }
    registry.register("queue_depth", "What waits, by queue and CRM", depth);
    registry.register_with_unit(
        "queue_oldest",
        "For how long what has waited longest has been due; 0 when all of it waits for its next try",
        Unit::Seconds,
        age,
    );
    let n_dead = i64::try_from(backlog.n_dead).unwrap_or(i64::MAX);
    registry.register(
        "dead_letters",
        "Deliveries that stopped and wait for a person",
        ConstGauge::new(n_dead),
    );
}

/// How much waits for each CRM, and for how many milliseconds the oldest of it has been due.
fn by_crm(all: &[Waiting], now: Timestamp) -> BTreeMap<&'static str, (i64, i64)> {
    const HUB: &str = "hub";
    let kinds = [ConnectorKind::Amocrm, ConnectorKind::Lptracker];
    let mut sums: BTreeMap<&'static str, (i64, i64)> =
        kinds.iter().map(|kind| (kind.as_str(), (0, 0))).collect();
    for one in all {
        let sum = sums
            .entry(one.kind.map_or(HUB, ConnectorKind::as_str))
            .or_default();
        sum.0 += i64::try_from(one.n_waiting).unwrap_or(i64::MAX);
        sum.1 = sum.1.max(now.0.saturating_sub(one.oldest_due_at.0));
    }
    sums
}

fn pool(registry: &mut Registry, pool: PoolUse) {
    let gauges = [
        ("open", "Connections to the database that are open", pool.n_open),
        (
            "idle",
            "Of these, those that wait for something to do",
            pool.n_idle,
        ),
        ("max", "Connections that may be opened", pool.n_most),
    ];
    for (name, help, n) in gauges {
        let name = format!("database_connections_{name}");
        registry.register(name, help, ConstGauge::new(i64::from(n)));
    }
}

fn process(registry: &mut Registry, usage: &Usage) {
    let registry = registry.sub_registry_with_prefix("process");
    registry.register_with_unit(
        "resident_memory",
        "Memory of the process",
        Unit::Bytes,
        ConstGauge::new(i64::try_from(usage.memory_bytes).unwrap_or(i64::MAX)),
    );
    registry.register_with_unit(
        "cpu",
        "Processor time that the process has used",
        Unit::Seconds,
        ConstCounter::new(usage.cpu_seconds),
    );
    registry.register(
        "open_fds",
        "Files and connections that the process has open",
        ConstGauge::new(i64::try_from(usage.n_files).unwrap_or(i64::MAX)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(kind: Option<ConnectorKind>, n_waiting: u64, due: i64) -> Waiting {
        Waiting {
            kind,
            n_waiting,
            oldest_due_at: Timestamp(due),
        }
    }

    #[test]
    fn connections_of_a_crm_are_one_queue_and_its_age_is_that_of_the_latest() {
        let all = [
            waits(Some(ConnectorKind::Amocrm), 2, 900),
            waits(Some(ConnectorKind::Amocrm), 3, 400),
            waits(Some(ConnectorKind::Lptracker), 4, 5_000),
            waits(None, 1, 999),
        ];
        let sums = by_crm(&all, Timestamp(1_000));
        let expected = [("amocrm", (5, 600)), ("hub", (1, 1)), ("lptracker", (4, 0))];
        assert_eq!(sums, BTreeMap::from(expected));
    }
}
