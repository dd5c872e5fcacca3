//! One connection: how it stands, what it offers, its access.

mod access;
mod catalogue;

use api::connection::Connection;
use api::workspace::Role;
use domain::connection::ConnectionState;
use domain::id::ConnectionId;
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use crate::api::connections;
use crate::parts::ConnectionCard;
use crate::problem::ApiError;
use crate::store::{Store, Topic};
use crate::ui::{
    Button, Card, ErrorBox, Glyph, Look, Notice, Page, Remote, SideTag, Tabs, Toasts, loaded, run, when,
};
use crate::words::Tone;

use access::Access;
use catalogue::CatalogueBrowser;

/// The page of a connection.
#[component]
pub fn ConnectionPage(id: ConnectionId) -> impl IntoView {
    let remote = Remote::new(move || connections::get_connection(id));
    let (chosen, choose) = query_signal::<String>("tab");
    let (consent, _) = query_signal::<String>("oauth");
    let title = Signal::derive(move || {
        remote.with(|connection| {
            connection.map_or("Подключение".to_owned(), |connection| {
                connection.name.clone()
            })
        })
    });
    let store = Store::expect();
    store.follow(&[Topic::Connections, Topic::Events], move || remote.reload());
    let tab = Signal::derive(move || chosen.get().unwrap_or_else(|| "state".to_owned()));
    let tabs = Signal::derive(move || {
        let mut tabs = vec![("state", "Состояние", None), ("catalogue", "Справочник", None)];
        if store.may(Role::Owner) {
            tabs.push(("access", "Доступ", None));
        }
        tabs
    });
    let panel = move || match tab.get().as_str() {
        "catalogue" => view! { <CatalogueBrowser connection=remote /> }.into_any(),
        "access" => loaded(remote, move |connection| view! { <Access connection remote /> }).into_any(),
        _ => view! { <State id remote /> }.into_any(),
    };
    let side = move || remote.with(|connection| connection.map(|connection| connection.kind));
    let tag = move || side().map(|side| view! { <SideTag side=Some(side) /> });
    view! {
        <Page title above=("Подключения", "/connections") tags=tag.into_any()>
            {move || consent.get().as_deref().and_then(consented)}
            <Tabs
                label="Разделы подключения"
                tabs
                chosen=tab
                on_choose=move |word: String| choose.set(Some(word).filter(|word| word != "state"))
            >
                {panel}
            </Tabs>
        </Page>
    }
}

/// How the consent at amoCRM went, after the browser has come back from there.
fn consented(word: &str) -> Option<AnyView> {
    let (tone, title, text) = match word {
        "connected" => (
            Tone::Good,
            "amoCRM подключена",
            "Доступ получен, справочник и подписка на события установлены.",
        ),
        "refused" => (
            Tone::Warn,
            "Доступ не разрешён",
            "В amoCRM отказались дать доступ. Попробовать ещё раз можно на вкладке «Доступ».",
        ),
        "failed" => (
            Tone::Bad,
            "Не получилось",
            "amoCRM не выдала ключи. Проверьте ID интеграции и секретный ключ на вкладке «Доступ» и повторите.",
        ),
        _ => return None,
    };
    Some(view! { <Notice tone title>{text}</Notice> }.into_any())
}

#[component]
fn State(id: ConnectionId, remote: Remote<Connection>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (checking, subscribing, switching) =
        (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let checked = RwSignal::new(false);
    let take = move |connection: Connection| {
        remote.set(connection);
        store.load_connections();
    };
    let check = move |_| {
        failure.set(None);
        checked.set(false);
        run(
            checking,
            connections::check_connection(id),
            move |answer| match answer {
                Ok(connection) => {
                    checked.set(connection.state == ConnectionState::Active);
                    take(connection);
                }
                Err(error) => {
                    failure.set(Some(error));
                    remote.reload();
                }
            },
        );
    };
    let subscribe = move |_| {
        failure.set(None);
        run(
            subscribing,
            connections::subscribe_connection(id),
            move |answer| match answer {
                Ok(_) => {
                    toasts.done("Подписка на события установлена");
                    remote.reload();
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let switch = move |on: bool| switch(toasts, switching, id, on, Callback::new(take));
    let is_stopped = Memo::new(move |_| {
        remote.with(|connection| {
            connection.is_some_and(|connection| connection.state == ConnectionState::Stopped)
        })
    });
    view! {
        <div class="stack">
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            {when(move || checked.get(), move || view! { <Notice tone=Tone::Good testid="check-ok">"Проверено: CRM отвечает, доступ действует."</Notice> }.into_any())}
            <Show when=move || store.may(Role::Owner)>
                <div class="row">
                    <Button look=Look::Primary glyph=Glyph::Tick loading=checking testid="check" on_click=check>
                        "Проверить"
                    </Button>
                    <Button glyph=Glyph::Refresh loading=subscribing testid="subscribe" on_click=subscribe>
                        "Проверить подписку"
                    </Button>
                    <Show
                        when=move || is_stopped.get()
                        fallback=move || {
                            view! {
                                <Button
                                    look=Look::Danger
                                    glyph=Glyph::Pause
                                    loading=switching
                                    testid="stop"
                                    on_click=move |_| switch(false)
                                >
                                    "Остановить обмен"
                                </Button>
                            }
                        }
                    >
                        <Button glyph=Glyph::Play loading=switching testid="start" on_click=move |_| switch(true)>
                            "Продолжить обмен"
                        </Button>
                    </Show>
                </div>
            </Show>
            {loaded(remote, |connection| {
                let foreign = connection
                    .subscription
                    .as_ref()
                    .map(|subscription| subscription.foreign.clone())
                    .unwrap_or_default();
                let foreign = (!foreign.is_empty())
                    .then(|| {
                        let list = foreign
                            .into_iter()
                            .map(|address| view! { <li><code>{address}</code></li> })
                            .collect_view();
                        view! {
                            <Card title="Чужие подписки">
                                <p class="soft">
                                    "В CRM есть вебхуки других программ. Интегратор их не меняет."
                                </p>
                                <ul class="plain-list">{list}</ul>
                            </Card>
                        }
                    });
                view! {
                    <ConnectionCard connection />
                    {foreign}
                }
            })}
        </div>
    }
}

/// Stops the exchange at once or lets it go on; either is taken back by one press.
fn switch(toasts: Toasts, busy: RwSignal<bool>, id: ConnectionId, on: bool, take: Callback<Connection>) {
    let request = if on {
        connections::start_connection(id)
    } else {
        connections::stop_connection(id)
    };
    run(busy, request, move |answer| match answer {
        Ok(connection) => {
            let text = if on {
                "Обмен продолжен: то, что ждало, пошло дальше"
            } else {
                "Обмен остановлен: события принимаются, действия ждут"
            };
            take.run(connection);
            toasts.undoable(text, move || switch(toasts, RwSignal::new(false), id, !on, take));
        }
        Err(error) => toasts.problem(&error),
    });
}
