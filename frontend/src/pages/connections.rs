//! Every connection of the workspace.

use api::workspace::Role;
use leptos::prelude::*;

use crate::api::connections;
use crate::parts::ConnectionCard;
use crate::store::{Store, Topic};
use crate::ui::{ButtonLink, Card, Empty, Glyph, Look, Page, Remote, loaded};

/// The list of connections.
#[component]
pub fn ConnectionsPage() -> impl IntoView {
    let store = Store::expect();
    let all = Remote::new(connections::list_connections);
    store.follow(
        &[Topic::Connections, Topic::Events, Topic::Deliveries],
        move || all.reload(),
    );
    Effect::new(move |_| {
        if let Some(page) = all.get() {
            store.set_connections(page.items);
        }
    });
    let add = move || {
        store.may(Role::Owner).then(|| {
            view! {
                <ButtonLink href="/connections/new/amocrm" look=Look::Primary glyph=Glyph::Plus testid="add-amocrm">
                    "amoCRM"
                </ButtonLink>
                <ButtonLink href="/connections/new/lptracker" glyph=Glyph::Plus testid="add-lptracker">
                    "LPTracker"
                </ButtonLink>
            }
        })
    };
    view! {
        <Page
            title="Подключения"
            about="Аккаунты CRM, между которыми Интегратор переносит данные."
            actions=add.into_any()
        >
            {loaded(all, |page| {
                if page.items.is_empty() {
                    return view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Plug
                                title="Подключений пока нет"
                                text="Подключите amoCRM и LPTracker: понадобится ключ доступа одной и логин другой."
                            >
                                <ButtonLink href="/connections/new/amocrm" look=Look::Primary>
                                    "Подключить amoCRM"
                                </ButtonLink>
                                <ButtonLink href="/connections/new/lptracker">"Подключить LPTracker"</ButtonLink>
                            </Empty>
                        </Card>
                    }
                        .into_any();
                }
                let cards = page
                    .items
                    .into_iter()
                    .map(|connection| view! { <ConnectionCard connection linked=true /> })
                    .collect_view();
                view! { <div class="cards">{cards}</div> }.into_any()
            })}
        </Page>
    }
}
