//! Words of results, which steps and dispositions mean which, and the ready rule.

use api::call::{CallSettingsView, CreateCallRule, DispositionResult, StepResult};
use api::workspace::Role;
use domain::connection::ConnectorKind;
use domain::field::{FieldKey, FieldPath, FieldType};
use domain::id::ConnectionId;
use domain::record::RecordKind;
use domain::value::Stage;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api::calls;
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Button, Card, Choices, ErrorBox, Glyph, Look, Notice, Page, Remote, SelectField, TextArea, TextField,
    Toasts, loaded, run, text,
};
use crate::words::Tone;

/// The page.
pub(super) fn page() -> AnyView {
    let remote = Remote::new(calls::get_call_settings);
    view! {
        <Page
            title="Настройки результатов"
            above=("Результаты прозвонов", "/calls")
            about="Какими словами называются результаты и что они означают в LPTracker."
        >
            {loaded(remote, move |settings| form(settings, remote))}
            {loaded(remote, move |settings| ready(settings.results))}
        </Page>
    }
    .into_any()
}

/// A choice of a result for a step or disposition.
#[derive(Clone, Copy)]
struct Line {
    from: RwSignal<String>,
    result: RwSignal<String>,
}

fn form(settings: CallSettingsView, remote: Remote<CallSettingsView>) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let words = text(settings.results.join("\n"));
    let line = |from: String, result: String| Line {
        from: RwSignal::new(from),
        result: RwSignal::new(result),
    };
    let steps = RwSignal::new(
        settings
            .steps
            .iter()
            .map(|step| line(stage_word(step.stage), step.result.clone()))
            .collect::<Vec<_>>(),
    );
    let dispositions = RwSignal::new(
        settings
            .dispositions
            .iter()
            .map(|it| line(it.disposition.clone(), it.result.clone()))
            .collect::<Vec<_>>(),
    );
    let (busy, failure) = (RwSignal::new(false), RwSignal::new(None::<ApiError>));
    let save = move |_| {
        let form = CallSettingsView {
            results: results_of(&words.get_untracked()),
            steps: steps
                .get_untracked()
                .into_iter()
                .filter_map(|line| {
                    Some(StepResult {
                        stage: stage_of(&line.from.get_untracked())?,
                        result: line.result.get_untracked(),
                    })
                })
                .collect(),
            dispositions: dispositions
                .get_untracked()
                .into_iter()
                .map(|line| DispositionResult {
                    disposition: line.from.get_untracked().trim().to_owned(),
                    result: line.result.get_untracked(),
                })
                .filter(|it| !it.disposition.is_empty())
                .collect(),
        };
        failure.set(None);
        run(
            busy,
            calls::save_call_settings(&form),
            move |answer| match answer {
                Ok(settings) => {
                    toasts.done("Сохранено");
                    remote.set(settings);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let results = Signal::derive(move || {
        results_of(&words.get())
            .into_iter()
            .map(|word| (word.clone(), word))
            .collect::<Choices>()
    });
    let stages = Signal::derive(move || stages(store, ConnectorKind::Lptracker));
    view! {
        <div class="stack">
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            <Card title="Слова результатов">
                <TextArea label="По одному в строке" value=words testid="result-words"
                    hint="В этом порядке они стоят в списках. Прежние звонки сохраняют свои слова." />
            </Card>
            <Card title="Шаги LPTracker">
                <p class="soft">"Лид переведён на этот шаг — его последний звонок за сутки получает результат."</p>
                {lines(steps, results, move |line: Line| view! {
                    <SelectField label="Шаг" value=Signal::derive(move || line.from.get()) options=stages
                        on_change=move |word: String| line.from.set(word) />
                }.into_any())}
            </Card>
            <Card title="Ответы телефонии">
                <p class="soft">"Звонок закончился так — у него такой результат, если LPTracker не сказал иного."</p>
                {lines(dispositions, results, move |line: Line| view! {
                    <TextField label="Ответ" value=line.from />
                }.into_any())}
            </Card>
            {move || if store.may(Role::Owner) {
                view! { <div class="row"><Button look=Look::Primary loading=busy testid="save-settings" on_click=save>"Сохранить"</Button></div> }.into_any()
            } else {
                view! { <Notice tone=Tone::Muted>"Изменять настройки может владелец кабинета."</Notice> }.into_any()
            }}
        </div>
    }
    .into_any()
}

fn lines(
    all: RwSignal<Vec<Line>>,
    results: Signal<Choices>,
    from: impl Fn(Line) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView {
    let add = move |_| {
        let first = results.with_untracked(|results| results.first().map(|(word, _)| word.clone()));
        all.update(|all| {
            all.push(Line {
                from: RwSignal::new(String::new()),
                result: RwSignal::new(first.unwrap_or_default()),
            });
        });
    };
    let row = move |at: usize, line: Line| {
        let options = Signal::derive(move || {
            let mut choices: Choices = vec![(String::new(), "Выберите".to_owned())];
            choices.extend(results.get());
            choices
        });
        view! {
            <div class="mapping-row three" data-testid="line">
                {from(line)}
                <SelectField label="Результат" value=Signal::derive(move || line.result.get()) options
                    on_change=move |word: String| line.result.set(word) />
                <Button look=Look::Subtle glyph=Glyph::Close label="Убрать" on_click=move |_| all.update(|all| { all.remove(at); }) />
            </div>
        }
    };
    view! {
        <div class="mapping">
            {move || all.get().into_iter().enumerate().map(|(at, line)| row(at, line)).collect_view()}
        </div>
        <Button small=true glyph=Glyph::Plus on_click=add>"Добавить"</Button>
    }
    .into_any()
}

/// The ready rule: a draft that the person looks at in the constructor and publishes.
fn ready(results: Vec<String>) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (result, stage, field) = (text(""), text(""), text(""));
    let busy = RwSignal::new(false);
    let mut choices: Choices = vec![(String::new(), "Любой результат".to_owned())];
    choices.extend(results.into_iter().map(|word| (word.clone(), word)));
    let first = move |kind: ConnectorKind| {
        store
            .connections()
            .into_iter()
            .find(|one| one.kind == kind)
            .map(|one| one.id)
    };
    let stages = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Не менять этап".to_owned())];
        choices.extend(stages(store, ConnectorKind::Amocrm));
        choices
    });
    let fields = Signal::derive(move || fields(store, first(ConnectorKind::Amocrm)));
    let make = move |_| {
        let (Some(source_id), Some(amocrm_id)) =
            (first(ConnectorKind::Lptracker), first(ConnectorKind::Amocrm))
        else {
            toasts.fail("Сначала подключите и LPTracker, и amoCRM");
            return;
        };
        let given = |value: RwSignal<String>| Some(value.get_untracked()).filter(|value| !value.is_empty());
        let form = CreateCallRule {
            source_id,
            amocrm_id,
            results: given(result).into_iter().collect(),
            stage: given(stage).and_then(|word| stage_of(&word)),
            field: given(field),
        };
        let navigate = navigate.clone();
        run(busy, calls::create_call_rule(&form), move |answer| match answer {
            Ok(made) => {
                toasts.done("Правило создано: проверьте его и опубликуйте");
                navigate(&format!("/rules/{}", made.rule_id), Default::default());
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        <Card title="Готовое правило для amoCRM" testid="ready-rule">
            <p class="soft">
                "Записывает результат в связанную сделку: этап, поле и звонок с записью разговора. Вы увидите правило в конструкторе и опубликуете его сами."
            </p>
            <div class="form-grid">
                <SelectField label="Когда результат" value=Signal::derive(move || result.get()) options=Signal::stored(choices)
                    testid="ready-result" on_change=move |word: String| result.set(word) />
                <SelectField label="Перевести сделку на этап" value=Signal::derive(move || stage.get()) options=stages
                    testid="ready-stage" on_change=move |word: String| stage.set(word) />
                <SelectField label="Записать результат в поле" value=Signal::derive(move || field.get()) options=fields
                    testid="ready-field" on_change=move |word: String| field.set(word) />
            </div>
            {move || {
                let make = make.clone();
                store.may(Role::Editor).then(|| view! {
                    <div class="row"><Button look=Look::Primary loading=busy testid="make-rule" on_click=make>"Создать правило"</Button></div>
                })
            }.into_any()}
        </Card>
    }
    .into_any()
}

fn results_of(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn stage_word(stage: Stage) -> String {
    format!("{}/{}", stage.pipeline, stage.status)
}

fn stage_of(word: &str) -> Option<Stage> {
    let (pipeline, status) = word.split_once('/')?;
    Some(Stage {
        pipeline: pipeline.parse().ok()?,
        status: status.parse().ok()?,
    })
}

fn stages(store: Store, kind: ConnectorKind) -> Choices {
    let catalogues = store.catalogues();
    let mut choices = Choices::new();
    for (_, one) in catalogues.of_kind(kind) {
        for pipeline in &one.catalogue.pipelines {
            choices.extend(pipeline.stages.iter().map(|stage| {
                let word = stage_word(Stage {
                    pipeline: pipeline.id,
                    status: stage.id,
                });
                (word, format!("{} › {}", pipeline.name, stage.name))
            }));
        }
    }
    choices
}

/// Fields of a deal that can hold a word.
fn fields(store: Store, amocrm: Option<ConnectionId>) -> Choices {
    let mut choices: Choices = vec![(String::new(), "Не записывать".to_owned())];
    let catalogues = store.catalogues();
    if let Some(one) = amocrm.and_then(|id| catalogues.get(id)) {
        let fits = one.catalogue.fields.iter().filter(|field| {
            field.record == RecordKind::Deal && field.field_type == FieldType::Text && !field.read_only
        });
        choices.extend(fits.map(|field| {
            (
                FieldPath::now(RecordKind::Deal, FieldKey::Custom(field.id)).to_string(),
                field.name.clone(),
            )
        }));
    }
    choices
}
