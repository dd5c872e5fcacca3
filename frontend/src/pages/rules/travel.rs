//! Rules that come and go: a file chosen or pasted, what could not be found in this workspace, saving as a file.

use api::travel::ImportedRule;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::api::travel;
use crate::problem::ApiError;
use crate::ui::{Button, ButtonLink, Dialog, ErrorBox, Look, Notice, TextArea, run, text, unique_id};
use crate::words::Tone;

/// Asks for a file or a text and makes a rule of it.
pub fn import_dialog(open: RwSignal<bool>, then: Callback<ImportedRule>) -> AnyView {
    view! { <Dialog title="Загрузить правило" open testid="import-dialog">{form(open, then)}</Dialog> }
        .into_any()
}

fn form(open: RwSignal<bool>, then: Callback<ImportedRule>) -> AnyView {
    let value = text("");
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let file = unique_id("rule-file");
    let send = move |_| {
        failure.set(None);
        let document = match serde_json::from_str::<Value>(&value.get_untracked()) {
            Ok(document) => document,
            Err(error) => {
                let place = format!("строка {}, знак {}", error.line(), error.column());
                return wrong.set(Some(format!(
                    "Это не выгруженное правило: {place}. Выберите файл, который выгрузил конструктор."
                )));
            }
        };
        wrong.set(None);
        run(busy, travel::import_rule(&document), move |answer| match answer {
            Ok(imported) => {
                open.set(false);
                then.run(imported);
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <div class="stack">
            <p class="soft">"Этапы, поля и сотрудники найдутся по названиям в подключениях этого кабинета. Правило придёт черновиком."</p>
            <div class="field">
                <label for=file.clone()>"Файл правила"</label>
                <input class="control" id=file type="file" accept=".json,application/json" data-testid="import-file"
                    on:change=move |event| read(event_target::<HtmlInputElement>(&event), value) />
            </div>
            <TextArea label="Или его текст" value error=wrong code=true testid="import-text" />
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>"Отмена"</Button>
                <Button look=Look::Primary loading=busy testid="import-yes" on_click=send>"Загрузить"</Button>
            </div>
        </div>
    }
    .into_any()
}

fn read(input: HtmlInputElement, into: RwSignal<String>) {
    let Some(file) = input.files().and_then(|files| files.get(0)) else {
        return;
    };
    spawn_local(async move {
        let read = wasm_bindgen_futures::JsFuture::from(file.text()).await;
        if let Some(read) = read.ok().and_then(|read| read.as_string()) {
            into.try_set(read);
        }
    });
}

/// What came of an import, with the way to the rule.
pub fn imported(what: &ImportedRule) -> AnyView {
    let name = what.rule.summary.name.clone();
    let href = format!("/rules/{}", what.rule.summary.id);
    let whole = what.unbound.is_empty();
    let missing: Vec<AnyView> = what
        .unbound
        .iter()
        .map(|text| view! { <li>{text.clone()}</li> }.into_any())
        .collect();
    let (tone, title) = if whole {
        (
            Tone::Good,
            format!("Черновик «{name}» готов, всё нашлось по названиям"),
        )
    } else {
        (
            Tone::Warn,
            format!("Черновик «{name}» готов, но не всё нашлось в этом кабинете"),
        )
    };
    view! {
        <Notice tone title testid="imported">
            {(!whole).then(|| view! {
                <p>"Выберите замену в конструкторе — места отмечены ошибками:"</p>
                <ul data-testid="unbound">{missing}</ul>
            })}
            <div><ButtonLink href look=Look::Primary small=true testid="open-imported">"Открыть в конструкторе"</ButtonLink></div>
        </Notice>
    }
    .into_any()
}

/// Lets the browser save a document.
pub fn save_as(name: &str, document: &Value) {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    let address = format!(
        "data:application/json;charset=utf-8,{}",
        String::from(js_sys::encode_uri_component(&text))
    );
    let link = leptos::prelude::document().create_element("a");
    if let Some(link) = link.ok().and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let _ = link.set_attribute("href", &address);
        let _ = link.set_attribute("download", name);
        link.click();
    }
}
