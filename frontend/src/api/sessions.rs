//! Signing in and out, first set-up.

use api::account::{Accept, AskLetter, Invited, ResetPassword};
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

/// Asks for a letter to register by.
pub fn register(form: &AskLetter) -> Request<()> {
    post("/registration").json(form).done()
}

/// What an invitation leads to.
pub fn look_at_invitation(link: &UseLink) -> Request<Invited> {
    post("/registration/look").json(link).answers()
}

/// Uses an invitation; signs in who is new.
pub fn accept_invitation(form: &Accept) -> Request<SessionState> {
    post("/registration/finish").json(form).answers()
}

/// Asks for a letter to set a new password by.
pub fn forget_password(form: &AskLetter) -> Request<()> {
    post("/password/forgotten").json(form).done()
}

/// Sets a new password.
pub fn reset_password(form: &ResetPassword) -> Request<()> {
    post("/password/reset").json(form).done()
}

/// Signs out.
pub fn sign_out() -> Request<()> {
    delete("/session").done()
}
