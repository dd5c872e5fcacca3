//! Letters: by SMTP, or into the log where no server is configured.
//!
//! They are sent after what they tell of is stored, and nobody waits for them: how long a letter takes must not
//! tell whether there was somebody to write to.

use crate::telemetry::chain;
use engine::accounts::Letter;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How long a mail server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How letters are sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtps://name:password@host`; `None` to write links into the log.
    pub smtp_url: Option<SecretString>,
    /// From whom.
    pub from: String,
}

/// The mail is not configured as it should be.
#[derive(Debug, Error)]
pub enum MailError {
    /// The address of the server is wrong.
    #[error("адрес почтового сервера не подходит")]
    Server(#[source] lettre::transport::smtp::Error),
    /// The sender's address is wrong.
    #[error("адрес отправителя «{from}» не подходит")]
    From {
        /// What was given.
        from: String,
        /// What is wrong.
        #[source]
        cause: lettre::address::AddressError,
    },
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    way: Option<Arc<AsyncSmtpTransport<Tokio1Executor>>>,
    from: Mailbox,
}

impl Mailer {
    /// Makes a mailer. Nothing is sent yet.
    pub fn new(mail: &Mail) -> Result<Self, MailError> {
        let from = mail.from.parse().map_err(|cause| MailError::From {
            from: mail.from.clone(),
            cause,
        })?;
        let way = match &mail.smtp_url {
            None => None,
            Some(url) => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                let builder = builder.map_err(MailError::Server)?;
                Some(Arc::new(builder.timeout(Some(TIMEOUT)).build()))
            }
        };
        Ok(Self { way, from })
    }

    /// A mail server is configured.
    pub fn sends(&self) -> bool {
        self.way.is_some()
    }

    /// Sends a letter in the background.
    pub fn post(&self, letter: Letter) {
        let Some(way) = self.way.clone() else {
            // The operator has chosen so: there is no other way for the link to reach anybody.
            tracing::warn!(
                subject = letter.subject,
                "почта не настроена, письмо:\n{}",
                letter.text
            );
            return;
        };
        let from = self.from.clone();
        tokio::spawn(async move {
            // A header cannot be smuggled in: lettre encodes what is not plain text.
            let to = match letter.to.parse::<Mailbox>() {
                Ok(to) => to,
                Err(error) => {
                    tracing::warn!(%error, "письмо не отправлено: адрес не разобран");
                    return;
                }
            };
            let message = Message::builder()
                .from(from)
                .to(to)
                .subject(letter.subject)
                .header(ContentType::TEXT_PLAIN)
                .body(letter.text);
            let sent = match message {
                Ok(message) => way.send(message).await.map(|_| ()).map_err(|error| chain(&error)),
                Err(error) => Err(chain(&error)),
            };
            match sent {
                Ok(()) => tracing::info!("письмо отправлено"),
                Err(cause) => tracing::error!(cause, "письмо не отправлено"),
            }
        });
    }
}
