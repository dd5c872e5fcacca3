//! Webhook subscriptions: management, sending, switching off.

use std::time::Duration;

use serde_json::{Value, json};

use super::account::{Account, Owed};
use super::answer::{Answer, Reply};
use super::call::Call;
use super::model::*;
use super::state::Settings;
use super::wire;
use crate::emitter::{Retry, Webhook};
use crate::journal::Side;

/// Event codes a subscription may name.
pub const CODES: [&str; 38] = [
    "add_lead",
    "update_lead",
    "delete_lead",
    "restore_lead",
    "status_lead",
    "responsible_lead",
    "note_lead",
    "add_contact",
    "update_contact",
    "delete_contact",
    "restore_contact",
    "responsible_contact",
    "note_contact",
    "add_company",
    "update_company",
    "delete_company",
    "restore_company",
    "responsible_company",
    "note_company",
    "add_customer",
    "update_customer",
    "delete_customer",
    "responsible_customer",
    "note_customer",
    "add_task",
    "update_task",
    "delete_task",
    "responsible_task",
    "add_talk",
    "update_talk",
    "add_message",
    "add_outgoing_message",
    "add_chat_template_review",
    "add_unsorted",
    "update_unsorted",
    "delete_unsorted",
    "add_catalog",
    "update_catalog",
];

const MINUTE: Duration = Duration::from_secs(60);
const TWO_HOURS_MS: i64 = 2 * 3600 * 1000;
const FIVE_MINUTES_MS: i64 = 5 * 60 * 1000;
/// More bad attempts than this in the window, the last one bad too: the hook is switched off.
const BAD_LIMIT: usize = 100;

/// `/api/v4/webhooks`, administrators only.
pub(crate) fn route(call: &mut Call<'_>, rest: &[&str]) -> Reply {
    if !rest.is_empty() {
        return Err(Answer::not_found("Not Found"));
    }
    if !call.is_admin {
        // Here a missing right is 401, unlike elsewhere.
        return Err(Answer::problem(401, "Неверный логин или пароль"));
    }
    match call.method {
        "GET" => list(call),
        "POST" => subscribe(call),
        "DELETE" => unsubscribe(call),
        _ => Err(Answer::not_allowed()),
    }
}

fn list(call: &Call<'_>) -> Reply {
    let wanted = call.query.get(&["filter", "destination"]);
    let hooks: Vec<Value> = call
        .account
        .hooks
        .iter()
        .filter(|h| wanted.is_none_or(|w| h.destination == w))
        .map(|h| shown(call.account, h))
        .collect();
    if hooks.is_empty() {
        return Ok(Answer::empty());
    }
    Ok(Answer::ok(
        json!({"_total_items": hooks.len(), "_embedded": {"webhooks": hooks}}),
    ))
}

fn subscribe(call: &mut Call<'_>) -> Reply {
    let body = call.object()?;
    let mut faults = super::answer::Faults::default();
    let destination = body
        .get("destination")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if destination.is_empty() {
        faults.missing("destination");
    } else if !destination.starts_with("http://") && !destination.starts_with("https://") {
        faults.not_supported("destination");
    }
    let mut settings = Vec::new();
    match body.get("settings").and_then(Value::as_array) {
        None => faults.missing("settings"),
        Some(codes) => {
            for (index, code) in codes.iter().enumerate() {
                match code.as_str().filter(|c| CODES.contains(c)) {
                    Some(code) => settings.push(code.to_owned()),
                    None => faults.not_supported(format!("settings.{index}")),
                }
            }
        }
    }
    let sort = body.get("sort").and_then(Value::as_i64);
    faults.end_item(json!("0"));
    faults.check()?;
    let now = call.account.now();
    let position = call
        .account
        .hooks
        .iter()
        .position(|h| h.destination == destination);
    let at = match position {
        Some(at) => {
            let hook = &mut call.account.hooks[at];
            hook.settings = settings;
            hook.updated_at = now;
            hook.sort = sort.unwrap_or(hook.sort);
            at
        }
        None if call.account.hooks.len() >= 100 => {
            return Err(Answer::problem(400, "Webhooks limit exceeded"));
        }
        None => {
            let id = call.account.next("hook");
            let sort = sort.unwrap_or(call.account.hooks.len() as i64 + 1);
            call.account.hooks.push(Subscription {
                id,
                destination,
                settings,
                sort,
                disabled: false,
                created_by: call.user_id,
                created_at: now,
                updated_at: now,
                failures_ms: Vec::new(),
            });
            call.account.hooks.len() - 1
        }
    };
    let status = if call.settings.webhook_post_201 { 201 } else { 200 };
    Ok(Answer::hal(status, shown(call.account, &call.account.hooks[at])))
}

fn unsubscribe(call: &mut Call<'_>) -> Reply {
    let body = call.object()?;
    let destination = body
        .get("destination")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let before = call.account.hooks.len();
    call.account.hooks.retain(|h| h.destination != destination);
    if call.account.hooks.len() == before {
        return Err(Answer::not_found("Webhook not found"));
    }
    Ok(Answer::empty())
}

/// A subscription as the API shows it.
pub(crate) fn shown(account: &Account, hook: &Subscription) -> Value {
    json!({
        "id": hook.id, "destination": hook.destination, "created_at": hook.created_at,
        "updated_at": hook.updated_at, "account_id": account.id, "created_by": hook.created_by,
        "sort": hook.sort, "disabled": hook.disabled, "settings": hook.settings,
    })
}

impl Account {
    /// Turns what is owed into deliveries.
    pub(crate) fn flush(&mut self, settings: &Settings) -> Vec<Webhook> {
        let mut owed = std::mem::take(&mut self.owed);
        if settings.modified_user_zero {
            for (key, value) in owed.iter_mut().flat_map(|o| o.item.iter_mut()) {
                if key == "[modified_user_id]" {
                    *value = "0".to_owned();
                }
            }
        }
        let mut out = Vec::new();
        if settings.bundle_hooks {
            for hook in self.hooks.iter().filter(|h| !h.disabled) {
                let facts: Vec<&Owed> = owed.iter().filter(|o| wants(hook, o)).collect();
                if !facts.is_empty() {
                    out.push(self.delivery(hook, &facts, settings));
                }
            }
        } else {
            for fact in &owed {
                for hook in self.hooks.iter().filter(|h| !h.disabled && wants(h, fact)) {
                    out.push(self.delivery(hook, &[fact], settings));
                }
            }
        }
        let now_ms = self.clock.now_ms();
        for fact in &owed {
            let Some(stage) = &fact.stage else { continue };
            for (index, hook) in self.stage_hooks.iter().enumerate() {
                let here = (hook.pipeline_id, hook.status_id) == (stage.pipeline_id, stage.status_id);
                if here && (hook.on_create || !stage.created) && hook.paused_until_ms <= now_ms {
                    let retry = |minutes| Retry {
                        after: MINUTE * minutes,
                        only_server_errors: false,
                    };
                    let schedule = vec![retry(5), retry(15), retry(30)];
                    let tag = format!("dp:{}:{index}", self.id);
                    let body = wire::stage_body(self, fact);
                    out.push(webhook(&hook.url, body, schedule, tag, settings));
                }
            }
        }
        out
    }

    fn delivery(&self, hook: &Subscription, facts: &[&Owed], settings: &Settings) -> Webhook {
        let retry = |minutes, only_server_errors| Retry {
            after: MINUTE * minutes,
            only_server_errors,
        };
        let schedule = vec![
            retry(5, false),
            retry(15, false),
            retry(15, true),
            retry(60, true),
        ];
        let body = wire::body(self, facts, settings.account_block_last);
        webhook(
            &hook.destination,
            body,
            schedule,
            format!("hook:{}:{}", self.id, hook.id),
            settings,
        )
    }

    /// Notes how an attempt to a subscription of this account ended.
    pub(crate) fn attempt_ended(&mut self, kind: &str, id: i64, good: bool) {
        let now_ms = self.clock.now_ms();
        if kind == "hook" {
            let Some(hook) = self.hooks.iter_mut().find(|h| h.id == id) else {
                return;
            };
            if !good {
                hook.failures_ms.push(now_ms);
                hook.failures_ms.retain(|at| *at > now_ms - TWO_HOURS_MS);
                hook.disabled |= hook.failures_ms.len() > BAD_LIMIT;
            }
        } else if let Some(hook) = self
            .stage_hooks
            .get_mut(usize::try_from(id).unwrap_or(usize::MAX))
            && !good
        {
            hook.failures_ms.push(now_ms);
            hook.failures_ms.retain(|at| *at > now_ms - FIVE_MINUTES_MS);
            if hook.failures_ms.len() > BAD_LIMIT {
                hook.paused_until_ms = now_ms + FIVE_MINUTES_MS;
            }
        }
    }
}

fn wants(hook: &Subscription, fact: &Owed) -> bool {
    !fact.code.is_empty() && hook.settings.iter().any(|code| code == fact.code)
}

fn webhook(url: &str, body: String, schedule: Vec<Retry>, tag: String, settings: &Settings) -> Webhook {
    let request_id = if settings.same_request_id {
        uuid::Uuid::new_v4().to_string()
    } else {
        "{uuid}".to_owned()
    };
    Webhook {
        side: Side::Amocrm,
        url: url.to_owned(),
        method: "POST",
        content_type: "application/x-www-form-urlencoded",
        headers: vec![
            ("accept-encoding".to_owned(), "gzip".to_owned()),
            ("user-agent".to_owned(), "amoCRM-Webhooks/3.0".to_owned()),
            ("x-amocrm-requestid".to_owned(), request_id),
        ],
        body,
        max_attempts: schedule.len() as u32 + 1,
        schedule,
        timeout: Duration::from_millis(settings.webhook_timeout_ms),
        timeout_status: settings.timeout_status,
        tag: Some(tag),
    }
}
