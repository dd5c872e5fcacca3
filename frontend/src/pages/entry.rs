//! How people come in by letters: registration, invitations, forgotten passwords. A token stands after `#`, so it
//! is neither sent to the server with the address nor kept in logs.

use api::account::{Accept, AskLetter, Invited, ResetPassword};
use api::session::UseLink;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use wasm_bindgen::JsValue;

use crate::api::{Request, sessions};
use crate::place::Entry;
use crate::problem::ApiError;
use crate::shell::Brand;
use crate::store::Store;
use crate::ui::{
    Button, ButtonLink, ErrorBox, Look, Notice, Remote, SecretField, TextField, blamed, loaded, page_title,
    run, text,
};
use crate::words::Tone;

/// The page of one of the ways in.
pub fn page(entry: Entry) -> AnyView {
    let body = match entry {
        Entry::Register => ask(
            "Регистрация",
            "Пришлём письмо со ссылкой, по которой создаются учётная запись и кабинет.",
            sessions::register,
        ),
        Entry::Forgotten => ask(
            "Новый пароль",
            "Пришлём письмо со ссылкой, по которой задаётся новый пароль.",
            sessions::forget_password,
        ),
        Entry::Join => join(),
        Entry::Reset => view! { <Reset token=token("/reset") /> }.into_any(),
    };
    view! {
        <main class="gate">
            <div class="gate-card">
                <Brand />
                {body}
                <p class="muted"><a href="/sign-in">"Войти с паролем"</a></p>
            </div>
        </main>
    }
    .into_any()
}

/// The token of the address; it works once and must not stay in the history.
fn token(path: &'static str) -> String {
    let hash = use_location().hash.get_untracked();
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(path));
    }
    hash.trim_start_matches('#').to_owned()
}

/// Asks for a letter. The answer is the same whoever the address belongs to.
fn ask(title: &'static str, about: &'static str, request: fn(&AskLetter) -> Request<()>) -> AnyView {
    page_title(title);
    let email = text("");
    let (busy, sent) = (RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = AskLetter {
            email: email.get_untracked().trim().to_owned(),
        };
        failure.set(None);
        sent.set(false);
        run(busy, request(&form), move |answer| match answer {
            Ok(()) => sent.set(true),
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <div class="stack tight">
            <h1>{title}</h1>
            <p class="soft">{about}</p>
        </div>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        {move || ({
            sent.get()
                .then(|| {
                    view! {
                        <Notice tone=Tone::Good title="Письмо отправлено" testid="letter-sent">
                            "Откройте ссылку из письма. Если письма нет, проверьте адрес и папку «Спам»."
                        </Notice>
                    }
                })
        }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <TextField
                label="E-mail"
                value=email
                kind="email"
                autocomplete="username"
                error=blamed(failure, "/email")
                testid="email"
            />
            <Button look=Look::Primary submit=true loading=busy testid="ask-letter">"Отправить письмо"</Button>
        </form>
    }
    .into_any()
}

fn join() -> AnyView {
    page_title("Приглашение");
    let link = UseLink {
        token: token("/join"),
    };
    let asked = link.clone();
    let found = Remote::new(move || sessions::look_at_invitation(&asked));
    view! {
        <h1>"Приглашение"</h1>
        {loaded(found, move |invited| view! { <Join invited token=link.token.clone() /> })}
    }
    .into_any()
}

#[component]
fn Join(invited: Invited, token: String) -> impl IntoView {
    let store = Store::expect();
    let navigate = use_navigate();
    let (name, password, workspace) = (text(""), text(""), text(""));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let is_known = invited.is_known;
    let makes_workspace = invited.workspace.is_none();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = Accept {
            token: token.clone(),
            name: name.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            workspace: workspace.get_untracked().trim().to_owned(),
        };
        failure.set(None);
        let navigate = navigate.clone();
        run(
            busy,
            sessions::accept_invitation(&form),
            move |answer| match answer {
                Ok(session) => {
                    let inside = session.user.is_some();
                    store.enter(session);
                    let replace = NavigateOptions {
                        replace: true,
                        ..Default::default()
                    };
                    navigate(if inside { "/" } else { "/sign-in" }, replace);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let into = match &invited.workspace {
        Some(name) => format!("Кабинет «{name}», адрес {}", invited.email),
        None => format!("Учётная запись для адреса {}", invited.email),
    };
    view! {
        <p class="soft" data-testid="invited">{into}</p>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        <form class="form" on:submit=submit novalidate>
            {(!is_known).then(|| view! {
                <TextField
                    label="Ваше имя"
                    value=name
                    autocomplete="name"
                    error=blamed(failure, "/name")
                    testid="name"
                />
                <SecretField
                    label="Пароль"
                    value=password
                    autocomplete="new-password"
                    hint="Не короче 12 знаков. Удобно взять несколько случайных слов."
                    error=blamed(failure, "/password")
                    testid="password"
                />
            })}
            {(!is_known && makes_workspace).then(|| view! {
                <TextField
                    label="Название кабинета"
                    value=workspace
                    autocomplete="organization"
                    placeholder="Отдел продаж"
                    error=blamed(failure, "/workspace")
                    testid="workspace"
                />
            })}
            <Button look=Look::Primary submit=true loading=busy testid="join">
                {if is_known { "Присоединиться" } else { "Создать учётную запись" }}
            </Button>
        </form>
    }
}

#[component]
fn Reset(token: String) -> impl IntoView {
    page_title("Новый пароль");
    let password = text("");
    let (busy, done) = (RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = ResetPassword {
            token: token.clone(),
            password: password.get_untracked(),
        };
        failure.set(None);
        run(
            busy,
            sessions::reset_password(&form),
            move |answer| match answer {
                Ok(()) => done.set(true),
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    view! {
        <h1>"Новый пароль"</h1>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        {move || ({
            done.get()
                .then(|| {
                    view! {
                        <Notice tone=Tone::Good title="Пароль изменён" testid="password-set">
                            "Все прежние входы завершены. Войдите с новым паролем."
                        </Notice>
                        <ButtonLink href="/sign-in" look=Look::Primary>"Войти"</ButtonLink>
                    }
                })
        }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <SecretField
                label="Новый пароль"
                value=password
                autocomplete="new-password"
                hint="Не короче 12 знаков. Удобно взять несколько случайных слов."
                error=blamed(failure, "/password")
                testid="password"
            />
            <Button look=Look::Primary submit=true loading=busy testid="set-password">"Сохранить пароль"</Button>
        </form>
    }
}
