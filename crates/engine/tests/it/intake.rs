//! Intake: many at once, repeats, and a database that is away.

use crate::house::House;
use domain::connection::ConnectorKind;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::value::Value;
use engine::EngineError;

#[tokio::test]
async fn requests_that_arrive_together_are_stored_once_each() {
    House::each(async |house| {
        let facts: Vec<_> = (0..40)
            .map(|id| house.fact(EventKind::DealUpdated, Record::new(RecordKind::Deal, id)))
            .collect();
        // Each twice, at the same time.
        let twice = facts.iter().chain(&facts);
        let received = twice.map(|fact| house.receive(ConnectorKind::Amocrm, std::slice::from_ref(fact)));
        let mut n_new = 0;
        for accepted in futures::future::join_all(received).await {
            n_new += accepted.unwrap().n_new;
        }
        assert_eq!(n_new, 40);
        assert_eq!(house.events().await.len(), 40);
        let amo = storage::connections::find(house.engine.db(), house.workspace, house.amo)
            .await
            .unwrap();
        assert_eq!(amo.last_event_at, Some(house.engine.clock().now()));
    })
    .await;
}

#[tokio::test]
async fn a_zero_character_in_a_body_harms_nobody() {
    House::each(async |house| {
        let name = Value::text("до\0после");
        let odd = Record::new(RecordKind::Deal, 1).with(SystemField::Name, name);
        let odd = house.fact(EventKind::DealUpdated, odd);
        let plain = house.fact(EventKind::DealUpdated, Record::new(RecordKind::Deal, 2));
        let (odd, plain) = ([odd], [plain]);
        let (odd, plain) = futures::join!(
            house.receive(ConnectorKind::Amocrm, &odd),
            house.receive(ConnectorKind::Amocrm, &plain)
        );
        assert_eq!((odd.unwrap().n_new, plain.unwrap().n_new), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_in_time_is_refused_and_its_repeat_is_stored_once() {
    House::each(async |house| {
        let fact = house.fact(EventKind::DealUpdated, Record::new(RecordKind::Deal, 1));
        // Fills the cache of connections, so that only the commit has to wait.
        let other = house.fact(EventKind::DealUpdated, Record::new(RecordKind::Deal, 2));
        house.hook(ConnectorKind::Amocrm, &[other]).await;
        let lock = house.block_writers().await;
        let refused = house
            .receive(ConnectorKind::Amocrm, std::slice::from_ref(&fact))
            .await;
        assert!(matches!(refused, Err(EngineError::Busy)), "{refused:?}");
        drop(lock);
        house
            .receive(ConnectorKind::Amocrm, std::slice::from_ref(&fact))
            .await
            .unwrap();
        assert_eq!(house.events().await.len(), 2);
    })
    .await;
}
