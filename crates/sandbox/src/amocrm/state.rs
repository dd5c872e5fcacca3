//! Everything the fake amoCRM knows: accounts, grants, limits, modes.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::oauth::OAuth;
use crate::clock::Clock;
use crate::emitter::Webhook;

/// How the service behaves where real accounts differ or tests need another number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Requests per second of one integration; none = unlimited.
    pub rate_per_integration: Option<usize>,
    /// Requests per second of one account; none = unlimited.
    pub rate_per_account: Option<usize>,
    /// `retry_after` of 429, seconds (the documented sample says 300).
    pub retry_after: u32,
    /// 429 as plain text.
    pub plain_429: bool,
    /// Refusals by rate after which everything answers 403 with HTML; none = never.
    pub ban_after: Option<u32>,
    /// How late the text search sees a write, ms.
    pub search_delay_ms: i64,
    /// Life of an access token, s.
    pub access_ttl_s: i64,
    /// Life of a refresh token, s.
    pub refresh_ttl_s: i64,
    /// Life of an authorization code, s.
    pub code_ttl_s: i64,
    /// What becomes of a used refresh token.
    pub refresh_mode: RefreshMode,
    /// `custom_fields_values: []` instead of `null` for entities without values.
    pub empty_values_as_list: bool,
    /// The answer of a single PATCH is wrapped like that of a batch.
    pub wrapped_single_patch: bool,
    /// `POST /webhooks` answers 201 instead of 200.
    pub webhook_post_201: bool,
    /// Hook bodies with the account block at the end.
    pub account_block_last: bool,
    /// Hooks always say `modified_user_id=0`.
    pub modified_user_zero: bool,
    /// Facts of one request go out in one body per subscription.
    pub bundle_hooks: bool,
    /// Repeats of a delivery carry the same `x-amocrm-requestid`.
    pub same_request_id: bool,
    /// A write that changes nothing still sends an update hook.
    pub hook_on_noop: bool,
    /// How long (real time) a hook waits for its answer, ms.
    pub webhook_timeout_ms: u64,
    /// Status noted for a hook without an answer in time: 0 or 499.
    pub timeout_status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_per_integration: Some(7),
            rate_per_account: Some(50),
            retry_after: 1,
            plain_429: false,
            ban_after: Some(100),
            search_delay_ms: 2_000,
            access_ttl_s: 86_400,
            refresh_ttl_s: 90 * 86_400,
            code_ttl_s: 1_200,
            refresh_mode: RefreshMode::Strict,
            empty_values_as_list: false,
            wrapped_single_patch: false,
            webhook_post_201: false,
            account_block_last: false,
            modified_user_zero: false,
            bundle_hooks: false,
            same_request_id: true,
            hook_on_noop: false,
            webhook_timeout_ms: 2_000,
            timeout_status: 0,
        }
    }
}

/// What becomes of a refresh token once used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefreshMode {
    /// Dead at once.
    Strict,
    /// Works until the new pair is first used.
    Grace,
}

/// The fake amoCRM.
#[derive(Debug)]
pub struct State {
    /// Virtual time.
    pub clock: Clock,
    /// Behaviour; change it with [`State::set`].
    pub settings: Settings,
    /// Accounts; the first one answers when a request names none.
    pub accounts: Vec<Account>,
    /// Integrations, codes and tokens.
    pub oauth: OAuth,
    windows: BTreeMap<String, VecDeque<i64>>,
    violations: u32,
    banned: bool,
    outgoing: Vec<Webhook>,
}

impl State {
    /// One empty account, no integrations.
    pub(crate) fn with_account(clock: &Clock, account: Account) -> Self {
        let mut state = Self {
            clock: clock.clone(),
            settings: Settings::default(),
            accounts: vec![account],
            oauth: OAuth::default(),
            windows: BTreeMap::new(),
            violations: 0,
            banned: false,
            outgoing: Vec::new(),
        };
        state.apply_settings();
        state
    }

    /// The default account.
    pub fn account(&mut self) -> &mut Account {
        &mut self.accounts[0]
    }

    /// The account with this id.
    pub fn account_by_id(&mut self, id: i64) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|a| a.id == id)
    }

    /// Changes the behaviour.
    pub fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.apply_settings();
    }

    /// Hands settings to the accounts that need them without the state at hand.
    pub(crate) fn apply_settings(&mut self) {
        for account in &mut self.accounts {
            account.search_delay_ms = self.settings.search_delay_ms;
            account.hook_on_noop = self.settings.hook_on_noop;
        }
    }

    /// Adds an account.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.push(account);
        self.apply_settings();
    }

    /// Everything answers 403 with HTML until lifted.
    pub fn set_banned(&mut self, banned: bool) {
        self.banned = banned;
        if !banned {
            self.violations = 0;
        }
    }

    /// Whether the ban is on.
    pub fn is_banned(&self) -> bool {
        self.banned
    }

    /// Queues a request to an integration (install and revocation hooks).
    pub(crate) fn send(&mut self, webhook: Webhook) {
        self.outgoing.push(webhook);
    }

    /// Webhooks caused since the last call.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Webhook> {
        let mut out = std::mem::take(&mut self.outgoing);
        for account in self.accounts.iter_mut().filter(|a| !a.owed.is_empty()) {
            out.extend(account.flush(&self.settings));
        }
        out
    }

    /// A webhook attempt to the subscription `tag` ended.
    pub(crate) fn attempt_ended(&mut self, tag: Option<&str>, good: bool) {
        let mut parts = tag.unwrap_or_default().split(':');
        let (Some(kind), Some(Ok(account)), Some(Ok(id))) = (
            parts.next(),
            parts.next().map(str::parse::<i64>),
            parts.next().map(str::parse::<i64>),
        ) else {
            return;
        };
        if let Some(account) = self.account_by_id(account) {
            account.attempt_ended(kind, id, good);
        }
    }

    /// Counts a request; false when the rate of its integration or account is used up.
    pub(crate) fn admit(&mut self, client_id: &str, account_id: i64) -> bool {
        let now = self.clock.now_ms();
        let limits = [
            (
                format!("integration {client_id}"),
                self.settings.rate_per_integration,
            ),
            (format!("account {account_id}"), self.settings.rate_per_account),
        ];
        let mut free = true;
        for (key, limit) in &limits {
            let Some(limit) = limit else { continue };
            let window = self.windows.entry(key.clone()).or_default();
            while window.front().is_some_and(|at| *at <= now - 1000) {
                window.pop_front();
            }
            free &= window.len() < *limit;
        }
        if free {
            for (key, limit) in limits {
                if limit.is_some() {
                    self.windows.entry(key).or_default().push_back(now);
                }
            }
        } else {
            self.violations += 1;
            self.banned |= self.settings.ban_after.is_some_and(|n| self.violations > n);
        }
        free
    }
}
