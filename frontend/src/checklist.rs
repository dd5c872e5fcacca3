//! Setting a connection up: account → access → hook → first event, each as it really stands.

use api::connection::Connection;
use domain::connection::{ConnectionState, ConnectorKind};

use crate::words::Tone;

/// A step of setting up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What it is.
    pub title: &'static str,
    /// Good when it is done, bad when it failed, muted while nothing is known.
    pub tone: Tone,
    /// How it stands, or what to do.
    pub text: String,
}

fn step(title: &'static str, tone: Tone, text: impl Into<String>) -> Step {
    Step {
        title,
        tone,
        text: text.into(),
    }
}

/// The steps of a connection, in order.
pub fn steps(connection: &Connection) -> [Step; 4] {
    [
        account(connection),
        access(connection),
        hook(connection),
        first_event(connection),
    ]
}

/// Every step is done.
pub fn is_done(connection: &Connection) -> bool {
    steps(connection).iter().all(|step| step.tone == Tone::Good)
}

fn account(connection: &Connection) -> Step {
    let title = match connection.kind {
        ConnectorKind::Amocrm => "Аккаунт",
        ConnectorKind::Lptracker => "Проект",
    };
    match &connection.account {
        Some(account) => step(title, Tone::Good, account.name.clone()),
        None => step(title, Tone::Muted, "CRM ещё не отвечала: нажмите «Проверить»."),
    }
}

fn access(connection: &Connection) -> Step {
    let title = match connection.kind {
        ConnectorKind::Amocrm => "Токен",
        ConnectorKind::Lptracker => "Логин и пароль",
    };
    match connection.state {
        ConnectionState::NeedsReauth => step(
            title,
            Tone::Bad,
            "CRM не принимает доступ. Введите новый на вкладке «Доступ».",
        ),
        ConnectionState::Blocked => step(
            title,
            Tone::Bad,
            "CRM заблокировала доступ: обратитесь в её поддержку.",
        ),
        _ if connection.status.last_success_at.is_some() || connection.state == ConnectionState::Active => {
            step(title, Tone::Good, "CRM принимает запросы.")
        }
        _ => step(title, Tone::Muted, "Ещё не проверен: нажмите «Проверить»."),
    }
}

fn hook(connection: &Connection) -> Step {
    const TITLE: &str = "Вебхук";
    match &connection.subscription {
        Some(hook) if hook.disabled => step(
            TITLE,
            Tone::Bad,
            "CRM отключила подписку. Нажмите «Проверить подписку», она установится заново.",
        ),
        Some(hook) if hook.installed => step(TITLE, Tone::Good, "Подписка на события установлена."),
        Some(_) => step(TITLE, Tone::Bad, "Подписки нет. Нажмите «Проверить подписку»."),
        None => step(
            TITLE,
            Tone::Muted,
            "Ещё не проверялся: нажмите «Проверить подписку».",
        ),
    }
}

fn first_event(connection: &Connection) -> Step {
    const TITLE: &str = "Первое событие";
    if connection.status.last_event_at.is_some() {
        return step(TITLE, Tone::Good, "События приходят.");
    }
    let what = match connection.kind {
        ConnectorKind::Amocrm => "Измените любую сделку в amoCRM",
        ConnectorKind::Lptracker => "Измените любой лид в LPTracker",
    };
    step(
        TITLE,
        Tone::Muted,
        format!("{what}: событие придёт за пару секунд."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(changes: serde_json::Value) -> Connection {
        let mut row = serde_json::json!({ "id": uuid::Uuid::nil(), "kind": "amocrm", "name": "amo", "state": "new",
            "settings": { "kind": "amocrm", "base_url": "https://x.amocrm.ru", "auth": "token" },
            "status": { "n_waiting": 0, "n_dead": 0 }, "created_at": 0 });
        for (name, value) in changes.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    fn tones(changes: serde_json::Value) -> [Tone; 4] {
        steps(&connection(changes)).map(|step| step.tone)
    }

    #[test]
    fn a_new_connection_knows_nothing_yet() {
        assert_eq!(tones(serde_json::json!({})), [Tone::Muted; 4]);
    }

    #[test]
    fn a_finished_one_is_done() {
        let whole = serde_json::json!({ "state": "active", "account": { "name": "Моя компания" },
            "subscription": { "installed": true, "disabled": false },
            "status": { "n_waiting": 0, "n_dead": 0, "last_event_at": 5 } });
        assert!(is_done(&connection(whole)));
    }

    #[test]
    fn what_failed_is_red() {
        let broken = serde_json::json!({ "state": "needs_reauth", "subscription": { "installed": true, "disabled": true } });
        assert_eq!(tones(broken), [Tone::Muted, Tone::Bad, Tone::Bad, Tone::Muted]);
        let missing = serde_json::json!({ "state": "active", "subscription": { "installed": false, "disabled": false } });
        assert_eq!(tones(missing), [Tone::Muted, Tone::Good, Tone::Bad, Tone::Muted]);
    }
}
