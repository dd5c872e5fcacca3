//! The history of changes, read only.

use serde_json::{Value, json};

use super::answer::{Answer, Reply, self_link};
use super::call::Call;
use super::model::*;

/// Type keys and their texts.
const TYPES: [(&str, &str); 39] = [
    ("lead_added", "Новая сделка"),
    ("lead_deleted", "Сделка удалена"),
    ("lead_restored", "Сделка восстановлена"),
    ("lead_status_changed", "Изменение этапа продажи"),
    ("lead_linked", "Прикрепление сделки"),
    ("lead_unlinked", "Открепление сделки"),
    ("contact_added", "Новый контакт"),
    ("contact_deleted", "Контакт удалён"),
    ("contact_restored", "Контакт восстановлен"),
    ("contact_linked", "Прикрепление контакта"),
    ("contact_unlinked", "Открепление контакта"),
    ("company_added", "Новая компания"),
    ("company_deleted", "Компания удалена"),
    ("company_restored", "Компания восстановлена"),
    ("company_linked", "Прикрепление компании"),
    ("task_added", "Новая задача"),
    ("task_completed", "Завершение задачи"),
    ("task_result_added", "Добавлен результат задачи"),
    ("task_text_changed", "Изменение текста задачи"),
    ("task_deadline_changed", "Изменение даты исполнения"),
    ("incoming_call", "Входящий звонок"),
    ("outgoing_call", "Исходящий звонок"),
    ("incoming_sms", "Входящее SMS"),
    ("outgoing_sms", "Исходящее SMS"),
    ("incoming_chat_message", "Входящее сообщение"),
    ("outgoing_chat_message", "Исходящее сообщение"),
    ("entity_tag_added", "Теги добавлены"),
    ("entity_tag_deleted", "Теги убраны"),
    ("entity_linked", "Прикрепление"),
    ("entity_unlinked", "Открепление"),
    ("sale_field_changed", "Изменение поля «Бюджет»"),
    ("name_field_changed", "Изменение поля «Название»"),
    ("custom_field_value_changed", "Изменение поля"),
    ("entity_responsible_changed", "Ответственный изменён"),
    ("common_note_added", "Новое примечание"),
    ("common_note_deleted", "Примечание удалено"),
    ("service_note_added", "Новое системное примечание"),
    ("attachment_note_added", "Добавлен файл"),
    ("entity_merged", "Выполнено объединение"),
];

/// `/api/v4/events…`.
pub(crate) fn route(call: &Call<'_>, rest: &[&str]) -> Reply {
    if call.method != "GET" {
        return Err(Answer::not_allowed());
    }
    match rest {
        [] => list(call),
        ["types"] => {
            let types = TYPES
                .iter()
                .enumerate()
                .map(|(i, (key, text))| json!({"key": key, "type": i + 1, "lang": text}));
            call.whole("events_types", types.collect())
        }
        [id] => match call.account.events.iter().find(|e| e.id == *id) {
            Some(event) => Ok(Answer::ok(shown(call, event))),
            None => Ok(Answer::empty()),
        },
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn list(call: &Call<'_>) -> Reply {
    let q = &call.query;
    let ids = q.words(&["filter", "id"]);
    let types = q.words(&["filter", "type"]);
    let authors: Vec<i64> = q
        .words(&["filter", "created_by"])
        .iter()
        .filter_map(|w| w.parse().ok())
        .collect();
    let kinds = q.words(&["filter", "entity"]);
    let entities: Vec<i64> = q
        .words(&["filter", "entity_id"])
        .iter()
        .filter_map(|w| w.parse().ok())
        .collect();
    if authors.len() > 10 || entities.len() > 10 {
        return Err(Answer::problem(400, "Too many values in filter"));
    }
    if !entities.is_empty() && kinds.len() != 1 {
        return Err(Answer::problem(400, "Filter by entity_id needs one entity"));
    }
    let (mut from, mut to) = q.range(&["filter", "created_at"]);
    if let Some((a, b)) = q.get(&["filter", "created_at"]).and_then(|t| t.split_once(',')) {
        (from, to) = (a.trim().parse().ok(), b.trim().parse().ok());
    }
    let status = |side: &str| {
        let at = |key| q.int(&["filter", side, "leads_statuses", "0", key]);
        at("status_id").map(|status| (at("pipeline_id"), status))
    };
    let (before, after) = (status("value_before"), status("value_after"));
    let is_status = |value: &Value, wanted: (Option<i64>, i64)| {
        let found = &value[0]["lead_status"];
        found["id"] == json!(wanted.1) && wanted.0.is_none_or(|p| found["pipeline_id"] == json!(p))
    };
    let of_type = |e: &Event| {
        let custom = e.event_type.starts_with("custom_field_");
        types
            .iter()
            .any(|t| *t == e.event_type || (*t == "custom_field_value_changed" && custom))
    };
    let wanted = |e: &&Event| {
        (ids.is_empty() || ids.contains(&e.id.as_str()))
            && (types.is_empty() || of_type(e))
            && (authors.is_empty() || authors.contains(&e.created_by))
            && (kinds.is_empty() || kinds.contains(&e.entity_type))
            && (entities.is_empty() || entities.contains(&e.entity_id))
            && from.is_none_or(|from| e.created_at >= from)
            && to.is_none_or(|to| e.created_at <= to)
            && before.is_none_or(|w| is_status(&e.before, w))
            && after.is_none_or(|w| is_status(&e.after, w))
    };
    // Newest first, as in the documented sample.
    let found: Vec<&Event> = call.account.events.iter().rev().filter(wanted).collect();
    call.page("events", found, false, |e| shown(call, e))
}

fn shown(call: &Call<'_>, e: &Event) -> Value {
    let plural = Kind::named(e.entity_type).map_or("tasks", Kind::plural);
    let entity = call.href(&format!("{plural}/{}", e.entity_id));
    let mut out = json!({
        "id": e.id, "type": e.event_type, "entity_id": e.entity_id, "entity_type": e.entity_type,
        "created_by": e.created_by, "created_at": e.created_at, "value_after": e.after, "value_before": e.before,
        "account_id": call.account.id, "_links": self_link(call.href(&format!("events/{}", e.id))),
        "_embedded": {"entity": {"id": e.entity_id, "_links": self_link(entity)}},
    });
    if let Some(kind) = Kind::named(e.entity_type)
        && call.with(&format!("{}_name", e.entity_type))
    {
        let name = call
            .account
            .table(kind)
            .get(&e.entity_id)
            .map(|e| e.name.as_str());
        out["_embedded"]["entity"]["name"] = json!(name);
    }
    out
}
