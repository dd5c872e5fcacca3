//! A CRM that fails again and again is left alone, tried with one delivery, and goes on by itself.

use crate::house::{CALLING, House, to_lead};
use connector::ConnectorError;
use connector::scripted::{Fault, On};
use domain::connection::ConnectionState;
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::RecordKind;
use domain::value::Value;
use storage::PageOf;
use storage::audit::{self, AuditFilter};
use storage::connections::{self, Connection};

const N_DEALS: i64 = 7;

async fn calling(house: &House) {
    house.publish(to_lead()).await;
    for id in 1..=N_DEALS {
        let deal = house
            .deal(id, 70 + id, &format!("+7999123450{id}"))
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
    }
}

async fn lptracker(house: &House) -> Connection {
    connections::find(house.engine.db(), house.workspace, house.lpt)
        .await
        .unwrap()
}

async fn told(house: &House) -> Vec<String> {
    let filter = AuditFilter::default();
    let all = audit::list(house.engine.db(), house.workspace, &filter, PageOf::default())
        .await
        .unwrap();
    let circuit = all
        .into_iter()
        .map(|entry| entry.action)
        .filter(|action| action.contains("circuit"));
    let mut circuit: Vec<String> = circuit.collect();
    circuit.reverse();
    circuit
}

#[tokio::test]
async fn failures_in_a_row_open_it_and_one_delivery_tries_whether_the_crm_is_back() {
    House::each(async |house| {
        calling(&house).await;
        for _ in 0..6 {
            let down = ConnectorError::Unavailable {
                status: 503,
                uncertain: false,
            };
            house.lptracker.fail_next(On::Read, Fault::Fail(down));
        }
        house.engine.step().await.unwrap();
        assert_eq!(house.lptracker.take_calls().len(), 5, "the others were not sent");
        house.clock.advance(4_000);
        house.engine.step().await.unwrap();
        assert!(house.lptracker.take_calls().is_empty(), "left alone");
        assert!(lptracker(&house).await.state_reason.is_some());
        house.clock.advance(1_000);
        house.engine.step().await.unwrap();
        assert_eq!(house.lptracker.take_calls().len(), 1, "one trial, which failed");
        house.clock.advance(9_000);
        house.engine.step().await.unwrap();
        assert!(house.lptracker.take_calls().is_empty(), "left alone for longer");
        house.settle().await;
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), N_DEALS as usize);
        assert!(
            house
                .states()
                .await
                .iter()
                .all(|state| *state == DeliveryState::Delivered)
        );
        assert_eq!(
            told(&house).await,
            ["connection.circuit_opened", "connection.circuit_closed"]
        );
        assert_eq!(lptracker(&house).await.state_reason, None);
    })
    .await;
}

#[tokio::test]
async fn a_ban_shuts_the_connection_at_once() {
    House::each(async |house| {
        calling(&house).await;
        house
            .lptracker
            .fail_next(On::Read, Fault::Fail(ConnectorError::Banned));
        house.engine.step().await.unwrap();
        assert_eq!(house.lptracker.take_calls().len(), 1);
        assert_eq!(lptracker(&house).await.state, ConnectionState::Blocked);
        house.clock.advance(600_000);
        house.engine.step().await.unwrap();
        assert!(house.lptracker.take_calls().is_empty());
        assert!(
            house
                .states()
                .await
                .iter()
                .all(|state| *state == DeliveryState::Pending)
        );
    })
    .await;
}
