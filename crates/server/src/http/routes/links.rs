//! Links between records of both CRMs.

use crate::http::access::{EventEditor, Viewer};
use crate::http::extract::{Of, page, paged};
use crate::http::problem::Problem;
use crate::http::story::Cards;
use actix_web::{HttpResponse, delete, get, put, web};
use api::Page;
use api::link::{EditLink, Link, LinkQuery};
use domain::id::LinkId;
use domain::record::RecordId;
use storage::links;

/// The longest id of a record.
const MAX_ID: usize = 64;

/// List links
///
/// Newest first; with `record`, those that name it on either side.
#[utoipa::path(tag = "Связи", params(LinkQuery), responses((status = 200, body = Page<Link>)))]
#[get("/links")]
pub async fn list_links(
    access: Viewer,
    query: web::Query<LinkQuery>,
) -> Result<web::Json<Page<Link>>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let rows = links::list(access.db(), access.workspace(), query.record.as_deref(), wanted).await?;
    let cards = Cards::of(&access).await?;
    Ok(web::Json(paged(
        rows,
        wanted,
        |row| row.id.0,
        |row| cards.link(&row),
    )))
}

/// Edit a link
///
/// Says which records are the same thing. A link names at least one record on each side.
#[utoipa::path(tag = "Связи", responses((status = 200, body = Link)))]
#[put("/links/{link}")]
pub async fn edit_link(
    access: EventEditor,
    Of(id): Of<LinkId>,
    form: web::Json<EditLink>,
) -> Result<web::Json<Link>, Problem> {
    let form = form.into_inner();
    let tx = access.db().begin().await?;
    let before = links::find(&tx, access.workspace(), id).await?;
    let mut link = before.clone();
    link.deal = checked("/deal_id", form.deal_id)?;
    link.contact = checked("/contact_id", form.contact_id)?;
    link.lead = checked("/lead_id", form.lead_id)?;
    link.lead_contact = checked("/lead_contact_id", form.lead_contact_id)?;
    if (link.deal.is_none() && link.contact.is_none()) || (link.lead.is_none() && link.lead_contact.is_none())
    {
        let detail = "укажите хотя бы одну запись с каждой стороны или удалите связь";
        return Err(Problem::invalid("", "one_sided", detail));
    }
    link.updated_at = access.now();
    links::save(&tx, &link).await?;
    let change = (Some(shown(&before)), Some(shown(&link)));
    access
        .record_in(&tx, "link.changed", ("link", id), change)
        .await?;
    tx.commit().await?;
    Ok(web::Json(Cards::of(&access).await?.link(&link)))
}

/// Delete a link
///
/// Neither record is touched; the next event looks for its counterpart anew.
#[utoipa::path(tag = "Связи", responses((status = 204)))]
#[delete("/links/{link}")]
pub async fn delete_link(access: EventEditor, Of(id): Of<LinkId>) -> Result<HttpResponse, Problem> {
    let tx = access.db().begin().await?;
    let before = links::find(&tx, access.workspace(), id).await?;
    links::delete(&tx, access.workspace(), id).await?;
    access
        .record_in(&tx, "link.deleted", ("link", id), (Some(shown(&before)), None))
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

fn shown(link: &links::Link) -> serde_json::Value {
    serde_json::json!({ "deal": link.deal, "contact": link.contact, "lead": link.lead,
        "lead_contact": link.lead_contact })
}

fn checked(pointer: &str, id: Option<String>) -> Result<Option<RecordId>, Problem> {
    match id.map(|id| id.trim().to_owned()) {
        None => Ok(None),
        Some(id) if id.is_empty() => Ok(None),
        Some(id)
            if id.len() <= MAX_ID
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            Ok(Some(RecordId(id)))
        }
        Some(_) => Err(Problem::invalid(
            pointer,
            "bad_id",
            "номер записи — до 64 латинских букв и цифр",
        )),
    }
}
