//! How people come in: registration, invitations, forgotten passwords; and who is in the workspace.

use crate::http::access::{Anyone, Member, Owner};
use crate::http::client_address;
use crate::http::convert;
use crate::http::extract::Of;
use crate::http::problem::Problem;
use crate::http::routes::sessions::begin;
use crate::password;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use api::Page;
use api::account::{Accept, AskLetter, ChangeRole, Invitation, Invite, Invited, ResetPassword};
use api::session::{SessionState, UseLink};
use domain::id::{InvitationId, UserId};
use engine::accounts::{Acceptance, Accounts, Tried, check_password};
use secrecy::SecretString;
use storage::invitations;

/// Register
///
/// Sends a letter with a link to go on. The answer is the same whoever the address belongs to.
#[utoipa::path(tag = "Вход", responses((status = 202)))]
#[post("/registration")]
pub async fn register(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<AskLetter>,
) -> Result<HttpResponse, Problem> {
    let accounts = anyone.accounts();
    count_letter(&accounts, &request, &form.email).await?;
    anyone.post(accounts.register(&form.email).await?);
    Ok(HttpResponse::Accepted().finish())
}

/// Letters are counted like tries: nobody's box is to be filled by others.
async fn count_letter(accounts: &Accounts, request: &HttpRequest, email: &str) -> Result<(), Problem> {
    let address = client_address::of(request);
    accounts
        .count_try(Tried::Letter, email, address.as_deref())
        .await?;
    Ok(())
}

/// Look at an invitation
///
/// What the link of a letter leads to. Nothing is used up.
#[utoipa::path(tag = "Вход", responses((status = 200, body = Invited)))]
#[post("/registration/look")]
pub async fn look_at_invitation(
    anyone: Anyone,
    form: web::Json<UseLink>,
) -> Result<web::Json<Invited>, Problem> {
    let token = SecretString::from(form.into_inner().token);
    let found = anyone.accounts().invited(&token).await?;
    let found = found.ok_or_else(convert::dead_link)?;
    Ok(web::Json(Invited {
        email: found.email,
        workspace: found.workspace,
        is_known: found.is_known,
    }))
}

/// Accept an invitation
///
/// A new person is made and signed in. Who has an account joins, and signs in as ever.
#[utoipa::path(tag = "Вход", responses((status = 200, body = SessionState)))]
#[post("/registration/finish")]
pub async fn accept_invitation(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<Accept>,
) -> Result<web::Json<SessionState>, Problem> {
    let form = form.into_inner();
    let accounts = anyone.accounts();
    let token = SecretString::from(form.token);
    let invited = accounts.invited(&token).await?.ok_or_else(convert::dead_link)?;
    let password_hash = if invited.is_known {
        None
    } else {
        let password = SecretString::from(form.password);
        check_password(&password, &[&invited.email, &form.name, &form.workspace])?;
        Some(password::hash_aside(password).await?)
    };
    let wanted = Acceptance {
        token,
        name: form.name,
        password_hash,
        workspace: form.workspace,
    };
    match accounts.accept(wanted).await? {
        Some(user) => begin(&anyone, &request, user).await,
        None => crate::http::routes::sessions::get_state(&anyone, &request).await,
    }
}

/// Ask for a new password
///
/// Sends a letter, if there is somebody to send it to. The answer is the same either way.
#[utoipa::path(tag = "Вход", responses((status = 202)))]
#[post("/password/forgotten")]
pub async fn forget_password(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<AskLetter>,
) -> Result<HttpResponse, Problem> {
    let accounts = anyone.accounts();
    count_letter(&accounts, &request, &form.email).await?;
    if let Some(letter) = accounts.forgotten(&form.email).await? {
        anyone.post(letter);
    }
    Ok(HttpResponse::Accepted().finish())
}

/// Set a new password
///
/// By the token of the letter. Every session ends; sign in with the new password.
#[utoipa::path(tag = "Вход", responses((status = 204)))]
#[post("/password/reset")]
pub async fn reset_password(anyone: Anyone, form: web::Json<ResetPassword>) -> Result<HttpResponse, Problem> {
    let ResetPassword { token, password } = form.into_inner();
    let password = SecretString::from(password);
    check_password(&password, &[])?;
    let hash = password::hash_aside(password).await?;
    let letter = anyone.accounts().reset_password(&token.into(), &hash).await?;
    anyone.post(letter);
    Ok(HttpResponse::NoContent().finish())
}

/// List invitations
///
/// Into this workspace, that can still be used.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Page<Invitation>)))]
#[get("/invitations")]
pub async fn list_invitations(access: Owner) -> Result<web::Json<Page<Invitation>>, Problem> {
    let rows = invitations::list(access.db(), access.workspace(), access.now()).await?;
    let items = rows.into_iter().filter_map(|row| {
        Some(Invitation {
            id: InvitationId(row.id),
            role: convert::role(row.into?.1),
            email: row.email,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    });
    Ok(web::Json(Page::whole(items.collect())))
}

/// Invite somebody
///
/// Into this workspace, by a letter whose link works for a week.
#[utoipa::path(tag = "Кабинет", responses((status = 202)))]
#[post("/invitations")]
pub async fn invite(
    access: Owner,
    request: HttpRequest,
    form: web::Json<Invite>,
) -> Result<HttpResponse, Problem> {
    let accounts = access.accounts();
    count_letter(&accounts, &request, &form.email).await?;
    let role = convert::role_of(form.role);
    let letter = accounts
        .invite(access.workspace(), access.actor(), &form.email, role)
        .await?;
    access.app().mailer.post(letter);
    Ok(HttpResponse::Accepted().finish())
}

/// Withdraw an invitation
///
/// Its link works no more.
#[utoipa::path(tag = "Кабинет", responses((status = 204)))]
#[delete("/invitations/{invitation}")]
pub async fn withdraw_invitation(access: Owner, Of(id): Of<InvitationId>) -> Result<HttpResponse, Problem> {
    access
        .accounts()
        .withdraw(access.workspace(), access.actor(), id.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change the role of a member
///
/// Their sessions end. A workspace keeps an owner: to hand it over, make the other an owner first.
#[utoipa::path(tag = "Кабинет", responses((status = 204)))]
#[patch("/members/{user}")]
pub async fn change_role(
    access: Owner,
    Of(user): Of<UserId>,
    form: web::Json<ChangeRole>,
) -> Result<HttpResponse, Problem> {
    access
        .accounts()
        .set_role(
            access.workspace(),
            access.actor(),
            user,
            convert::role_of(form.role),
        )
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Remove a member
///
/// From this workspace; their account stays.
#[utoipa::path(tag = "Кабинет", responses((status = 204)))]
#[delete("/members/{user}")]
pub async fn remove_member(access: Owner, Of(user): Of<UserId>) -> Result<HttpResponse, Problem> {
    access
        .accounts()
        .remove_member(access.workspace(), access.actor(), user)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leave the workspace
///
/// Its last owner cannot.
#[utoipa::path(tag = "Кабинет", responses((status = 204)))]
#[delete("/membership")]
pub async fn leave_workspace(Member { access, person }: Member) -> Result<HttpResponse, Problem> {
    person
        .accounts()
        .remove_member(access.workspace(), access.actor(), person.user.id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
