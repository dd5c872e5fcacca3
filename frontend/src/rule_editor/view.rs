//! The constructor in the browser: what every part of it shares.

mod actions;
mod cases;
mod checks;
mod condition;
mod expression;
mod mapping;
mod operand;
mod pace;
mod page;
mod picker;
mod places;
mod trial;
mod trigger;
mod value;
mod widgets;

pub(crate) use page::{Start, begin, constructor};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::catalogues::{Catalogues, Scope};
use domain::compile::{CompiledRule, Diagnostic, Severity, compile};
use domain::connection::ConnectorKind;
use domain::rule::Rule;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsCast;

use self::pace::Pressed;
use self::places::Followers;
use super::draft::{Draft, Edit, Touched};
use super::marks::Mark;
use crate::store::Store;
use crate::text::upper_first;
use crate::ui::{Glyph, Icon};

/// Checking waits for a pause in typing, so that typing never waits for checking.
const QUIET: Duration = Duration::from_millis(180);

/// The constructor of this page. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Editor {
    /// What is edited; whoever needs one place of it follows that place.
    pub draft: ReadSignal<Draft>,
    write: WriteSignal<Draft>,
    places: Followers,
    /// The rule as last checked; a little behind the draft.
    pub rule: RwSignal<Option<Arc<Rule>>>,
    /// The same, compiled.
    pub ready: RwSignal<Option<Ready>>,
    /// What its fields mean.
    pub scope: RwSignal<Arc<Scope>>,
    /// What the compiler found here.
    pub compiled: RwSignal<Arc<Vec<Diagnostic>>>,
    /// What only the server can find: cycles with other rules.
    pub told: RwSignal<Arc<Vec<Diagnostic>>>,
    /// Both.
    pub findings: Memo<Arc<Vec<Diagnostic>>>,
    /// The chosen event's reasons, by place.
    pub marks: RwSignal<Arc<HashMap<String, Mark>>>,
    /// Commands of the chosen event, by place of the action.
    pub sample: RwSignal<Arc<Vec<domain::command::Command>>>,
    /// The item being dragged.
    pub dragged: RwSignal<Option<String>>,
    /// Said to those who do not see.
    pub said: RwSignal<String>,
    /// May be edited.
    pub open: Signal<bool>,
}

/// A compiled rule; always new when it was compiled anew.
#[derive(Clone)]
pub(crate) struct Ready(pub(crate) Arc<CompiledRule>);

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Editor {
    /// Begins to edit; checks after every pause.
    pub fn start(draft: Draft, open: Signal<bool>) -> Self {
        let store = Store::expect();
        let compiled = RwSignal::new(Arc::<Vec<Diagnostic>>::default());
        let told = RwSignal::new(Arc::<Vec<Diagnostic>>::default());
        let findings = Memo::new(move |_| {
            let mut all = compiled.get();
            if told.with(|told| !told.is_empty()) {
                Arc::make_mut(&mut all).extend(told.get().iter().cloned());
            }
            all
        });
        let (draft, write) = signal(draft);
        let editor = Self {
            draft,
            write,
            places: Followers::new(),
            rule: RwSignal::new(None),
            ready: RwSignal::new(None),
            scope: RwSignal::new(Arc::new(Scope::default())),
            compiled,
            told,
            findings,
            marks: RwSignal::new(Arc::default()),
            sample: RwSignal::new(Arc::default()),
            dragged: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            open,
        };
        provide_context(editor);
        let pressed = Pressed::watch();
        Effect::new(move |last: Option<Option<TimeoutHandle>>| {
            editor.draft.track();
            let catalogues = store.catalogues();
            if let Some(last) = last.as_ref().and_then(Option::as_ref) {
                last.clear();
            }
            if last.is_none() {
                editor.check(&catalogues);
                return None;
            }
            let check = move || editor.check(&catalogues);
            set_timeout_with_handle(move || pressed.when_up(check), QUIET).ok()
        });
        editor
    }

    /// Compiles what is edited. Who looks at what came out is woken only by what has become another.
    fn check(self, catalogues: &Catalogues) {
        let Some(Ok(rule)) = self.draft.try_with_untracked(Draft::rule) else {
            return;
        };
        let (compiled, findings) = compile(&rule, catalogues);
        if self.scope.with_untracked(|old| **old != *compiled.scope()) {
            self.scope.set(Arc::new(compiled.scope().clone()));
        }
        if self.compiled.with_untracked(|old| **old != findings) {
            self.compiled.set(Arc::new(findings));
        }
        self.rule.set(Some(Arc::new(rule)));
        self.ready.set(Some(Ready(Arc::new(compiled))));
    }

    /// The one of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Follows what stands at a place; `null` when nothing does.
    pub fn at(self, pointer: impl Into<String>) -> Signal<Value> {
        let pointer = pointer.into();
        Memo::new(move |_| self.look(&pointer, |draft| draft.at(&pointer).cloned().unwrap_or_default()))
            .into()
    }

    /// Looks at the draft, following only what may change at a place.
    pub fn look<T>(self, pointer: &str, at: impl FnOnce(&Draft) -> T) -> T {
        self.places.follow(pointer);
        self.draft.with_untracked(at)
    }

    /// Follows a text at a place.
    pub fn text(self, pointer: impl Into<String>) -> Signal<String> {
        let value = self.at(pointer);
        Signal::derive(move || value.with(|value| value.as_str().unwrap_or_default().to_owned()))
    }

    /// Does something to the draft.
    pub fn apply(self, edit: Edit) -> Option<String> {
        if !self.open.get_untracked() {
            return None;
        }
        let touched = edit.touches();
        let landed = self.write.try_update(|draft| draft.apply(edit)).flatten();
        self.places.tell(&touched);
        landed
    }

    /// Does something to the draft as a whole.
    pub fn change(self, change: impl FnOnce(&mut Draft)) {
        self.write.try_update(change);
        self.places.tell(&Touched::Everything);
    }

    /// What is typed next is another step.
    pub fn pause(self) {
        self.write.try_update_untracked(Draft::pause);
    }

    /// Puts a value at a place.
    pub fn set(self, at: impl Into<String>, to: Value) {
        self.apply(Edit::Set { at: at.into(), to });
    }

    /// A callback that puts a value at a place.
    pub fn setter(self, at: impl Into<String>) -> Callback<Value> {
        let at = at.into();
        Callback::new(move |to| self.set(at.clone(), to))
    }

    /// Takes an item elsewhere, and the focus with it.
    pub fn relocate(self, from: &str, (list, at): (String, usize)) {
        let from = from.to_owned();
        if let Some(landed) = self.apply(Edit::Move { from, list, at }) {
            self.said.set("Перемещено".to_owned());
            focus_handle(landed);
        }
    }

    /// The CRM of a connection named at a place.
    pub fn kind_at(self, pointer: String) -> Signal<Option<ConnectorKind>> {
        let store = Store::expect();
        let id = self.text(pointer);
        Signal::derive(move || store.kind_of(id.get().parse().ok()?))
    }

    /// What the compiler says of a place and what lies below it, except below the places named.
    pub fn findings_at(self, pointer: String, but: Vec<String>) -> AnyView {
        let here = Memo::new(move |_| {
            let below = |found: &str, place: &str| {
                found
                    .strip_prefix(place)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            self.findings.with(|all| {
                all.iter()
                    .filter(|found| below(&found.pointer, &pointer))
                    .filter(|found| !but.iter().any(|place| below(&found.pointer, place)))
                    .cloned()
                    .collect::<Vec<_>>()
            })
        });
        (move || findings(here.get())).into_any()
    }

    /// What the compiler says of just this place.
    pub fn findings_here(self, pointer: &'static str) -> AnyView {
        let here = Memo::new(move |_| {
            self.findings.with(|all| {
                let here = all.iter().filter(|found| found.pointer == pointer);
                here.cloned().collect::<Vec<_>>()
            })
        });
        (move || findings(here.get())).into_any()
    }
}

fn findings(list: Vec<Diagnostic>) -> AnyView {
    if list.is_empty() {
        return ().into_any();
    }
    let rows: Vec<AnyView> = list
        .into_iter()
        .map(|found| {
            let (class, word) = match found.severity {
                Severity::Error => ("finding-here tone-bad", "Ошибка: "),
                Severity::Warning => ("finding-here tone-warn", "Внимание: "),
            };
            view! {
                <p class=class data-testid="finding">
                    <Icon glyph=Glyph::Warn />
                    <span><span class="visually-hidden">{word}</span>{upper_first(&found.text)}</span>
                </p>
            }
            .into_any()
        })
        .collect();
    rows.into_any()
}

/// Draws a list of places; each keeps its elements while it stays.
pub(crate) fn each(
    places: impl Fn() -> Vec<String> + Send + Sync + 'static,
    draw: impl Fn(String) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    each_boxed(Box::new(places), Arc::new(draw))
}

type Places = Box<dyn Fn() -> Vec<String> + Send + Sync>;

fn each_boxed(places: Places, draw: Arc<dyn Fn(String) -> AnyView + Send + Sync>) -> AnyView {
    let places = Memo::new(move |_| places());
    view! { <For each=move || places.get() key=Clone::clone children=move |place| draw(place) /> }.into_any()
}

/// Items of a list of the document as places.
pub(crate) fn items_of(editor: Editor, list: String) -> impl Fn() -> Vec<String> {
    move || {
        let n = editor.look(&list, |draft| super::tree::count(draft.document(), &list));
        (0..n).map(|at| format!("{list}/{at}")).collect()
    }
}

/// Gives the focus to the handle of an item once it is drawn.
fn focus_handle(pointer: String) {
    request_animation_frame(move || {
        let wanted = format!("[data-handle=\"{pointer}\"]");
        let found = document().query_selector(&wanted).ok().flatten();
        if let Some(handle) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = handle.focus();
        }
    });
}
