//! Copying a rule and saving it as a file.

use domain::id::RuleId;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api::travel;
use crate::pages::rules::travel::save_as;
use crate::ui::{Button, Glyph, Look, Toasts, run};

/// Two buttons for the head of a rule. A file may be saved by who only reads.
pub fn copy_and_export(id: RuleId, name: String, may_edit: bool) -> AnyView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let busy = RwSignal::new(false);
    let copy = move |_| {
        let navigate = navigate.clone();
        run(busy, travel::copy_rule(id), move |answer| match answer {
            Ok(rule) => {
                toasts.done("Копия готова: это черновик со всеми проверками");
                navigate(&format!("/rules/{}", rule.summary.id), Default::default());
            }
            Err(error) => toasts.problem(&error),
        });
    };
    let export = move |_| {
        let name = format!("{name}.json");
        run(busy, travel::export_rule(id), move |answer| match answer {
            Ok(document) => save_as(&name, &document),
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        {may_edit.then(|| view! {
            <Button look=Look::Subtle glyph=Glyph::Copy label="Создать копию правила" testid="copy-rule" loading=busy on_click=copy />
        })}
        <Button look=Look::Subtle glyph=Glyph::Inbox label="Выгрузить правило в файл" testid="export-rule" loading=busy on_click=export />
    }
    .into_any()
}
