//! Signing in and out, first set-up.

use api::session::{SessionState, SetUp, SignIn, UseLink};

use super::client::{Answer, delete, get, post};

/// Who is signed in, and whether the installation is set up.
pub async fn get_session() -> Answer<SessionState> {
    get("/session").send().await
}

/// Signs in by e-mail and password.
pub async fn sign_in(form: &SignIn) -> Answer<SessionState> {
    post("/session").json(form).send().await
}

/// Signs in by a one-time link.
pub async fn use_link(link: &UseLink) -> Answer<SessionState> {
    post("/session/link").json(link).send().await
}

/// Makes the superuser and the first workspace, and signs in.
pub async fn set_up(form: &SetUp) -> Answer<SessionState> {
    post("/setup").json(form).send().await
}

/// Signs out.
pub async fn sign_out() -> Answer<()> {
    delete("/session").done().await
}
