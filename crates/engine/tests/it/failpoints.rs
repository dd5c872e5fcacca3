//! A process dies at every named point, on both databases; another goes on, and the effect is there exactly once.

mod imports;

use crate::house::{CALLING, House, LEAD_YES, to_lead};
use connector::ConnectorError;
use connector::scripted::{Applied, Fault, On};
use domain::connection::{ConnectionState, ConnectorKind};
use domain::delivery::DeliveryState;
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::run::RunOutcome;
use domain::value::Value;
use engine::clock::Clock;
use engine::failpoint::Point;
use std::collections::HashMap;
use storage::audit::{self, AuditFilter};
use storage::{PageOf, connections, reconciliations, runs};

/// What is going on when a process dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scene {
    /// A webhook is received.
    Webhook,
    /// An event is decided and carried out.
    Flow,
    /// A file is read.
    Checking,
    /// Rows of a file are handed over.
    Importing,
    /// A successor looks at what a dead process left.
    Successor,
    /// A rule begins to wait for quiet.
    QuietBegins,
    /// A rule is asked after quiet.
    QuietEnds,
    /// The loop guard stops a rule.
    Loop,
    /// A CRM is read before rules are asked.
    Reading,
    /// A CRM does not answer when it is read.
    ReadingFails,
    /// A CRM refuses us when it is read.
    Refused,
    /// A write is refused.
    WriteRefused,
    /// A write whose answer a dead process never saw is looked for and found.
    LookFinds,
    /// One that never left is looked for and not found.
    LookFindsNothing,
    /// The target is there already.
    TargetFound,
    /// Changes are read from a CRM.
    Reconciling,
    /// A CRM does not answer when its changes are read.
    ReconcilingFails,
    /// A pair of tokens is renewed ahead of its end.
    Renewing,
}

/// Every point has a scene: a new one does not compile until it has.
const fn scene(point: Point) -> Scene {
    match point {
        Point::IntakeBodies
        | Point::IntakeEvents
        | Point::IntakeCalls
        | Point::IntakeNoted
        | Point::IntakeCommitted => Scene::Webhook,
        Point::LeaseTaken
        | Point::DispatchDecided
        | Point::DispatchRuns
        | Point::DispatchDeliveries
        | Point::DispatchSnapshots
        | Point::DispatchFinished
        | Point::DispatchCommitted
        | Point::DeliverRecovered
        | Point::DeliverLeased
        | Point::DeliverIntended
        | Point::DeliverMarked
        | Point::DeliverSending
        | Point::DeliverAnswered
        | Point::DeliverSaved
        | Point::DeliverLinked
        | Point::DeliverEchoes
        | Point::DeliverRemembered
        | Point::DeliverLearnt
        | Point::DeliverRecorded
        | Point::DeliverNoted
        | Point::DeliverReleased
        | Point::DeliverAttempts
        | Point::DeliverSettled => Scene::Flow,
        Point::DeliverForgotten => Scene::WriteRefused,
        Point::DeliverFoundSaved | Point::DeliverFoundRecorded | Point::DeliverFoundCommitted => {
            Scene::LookFinds
        }
        Point::DeliverFoundForgotten => Scene::LookFindsNothing,
        Point::DeliverKeptSaved | Point::DeliverKeptLinked | Point::DeliverKeptCommitted => {
            Scene::TargetFound
        }
        Point::DispatchCounted => Scene::Successor,
        Point::DispatchQuietOpened => Scene::QuietBegins,
        Point::DispatchMatches | Point::DispatchQuietClosed => Scene::QuietEnds,
        Point::DispatchAlarmMarked | Point::DispatchAlarm => Scene::Loop,
        Point::DispatchRead => Scene::Reading,
        Point::DispatchPostponed => Scene::ReadingFails,
        Point::ConnectionFailure => Scene::Refused,
        Point::ReconcileRead
        | Point::ReconcileEvents
        | Point::ReconcileNoted
        | Point::ReconcileRemembered
        | Point::ReconcileMoment
        | Point::ReconcilePlace
        | Point::ReconcileCommitted => Scene::Reconciling,
        Point::ReconcileFailed => Scene::ReconcilingFails,
        Point::TokensGiven | Point::TokensStored => Scene::Renewing,
        Point::ImportRows | Point::ImportRead => Scene::Checking,
        Point::ImportMarked | Point::ImportEvents | Point::ImportHanded => Scene::Importing,
    }
}

/// Plays a scene once for each of its points, on each database.
async fn play<F: AsyncFn(&House, Point)>(wanted: Scene, play: F) {
    let points: Vec<Point> = Point::ALL
        .iter()
        .copied()
        .filter(|point| scene(*point) == wanted)
        .collect();
    assert!(!points.is_empty(), "{wanted:?}: ни одной точки");
    for point in points {
        eprintln!("{point:?}");
        House::each(async |house| play(&house, point).await).await;
    }
}

/// The process works and dies at the point; its leases end before anybody else looks.
fn dies(house: &House, point: Point) {
    house.pass(5_000);
    let lived = house.process(Some(point), async |engine| {
        engine.settle(20).await.unwrap();
    });
    assert!(lived.is_none(), "{point:?}: точка не пройдена");
    house.pass(60_000);
}

fn calling(house: &House) -> Record {
    house
        .deal(7, 70, "+79991234567")
        .with(SystemField::Stage, Value::Stage(CALLING))
}

/// One event, one run of one rule, one delivery, one lead with its contact.
async fn once(house: &House) {
    house.settle().await;
    house.only_lead();
    assert_eq!(house.lptracker.applied().len(), 2, "контакт и лид");
    assert_eq!(house.states().await, [DeliveryState::Delivered]);
    assert_eq!(house.n_links().await, 1);
    let events = house.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].n_matched, events[0].n_crashes), (1, 0));
    let runs = runs::of_event(house.engine.db(), house.workspace, events[0].event.id)
        .await
        .unwrap();
    let matched = runs.iter().filter(|run| run.outcome == RunOutcome::Matched);
    assert_eq!(matched.count(), 1);
}

#[test]
fn every_point_stands_in_one_place() {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for piece in text.split("point!(").skip(1) {
                let name = piece.split(')').next().unwrap();
                *places.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    for point in Point::ALL {
        assert_eq!(places.remove(&format!("{point:?}")), Some(1), "{point:?}");
    }
    assert!(places.is_empty(), "{places:?}");
}

#[tokio::test]
async fn a_webhook_that_was_not_acknowledged_comes_again_and_counts_once() {
    play(Scene::Webhook, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.amocrm.put(deal.clone());
        let facts = [house.fact(EventKind::DealStageChanged, deal)];
        let hook = house.hook_of(ConnectorKind::Amocrm);
        let body = serde_json::to_vec(&facts).unwrap();
        let died = house.process(Some(point), async |engine| {
            let answer = engine
                .receive(ConnectorKind::Amocrm, &hook, "application/json", &body)
                .await;
            answer.unwrap();
        });
        assert!(died.is_none(), "{point:?}: точка не пройдена");
        house.pass(60_000);
        house.hook(ConnectorKind::Amocrm, &facts).await;
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn an_event_is_decided_once() {
    play(Scene::Flow, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_write_is_sent_again() {
    play(Scene::WriteRefused, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        let down = ConnectorError::Unavailable {
            status: 503,
            uncertain: false,
        };
        house.lptracker.fail_next(On::Write, Fault::Fail(down));
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_look_that_found_the_write_is_made_again() {
    play(Scene::LookFinds, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        dies(house, Point::DeliverAnswered);
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_look_that_found_nothing_is_made_again() {
    play(Scene::LookFindsNothing, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        dies(house, Point::DeliverSending);
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_target_that_was_found_is_found_again() {
    play(Scene::TargetFound, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal.clone()).await;
        once(house).await;
        let renamed = deal.with(SystemField::Name, Value::text("Заявка с выставки"));
        house.changed(EventKind::DealStageChanged, renamed).await;
        dies(house, point);
        house.settle().await;
        let lead = house.only_lead();
        assert_eq!(
            lead.get(SystemField::Name.into()),
            Some(&Value::text("Заявка с выставки"))
        );
        assert_eq!(
            house.lptracker.applied().len(),
            3,
            "контакт, лид и одно переименование"
        );
        assert_eq!(
            house.states().await,
            [DeliveryState::Delivered, DeliveryState::Delivered]
        );
    })
    .await;
}

#[tokio::test]
async fn a_successor_may_die_too() {
    play(Scene::Successor, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        dies(house, Point::DispatchDecided);
        dies(house, point);
        assert_eq!(house.events().await[0].n_crashes, 1);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_quiet_window_that_was_not_opened_is_opened() {
    play(Scene::QuietBegins, async |house, point| {
        let mut rule = to_lead();
        rule["quiet_secs"] = 30.into();
        house.publish(rule).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_quiet_window_ends_once() {
    play(Scene::QuietEnds, async |house, point| {
        let mut rule = to_lead();
        rule["quiet_secs"] = 30.into();
        house.publish(rule).await;
        let deal = calling(house);
        house.changed(EventKind::DealStageChanged, deal).await;
        house.engine.settle(5).await.unwrap();
        house.pass(30_000);
        dies(house, point);
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_loop_is_told_of_once() {
    play(Scene::Loop, async |house, point| {
        house.publish(crate::loops::by_price()).await;
        let deal = house.deal(7, 70, "+79991234567");
        let max = i64::from(house.engine.context().settings.max_chain);
        crate::loops::goes_round(house, &deal, 0..max + 1).await;
        house
            .changed(EventKind::DealUpdated, crate::loops::named(&deal, max + 1))
            .await;
        dies(house, point);
        house.settle().await;
        let all = AuditFilter::default();
        let entries = audit::list(house.engine.db(), house.workspace, &all, PageOf::default())
            .await
            .unwrap();
        let told = entries.iter().filter(|entry| entry.action == "rule.loop_stopped");
        assert_eq!(told.count(), 1);
        assert_eq!(house.amocrm.applied().len() as i64, max + 1);
    })
    .await;
}

/// A rule that a lead in LPTracker wakes, which is always read, and that writes one comment.
async fn reading(house: &House) {
    house
        .publish(serde_json::json!({
            "name": "Отметить интерес", "source": "LPT", "triggers": [{"kind": "lead_updated"}],
            "condition": {"compare": {"field": "lead.stage", "operator": "equals",
                "with": {"value": {"type": "stage", "value": LEAD_YES}}}},
            "actions": [{"connection": "LPT", "do": "add_note", "target": "trigger", "text": {"template": "интерес"}}]
        }))
        .await;
    let lead = Record::new(RecordKind::Lead, 9)
        .with(SystemField::Name, Value::text("Пётр Ёлкин"))
        .with(SystemField::Stage, Value::Stage(LEAD_YES));
    house.changed(EventKind::LeadUpdated, lead).await;
}

async fn one_comment(house: &House) {
    house.settle().await;
    let applied = house.lptracker.applied();
    assert!(matches!(applied[..], [Applied { .. }]), "{applied:?}");
    assert_eq!(house.states().await, [DeliveryState::Delivered]);
    let lpt = connections::find(house.engine.db(), house.workspace, house.lpt)
        .await
        .unwrap();
    assert_eq!(lpt.state, ConnectionState::Active);
}

#[tokio::test]
async fn what_was_read_is_read_again() {
    play(Scene::Reading, async |house, point| {
        reading(house).await;
        dies(house, point);
        one_comment(house).await;
    })
    .await;
}

#[tokio::test]
async fn an_event_that_had_to_wait_is_not_forgotten() {
    play(Scene::ReadingFails, async |house, point| {
        reading(house).await;
        let down = ConnectorError::Unavailable {
            status: 503,
            uncertain: false,
        };
        house.lptracker.fail_next(On::Read, Fault::Fail(down));
        dies(house, point);
        one_comment(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_was_not_written_down_is_met_again_or_is_over() {
    play(Scene::Refused, async |house, point| {
        reading(house).await;
        house
            .lptracker
            .fail_next(On::Read, Fault::Fail(ConnectorError::Unauthorized));
        dies(house, point);
        one_comment(house).await;
    })
    .await;
}

fn moved(house: &House, record: &Record) -> Fact {
    Fact {
        occurred_at: Some(house.clock.now()),
        changed: Some(vec![SystemField::Stage.into()]),
        ..house.fact(EventKind::DealStageChanged, record.clone())
    }
}

/// The process reads changes and dies at the point.
fn reconciles_and_dies(house: &House, point: Point) {
    let lived = house.process(Some(point), async |engine| {
        engine.reconcile().await.unwrap();
    });
    assert!(lived.is_none(), "{point:?}: точка не пройдена");
    house.pass(900_000);
}

#[tokio::test]
async fn a_page_is_read_again_or_counted_once() {
    play(Scene::Reconciling, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.amocrm.put(deal.clone());
        house.amocrm.set_changes(vec![moved(house, &deal)]);
        let old = Record::new(RecordKind::Lead, 4).with(SystemField::Stage, Value::Stage(LEAD_YES));
        let old = Fact {
            occurred_at: Some(house.clock.now().plus_ms(-86_400_000)),
            ..house.fact(EventKind::LeadUpdated, old)
        };
        house.lptracker.set_changes(vec![old]);
        house.pass(5_000);
        let began = house.clock.now();
        reconciles_and_dies(house, point);
        house.engine.reconcile().await.unwrap();
        once(house).await;
        let amo = connections::find(house.engine.db(), house.workspace, house.amo)
            .await
            .unwrap();
        assert!(amo.reconciled_at.is_some_and(|at| at >= began));
    })
    .await;
}

#[tokio::test]
async fn a_walk_that_failed_is_walked_again() {
    play(Scene::ReconcilingFails, async |house, point| {
        house.publish(to_lead()).await;
        let deal = calling(house);
        house.amocrm.put(deal.clone());
        house.amocrm.set_changes(vec![moved(house, &deal)]);
        let down = ConnectorError::Unavailable {
            status: 503,
            uncertain: false,
        };
        house.amocrm.fail_next(On::Read, Fault::Fail(down));
        reconciles_and_dies(house, point);
        let walk = reconciliations::find(house.engine.db(), house.workspace, house.amo)
            .await
            .unwrap();
        assert!(
            walk.is_none_or(|walk| walk.n_failures == 0),
            "не записано, значит не было"
        );
        house.engine.reconcile().await.unwrap();
        once(house).await;
    })
    .await;
}

#[tokio::test]
async fn a_pair_of_tokens_that_was_given_to_a_dying_process_costs_no_authorisation() {
    play(Scene::Renewing, async |house, point| {
        let new = engine::connections::NewConnection {
            kind: ConnectorKind::Amocrm,
            name: "Вторая".to_owned(),
            settings: serde_json::json!({}),
            secret: Some(engine::Secret::Oauth {
                client_secret: "ключ".to_owned(),
                redirect_uri: "https://hub.example/oauth".to_owned(),
                access: "access-0".to_owned(),
                refresh: "refresh-0".to_owned(),
            }),
            expires_at: Some(house.clock.now().plus_ms(60_000)),
        };
        let made = house
            .engine
            .connections()
            .create(house.workspace, &storage::audit::Actor::system(), new)
            .await
            .unwrap();
        let (workspace, id) = (house.workspace, made.id);
        let before = house.amocrm.n_pairs();
        let lived = house.process(Some(point), async |engine| {
            engine.refresher().round().await.unwrap();
        });
        assert!(lived.is_none(), "{point:?}: точка не пройдена");
        assert_eq!(house.amocrm.n_pairs(), before + 1);
        house.pass(60_000);
        let checked = house.process(None, async |engine| {
            engine.connections().check(workspace, id).await.unwrap();
            engine.connections().check(workspace, id).await.unwrap();
            engine.connections().secret(workspace, id).await.unwrap()
        });
        let Some(engine::Secret::Oauth { access, refresh, .. }) = checked else {
            panic!("{point:?}: пары нет")
        };
        let n = house.amocrm.n_pairs();
        assert_eq!(n, before + 3, "{point:?}");
        assert_eq!((access, refresh), (format!("access-{n}"), format!("refresh-{n}")));
        let stored = connections::find(house.engine.db(), house.workspace, made.id)
            .await
            .unwrap();
        assert_eq!(stored.state, ConnectionState::Active);
    })
    .await;
}
