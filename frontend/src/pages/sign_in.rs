//! Sign-in by e-mail and password, and by a code where a second factor is set up.

use api::problem::ProblemType;
use api::session::SignIn;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::sessions;
use crate::problem::ApiError;
use crate::shell::Brand;
use crate::store::Store;
use crate::ui::{Button, ErrorBox, Look, Notice, SecretField, TextField, page_title, run, text, when};
use crate::words::Tone;

/// The sign-in page. Where to go afterwards stands in the address as `return`.
#[component]
pub fn SignInPage() -> impl IntoView {
    page_title("Вход");
    let store = Store::expect();
    let (email, password, code) = (text(""), text(""), text(""));
    // Asked for only after the password was right.
    let asks_code = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let missing = RwSignal::new((None::<String>, None::<String>));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = SignIn {
            email: email.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            code: Some(code.get_untracked().trim().to_owned()).filter(|code| !code.is_empty()),
        };
        let empty = |value: &str, words: &str| value.is_empty().then(|| words.to_owned());
        let wanting = (
            empty(&form.email, "Введите e-mail"),
            empty(&form.password, "Введите пароль"),
        );
        let complete = wanting == (None, None);
        missing.set(wanting);
        failure.set(None);
        if complete {
            run(busy, sessions::sign_in(&form), move |answer| match answer {
                Ok(session) => store.enter(session),
                Err(error) if error.kind == Some(ProblemType::SecondFactor) && !asks_code.get_untracked() => {
                    asks_code.set(true);
                }
                Err(error) => failure.set(Some(error)),
            });
        }
    };
    let field = move |pointer: &'static str| failure.with(|error| error.as_ref()?.field(pointer));
    let registration_open = move || store.session().is_some_and(|session| session.registration_open);
    let setup_needed = move || store.session().is_some_and(|session| session.setup_needed);
    view! {
        <main class="gate">
            <div class="gate-card">
                <Brand />
                <h1>"Вход"</h1>
                {when(setup_needed, move || view! {
                    <Notice tone=Tone::Warn title="Установка ещё не настроена">
                        "Откройте ссылку первой настройки: сервер напечатал её при запуске."
                    </Notice>
                }.into_any())}
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
                <form class="form" on:submit=submit novalidate>
                    <TextField
                        label="E-mail"
                        value=email
                        kind="email"
                        autocomplete="username"
                        error=Signal::derive(move || missing.get().0.or_else(|| field("/email")))
                        testid="email"
                    />
                    <SecretField
                        label="Пароль"
                        value=password
                        autocomplete="current-password"
                        error=Signal::derive(move || missing.get().1.or_else(|| field("/password")))
                        testid="password"
                    />
                    {when(move || asks_code.get(), move || view! {
                        <TextField
                            label="Код подтверждения"
                            value=code
                            autocomplete="one-time-code"
                            hint="Шесть цифр из приложения или код восстановления."
                            testid="code"
                        />
                    }.into_any())}
                    <Button look=Look::Primary submit=true loading=busy testid="sign-in">"Войти"</Button>
                </form>
                <p class="muted">
                    <a href="/forgotten">"Забыли пароль?"</a>
                    {when(registration_open, move || view! { " · " <a href="/register">"Регистрация"</a> }.into_any())}
                </p>
            </div>
        </main>
    }
}
