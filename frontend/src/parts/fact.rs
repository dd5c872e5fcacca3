//! What an event says, in words.

use domain::event::Fact;
use domain::field::FieldKey;
use domain::record::Record;
use leptos::prelude::*;

use crate::names::Names;

/// The fields of the event's record and of those around it; changed ones show what they were.
#[component]
pub fn FactView(fact: Fact, names: Names) -> impl IntoView {
    let related = fact
        .related
        .iter()
        .map(|record| {
            view! {
                <div class="stack tight">
                    <h3>{format!("{} № {}", record.key.kind.title(), record.key.id)}</h3>
                    {fields(record, &fact, &names)}
                </div>
            }
        })
        .collect_view();
    let author = fact.author.map(|author| {
        let name = names.user(fact.key.kind, author);
        view! { <p class="muted">"Автор изменения: " {name}</p> }
    });
    view! {
        <div class="stack" data-testid="fact">
            {fields(&fact.record, &fact, &names)}
            {related}
            {author}
        </div>
    }
}

fn fields(record: &Record, fact: &Fact, names: &Names) -> AnyView {
    let own = record.key == fact.key;
    let before = |key: FieldKey| {
        fact.before
            .iter()
            .find(|(of, _)| own && *of == key)
            .map(|(_, value)| names.value(record.key.kind, Some(key), value))
    };
    let is_changed = |key: FieldKey| own && fact.changed.as_ref().is_some_and(|list| list.contains(&key));
    let known = record
        .fields()
        .iter()
        .filter(|(key, value)| !value.is_empty() || is_changed(*key) || before(*key).is_some())
        .map(|(key, value)| (*key, Some(names.value(record.key.kind, Some(*key), value))));
    let empty: Vec<String> = record
        .fields()
        .iter()
        .filter(|(key, value)| value.is_empty() && !is_changed(*key) && before(*key).is_none())
        .map(|(key, _)| names.field(record.key.kind, *key))
        .collect();
    // A former value may be told of a field whose present one is not.
    let only_before = fact
        .before
        .iter()
        .filter(|(key, _)| own && record.get(*key).is_none())
        .map(|(key, _)| (*key, None));
    let rows: Vec<_> = known
        .chain(only_before)
        .map(|(key, now)| {
            let was = before(key).filter(|was| Some(was) != now.as_ref());
            let mark = is_changed(key) && was.is_none();
            view! {
                <dt>{names.field(record.key.kind, key)}</dt>
                <dd>
                    {was.map(|was| view! { <del>{was}</del> <span aria-hidden="true">" → "</span> })}
                    {now.unwrap_or_else(|| "неизвестно".to_owned())}
                    {mark.then(|| view! { <span class="muted">" · изменено"</span> })}
                </dd>
            }
        })
        .collect();
    if rows.is_empty() && empty.is_empty() {
        return view! { <p class="muted">"Полей в сообщении нет."</p> }.into_any();
    }
    let empty = (!empty.is_empty()).then(|| empty.join(", "));
    view! {
        <dl class="facts">
            {rows}
            {empty.map(|names| view! { <dt>"Пусто"</dt><dd class="muted">{names}</dd> })}
        </dl>
    }
    .into_any()
}
