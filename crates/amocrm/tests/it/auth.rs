//! Authorisation against the sandbox, in both of its ways to treat a used refresh token.

use crate::support::{Fake, http, memory};
use amocrm::{AmocrmConnector, AmocrmSettings, OauthApp, exchange_code};
use async_trait::async_trait;
use connector::credential::{TokenStore, Tokens};
use connector::http::{Trace, traced};
use connector::{Connector, ConnectorError};
use sandbox::amocrm::RefreshMode;
use sandbox::{Fault, FaultKind, Side};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

fn app() -> OauthApp {
    OauthApp {
        client_id: sandbox::DEMO_AMOCRM_CLIENT_ID.to_owned(),
        client_secret: SecretString::from(sandbox::DEMO_AMOCRM_CLIENT_SECRET),
        redirect_uri: sandbox::DEMO_AMOCRM_REDIRECT_URI.to_owned(),
    }
}

fn settings(fake: &Fake) -> AmocrmSettings {
    fake.settings().with_oauth(app())
}

fn mode(fake: &Fake, mode: RefreshMode) {
    fake.sandbox
        .world
        .amocrm()
        .set(|settings| settings.refresh_mode = mode);
}

async fn grant(fake: &Fake) -> Tokens {
    let code = fake.sandbox.world.amocrm().issue_code(
        sandbox::DEMO_AMOCRM_CLIENT_ID,
        sandbox::DEMO_AMOCRM_ACCOUNT,
        sandbox::USER_ANNA,
    );
    exchange_code(&http(), &settings(fake), &code).await.unwrap()
}

/// A store that tells what was saved, and lets another process save between.
struct Store {
    tokens: Mutex<Tokens>,
    n_saved: Mutex<usize>,
    /// What another process stores as soon as somebody reads for the second time.
    rival: Mutex<Option<Tokens>>,
    read_once: AtomicBool,
    /// The next save fails, as when the database is away.
    is_away: AtomicBool,
    /// A save says that it began, and waits until it may go on.
    slow: Option<Slow>,
}

#[derive(Default)]
struct Slow {
    began: Notify,
    go_on: Notify,
    done: Notify,
}

impl Store {
    fn new(tokens: Tokens) -> Arc<Self> {
        Arc::new(Self {
            tokens: Mutex::new(tokens),
            n_saved: Mutex::new(0),
            rival: Mutex::new(None),
            read_once: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            slow: None,
        })
    }

    fn n_saved(&self) -> usize {
        *self.n_saved.lock().unwrap()
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn load(&self) -> Result<Tokens, ConnectorError> {
        if self.read_once.swap(true, Ordering::SeqCst)
            && let Some(rival) = self.rival.lock().unwrap().take()
        {
            *self.tokens.lock().unwrap() = rival;
        }
        Ok(self.tokens.lock().unwrap().clone())
    }

    async fn save(&self, mut tokens: Tokens) -> Result<Tokens, ConnectorError> {
        if self.is_away.swap(false, Ordering::SeqCst) {
            return Err(ConnectorError::NoAnswer {
                uncertain: false,
                cause: "база данных недоступна".to_owned(),
            });
        }
        if let Some(slow) = &self.slow {
            slow.began.notify_one();
            slow.go_on.notified().await;
        }
        *self.n_saved.lock().unwrap() += 1;
        tokens.version += 1;
        *self.tokens.lock().unwrap() = tokens.clone();
        if let Some(slow) = &self.slow {
            slow.done.notify_one();
        }
        Ok(tokens)
    }
}

async fn connected(fake: &Fake) -> (Arc<Store>, AmocrmConnector) {
    let store = Store::new(grant(fake).await);
    let connector = fake.with(settings(fake), store.clone());
    (store, connector)
}

/// Access tokens are dead, refresh tokens are not.
fn expire(fake: &Fake) {
    fake.sandbox.world.clock.advance(Duration::from_secs(25 * 3600));
}

#[tokio::test]
async fn code_is_exchanged_once() {
    let fake = Fake::start();
    let code = fake.sandbox.world.amocrm().issue_code(
        sandbox::DEMO_AMOCRM_CLIENT_ID,
        sandbox::DEMO_AMOCRM_ACCOUNT,
        sandbox::USER_ANNA,
    );
    let tokens = exchange_code(&http(), &settings(&fake), &code).await.unwrap();
    assert!(tokens.refresh.is_some() && tokens.expires_at.is_some());
    assert_eq!(
        fake.with(settings(&fake), Store::new(tokens))
            .check()
            .await
            .unwrap()
            .id,
        Some(sandbox::DEMO_AMOCRM_ACCOUNT)
    );
    let error = exchange_code(&http(), &settings(&fake), &code).await.unwrap_err();
    let ConnectorError::Rejected { message, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(message, "Authorization code has been revoked");
    let error = exchange_code(&http(), &fake.settings(), &code).await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unsupported { .. }));
    let mut wrong = settings(&fake);
    wrong.oauth = Some(OauthApp {
        client_secret: SecretString::from("чужой"),
        ..app()
    });
    let error = exchange_code(&http(), &wrong, "def50200").await.unwrap_err();
    assert!(matches!(error, ConnectorError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn expired_token_is_renewed_once_for_many_requests() {
    let fake = Fake::start();
    let (store, connector) = connected(&fake).await;
    expire(&fake);
    let before = fake.n_requests("/oauth2/access_token");
    let (a, b, c, d) = tokio::join!(
        connector.check(),
        connector.check(),
        connector.catalogue(),
        connector.check()
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert_eq!(fake.n_requests("/oauth2/access_token") - before, 1);
    assert_eq!(store.n_saved(), 1);
}

#[tokio::test]
async fn token_is_renewed_ahead_of_its_expiry() {
    let fake = Fake::start();
    fake.sandbox
        .world
        .amocrm()
        .set(|settings| settings.access_ttl_s = 600);
    let (store, connector) = connected(&fake).await;
    connector.check().await.unwrap();
    assert_eq!(store.n_saved(), 1, "ten minutes are less than the fifteen ahead");
    connector.check().await.unwrap();
    assert_eq!(
        store.n_saved(),
        1,
        "what was just renewed is not renewed at once again"
    );
}

#[tokio::test]
async fn lost_answer_to_a_renewal_is_survived_in_grace() {
    let fake = Fake::start();
    mode(&fake, RefreshMode::Grace);
    let (_, connector) = connected(&fake).await;
    expire(&fake);
    let cut = Fault::once(Side::Amocrm, FaultKind::CutAfterApply).path("/oauth2/access_token");
    fake.sandbox.world.faults.add(cut);
    assert!(connector.check().await.is_ok());
}

#[tokio::test]
async fn lost_answer_to_a_renewal_needs_a_person_in_strict() {
    let fake = Fake::start();
    mode(&fake, RefreshMode::Strict);
    let (store, connector) = connected(&fake).await;
    expire(&fake);
    let cut = Fault::once(Side::Amocrm, FaultKind::CutAfterApply).path("/oauth2/access_token");
    fake.sandbox.world.faults.add(cut);
    let error = connector.check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unauthorized), "{error:?}");
    assert_eq!(store.n_saved(), 0);
}

#[tokio::test]
async fn a_pair_whose_caller_gave_up_is_stored() {
    let fake = Fake::start();
    mode(&fake, RefreshMode::Strict);
    let mut store = Store::new(grant(&fake).await);
    Arc::get_mut(&mut store).unwrap().slow = Some(Slow::default());
    let slow = store.slow.as_ref().unwrap();
    let connector = fake.with(settings(&fake), store.clone());
    expire(&fake);
    tokio::select! {
        _ = connector.check() => panic!("the pair is not stored yet"),
        () = slow.began.notified() => {}
    }
    slow.go_on.notify_one();
    slow.done.notified().await;
    let before = fake.n_requests("/oauth2/access_token");
    connector.check().await.unwrap();
    assert_eq!(store.n_saved(), 1);
    assert_eq!(fake.n_requests("/oauth2/access_token"), before);
}

#[tokio::test]
async fn a_pair_that_could_not_be_stored_is_not_lost() {
    let fake = Fake::start();
    mode(&fake, RefreshMode::Strict);
    let (store, connector) = connected(&fake).await;
    expire(&fake);
    store.is_away.store(true, Ordering::SeqCst);
    let before = fake.n_requests("/oauth2/access_token");
    let error = connector.check().await.unwrap_err();
    assert!(
        matches!(error, ConnectorError::NoAnswer { uncertain: false, .. }),
        "{error:?}"
    );
    connector.check().await.unwrap();
    assert_eq!(store.n_saved(), 1);
    assert_eq!(
        fake.n_requests("/oauth2/access_token") - before,
        1,
        "the only pair that amoCRM accepts"
    );
}

#[tokio::test]
async fn pair_that_another_process_renewed_is_taken_over() {
    let fake = Fake::start();
    let (store, connector) = connected(&fake).await;
    expire(&fake);
    let mut renewed = grant(&fake).await;
    renewed.version = 7;
    *store.rival.lock().unwrap() = Some(renewed);
    let before = fake.n_requests("/oauth2/access_token");
    assert!(connector.check().await.is_ok());
    assert_eq!(
        fake.n_requests("/oauth2/access_token"),
        before,
        "nobody renewed twice"
    );
    assert_eq!(store.n_saved(), 0);
}

#[tokio::test]
async fn unreachable_token_endpoint_is_no_lost_authorisation() {
    let fake = Fake::start();
    let (store, connector) = connected(&fake).await;
    expire(&fake);
    let down = Fault::once(Side::Amocrm, FaultKind::status(503)).path("/oauth2/access_token");
    fake.sandbox.world.faults.add(down);
    let error = connector.check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unavailable { .. }), "{error:?}");
    assert!(connector.check().await.is_ok(), "the pair was not spent");
    assert_eq!(store.n_saved(), 1);
}

#[tokio::test]
async fn long_lived_token_that_is_refused_asks_nobody() {
    let fake = Fake::start();
    let token = fake.sandbox.world.amocrm().issue_long_lived(
        sandbox::DEMO_AMOCRM_CLIENT_ID,
        sandbox::DEMO_AMOCRM_ACCOUNT,
        sandbox::USER_ANNA,
        3_600,
    );
    let connector = fake.with(settings(&fake), memory(&token));
    let card = connector.check().await.unwrap();
    assert!(card.expires_at.is_some(), "read from the token itself");
    fake.sandbox.world.clock.advance(Duration::from_secs(3_601));
    assert!(matches!(
        connector.check().await,
        Err(ConnectorError::Unauthorized)
    ));
    assert_eq!(fake.n_requests("/oauth2/"), 0);
}

#[tokio::test]
async fn account_of_exchanges_holds_no_secret() {
    let fake = Fake::start();
    let (store, connector) = connected(&fake).await;
    let old = store.load().await.unwrap();
    expire(&fake);
    let trace = Trace::default();
    traced(trace.clone(), connector.check()).await.unwrap();
    let exchanges = trace.take();
    assert!(!exchanges.is_empty());
    let new = store.load().await.unwrap();
    let told = format!("{exchanges:?}");
    for tokens in [old, new] {
        assert!(!told.contains(tokens.access.expose_secret()));
        assert!(!told.contains(tokens.refresh.unwrap().expose_secret()));
    }
    assert!(!told.contains(sandbox::DEMO_AMOCRM_CLIENT_SECRET));
}
