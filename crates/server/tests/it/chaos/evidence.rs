//! What a run that failed leaves behind: without it a fault that comes once in many runs cannot be explained.

use sandbox::Sandbox;
use std::fmt::Write;
use std::path::Path;
use storage::{Db, PageOf, accounts, deliveries, events, runs};

/// Writes what the hub and both CRMs know into the folder of the logs.
pub async fn keep(db: &Db, sandbox: &Sandbox, folder: &Path) {
    let workspace = accounts::workspaces(db).await.unwrap()[0].id;
    let page = PageOf {
        limit: 10_000,
        before: None,
    };
    let mut known = String::new();
    writeln!(known, "events next due {:?}", events::next_due(db).await).unwrap();
    writeln!(known, "quiet next due {:?}", storage::quiet::next_due(db).await).unwrap();
    let forever = domain::time::Timestamp(i64::MAX);
    let due = deliveries::due_connections(db, forever).await;
    writeln!(known, "deliveries open at {due:?}").unwrap();
    writeln!(known, "webhooks queued {}", sandbox.world.emitter.queued()).unwrap();
    for connection in storage::connections::list(db, workspace).await.unwrap() {
        writeln!(known, "connection {connection:?}").unwrap();
    }
    let mut all = events::list(db, workspace, &events::EventFilter::default(), page)
        .await
        .unwrap();
    all.reverse();
    for stored in all {
        let id = stored.event.id;
        writeln!(known, "event {stored:?}").unwrap();
        for run in runs::of_event(db, workspace, id).await.unwrap() {
            writeln!(
                known,
                "    run {} rule {} {:?} {:?}",
                run.id, run.rule, run.outcome, run.notes
            )
            .unwrap();
        }
        for delivery in deliveries::of_event(db, workspace, id).await.unwrap() {
            writeln!(known, "    delivery {delivery:?}").unwrap();
            let attempts = deliveries::attempts(db, workspace, &[delivery.id]).await.unwrap();
            for attempt in attempts {
                writeln!(known, "        attempt {attempt:?}").unwrap();
            }
        }
    }
    std::fs::write(folder.join("hub.txt"), known).unwrap();
    let journal = sandbox.world.journal.entries();
    let lines: Vec<String> = journal.iter().map(|entry| format!("{entry:?}")).collect();
    std::fs::write(folder.join("journal.txt"), lines.join("\n")).unwrap();
}
