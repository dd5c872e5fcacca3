//! What a file is and what its columns mean.

use api::import::{DescribeImport, DuplicatePolicy, ImportPlace, ImportPurpose, ImportView};
use domain::connection::ConnectorKind;
use domain::field::FieldPath;
use domain::id::ConnectionId;
use domain::value::Stage;
use leptos::prelude::*;

use super::{act_with, failed, may_edit};
use crate::api::imports;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{Button, Card, Choices, Look, Notice, Remote, SelectField, Toasts, run};
use crate::words::Tone;

/// The form. Every choice is stored at once.
pub fn form(remote: Remote<ImportView>) -> AnyView {
    let toasts = Toasts::expect();
    let (busy, saving) = (RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let save = Callback::new(move |form: DescribeImport| {
        let Some(id) = remote.now().map(|import| import.summary.id) else {
            return;
        };
        failure.set(None);
        run(
            saving,
            imports::describe_import(id, &form),
            move |answer| match answer {
                Ok(import) => remote.set(import),
                Err(error) => {
                    failure.set(Some(error));
                    remote.reload();
                }
            },
        );
    });
    view! {
        <div class="stack">
            {failed(failure)}
            <Card title="Что загружаем">{choices(remote, save)}</Card>
            {columns(remote, save)}
            {move || may_edit().then(|| view! {
                <div class="row">
                    <Button
                        look=Look::Primary
                        loading=busy
                        disabled=Signal::derive(move || saving.get())
                        testid="check"
                        on_click=move |_| act_with(remote, busy, "check", toasts)
                    >
                        "Проверить файл"
                    </Button>
                    <span class="muted">"Проверка ничего не отправляет: сначала покажем, что принято, а что нет."</span>
                </div>
            }).into_any()}
        </div>
    }
    .into_any()
}

/// What is said of a file now, to be changed in one place.
fn said(import: &ImportView) -> Option<DescribeImport> {
    Some(DescribeImport {
        purpose: import.summary.purpose,
        sheet: import.sheet.clone(),
        connection_id: import.connection_id?,
        columns: Some(import.columns.iter().map(|column| column.field.clone()).collect()),
        place: import.place,
        duplicates: import.duplicates,
    })
}

type Save = Callback<DescribeImport>;

fn change(
    remote: Remote<ImportView>,
    save: Save,
    change: impl Fn(&mut DescribeImport) + Send + Sync + 'static,
) {
    if let Some(mut form) = remote.now().as_ref().and_then(said) {
        change(&mut form);
        save.run(form);
    }
}

fn choices(remote: Remote<ImportView>, save: Save) -> AnyView {
    let store = Store::expect();
    let of = move |pick: fn(&ImportView) -> String| {
        Signal::derive(move || remote.with(|import| import.map(pick).unwrap_or_default()))
    };
    let purposes: Choices = ImportPurpose::ALL
        .iter()
        .map(|it| (it.as_str().to_owned(), it.title().to_owned()))
        .collect();
    let policies: Choices = DuplicatePolicy::ALL
        .iter()
        .map(|it| (it.as_str().to_owned(), it.title().to_owned()))
        .collect();
    let connections = Signal::derive(move || {
        let own = |one: api::connection::Connection| (one.id.to_string(), one.name);
        store.connections().into_iter().map(own).collect::<Choices>()
    });
    let sheets = Signal::derive(move || {
        let name = |sheet: &api::import::ImportSheet| {
            let title = if sheet.is_hidden {
                format!("{} (скрытый)", sheet.name)
            } else {
                sheet.name.clone()
            };
            (sheet.name.clone(), title)
        };
        remote.with(|import| {
            import
                .map(|import| import.sheets.iter().map(name).collect())
                .unwrap_or_default()
        })
    });
    let places = Signal::derive(move || {
        remote.with(|import| places(store, import.and_then(|import| import.connection_id)))
    });
    let is_contacts = Memo::new(move |_| {
        remote.with(|import| import.is_some_and(|import| import.summary.purpose == ImportPurpose::Contacts))
    });
    let many_sheets =
        Memo::new(move |_| remote.with(|import| import.is_some_and(|import| import.sheets.len() > 1)));
    view! {
        <p class="soft">
            {move || remote.with(|import| import.map(|import| format!("{}, заголовок в строке {}", import.format, import.header_row)))}
        </p>
        <div class="form-grid">
            <SelectField
                label="В файле"
                value=of(|import| import.summary.purpose.as_str().to_owned())
                options=Signal::stored(purposes)
                testid="purpose"
                on_change=move |word: String| change(remote, save, move |form| {
                    form.purpose = ImportPurpose::parse(&word).unwrap_or(ImportPurpose::Contacts);
                    (form.columns, form.place) = (None, None);
                })
            />
            {move || many_sheets.get().then(|| view! {
                <SelectField
                    label="Лист"
                    value=of(|import| import.sheet.clone())
                    options=sheets
                    testid="sheet"
                    on_change=move |word: String| change(remote, save, move |form| {
                        form.sheet.clone_from(&word);
                        form.columns = None;
                    })
                />
            }).into_any()}
            <SelectField
                label="Подключение"
                value=of(|import| import.connection_id.map(|id| id.to_string()).unwrap_or_default())
                options=connections
                testid="connection"
                on_change=move |word: String| change(remote, save, move |form| {
                    if let Ok(id) = word.parse() {
                        form.connection_id = id;
                        (form.columns, form.place) = (None, None);
                    }
                })
            />
            {move || is_contacts.get().then(|| view! {
                <SelectField
                    label="Куда"
                    value=of(|import| import.place.map(|place| place_word(place.stage)).unwrap_or_default())
                    options=places
                    testid="place"
                    hint="Без места строки увидят только ваши правила с событием «Строка загрузки принята»"
                    on_change=move |word: String| change(remote, save, move |form| {
                        form.place = stage_of(&word).map(|stage| ImportPlace { stage, responsible: None });
                    })
                />
                <SelectField
                    label="Если контакт уже есть"
                    value=of(|import| import.duplicates.as_str().to_owned())
                    options=Signal::stored(policies.clone())
                    testid="duplicates"
                    on_change=move |word: String| change(remote, save, move |form| {
                        form.duplicates = DuplicatePolicy::parse(&word).unwrap_or(DuplicatePolicy::Skip);
                    })
                />
            }).into_any()}
        </div>
        {move || store.connections().is_empty().then(|| view! {
            <Notice tone=Tone::Warn title="Нет подключений">
                "Сначала подключите amoCRM или LPTracker: "
                <a href="/connections">"Подключения"</a>
            </Notice>
        }).into_any()}
    }
    .into_any()
}

fn place_word(stage: Stage) -> String {
    format!("{}/{}", stage.pipeline, stage.status)
}

fn stage_of(word: &str) -> Option<Stage> {
    let (pipeline, status) = word.split_once('/')?;
    Some(Stage {
        pipeline: pipeline.parse().ok()?,
        status: status.parse().ok()?,
    })
}

fn places(store: Store, connection: Option<ConnectionId>) -> Choices {
    let mut choices: Choices = vec![(String::new(), "Решают мои правила".to_owned())];
    let Some(id) = connection else { return choices };
    let catalogues = store.catalogues();
    if let Some(one) = catalogues.get(id) {
        let what = match one.kind {
            ConnectorKind::Amocrm => "сделка",
            ConnectorKind::Lptracker => "лид",
        };
        for pipeline in &one.catalogue.pipelines {
            choices.extend(pipeline.stages.iter().map(|stage| {
                let place = Stage {
                    pipeline: pipeline.id,
                    status: stage.id,
                };
                (
                    place_word(place),
                    format!("{} › {} ({what})", pipeline.name, stage.name),
                )
            }));
        }
    }
    choices
}

fn columns(remote: Remote<ImportView>, save: Save) -> AnyView {
    let store = Store::expect();
    let n_columns = Memo::new(move |_| remote.with(|import| import.map_or(0, |import| import.columns.len())));
    // What is offered does not depend on what is chosen: built once for all columns.
    let offered = Memo::new(move |_| {
        let (id, fields) = remote.with(|import| {
            import.map_or((None, Vec::new()), |import| {
                (import.connection_id, import.fields.clone())
            })
        });
        let names = store.names(id, &[]);
        let mut choices: Choices = vec![(String::new(), "Не загружать".to_owned())];
        choices.extend(fields.into_iter().map(|field| {
            let title = field
                .parse::<FieldPath>()
                .map_or_else(|_| field.clone(), |path| names.path(path));
            (field, title)
        }));
        choices
    });
    let row = move |at: usize| {
        let value = Signal::derive(move || {
            remote
                .with(|import| import.and_then(|import| import.columns.get(at)?.field.clone()))
                .unwrap_or_default()
        });
        let name = remote
            .with(|import| import.and_then(|import| Some(import.columns.get(at)?.name.clone())))
            .unwrap_or_default();
        let samples = remote
            .with(|import| import.and_then(|import| Some(import.columns.get(at)?.samples.clone())))
            .unwrap_or_default();
        let samples = samples
            .into_iter()
            .filter(|sample| !sample.is_empty())
            .take(3)
            .collect::<Vec<_>>()
            .join(" · ");
        view! {
            <div class="mapping-row" data-testid="column">
                <div class="mapping-name">
                    <b>{name.clone()}</b>
                    <p class="muted samples">{samples}</p>
                </div>
                <SelectField
                    label=format!("Что в столбце «{name}»")
                    value
                    options=offered
                    on_change=move |word: String| change(remote, save, move |form| {
                        if let Some(column) = form.columns.as_mut().and_then(|columns| columns.get_mut(at)) {
                            *column = Some(word.clone()).filter(|word| !word.is_empty());
                        }
                    })
                />
            </div>
        }
    };
    view! {
        <Card title="Столбцы">
            <p class="soft">"Мы угадали значения по названиям. Проверьте и поправьте: для файлов с такими же заголовками выбор запомнится."</p>
            <div class="mapping" data-testid="mapping">
                {move || (0..n_columns.get()).map(row).collect_view()}
            </div>
        </Card>
    }
    .into_any()
}
