//! What the page shows: the board of a pipeline and the card of a deal.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::model::*;
use crate::world::World;

/// Most cards of one column.
const COLUMN_LIMIT: usize = 100;

#[derive(Deserialize)]
pub(crate) struct BoardQuery {
    pipeline_id: Option<i64>,
}

/// `GET board?pipeline_id`.
pub(crate) async fn board(world: Data<World>, query: Query<BoardQuery>) -> HttpResponse {
    let mut state = world.amocrm();
    let account = &*state.account();
    let chosen = query
        .pipeline_id
        .and_then(|id| account.pipeline(id))
        .or_else(|| account.main_pipeline());
    let Some(chosen) = chosen else {
        return HttpResponse::Ok().json(json!({"pipelines": [], "columns": []}));
    };
    let pipelines = account.pipelines.iter().map(|p| {
        let statuses: Vec<Value> = p
            .statuses
            .iter()
            .map(|s| json!({"id": s.id, "name": s.name}))
            .collect();
        json!({"id": p.id, "name": p.name, "statuses": statuses})
    });
    let columns = chosen.statuses.iter().map(|s| {
        let here = |l: &&Entity| !l.is_deleted && (l.pipeline_id, l.status_id) == (chosen.id, s.id);
        let all: Vec<&Entity> = account.leads.values().rev().filter(here).collect();
        let cards: Vec<Value> = all
            .iter()
            .take(COLUMN_LIMIT)
            .map(|l| card_line(account, l))
            .collect();
        json!({"id": s.id, "name": s.name, "color": s.color, "is_unsorted": s.is_unsorted, "count": all.len(), "cards": cards})
    });
    HttpResponse::Ok().json(json!({
        "account": {"id": account.id, "subdomain": account.subdomain, "domain": account.domain()},
        "pipeline_id": chosen.id,
        "pipelines": pipelines.collect::<Vec<_>>(),
        "columns": columns.collect::<Vec<_>>(),
        "users": account.users.iter().map(|u| json!({"id": u.id, "name": u.name, "is_active": u.is_active})).collect::<Vec<_>>(),
        "hooks": account.hooks.iter().map(|h| json!({"destination": h.destination, "disabled": h.disabled})).collect::<Vec<_>>(),
    }))
}

fn card_line(account: &Account, lead: &Entity) -> Value {
    let contact = account
        .linked((Kind::Lead, lead.id), Kind::Contact)
        .first()
        .map(|(id, _)| *id);
    let contact = contact.and_then(|id| account.contacts.get(&id));
    json!({
        "id": lead.id, "name": lead.name, "price": lead.price_minor / 100, "status_id": lead.status_id,
        "contact": contact.map(|c| c.name.as_str()),
        "phone": contact.and_then(|c| phone(account, c)),
    })
}

fn phone(account: &Account, contact: &Entity) -> Option<String> {
    contact.text(account.field_by_code(Kind::Contact, "PHONE")?.id)
}

/// `GET card/{id}`.
pub(crate) async fn card(world: Data<World>, id: Path<i64>) -> HttpResponse {
    let mut state = world.amocrm();
    let account = &*state.account();
    let Some(lead) = account.alive(Kind::Lead, *id) else {
        return HttpResponse::NotFound().json(json!({"error": "unknown lead"}));
    };
    let mut out = card_line(account, lead);
    out["pipeline_id"] = json!(lead.pipeline_id);
    out["fields"] = fields(account, lead);
    let people = account.linked((Kind::Lead, lead.id), Kind::Contact).into_iter();
    let people = people.filter_map(|(id, _)| account.contacts.get(&id));
    out["contacts"] = people
        .map(|c| json!({"id": c.id, "name": c.name, "fields": fields(account, c)}))
        .collect();
    let name = |id: i64| {
        account
            .users
            .iter()
            .find(|u| u.id == id)
            .map_or("Робот", |u| u.name.as_str())
    };
    out["responsible"] = json!(name(lead.responsible_user_id));
    let tags = lead
        .tags
        .iter()
        .filter_map(|t| account.tags.iter().find(|tag| tag.id == *t));
    out["tags"] = tags.map(|t| json!(t.name)).collect();
    let notes = account
        .notes
        .values()
        .filter(|n| n.entity == (Kind::Lead, lead.id));
    out["notes"] = notes
        .map(|n| {
            let text = n.params.get("text").and_then(Value::as_str).map(str::to_owned);
            let text = text.unwrap_or_else(|| n.params.to_string());
            json!({"id": n.id, "type": n.note_type, "text": text, "at": n.created_at, "author": name(n.created_by)})
        })
        .collect();
    let tasks = account
        .tasks
        .values()
        .filter(|t| t.entity == Some((Kind::Lead, lead.id)));
    out["tasks"] = tasks
        .map(|t| json!({"id": t.id, "text": t.text, "is_completed": t.is_completed, "till": t.complete_till}))
        .collect();
    HttpResponse::Ok().json(out)
}

fn fields(account: &Account, entity: &Entity) -> Value {
    let known = entity.values.iter().filter(|(_, values)| !values.is_empty());
    let lines = known.filter_map(|(id, values)| {
        let field = account.field(*id)?;
        let texts: Vec<String> = values
            .iter()
            .filter_map(|v| v.get("value"))
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
            .collect();
        Some(json!({"id": id, "name": field.name, "type": field.field_type, "value": texts.join(", ")}))
    });
    Value::Array(lines.collect())
}
