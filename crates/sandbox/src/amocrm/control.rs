//! Control API below `/_sandbox/amocrm`: what a manager or an administrator does by hand, and modes.

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, Json, Path, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Reply;
use super::manager::{act, as_manager};
use super::model::*;
use super::oauth::Integration;
use super::state::Settings;
use super::{entities, unsorted};
use crate::control::bad;
use crate::world::World;

/// Routes of this folder.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.route("/board", web::get().to(super::board::board))
        .route("/card/{id}", web::get().to(super::board::card))
        .route("/settings", web::get().to(settings))
        .route("/settings", web::post().to(set_settings))
        .route("/account", web::post().to(set_account))
        .route("/seed", web::post().to(seed))
        .route("/ban", web::post().to(ban))
        .route("/integrations", web::post().to(integration))
        .route("/tokens", web::post().to(token))
        .route("/stage-hooks", web::post().to(stage_hook))
        .route("/ui/{action}", web::post().to(manager));
}

async fn settings(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(&world.amocrm().settings)
}

/// Merges the given keys into the settings.
async fn set_settings(world: Data<World>, patch: Json<Value>) -> HttpResponse {
    let mut state = world.amocrm();
    let mut all = json!(state.settings);
    if let (Some(all), Some(patch)) = (all.as_object_mut(), patch.as_object()) {
        all.extend(patch.clone());
    }
    match serde_json::from_value::<Settings>(all) {
        Ok(settings) => {
            state.set(|s| *s = settings);
            HttpResponse::Ok().json(&state.settings)
        }
        Err(error) => bad(&error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountPatch {
    account_id: Option<i64>,
    unpaid: Option<bool>,
    is_api_filter_enabled: Option<bool>,
    duplicate_control: Option<bool>,
}

async fn set_account(world: Data<World>, patch: Json<AccountPatch>) -> HttpResponse {
    let mut state = world.amocrm();
    let id = patch.account_id.unwrap_or(state.accounts[0].id);
    let Some(account) = state.account_by_id(id) else {
        return bad("unknown account");
    };
    account.unpaid = patch.unpaid.unwrap_or(account.unpaid);
    account.is_api_filter_enabled = patch
        .is_api_filter_enabled
        .unwrap_or(account.is_api_filter_enabled);
    account.duplicate_control = patch.duplicate_control.unwrap_or(account.duplicate_control);
    HttpResponse::Ok().json(json!({
        "id": account.id, "subdomain": account.subdomain, "unpaid": account.unpaid,
        "is_api_filter_enabled": account.is_api_filter_enabled, "duplicate_control": account.duplicate_control,
    }))
}

/// `{contacts: [...], companies: [...], leads: [...], complex: [...]}`: bodies of the API, created silently.
async fn seed(world: Data<World>, body: Json<Value>) -> HttpResponse {
    let mut state = world.amocrm();
    let delay = state.settings.search_delay_ms;
    state.set(|s| s.search_delay_ms = 0);
    let mut made = json!({});
    let mut failed = None;
    for key in ["companies", "contacts", "leads", "complex"] {
        let Some(items) = body.get(key) else { continue };
        let reply = as_manager(&mut state, None, "POST", items, |call| match Kind::named(key) {
            Some(kind) => entities::collection(call, kind),
            None => unsorted::complex(call),
        });
        match reply {
            Ok(answer) => made[key] = serde_json::from_str(&answer.body).unwrap_or_default(),
            Err(refusal) => {
                failed = Some(refusal);
                break;
            }
        }
    }
    state.set(|s| s.search_delay_ms = delay);
    state.account().owed.clear();
    match failed {
        Some(refusal) => respond(Err(refusal)),
        None => HttpResponse::Ok().json(made),
    }
}

#[derive(Deserialize)]
struct Ban {
    banned: bool,
}

async fn ban(world: Data<World>, body: Json<Ban>) -> HttpResponse {
    world.amocrm().set_banned(body.banned);
    HttpResponse::NoContent().finish()
}

async fn integration(world: Data<World>, body: Json<Integration>) -> HttpResponse {
    let integration = body.into_inner();
    world
        .amocrm()
        .oauth
        .integrations
        .insert(integration.client_id.clone(), integration.clone());
    HttpResponse::Ok().json(integration)
}

#[derive(Deserialize)]
struct TokenWish {
    client_id: String,
    user_id: i64,
    account_id: Option<i64>,
    ttl_s: Option<i64>,
}

async fn token(world: Data<World>, body: Json<TokenWish>) -> HttpResponse {
    let mut state = world.amocrm();
    let account = body.account_id.unwrap_or(state.accounts[0].id);
    let text = state.issue_long_lived(
        &body.client_id,
        account,
        body.user_id,
        body.ttl_s.unwrap_or(365 * 86_400),
    );
    HttpResponse::Ok().json(json!({"token": text}))
}

async fn stage_hook(world: Data<World>, body: Json<StageHook>) -> HttpResponse {
    world.amocrm().account().stage_hooks.push(body.into_inner());
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Who {
    user_id: Option<i64>,
}

async fn manager(world: Data<World>, action: Path<String>, who: Query<Who>, body: Bytes) -> HttpResponse {
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(_) if body.is_empty() => json!({}),
        Err(error) => return bad(&error.to_string()),
    };
    let mut state = world.amocrm();
    respond(act(&mut state, &action, who.user_id, &body))
}

fn respond(reply: Reply) -> HttpResponse {
    let (Ok(answer) | Err(answer)) = reply;
    let status = actix_web::http::StatusCode::from_u16(answer.status).unwrap_or_default();
    if answer.content_type.is_empty() {
        return HttpResponse::build(status).finish();
    }
    HttpResponse::build(status)
        .content_type(answer.content_type)
        .body(answer.body)
}
