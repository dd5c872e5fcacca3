//! «Настройки»: the person, the keys, the members.

mod keys;

use api::workspace::Member;
use leptos::prelude::*;

use crate::api::workspace;
use crate::place::Part;
use crate::store::Store;
use crate::ui::{Card, Column, DataTable, Facts, Moment, Page, Remote, loaded};

use keys::Keys;

const PARTS: [(Part, &str, &str); 3] = [
    (Part::Profile, "/settings", "Профиль"),
    (Part::Keys, "/settings/keys", "API-ключи"),
    (Part::Members, "/settings/members", "Участники"),
];

/// A part of the settings.
#[component]
pub fn SettingsPage(part: Part) -> impl IntoView {
    let tabs = PARTS
        .map(|(of, href, title)| {
            let here = (of == part).then_some("page");
            view! { <a href=href aria-current=here>{title}</a> }
        })
        .collect_view();
    view! {
        <Page title="Настройки">
            <nav class="tabs" aria-label="Разделы настроек">{tabs}</nav>
            {match part {
                Part::Profile => view! { <Profile /> }.into_any(),
                Part::Keys => view! { <Keys /> }.into_any(),
                Part::Members => view! { <Members /> }.into_any(),
            }}
        </Page>
    }
}

#[component]
fn Profile() -> impl IntoView {
    let store = Store::expect();
    let space = Remote::new(workspace::get_workspace);
    let person = move || {
        let user = store.session()?.user?;
        let role = store
            .membership()
            .map_or("—", |membership| membership.role.title());
        let facts = vec![
            ("Имя", user.name.into_any()),
            ("E-mail", user.email.into_any()),
            ("Роль в кабинете", role.into_any()),
            (
                "Администратор установки",
                if user.is_superuser { "да" } else { "нет" }.into_any(),
            ),
        ];
        Some(view! { <Facts facts /> })
    };
    view! {
        <div class="two">
            <Card title="Профиль">{person}</Card>
            <Card title="Кабинет">
                {loaded(space, |space| {
                    let facts = vec![
                        ("Название", space.name.into_any()),
                        ("Часовой пояс", space.zone.into_any()),
                        ("Создан", view! { <Moment at=space.created_at /> }.into_any()),
                    ];
                    view! { <Facts facts /> }
                })}
            </Card>
        </div>
    }
}

#[component]
fn Members() -> impl IntoView {
    let list = Remote::new(workspace::list_members);
    loaded(list, |page| {
        let columns = vec![
            Column::new("Имя", "lead", |member: &Member| {
                view! {
                    <b>{member.name.clone()}</b>
                    <p class="soft">{member.email.clone()}</p>
                }
            }),
            Column::new("Роль", "", |member: &Member| member.role.title()),
            Column::new(
                "В кабинете",
                "nowrap",
                |member: &Member| view! { "с " <Moment at=member.joined_at /> },
            ),
        ];
        let rows = Signal::stored(page.items);
        view! { <DataTable caption="Участники кабинета" columns rows id=|member| member.user_id.to_string() testid="members" /> }
    })
}
