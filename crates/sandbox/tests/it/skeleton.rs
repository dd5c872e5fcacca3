//! Start, control API, journal, faults.

use sandbox::{Fault, FaultKind, Options, Sandbox, Side};

#[tokio::test]
async fn cut_connection_is_an_error_without_status_and_is_in_the_journal() {
    let sandbox = Sandbox::start(Options::default());
    let client = reqwest::Client::new();
    let health = client
        .get(format!("{}/_sandbox/health", sandbox.lptracker_url))
        .send()
        .await
        .expect("an answer");
    assert_eq!(health.status(), 200);
    for kind in [FaultKind::CutBeforeApply, FaultKind::CutAfterApply] {
        sandbox.world.faults.add(Fault::once(Side::Amocrm, kind));
        let error = client
            .post(format!("{}/api/v4/leads", sandbox.amocrm_url))
            .body("[]")
            .send()
            .await;
        assert!(error.is_err(), "{error:?}");
    }
    let entries = sandbox.world.journal.entries();
    assert_eq!(entries.len(), 2);
    assert!(
        entries
            .iter()
            .all(|e| e.status == Some(0) && e.write && e.body == "[]")
    );
}
