//! The person's own account.

use crate::http::access::Person;
use crate::http::convert;
use crate::http::extract::Of;
use crate::http::problem::Problem;
use crate::http::session;
use crate::password;
use actix_session::SessionExt;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web};
use api::Page;
use api::account::{
    AccountExport, ChangePassword, ChangeProfile, FactorCode, NewFactor, OwnSession, Profile, RecoveryCodes,
    WithPassword,
};
use api::problem::ProblemType;
use domain::id::SessionId;
use engine::accounts::{Tried, check_password};
use secrecy::{ExposeSecret, SecretString};
use storage::audit::AuditFilter;
use storage::{PageOf, accounts, audit, sessions};

/// Audit entries of an export, of each workspace.
const N_ENTRIES: u64 = 10_000;

/// Get the own account
///
/// Of the person who is signed in; keys have none.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = Profile)))]
#[get("/me")]
pub async fn get_profile(me: Person) -> Result<web::Json<Profile>, Problem> {
    Ok(web::Json(profile(&me).await?))
}

/// Change the own account
///
/// The name as others see it.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = Profile)))]
#[patch("/me")]
pub async fn change_profile(
    mut me: Person,
    form: web::Json<ChangeProfile>,
) -> Result<web::Json<Profile>, Problem> {
    me.accounts().rename(me.user.id, &form.name).await?;
    me.user = me.accounts().user(me.user.id).await?;
    Ok(web::Json(profile(&me).await?))
}

/// Change the own password
///
/// Needs the present one. Every other session ends, and a letter tells of it.
#[utoipa::path(tag = "Учётная запись", responses((status = 204)))]
#[put("/me/password")]
pub async fn change_password(
    me: Person,
    request: HttpRequest,
    form: web::Json<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let ChangePassword { current, password } = form.into_inner();
    confirm(&me, "/current", current).await?;
    let password = SecretString::from(password);
    check_password(&password, &[&me.user.email, &me.user.name])?;
    let hash = password::hash_aside(password).await?;
    let current = session::id(&request.get_session());
    let letter = me.accounts().change_password(&me.user, &hash, current).await?;
    me.post(letter);
    Ok(HttpResponse::NoContent().finish())
}

/// Delete the own account
///
/// Needs the present password. Workspaces where the person is alone go with everything in them; take
/// `export_account` first.
#[utoipa::path(tag = "Учётная запись", responses((status = 204)))]
#[post("/me/delete")]
pub async fn delete_account(
    me: Person,
    request: HttpRequest,
    form: web::Json<WithPassword>,
) -> Result<HttpResponse, Problem> {
    confirm(&me, "/password", form.into_inner().password).await?;
    me.accounts().delete_account(&me.user).await?;
    request.get_session().purge();
    tracing::info!(user.id = %me.user.id, "учётная запись удалена");
    Ok(HttpResponse::NoContent().finish())
}

/// Export the own account
///
/// Everything that is kept of the person.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = AccountExport)))]
#[get("/me/export")]
pub async fn export_account(me: Person, request: HttpRequest) -> Result<web::Json<AccountExport>, Problem> {
    let memberships = accounts::memberships(me.db(), me.user.id).await?;
    let filter = AuditFilter {
        actor_id: Some(me.user.id.0),
        ..AuditFilter::default()
    };
    let page = PageOf {
        limit: N_ENTRIES,
        before: None,
    };
    let mut entries = Vec::new();
    for (workspace, _) in &memberships {
        entries.extend(audit::list(me.db(), workspace.id, &filter, page).await?);
    }
    Ok(web::Json(AccountExport {
        profile: profile(&me).await?,
        workspaces: memberships.into_iter().map(convert::membership).collect(),
        sessions: own_sessions(&me, &request).await?,
        audit_entries: entries.into_iter().map(convert::audit_entry).collect(),
    }))
}

/// List the own sessions
///
/// Those that have not ended, last used first.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = Page<OwnSession>)))]
#[get("/me/sessions")]
pub async fn list_sessions(me: Person, request: HttpRequest) -> Result<web::Json<Page<OwnSession>>, Problem> {
    Ok(web::Json(Page::whole(own_sessions(&me, &request).await?)))
}

/// End one of the own sessions
///
/// Its cookie works no more.
#[utoipa::path(tag = "Учётная запись", responses((status = 204)))]
#[delete("/me/sessions/{session}")]
pub async fn end_session(me: Person, Of(id): Of<SessionId>) -> Result<HttpResponse, Problem> {
    sessions::end(me.db(), me.user.id, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End every other own session
///
/// The one that asks stays.
#[utoipa::path(tag = "Учётная запись", responses((status = 204)))]
#[delete("/me/sessions")]
pub async fn end_other_sessions(me: Person, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let current = session::id(&request.get_session());
    sessions::end_others(me.db(), me.user.id, current).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Begin a second factor
///
/// Needs the present password. The secret is shown once and must be confirmed by a first code.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = NewFactor)))]
#[post("/me/second-factor")]
pub async fn begin_second_factor(
    me: Person,
    form: web::Json<WithPassword>,
) -> Result<web::Json<NewFactor>, Problem> {
    confirm(&me, "/password", form.into_inner().password).await?;
    let factor = me.accounts().begin_factor(&me.user).await?;
    Ok(web::Json(NewFactor {
        secret: factor.secret.expose_secret().to_owned(),
        uri: factor.uri.expose_secret().to_owned(),
    }))
}

/// Confirm a second factor
///
/// By a first code; from now on sign-in asks for one. Answers the recovery codes.
#[utoipa::path(tag = "Учётная запись", responses((status = 200, body = RecoveryCodes)))]
#[post("/me/second-factor/confirm")]
pub async fn confirm_second_factor(
    me: Person,
    form: web::Json<FactorCode>,
) -> Result<web::Json<RecoveryCodes>, Problem> {
    let codes = me.accounts().confirm_factor(&me.user, &form.code).await?;
    let codes = codes.iter().map(|code| code.expose_secret().to_owned());
    Ok(web::Json(RecoveryCodes {
        codes: codes.collect(),
    }))
}

/// Remove the second factor
///
/// Needs the present password.
#[utoipa::path(tag = "Учётная запись", responses((status = 204)))]
#[post("/me/second-factor/remove")]
pub async fn remove_second_factor(
    me: Person,
    form: web::Json<WithPassword>,
) -> Result<HttpResponse, Problem> {
    confirm(&me, "/password", form.into_inner().password).await?;
    me.accounts().remove_factor(&me.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The person proves who they are once more: an open session is not enough for what cannot be undone.
async fn confirm(me: &Person, pointer: &'static str, typed: String) -> Result<(), Problem> {
    if me.user.password_hash.is_none() {
        let detail = "У вашей учётной записи нет пароля: задайте его по ссылке восстановления";
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    let tried = me
        .accounts()
        .count_try(Tried::SignIn, &me.user.email, me.address.as_deref())
        .await?;
    if !password::verify_aside(me.user.password_hash.clone(), typed.into()).await? {
        return Err(Problem::invalid(pointer, "wrong_password", "пароль не подошёл"));
    }
    Ok(me.accounts().forgive(&tried).await?)
}

async fn profile(me: &Person) -> Result<Profile, Problem> {
    Ok(Profile {
        id: me.user.id,
        email: me.user.email.clone(),
        name: me.user.name.clone(),
        has_password: me.user.password_hash.is_some(),
        has_second_factor: me.accounts().has_factor(me.user.id).await?,
        created_at: me.user.created_at,
    })
}

async fn own_sessions(me: &Person, request: &HttpRequest) -> Result<Vec<OwnSession>, Problem> {
    let current = session::id(&request.get_session());
    let rows = sessions::of_user(me.db(), me.user.id, me.now()).await?;
    let own = rows.into_iter().filter_map(|row| {
        Some(OwnSession {
            id: SessionId(row.id?),
            is_current: row.id == current,
            address: row.address,
            user_agent: row.user_agent,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        })
    });
    Ok(own.collect())
}
