//! Published versions: reading one, making it the draft again.

use api::rule::{RuleVersionSummary, RuleVersionView, RuleView};
use api::workspace::Role;
use domain::id::{RuleId, RuleVersionId};
use leptos::prelude::*;

use super::changes::changes_between;
use crate::api::rules;
use crate::parts::RuleText;
use crate::store::Store;
use crate::ui::{
    Ago, Badge, Button, Card, Column, DataTable, Empty, Fold, Glyph, Look, Remote, Toasts, loaded, run, when,
};
use crate::words::Tone;

/// The list of versions; the chosen one is read below.
#[component]
pub fn Versions(id: RuleId, remote: Remote<RuleView>) -> impl IntoView {
    let list = Remote::new(move || {
        // Publishing makes a new one.
        remote.with(|rule| rule.map(|rule| rule.summary.published_number));
        rules::list_versions(id)
    });
    let chosen = RwSignal::new(None::<RuleVersionId>);
    view! {
        <div class="stack">
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return view! {
                        <Empty
                            glyph=Glyph::Rule
                            title="Правило ещё не публиковали"
                            text="Каждая публикация сохраняет неизменную версию, к которой можно вернуться."
                        />
                    }
                        .into_any();
                }
                let columns = vec![
                    Column::new("Версия", "lead", |version: &RuleVersionSummary| {
                        let current = version.current;
                        view! {
                            <b>"Версия " <span class="number">{version.number}</span></b>
                            " "
                            {current.then(|| view! { <Badge tone=Tone::Good word="в работе" /> })}
                            <p class="soft summary">{version.summary.clone()}</p>
                        }
                    }),
                    Column::new("Кто", "", |version: &RuleVersionSummary| {
                        version.published_by.clone().unwrap_or_else(|| "—".to_owned())
                    }),
                    Column::new("Когда", "nowrap", |version: &RuleVersionSummary| {
                        view! { <Ago at=version.published_at /> }
                    }),
                    Column::new("Команды", "bare", move |version: &RuleVersionSummary| {
                        let of = version.id;
                        view! {
                            <Button small=true on_click=move |_| chosen.set(Some(of))>"Показать"</Button>
                        }
                    }),
                ];
                let rows = Signal::stored(page.items);
                view! {
                    <DataTable caption="Версии правила" columns rows id=|version| version.id.to_string() testid="versions" />
                }
                    .into_any()
            })}
            {move || chosen.get().map(|version| view! { <One id version remote /> }).into_any()}
        </div>
    }
}

#[component]
fn One(id: RuleId, version: RuleVersionId, remote: Remote<RuleView>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let shown: Remote<RuleVersionView> = Remote::new(move || rules::get_version(id, version));
    let restore = move |_| {
        let Some(row) = remote.now().map(|rule| rule.summary.version) else {
            return;
        };
        run(
            busy,
            rules::restore_version(id, version, row),
            move |answer| match answer {
                Ok(rule) => {
                    toasts.done("Версия стала черновиком. Чтобы она начала работать, опубликуйте её.");
                    remote.set(rule);
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    loaded(shown, move |shown| {
        let title = format!("Версия {}", shown.summary.number);
        let actions = view! {
            {when(move || store.may(Role::Editor), move || view! {
                <Button small=true look=Look::Plain loading=busy testid="restore" on_click=restore>
                    "Сделать черновиком"
                </Button>
            }.into_any())}
        }
        .into_any();
        let document = shown.document.clone();
        view! {
            <Card title actions>
                {remote.now().map(|rule| view! {
                    <Fold title="Чем от неё отличается черновик" open=true>
                        {changes_between(document, rule.draft)}
                    </Fold>
                })}
                <RuleText rule=shown.document />
            </Card>
        }
    })
}
