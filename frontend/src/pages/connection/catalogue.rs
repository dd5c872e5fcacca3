//! What a connection offers: pipelines, fields, users, tags; and what refreshes changed.

use api::connection::{CatalogueChange, CatalogueView, Connection};
use api::workspace::Role;
use domain::catalogue::{Catalogue, StageKind};
use domain::connection::ConnectorKind;
use domain::id::ConnectionId;
use domain::record::RecordKind;
use leptos::prelude::*;

use crate::api::connections;
use crate::names::field_type;
use crate::store::Store;
use crate::text::lowercase;
use crate::ui::{
    Ago, Badge, Button, Card, Empty, Fold, Glyph, Notice, Remote, Tabs, TextField, Toasts, loaded, run, text,
    when,
};
use crate::words::Tone;

/// The catalogue of a connection, with search and refreshing.
#[component]
pub fn CatalogueBrowser(connection: Remote<Connection>) -> impl IntoView {
    // Made once: what a refresh found must outlive the card that it changes.
    let which = Memo::new(move |_| connection.with(|known| known.map(|known| (known.id, known.kind))));
    move || match which.get() {
        Some((id, kind)) => view! { <Of id kind remote=connection /> }.into_any(),
        None => loaded(connection, |_| ()).into_any(),
    }
}

#[component]
fn Of(id: ConnectionId, kind: ConnectorKind, remote: Remote<Connection>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let catalogue = Remote::new(move || connections::get_catalogue(id));
    let changes = Remote::new(move || connections::list_catalogue_changes(id));
    let busy = RwSignal::new(false);
    let found = RwSignal::new(None::<Vec<String>>);
    let read_at = move || remote.with(|connection| connection.and_then(|known| known.status.catalogue_at));
    let search = text("");
    let refresh = move |_| {
        let owner = remote.now();
        found.set(None);
        run(
            busy,
            connections::refresh_catalogue(id),
            move |answer| match answer {
                Ok(answer) => {
                    if let Some(owner) = &owner {
                        store.set_catalogue(owner, answer.catalogue.clone());
                    }
                    catalogue.set(CatalogueView {
                        connection_id: id,
                        catalogue: answer.catalogue,
                    });
                    found.set(Some(answer.changes));
                    changes.reload();
                    remote.reload();
                }
                Err(error) => {
                    toasts.problem(&error);
                    // The card may have learnt why.
                    remote.reload();
                }
            },
        );
    };
    let tab = text("pipelines");
    let projects = if kind == ConnectorKind::Lptracker {
        "Проекты и шаги"
    } else {
        "Воронки и этапы"
    };
    let tabs = Signal::derive(move || {
        let counts = catalogue.with(|view| {
            view.map(|view| {
                let catalogue = &view.catalogue;
                [
                    catalogue.pipelines.len(),
                    catalogue.fields.len(),
                    catalogue.users.len(),
                    catalogue.tags.len(),
                ]
            })
        });
        let n = |at: usize| counts.map(|counts| counts[at]);
        vec![
            ("pipelines", projects, n(0)),
            ("fields", "Поля", n(1)),
            ("users", "Пользователи", n(2)),
            ("tags", "Теги", n(3)),
            ("changes", "Что изменилось", None),
        ]
    });
    view! {
        <div class="stack">
            <div class="toolbar">
                <div class="limited grow">
                    <TextField
                        label="Поиск"
                        value=search
                        kind="search"
                        placeholder="Название или номер"
                        testid="catalogue-search"
                    />
                </div>
                <p class="soft">
                    {move || match read_at() {
                        Some(at) => view! { "Прочитано из CRM " <Ago at /> }.into_any(),
                        None => "Справочник ещё не читали.".into_any(),
                    }}
                </p>
                {when(move || store.may(Role::Owner), move || view! {
                    <Button glyph=Glyph::Refresh loading=busy testid="refresh-catalogue" on_click=refresh>
                        "Обновить из CRM"
                    </Button>
                }.into_any())}
            </div>
            {move || found.get().map(news)}
            <Tabs label="Части справочника" tabs chosen=tab on_choose=move |word: String| tab.set(word)>
                {move || {
                    if tab.get() == "changes" {
                        return loaded(changes, |page| history(page.items)).into_any();
                    }
                    loaded(catalogue, move |view| {
                        // The panel follows search and tab without loading anything.
                        move || part(&tab.get(), &search.get(), &view.catalogue, kind)
                    })
                        .into_any()
                }}
            </Tabs>
        </div>
    }
}

fn news(changes: Vec<String>) -> AnyView {
    if changes.is_empty() {
        return view! { <Notice tone=Tone::Good testid="no-changes">"Обновлено: ничего не изменилось."</Notice> }
            .into_any();
    }
    let lines = changes
        .into_iter()
        .map(|line| view! { <li>{line}</li> })
        .collect_view();
    view! {
        <Notice tone=Tone::Busy title="Обновлено, есть изменения" testid="changes">
            <ul>{lines}</ul>
        </Notice>
    }
    .into_any()
}

fn history(list: Vec<CatalogueChange>) -> AnyView {
    if list.is_empty() {
        return view! {
            <Empty
                glyph=Glyph::Log
                title="Изменений не было"
                text="Здесь появится, что добавили, переименовали или удалили в CRM между обновлениями."
            />
        }
        .into_any();
    }
    let cards = list
        .into_iter()
        .map(|change| {
            let rules = change
                .rules
                .iter()
                .map(|id| view! { <li><a href=format!("/rules/{id}")>"Правило, которое это задело"</a></li> })
                .collect_view();
            let lines = change
                .lines
                .into_iter()
                .map(|line| view! { <li>{line}</li> })
                .collect_view();
            view! {
                <Card>
                    <p class="muted"><Ago at=change.at /></p>
                    <ul class="plain-list">{lines} {rules}</ul>
                </Card>
            }
        })
        .collect_view();
    view! { <div class="stack">{cards}</div> }.into_any()
}

fn hit(search: &str, name: &str, id: i64) -> bool {
    let search = lowercase(search.trim());
    search.is_empty() || lowercase(name).contains(&search) || id.to_string() == search
}

fn none() -> AnyView {
    view! { <Empty glyph=Glyph::Search title="Ничего не найдено" text="Измените поиск или обновите справочник из CRM." /> }
        .into_any()
}

fn part(tab: &str, search: &str, catalogue: &Catalogue, kind: ConnectorKind) -> AnyView {
    match tab {
        "fields" => fields(search, catalogue),
        "users" => users(search, catalogue),
        "tags" => tags(search, catalogue),
        _ => pipelines(search, catalogue, kind),
    }
}

fn pipelines(search: &str, catalogue: &Catalogue, kind: ConnectorKind) -> AnyView {
    let cards: Vec<_> = catalogue
        .pipelines
        .iter()
        .filter_map(|pipeline| {
            let whole = hit(search, &pipeline.name, pipeline.id);
            let stages: Vec<_> = pipeline
                .stages
                .iter()
                .filter(|stage| whole || hit(search, &stage.name, stage.id))
                .map(|stage| {
                    let note = match stage.kind {
                        StageKind::Open => None,
                        StageKind::Unsorted => Some((Tone::Muted, "Неразобранное")),
                        StageKind::Won => Some((Tone::Good, "Успех")),
                        StageKind::Lost => Some((Tone::Bad, "Отказ")),
                    };
                    let color = stage.color.clone().unwrap_or_else(|| "var(--line-strong)".to_owned());
                    view! {
                        <li class="stage">
                            <span class="swatch" style=format!("background: {color}") aria-hidden="true"></span>
                            <span class="grow">{stage.name.clone()}</span>
                            {note.map(|(tone, word)| view! { <Badge tone word plain=true /> })}
                            <code class="muted">{stage.id}</code>
                        </li>
                    }
                })
                .collect();
            (!stages.is_empty() || whole).then(|| {
                let word = if kind == ConnectorKind::Lptracker { "Проект" } else { "Воронка" };
                let (name, id) = (pipeline.name.clone(), pipeline.id);
                view! {
                    <Card class="flush">
                        <header>
                            <h2>{name}</h2>
                            <code class="muted">{word} " № " {id}</code>
                        </header>
                        <ol class="stages">{stages}</ol>
                    </Card>
                }
            })
        })
        .collect();
    if cards.is_empty() {
        return none();
    }
    view! { <div class="cards" data-testid="pipelines">{cards}</div> }.into_any()
}

fn fields(search: &str, catalogue: &Catalogue) -> AnyView {
    let groups: Vec<_> = RecordKind::ALL
        .into_iter()
        .filter_map(|record| {
            let rows: Vec<_> = catalogue
                .fields
                .iter()
                .filter(|field| field.record == record && hit(search, &field.name, field.id))
                .map(|field| {
                    let options = field
                        .options
                        .iter()
                        .map(|option| view! { <li>{option.name.clone()}</li> })
                        .collect_view();
                    let n = field.options.len();
                    view! {
                        <li class="field-row">
                            <span class="grow">
                                <b>{field.name.clone()}</b>
                                {field.read_only.then(|| view! { <span class="muted">" · только чтение"</span> })}
                                {(n > 0)
                                    .then(|| {
                                        view! {
                                            <Fold title=format!("Варианты: {n}")>
                                                <ul class="options">{options}</ul>
                                            </Fold>
                                        }
                                    })}
                            </span>
                            <span class="soft">{field_type(field.field_type)}</span>
                            <code class="muted">{field.id}</code>
                        </li>
                    }
                })
                .collect();
            (!rows.is_empty()).then(|| {
                view! {
                    <Card title=record.title() class="flush">
                        <ul class="field-rows">{rows}</ul>
                    </Card>
                }
            })
        })
        .collect();
    if groups.is_empty() {
        return none();
    }
    view! { <div class="stack">{groups}</div> }.into_any()
}

fn users(search: &str, catalogue: &Catalogue) -> AnyView {
    let rows: Vec<_> = catalogue
        .users
        .iter()
        .filter(|user| hit(search, &user.name, user.id))
        .map(|user| {
            view! {
                <li class="field-row">
                    <b class="grow">{user.name.clone()}</b>
                    {(!user.is_active).then(|| view! { <Badge tone=Tone::Muted word="Отключён" plain=true /> })}
                    <code class="muted">{user.id}</code>
                </li>
            }
        })
        .collect();
    if rows.is_empty() {
        return none();
    }
    view! {
        <Card class="flush">
            <ul class="field-rows">{rows}</ul>
        </Card>
    }
    .into_any()
}

fn tags(search: &str, catalogue: &Catalogue) -> AnyView {
    let rows: Vec<_> = catalogue
        .tags
        .iter()
        .filter(|tag| hit(search, &tag.name, tag.id))
        .map(|tag| {
            view! {
                <li class="field-row">
                    <b class="grow">{tag.name.clone()}</b>
                    <span class="soft">{tag.record.title()}</span>
                    <code class="muted">{tag.id}</code>
                </li>
            }
        })
        .collect();
    if rows.is_empty() {
        return none();
    }
    view! {
        <Card class="flush">
            <ul class="field-rows">{rows}</ul>
        </Card>
    }
    .into_any()
}
