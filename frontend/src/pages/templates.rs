//! The gallery: rules to begin with, searched, read in words, taken as a beginning.

use api::travel::{ImportedRule, TemplateSummary, TemplateView};
use api::workspace::Role;
use domain::connection::ConnectorKind;
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use super::rules::travel::imported;
use crate::api::travel;
use crate::gallery::found;
use crate::parts::rule_in_names;
use crate::problem::ApiError;
use crate::store::Store;
use crate::text::counted;
use crate::ui::{
    Button, Card, Empty, ErrorBox, Glyph, Look, Notice, Page, Remote, SideTag, TextField, loaded, run, text,
    when,
};
use crate::words::Tone;

/// The page.
pub fn templates_page() -> AnyView {
    let list = Remote::new(travel::list_templates);
    let wanted = text("");
    let (chosen, choose) = query_signal::<String>("template");
    let choose = Callback::new(move |id: String| {
        choose.set(Some(id));
        // On a phone the preview stands above the list.
        window().scroll_to_with_x_and_y(0.0, 0.0);
    });
    view! {
        <Page
            title="Готовые правила"
            about="Возьмите за основу: этапы и поля найдутся по названиям в ваших подключениях, проверки придут вместе с правилом."
            above=("Конструктор правил", "/rules")
        >
            <div class="gallery">
                <div class="stack">
                    <TextField label="Найти" value=wanted kind="search" placeholder="звонок, оплата, этап…" testid="template-search" />
                    {loaded(list, move |page| rows(page.items, wanted, chosen, choose))}
                </div>
                <div class="stack gallery-preview">
                    {move || match chosen.get() {
                        Some(id) => one(id),
                        None => view! {
                            <Card class="gallery-none"><Empty glyph=Glyph::Rule title="Выберите правило" text="Здесь оно будет пересказано словами." /></Card>
                        }.into_any(),
                    }}
                </div>
            </div>
        </Page>
    }
    .into_any()
}

fn rows(
    all: Vec<TemplateSummary>,
    wanted: RwSignal<String>,
    chosen: Memo<Option<String>>,
    choose: Callback<String>,
) -> AnyView {
    (move || {
        let shown = found(&all, &wanted.get());
        if shown.is_empty() {
            return view! {
                <Empty glyph=Glyph::Search title="Ничего не нашлось" text="Попробуйте другое слово или начните с пустого правила." />
            }
            .into_any();
        }
        let groups: Vec<AnyView> = shown
            .into_iter()
            .map(|(group, members)| {
                let items: Vec<AnyView> = members.into_iter().map(|one| row(one, chosen, choose)).collect();
                view! { <section class="stack tight"><h2>{group}</h2><ul class="trial-list">{items}</ul></section> }.into_any()
            })
            .collect();
        groups.into_any()
    })
    .into_any()
}

fn row(one: TemplateSummary, chosen: Memo<Option<String>>, choose: Callback<String>) -> AnyView {
    let id = one.id.clone();
    let pressed = move || chosen.with(|chosen| chosen.as_deref() == Some(&id)).to_string();
    let source = match one.source {
        ConnectorKind::Amocrm => "amoCRM",
        ConnectorKind::Lptracker => "LPTracker",
    };
    view! {
        <li>
            <button type="button" class="trial-row" aria-pressed=pressed data-testid="template"
                on:click=move |_| choose.run(one.id.clone())>
                <span class="row apart"><b>{one.title}</b><SideTag side=Some(one.source) text=source.to_owned() /></span>
                <span class="muted">{one.about}</span>
            </button>
        </li>
    }
    .into_any()
}

fn one(id: String) -> AnyView {
    let remote = Remote::new(move || travel::get_template(&id));
    loaded(remote, shown)
}

fn shown(template: TemplateView) -> AnyView {
    let store = Store::expect();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let made = RwSignal::new(None::<ImportedRule>);
    let TemplateView {
        summary,
        rule,
        catalogues,
        unbound,
    } = template;
    let cases = counted(
        u64::try_from(summary.n_cases).unwrap_or_default(),
        "проверка",
        "проверки",
        "проверок",
    );
    let id = summary.id;
    let take = Callback::new(move |_| {
        failure.set(None);
        run(busy, travel::use_template(&id), move |answer| match answer {
            Ok(imported) => made.set(Some(imported)),
            Err(error) => failure.set(Some(error)),
        });
    });
    let lacking = (!unbound.is_empty()).then(|| {
        let rows: Vec<AnyView> = unbound
            .into_iter()
            .map(|text| view! { <li>{text}</li> }.into_any())
            .collect();
        view! {
            <Notice tone=Tone::Warn title="Это придётся выбрать самому" testid="template-unbound"><ul>{rows}</ul></Notice>
        }
    });
    view! {
        <Card title=summary.title testid="template-preview">
            {move || made.with(|made| made.as_ref().map(imported))}
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            {rule_in_names(&rule, &catalogues)}
            {lacking}
            <div class="row apart">
                <span class="muted">"Вместе с правилом: " {cases}</span>
                {when(move || store.may(Role::Editor), move || view! {
                    <Button look=Look::Primary glyph=Glyph::Plus loading=busy testid="use-template" on_click=take>"Взять за основу"</Button>
                }.into_any())}
            </div>
        </Card>
    }
    .into_any()
}
