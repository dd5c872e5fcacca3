//! What is too old goes; what a workspace wants kept for less goes sooner.

use crate::house::{CALLING, House, to_lead};
use domain::event::EventKind;
use domain::field::SystemField;
use domain::value::Value;
use storage::audit::Actor;
use storage::events;
use storage::retention::Wish;

const DAY_MS: i64 = 86_400_000;

async fn prune(house: &House) {
    let retention = house.engine.retention();
    let mut walk = retention.walk().await.unwrap();
    while retention.step(&mut walk).await.unwrap() {}
}

async fn has_body(house: &House) -> bool {
    let events = house.events().await;
    let inbound = events.last().unwrap().inbound.unwrap();
    events::inbound(house.engine.db(), house.workspace, inbound)
        .await
        .is_ok()
}

#[tokio::test]
async fn bodies_go_first_and_then_the_history() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        assert!(!house.deliveries().await.is_empty());

        let wish = Wish {
            bodies_days: Some(2),
            history_days: Some(10),
        };
        let retention = house.engine.retention();
        retention
            .wish(house.workspace, wish, &Actor::system())
            .await
            .unwrap();
        house.clock.advance(2 * DAY_MS - 1_000);
        prune(&house).await;
        assert!(has_body(&house).await);

        house.clock.advance(2_000);
        prune(&house).await;
        assert!(!has_body(&house).await);
        assert!(!house.deliveries().await.is_empty());

        house.clock.advance(8 * DAY_MS);
        prune(&house).await;
        assert!(house.events().await.is_empty());
        assert!(house.deliveries().await.is_empty());
        assert_eq!(house.n_links().await, 1, "what belongs together is no history");
    })
    .await;
}
