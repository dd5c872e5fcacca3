//! What can go wrong with a remote call, by what the caller should do about it.

use std::time::Duration;
use thiserror::Error;

/// A CRM that has had too many requests and does not say when to come again counts them by the second.
const A_WINDOW: Duration = Duration::from_secs(1);

/// Why a call of a connector failed.
#[derive(Clone, Debug, Error)]
pub enum ConnectorError {
    /// The credential no longer works and could not be renewed.
    #[error("подключение больше не авторизовано")]
    Unauthorized,
    /// Too many requests; wait at least this long, when the CRM said so.
    #[error("превышен лимит запросов")]
    RateLimited {
        /// What the CRM asked for.
        after: Option<Duration>,
    },
    /// The CRM understood and refused: repeating changes nothing.
    #[error("CRM отклонила запрос: {message}")]
    Rejected {
        /// Code as the CRM gave it.
        code: String,
        /// Field or path the refusal names.
        field: Option<String>,
        /// Its words, without secrets.
        message: String,
    },
    /// The record is not there.
    #[error("запись не найдена в CRM")]
    NotFound,
    /// The rights of the credential do not suffice.
    #[error("недостаточно прав: {message}")]
    Forbidden {
        /// What is missing.
        message: String,
    },
    /// The account is unpaid or its trial is over.
    #[error("аккаунт CRM не оплачен")]
    Unpaid,
    /// The CRM's front has banned us: stop, do not hammer.
    #[error("CRM заблокировала доступ")]
    Banned,
    /// The CRM is down or overloaded; it said so, therefore nothing was applied… unless `applied` is unknown.
    #[error("CRM временно недоступна (HTTP {status})")]
    Unavailable {
        /// HTTP status, or the code in the body.
        status: u16,
        /// A write may have been applied nevertheless (500, 502, 504).
        uncertain: bool,
    },
    /// No answer: refused, cut or too late.
    #[error("нет ответа от CRM")]
    NoAnswer {
        /// The request may have reached the CRM, so a write may have been applied.
        uncertain: bool,
        /// Technical cause, for the log.
        cause: String,
    },
    /// The answer does not keep to the contract.
    #[error("непонятный ответ CRM: {message}")]
    Protocol {
        /// What was wrong with it.
        message: String,
    },
    /// The address is not one we may call.
    #[error("адрес запрещён: {host}")]
    AddressRefused {
        /// Host that was refused.
        host: String,
    },
    /// We were told to stop: nothing was sent.
    #[error("отправка остановлена")]
    Stopped,
    /// This CRM has no such operation.
    #[error("{what}: не поддерживается этой CRM")]
    Unsupported {
        /// Which operation.
        what: &'static str,
    },
}

/// What to do after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Give up: a dead letter.
    Permanent,
    /// Try again, not earlier than this.
    Retry(Option<Duration>),
    /// Pause the connection and ask a person to authorise again.
    Reauthorise,
    /// Pause the connection and tell a person (ban, unpaid account).
    Suspend,
    /// Keep its place: a person has stopped the sending.
    Hold,
}

impl ConnectorError {
    /// What to do.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Unauthorized => Verdict::Reauthorise,
            Self::Banned | Self::Unpaid => Verdict::Suspend,
            Self::Stopped => Verdict::Hold,
            Self::RateLimited { after: Some(after) } => Verdict::Retry(Some(*after)),
            Self::RateLimited { after: None } => Verdict::Retry(Some(A_WINDOW)),
            Self::Unavailable { .. } | Self::NoAnswer { .. } | Self::Protocol { .. } => Verdict::Retry(None),
            Self::Rejected { .. }
            | Self::NotFound
            | Self::Forbidden { .. }
            | Self::AddressRefused { .. }
            | Self::Unsupported { .. } => Verdict::Permanent,
        }
    }

    /// A write that failed this way may have been applied: it must be looked for before it is repeated.
    pub const fn is_uncertain(&self) -> bool {
        match self {
            Self::Unavailable { uncertain, .. } | Self::NoAnswer { uncertain, .. } => *uncertain,
            Self::Protocol { .. } => true,
            _ => false,
        }
    }

    /// Stable word for grouping and filtering.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::RateLimited { .. } => "rate_limited",
            Self::Rejected { .. } => "rejected",
            Self::NotFound => "not_found",
            Self::Forbidden { .. } => "forbidden",
            Self::Unpaid => "unpaid",
            Self::Banned => "banned",
            Self::Unavailable { .. } => "unavailable",
            Self::NoAnswer { .. } => "no_answer",
            Self::Protocol { .. } => "protocol",
            Self::AddressRefused { .. } => "address_refused",
            Self::Stopped => "stopped",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}
