//! The person's own account, and the people of the workspace.

use api::Page;
use api::account::{
    ChangePassword, ChangeProfile, ChangeRole, FactorCode, Invitation, Invite, NewFactor, OwnSession,
    Profile, RecoveryCodes, WithPassword,
};
use api::workspace::{Member, Role};
use domain::id::{InvitationId, SessionId, UserId};

use super::client::{Request, delete, get, patch, post, put};

/// The own account.
pub fn get_profile() -> Request<Profile> {
    get("/me").answers()
}

/// Another name.
pub fn change_profile(form: &ChangeProfile) -> Request<Profile> {
    patch("/me").json(form).answers()
}

/// Another password; every other session ends.
pub fn change_password(form: &ChangePassword) -> Request<()> {
    put("/me/password").json(form).done()
}

/// Where the browser fetches everything that is kept of the person.
pub const EXPORT: &str = "/api/v1/me/export";

/// Deletes the own account.
pub fn delete_account(form: &WithPassword) -> Request<()> {
    post("/me/delete").json(form).done()
}

/// Own sessions, last used first.
pub fn list_sessions() -> Request<Page<OwnSession>> {
    get("/me/sessions").answers()
}

/// Ends one of the own sessions.
pub fn end_session(id: SessionId) -> Request<()> {
    delete(format!("/me/sessions/{id}")).done()
}

/// Ends every other own session.
pub fn end_other_sessions() -> Request<()> {
    delete("/me/sessions").done()
}

/// Begins a second factor; its secret is shown this once.
pub fn begin_second_factor(form: &WithPassword) -> Request<NewFactor> {
    post("/me/second-factor").json(form).answers()
}

/// Confirms it by a first code; the recovery codes are shown this once.
pub fn confirm_second_factor(form: &FactorCode) -> Request<RecoveryCodes> {
    post("/me/second-factor/confirm").json(form).answers()
}

/// Removes the second factor.
pub fn remove_second_factor(form: &WithPassword) -> Request<()> {
    post("/me/second-factor/remove").json(form).done()
}

/// People of the workspace.
pub fn list_members() -> Request<Page<Member>> {
    get("/members").answers()
}

/// Gives a member another role.
pub fn change_role(user: UserId, role: Role) -> Request<()> {
    patch(format!("/members/{user}"))
        .json(&ChangeRole { role })
        .done()
}

/// Takes a member out of the workspace.
pub fn remove_member(user: UserId) -> Request<()> {
    delete(format!("/members/{user}")).done()
}

/// Leaves the workspace.
pub fn leave_workspace() -> Request<()> {
    delete("/membership").done()
}

/// Invitations that wait.
pub fn list_invitations() -> Request<Page<Invitation>> {
    get("/invitations").answers()
}

/// Sends an invitation.
pub fn invite(form: &Invite) -> Request<()> {
    post("/invitations").json(form).done()
}

/// Takes an invitation back.
pub fn withdraw_invitation(id: InvitationId) -> Request<()> {
    delete(format!("/invitations/{id}")).done()
}
