//! Why something asked of the engine was not done.

use connector::{ConnectorError, IntakeError};
use domain::compile::Diagnostic;
use domain::id::TestCaseId;
use storage::StorageError;
use thiserror::Error;
use vault::VaultError;

/// A test case that a rule does not meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedCase {
    /// The case.
    pub id: TestCaseId,
    /// Its name, what it expects and what it gets, in Russian.
    pub text: String,
}

/// Why something asked of the engine was not done.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The database said no, or nothing.
    #[error("хранилище не выполнило запрос")]
    Storage(#[from] StorageError),
    /// The CRM said no, or nothing.
    #[error("CRM не выполнила запрос")]
    Connector(#[from] ConnectorError),
    /// A stored secret does not open: the installation key changed or the row was tampered with.
    #[error("сохранённый секрет не открывается")]
    Secret(#[source] VaultError),
    /// A stored secret is not what this kind of connection needs.
    #[error("сохранённый секрет не подходит подключению")]
    SecretShape,
    /// The hook address is not known.
    #[error("неизвестный адрес вебхука")]
    UnknownHook,
    /// The body of a hook was refused.
    #[error("тело вебхука отклонено")]
    Intake(#[from] IntakeError),
    /// Too much is waiting to be stored: try again in a moment.
    #[error("слишком много запросов одновременно")]
    Busy,
    /// A file cannot be read.
    #[error("файл не принят")]
    File(#[from] importer::ImportError),
    /// Too many tries: this one must wait.
    #[error("слишком много попыток подряд")]
    TooSoon {
        /// How long, in milliseconds.
        wait_ms: i64,
    },
    /// Nobody may register this way.
    #[error("регистрация закрыта")]
    Closed,
    /// A value that a person gave is not acceptable.
    #[error("{text}")]
    Invalid {
        /// JSON pointer to the value.
        pointer: &'static str,
        /// What is wrong and what to do, in Russian.
        text: String,
    },
    /// What was asked for does not fit the state of the thing it was asked of.
    #[error("{text}")]
    WrongMoment {
        /// In which state it is and what to do, in Russian.
        text: String,
    },
    /// A rule has mistakes and cannot be published.
    #[error("правило содержит ошибки")]
    RuleErrors(Vec<Diagnostic>),
    /// A rule does not meet its test cases.
    #[error("правило не проходит свои проверки")]
    CasesFailed(Vec<FailedCase>),
    /// The rule would close a cycle that never ends by itself, and nobody has confirmed that it may.
    #[error("правило замкнёт бесконечный круг")]
    CertainCycle(Vec<Diagnostic>),
    /// The connection is stopped, blocked or not authorised.
    #[error("подключение не активно: {reason}")]
    Inactive {
        /// Why, in Russian.
        reason: String,
    },
}
