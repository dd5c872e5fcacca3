//! The control API below `/_sandbox/` and the page at `/`, on both ports.

use std::time::Duration;

use actix_web::web::{self, Bytes, Data, Json, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use futures::stream;
use serde::Deserialize;
use serde_json::json;

use crate::emitter::Modes;
use crate::fault::Fault;
use crate::journal::{EntryKind, Side};
use crate::world::World;
use crate::{amocrm, lptracker};

/// Mounts everything that belongs to no CRM.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::scope("/_sandbox")
            .route("/health", web::get().to(health))
            .route("/reset", web::post().to(reset))
            .route("/clock", web::get().to(clock))
            .route("/clock", web::post().to(set_clock))
            .route("/faults", web::get().to(list_faults))
            .route("/faults", web::post().to(add_faults))
            .route("/faults", web::delete().to(clear_faults))
            .route("/journal", web::get().to(journal))
            .route("/journal", web::delete().to(clear_journal))
            .route("/journal/stream", web::get().to(journal_stream))
            .route("/webhooks/idle", web::post().to(webhooks_idle))
            .route("/webhooks/idle", web::get().to(webhooks_idle))
            .route("/webhooks/flush", web::post().to(webhooks_flush))
            .route("/webhooks/modes", web::get().to(modes))
            .route("/webhooks/modes", web::post().to(set_modes))
            .service(web::scope("/amocrm").configure(amocrm::control))
            .service(web::scope("/lptracker").configure(lptracker::control)),
    )
    .route("/", web::get().to(page))
    .route(
        "/favicon.ico",
        web::get().to(|| async { HttpResponse::NoContent().finish() }),
    )
    .route("/_sandbox_page.js", web::get().to(page_script))
    .route("/_sandbox_page.css", web::get().to(page_style));
}

async fn page() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(include_str!("page/index.html"))
}

async fn page_script() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(include_str!("page/page.js"))
}

async fn page_style() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("page/page.css"))
}

async fn health() -> impl Responder {
    Json(json!({"status": "ok"}))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reset {
    demo: bool,
}

async fn reset(world: Data<World>, body: Bytes) -> impl Responder {
    let reset: Reset = if body.is_empty() {
        Reset::default()
    } else {
        match serde_json::from_slice(&body) {
            Ok(reset) => reset,
            Err(error) => return bad(&error.to_string()),
        }
    };
    world.reset(reset.demo);
    HttpResponse::Ok().json(json!({"demo": reset.demo}))
}

async fn clock(world: Data<World>) -> impl Responder {
    Json(clock_json(&world))
}

fn clock_json(world: &World) -> serde_json::Value {
    json!({"now": world.clock.now(), "now_ms": world.clock.now_ms(), "frozen": world.clock.is_frozen()})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    #[serde(default)]
    advance_ms: u64,
    #[serde(default)]
    advance_s: u64,
    frozen: Option<bool>,
}

async fn set_clock(world: Data<World>, set: Json<SetClock>) -> impl Responder {
    match set.frozen {
        Some(true) => world.clock.freeze(),
        Some(false) => world.clock.unfreeze(),
        None => {}
    }
    world
        .clock
        .advance(Duration::from_millis(set.advance_ms) + Duration::from_secs(set.advance_s));
    Json(clock_json(&world))
}

async fn list_faults(world: Data<World>) -> impl Responder {
    Json(world.faults.list())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Fault>),
    One(Fault),
}

async fn add_faults(world: Data<World>, faults: Json<OneOrMany>) -> impl Responder {
    match faults.into_inner() {
        OneOrMany::One(fault) => world.faults.add(fault),
        OneOrMany::Many(faults) => faults.into_iter().for_each(|fault| world.faults.add(fault)),
    }
    Json(world.faults.list())
}

async fn clear_faults(world: Data<World>) -> impl Responder {
    world.faults.clear();
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct JournalFilter {
    #[serde(default)]
    since: u64,
    side: Option<Side>,
    #[serde(default)]
    writes: bool,
    kind: Option<EntryKind>,
    limit: Option<usize>,
}

async fn journal(world: Data<World>, filter: Query<JournalFilter>) -> impl Responder {
    let mut entries = world.journal.since(filter.since);
    entries.retain(|e| {
        filter.side.is_none_or(|side| e.side == side)
            && filter.kind.is_none_or(|kind| e.kind == kind)
            && (!filter.writes || e.write)
    });
    if let Some(limit) = filter.limit {
        entries.drain(..entries.len().saturating_sub(limit));
    }
    let per_side = |side| json!({"peak_rate": world.journal.peak_rate(side), "answers_429": world.journal.count_status(side, 429)});
    Json(json!({
        "entries": entries,
        "last_seq": world.journal.last_seq(),
        "amocrm": per_side(Side::Amocrm),
        "lptracker": per_side(Side::Lptracker),
    }))
}

async fn clear_journal(world: Data<World>) -> impl Responder {
    world.journal.clear();
    HttpResponse::NoContent().finish()
}

async fn journal_stream(world: Data<World>) -> impl Responder {
    let feed = world.journal.subscribe();
    let events = stream::unfold(feed, |mut feed| async move {
        loop {
            match feed.recv().await {
                Ok(entry) => {
                    let text = serde_json::to_string(&entry).unwrap_or_default();
                    let chunk = Bytes::from(format!("data: {text}\n\n"));
                    return Some((Ok::<_, actix_web::Error>(chunk), feed));
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
            }
        }
    });
    let hello = stream::once(async { Ok(Bytes::from_static(b": open\n\n")) });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(futures::StreamExt::chain(hello, events))
}

#[derive(Deserialize)]
struct IdleQuery {
    timeout_ms: Option<u64>,
}

async fn webhooks_idle(world: Data<World>, query: Query<IdleQuery>) -> impl Responder {
    let limit = Duration::from_millis(query.timeout_ms.unwrap_or(10_000));
    let idle = world.emitter.idle(&world, limit).await;
    let body =
        json!({"idle": idle, "queued": world.emitter.queued(), "next_due_ms": world.emitter.next_due_ms()});
    if idle {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::RequestTimeout().json(body)
    }
}

async fn webhooks_flush(world: Data<World>, query: Query<IdleQuery>) -> impl Responder {
    world.emitter.hurry();
    webhooks_idle(world, query).await
}

async fn modes(world: Data<World>) -> impl Responder {
    Json(modes_json(&world))
}

fn modes_json(world: &World) -> serde_json::Value {
    json!({"amocrm": world.emitter.modes(Side::Amocrm), "lptracker": world.emitter.modes(Side::Lptracker)})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetModes {
    side: Side,
    modes: Modes,
}

async fn set_modes(world: Data<World>, set: Json<SetModes>) -> impl Responder {
    let set = set.into_inner();
    world.emitter.set_modes(set.side, set.modes, world.clock.now_ms());
    Json(modes_json(&world))
}

/// 400 of the control API.
pub(crate) fn bad(detail: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({"error": detail}))
}
