//! The chronicle of one deal across both CRMs.

use crate::http::access::Viewer;
use crate::http::extract::{page, paged};
use crate::http::problem::Problem;
use crate::http::story::Cards;
use actix_web::{get, web};
use api::chronicle::{Chronicle, ChronicleQuery};
use api::problem::ProblemType;
use domain::record::RecordKind;
use storage::chronicle::{self, Together};
use storage::events::{self, EventFilter};

/// Get a chronicle
///
/// Everything that happened to a deal and its counterparts: events, the rules that looked at them, what was done,
/// and for each echo the write that caused it.
#[utoipa::path(tag = "События", params(ChronicleQuery), responses((status = 200, body = Chronicle)))]
#[get("/chronicle")]
pub async fn get_chronicle(
    access: Viewer,
    query: web::Query<ChronicleQuery>,
) -> Result<web::Json<Chronicle>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let named = (query.record.as_deref(), query.phone.as_deref());
    let Some(together) = together(&access, named, query.record_kind).await? else {
        let detail = "Назовите номер записи (record) или телефон (phone)";
        return Err(Problem::new(ProblemType::BadRequest, detail));
    };
    let filter = EventFilter {
        records: Some(together.records.clone()),
        ..EventFilter::default()
    };
    let rows = events::list(access.db(), access.workspace(), &filter, wanted).await?;
    let cards = Cards::of(&access).await?;
    let items = cards.chronicle(&rows).await?;
    let paged = paged(items, wanted, |item| item.event.id.0, |item| item);
    Ok(web::Json(Chronicle {
        records: cards.placed(&together.records).await?,
        links: together.links.iter().map(|link| cards.link(link)).collect(),
        items: paged.items,
        next: paged.next,
    }))
}

/// The records that are asked for; none when neither an id nor a phone is named.
pub async fn together(
    access: &Viewer,
    (record, phone): (Option<&str>, Option<&str>),
    kind: Option<RecordKind>,
) -> Result<Option<Together>, Problem> {
    let named = |text: Option<&str>| {
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (db, workspace) = (access.db(), access.workspace());
    if let Some(id) = named(record) {
        return Ok(Some(chronicle::of_record(db, workspace, &id, kind).await?));
    }
    let Some(text) = named(phone) else {
        return Ok(None);
    };
    let mut all = Together::default();
    for phone in domain::phone::normalise(&text) {
        let found = chronicle::of_phone(db, workspace, &phone).await?;
        all.records.extend(found.records);
        all.links.extend(found.links);
    }
    Ok(Some(all))
}
