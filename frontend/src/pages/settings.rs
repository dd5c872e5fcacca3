//! «Настройки»: the person, their safety, the keys, the members.

mod keys;
mod members;
mod security;

use leptos::prelude::*;

use crate::api::workspace;
use crate::place::Part;
use crate::store::Store;
use crate::ui::{Card, Facts, Moment, Page, Remote, loaded};

use keys::Keys;
use members::Members;
use security::Security;

const PARTS: [(Part, &str, &str); 4] = [
    (Part::Profile, "/settings", "Профиль"),
    (Part::Security, "/settings/security", "Безопасность"),
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
                Part::Security => view! { <Security /> }.into_any(),
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
