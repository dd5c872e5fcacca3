//! Our webhook subscription in the account.

use crate::client::Client;
use crate::wire::account::{Account, Hook, HookBody};
use connector::{ConnectorError, Subscription};

/// Event codes that the hub understands.
pub const HOOK_EVENTS: [&str; 22] = [
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
    "add_task",
    "update_task",
    "delete_task",
    "responsible_task",
];

/// Codes that third parties use and no official page names: asked for, but not insisted on.
const UNSURE_EVENTS: [&str; 2] = ["add_unsorted", "delete_unsorted"];

const PATH: &str = "/api/v4/webhooks";

/// Who is subscribed.
pub(super) async fn state(client: &Client, url: &str) -> Result<Subscription, ConnectorError> {
    let hooks = list(client).await?;
    let ours = hooks.iter().find(|hook| hook.destination == url);
    let complete = |hook: &Hook| {
        HOOK_EVENTS
            .iter()
            .all(|wanted| hook.settings.iter().any(|known| known.as_str() == *wanted))
    };
    Ok(Subscription {
        installed: ours.is_some_and(complete),
        disabled: ours.is_some_and(|hook| hook.disabled),
        foreign: hooks
            .iter()
            .filter(|hook| hook.destination != url)
            .map(|hook| hook.destination.clone())
            .collect(),
    })
}

/// Subscribes. A subscription that amoCRM has switched off is made anew: whether saving it again switches it
/// on is not documented.
pub(super) async fn install(client: &Client, url: &str) -> Result<(), ConnectorError> {
    if state(client, url).await?.disabled {
        remove(client, url).await?;
    }
    let whole: Vec<&str> = HOOK_EVENTS.iter().chain(&UNSURE_EVENTS).copied().collect();
    match post(client, url, &whole).await {
        Err(ConnectorError::Rejected { .. }) => post(client, url, &HOOK_EVENTS).await,
        other => other,
    }
}

/// Takes ours away; that it is not there is no mistake.
pub(super) async fn remove(client: &Client, url: &str) -> Result<(), ConnectorError> {
    let body = serde_json::json!({ "destination": url });
    match client.send("DELETE", PATH, &body).await {
        Ok(_) => Ok(()),
        Err(failure) if matches!(failure.error, ConnectorError::NotFound) => Ok(()),
        Err(failure) => Err(rights(client, failure.error).await),
    }
}

async fn post(client: &Client, url: &str, events: &[&str]) -> Result<(), ConnectorError> {
    match client
        .send(
            "POST",
            PATH,
            &HookBody {
                destination: url,
                settings: events,
            },
        )
        .await
    {
        Ok(_) => Ok(()),
        Err(failure) => Err(rights(client, failure.error).await),
    }
}

async fn list(client: &Client) -> Result<Vec<Hook>, ConnectorError> {
    match client.get_all(PATH, &[], "webhooks").await {
        Ok(hooks) => Ok(hooks),
        Err(error) => Err(rights(client, error).await),
    }
}

/// Webhooks answer 401 to a user without administrator rights, too: the credential is tried elsewhere before
/// it is called dead.
async fn rights(client: &Client, error: ConnectorError) -> ConnectorError {
    if !matches!(error, ConnectorError::Unauthorized) {
        return error;
    }
    match client.get::<Account>("/api/v4/account", &[]).await {
        Ok(_) => ConnectorError::Forbidden {
            message: "вебхуками управляет администратор amoCRM".to_owned(),
        },
        Err(other) => other,
    }
}
