//! A link between records of both CRMs, with its correction by hand.

use api::event::RecordRef;
use api::link::{EditLink, Link};
use api::workspace::Role;
use leptos::prelude::*;

use super::NamedRecord;
use crate::api::links;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{Button, Confirm, Dialog, ErrorBox, Glyph, Icon, Look, TextField, Toasts, run, text, when};

/// «Сделка ↔ Лид», with buttons for whoever may correct it.
#[component]
pub fn LinkRow(link: Link, #[prop(into)] on_change: Callback<()>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let (open, asking, busy) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let id = link.id;
    let side = |records: [&Option<RecordRef>; 2]| {
        records
            .into_iter()
            .flatten()
            .map(|record| view! { <NamedRecord record=record.clone() /> })
            .collect_view()
    };
    let (left, right) = (
        side([&link.deal, &link.contact]),
        side([&link.lead, &link.lead_contact]),
    );
    let apart = move |()| {
        run(busy, links::delete_link(id), move |answer| match answer {
            Ok(()) => {
                toasts.done("Связь разорвана, сами записи не тронуты");
                on_change.run(());
            }
            Err(error) => toasts.problem(&error),
        });
    };
    let form = StoredValue::new(link);
    view! {
        <div class="link-row" data-testid="link">
            <span class="badges">{left}</span>
            <Icon glyph=Glyph::Arrow />
            <span class="visually-hidden">"связано с"</span>
            <span class="badges grow">{right}</span>
            {when(move || store.may(Role::Editor), move || view! {
                <span class="row">
                    <Button small=true look=Look::Subtle testid="edit-link" on_click=move |_| open.set(true)>
                        "Исправить связь"
                    </Button>
                    <Button small=true look=Look::Subtle glyph=Glyph::Bin label="Разорвать связь" loading=busy on_click=move |_| asking.set(true) />
                </span>
            }.into_any())}
            <Dialog title="Какие записи — одно и то же?" open testid="link-dialog">
                <EditForm link=form.get_value() open on_change />
            </Dialog>
            <Confirm
                title="Разорвать связь?"
                text="Записи в CRM останутся как есть. При следующем событии Интегратор подберёт пару заново: по телефону и другим признакам из правила."
                yes="Разорвать"
                open=asking
                on_yes=apart
            />
        </div>
    }
}

#[component]
fn EditForm(link: Link, open: RwSignal<bool>, on_change: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let of = |record: &Option<RecordRef>| {
        text(
            record
                .as_ref()
                .map(|record| record.id.to_string())
                .unwrap_or_default(),
        )
    };
    let id = link.id;
    let (deal, contact) = (of(&link.deal), of(&link.contact));
    let (lead, lead_contact) = (of(&link.lead), of(&link.lead_contact));
    let wrong = move |pointer: &'static str| {
        Signal::derive(move || failure.with(|error| error.as_ref().and_then(|error| error.field(pointer))))
    };
    let rest = move || {
        failure
            .get()
            .filter(|error| error.errors.iter().all(|field| field.pointer.is_empty()))
    };
    let save = move |_| {
        let named = |field: RwSignal<String>| {
            Some(field.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let form = EditLink {
            deal_id: named(deal),
            contact_id: named(contact),
            lead_id: named(lead),
            lead_contact_id: named(lead_contact),
        };
        failure.set(None);
        run(busy, links::edit_link(id, &form), move |answer| match answer {
            Ok(_) => {
                toasts.done("Связь исправлена");
                open.set(false);
                on_change.run(());
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <div class="stack">
            {move || rest().map(|error| view! { <ErrorBox error /> }).into_any()}
            <div class="form-grid">
                <TextField label="Сделка amoCRM" value=deal error=wrong("/deal_id") testid="link-deal" />
                <TextField label="Лид LPTracker" value=lead error=wrong("/lead_id") testid="link-lead" />
                <TextField label="Контакт amoCRM" value=contact error=wrong("/contact_id") />
                <TextField label="Контакт LPTracker" value=lead_contact error=wrong("/lead_contact_id") />
            </div>
            <p class="hint">"Номера записей в CRM. С каждой стороны нужна хотя бы одна."</p>
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>"Отмена"</Button>
                <Button look=Look::Primary loading=busy testid="save-link" on_click=save>"Сохранить"</Button>
            </div>
        </div>
    }
}
