//! The workspace, the people in it, its figures and its audit log.

use crate::csv;
use crate::http::access::{Caller, Owner, Viewer};
use crate::http::convert;
use crate::http::extract::{page, paged};
use crate::http::problem::Problem;
use crate::http::story::Cards;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use api::Page;
use api::audit::{AuditEntry, AuditQuery, AuditVerification};
use api::panel::{Panel, PanelQuery, PanelStep, Period};
use api::workspace::{Member, Membership, Workspace};
use domain::delivery::DeliveryState;
use domain::time::Timestamp;
use storage::audit::AuditFilter;
use storage::counts::{self, StepCount, Took};
use storage::deliveries::DeliveryFilter;
use storage::{PageOf, accounts, audit, deliveries, figures};

/// Lines of an export at most.
const N_EXPORTED: u64 = 10_000;
/// Failures shown on the panel.
const N_FAILURES: u64 = 10;
/// Deliveries whose time is looked at.
const N_LATENCIES: u64 = 5_000;

/// List the caller's workspaces
///
/// A person may be in several; an API key is in one.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Page<Membership>)))]
#[get("/workspaces")]
pub async fn list_workspaces(caller: Caller) -> Result<web::Json<Page<Membership>>, Problem> {
    let all = caller.workspaces().await?;
    Ok(web::Json(Page::whole(
        all.into_iter().map(convert::membership).collect(),
    )))
}

/// Get the workspace
///
/// The one that the request is about.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Workspace)))]
#[get("/workspace")]
pub async fn get_workspace(access: Viewer) -> Result<web::Json<Workspace>, Problem> {
    let found = accounts::workspace(access.db(), access.workspace()).await?;
    Ok(web::Json(convert::workspace(found)))
}

/// List the people of the workspace
///
/// With their roles, in the order in which they came.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Page<Member>)))]
#[get("/members")]
pub async fn list_members(access: Viewer) -> Result<web::Json<Page<Member>>, Problem> {
    let members = accounts::members(access.db(), access.workspace()).await?;
    Ok(web::Json(Page::whole(
        members.into_iter().map(convert::member).collect(),
    )))
}

/// List audit entries
///
/// Who changed what, newest first.
#[utoipa::path(tag = "Кабинет", params(AuditQuery), responses((status = 200, body = Page<AuditEntry>)))]
#[get("/audit")]
pub async fn list_audit_entries(
    access: Viewer,
    query: web::Query<AuditQuery>,
) -> Result<web::Json<Page<AuditEntry>>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let entries = audit::list(access.db(), access.workspace(), &audit_filter(&query), wanted).await?;
    Ok(web::Json(paged(
        entries,
        wanted,
        |entry| entry.id.0,
        convert::audit_entry,
    )))
}

fn audit_filter(query: &AuditQuery) -> AuditFilter {
    AuditFilter {
        subject_kind: query.subject_kind.clone(),
        subject_id: query.subject_id.clone(),
        actor_id: query.actor,
        action: query.action.clone(),
        from: query.from.map(Timestamp),
        to: query.to.map(Timestamp),
        order: convert::order(query.order),
    }
}

/// Export audit entries
///
/// The same as a table (CSV with a byte order mark, for Excel), at most 10,000 lines. No cell can begin a formula.
#[utoipa::path(tag = "Кабинет", params(AuditQuery), responses((status = 200, body = String, content_type = "text/csv")))]
#[get("/audit.csv")]
pub async fn export_audit(access: Viewer, query: web::Query<AuditQuery>) -> Result<HttpResponse, Problem> {
    let page = PageOf {
        limit: N_EXPORTED,
        before: None,
    };
    let entries = audit::list(access.db(), access.workspace(), &audit_filter(&query), page).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""))
        .body(csv::audit(&entries)))
}

/// Verify the audit log
///
/// Walks along its chain: an entry that was changed or taken away shows.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = AuditVerification)))]
#[get("/audit/verification")]
pub async fn verify_audit(access: Owner) -> Result<web::Json<AuditVerification>, Problem> {
    let found = audit::verify(access.db(), access.workspace()).await?;
    Ok(web::Json(AuditVerification {
        n_entries: found.n_entries,
        head: found.head,
        broken_at: found.broken_at,
    }))
}

/// Get the figures of a period
///
/// Events, deliveries, latency, and the failures that need a person.
#[utoipa::path(tag = "Кабинет", params(PanelQuery), responses((status = 200, body = Panel)))]
#[get("/panel")]
pub async fn get_panel(access: Viewer, query: web::Query<PanelQuery>) -> Result<web::Json<Panel>, Problem> {
    let (db, workspace) = (access.db(), access.workspace());
    let (from, to, step_ms, n_steps) = span(query.period, access.now());
    let figures = figures::figures(db, workspace, from).await?;
    let steps = counts::steps(db, workspace, from, step_ms, n_steps).await?;
    let took = counts::latencies(db, workspace, from, N_LATENCIES).await?;
    let times = ascending(took.iter());
    let dead = DeliveryFilter {
        states: vec![DeliveryState::Dead],
        ..DeliveryFilter::default()
    };
    let first = PageOf {
        limit: N_FAILURES,
        before: None,
    };
    let failures = deliveries::list(db, workspace, &dead, first).await?;
    let cards = Cards::of(&access).await?;
    let count = i64::unsigned_abs;
    Ok(web::Json(Panel {
        from,
        to,
        n_events: count(figures.n_events),
        n_matched: count(figures.n_matched),
        n_delivered: count(figures.n_delivered),
        n_dead: count(figures.n_dead),
        n_waiting: count(figures.n_waiting) + count(figures.n_uncertain),
        latency_p50_ms: quantile(&times, 50),
        latency_p95_ms: quantile(&times, 95),
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(at, count)| step(from.plus_ms(step_ms * at as i64), step_ms, count, &took))
            .collect(),
        failures: failures
            .into_iter()
            .map(|delivery| cards.delivery(delivery))
            .collect(),
    }))
}

/// Start, end, length and number of the steps of a period that ends with the step of now.
fn span(period: Period, now: Timestamp) -> (Timestamp, Timestamp, i64, usize) {
    const MINUTE: i64 = 60_000;
    let step = match period {
        Period::Hour => 2 * MINUTE,
        Period::Day => 60 * MINUTE,
        Period::Week => 6 * 60 * MINUTE,
        Period::Month => 24 * 60 * MINUTE,
    };
    let n_steps = period.length_ms() / step;
    let to = Timestamp((now.0.div_euclid(step) + 1) * step);
    (
        to.plus_ms(-period.length_ms()),
        to,
        step,
        usize::try_from(n_steps).unwrap_or(0),
    )
}

fn step(from: Timestamp, step_ms: i64, count: StepCount, took: &[Took]) -> PanelStep {
    let within = |took: &&Took| (0..step_ms).contains(&(took.finished_at.0 - from.0));
    PanelStep {
        from,
        n_events: count.n_events,
        n_delivered: count.n_delivered,
        n_skipped: count.n_skipped,
        n_dead: count.n_dead,
        latency_p50_ms: quantile(&ascending(took.iter().filter(within)), 50),
    }
}

fn ascending<'a>(took: impl Iterator<Item = &'a Took>) -> Vec<i64> {
    let mut times: Vec<i64> = took.map(|took| took.ms).collect();
    times.sort_unstable();
    times
}

/// The value that so many of a hundred do not exceed, in an ascending list.
fn quantile(ascending: &[i64], percent: usize) -> Option<i64> {
    let at = (ascending.len() * percent).div_ceil(100).checked_sub(1)?;
    ascending.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_few_values() {
        assert_eq!(quantile(&[], 50), None);
        assert_eq!(quantile(&[7], 95), Some(7));
        assert_eq!(quantile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(quantile(&(1..=100).collect::<Vec<_>>(), 95), Some(95));
    }

    #[test]
    fn a_period_is_whole_steps_and_ends_after_now() {
        for period in [Period::Hour, Period::Day, Period::Week, Period::Month] {
            let now = Timestamp(1_764_000_123_456);
            let (from, to, step, n_steps) = span(period, now);
            assert_eq!(to.0 - from.0, step * n_steps as i64);
            assert!(to > now && to.0 - now.0 <= step);
        }
    }
}
