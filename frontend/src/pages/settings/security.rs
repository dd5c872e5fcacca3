//! What keeps others out of the account: password, second factor, sessions; and the way to leave with one's data.

use api::account::{ChangePassword, FactorCode, NewFactor, OwnSession, Profile, WithPassword};
use domain::id::SessionId;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::account;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Ago, Badge, Button, ButtonLink, Card, Column, Copyable, DataTable, Dialog, ErrorBox, Look, Notice,
    Remote, SecretField, TextField, Toasts, blamed, loaded, run, text,
};
use crate::words::Tone;

/// The person's own safety.
#[component]
pub fn Security() -> impl IntoView {
    let profile = Remote::new(account::get_profile);
    view! {
        <div class="stack">
            {loaded(profile, move |me| {
                if !me.has_password {
                    return view! {
                        <Card title="Пароль">
                            <p class="soft">
                                "Пароля у вас нет: вы входите по одноразовым ссылкам. Задать пароль можно по письму со страницы «Забыли пароль?»."
                            </p>
                            <div><ButtonLink href="/forgotten">"Задать пароль"</ButtonLink></div>
                        </Card>
                    }
                        .into_any();
                }
                view! {
                    <div class="two">
                        <Password />
                        <SecondFactor me=me.clone() profile />
                    </div>
                }
                    .into_any()
            })}
            <Sessions />
            <Leaving profile />
        </div>
    }
}

#[component]
fn Password() -> impl IntoView {
    let toasts = Toasts::expect();
    let (current, password) = (text(""), text(""));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = ChangePassword {
            current: current.get_untracked(),
            password: password.get_untracked(),
        };
        failure.set(None);
        run(
            busy,
            account::change_password(&form),
            move |answer| match answer {
                Ok(()) => {
                    current.set(String::new());
                    password.set(String::new());
                    toasts.done("Пароль изменён, остальные сеансы завершены");
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    view! {
        <Card title="Пароль">
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <form class="form" on:submit=submit novalidate>
                <SecretField
                    label="Текущий пароль"
                    value=current
                    autocomplete="current-password"
                    error=blamed(failure, "/current")
                    testid="current-password"
                />
                <SecretField
                    label="Новый пароль"
                    value=password
                    autocomplete="new-password"
                    hint="Не короче 12 знаков. Удобно взять несколько случайных слов."
                    error=blamed(failure, "/password")
                    testid="new-password"
                />
                <div>
                    <Button submit=true loading=busy testid="change-password">"Изменить пароль"</Button>
                </div>
            </form>
        </Card>
    }
}

/// How far setting up has come.
#[derive(Clone, PartialEq)]
enum Step {
    Password,
    Code(NewFactor),
    Codes(Vec<String>),
}

#[component]
fn SecondFactor(me: Profile, profile: Remote<Profile>) -> impl IntoView {
    let step = RwSignal::new(Step::Password);
    let has = me.has_second_factor;
    let state = if has {
        view! { <Badge tone=Tone::Good word="включено" /> }
    } else {
        view! { <Badge tone=Tone::Muted word="выключено" /> }
    };
    view! {
        <Card title="Вход с кодом из приложения">
            <p class="soft">
                {state} " При входе, кроме пароля, спросим шесть цифр из приложения: Яндекс Ключ, Google Authenticator, 1Password."
            </p>
            {move || match step.get() {
                Step::Password => view! { <Confirming has step profile /> }.into_any(),
                Step::Code(factor) => view! { <FirstCode factor step /> }.into_any(),
                Step::Codes(codes) => {
                    let all = codes.join("\n");
                    let lines = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
                    view! {
                        <Notice tone=Tone::Good title="Вход с кодом включён" testid="recovery-codes">
                            <div class="stack tight">
                                <p>"Сохраните коды восстановления: каждый впускает один раз, если телефона нет под рукой. Больше они нигде не показываются."</p>
                                <ul class="codes">{lines}</ul>
                                <Copyable text=all what="коды восстановления" />
                                <div><Button on_click=move |_| profile.reload()>"Готово"</Button></div>
                            </div>
                        </Notice>
                    }
                        .into_any()
                }
            }}
        </Card>
    }
}

/// The password once more, before the factor is begun or removed.
#[component]
fn Confirming(has: bool, step: RwSignal<Step>, profile: Remote<Profile>) -> impl IntoView {
    let toasts = Toasts::expect();
    let password = text("");
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = WithPassword {
            password: password.get_untracked(),
        };
        failure.set(None);
        if has {
            run(
                busy,
                account::remove_second_factor(&form),
                move |answer| match answer {
                    Ok(()) => {
                        toasts.done("Вход с кодом выключен");
                        profile.reload();
                    }
                    Err(error) => failure.set(Some(error)),
                },
            );
        } else {
            run(
                busy,
                account::begin_second_factor(&form),
                move |answer| match answer {
                    Ok(factor) => step.set(Step::Code(factor)),
                    Err(error) => failure.set(Some(error)),
                },
            );
        }
    };
    view! {
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <SecretField
                label="Пароль"
                value=password
                autocomplete="current-password"
                error=blamed(failure, "/password")
                testid="factor-password"
            />
            <div>
                <Button
                    submit=true
                    loading=busy
                    look=if has { Look::Danger } else { Look::Plain }
                    testid="factor"
                >
                    {if has { "Выключить" } else { "Включить" }}
                </Button>
            </div>
        </form>
    }
}

#[component]
fn FirstCode(factor: NewFactor, step: RwSignal<Step>) -> impl IntoView {
    let code = text("");
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = FactorCode {
            code: code.get_untracked().trim().to_owned(),
        };
        failure.set(None);
        run(
            busy,
            account::confirm_second_factor(&form),
            move |answer| match answer {
                Ok(codes) => step.set(Step::Codes(codes.codes)),
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    view! {
        <div class="stack tight">
            <p>
                "Введите ключ в приложении или "
                <a href=factor.uri rel="external">"откройте его на этом устройстве"</a>
                "."
            </p>
            <Copyable text=factor.secret what="ключ" testid="factor-secret" />
        </div>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <TextField
                label="Код из приложения"
                value=code
                autocomplete="one-time-code"
                error=blamed(failure, "/code")
                testid="factor-code"
            />
            <div class="row">
                <Button look=Look::Primary submit=true loading=busy testid="factor-confirm">"Подтвердить"</Button>
                <Button look=Look::Subtle on_click=move |_| step.set(Step::Password)>"Отмена"</Button>
            </div>
        </form>
    }
}

#[component]
fn Sessions() -> impl IntoView {
    let list = Remote::new(account::list_sessions);
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let end_others = move |_| {
        run(busy, account::end_other_sessions(), move |answer| match answer {
            Ok(()) => {
                toasts.done("Остальные сеансы завершены");
                list.reload();
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        <Card title="Где вы вошли">
            {loaded(list, move |page| {
                let others = page.items.len() > 1;
                let columns = vec![
                    Column::new("Браузер", "lead", |one: &OwnSession| {
                        view! {
                            <span>{browser(one.user_agent.as_deref())}</span>
                            {one.is_current.then(|| view! { " " <Badge tone=Tone::Good word="этот" plain=true /> })}
                            <p class="muted">{one.address.clone().unwrap_or_default()}</p>
                        }
                    }),
                    Column::new("Вход", "nowrap", |one: &OwnSession| view! { <Ago at=one.created_at /> }),
                    Column::new("Последнее действие", "nowrap", |one: &OwnSession| {
                        view! { <Ago at=one.last_seen_at /> }
                    }),
                    Column::new("Команды", "bare", move |one: &OwnSession| {
                        (!one.is_current).then(|| view! { <End id=one.id list /> })
                    }),
                ];
                let rows = Signal::stored(page.items);
                view! {
                    <DataTable caption="Сеансы" columns rows id=|one| one.id.to_string() testid="sessions" />
                    {others
                        .then(|| {
                            view! {
                                <div>
                                    <Button loading=busy testid="end-others" on_click=end_others>
                                        "Завершить все остальные"
                                    </Button>
                                </div>
                            }
                        })}
                }
            })}
        </Card>
    }
}

#[component]
fn End(id: SessionId, list: Remote<api::Page<OwnSession>>) -> impl IntoView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let go = move |_| {
        run(busy, account::end_session(id), move |answer| match answer {
            Ok(()) => list.reload(),
            Err(error) => toasts.problem(&error),
        });
    };
    view! { <Button small=true loading=busy testid="end-session" on_click=go>"Завершить"</Button> }
}

/// Browser and system in short, from what the browser says of itself.
fn browser(agent: Option<&str>) -> String {
    let Some(agent) = agent else {
        return "Неизвестный браузер".to_owned();
    };
    let first = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    // Later ones call themselves by the names of earlier ones too.
    let name = first(&[
        ("YaBrowser", "Яндекс Браузер"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name}, {system}"),
        (Some(name), None) => name.to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

#[component]
fn Leaving(profile: Remote<Profile>) -> impl IntoView {
    let asking = RwSignal::new(false);
    view! {
        <Card title="Ваши данные">
            <p class="soft">
                "Выгрузка содержит всё, что установка хранит о вас. При удалении пропадут учётная запись и кабинеты, в которых вы один."
            </p>
            <div class="row">
                <a class="button-link" href=account::EXPORT rel="external" download="account.json" data-testid="export-account">
                    "Скачать мои данные"
                </a>
                {move || {
                    profile
                        .get()
                        .is_some_and(|me| me.has_password)
                        .then(|| {
                            view! {
                                <Button look=Look::Danger testid="delete-account" on_click=move |_| asking.set(true)>
                                    "Удалить учётную запись"
                                </Button>
                            }
                        })
                }}
            </div>
            <Dialog title="Удалить учётную запись?" open=asking>
                <Deleting />
            </Dialog>
        </Card>
    }
}

#[component]
fn Deleting() -> impl IntoView {
    let store = Store::expect();
    let password = text("");
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = WithPassword {
            password: password.get_untracked(),
        };
        failure.set(None);
        run(busy, account::delete_account(&form), move |answer| match answer {
            Ok(()) => store.load_session(),
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <p class="soft">
            "Вместе с ней удаляются кабинеты, где нет других людей: правила, события, файлы и ключи. Вернуть их нельзя."
        </p>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        <form class="form" on:submit=submit novalidate>
            <SecretField
                label="Пароль"
                value=password
                autocomplete="current-password"
                error=blamed(failure, "/password")
                testid="delete-password"
            />
            <div class="dialog-actions">
                <Button look=Look::Danger submit=true loading=busy testid="delete-yes">"Удалить навсегда"</Button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_told_by_what_they_add() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(browser(Some(chrome)), "Chrome, Linux");
        let yandex = "Mozilla/5.0 (Windows NT 10.0) Chrome/138.0 YaBrowser/25.8 Safari/537.36";
        assert_eq!(browser(Some(yandex)), "Яндекс Браузер, Windows");
        assert_eq!(browser(Some("curl/8.5.0")), "curl/8.5.0");
        assert_eq!(browser(None), "Неизвестный браузер");
    }
}
