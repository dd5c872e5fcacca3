//! Our own writes come back as webhooks and are recognised; people are heard even in the same second.

use crate::house::{CALLING, CONFIRMED, House, LEAD_ROBOT, LEAD_YES, NEW, back_to_deal, to_lead};
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{RecordKey, RecordKind};
use domain::value::Value;
use storage::events::EventState;

/// A rule that answers every move of a deal with a move of the lead, and the other way round.
fn mirror() -> [serde_json::Value; 2] {
    let rule = |source: &str, other: &str, trigger: &str, stage| {
        serde_json::json!({
            "name": format!("Зеркало {source}"), "source": source, "triggers": [{"kind": trigger}],
            "condition": {"all": []},
            "actions": [{"connection": other, "do": "move", "target": "linked", "stage": stage}]
        })
    };
    [
        rule("AMO", "LPT", "deal_stage_changed", LEAD_YES),
        rule("LPT", "AMO", "lead_stage_changed", CONFIRMED),
    ]
}

#[tokio::test]
async fn an_echo_wakes_no_rule() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        for rule in mirror() {
            house.publish(rule).await;
        }
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        // What LPTracker would announce of our creation and our move.
        let lead = house.only_lead();
        assert_eq!(lead.get(SystemField::Stage.into()), Some(&Value::Stage(LEAD_YES)));
        let n_writes = house.lptracker.applied().len() + house.amocrm.applied().len();
        house.changed(EventKind::LeadCreated, lead.clone()).await;
        house.changed(EventKind::LeadStageChanged, lead.clone()).await;
        house.changed(EventKind::LeadUpdated, lead).await;
        house.settle().await;
        let states: Vec<_> = house.events().await.iter().map(|event| event.state).collect();
        assert_eq!(
            states,
            [
                EventState::Dispatched,
                EventState::Echo,
                EventState::Echo,
                EventState::Echo
            ]
        );
        assert_eq!(
            house.lptracker.applied().len() + house.amocrm.applied().len(),
            n_writes
        );
    })
    .await;
}

#[tokio::test]
async fn a_person_is_heard_in_the_second_of_our_write() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.publish(back_to_deal()).await;
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        let lead = house.only_lead();
        assert_eq!(
            lead.get(SystemField::Stage.into()),
            Some(&Value::Stage(LEAD_ROBOT))
        );
        // No time passes: an operator moves the lead before the echo of our creation arrives.
        let moved = lead.clone().with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.changed(EventKind::LeadStageChanged, moved).await;
        house.settle().await;
        let deal = house.amocrm.record(&RecordKey::new(RecordKind::Deal, 7)).unwrap();
        assert_eq!(
            deal.get(SystemField::Stage.into()),
            Some(&Value::Stage(CONFIRMED))
        );
    })
    .await;
}

#[tokio::test]
async fn mirrored_rules_settle() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        for rule in mirror() {
            house.publish(rule).await;
        }
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        // Every write of ours is announced, as the CRMs would.
        let (mut n_lead, mut n_deal) = (0, 0);
        for _ in 0..30 {
            house.settle().await;
            let leads = house.lptracker.applied().len();
            if leads > n_lead {
                n_lead = leads;
                house
                    .changed(EventKind::LeadStageChanged, house.only_lead())
                    .await;
            }
            let deals = house.amocrm.applied().len();
            if deals > n_deal {
                n_deal = deals;
                let deal = house.amocrm.record(&RecordKey::new(RecordKind::Deal, 7)).unwrap();
                house.changed(EventKind::DealStageChanged, deal).await;
            }
        }
        // Contact, lead, one move of the lead; the deal is never written: all else were echoes.
        assert_eq!(
            (house.lptracker.applied().len(), house.amocrm.applied().len()),
            (3, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn a_person_moving_back_is_no_echo() {
    House::each(async |house| {
        house.publish(back_to_deal()).await;
        house.publish(to_lead()).await;
        let deal = house.deal(7, 70, "+79991234567");
        house
            .changed(
                EventKind::DealStageChanged,
                deal.clone().with(SystemField::Stage, Value::Stage(CALLING)),
            )
            .await;
        house.settle().await;
        let lead = house.only_lead();
        house
            .changed(
                EventKind::LeadStageChanged,
                lead.with(SystemField::Stage, Value::Stage(LEAD_YES)),
            )
            .await;
        house.settle().await;
        house
            .changed(
                EventKind::DealStageChanged,
                deal.with(SystemField::Stage, Value::Stage(NEW)),
            )
            .await;
        house.settle().await;
        let last = house.events().await.pop().unwrap();
        assert_eq!(last.state, EventState::Dispatched);
    })
    .await;
}
