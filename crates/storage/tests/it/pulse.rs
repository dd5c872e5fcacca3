use crate::deliveries::{end, lease};
use crate::support::*;
use domain::delivery::DeliveryState;
use storage::{causes, deliveries, pulse};

#[tokio::test]
async fn a_pulse_changes_with_what_it_is_about_and_with_nothing_else() {
    on_each(async |base| {
        let db = &base.db;
        let before = pulse::pulse(db, OURS).await.unwrap();
        assert_eq!(pulse::pulse(db, OURS).await.unwrap(), before);
        let theirs = pulse::pulse(db, THEIRS).await.unwrap();

        deliveries::insert(db, &[delivery(1, "a")]).await.unwrap();
        let planned = pulse::pulse(db, OURS).await.unwrap();
        assert_ne!(planned.deliveries, before.deliveries);
        assert_eq!((&planned.events, &planned.rules), (&before.events, &before.rules));

        let whose = delivery(1, "a").connection;
        assert_eq!(lease(db, whose, "me", 100_000).await.len(), 1);
        end(db, 1, "me", DeliveryState::Dead).await;
        let dead = pulse::pulse(db, OURS).await.unwrap();
        assert_ne!(dead.deliveries, planned.deliveries);
        assert_eq!(pulse::pulse(db, THEIRS).await.unwrap(), theirs);

        let found = causes::causes(db, OURS).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].n_dead, found[0].connection), (1, whose));
        assert_eq!(causes::causes(db, THEIRS).await.unwrap(), []);
    })
    .await;
}
