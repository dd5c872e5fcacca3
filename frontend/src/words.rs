//! States as a word and a tone. A state is never told by colour alone.

use api::call::SyncState;
use api::import::{ImportState, RowState};
use domain::connection::ConnectionState;
use domain::delivery::{DeliveryState, Outcome};
use domain::evaluate::{Source, Verdict};
use domain::event::Origin;
use domain::run::RunOutcome;

/// What a colour says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it should be.
    Good,
    /// A person should look.
    Warn,
    /// Something failed.
    Bad,
    /// Under way.
    Busy,
    /// Neither good nor bad.
    Muted,
}

impl Tone {
    /// Class of the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Busy => "busy",
            Self::Muted => "muted",
        }
    }
}

/// A state ready to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// The word.
    pub word: &'static str,
    /// Its tone.
    pub tone: Tone,
}

const fn label(word: &'static str, tone: Tone) -> Label {
    Label { word, tone }
}

/// Where an import stands.
pub const fn import(state: ImportState) -> Label {
    let tone = match state {
        ImportState::Uploaded | ImportState::Cancelled => Tone::Muted,
        ImportState::Checking | ImportState::Running => Tone::Busy,
        ImportState::Checked | ImportState::Done => Tone::Good,
        ImportState::Paused => Tone::Warn,
        ImportState::Failed => Tone::Bad,
    };
    label(state.title(), tone)
}

/// Where a row of a file stands.
pub const fn import_row(state: RowState) -> Label {
    let tone = match state {
        RowState::Accepted | RowState::Duplicate | RowState::Skipped => Tone::Muted,
        RowState::Queued => Tone::Busy,
        RowState::Done => Tone::Good,
        RowState::Failed => Tone::Bad,
    };
    label(state.title(), tone)
}

/// Whether a result of a call has arrived in amoCRM.
pub const fn sync(state: SyncState) -> Label {
    let tone = match state {
        SyncState::Pending => Tone::Muted,
        SyncState::Synced => Tone::Good,
        SyncState::Failed => Tone::Bad,
    };
    label(state.title(), tone)
}

/// State of a connection.
pub const fn connection(state: ConnectionState) -> Label {
    match state {
        ConnectionState::Active => label("Работает", Tone::Good),
        ConnectionState::New => label("Не проверено", Tone::Muted),
        ConnectionState::NeedsReauth => label("Нужен новый доступ", Tone::Bad),
        ConnectionState::Blocked => label("Заблокировано CRM", Tone::Bad),
        ConnectionState::Stopped => label("Остановлено", Tone::Warn),
    }
}

/// What a person should do about a connection, when something.
pub const fn connection_advice(state: ConnectionState) -> Option<&'static str> {
    match state {
        ConnectionState::Active => None,
        ConnectionState::New => Some("Нажмите «Проверить», чтобы убедиться, что доступ работает."),
        ConnectionState::NeedsReauth => {
            Some("CRM больше не принимает ключ доступа. Введите новый — ожидающие действия продолжатся сами.")
        }
        ConnectionState::Blocked => Some(
            "CRM закрыла доступ: проверьте оплату аккаунта и нет ли блокировки, затем нажмите «Проверить».",
        ),
        ConnectionState::Stopped => {
            Some("Обмен остановлен человеком. Ожидающие действия сохранены и продолжатся после включения.")
        }
    }
}

/// State of a delivery.
pub const fn delivery(state: DeliveryState) -> Label {
    match state {
        DeliveryState::Pending => label("Ожидает", Tone::Busy),
        DeliveryState::Leased => label("Выполняется", Tone::Busy),
        DeliveryState::Uncertain => label("Неизвестно, проверяем", Tone::Warn),
        DeliveryState::Delivered => label("Выполнено", Tone::Good),
        DeliveryState::Skipped => label("Не потребовалось", Tone::Muted),
        DeliveryState::Dead => label("Не выполнено", Tone::Bad),
        DeliveryState::Cancelled => label("Отменено", Tone::Muted),
    }
}

/// A delivery that a person let run again: another one has taken its place.
pub const REPLACED: Label = label("Заменено повтором", Tone::Muted);

/// Outcome of an attempt.
pub const fn outcome(outcome: Outcome) -> Label {
    match outcome {
        Outcome::Done => label("Выполнено", Tone::Good),
        Outcome::Skipped => label("Не потребовалось", Tone::Muted),
        Outcome::Rejected => label("Отказ CRM", Tone::Bad),
        Outcome::Postponed => label("Отложено", Tone::Busy),
        Outcome::Unknown => label("Исход неизвестен", Tone::Warn),
    }
}

/// Outcome of a run.
pub const fn run(outcome: RunOutcome) -> Label {
    match outcome {
        RunOutcome::Matched => label("Подошло", Tone::Good),
        RunOutcome::NotMatched => label("Не подошло", Tone::Muted),
        RunOutcome::Undecidable => label("Не удалось проверить", Tone::Warn),
        RunOutcome::Stopped => label("Остановлено другим правилом", Tone::Muted),
        RunOutcome::LoopGuard => label("Защита от зацикливания", Tone::Bad),
        RunOutcome::Quiet => label("Ждёт тишины", Tone::Muted),
    }
}

/// Result of one condition.
pub const fn verdict(verdict: Verdict) -> Label {
    match verdict {
        Verdict::True => label("выполнено", Tone::Good),
        Verdict::False => label("не выполнено", Tone::Bad),
        Verdict::Unknown => label("нельзя проверить", Tone::Warn),
    }
}

/// How an event came.
pub const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Webhook => "вебхук",
        Origin::Poll => "сверка",
        Origin::Import => "файл",
        Origin::Manual => "вручную",
        Origin::Replay => "повтор",
        Origin::Schedule => "расписание",
    }
}

/// Where a value was learnt.
pub const fn source(source: Source) -> &'static str {
    match source {
        Source::Event => "из события",
        Source::Read => "прочитано из CRM",
        Source::Kept => "сохранено ранее",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_that_is_not_fine_has_advice() {
        for state in [
            ConnectionState::New,
            ConnectionState::NeedsReauth,
            ConnectionState::Blocked,
            ConnectionState::Stopped,
        ] {
            assert!(connection_advice(state).is_some(), "{state:?}");
        }
        assert_eq!(connection_advice(ConnectionState::Active), None);
    }

    #[test]
    fn delivery_words_differ() {
        let words: std::collections::BTreeSet<_> = DeliveryState::ALL
            .iter()
            .map(|state| delivery(*state).word)
            .collect();
        assert_eq!(words.len(), DeliveryState::ALL.len());
    }
}
