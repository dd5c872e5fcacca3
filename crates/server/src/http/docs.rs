//! The OpenAPI document and a page to read it, without the internet.

use crate::openapi;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds the pages; they are not part of the document they show.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(document)
        .service(page)
        .service(script)
        .service(style);
}

#[get("/api/v1/openapi.json")]
async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(openapi::text())
}

#[get("/api/docs")]
async fn page() -> HttpResponse {
    asset("text/html; charset=utf-8", include_str!("../docs/index.html"))
}

#[get("/api/docs/viewer.js")]
async fn script() -> HttpResponse {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../docs/viewer.js"),
    )
}

#[get("/api/docs/viewer.css")]
async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", include_str!("../docs/viewer.css"))
}

fn asset(kind: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(text)
}
