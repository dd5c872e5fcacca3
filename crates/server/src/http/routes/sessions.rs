//! Signing in and out, the first set-up.

use crate::http::access::{Anyone, current};
use crate::http::client_address;
use crate::http::convert::{current_user, dead_link, membership};
use crate::http::problem::Problem;
use crate::http::session;
use crate::password;
use actix_session::SessionExt;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use api::problem::ProblemType;
use api::session::{SessionState, SetUp, SignIn, UseLink};
use engine::accounts::{Factor, FirstSetUp, Registration, Tried, check_password};
use secrecy::SecretString;
use storage::accounts::{self, User};

/// Who is signed in
///
/// Answered to everybody: tells whether the installation is set up, who is signed in, and their workspaces.
#[utoipa::path(tag = "Сеанс", responses((status = 200, body = SessionState)))]
#[get("/session")]
pub async fn get_session(anyone: Anyone, request: HttpRequest) -> Result<web::Json<SessionState>, Problem> {
    get_state(&anyone, &request).await
}

/// The state of the session of a request.
pub async fn get_state(anyone: &Anyone, request: &HttpRequest) -> Result<web::Json<SessionState>, Problem> {
    let user = current(request).await?;
    Ok(web::Json(state(anyone, user).await?))
}

/// Sign in by e-mail and password
///
/// The answer to a wrong e-mail is the same as to a wrong password.
#[utoipa::path(tag = "Сеанс", responses((status = 200, body = SessionState)))]
#[post("/session")]
pub async fn sign_in(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<SignIn>,
) -> Result<web::Json<SessionState>, Problem> {
    let SignIn {
        email,
        password,
        code,
    } = form.into_inner();
    let accounts = anyone.accounts();
    let address = client_address::of(&request);
    let tried = accounts
        .count_try(Tried::SignIn, &email, address.as_deref())
        .await?;
    let user = accounts.by_email(&email).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let fits = password::verify_aside(hash, password.into()).await?;
    let user = user
        .filter(|_| fits)
        .ok_or_else(|| wrong("Проверьте e-mail и пароль и попробуйте ещё раз"))?;
    pass_factor(&anyone, &user, code.as_deref()).await?;
    accounts.forgive(&tried).await?;
    begin(&anyone, &request, user).await
}

async fn pass_factor(anyone: &Anyone, user: &User, code: Option<&str>) -> Result<(), Problem> {
    match anyone.accounts().check_factor(user.id, code).await? {
        Factor::Passed => Ok(()),
        Factor::Missing => Err(Problem::new(
            ProblemType::SecondFactor,
            "Введите код из приложения или код восстановления",
        )),
        Factor::Wrong => Err(wrong("Код не подошёл или уже использован: введите новый")),
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(ProblemType::WrongCredentials, detail)
}

/// Sign in by a one-time link
///
/// The token stands after `#` in the link; it works once.
#[utoipa::path(tag = "Сеанс", responses((status = 200, body = SessionState)))]
#[post("/session/link")]
pub async fn use_sign_in_link(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<UseLink>,
) -> Result<web::Json<SessionState>, Problem> {
    let token = SecretString::from(form.into_inner().token);
    let user = anyone.accounts().use_token(&token).await?.ok_or_else(dead_link)?;
    begin(&anyone, &request, user).await
}

/// Set the installation up
///
/// Makes the superuser and the first workspace and signs in. Works once, with the token that the first start
/// printed.
#[utoipa::path(tag = "Сеанс", responses((status = 200, body = SessionState)))]
#[post("/setup")]
pub async fn set_up(
    anyone: Anyone,
    request: HttpRequest,
    form: web::Json<SetUp>,
) -> Result<web::Json<SessionState>, Problem> {
    let form = form.into_inner();
    let password = SecretString::from(form.password);
    check_password(&password, &[&form.email, &form.name, &form.workspace])?;
    let hash = password::hash_aside(password).await?;
    let wanted = FirstSetUp {
        token: form.token.into(),
        email: form.email,
        name: form.name,
        password_hash: Some(hash),
        workspace: form.workspace,
    };
    let (user, _) = anyone.accounts().set_up(wanted).await?;
    begin(&anyone, &request, user).await
}

/// Sign out
///
/// Ends this session; its cookie works no more.
#[utoipa::path(tag = "Сеанс", responses((status = 204)))]
#[delete("/session")]
pub async fn sign_out(request: HttpRequest) -> HttpResponse {
    request.get_session().purge();
    HttpResponse::NoContent().finish()
}

/// Signs a person in.
pub async fn begin(
    anyone: &Anyone,
    request: &HttpRequest,
    user: User,
) -> Result<web::Json<SessionState>, Problem> {
    session::sign_in(request, user.id).map_err(|_| Problem::internal())?;
    tracing::info!(user.id = %user.id, "вход выполнен");
    Ok(web::Json(state(anyone, Some(user)).await?))
}

async fn state(anyone: &Anyone, user: Option<User>) -> Result<SessionState, Problem> {
    let app = anyone.app();
    let workspaces = match &user {
        Some(user) => accounts::memberships(app.engine.db(), user.id).await?,
        None => Vec::new(),
    };
    Ok(SessionState {
        setup_needed: user.is_none() && anyone.accounts().setup_needed().await?,
        registration_open: anyone.accounts().registration().await? == Registration::Open,
        demo: !app.sandbox.is_empty(),
        sandbox_urls: app.sandbox.to_vec(),
        user: user.map(current_user),
        workspaces: workspaces.into_iter().map(membership).collect(),
    })
}
