//! API keys: made, shown once, revoked.

use api::api_key::{ApiKey, CreateApiKey, CreatedApiKey, Scope};
use api::workspace::Role;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::workspace;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Ago, Badge, Button, Card, Check, Column, Confirm, Copyable, DataTable, Empty, ErrorBox, Glyph, Look,
    Notice, Remote, SelectField, TextField, Toasts, blamed, loaded, run, text, when,
};
use crate::words::Tone;

/// The list of keys and the form for a new one.
#[component]
pub fn Keys() -> impl IntoView {
    let store = Store::expect();
    let list = Remote::new(workspace::list_api_keys);
    view! {
        <div class="stack">
            <p class="soft">
                "Ключ даёт программе доступ к этому кабинету. Описание API — "
                <a href="/api/docs" rel="external" target="_blank">"в документации"</a>
                "."
            </p>
            {when(move || store.may(Role::Owner), move || view! { <NewKey list /> }.into_any())}
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return view! {
                        <Card>
                            <Empty glyph=Glyph::Key title="Ключей нет" text="Создайте ключ, чтобы обращаться к Интегратору из своей программы." />
                        </Card>
                    }
                        .into_any();
                }
                let columns = vec![
                    Column::new("Название", "lead", |key: &ApiKey| {
                        view! {
                            <b>{key.name.clone()}</b>
                            <p class="muted"><code>{key.prefix.clone()} "…"</code></p>
                        }
                    }),
                    Column::new("Доступ", "", |key: &ApiKey| {
                        let scopes = key
                            .scopes
                            .iter()
                            .map(|scope| view! { <Badge tone=Tone::Muted word=scope.title() plain=true /> })
                            .collect_view();
                        view! { <span class="badges">{scopes}</span> }
                    }),
                    Column::new("Действует", "nowrap", |key: &ApiKey| match key.expires_at {
                        Some(at) => view! { <Ago at /> }.into_any(),
                        None => "бессрочно".into_any(),
                    }),
                    Column::new("Использован", "nowrap", |key: &ApiKey| match key.last_used_at {
                        Some(at) => view! { <Ago at /> }.into_any(),
                        None => view! { <span class="muted">"ни разу"</span> }.into_any(),
                    }),
                    Column::new("Команды", "bare", move |key: &ApiKey| view! { <Revoke key=key.clone() list /> }),
                ];
                let rows = Signal::stored(page.items);
                view! { <DataTable caption="API-ключи" columns rows id=|key| key.id.to_string() testid="keys" /> }
                    .into_any()
            })}
        </div>
    }
}

#[component]
fn Revoke(key: ApiKey, list: Remote<api::Page<ApiKey>>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let id = key.id;
    let title = format!("Отозвать ключ «{}»?", key.name);
    let revoke = move |()| {
        run(busy, workspace::revoke_api_key(id), move |answer| match answer {
            Ok(()) => {
                toasts.done("Ключ отозван");
                list.reload();
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        {when(move || store.may(Role::Owner), move || view! {
            <Button small=true look=Look::Danger loading=busy testid="revoke" on_click=move |_| asking.set(true)>
                "Отозвать"
            </Button>
        }.into_any())}
        <Confirm
            title
            text="Программы с этим ключом сразу потеряют доступ. Вернуть ключ нельзя, можно создать новый."
            yes="Отозвать"
            open=asking
            on_yes=revoke
        />
    }
}

#[component]
fn NewKey(list: Remote<api::Page<ApiKey>>) -> impl IntoView {
    let name = text("");
    let days = text("365");
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let made = RwSignal::new(None::<(String, String)>);
    let scopes = Scope::ALL.map(|scope| (scope, RwSignal::new(scope == Scope::Read)));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = CreateApiKey {
            name: name.get_untracked().trim().to_owned(),
            scopes: scopes
                .iter()
                .filter(|(_, on)| on.get_untracked())
                .map(|(scope, _)| *scope)
                .collect(),
            expires_in_days: days.get_untracked().parse().ok(),
        };
        failure.set(None);
        made.set(None);
        run(
            busy,
            workspace::create_api_key(&form),
            move |answer| match answer {
                Ok(CreatedApiKey { key, secret }) => {
                    name.set(String::new());
                    made.set(Some((key.name, secret)));
                    list.reload();
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let field = move |pointer: &'static str| blamed(failure, pointer);
    let terms = vec![
        ("30".to_owned(), "30 дней".to_owned()),
        ("90".to_owned(), "90 дней".to_owned()),
        ("365".to_owned(), "1 год".to_owned()),
        (String::new(), "Бессрочно".to_owned()),
    ];
    let boxes = scopes
        .map(|(scope, on)| view! { <Check label=scope.title() value=on hint=scope_hint(scope) /> })
        .collect_view();
    view! {
        <Card title="Новый ключ">
            {move || ({
                made.get()
                    .map(|(name, secret)| {
                        view! {
                            <Notice tone=Tone::Good title=format!("Ключ «{name}» создан")>
                                <div class="stack tight">
                                    <p>"Скопируйте его сейчас: больше он нигде не показывается."</p>
                                    <Copyable text=secret what="API-ключ" testid="new-key" />
                                </div>
                            </Notice>
                        }
                    })
            }).into_any()}
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <form class="form wide" on:submit=submit novalidate>
                <div class="form-grid">
                    <TextField
                        label="Название"
                        value=name
                        placeholder="Выгрузка в отчёт"
                        error=field("/name")
                        testid="key-name"
                    />
                    <SelectField
                        label="Срок"
                        value=days
                        options=Signal::stored(terms)
                        on_change=move |value: String| days.set(value)
                    />
                </div>
                <fieldset>
                    <legend class="soft">"Что разрешено"</legend>
                    <div class="form-grid">{boxes}</div>
                </fieldset>
                <div>
                    <Button look=Look::Primary submit=true loading=busy testid="create-key">"Создать ключ"</Button>
                </div>
            </form>
        </Card>
    }
}

fn scope_hint(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "Смотреть всё, кроме секретов",
        Scope::Rules => "Менять и публиковать правила",
        Scope::Events => "Повторять события и действия, править связи",
        Scope::Imports => "Загружать файлы и результаты прозвонов",
        Scope::Admin => "Подключения, участники, ключи",
    }
}
