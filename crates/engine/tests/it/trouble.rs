//! A database in trouble: nothing that was acknowledged is lost, and work goes on by itself.

use crate::house::{CALLING, House, to_lead};
use domain::connection::ConnectorKind;
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::value::Value;
use engine::{Engine, EngineError};
use storage::Db;
use storage::events::EventState;

async fn receive(house: &House, engine: &Engine, fact: &Fact) -> Result<(), EngineError> {
    let body = serde_json::to_vec(&[fact]).unwrap();
    let hook = house.hook_of(ConnectorKind::Amocrm);
    let accepted = engine.receive(ConnectorKind::Amocrm, &hook, "application/json", &body);
    accepted.await.map(|_| ())
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_keep_and_work_goes_on_when_there_is_room() {
    let test_db = test_db::sqlite().await;
    let house = House::new(&test_db).await;
    house.publish(to_lead()).await;
    test_db
        .execute("CREATE TABLE ballast (bytes BLOB NOT NULL)")
        .await;
    test_db
        .execute("INSERT INTO ballast VALUES (zeroblob(8000000))")
        .await;
    let full = Db::connect_on_full_disk(test_db.url(), 2).await.unwrap();
    let engine = house.process_over(full);
    let deal = house
        .deal(7, 70, "+79991234567")
        .with(SystemField::Stage, Value::Stage(CALLING));
    house.amocrm.put(deal.clone());
    receive(&house, &engine, &house.fact(EventKind::DealStageChanged, deal))
        .await
        .expect("для одного события место ещё есть");

    // Long names fill what room is left in the pages.
    let long = "ё".repeat(20_000);
    let (mut n_kept, mut refused) = (1, None);
    for id in 0..150 {
        let deal =
            Record::new(RecordKind::Deal, 100 + id).with(SystemField::Name, Value::text(long.as_str()));
        let fact = house.fact(EventKind::DealUpdated, deal);
        match receive(&house, &engine, &fact).await {
            Ok(()) => n_kept += 1,
            Err(error) => {
                refused = Some((fact, error));
                break;
            }
        }
    }
    let (fact, error) = refused.expect("места не осталось");
    assert!(matches!(error, EngineError::Busy), "{error:?}");
    assert_eq!(house.events().await.len(), n_kept, "принятое на месте");

    // A person makes room; nobody starts anything again.
    test_db.execute("DELETE FROM ballast").await;
    receive(&house, &engine, &fact)
        .await
        .expect("отправитель повторил");
    house.settle_with(&engine).await;
    let events = house.events().await;
    assert_eq!(events.len(), n_kept + 1);
    assert!(events.iter().all(|stored| stored.state == EventState::Dispatched));
    house.only_lead();
}

#[tokio::test]
async fn what_a_slow_database_did_not_keep_in_time_is_refused_and_comes_again() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.amocrm.put(deal.clone());
        let fact = house.fact(EventKind::DealStageChanged, deal);
        let slow = house.block_writers().await;
        let refused = receive(&house, &house.engine, &fact).await;
        assert!(matches!(refused, Err(EngineError::Busy)), "{refused:?}");
        drop(slow);
        receive(&house, &house.engine, &fact).await.unwrap();
        house.settle().await;
        assert_eq!(house.events().await.len(), 1, "перед отказом могло и сохраниться");
        house.only_lead();
    })
    .await;
}
