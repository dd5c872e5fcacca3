//! Webhook receivers of the projects (contract §6.1).
//!
//! A `PUT` has no id and there is no `DELETE`: what a second one does to the first, and what an empty address
//! takes away, is not known. So: look first, put once, look again; and never send an empty address while
//! somebody else's receiver is in the list.

use super::{LptrackerConnector, found};
use crate::convert::write as body;
use crate::settings::SERVICE;
use crate::wire::list;
use crate::wire::project::Callback;
use ::connector::ConnectorError;
use ::connector::connector::Subscription;

/// Receivers of lead webhooks.
const LEADS: &str = "callback-url";

/// Receivers of webhooks about fields and steps.
const STRUCTURE: &str = "project-callback-url";

impl LptrackerConnector {
    pub(super) async fn read_subscription(&self, url: &str) -> Result<Subscription, ConnectorError> {
        let projects = self.projects().await?;
        let mut state = Subscription {
            installed: !projects.is_empty(),
            disabled: false,
            foreign: Vec::new(),
        };
        for project in projects {
            let receivers = self.receivers(project, LEADS).await?;
            state.installed &= receivers.iter().any(|receiver| receiver.url == url);
            for receiver in receivers {
                if receiver.url != url && !state.foreign.contains(&receiver.url) {
                    state.foreign.push(receiver.url);
                }
            }
        }
        Ok(state)
    }

    pub(super) async fn add_subscription(&self, url: &str) -> Result<(), ConnectorError> {
        for project in self.projects().await? {
            self.add_receiver(project, LEADS, url).await?;
            // Only the catalogue's freshness depends on these, and no one has seen the call work.
            if let Err(error) = self.add_receiver(project, STRUCTURE, url).await {
                match error {
                    ConnectorError::NotFound
                    | ConnectorError::Rejected { .. }
                    | ConnectorError::Forbidden { .. } => {
                        tracing::warn!(project, error = %error, "no webhooks about the structure of the project");
                    }
                    other => return Err(other),
                }
            }
        }
        Ok(())
    }

    pub(super) async fn remove_subscription(&self, url: &str) -> Result<(), ConnectorError> {
        let mut failure = None;
        for project in self.projects().await? {
            for which in [LEADS, STRUCTURE] {
                match self.remove_receiver(project, which, url).await {
                    Err(ConnectorError::NotFound) | Ok(()) => {}
                    // The other projects are cleaned all the same.
                    Err(error @ ConnectorError::Rejected { .. }) => failure = failure.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn receivers(&self, project: i64, which: &str) -> Result<Vec<Callback>, ConnectorError> {
        let answer = self
            .client
            .get(&["project", &project.to_string(), which], &[])
            .await?;
        Ok(list(&answer, Callback::read))
    }

    async fn add_receiver(&self, project: i64, which: &str, url: &str) -> Result<(), ConnectorError> {
        let before = self.receivers(project, which).await?;
        if before.iter().any(|receiver| receiver.url == url) {
            return Ok(());
        }
        let body = body::callback(url, SERVICE);
        self.client
            .put(&["project", &project.to_string(), which], &body)
            .await?;
        let after = self.receivers(project, which).await?;
        let is_there = |url: &str| after.iter().any(|receiver| receiver.url == url);
        if !is_there(url) {
            return Err(refusal("LPTracker принял адрес, но в списке получателей его нет"));
        }
        match before.iter().find(|receiver| !is_there(&receiver.url)) {
            Some(lost) => Err(refusal(&format!(
                "LPTracker заменил нашим адресом чужой: {}. Верните его вручную",
                lost.url
            ))),
            None => Ok(()),
        }
    }

    async fn remove_receiver(&self, project: i64, which: &str, url: &str) -> Result<(), ConnectorError> {
        let Some(before) = found(self.receivers(project, which).await)? else {
            return Ok(());
        };
        if !before.iter().any(|receiver| receiver.url == url) {
            return Ok(());
        }
        if before.iter().any(|receiver| receiver.url != url) {
            return Err(refusal(
                "в списке получателей есть чужие адреса: удалите наш вручную в настройках проекта LPTracker",
            ));
        }
        let name = before
            .first()
            .map(|receiver| receiver.name.clone())
            .unwrap_or_default();
        let body = body::callback("", &name);
        self.client
            .put(&["project", &project.to_string(), which], &body)
            .await?;
        match self
            .receivers(project, which)
            .await?
            .iter()
            .any(|receiver| receiver.url == url)
        {
            true => Err(refusal("LPTracker не убрал наш адрес из списка получателей")),
            false => Ok(()),
        }
    }
}

/// Something a person has to look at.
fn refusal(message: &str) -> ConnectorError {
    ConnectorError::Rejected {
        code: "callback_url".to_owned(),
        field: None,
        message: message.to_owned(),
    }
}
