//! The emergency stop within reach: a button below the menu, and a banner while something is stopped.

use api::stop::{PutStop, Stop, StopScope};
use api::workspace::Role;
use domain::connection::ConnectionState;
use leptos::prelude::*;

use crate::api::stops;
use crate::store::Store;
use crate::text::{counted, list};
use crate::ui::{Button, Dialog, Glyph, Icon, Look, Moment, TextField, Toasts, run, text, when};

/// What is stopped besides single rules and connections: the workspace, or everything.
fn whole(stops: &[Stop]) -> Option<Stop> {
    let of = |scope| stops.iter().find(move |stop| stop.scope == scope);
    of(StopScope::Installation)
        .or_else(|| of(StopScope::Workspace))
        .cloned()
}

/// Stops everything of the workspace, for its owners.
#[component]
pub fn StopButton() -> impl IntoView {
    let store = Store::expect();
    let open = RwSignal::new(false);
    let is_running = Memo::new(move |_| whole(&store.stops()).is_none());
    view! {
        {when(move || store.may(Role::Owner) && is_running.get(), move || view! {
            <Button look=Look::Subtle glyph=Glyph::Pause testid="stop-all" on_click=move |_| open.set(true)>
                "Аварийная остановка"
            </Button>
        }.into_any())}
        <Dialog title="Остановить отправку?" open testid="stop-dialog">
            <StopForm open />
        </Dialog>
    }
}

#[component]
fn StopForm(open: RwSignal<bool>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let reason = text("");
    let stop = move |_| {
        let form = PutStop {
            reason: Some(reason.get_untracked()).filter(|text| !text.trim().is_empty()),
        };
        run(busy, stops::stop_workspace(&form), move |answer| match answer {
            Ok(page) => {
                store.set_stops(page.items);
                open.set(false);
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        <p class="soft">
            "В течение секунды Интегратор перестанет писать в обе CRM. События продолжат приниматься, действия сохранят свои места и будут ждать."
        </p>
        <TextField
            label="Причина"
            value=reason
            hint="Её увидят все участники кабинета."
            testid="stop-reason"
        />
        <div class="dialog-actions">
            <Button on_click=move |_| open.set(false)>"Отмена"</Button>
            <Button look=Look::Danger glyph=Glyph::Pause loading=busy testid="stop-now" on_click=stop>
                "Остановить"
            </Button>
        </div>
    }
}

/// Says what is stopped, on every page, with the way to go on.
#[component]
pub fn StopBanner() -> impl IntoView {
    let store = Store::expect();
    let all = Memo::new(move |_| whole(&store.stops()));
    let parts = Memo::new(move |_| {
        let rules = store
            .stops()
            .iter()
            .filter(|stop| stop.scope == StopScope::Rule)
            .count();
        let connections: Vec<String> = store
            .connections()
            .into_iter()
            .filter(|connection| connection.state == ConnectionState::Stopped)
            .map(|connection| format!("«{}»", connection.name))
            .collect();
        (rules, connections)
    });
    move || match all.get() {
        Some(stop) => banner(stop),
        None => {
            let (rules, connections) = parts.get();
            some_stopped(rules, &connections)
        }
    }
}

fn banner(stop: Stop) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let go_on = move |_| {
        run(busy, stops::start_workspace(), move |answer| match answer {
            Ok(page) => {
                store.set_stops(page.items);
                toasts.done("Отправка продолжена: то, что ждало, пошло дальше");
            }
            Err(error) => toasts.problem(&error),
        });
    };
    let ours = stop.scope == StopScope::Workspace;
    let title = if ours {
        "Отправка остановлена: в CRM ничего не пишется, действия ждут."
    } else {
        "Отправка остановлена для всех кабинетов тем, кто обслуживает сервер. Действия ждут."
    };
    let reason = stop.reason.map(|reason| format!(" Причина: {reason}."));
    view! {
        <div class="stop-banner" role="status" data-testid="stop-banner">
            <Icon glyph=Glyph::Pause />
            <p class="grow">
                <b>{title}</b>
                {reason}
                <span class="soft">" " {stop.stopped_by} ", " <Moment at=stop.stopped_at /></span>
            </p>
            {when(move || ours && store.may(Role::Owner), move || view! {
                <Button small=true glyph=Glyph::Play loading=busy testid="go-on" on_click=go_on>
                    "Продолжить"
                </Button>
            }.into_any())}
        </div>
    }
    .into_any()
}

fn some_stopped(rules: usize, connections: &[String]) -> AnyView {
    if rules == 0 && connections.is_empty() {
        return ().into_any();
    }
    let rules = (rules > 0).then(|| {
        let n = u64::try_from(rules).unwrap_or(0);
        let words = counted(n, "правило", "правила", "правил");
        view! { <a href="/rules">{words}</a> }
    });
    let between = (rules.is_some() && !connections.is_empty()).then_some("; ");
    let connections = (!connections.is_empty()).then(|| {
        let words = format!("обмен с {}", list(connections, "и"));
        view! { <a href="/connections">{words}</a> }
    });
    view! {
        <div class="stop-banner part" role="status" data-testid="stop-banner">
            <Icon glyph=Glyph::Pause />
            <p class="grow">"Остановлено: " {rules} {between} {connections}</p>
        </div>
    }
    .into_any()
}
