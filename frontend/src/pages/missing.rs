//! An address that leads nowhere.

use leptos::prelude::*;

use crate::ui::{ButtonLink, Empty, Glyph, Page};

/// «Такой страницы нет».
#[component]
pub fn MissingPage() -> impl IntoView {
    view! {
        <Page title="Такой страницы нет">
            <Empty
                glyph=Glyph::Search
                title="По этому адресу ничего нет"
                text="Возможно, ссылка устарела или в ней опечатка."
            >
                <ButtonLink href="/">"На панель управления"</ButtonLink>
            </Empty>
        </Page>
    }
}
