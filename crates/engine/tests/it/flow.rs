//! The main job: a deal becomes a lead, the lead's step moves the deal.

use crate::house::{CALLING, CONFIRMED, House, LEAD_ROBOT, LEAD_YES, back_to_deal, to_lead};
use connector::ConnectorError;
use connector::scripted::{Fault, On};
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{RecordKey, RecordKind};
use domain::run::RunOutcome;
use domain::value::Value;
use storage::runs;

#[tokio::test]
async fn a_deal_becomes_one_lead_and_the_lead_moves_the_deal() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.publish(back_to_deal()).await;
        let deal = house.deal(7, 70, "8 (999) 123-45-67").with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal.clone()).await;
        house.changed(EventKind::DealUpdated, deal).await;
        house.settle().await;

        let lead = house.only_lead();
        assert_eq!(lead.get(SystemField::Stage.into()), Some(&Value::Stage(LEAD_ROBOT)));
        assert_eq!(lead.get(SystemField::Name.into()), Some(&Value::text("Заявка с сайта")));
        let contacts = house.lptracker.records(RecordKind::LeadContact);
        assert_eq!(contacts.len(), 1);
        let phone = contacts[0].get(SystemField::Phone.into());
        assert!(matches!(phone, Some(Value::Texts(all)) if all == &["+79991234567"]), "{phone:?}");
        assert_eq!(house.n_links().await, 1);

        let lead = lead.with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.changed(EventKind::LeadStageChanged, lead).await;
        house.settle().await;
        let deal = house.amocrm.record(&RecordKey::new(RecordKind::Deal, 7)).unwrap();
        assert_eq!(deal.get(SystemField::Stage.into()), Some(&Value::Stage(CONFIRMED)));
        let notes: Vec<_> = house
            .amocrm
            .applied()
            .into_iter()
            .filter(|applied| matches!(&applied.write, Write::AddNote { text, .. } if text.contains("Заявка с сайта")))
            .collect();
        assert_eq!(notes.len(), 1);
        assert!(house.states().await.iter().all(|state| *state == DeliveryState::Delivered));
    })
    .await;
}

#[tokio::test]
async fn repeated_webhook_makes_no_second_event() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.amocrm.put(deal.clone());
        let fact = house.fact(EventKind::DealStageChanged, deal);
        house
            .hook(ConnectorKind::Amocrm, std::slice::from_ref(&fact))
            .await;
        house.hook(ConnectorKind::Amocrm, &[fact]).await;
        house.settle().await;
        assert_eq!(house.events().await.len(), 1);
        house.only_lead();
    })
    .await;
}

#[tokio::test]
async fn two_deals_of_one_contact_never_share_a_lead() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        for id in [7, 8] {
            let deal = house
                .deal(id, 70, "+79991234567")
                .with(SystemField::Stage, Value::Stage(CALLING));
            house.changed(EventKind::DealStageChanged, deal).await;
        }
        house.settle().await;
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), 2);
        assert_eq!(house.lptracker.records(RecordKind::LeadContact).len(), 1);
        assert_eq!(house.n_links().await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_does_not_match_says_why() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house.deal(7, 70, "+79991234567");
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        let event = &house.events().await[0].event;
        let runs = runs::of_event(house.engine.db(), house.workspace, event.id)
            .await
            .unwrap();
        for run in &runs {
            assert_eq!(run.outcome, RunOutcome::NotMatched);
            assert!(
                run.explanation
                    .compared
                    .as_ref()
                    .is_some_and(|it| it.left.is_some())
            );
        }
        assert!(house.deliveries().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_and_a_replay_goes_on() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let refused = ConnectorError::Rejected {
            code: "400".to_owned(),
            field: Some("custom".to_owned()),
            message: "неизвестное значение".to_owned(),
        };
        house.lptracker.fail_next(On::Write, Fault::Fail(refused));
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        let dead = house.deliveries().await.remove(0);
        assert_eq!(
            (dead.state, dead.error_code.as_deref()),
            (DeliveryState::Dead, Some("rejected"))
        );
        house
            .engine
            .replays()
            .delivery(house.workspace, &storage::audit::Actor::system(), dead.id)
            .await
            .unwrap();
        house.settle().await;
        house.only_lead();
        assert_eq!(
            house.states().await,
            [DeliveryState::Cancelled, DeliveryState::Delivered]
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_authorisation_pauses_and_new_consent_goes_on() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house
            .lptracker
            .fail_next(On::Read, Fault::Fail(ConnectorError::Unauthorized));
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.engine.settle(20).await.unwrap();
        let connection = storage::connections::find(house.engine.db(), house.workspace, house.lpt)
            .await
            .unwrap();
        assert_eq!(connection.state, domain::connection::ConnectionState::NeedsReauth);
        assert_eq!(house.states().await, [DeliveryState::Pending]);
        // What comes meanwhile keeps its place and is not tried in vain.
        let second = house
            .deal(8, 80, "+79997654321")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, second).await;
        house.engine.settle(20).await.unwrap();
        let held = house.deliveries().await.pop().unwrap();
        assert_eq!((held.n_attempts, held.state), (0, DeliveryState::Pending));
        let secret = engine::Secret::Token {
            access: "новый".to_owned(),
        };
        house
            .engine
            .connections()
            .authorise(
                (house.workspace, house.lpt),
                &storage::audit::Actor::system(),
                &secret,
                None,
            )
            .await
            .unwrap();
        house.settle().await;
        assert_eq!(house.states().await, [DeliveryState::Delivered; 2]);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_by_a_dry_run() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        let event = house.events().await.remove(0).event;
        let rule = storage::rules::list(house.engine.db(), house.workspace)
            .await
            .unwrap()
            .remove(0);
        let trial = house
            .engine
            .replays()
            .dry_run(house.workspace, &rule.draft, event.id)
            .await
            .unwrap();
        assert_eq!(trial.evaluation.outcome, RunOutcome::Matched);
        assert_eq!(trial.evaluation.commands.len(), 1);
        assert!(house.lptracker.applied().is_empty());
        assert!(house.deliveries().await.is_empty());
    })
    .await;
}
