//! What an account is made of: its parameters, users, pipelines and loss reasons.

use serde_json::{Value, json};

use super::answer::{Answer, Faults, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft::{int, text};
use super::model::*;

/// Colours a status may be given.
const COLORS: [&str; 21] = [
    "#fffeb2", "#fffd7f", "#fff000", "#ffeab2", "#ffdc7f", "#ffce5a", "#ffdbdb", "#ffc8c8", "#ff8f92",
    "#d6eaff", "#c1e0ff", "#98cbff", "#ebffb1", "#deff81", "#87f2c0", "#f9deff", "#f3beff", "#ccc8f9",
    "#eb93ff", "#f2f3f4", "#e6e8ea",
];

/// `GET /api/v4/account`.
pub(crate) fn account(call: &Call<'_>) -> Reply {
    if call.method != "GET" {
        return Err(Answer::not_allowed());
    }
    let a = &*call.account;
    let admin = a.users.first().map_or(0, |u| u.id);
    let mut body = json!({
        "id": a.id, "name": a.name, "subdomain": a.subdomain, "current_user_id": call.user_id,
        "country": "RU", "currency": "RUB", "currency_symbol": "₽", "customers_mode": "unavailable",
        "is_unsorted_on": a.pipelines.iter().any(|p| p.is_unsorted_on), "is_loss_reason_enabled": true,
        "is_helpbot_enabled": false, "is_technical_account": false, "contact_name_display_order": 1,
        "created_at": 1_585_840_134, "created_by": admin, "updated_at": 1_589_472_711, "updated_by": admin,
        "mobile_feature_version": 0, "uuid": "824f3a59-0000-4edf-ba90-0b5593715d07",
        "_links": self_link(call.href("account")),
    });
    let root = [
        ("amojo_id", json!("f3c6340d-0000-4ad1-9f7e-c5e663599909")),
        ("version", json!(16)),
        ("drive_url", json!("https://drive-b.amocrm.ru")),
        ("is_api_filter_enabled", json!(a.is_api_filter_enabled)),
        (
            "invoices_settings",
            json!({"lang": "ru", "invoices_catalog_id": null}),
        ),
        (
            "entity_names",
            json!({"leads": {"ru": {"gender": "f", "plural_form": {"one": "сделка"}}}}),
        ),
    ];
    for (key, value) in root {
        if call.with(key) {
            body[key] = value;
        }
    }
    let types = a.task_types.iter().map(
        |(id, name, code)| json!({"id": id, "name": name, "color": null, "icon_id": null, "code": code}),
    );
    let embedded = [
        (
            "amojo_rights",
            json!({"can_direct": true, "can_create_groups": true}),
        ),
        (
            "users_groups",
            json!([{"id": 0, "name": "Отдел продаж", "uuid": null}]),
        ),
        ("task_types", Value::Array(types.collect())),
        (
            "datetime_settings",
            json!({
                "date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y", "short_time_pattern": "H:i",
                "date_format": "d.m.Y", "time_format": "H:i:s", "timezone": "Europe/Moscow",
                "timezone_offset": "+03:00",
            }),
        ),
    ];
    for (key, value) in embedded {
        if call.with(key) {
            body["_embedded"][key] = value;
        }
    }
    Ok(Answer::ok(body))
}

/// `GET /api/v4/users[/{id}]`, administrators only.
pub(crate) fn users(call: &Call<'_>, rest: &[&str]) -> Reply {
    call.admin_only()?;
    if call.method != "GET" {
        return Err(Answer::not_allowed());
    }
    match rest {
        [] => {
            let users: Vec<&User> = call.account.users.iter().collect();
            call.page("users", users, true, |user| user_shown(call, user))
        }
        [id] => {
            let user = id
                .parse()
                .ok()
                .and_then(|id: i64| call.account.users.iter().find(|u| u.id == id));
            user.map(|u| Answer::ok(user_shown(call, u)))
                .ok_or_else(|| Answer::not_found("User not found"))
        }
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn user_shown(call: &Call<'_>, user: &User) -> Value {
    let full = json!({"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"});
    let mut out = json!({
        "id": user.id, "name": user.name, "email": user.email, "lang": "ru",
        "rights": {
            "leads": full, "contacts": full, "companies": full, "tasks": {"edit": "A", "delete": "A"},
            "mail_access": false, "catalog_access": false, "status_rights": null, "is_admin": user.is_admin,
            "is_free": false, "is_active": user.is_active, "group_id": null, "role_id": null,
        },
        "_links": self_link(call.href(&format!("users/{}", user.id))),
    });
    if call.with("role") {
        out["_embedded"]["roles"] = json!([]);
    }
    if call.with("group") {
        out["_embedded"]["groups"] = json!([{"id": 0, "name": "Отдел продаж"}]);
    }
    out
}

/// Loss reasons as the API shows them.
pub(crate) fn loss_reasons(call: &Call<'_>) -> Vec<Value> {
    let show = |(id, name): &(i64, String)| {
        json!({
            "id": id, "name": name, "sort": 100_000, "created_at": 1_582_117_280, "updated_at": 1_582_117_280,
            "_links": self_link(call.href(&format!("leads/loss_reasons/{id}"))),
        })
    };
    call.account.loss_reasons.iter().map(show).collect()
}

/// `/api/v4/leads/loss_reasons[/{id}]`.
pub(crate) fn loss_reasons_route(call: &Call<'_>, rest: &[&str]) -> Reply {
    if call.method != "GET" {
        return Err(Answer::not_allowed());
    }
    let all = loss_reasons(call);
    match rest {
        [] => call.whole("loss_reasons", all),
        [id] => {
            let id: Option<i64> = id.parse().ok();
            let own = all.into_iter().find(|r| id.is_some() && r["id"].as_i64() == id);
            own.map(Answer::ok)
                .ok_or_else(|| Answer::not_found("Loss reason not found"))
        }
        _ => Err(Answer::not_found("Not Found")),
    }
}

/// `/api/v4/leads/pipelines…`.
pub(crate) fn pipelines(call: &mut Call<'_>, rest: &[&str]) -> Reply {
    if call.method != "GET" {
        call.admin_only()?;
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| Answer::not_found("Not Found"));
    match rest {
        [] => match call.method {
            "GET" => {
                let all = call
                    .account
                    .pipelines
                    .iter()
                    .map(|p| pipeline_shown(call, p))
                    .collect();
                call.whole("pipelines", all)
            }
            "POST" => add_pipelines(call),
            _ => Err(Answer::not_allowed()),
        },
        [id] => one_pipeline(call, number(id)?),
        [id, "statuses"] => statuses(call, number(id)?),
        [id, "statuses", status] => one_status(call, number(id)?, number(status)?),
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn find(call: &Call<'_>, id: i64) -> Result<usize, Answer> {
    let at = call.account.pipelines.iter().position(|p| p.id == id);
    at.ok_or_else(|| Answer::not_found("Pipeline not found"))
}

fn pipeline_shown(call: &Call<'_>, p: &Pipeline) -> Value {
    let statuses: Vec<Value> = p.statuses.iter().map(|s| status_shown(call, p.id, s)).collect();
    json!({
        "id": p.id, "name": p.name, "sort": p.sort, "is_main": p.is_main, "is_unsorted_on": p.is_unsorted_on,
        "is_archive": false, "account_id": call.account.id,
        "_links": self_link(call.href(&format!("leads/pipelines/{}", p.id))),
        "_embedded": {"statuses": statuses},
    })
}

fn status_shown(call: &Call<'_>, pipeline: i64, s: &Status) -> Value {
    json!({
        "id": s.id, "name": s.name, "sort": s.sort, "is_editable": !s.is_unsorted && s.id > 143,
        "pipeline_id": pipeline, "color": s.color, "type": u8::from(s.is_unsorted),
        "account_id": call.account.id,
        "_links": self_link(call.href(&format!("leads/pipelines/{pipeline}/statuses/{}", s.id))),
    })
}

fn add_pipelines(call: &mut Call<'_>) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    if call.account.pipelines.len() + items.len() > 50 {
        return Err(Answer::problem(400, "Pipelines limit exceeded"));
    }
    let mut faults = Faults::default();
    for (index, item) in items.iter().enumerate() {
        if text(item, "name", "", &mut faults).is_none() {
            faults.missing("name");
        }
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut made = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let name = item
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let id = call.account.add_pipeline(&name);
        let wanted = item
            .get("_embedded")
            .and_then(|e| e.get("statuses"))
            .and_then(Value::as_array);
        for status in wanted.into_iter().flatten() {
            let name = status.get("name").and_then(Value::as_str).unwrap_or_default();
            let color = status.get("color").and_then(Value::as_str).unwrap_or(COLORS[0]);
            match status.get("id").and_then(Value::as_i64) {
                Some(known @ (142 | 143)) => call.account.rename_status(id, known, name),
                _ => drop(call.account.add_status(id, name, color)),
            }
        }
        if let Some(pipeline) = call.account.pipeline(id) {
            let mut shown = pipeline_shown(call, pipeline);
            shown["request_id"] = request_id(item, index);
            made.push(shown);
        }
    }
    call.whole("pipelines", made)
}

fn one_pipeline(call: &mut Call<'_>, id: i64) -> Reply {
    let at = find(call, id)?;
    match call.method {
        "GET" => {}
        "PATCH" => {
            let item = call.object()?;
            let mut faults = Faults::default();
            let (name, sort) = (
                text(&item, "name", "", &mut faults),
                int(&item, "sort", "", &mut faults),
            );
            faults.end_item(request_id(&item, 0));
            faults.check()?;
            if item.get("is_main").and_then(Value::as_bool) == Some(true) {
                call.account
                    .pipelines
                    .iter_mut()
                    .for_each(|p| p.is_main = p.id == id);
            }
            let pipeline = &mut call.account.pipelines[at];
            pipeline.name = name.unwrap_or_else(|| pipeline.name.clone());
            pipeline.sort = sort.unwrap_or(pipeline.sort);
            let unsorted = item.get("is_unsorted_on").and_then(Value::as_bool);
            pipeline.is_unsorted_on = unsorted.unwrap_or(pipeline.is_unsorted_on);
        }
        "DELETE" => {
            let used = call
                .account
                .leads
                .values()
                .any(|l| l.pipeline_id == id && !l.is_deleted);
            if used || call.account.pipelines.len() == 1 {
                return Err(Answer::problem(400, "Pipeline can not be deleted"));
            }
            call.account.pipelines.remove(at);
            return Ok(Answer::ok(json!({})));
        }
        _ => return Err(Answer::not_allowed()),
    }
    Ok(Answer::ok(pipeline_shown(call, &call.account.pipelines[at])))
}

fn statuses(call: &mut Call<'_>, pipeline: i64) -> Reply {
    let at = find(call, pipeline)?;
    match call.method {
        "GET" => {
            let list = &call.account.pipelines[at].statuses;
            call.whole(
                "statuses",
                list.iter().map(|s| status_shown(call, pipeline, s)).collect(),
            )
        }
        "POST" => {
            let items = call.items(BATCH_LIMIT)?;
            let mut faults = Faults::default();
            for (index, item) in items.iter().enumerate() {
                if text(item, "name", "", &mut faults).is_none() {
                    faults.missing("name");
                }
                let color = text(item, "color", "", &mut faults);
                if color.is_some_and(|c| !COLORS.contains(&c.as_str())) {
                    faults.not_supported("color");
                }
                faults.end_item(request_id(item, index));
            }
            faults.check()?;
            if call.account.pipelines[at].statuses.len() + items.len() > 100 {
                return Err(Answer::problem(400, "Statuses limit exceeded"));
            }
            let mut made = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                let color = item.get("color").and_then(Value::as_str).unwrap_or(COLORS[0]);
                let id = call.account.add_status(pipeline, name, color);
                if let Some(status) = call.account.pipelines[at].status(id) {
                    let mut shown = status_shown(call, pipeline, status);
                    shown["request_id"] = request_id(item, index);
                    made.push(shown);
                }
            }
            call.whole("statuses", made)
        }
        _ => Err(Answer::not_allowed()),
    }
}

fn one_status(call: &mut Call<'_>, pipeline: i64, id: i64) -> Reply {
    let at = find(call, pipeline)?;
    let Some(place) = call.account.pipelines[at]
        .statuses
        .iter()
        .position(|s| s.id == id)
    else {
        return Err(Answer::not_found("Status not found"));
    };
    match call.method {
        "GET" => {}
        "PATCH" => {
            let item = call.object()?;
            let mut faults = Faults::default();
            let (name, color) = (
                text(&item, "name", "", &mut faults),
                text(&item, "color", "", &mut faults),
            );
            if color.as_ref().is_some_and(|c| !COLORS.contains(&c.as_str())) {
                faults.not_supported("color");
            }
            faults.end_item(request_id(&item, 0));
            faults.check()?;
            let status = &mut call.account.pipelines[at].statuses[place];
            status.name = name.unwrap_or_else(|| status.name.clone());
            status.color = color.unwrap_or_else(|| status.color.clone());
        }
        "DELETE" => {
            if !call.account.remove_status(pipeline, id) {
                return Err(Answer::problem(400, "Status can not be deleted"));
            }
            return Ok(Answer::ok(json!({})));
        }
        _ => return Err(Answer::not_allowed()),
    }
    Ok(Answer::ok(status_shown(
        call,
        pipeline,
        &call.account.pipelines[at].statuses[place],
    )))
}
