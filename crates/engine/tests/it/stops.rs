//! Emergency stops: nothing of the scope is sent, what waits keeps its place and goes on afterwards.

use crate::house::{CALLING, House, to_lead};
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::RecordKind;
use domain::value::Value;
use storage::audit::{self, Actor, AuditFilter};
use storage::stops::StopScope;
use storage::{PageOf, rules};

async fn calling(house: &House) {
    let deal = house
        .deal(7, 70, "+79991234567")
        .with(SystemField::Stage, Value::Stage(CALLING));
    house.changed(EventKind::DealStageChanged, deal).await;
}

/// Steps on far beyond every wait.
async fn persist(house: &House) {
    for _ in 0..5 {
        house.engine.step().await.unwrap();
        house.clock.advance(3_600_000);
    }
}

async fn check(scope: impl AsyncFn(&House) -> StopScope) {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let scope = scope(&house).await;
        let stops = house.engine.stops();
        let actor = Actor::system();
        let reason = Some("проверка".to_owned());
        stops.stop(scope, &actor, reason.clone()).await.unwrap();
        stops.stop(scope, &actor, reason).await.unwrap();
        calling(&house).await;
        persist(&house).await;
        assert!(house.lptracker.applied().is_empty(), "{scope:?}");
        assert_eq!(stops.list(house.workspace).await.unwrap().len(), 1);
        stops.start(scope, &actor).await.unwrap();
        house.settle().await;
        house.only_lead();
        assert_eq!(house.states().await, [DeliveryState::Delivered]);
        assert!(stops.list(house.workspace).await.unwrap().is_empty());
        let page = PageOf::default();
        let told = audit::list(house.engine.db(), house.workspace, &AuditFilter::default(), page)
            .await
            .unwrap();
        let n_told = told
            .iter()
            .filter(|entry| entry.action.ends_with(".stopped") || entry.action.ends_with(".started"));
        assert_eq!(
            n_told.count(),
            2,
            "one entry for each change, none for a repetition"
        );
    })
    .await;
}

#[tokio::test]
async fn a_stopped_installation_sends_nothing_and_goes_on() {
    check(async |_| StopScope::Installation).await;
}

#[tokio::test]
async fn a_stopped_workspace_sends_nothing_and_goes_on() {
    check(async |house| StopScope::Workspace(house.workspace)).await;
}

#[tokio::test]
async fn a_stopped_rule_sends_nothing_and_goes_on() {
    check(async |house| {
        let all = rules::list(house.engine.db(), house.workspace).await.unwrap();
        StopScope::Rule(house.workspace, all[0].id)
    })
    .await;
}

#[tokio::test]
async fn a_stopped_connection_sends_nothing_and_goes_on() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let (stops, actor) = (house.engine.stops(), Actor::system());
        stops
            .stop_connection(house.workspace, house.lpt, &actor)
            .await
            .unwrap();
        calling(&house).await;
        persist(&house).await;
        assert!(house.lptracker.records(RecordKind::Lead).is_empty());
        stops
            .start_connection(house.workspace, house.lpt, &actor)
            .await
            .unwrap();
        house.settle().await;
        house.only_lead();
    })
    .await;
}
