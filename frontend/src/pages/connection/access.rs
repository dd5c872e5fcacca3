//! Name and credential of a connection, and its end.

use api::connection::{AmocrmAuth, AmocrmAuthMethod, Connection, ConnectionSettings, UpdateConnection};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api::connections;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Button, Card, Confirm, ErrorBox, Facts, Glyph, Look, Remote, SecretField, TextField, Toasts, blamed, run,
    text,
};

/// What may be changed: the name, the credential; and deletion.
#[component]
pub fn Access(connection: Connection, remote: Remote<Connection>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let id = connection.id;
    let name = text(connection.name.clone());
    let (token, login, password) = (text(""), text(""), text(""));
    let (busy, consenting, deleting) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let asking = RwSignal::new(false);
    let is_amocrm = matches!(connection.settings, ConnectionSettings::Amocrm { .. });
    let by_oauth = matches!(
        connection.settings,
        ConnectionSettings::Amocrm {
            auth: AmocrmAuthMethod::Oauth,
            ..
        }
    );
    let old_name = connection.name.clone();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let given =
            |value: RwSignal<String>| Some(value.get_untracked()).filter(|value| !value.trim().is_empty());
        let changes = UpdateConnection {
            name: given(name).filter(|name| *name != old_name),
            amocrm_auth: given(token).map(|token| AmocrmAuth::Token {
                token: token.trim().to_owned(),
            }),
            lptracker_login: given(login),
            lptracker_password: given(password),
            lptracker_project_id: None,
        };
        failure.set(None);
        run(
            busy,
            connections::update_connection(id, &changes),
            move |answer| match answer {
                Ok(connection) => {
                    token.set(String::new());
                    password.set(String::new());
                    toasts.done("Сохранено");
                    remote.set(connection);
                    store.load_connections();
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let consent = move |_| {
        run(
            consenting,
            connections::authorize_connection(id),
            move |answer| match answer {
                Ok(answer) => {
                    let _ = window().location().assign(&answer.url);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let delete = move |()| {
        let navigate = navigate.clone();
        run(
            deleting,
            connections::delete_connection(id),
            move |answer| match answer {
                Ok(()) => {
                    toasts.done("Подключение удалено");
                    store.load_connections();
                    navigate("/connections", Default::default());
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let field = move |pointer: &'static str| blamed(failure, pointer);
    view! {
        <div class="two">
            <Card title="Изменить">
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
                <form class="form" on:submit=submit novalidate>
                    <TextField label="Название" value=name error=field("/name") />
                    {if by_oauth {
                        view! {
                            <div>
                                <Button glyph=Glyph::Key loading=consenting on_click=consent>
                                    "Разрешить доступ заново"
                                </Button>
                            </div>
                        }
                            .into_any()
                    } else if is_amocrm {
                        view! {
                            <SecretField
                                label="Новый долгосрочный токен"
                                value=token
                                hint="Оставьте пустым, чтобы не менять."
                                error=field("/amocrm_auth/token")
                                testid="new-token"
                            />
                        }
                            .into_any()
                    } else {
                        view! {
                            <TextField
                                label="Новый логин"
                                value=login
                                autocomplete="off"
                                hint="Оставьте пустым, чтобы не менять."
                                error=field("/lptracker_login")
                            />
                            <SecretField
                                label="Новый пароль"
                                value=password
                                hint="Оставьте пустым, чтобы не менять."
                                error=field("/lptracker_password")
                            />
                        }
                            .into_any()
                    }}
                    <div class="row">
                        <Button look=Look::Primary submit=true loading=busy testid="save">"Сохранить"</Button>
                    </div>
                </form>
            </Card>
            <div class="stack">
                <Card title="Подключено к">
                    <Facts facts=settings(&connection.settings) />
                </Card>
                <Card title="Удалить подключение">
                    <p class="soft">
                        "Правила этого подключения перестанут работать, ключ доступа будет стёрт. События останутся."
                    </p>
                    <div>
                        <Button
                            look=Look::Danger
                            glyph=Glyph::Bin
                            loading=deleting
                            testid="delete"
                            on_click=move |_| asking.set(true)
                        >
                            "Удалить"
                        </Button>
                    </div>
                </Card>
            </div>
            <Confirm
                title="Удалить подключение?"
                text="Это нельзя отменить: ключ доступа и справочник будут стёрты."
                yes="Удалить"
                open=asking
                on_yes=delete
            />
        </div>
    }
}

fn settings(settings: &ConnectionSettings) -> Vec<(&'static str, AnyView)> {
    match settings.clone() {
        ConnectionSettings::Amocrm {
            base_url,
            auth,
            client_id,
        } => {
            let method = match auth {
                AmocrmAuthMethod::Token => "долгосрочный токен",
                AmocrmAuthMethod::Oauth => "OAuth",
            };
            let mut facts = vec![
                ("Адрес", base_url.into_any()),
                ("Способ доступа", method.into_any()),
            ];
            if let Some(client_id) = client_id {
                facts.push(("ID интеграции", view! { <code>{client_id}</code> }.into_any()));
            }
            facts
        }
        ConnectionSettings::Lptracker {
            base_url,
            login,
            project_id,
        } => {
            let mut facts = vec![
                ("Логин", login.into_any()),
                ("Номер проекта", project_id.to_string().into_any()),
            ];
            if let Some(base_url) = base_url {
                facts.push(("Адрес API", base_url.into_any()));
            }
            facts
        }
    }
}
