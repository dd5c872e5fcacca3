//! A call that a person writes down.

use api::Page as ApiPage;
use api::call::{CallResultView, NewCallResult};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::calls;
use crate::clock;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Button, Choices, Dialog, ErrorBox, Look, Remote, SelectField, TextField, Toasts, blamed, run, text,
};

/// The window with the form.
pub(super) fn dialog(open: RwSignal<bool>, list: Remote<ApiPage<CallResultView>>) -> AnyView {
    view! {
        <Dialog title="Новый результат" open testid="add-call-dialog">{form(open, list)}</Dialog>
    }
    .into_any()
}

fn form(open: RwSignal<bool>, list: Remote<ApiPage<CallResultView>>) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (phone, contact, comment, operator, minutes, at) =
        (text(""), text(""), text(""), text(""), text(""), text(""));
    let result = RwSignal::new(String::new());
    let (busy, failure) = (RwSignal::new(false), RwSignal::new(None::<ApiError>));
    let found = Remote::new(calls::get_call_settings);
    let results = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Пока без результата".to_owned())];
        let known = found.with(|settings| settings.map(|settings| settings.results.clone()));
        choices.extend(
            known
                .unwrap_or_default()
                .into_iter()
                .map(|word| (word.clone(), word)),
        );
        choices
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let given = |value: RwSignal<String>| {
            Some(value.get_untracked().trim().to_owned()).filter(|value| !value.is_empty())
        };
        let form = NewCallResult {
            phone: given(phone),
            contact: given(contact),
            comment: given(comment),
            operator: given(operator),
            result: given(result),
            duration: given(minutes).and_then(|secs| secs.parse().ok()),
            at: clock::from_control(&at.get_untracked(), &store.zone()).map(|at| at.0),
            ..NewCallResult::default()
        };
        failure.set(None);
        run(busy, calls::add_call_result(&form), move |answer| match answer {
            Ok(added) => {
                let words = if added.is_new {
                    "Результат добавлен"
                } else {
                    "Такой звонок уже есть: мы дополнили его"
                };
                toasts.done(words);
                open.set(false);
                list.reload();
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    let error = move |pointer: &'static str| blamed(failure, pointer);
    view! {
        <form class="form" on:submit=submit novalidate>
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <TextField label="Телефон" value=phone kind="tel" error=error("/phone") testid="new-phone" />
            <TextField label="Имя" value=contact />
            <SelectField label="Результат" value=Signal::derive(move || result.get()) options=results
                error=error("/result") on_change=move |word: String| result.set(word) />
            <TextField label="Когда" value=at kind="datetime-local" hint="Пусто — сейчас" />
            <TextField label="Длительность, секунд" value=minutes kind="number" />
            <TextField label="Оператор" value=operator />
            <TextField label="Комментарий" value=comment />
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>"Отмена"</Button>
                <Button look=Look::Primary submit=true loading=busy testid="save-call">"Добавить"</Button>
            </div>
        </form>
    }
    .into_any()
}
