//! Rows and domain values as the API shows them: the one place where shapes meet.

use crate::connectors::{Secretless, secretless};
use api::api_key::{ApiKey, Scope};
use api::audit::AuditEntry;
use api::connection::{
    Account, AmocrmAuthMethod, CatalogueChange, Connection, ConnectionSettings, ConnectionStatus, Expiry,
    Reconciliation, Subscription,
};
use api::delivery::{AttemptView, ExchangeView};
use api::event::DeliveryCounts;
use api::problem::ProblemType;
use api::rule::{RuleCycle, RuleCycleStep, RuleCycles, RuleSummary, RuleVersionSummary, RuleView};
use api::session::CurrentUser;
use api::workspace::{Member, Membership, Role, Workspace};
use domain::compile::Diagnostic;
use domain::cycles::{Analysis, Certainty};
use domain::id::RuleVersionId;
use domain::time::Timestamp;
use engine::catalogue_diff::{Change, ChangeKind};
use engine::reconcile::Standing;
use engine::refresher::Ending;
use storage::counts::{DeliveryCount, OutboxCount};
use storage::events::EventState;
use storage::rules::{RuleVersion, RunCount, StoredRule};
use storage::{accounts, api_keys, audit, connections, deliveries, stops};

use crate::http::problem::Problem;

pub mod files;

/// A role.
pub fn role(role: accounts::Role) -> Role {
    match role {
        accounts::Role::Viewer => Role::Viewer,
        accounts::Role::Editor => Role::Editor,
        accounts::Role::Owner => Role::Owner,
    }
}

/// A role that somebody names.
pub fn role_of(role: Role) -> accounts::Role {
    match role {
        Role::Viewer => accounts::Role::Viewer,
        Role::Editor => accounts::Role::Editor,
        Role::Owner => accounts::Role::Owner,
    }
}

/// The person signed in.
pub fn current_user(user: accounts::User) -> CurrentUser {
    CurrentUser {
        id: user.id,
        email: user.email,
        name: user.name,
        is_superuser: user.is_superuser,
    }
}

/// A workspace with the caller's role.
pub fn membership((workspace, given): (accounts::Workspace, accounts::Role)) -> Membership {
    Membership {
        workspace_id: workspace.id,
        name: workspace.name,
        role: role(given),
    }
}

/// A workspace.
pub fn workspace(workspace: accounts::Workspace) -> Workspace {
    Workspace {
        id: workspace.id,
        name: workspace.name,
        zone: workspace.zone,
        created_at: workspace.created_at,
    }
}

/// A person of a workspace.
pub fn member(member: accounts::Member) -> Member {
    Member {
        user_id: member.user.id,
        email: member.user.email,
        name: member.user.name,
        role: role(member.role),
        joined_at: member.joined_at,
    }
}

/// An API key. Scopes of a newer version of the program are left out.
pub fn api_key(key: api_keys::ApiKey) -> ApiKey {
    ApiKey {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        scopes: key.scopes.iter().filter_map(|word| Scope::parse(word)).collect(),
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
    }
}

/// A connection with its status card.
pub fn connection(row: connections::Connection, outbox: OutboxCount) -> Connection {
    let settings = match secretless(&row) {
        Secretless::Amocrm { base_url, client_id } => ConnectionSettings::Amocrm {
            base_url,
            auth: if client_id.is_some() {
                AmocrmAuthMethod::Oauth
            } else {
                AmocrmAuthMethod::Token
            },
            client_id,
        },
        Secretless::Lptracker {
            base_url,
            login,
            project,
        } => ConnectionSettings::Lptracker {
            base_url,
            login,
            project_id: project,
        },
    };
    Connection {
        id: row.id,
        kind: row.kind,
        name: row.name,
        state: row.state,
        state_reason: row.state_reason,
        settings,
        account: row
            .card
            .and_then(|card| serde_json::from_value(card).ok())
            .map(account),
        subscription: row
            .subscription
            .and_then(|state| serde_json::from_value(state).ok())
            .map(|state| subscription(state, row.subscription_at)),
        status: ConnectionStatus {
            last_success_at: row.last_success_at,
            last_failure_at: row.last_failure_at,
            last_failure: row.last_failure,
            last_event_at: row.last_event_at,
            catalogue_at: row.catalogue_at,
            n_waiting: outbox.n_waiting,
            n_dead: outbox.n_dead,
        },
        reconciliation: None,
        expiry: None,
        created_at: row.created_at,
    }
}

/// How far the reading of changes has come.
pub fn reconciliation(standing: Standing) -> Reconciliation {
    let walk = standing.walk;
    let walk = walk.as_ref();
    Reconciliation {
        reconciled_at: standing.reconciled_at,
        is_under_way: walk.is_some_and(|walk| walk.since.is_some()),
        due_at: walk.map(|walk| walk.due_at),
        found_at: walk.and_then(|walk| walk.found_at),
        n_last_found: walk.map_or(0, |walk| u32::try_from(walk.n_last_found).unwrap_or(0)),
        failure: walk.and_then(|walk| walk.failure.clone()),
    }
}

/// An access that ends.
pub fn expiry(ending: Ending) -> Expiry {
    Expiry {
        at: ending.at,
        days_left: u32::try_from(ending.days_left).unwrap_or(0),
        within_days: ending.step,
    }
}

fn account(card: connector::AccountCard) -> Account {
    Account {
        id: card.id,
        name: card.name,
        url: card.url,
        zone: card.zone,
        expires_at: card.expires_at,
        warnings: card.warnings,
    }
}

/// The state of a subscription.
pub fn subscription(state: connector::Subscription, seen_at: Option<Timestamp>) -> Subscription {
    Subscription {
        installed: state.installed,
        disabled: state.disabled,
        foreign: state.foreign,
        seen_at,
    }
}

/// What a refresh of a catalogue changed.
pub fn catalogue_change(change: connections::CatalogueChange) -> CatalogueChange {
    CatalogueChange {
        at: change.at,
        lines: change_lines(&change.changes),
        rules: Vec::new(),
    }
}

/// Changes of a catalogue in words, one line each.
pub fn change_lines(document: &serde_json::Value) -> Vec<String> {
    let changes: Vec<Change> = serde_json::from_value(document.clone()).unwrap_or_default();
    let line = |change: &Change| match (change.change, &change.before) {
        (ChangeKind::Added, _) => format!("{} «{}»: добавлено", change.what, change.name),
        (ChangeKind::Removed, _) => format!("{} «{}»: удалено", change.what, change.name),
        (ChangeKind::Changed, Some(before)) => {
            format!("{} «{before}»: теперь «{}»", change.what, change.name)
        }
        (ChangeKind::Changed, None) => format!("{} «{}»: изменено", change.what, change.name),
    };
    changes.iter().map(line).collect()
}

/// A rule in the list.
pub fn rule_summary(rule: &StoredRule, count: RunCount) -> RuleSummary {
    RuleSummary {
        id: rule.id,
        name: rule.name.clone(),
        summary: engine::rules::summary(&rule.draft),
        position: rule.position,
        enabled: rule.enabled,
        source: rule.source,
        published_number: rule.published.as_ref().map(|mark| mark.number),
        has_changes: rule
            .published
            .as_ref()
            .is_none_or(|mark| mark.document != rule.draft),
        attention: rule.attention.clone(),
        version: rule.version,
        updated_at: rule.updated_at,
        n_runs_day: count.n_runs,
        n_matched_day: count.n_matched,
    }
}

/// A rule with its draft.
pub fn rule_view(rule: StoredRule, count: RunCount, diagnostics: Vec<Diagnostic>) -> RuleView {
    RuleView {
        summary: rule_summary(&rule, count),
        draft: rule.draft,
        diagnostics,
    }
}

/// A published version in the list.
pub fn rule_version(
    version: &RuleVersion,
    publisher: Option<String>,
    in_force: Option<RuleVersionId>,
) -> RuleVersionSummary {
    RuleVersionSummary {
        id: version.id,
        number: version.number,
        summary: version.summary.clone(),
        published_by: publisher,
        published_at: version.published_at,
        current: in_force == Some(version.id),
    }
}

/// The cycles among rules.
pub fn rule_cycles(analysis: Analysis) -> RuleCycles {
    let step = |step: domain::cycles::Step| RuleCycleStep {
        rule_id: step.rule,
        name: step.name,
        woken_by: step.woken_by,
        action: step.action,
        does: step.does,
        event: step.event,
    };
    let cycles = analysis.cycles.into_iter().map(|cycle| RuleCycle {
        certain: cycle.certainty == Certainty::Certain,
        path: cycle.path(),
        steps: cycle.steps.into_iter().map(step).collect(),
    });
    RuleCycles {
        cycles: cycles.collect(),
        complete: analysis.is_complete,
    }
}

/// Where an event stands.
pub fn event_state(state: EventState) -> api::event::EventState {
    match state {
        EventState::New => api::event::EventState::New,
        EventState::Dispatched => api::event::EventState::Dispatched,
        EventState::Echo => api::event::EventState::Echo,
        EventState::Quarantined => api::event::EventState::Failed,
    }
}

/// The state to filter by.
pub fn stored_event_state(state: api::event::EventState) -> EventState {
    match state {
        api::event::EventState::New => EventState::New,
        api::event::EventState::Dispatched => EventState::Dispatched,
        api::event::EventState::Echo => EventState::Echo,
        api::event::EventState::Failed => EventState::Quarantined,
    }
}

/// Deliveries of an event by where they stand.
pub fn delivery_counts(count: DeliveryCount) -> DeliveryCounts {
    DeliveryCounts {
        waiting: count.waiting,
        delivered: count.delivered,
        skipped: count.skipped,
        dead: count.dead,
    }
}

/// One try of a delivery. Exchanges of a shape that is no longer known are left out.
pub fn attempt(attempt: deliveries::Attempt) -> AttemptView {
    let exchanges: Vec<connector::http::Exchange> =
        serde_json::from_value(attempt.exchanges).unwrap_or_default();
    AttemptView {
        id: attempt.id,
        number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
        outcome: attempt.outcome,
        error_code: attempt.error_code,
        error: attempt.error,
        started_at: attempt.started_at,
        finished_at: attempt.finished_at,
        exchanges: exchanges.into_iter().map(exchange).collect(),
    }
}

fn exchange(exchange: connector::http::Exchange) -> ExchangeView {
    ExchangeView {
        method: exchange.method,
        url: exchange.url,
        sent: exchange.sent,
        status: exchange.status,
        answered: exchange.answered,
        failure: exchange.failure,
        at: exchange.at,
        duration_ms: exchange.duration_ms,
    }
}

/// A line of the audit log.
pub fn audit_entry(entry: audit::Entry) -> AuditEntry {
    AuditEntry {
        id: entry.id,
        at: entry.at,
        actor_kind: entry.actor_kind,
        actor_name: entry.actor_name,
        action: entry.action,
        subject_kind: entry.subject_kind,
        subject_id: entry.subject_id,
        before: entry.before,
        after: entry.after,
        request_id: entry.request_id,
        address: entry.address,
    }
}

/// An emergency stop.
pub fn stop(stop: stops::Stop) -> api::stop::Stop {
    use api::stop::StopScope;
    let (scope, rule) = match stop.scope {
        stops::StopScope::Installation => (StopScope::Installation, None),
        stops::StopScope::Workspace(_) => (StopScope::Workspace, None),
        stops::StopScope::Rule(_, rule) => (StopScope::Rule, Some(rule)),
    };
    api::stop::Stop {
        scope,
        rule,
        reason: stop.reason,
        stopped_by: stop.actor_name,
        stopped_at: stop.stopped_at,
    }
}

/// A refused one-time link.
pub fn dead_link() -> Problem {
    Problem::new(
        ProblemType::WrongCredentials,
        "Ссылка недействительна, уже использована или её срок истёк: запросите новую",
    )
}

/// Dead deliveries of one cause.
pub fn delivery_cause(cause: storage::causes::Cause) -> api::delivery::DeliveryCause {
    api::delivery::DeliveryCause {
        connection_id: cause.connection,
        error_code: cause.error_code,
        error: cause.error,
        n_dead: cause.n_dead,
        n_rules: cause.n_rules,
        last_at: cause.last_at,
    }
}

/// Which rows come first; the newest when the caller does not say.
pub fn order(wanted: Option<api::page::Order>) -> storage::Order {
    match wanted.unwrap_or_default() {
        api::page::Order::Newest => storage::Order::Newest,
        api::page::Order::Oldest => storage::Order::Oldest,
    }
}
