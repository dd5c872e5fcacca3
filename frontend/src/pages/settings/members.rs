//! People of the workspace: who is in it, with which role, and who is invited.

use api::account::{Invitation, Invite};
use api::workspace::{Member, Role};
use domain::id::InvitationId;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::{Request, account};
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Ago, Button, Card, Column, Confirm, DataTable, ErrorBox, Look, Moment, Remote, SelectField, TextField,
    Toasts, blamed, loaded, run, text, when,
};

const ROLES: [Role; 3] = [Role::Viewer, Role::Editor, Role::Owner];

/// Members and invitations.
#[component]
pub fn Members() -> impl IntoView {
    let store = Store::expect();
    let members = Remote::new(account::list_members);
    view! {
        <div class="stack">
            {when(move || store.may(Role::Owner), || view! { <Invitations /> }.into_any())}
            {loaded(members, move |page| {
                let columns = vec![
                    Column::new("Имя", "lead", |member: &Member| {
                        view! {
                            <b>{member.name.clone()}</b>
                            <p class="soft">{member.email.clone()}</p>
                        }
                    }),
                    Column::new("Роль", "", move |member: &Member| {
                        view! { <RoleOf member=member.clone() members /> }
                    }),
                    Column::new(
                        "В кабинете",
                        "nowrap",
                        |member: &Member| view! { "с " <Moment at=member.joined_at /> },
                    ),
                    Column::new("Команды", "bare", move |member: &Member| {
                        view! { <Leave member=member.clone() members /> }
                    }),
                ];
                let rows = Signal::stored(page.items);
                view! {
                    <DataTable
                        caption="Участники кабинета"
                        columns
                        rows
                        id=|member| member.user_id.to_string()
                        testid="members"
                    />
                }
            })}
        </div>
    }
}

fn is_me(store: Store, member: &Member) -> bool {
    store
        .session()
        .and_then(|session| session.user)
        .is_some_and(|user| user.id == member.user_id)
}

fn roles() -> Signal<Vec<(String, String)>> {
    let options = ROLES.map(|role| (role.title().to_owned(), role.title().to_owned()));
    Signal::stored(options.to_vec())
}

fn role_of(title: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role.title() == title)
}

/// The role; an owner changes those of others.
#[component]
fn RoleOf(member: Member, members: Remote<api::Page<Member>>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let value = text(member.role.title());
    let may_change = store.may(Role::Owner) && !is_me(store, &member);
    let change = move |title: String| {
        let Some(role) = role_of(&title) else { return };
        run(busy, account::change_role(member.user_id, role), move |answer| {
            match answer {
                Ok(()) => toasts.done("Роль изменена: человеку придётся войти заново"),
                Err(error) => toasts.problem(&error),
            }
            members.reload();
        });
    };
    if may_change {
        let label = format!("Роль: {}", member.name);
        view! { <SelectField label value options=roles() on_change=change /> }.into_any()
    } else {
        member.role.title().into_any()
    }
}

/// The way out: an owner takes others out, anybody leaves.
#[component]
fn Leave(member: Member, members: Remote<api::Page<Member>>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let me = is_me(store, &member);
    let user = member.user_id;
    let (word, title, about) = if me {
        (
            "Выйти",
            "Выйти из кабинета?".to_owned(),
            "Вернуться можно будет только по новому приглашению.",
        )
    } else {
        (
            "Исключить",
            format!("Исключить «{}»?", member.name),
            "Доступ пропадёт сразу. Всё, что человек сделал, останется в кабинете и в журнале.",
        )
    };
    let go = move |()| {
        let request: Request<()> = if me {
            account::leave_workspace()
        } else {
            account::remove_member(user)
        };
        run(busy, request, move |answer| match answer {
            Ok(()) if me => store.load_session(),
            Ok(()) => {
                toasts.done("Участник исключён");
                members.reload();
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        {when(move || me || store.may(Role::Owner), move || view! {
            <Button small=true look=Look::Danger loading=busy testid="leave" on_click=move |_| asking.set(true)>
                {word}
            </Button>
        }.into_any())}
        <Confirm title text=about yes=word open=asking on_yes=go />
    }
}

#[component]
fn Invitations() -> impl IntoView {
    let list = Remote::new(account::list_invitations);
    let toasts = Toasts::expect();
    let (email, role) = (text(""), text(Role::Viewer.title()));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = Invite {
            email: email.get_untracked().trim().to_owned(),
            role: role_of(&role.get_untracked()).unwrap_or(Role::Viewer),
        };
        failure.set(None);
        run(busy, account::invite(&form), move |answer| match answer {
            Ok(()) => {
                toasts.done("Приглашение отправлено");
                email.set(String::new());
                list.reload();
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    let error = blamed(failure, "/email");
    view! {
        <Card title="Пригласить">
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <form class="form wide" on:submit=submit novalidate>
                <div class="form-grid">
                    <TextField label="E-mail" value=email kind="email" error testid="invite-email" />
                    <SelectField
                        label="Роль"
                        value=role
                        options=roles()
                        on_change=move |title: String| role.set(title)
                    />
                </div>
                <p class="muted">
                    "Наблюдатель всё видит, редактор меняет правила и повторяет действия, владелец ещё и управляет подключениями, ключами и людьми."
                </p>
                <div>
                    <Button look=Look::Primary submit=true loading=busy testid="invite">"Отправить приглашение"</Button>
                </div>
            </form>
        </Card>
        {loaded(list, move |page| {
            if page.items.is_empty() {
                return ().into_any();
            }
            let columns = vec![
                Column::new("Приглашены", "lead", |one: &Invitation| one.email.clone()),
                Column::new("Роль", "", |one: &Invitation| one.role.title()),
                Column::new(
                    "Действует",
                    "nowrap",
                    |one: &Invitation| view! { "до " <Moment at=one.expires_at /> },
                ),
                Column::new(
                    "Отправлено",
                    "nowrap",
                    |one: &Invitation| view! { <Ago at=one.created_at /> },
                ),
                Column::new("Команды", "bare", move |one: &Invitation| {
                    view! { <Withdraw id=one.id list /> }
                }),
            ];
            let rows = Signal::stored(page.items);
            view! { <DataTable caption="Приглашения" columns rows id=|one| one.id.to_string() testid="invitations" /> }
                .into_any()
        })}
    }
}

#[component]
fn Withdraw(id: InvitationId, list: Remote<api::Page<Invitation>>) -> impl IntoView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let go = move |_| {
        run(
            busy,
            account::withdraw_invitation(id),
            move |answer| match answer {
                Ok(()) => {
                    toasts.done("Приглашение отозвано");
                    list.reload();
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! { <Button small=true loading=busy testid="withdraw" on_click=go>"Отозвать"</Button> }
}
