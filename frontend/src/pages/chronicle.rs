//! «Хроника сделки»: everything that happened to a deal and its counterparts in both CRMs, on one page.

mod entry;

use api::chronicle::Chronicle;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::api::events;
use crate::chronicle::Asked;
use crate::parts::{LinkRow, RecordRow};
use crate::store::{Store, Topic};
use crate::text::counted;
use crate::ui::{
    Button, Card, Empty, Glyph, Look, Page, Pager, Paging, Remote, TextField, loaded, text, when,
};

use entry::entry;

/// The chronicle; whose stands in the address.
#[component]
pub fn ChroniclePage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(|query| Asked::read(|name| query.get(name))));
    view! {
        <Page
            title="Хроника сделки"
            about="Что происходило со сделкой, лидом и контактом в обеих CRM: событие, правило, действие, эхо."
        >
            <Search asked />
            {when(move || !asked.with(Asked::is_empty), move || view! { <Told asked /> }.into_any())}
            {when(move || asked.with(Asked::is_empty), || {
                view! {
                    <Card>
                        <Empty
                            glyph=Glyph::Search
                            title="Чья хроника нужна?"
                            text="Введите номер сделки amoCRM, номер лида LPTracker или телефон клиента."
                        />
                    </Card>
                }
                    .into_any()
            })}
        </Page>
    }
}

#[component]
fn Search(asked: Memo<Asked>) -> impl IntoView {
    let navigate = use_navigate();
    let typed = text("");
    Effect::new(move |_| typed.set(asked.with(Asked::shown)));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wanted = Asked::typed(&typed.get_untracked());
        if !wanted.is_empty() && wanted.shown() != asked.with_untracked(Asked::shown) {
            navigate(&wanted.address(), Default::default());
        }
    };
    view! {
        <form class="toolbar" role="search" on:submit=submit>
            <div class="limited grow">
                <TextField
                    label="Номер сделки, лида или телефон"
                    value=typed
                    kind="search"
                    testid="chronicle-search"
                />
            </div>
            <Button look=Look::Primary glyph=Glyph::Search submit=true>"Найти"</Button>
        </form>
    }
}

#[component]
fn Told(asked: Memo<Asked>) -> impl IntoView {
    let store = Store::expect();
    let paging = Paging::new();
    Effect::new(move |_| {
        asked.track();
        paging.reset();
    });
    let told = Remote::new(move || events::get_chronicle(&asked.with(|asked| asked.to_api(paging.cursor()))));
    store.follow(&[Topic::Events, Topic::Deliveries], move || {
        if paging.is_first() {
            told.reload();
        }
    });
    let next = Signal::derive(move || told.with(|told| told.and_then(|told| told.next.clone())));
    view! {
        {loaded(told, move |chronicle| whole(chronicle, told))}
        <Pager paging next />
    }
}

fn whole(chronicle: Chronicle, remote: Remote<Chronicle>) -> AnyView {
    if chronicle.items.is_empty() && chronicle.records.is_empty() {
        return view! {
            <Card>
                <Empty
                    glyph=Glyph::Search
                    title="О такой записи ничего не известно"
                    text="События приходят из CRM по вебхукам. Проверьте номер или измените запись в CRM, чтобы она появилась здесь."
                />
            </Card>
        }
        .into_any();
    }
    let links = chronicle
        .links
        .into_iter()
        .map(|link| view! { <LinkRow link on_change=move |()| remote.reload() /> })
        .collect_view();
    let records = chronicle
        .records
        .into_iter()
        .map(|placed| view! { <li><RecordRow record=placed.record /></li> })
        .collect_view();
    let n = counted(chronicle.items.len() as u64, "событие", "события", "событий");
    let entries: Vec<_> = chronicle
        .items
        .iter()
        .map(|event| entry(event, &chronicle.items))
        .collect();
    view! {
        <Card title="Записи" class="flush">
            <ul class="records">{records}</ul>
            {links}
        </Card>
        <section class="stack" aria-labelledby="told">
            <h2 id="told">"Что происходило, от нового к старому " <span class="muted">{n}</span></h2>
            <ol class="chronicle" data-testid="chronicle">{entries}</ol>
        </section>
    }
    .into_any()
}
