//! What the engine is told when something goes wrong.

use super::flows::{made, new_contact, new_record, read, seeded};
use super::{Harness, Lost, field};
use crate::connector::{Connector, Look};
use crate::error::{ConnectorError, Verdict};
use domain::command::Write;
use domain::field::SystemField;
use domain::record::RecordKey;
use domain::time::Timestamp;
use domain::value::Value;
use std::time::Duration;

/// Long enough ago that no search index can lag behind, yet not so long that older records get in.
const SETTLED_MS: i64 = 60_000;

/// A credential that the CRM does not know asks for a new authorisation.
pub async fn stranger_is_unauthorised(harness: &impl Harness) {
    let error = harness
        .stranger()
        .check()
        .await
        .expect_err("the credential is unknown");
    assert!(matches!(error, ConnectorError::Unauthorized), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Reauthorise);
}

/// A refusal for the rate is told as such and applies nothing.
pub async fn rate_refusal_is_told(harness: &impl Harness) {
    let connector = harness.connector();
    let (_, key) = seeded(harness).await;
    harness.refuse_next_for_rate(Duration::from_secs(1));
    let write = Write::AddNote {
        key,
        text: "Слишком часто".to_owned(),
    };
    let error = connector.write(&write).await.expect_err("refused");
    assert!(matches!(error, ConnectorError::RateLimited { .. }), "{error:?}");
    assert!(!error.is_uncertain());
}

/// Writing to what is not there is not repeated.
pub async fn write_to_a_missing_record_is_permanent(harness: &impl Harness) {
    let key = RecordKey::new(harness.capabilities().record, 987_654_321);
    let fields = vec![field(SystemField::Name, Value::text("Никто"))];
    let error = harness
        .connector()
        .write(&Write::UpdateRecord { key, fields })
        .await
        .expect_err("nothing to write to");
    assert_eq!(error.verdict(), Verdict::Permanent, "{error:?}");
}

/// Sends a write whose answer is lost, and returns the moment before it.
async fn lose(harness: &impl Harness, connector: &dyn Connector, write: &Write, how: Lost) -> Timestamp {
    let since = harness.now();
    harness.lose_next_write(how);
    let error = connector.write(write).await.expect_err("the answer was lost");
    assert!(error.is_uncertain(), "{error:?}");
    since
}

async fn applied(connector: &dyn Connector, write: &Write, since: Timestamp) -> crate::Effect {
    match connector.look(write, since).await.expect("a look works") {
        Look::Applied(effect) => effect,
        other => panic!("{other:?}"),
    }
}

/// A record made although the answer was lost is found, and it is the right one.
pub async fn applied_creation_is_found_after_a_lost_answer(harness: &impl Harness) {
    let connector = harness.connector();
    let (contact, old) = seeded(harness).await;
    let write = new_record(harness, &contact, "Забор");
    let since = lose(harness, &*connector, &write, Lost::AnswerAfterApplying).await;
    let key = made(&applied(&*connector, &write, since).await);
    assert_ne!(key, old);
    assert_eq!(
        read(&*connector, &key).await.get(SystemField::Name.into()),
        Some(&Value::text("Забор"))
    );
    assert_eq!(
        connector
            .records_of_contact(&contact)
            .await
            .expect("a list")
            .len(),
        2
    );
}

/// A record that was not made is known not to be there.
pub async fn lost_creation_is_known_as_not_applied(harness: &impl Harness) {
    let connector = harness.connector();
    let (contact, _) = seeded(harness).await;
    let write = new_record(harness, &contact, "Забор");
    let since = lose(harness, &*connector, &write, Lost::RequestBeforeApplying).await;
    let look = connector
        .look(&write, since.plus_ms(-SETTLED_MS))
        .await
        .expect("a look works");
    assert_eq!(look, Look::NotApplied);
    assert_eq!(
        connector
            .records_of_contact(&contact)
            .await
            .expect("a list")
            .len(),
        1
    );
}

/// A note added although the answer was lost is found.
pub async fn applied_note_is_found_after_a_lost_answer(harness: &impl Harness) {
    let connector = harness.connector();
    let (_, key) = seeded(harness).await;
    let write = Write::AddNote {
        key,
        text: "Просил <позвонить> & написать\nвечером".to_owned(),
    };
    let since = lose(harness, &*connector, &write, Lost::AnswerAfterApplying).await;
    applied(&*connector, &write, since).await;
}

/// A note that was not added is known not to be there, although an older note with other words is.
pub async fn lost_note_is_known_as_not_applied(harness: &impl Harness) {
    let connector = harness.connector();
    let (_, key) = seeded(harness).await;
    let other = Write::AddNote {
        key: key.clone(),
        text: "Другое".to_owned(),
    };
    connector.write(&other).await.expect("added");
    let write = Write::AddNote {
        key,
        text: "Потерянное".to_owned(),
    };
    let since = lose(harness, &*connector, &write, Lost::RequestBeforeApplying).await;
    let look = connector
        .look(&write, since.plus_ms(-SETTLED_MS))
        .await
        .expect("a look works");
    assert_eq!(look, Look::NotApplied);
}

/// A move made although the answer was lost is found.
pub async fn applied_move_is_found_after_a_lost_answer(harness: &impl Harness) {
    let connector = harness.connector();
    let (_, key) = seeded(harness).await;
    let write = Write::Move {
        key,
        stage: harness.capabilities().stages[1],
        loss_reason: None,
    };
    let since = lose(harness, &*connector, &write, Lost::AnswerAfterApplying).await;
    applied(&*connector, &write, since).await;
}

/// A contact made although the answer was lost is found.
pub async fn applied_contact_is_found_after_a_lost_answer(harness: &impl Harness) {
    let connector = harness.connector();
    let write = new_contact(harness, "Ольга Ли", "+7 900 555-07-07");
    let since = lose(harness, &*connector, &write, Lost::AnswerAfterApplying).await;
    let key = made(&applied(&*connector, &write, since).await);
    assert_eq!(key.kind, harness.capabilities().contact);
}
