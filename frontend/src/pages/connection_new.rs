//! Adding a connection, with what to click in the CRM.

use api::connection::{AmocrmAuth, CreateConnection};
use domain::connection::ConnectorKind;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api::connections;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Button, Card, Copyable, ErrorBox, Fold, Look, Page, SecretField, SelectField, TextField, Toasts, blamed,
    run_all, text,
};

/// The form for a kind of CRM.
#[component]
pub fn NewConnectionPage(kind: ConnectorKind) -> impl IntoView {
    match kind {
        ConnectorKind::Amocrm => view! { <AmocrmForm /> }.into_any(),
        ConnectorKind::Lptracker => view! { <LptrackerForm /> }.into_any(),
    }
}

/// What both forms share: sending, failing, going on.
#[derive(Clone, Copy)]
struct Sending {
    store: Store,
    toasts: Toasts,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<ApiError>>,
}

impl Sending {
    fn new() -> Self {
        Self {
            store: Store::expect(),
            toasts: Toasts::expect(),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    fn field(self, pointer: &'static str) -> Signal<Option<String>> {
        blamed(self.failure, pointer)
    }

    fn error(self) -> impl Fn() -> Option<AnyView> {
        move || {
            self.failure
                .get()
                .map(|error| view! { <ErrorBox error /> }.into_any())
        }
    }

    /// `after` says whether the browser must go to amoCRM for a person's consent.
    fn send(self, form: CreateConnection, consent: bool, navigate: impl Fn(&str) + 'static) {
        let Self { store, toasts, .. } = self;
        self.failure.set(None);
        let request = async move {
            let connection = connections::create_connection(&form).send().await?;
            let url = if consent {
                Some(connections::authorize_connection(connection.id).send().await?.url)
            } else {
                None
            };
            Ok((connection, url))
        };
        run_all(self.busy, request, move |answer| match answer {
            Ok((_, Some(url))) => {
                let _ = window().location().assign(&url);
            }
            Ok((connection, None)) => {
                store.load_connections();
                toasts.done(format!("Подключение «{}» добавлено", connection.name));
                navigate(&format!("/connections/{}", connection.id));
            }
            Err(error) => self.failure.set(Some(error)),
        });
    }
}

#[component]
fn AmocrmForm() -> impl IntoView {
    let navigate = use_navigate();
    let sending = Sending::new();
    let (name, domain, token, client_id, client_secret) = (text(""), text(""), text(""), text(""), text(""));
    let method = text("token");
    let is_token = Memo::new(move |_| method.with(|method| method == "token"));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let auth = if is_token.get_untracked() {
            AmocrmAuth::Token {
                token: token.get_untracked().trim().to_owned(),
            }
        } else {
            AmocrmAuth::Oauth {
                client_id: client_id.get_untracked().trim().to_owned(),
                client_secret: client_secret.get_untracked().trim().to_owned(),
            }
        };
        let form = CreateConnection::Amocrm {
            name: name.get_untracked().trim().to_owned(),
            domain: domain.get_untracked().trim().to_owned(),
            auth,
        };
        let navigate = navigate.clone();
        let go = move |path: &str| navigate(path, Default::default());
        sending.send(form, !is_token.get_untracked(), go);
    };
    let methods = vec![
        ("token".to_owned(), "Долгосрочный токен (проще)".to_owned()),
        ("oauth".to_owned(), "OAuth: подтверждение в amoCRM".to_owned()),
    ];
    let origin = window().location().origin().unwrap_or_default();
    view! {
        <Page
            title="Подключить amoCRM"
            above=("Подключения", "/connections")
            about="Понадобится администратор аккаунта amoCRM."
        >
            <div class="two">
                <Card class="side side-amocrm">
                    {sending.error()}
                    <form class="form" on:submit=submit novalidate>
                        <TextField
                            label="Адрес аккаунта"
                            value=domain
                            placeholder="example.amocrm.ru"
                            hint="Тот, что в адресной строке, когда вы работаете в amoCRM."
                            error=sending.field("/domain")
                            testid="domain"
                        />
                        <SelectField
                            label="Способ доступа"
                            value=method
                            options=Signal::stored(methods)
                            on_change=move |word: String| method.set(word)
                        />
                        <Show
                            when=move || is_token.get()
                            fallback=move || {
                                view! {
                                    <TextField
                                        label="ID интеграции"
                                        value=client_id
                                        error=sending.field("/auth/client_id")
                                        testid="client-id"
                                    />
                                    <SecretField
                                        label="Секретный ключ"
                                        value=client_secret
                                        error=sending.field("/auth/client_secret")
                                        testid="client-secret"
                                    />
                                }
                            }
                        >
                            <SecretField
                                label="Долгосрочный токен"
                                value=token
                                hint="Хранится зашифрованным и больше нигде не показывается."
                                error=sending.field("/auth/token")
                                testid="token"
                            />
                        </Show>
                        <TextField
                            label="Название в Интеграторе"
                            value=name
                            hint="Необязательно: без него возьмём название аккаунта."
                            error=sending.field("/name")
                        />
                        <div class="row">
                            <Button look=Look::Primary submit=true loading=sending.busy testid="save">
                                {move || if is_token.get() { "Проверить и подключить" } else { "Подключить amoCRM" }}
                            </Button>
                        </div>
                    </form>
                </Card>
                <Card title="Где это взять">
                    <Show
                        when=move || is_token.get()
                        fallback=move || {
                            let address = format!("{origin}/oauth/amocrm/callback");
                            view! {
                                <ol class="steps">
                                    <li>"Откройте в amoCRM раздел «amoМаркет»."</li>
                                    <li>"В меню «⋯» выберите «Создать интеграцию» → «Внешняя интеграция»."</li>
                                    <li>
                                        "В поле «Ссылка для перенаправления» вставьте:"
                                        <Copyable text=address what="Ссылка для перенаправления" />
                                    </li>
                                    <li>"Отметьте доступ к данным аккаунта и уведомлениям, сохраните."</li>
                                    <li>
                                        "На вкладке «Ключи и доступы» скопируйте «ID интеграции» и «Секретный ключ» сюда."
                                    </li>
                                    <li>"Нажмите «Подключить»: amoCRM спросит разрешение и вернёт вас обратно."</li>
                                </ol>
                            }
                        }
                    >
                        <ol class="steps">
                            <li>"Откройте в amoCRM раздел «amoМаркет»."</li>
                            <li>"В меню «⋯» выберите «Создать интеграцию» → «Внешняя интеграция»."</li>
                            <li>"Отметьте доступ к данным аккаунта и сохраните."</li>
                            <li>
                                "На вкладке «Ключи и доступы» нажмите «Сгенерировать долгосрочный токен», выберите срок."
                            </li>
                            <li>"Скопируйте токен сюда сразу: amoCRM показывает его один раз."</li>
                        </ol>
                    </Show>
                    <p class="muted">
                        "Доступ проверяется до сохранения. Вебхуки Интегратор установит сам и чужих не тронет."
                    </p>
                </Card>
            </div>
        </Page>
    }
}

#[component]
fn LptrackerForm() -> impl IntoView {
    let navigate = use_navigate();
    let sending = Sending::new();
    let (name, login, password, project, base_url) = (text(""), text(""), text(""), text(""), text(""));
    let wrong_project = RwSignal::new(None::<String>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Ok(project_id) = project.get_untracked().trim().parse() else {
            wrong_project.set(Some("Введите номер проекта — только цифры.".to_owned()));
            return;
        };
        wrong_project.set(None);
        let form = CreateConnection::Lptracker {
            name: name.get_untracked().trim().to_owned(),
            login: login.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            project_id,
            base_url: Some(base_url.get_untracked().trim().to_owned()).filter(|url| !url.is_empty()),
        };
        let navigate = navigate.clone();
        sending.send(form, false, move |path| navigate(path, Default::default()));
    };
    let project_error = sending.field("/project_id");
    view! {
        <Page
            title="Подключить LPTracker"
            above=("Подключения", "/connections")
            about="Один проект LPTracker — одно подключение."
        >
            <div class="two">
                <Card class="side side-lptracker">
                    {sending.error()}
                    <form class="form" on:submit=submit novalidate>
                        <TextField
                            label="Логин LPTracker"
                            value=login
                            autocomplete="off"
                            error=sending.field("/login")
                            testid="login"
                        />
                        <SecretField
                            label="Пароль LPTracker"
                            value=password
                            hint="Хранится зашифрованным и больше нигде не показывается."
                            error=sending.field("/password")
                            testid="lptracker-password"
                        />
                        <TextField
                            label="Номер проекта"
                            value=project
                            placeholder="12345"
                            hint="Стоит в адресной строке, когда открыт проект."
                            error=Signal::derive(move || wrong_project.get().or_else(|| project_error.get()))
                            testid="project"
                        />
                        <TextField
                            label="Название в Интеграторе"
                            value=name
                            hint="Необязательно: без него возьмём название проекта."
                            error=sending.field("/name")
                        />
                        <Fold title="Дополнительно">
                            <TextField
                                label="Адрес API"
                                value=base_url
                                placeholder="https://direct.lptracker.ru"
                                hint="Только если обращение идёт через посредника."
                                error=sending.field("/base_url")
                                testid="base-url"
                            />
                        </Fold>
                        <div class="row">
                            <Button look=Look::Primary submit=true loading=sending.busy testid="save">
                                "Проверить и подключить"
                            </Button>
                        </div>
                    </form>
                </Card>
                <Card title="Что важно знать">
                    <ul class="steps">
                        <li>
                            "С одного адреса в интернете LPTracker пускает под одним пользователем. Не используйте
                            логин, под которым с этого же сервера работает другая программа."
                        </li>
                        <li>"Лучше завести в LPTracker отдельного сотрудника для Интегратора с доступом к проекту."</li>
                        <li>"Обратный вызов о событиях Интегратор установит сам и чужих не тронет."</li>
                    </ul>
                </Card>
            </div>
        </Page>
    }
}
