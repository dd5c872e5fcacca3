//! Emergency stops in force, kept up to date for the banner and the cards.

use api::stop::{Stop, StopScope};
use domain::id::RuleId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Store, Topic};
use crate::api::stops;

impl Store {
    /// Keeps the list of stops as it is at the server.
    pub(super) fn follow_stops(self) {
        Effect::new(move |_| {
            self.live.track(Topic::Stops);
            let Some(workspace) = self.workspace.get() else {
                self.stops.set(Vec::new());
                return;
            };
            spawn_local(async move {
                if let Ok(page) = stops::list_stops().send().await
                    && self.workspace.get_untracked() == Some(workspace)
                {
                    self.set_stops(page.items);
                }
            });
        });
    }

    /// Takes over what an operation has answered.
    pub fn set_stops(self, list: Vec<Stop>) {
        if self.stops.with_untracked(|old| *old != list) {
            self.stops.set(list);
        }
    }

    /// Everything of this workspace that is stopped, connections apart.
    pub fn stops(self) -> Vec<Stop> {
        self.stops.get()
    }

    /// The rule is stopped by itself.
    pub fn is_rule_stopped(self, rule: RuleId) -> bool {
        self.stops.with(|stops| {
            stops
                .iter()
                .any(|stop| stop.scope == StopScope::Rule && stop.rule == Some(rule))
        })
    }
}
