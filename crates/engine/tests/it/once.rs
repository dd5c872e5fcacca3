//! Effects happen once, whatever breaks in the middle.

use crate::house::{CALLING, CONFIRMED, House, LEAD_YES, back_to_deal, to_lead};
use connector::ConnectorError;
use connector::scripted::{Call, Fault, On};
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{RecordKey, RecordKind};
use domain::value::Value;

async fn calling(house: &House) {
    let deal = house
        .deal(7, 70, "+79991234567")
        .with(SystemField::Stage, Value::Stage(CALLING));
    house.changed(EventKind::DealStageChanged, deal).await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_nothing_is_made_twice() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.lptracker.fail_next(On::Write, Fault::AnswerLost);
        house.lptracker.fail_next(On::Write, Fault::AnswerLost);
        calling(&house).await;
        house.settle().await;
        house.only_lead();
        assert_eq!(house.lptracker.records(RecordKind::LeadContact).len(), 1);
        assert_eq!(house.states().await, [DeliveryState::Delivered]);
        let looks = house
            .lptracker
            .take_calls()
            .into_iter()
            .filter(|call| matches!(call, Call::Look(_)))
            .count();
        assert_eq!(looks, 2);
    })
    .await;
}

#[tokio::test]
async fn a_write_that_never_arrived_is_sent_again() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let cut = ConnectorError::NoAnswer {
            uncertain: true,
            cause: "обрыв".to_owned(),
        };
        house.lptracker.fail_next(On::Write, Fault::Fail(cut));
        calling(&house).await;
        house.settle().await;
        house.only_lead();
        assert_eq!(house.lptracker.records(RecordKind::LeadContact).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_decided_goes_to_a_person_and_is_not_repeated() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.lptracker.fail_next(On::Write, Fault::AnswerLost);
        for _ in 0..1_000 {
            house.lptracker.fail_next(On::Look, Fault::Undecided);
        }
        calling(&house).await;
        for _ in 0..2_000 {
            house.engine.step().await.unwrap();
            if house.states().await == [DeliveryState::Dead] {
                break;
            }
            house.clock.advance(2_000);
        }
        let delivery = house.deliveries().await.remove(0);
        assert_eq!(delivery.error_code.as_deref(), Some("undecided"));
        assert_eq!(house.lptracker.applied().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_sending_and_recording_repeats_nothing() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.publish(back_to_deal()).await;
        calling(&house).await;
        house.settle().await;
        let lead = house.only_lead().with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.changed(EventKind::LeadStageChanged, lead).await;
        // The process dies while its deliveries are leased: the step is dropped at every await in turn.
        for polls in 1..60 {
            let step = house.engine.step();
            tokio::pin!(step);
            let mut left = polls;
            std::future::poll_fn(|context| {
                left -= 1;
                match step.as_mut().poll(context) {
                    std::task::Poll::Ready(result) => {
                        result.unwrap();
                        std::task::Poll::Ready(())
                    }
                    std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(()),
                    std::task::Poll::Pending => std::task::Poll::Pending,
                }
            })
            .await;
        }
        house.clock.advance(60_000);
        let second = house.another_process();
        house.settle_with(&second).await;
        let deal = house.amocrm.record(&RecordKey::new(RecordKind::Deal, 7)).unwrap();
        assert_eq!(
            deal.get(SystemField::Stage.into()),
            Some(&Value::Stage(CONFIRMED))
        );
        assert_eq!(house.amocrm.applied().len(), 2, "один переход и одно примечание");
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_waited_out_in_order() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        for _ in 0..4 {
            let down = ConnectorError::Unavailable {
                status: 503,
                uncertain: false,
            };
            house.lptracker.fail_next(On::Write, Fault::Fail(down));
        }
        calling(&house).await;
        house.settle().await;
        house.only_lead();
        let delivery = house.deliveries().await.remove(0);
        assert_eq!(
            (delivery.state, delivery.n_attempts),
            (DeliveryState::Delivered, 5)
        );
    })
    .await;
}
