//! Events that run again: by the rules in force now, or as they stood the first time.

use crate::house::{CALLING, House, NEW, to_lead};
use domain::event::EventKind;
use domain::field::SystemField;
use domain::id::EventId;
use domain::run::RunOutcome;
use domain::value::Value;
use engine::EngineError;
use engine::replay::Again;
use engine::rules::Consent;
use storage::audit::Actor;
use storage::runs::{self, Run};

const AS_THEN: Again = Again {
    only_rule: None,
    as_then: true,
};

/// The run that a repetition led to; none when the event concerns no rule.
async fn again(house: &House, event: EventId, how: Again) -> Option<Run> {
    let (replays, actor) = (house.engine.replays(), Actor::system());
    let repeated = replays.event(house.workspace, &actor, event, how).await.unwrap();
    house.settle().await;
    let mut runs = runs::of_event(house.engine.db(), house.workspace, repeated)
        .await
        .unwrap();
    assert!(runs.len() <= 1);
    runs.pop()
}

#[tokio::test]
async fn an_event_is_looked_at_again_by_the_version_of_today_or_of_then() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let (db, actor) = (house.engine.db(), Actor::system());
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        house.only_lead();
        let event = house.events().await[0].event.id;
        let first = runs::of_event(db, house.workspace, event)
            .await
            .unwrap()
            .remove(0);

        // The rule now wants another stage.
        let rules = house.engine.rules();
        let stored = storage::rules::find(db, house.workspace, first.rule)
            .await
            .unwrap();
        let text = serde_json::to_string(&stored.draft).unwrap();
        let (from, to) = (
            serde_json::to_string(&CALLING).unwrap(),
            serde_json::to_string(&NEW).unwrap(),
        );
        let changed = serde_json::from_str(&text.replace(&from, &to)).unwrap();
        assert_ne!(changed, stored.draft, "the rule is another one");
        house.pass(1);
        let saved = rules
            .save(house.workspace, &actor, first.rule, stored.version, &changed)
            .await
            .unwrap();
        rules
            .publish(house.workspace, &actor, first.rule, saved.version, Consent::Given)
            .await
            .unwrap();

        assert_eq!(
            again(&house, event, Again::default()).await,
            None,
            "the rule of today is not concerned"
        );
        let then = again(&house, event, AS_THEN).await.unwrap();
        assert_eq!((then.outcome, then.version), (RunOutcome::Matched, first.version));
        house.only_lead();

        let version = storage::rules::find(db, house.workspace, first.rule)
            .await
            .unwrap()
            .version;
        rules
            .delete(house.workspace, &actor, first.rule, version)
            .await
            .unwrap();
        let refused = house
            .engine
            .replays()
            .event(house.workspace, &actor, event, AS_THEN)
            .await;
        assert!(
            matches!(refused, Err(EngineError::WrongMoment { .. })),
            "{refused:?}"
        );
    })
    .await;
}
