//! Cells of the table of results.

use api::Page as ApiPage;
use api::call::{CallResultView, SetCallResult};
use api::workspace::Role;
use leptos::prelude::*;

use crate::api::{calls, download};
use crate::clock;
use crate::store::Store;
use crate::ui::{Button, Choices, Glyph, Look, Remote, SelectField, StateBadge, Toasts, run, when};
use crate::words;

type List = Remote<ApiPage<CallResultView>>;

/// Who.
pub(super) fn contact(call: &CallResultView) -> AnyView {
    let ids = [("лид", &call.lead_id), ("сделка", &call.deal_id)]
        .into_iter()
        .filter_map(|(what, id)| Some(format!("{what} {}", id.as_ref()?)))
        .collect::<Vec<_>>()
        .join(" · ");
    let event = call
        .event_id
        .map(|id| view! { <a href=format!("/events/{id}")>"история"</a> });
    view! {
        <b>{call.contact.clone()}</b>
        <p class="number">{call.phone.clone()}</p>
        <p class="muted">{ids} " " {event}</p>
    }
    .into_any()
}

/// What came of it, to be chosen anew.
pub(super) fn result(call: &CallResultView, list: List) -> AnyView {
    let store = Store::expect();
    let choosing = RwSignal::new(false);
    let call = StoredValue::new(call.clone());
    let word =
        move || call.with_value(|call| call.result.clone().unwrap_or_else(|| "без результата".to_owned()));
    view! {
        <p><b>{word}</b></p>
        <p class="soft">{call.with_value(|call| call.comment.clone())}</p>
        {when(move || store.may(Role::Editor) && !choosing.get(), move || view! {
            <Button look=Look::Subtle small=true testid="set-result" on_click=move |_| choosing.set(true)>"Изменить"</Button>
        }.into_any())}
        {when(move || choosing.get(), move || choice(call, choosing, list))}
    }
    .into_any()
}

fn choice(call: StoredValue<CallResultView>, choosing: RwSignal<bool>, list: List) -> AnyView {
    let toasts = Toasts::expect();
    let found = Remote::new(calls::get_call_settings);
    let busy = RwSignal::new(false);
    let options = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Выберите".to_owned())];
        let known = found.with(|settings| settings.map(|settings| settings.results.clone()));
        choices.extend(
            known
                .unwrap_or_default()
                .into_iter()
                .map(|word| (word.clone(), word)),
        );
        choices
    });
    let current = call.with_value(|call| call.result.clone()).unwrap_or_default();
    let choose = move |result: String| {
        if result.is_empty() {
            return;
        }
        let form = SetCallResult {
            result,
            comment: None,
        };
        run(
            busy,
            calls::set_call_result(call.with_value(|call| call.id), &form),
            move |answer| match answer {
                Ok(_) => {
                    choosing.set(false);
                    list.reload();
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! { <SelectField label="Новый результат" value=Signal::stored(current) options on_change=choose testid="new-result" /> }
        .into_any()
}

/// How long, who spoke, the recording.
pub(super) fn talk(call: &CallResultView) -> AnyView {
    let length = call
        .duration
        .and_then(|secs| u64::try_from(secs).ok())
        .map(|secs| clock::duration(secs * 1000));
    let about = [
        length,
        call.direction.map(|it| it.title().to_owned()),
        call.operator.clone(),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    let playing = RwSignal::new(false);
    let address = download(&format!("/call-results/{}/recording", call.id));
    let player = call.has_recording.then_some(move || {
            if playing.get() {
                view! {
                    <audio class="player" controls=true autoplay=true preload="metadata" src=address.clone() aria-label="Запись разговора" data-testid="player"></audio>
                }
                .into_any()
            } else {
                view! {
                    <Button small=true glyph=Glyph::Play testid="play" on_click=move |_| playing.set(true)>"Слушать"</Button>
                }
                .into_any()
            }
    });
    view! {
        <p class="soft">{about}</p>
        {player}
        <p class="muted">{call.source.title()}</p>
    }
    .into_any()
}

/// Whether it has arrived.
pub(super) fn sync(call: &CallResultView, list: List) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (id, can) = (call.id, call.can_resend);
    let busy = RwSignal::new(false);
    let resend = move |_| {
        run(busy, calls::resend_call_result(id), move |answer| match answer {
            Ok(_) => {
                toasts.done("Результат отправлен снова");
                list.reload();
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        <StateBadge label=words::sync(call.sync) testid="sync" />
        {call.sync_error.clone().map(|error| view! { <p class="soft">{error}</p> })}
        {when(move || can && store.may(Role::Editor), move || view! {
            <Button look=Look::Subtle small=true glyph=Glyph::Refresh loading=busy testid="resend" on_click=resend>"Отправить снова"</Button>
        }.into_any())}
    }
    .into_any()
}
