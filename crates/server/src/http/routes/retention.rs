//! How long things are kept.

use crate::http::access::{Owner, Viewer};
use crate::http::problem::Problem;
use actix_web::{get, put, web};
use api::retention::{PutRetention, Retention};
use engine::retention::{Kept, SHORTEST_BODIES_DAYS, SHORTEST_HISTORY_DAYS};
use storage::retention::Wish;

/// Get how long things are kept
///
/// What is older goes by itself, a little at a time.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Retention)))]
#[get("/retention")]
pub async fn get_retention(access: Viewer) -> Result<web::Json<Retention>, Problem> {
    let (kept, most) = access.kept().await?;
    Ok(web::Json(answer(kept, most)))
}

/// Set how long things are kept
///
/// Never longer than the installation allows: more is cut to that.
#[utoipa::path(tag = "Кабинет", responses((status = 200, body = Retention)))]
#[put("/retention")]
pub async fn put_retention(
    access: Owner,
    form: web::Json<PutRetention>,
) -> Result<web::Json<Retention>, Problem> {
    at_least("/bodies_days", form.bodies_days, SHORTEST_BODIES_DAYS)?;
    at_least("/history_days", form.history_days, SHORTEST_HISTORY_DAYS)?;
    let wish = Wish {
        bodies_days: form.bodies_days,
        history_days: form.history_days,
    };
    let retention = access.retention();
    let kept = retention.wish(access.workspace(), wish, access.actor()).await?;
    Ok(web::Json(answer(kept, retention.most())))
}

fn at_least(pointer: &str, days: Option<u16>, least: u16) -> Result<(), Problem> {
    match days {
        Some(days) if days < least => {
            let text = format!("Меньше {least} дн. хранить нельзя: укажите больше или оставьте пустым");
            Err(Problem::invalid(pointer, "too_short", text))
        }
        _ => Ok(()),
    }
}

fn answer(kept: Kept, most: Kept) -> Retention {
    Retention {
        bodies_days: kept.bodies_days,
        history_days: kept.history_days,
        most_bodies_days: most.bodies_days,
        most_history_days: most.history_days,
    }
}
