//! Starting a rule by hand, its timers, and letting earlier events run again: forms, progress, stopping.

use std::time::Duration;

use api::Page;
use api::sweep::{ReplayEvents, StartPreview, StartRule, Sweep};
use api::workspace::Role;
use domain::id::RuleId;
use domain::value::Stage;
use leptos::prelude::*;

use crate::api::sweeps;
use crate::problem::ApiError;
use crate::store::{Store, present};
use crate::sweep_text::{ids, kind, progress, state};
use crate::text::counted;
use crate::ui::{
    Ago, Badge, Button, Card, Check, Empty, ErrorBox, Glyph, Look, Moment, Notice, Remote, SelectField,
    TextArea, TextField, Toasts, loaded, run, text, when,
};
use crate::words::Tone;

/// How often a walk under way is looked at.
const LOOK: Duration = Duration::from_secs(2);
const DAY_MS: i64 = 86_400_000;

type Sweeps = Remote<Page<Sweep>>;

/// Everything that starts a rule without a webhook. `stages` are those of the source, by title.
pub fn starts(rule: RuleId, by_hand: bool, stages: Vec<(Stage, String)>) -> AnyView {
    let store = Store::expect();
    let list: Sweeps = Remote::new(move || sweeps::list_sweeps(rule));
    // Looked at again while something is under way.
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        let is_running =
            list.with(|page| page.is_some_and(|page| page.items.iter().any(|one| one.state == "running")));
        if let Some(last) = last.flatten() {
            last.clear();
        }
        let again = move || list.reload();
        is_running
            .then(|| set_timeout_with_handle(again, LOOK).ok())
            .flatten()
    });
    let next = Remote::new(move || sweeps::get_schedule(rule));
    let timers = loaded(next, |schedule| {
        let Some(at) = schedule.next.first().copied() else {
            return ().into_any();
        };
        view! { <p data-testid="next-tick">"Следующий запуск по расписанию: " <Moment at /></p> }.into_any()
    });
    view! {
        <div class="stack">
            {timers}
            {when(move || store.may(Role::Editor), move || view! {
                <div class="two wide">
                    {start_form(rule, by_hand, stages.clone(), list)}
                    {replay_form(rule, list)}
                </div>
            }.into_any())}
            <Card title="Обходы" testid="sweeps">{loaded(list, move |page| rows(page.items, list))}</Card>
        </div>
    }
    .into_any()
}

fn rows(items: Vec<Sweep>, list: Sweeps) -> AnyView {
    if items.is_empty() {
        return view! {
            <Empty glyph=Glyph::Play title="Запусков ещё не было" text="Здесь видно, как идут запуски по расписанию, вручную и повторы событий." />
        }
        .into_any();
    }
    let rows: Vec<AnyView> = items.into_iter().map(|sweep| row(sweep, list)).collect();
    view! { <ul class="findings">{rows}</ul> }.into_any()
}

fn row(sweep: Sweep, list: Sweeps) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let id = sweep.id;
    let (tone, word) = state(&sweep.state);
    let word = word.to_owned();
    let is_running = sweep.state == "running";
    let stop = Callback::new(move |_| {
        run(busy, sweeps::cancel_sweep(id), move |answer| {
            if let Err(error) = answer {
                toasts.problem(&error);
            }
            list.reload();
        });
    });
    view! {
        <li class="finding" data-testid="sweep" data-state=sweep.state.clone()>
            <Badge tone word />
            <div class="grow stack tight">
                <p><b>{kind(&sweep.kind).to_owned()}</b> <span class="muted">" — " {sweep.actor.clone()} ", " <Ago at=sweep.created_at /></span></p>
                <p class="soft">{progress(&sweep)}</p>
                {sweep.failure.clone().map(|text| view! { <p class="problem">{text}</p> })}
            </div>
            {when(move || is_running && store.may(Role::Editor), move || view! {
                <Button small=true loading=busy testid="stop-sweep" on_click=stop>"Остановить"</Button>
            }.into_any())}
        </li>
    }
    .into_any()
}

fn start_form(rule: RuleId, by_hand: bool, stages: Vec<(Stage, String)>, list: Sweeps) -> AnyView {
    if !by_hand {
        return view! {
            <Card title="Запустить вручную">
                <p class="soft">"Чтобы запускать правило на выбранных записях, отметьте в «КОГДА» событие «Запущено вручную», сохраните и опубликуйте правило."</p>
            </Card>
        }
        .into_any();
    }
    let toasts = Toasts::expect();
    let (records, idle) = (text(""), text("0"));
    let chosen = RwSignal::new("ids".to_owned());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let counted_now = RwSignal::new(None::<StartPreview>);
    let options: Vec<(String, String)> = [
        ("ids".to_owned(), "Записи с номерами".to_owned()),
        ("open".to_owned(), "Все на открытых этапах".to_owned()),
    ]
    .into_iter()
    .chain(
        stages
            .iter()
            .enumerate()
            .map(|(at, (_, title))| (at.to_string(), format!("На этапе «{title}»"))),
    )
    .collect();
    let by_ids = move || chosen.with(|chosen| chosen == "ids");
    let form = move || {
        let stage = chosen.with_untracked(|chosen| chosen.parse::<usize>().ok());
        let stage = stage.and_then(|at| stages.get(at)).map(|(stage, _)| *stage);
        StartRule {
            records: chosen
                .with_untracked(|chosen| chosen == "ids")
                .then(|| records.with_untracked(|text| ids(text))),
            stages: stage.into_iter().collect(),
            idle_days: idle.with_untracked(|days| days.trim().parse().unwrap_or(0)),
        }
    };
    let form = StoredValue::new(form);
    let count = move |_| {
        failure.set(None);
        let form = form.with_value(|form| form());
        run(
            busy,
            sweeps::preview_start(rule, &form),
            move |answer| match answer {
                Ok(preview) => counted_now.set(Some(preview)),
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let start = move |_| {
        failure.set(None);
        let form = form.with_value(|form| form());
        run(
            busy,
            sweeps::start_by_hand(rule, &form),
            move |answer| match answer {
                Ok(_) => {
                    toasts.done("Запущено: каждая запись станет событием, его увидит только это правило");
                    counted_now.set(None);
                    list.reload();
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    view! {
        <Card title="Запустить вручную" testid="start-form">
            <div class="stack">
                <SelectField label="На чём запустить" value=chosen options=Signal::stored(options) on_change=move |word| {
                    chosen.set(word);
                    counted_now.set(None);
                } testid="start-on" />
                {when(by_ids, move || view! { <TextArea label="Номера сделок или лидов" value=records testid="start-ids" /> }.into_any())}
                {when(move || !by_ids(), move || view! { <TextField label="Только не менявшиеся столько дней" value=idle kind="number" testid="start-idle" /> }.into_any())}
                {move || counted_now.get().map(|preview| {
                    let n = counted(u64::try_from(preview.n).unwrap_or_default(), "запись", "записи", "записей");
                    let more = if preview.complete { "" } else { " или больше: сосчитаны первые страницы" };
                    view! { <Notice tone=Tone::Busy testid="start-preview"><p>"Подойдёт " {n} {more} ". На каждую уйдёт чтение из CRM и действия правила."</p></Notice> }
                })}
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
                <div class="row">
                    <Button loading=busy testid="count-start" on_click=count>"Сосчитать"</Button>
                    <Button look=Look::Primary glyph=Glyph::Play loading=busy testid="start-yes" on_click=start>"Запустить"</Button>
                </div>
            </div>
        </Card>
    }
    .into_any()
}

fn replay_form(rule: RuleId, list: Sweeps) -> AnyView {
    let toasts = Toasts::expect();
    let days = RwSignal::new("1".to_owned());
    let only = RwSignal::new(true);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let options: Vec<(String, String)> = [("1", "сутки"), ("7", "неделю"), ("30", "30 дней")]
        .into_iter()
        .map(|(word, title)| (word.to_owned(), title.to_owned()))
        .collect();
    let send = move |_| {
        let n = days.with_untracked(|days| days.parse::<i64>().unwrap_or(1));
        let form = ReplayEvents {
            rule_id: only.get_untracked().then_some(rule),
            from: Some(present().plus_ms(-n * DAY_MS)),
            ..ReplayEvents::default()
        };
        failure.set(None);
        run(busy, sweeps::replay_events(&form), move |answer| match answer {
            Ok(_) => {
                toasts.done("Повтор начат: он идёт, когда нет новых событий");
                list.reload();
            }
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <Card title="Прогнать прошлые события" testid="replay-form">
            <div class="stack">
                <p class="soft">"События пройдут ещё раз, уже по нынешним правилам, и действия будут выполнены. То, что в CRM уже так, не записывается повторно."</p>
                <SelectField label="За" value=days options=Signal::stored(options) on_change=move |word| days.set(word) testid="replay-days" />
                <Check label="Смотрит только это правило" value=only />
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
                <div><Button loading=busy glyph=Glyph::Refresh testid="replay-yes" on_click=send>"Повторить события"</Button></div>
            </div>
        </Card>
    }
    .into_any()
}
