//! «Настройки»: the person, the keys, the members.

mod keys;

use api::workspace::Member;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::missing::MissingPage;
use crate::api::workspace;
use crate::store::Store;
use crate::ui::{Card, Column, DataTable, Facts, Moment, Page, Remote, loaded};

use keys::Keys;

const PARTS: [(&str, &str, &str); 3] = [
    ("profile", "/settings", "Профиль"),
    ("keys", "/settings/keys", "API-ключи"),
    ("members", "/settings/members", "Участники"),
];

/// Settings; the part stands in the address.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let params = use_params_map();
    let part = Memo::new(move |_| {
        params
            .with(|params| params.get("part"))
            .unwrap_or_else(|| "profile".to_owned())
    });
    let tabs = move || {
        PARTS
            .map(|(word, href, title)| {
                let here = move || part.with(|part| part == word).then_some("page");
                view! { <a href=href aria-current=here>{title}</a> }
            })
            .collect_view()
    };
    move || {
        let chosen = part.get();
        if !PARTS.iter().any(|(word, ..)| *word == chosen) {
            return view! { <MissingPage /> }.into_any();
        }
        view! {
            <Page title="Настройки">
                <nav class="tabs" aria-label="Разделы настроек">{tabs()}</nav>
                {match chosen.as_str() {
                    "keys" => view! { <Keys /> }.into_any(),
                    "members" => view! { <Members /> }.into_any(),
                    _ => view! { <Profile /> }.into_any(),
                }}
            </Page>
        }
        .into_any()
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
