//! What a manager or an administrator does by hand.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Reply};
use super::call::Call;
use super::model::*;
use super::state::State;
use super::{entities, tasks, unsorted};

/// Runs API code in the name of a person, without token and rate.
pub(crate) fn as_manager(
    state: &mut State,
    user: Option<i64>,
    method: &str,
    body: &Value,
    run: impl FnOnce(&mut Call<'_>) -> Reply,
) -> Reply {
    let settings = state.settings.clone();
    let account = state.account();
    let admin = account
        .users
        .iter()
        .find(|u| u.is_admin && u.is_active)
        .map(|u| u.id);
    let base = format!("https://{}", account.domain());
    let body = body.to_string();
    let mut call = Call {
        account,
        settings: &settings,
        user_id: user.or(admin).unwrap_or_default(),
        is_admin: true,
        method,
        base: &base,
        path: "/api/v4/ui",
        query: Default::default(),
        body: body.as_bytes(),
    };
    run(&mut call)
}

fn wanted(body: &Value, key: &str) -> Result<i64, Answer> {
    body.get(key)
        .and_then(Value::as_i64)
        .ok_or_else(|| Answer::problem(400, &format!("{key} is required")))
}

fn word<'a>(body: &'a Value, key: &str) -> Result<&'a str, Answer> {
    body.get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Answer::problem(400, &format!("{key} is required")))
}

fn kind_of(body: &Value) -> Result<Kind, Answer> {
    let name = body.get("entity").and_then(Value::as_str).unwrap_or("leads");
    Kind::named(name).ok_or_else(|| Answer::problem(400, "entity is leads, contacts or companies"))
}

fn done(found: bool) -> Reply {
    if found {
        Ok(Answer::ok(json!({"ok": true})))
    } else {
        Err(Answer::not_found("Not found"))
    }
}

/// One action of a person. The body of `create` and `edit` is that of the API.
pub(crate) fn act(state: &mut State, action: &str, user: Option<i64>, body: &Value) -> Reply {
    match action {
        // A contact with phone and a deal, or any item of `/leads/complex`.
        "create" => {
            let item = json!([quick(state.account(), body)]);
            as_manager(state, user, "POST", &item, unsorted::complex)
        }
        "create-entity" => {
            let (kind, item) = (
                kind_of(body)?,
                json!([body.get("item").cloned().unwrap_or_default()]),
            );
            as_manager(state, user, "POST", &item, |call| {
                entities::collection(call, kind)
            })
        }
        "edit" => {
            let (kind, id) = (kind_of(body)?, wanted(body, "id")?);
            let item = body.get("set").cloned().unwrap_or_default();
            as_manager(state, user, "PATCH", &item, |call| {
                entities::single(call, kind, id)
            })
        }
        "move" => {
            let id = wanted(body, "id")?;
            let mut item = json!({"status_id": wanted(body, "status_id")?});
            if let Some(pipeline) = body.get("pipeline_id") {
                item["pipeline_id"] = pipeline.clone();
            }
            as_manager(state, user, "PATCH", &item, |call| {
                entities::single(call, Kind::Lead, id)
            })
        }
        "responsible" => {
            let (kind, id) = (kind_of(body)?, wanted(body, "id")?);
            let item = json!({"responsible_user_id": wanted(body, "responsible_user_id")?});
            as_manager(state, user, "PATCH", &item, |call| {
                entities::single(call, kind, id)
            })
        }
        "note" => {
            let (kind, id) = (kind_of(body)?, wanted(body, "id")?);
            let params = body
                .get("params")
                .cloned()
                .unwrap_or_else(|| json!({"text": body.get("text")}));
            let note_type = body.get("note_type").and_then(Value::as_str).unwrap_or("common");
            let item = json!([{"note_type": note_type, "params": params}]);
            as_manager(state, user, "POST", &item, |call| {
                super::notes::route(call, kind, Some(id), &[])
            })
        }
        "task" => as_manager(state, user, "POST", &json!([body]), |call| {
            tasks::route(call, &[])
        }),
        "complete-task" => {
            let id = wanted(body, "id")?.to_string();
            let item = json!({"is_completed": true, "result": {"text": body.get("text")}});
            as_manager(state, user, "PATCH", &item, |call| tasks::route(call, &[&id]))
        }
        "link" | "unlink" => {
            let (kind, id) = (kind_of(body)?, wanted(body, "id")?);
            let item = json!([body]);
            as_manager(state, user, "POST", &item, |call| {
                super::relations::links(call, kind, Some(id), action)
            })
        }
        "incoming" => as_manager(state, user, "POST", &json!([body]), |call| {
            unsorted::route(call, &["forms"])
        }),
        _ => administer(state, action, user, body),
    }
}

/// Actions that the API does not offer.
fn administer(state: &mut State, action: &str, user: Option<i64>, body: &Value) -> Reply {
    let account = state.account();
    let admin = account
        .users
        .iter()
        .find(|u| u.is_admin && u.is_active)
        .map(|u| u.id);
    let by = user.or(admin).unwrap_or_default();
    match action {
        "delete" => done(account.delete(kind_of(body)?, wanted(body, "id")?, by)),
        "restore" => done(account.restore(kind_of(body)?, wanted(body, "id")?, by)),
        "merge" => done(account.merge(kind_of(body)?, wanted(body, "id")?, wanted(body, "gone_id")?, by)),
        "delete-task" => done(account.delete_task(wanted(body, "id")?)),
        "accept" => {
            let status = body.get("status_id").and_then(Value::as_i64);
            done(account.accept_unsorted(word(body, "uid")?, status, by))
        }
        "decline" => done(account.decline_unsorted(word(body, "uid")?, by)),
        "deactivate-user" => done(account.set_user_active(wanted(body, "id")?, false)),
        "activate-user" => done(account.set_user_active(wanted(body, "id")?, true)),
        "add-user" => {
            let is_admin = body.get("is_admin").and_then(Value::as_bool).unwrap_or(false);
            let id = account.add_user(
                word(body, "name")?,
                word(body, "email").unwrap_or_default(),
                is_admin,
            );
            Ok(Answer::ok(json!({"id": id})))
        }
        "rename" => {
            account.rename(word(body, "subdomain")?);
            done(true)
        }
        "add-status" => {
            let color = body.get("color").and_then(Value::as_str).unwrap_or("#fffeb2");
            let id = account.add_status(wanted(body, "pipeline_id")?, word(body, "name")?, color);
            if id == 0 {
                done(false)
            } else {
                Ok(Answer::ok(json!({"id": id})))
            }
        }
        "remove-status" => done(account.remove_status(wanted(body, "pipeline_id")?, wanted(body, "id")?)),
        "add-field" => {
            let options = body
                .get("options")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let options: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
            let id = account.add_field(kind_of(body)?, word(body, "name")?, word(body, "type")?, &options);
            Ok(Answer::ok(json!({"id": id})))
        }
        "remove-field" => done(account.remove_field(wanted(body, "id")?)),
        "enable-hook" => done(account.enable_hook(word(body, "destination")?)),
        "install" => {
            let id = account.id;
            done(state.install(word(body, "client_id")?, id, by))
        }
        "uninstall" => {
            let id = account.id;
            state.uninstall(word(body, "client_id")?, id);
            done(true)
        }
        _ => Err(Answer::not_found("Unknown action")),
    }
}

/// `{name, phone, email, deal, price, pipeline_id, status_id}` as an item of `/leads/complex`; a body with
/// `_embedded` is one already.
fn quick(account: &Account, body: &Value) -> Value {
    if body.get("_embedded").is_some() {
        return body.clone();
    }
    let text = |key: &str| {
        body.get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|t| !t.is_empty())
    };
    let mut fields = Vec::new();
    for (key, code) in [("phone", "PHONE"), ("email", "EMAIL")] {
        if let Some(value) = text(key)
            && account.field_by_code(Kind::Contact, code).is_some()
        {
            fields.push(json!({"field_code": code, "values": [{"value": value, "enum_code": "WORK"}]}));
        }
    }
    let name = text("name").unwrap_or("Без имени");
    let mut item = json!({
        "name": text("deal").unwrap_or(name),
        "_embedded": {"contacts": [{"name": name, "custom_fields_values": fields}]},
    });
    for key in [
        "price",
        "pipeline_id",
        "status_id",
        "responsible_user_id",
        "custom_fields_values",
    ] {
        if let Some(value) = body.get(key).filter(|v| !v.is_null()) {
            item[key] = value.clone();
        }
    }
    item
}
