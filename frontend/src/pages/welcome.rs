//! Where one-time links lead: signing in without a password, and the first set-up. The token stands after
//! `#`, so it is neither sent to the server with the address nor kept in logs.

use api::session::{SetUp, UseLink};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};
use wasm_bindgen::JsValue;

use crate::api::sessions;
use crate::problem::ApiError;
use crate::shell::Brand;
use crate::store::Store;
use crate::ui::{
    Button, ButtonLink, ErrorBox, Look, SecretField, Skeletons, TextField, page_title, run, text, when,
};

/// The page of one-time links.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let store = Store::expect();
    let hash = use_location().hash.get_untracked();
    let token = hash.trim_start_matches('#').to_owned();
    // The token is good for one use and must not stay in the history.
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some("/welcome"));
    }
    let setup = untrack(|| store.session()).is_some_and(|session| session.setup_needed);
    view! {
        <main class="gate">
            <div class="gate-card">
                <Brand />
                {if setup {
                    view! { <SetUpForm token /> }.into_any()
                } else {
                    view! { <LinkEntry token /> }.into_any()
                }}
            </div>
        </main>
    }
}

#[component]
fn LinkEntry(token: String) -> impl IntoView {
    page_title("Вход по ссылке");
    let store = Store::expect();
    let navigate = use_navigate();
    let failure = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    if token.is_empty() {
        failure.set(Some(ApiError {
            title: "В ссылке нет ключа".to_owned(),
            detail: Some("Откройте ссылку целиком, вместе с частью после знака #.".to_owned()),
            ..ApiError::unreadable(0)
        }));
    } else {
        let link = UseLink { token };
        run(busy, sessions::use_link(&link), move |answer| match answer {
            Ok(session) => {
                store.enter(session);
                navigate(
                    "/",
                    leptos_router::NavigateOptions {
                        replace: true,
                        ..Default::default()
                    },
                );
            }
            Err(error) => failure.set(Some(error)),
        });
    }
    view! {
        <h1>"Вход по ссылке"</h1>
        {when(move || busy.get(), move || view! { <Skeletons lines=2 /> }.into_any())}
        {move || ({
            failure
                .get()
                .map(|error| {
                    view! {
                        <ErrorBox error />
                        <ButtonLink href="/sign-in" look=Look::Primary>"Войти с паролем"</ButtonLink>
                    }
                })
        }).into_any()}
    }
}

#[component]
fn SetUpForm(token: String) -> impl IntoView {
    page_title("Первая настройка");
    let store = Store::expect();
    let navigate = use_navigate();
    let (email, name, password, workspace) = (text(""), text(""), text(""), text(""));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let wanting = RwSignal::new(Vec::<(&'static str, &'static str)>::new());
    let field = move |pointer: &'static str| {
        Signal::derive(move || {
            let local =
                wanting.with(|list| list.iter().find(|(of, _)| *of == pointer).map(|(_, text)| *text));
            local
                .map(str::to_owned)
                .or_else(|| failure.with(|error| error.as_ref()?.field(pointer)))
        })
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        let form = SetUp {
            token: token.clone(),
            email: email.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            workspace: workspace.get_untracked().trim().to_owned(),
        };
        let missing = missing(&form);
        let complete = missing.is_empty();
        wanting.set(missing);
        if !complete {
            return;
        }
        let navigate = navigate.clone();
        run(busy, sessions::set_up(&form), move |answer| match answer {
            Ok(session) => {
                store.enter(session);
                navigate(
                    "/",
                    leptos_router::NavigateOptions {
                        replace: true,
                        ..Default::default()
                    },
                );
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <div class="stack tight">
            <h1>"Первая настройка"</h1>
            <p class="soft">"Создайте администратора установки и первый кабинет. Это делается один раз."</p>
        </div>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <TextField label="Ваше имя" value=name autocomplete="name" error=field("/name") testid="name" />
            <TextField
                label="E-mail"
                value=email
                kind="email"
                autocomplete="username"
                error=field("/email")
                testid="email"
            />
            <SecretField
                label="Пароль"
                value=password
                autocomplete="new-password"
                hint="Не короче 12 знаков. Удобно взять несколько случайных слов."
                error=field("/password")
                testid="password"
            />
            <TextField
                label="Название кабинета"
                value=workspace
                autocomplete="organization"
                placeholder="Отдел продаж"
                error=field("/workspace")
                testid="workspace"
            />
            <Button look=Look::Primary submit=true loading=busy testid="set-up">"Начать работу"</Button>
        </form>
    }
}

/// What is plainly missing, all at once; the server has the last word.
fn missing(form: &SetUp) -> Vec<(&'static str, &'static str)> {
    [
        (form.name.is_empty(), "/name", "Введите имя"),
        (
            !form.email.contains('@'),
            "/email",
            "Введите e-mail вида anna@example.ru",
        ),
        (
            form.password.chars().count() < 12,
            "/password",
            "Пароль короче 12 знаков",
        ),
        (
            form.workspace.is_empty(),
            "/workspace",
            "Введите название кабинета",
        ),
    ]
    .into_iter()
    .filter(|(wrong, ..)| *wrong)
    .map(|(_, pointer, text)| (pointer, text))
    .collect()
}
