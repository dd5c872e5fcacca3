//! Signing in and out, first set-up.

use api::session::{SessionState, SetUp, SignIn, UseLink};

use super::client::{Request, delete, get, post};

/// Who is signed in, and whether the installation is set up.
pub fn get_session() -> Request<SessionState> {
    get("/session").answers()
}

/// Signs in by e-mail and password.
pub fn sign_in(form: &SignIn) -> Request<SessionState> {
    post("/session").json(form).answers()
}

/// Signs in by a one-time link.
pub fn use_link(link: &UseLink) -> Request<SessionState> {
    post("/session/link").json(link).answers()
}

/// Makes the superuser and the first workspace, and signs in.
pub fn set_up(form: &SetUp) -> Request<SessionState> {
    post("/setup").json(form).answers()
}

/// Signs out.
pub fn sign_out() -> Request<()> {
    delete("/session").done()
}
