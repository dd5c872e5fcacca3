//! Lists of rows: a real table, walked by the arrow keys, that becomes a list of cards on a phone.

use std::any::Any;
use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::when;
use super::{Button, Glyph};

/// A column.
pub struct Column<T> {
    title: &'static str,
    class: &'static str,
    cell: Arc<dyn Fn(&T) -> AnyView + Send + Sync>,
}

impl<T> Column<T> {
    /// An ordinary column. Classes: `lead` is the card's heading on a phone, `bare` has no name there,
    /// `end` stands at the right, `above` lies over the row's link.
    pub fn new<V: IntoView + 'static>(
        title: &'static str,
        class: &'static str,
        cell: impl Fn(&T) -> V + Send + Sync + 'static,
    ) -> Self {
        Self {
            title,
            class,
            cell: Arc::new(move |row| cell(row).into_any()),
        }
    }
}

/// A table. Rows are redrawn only when what they show has changed.
#[component]
pub fn DataTable<T>(
    /// What the table is, for those who do not see it.
    #[prop(into)]
    caption: String,
    columns: Vec<Column<T>>,
    #[prop(into)] rows: Signal<Vec<T>>,
    /// Id of a row.
    id: fn(&T) -> String,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let titles = columns
        .iter()
        .map(|column| (column.title, column.class))
        .collect();
    let rows = Signal::derive(move || {
        let wrap = |row| Arc::new(row) as Carried;
        rows.get().into_iter().map(wrap).collect::<Vec<_>>()
    });
    let draw = move |row: &Carried| {
        let row: &T = row.downcast_ref().expect("the table was given these rows");
        let cells = columns.iter().map(|column| (column.cell)(row)).collect();
        (id(row), cells)
    };
    let same = |one: &Carried, other: &Carried| one.downcast_ref::<T>() == other.downcast_ref::<T>();
    whole(caption, titles, rows, same, Arc::new(draw), testid)
}

type Carried = Arc<dyn Any + Send + Sync>;
/// Id and cells of a row.
type Draw = Arc<dyn Fn(&Carried) -> (String, Vec<AnyView>) + Send + Sync>;

/// A row as it stands: while its number stays, so does what is drawn of it.
#[derive(Clone)]
struct Line {
    number: u32,
    row: Carried,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// The table without knowledge of what its rows are: compiled once for all of them.
fn whole(
    caption: String,
    titles: Vec<(&'static str, &'static str)>,
    rows: Signal<Vec<Carried>>,
    same: fn(&Carried, &Carried) -> bool,
    draw: Draw,
    testid: Option<&'static str>,
) -> AnyView {
    let titles: Arc<[(&str, &str)]> = titles.into();
    let head = titles
        .iter()
        .map(|(title, class)| {
            // A column of buttons needs no visible heading, yet has one for those who hear the table.
            let hidden = class.contains("bare").then_some("visually-hidden");
            view! {
                <th role="columnheader" scope="col" class=*class>
                    <span class=hidden>{*title}</span>
                </th>
            }
        })
        .collect_view();
    // A row that changed gets another number and is drawn anew; the others stay, with the focus in them.
    let numbered = Memo::new(move |before: Option<&Vec<Line>>| {
        let before = before.map(Vec::as_slice).unwrap_or_default();
        let mut next = before.iter().map(|line| line.number + 1).max().unwrap_or(0);
        rows.get()
            .into_iter()
            .map(|row| match before.iter().find(|line| same(&line.row, &row)) {
                Some(line) => line.clone(),
                None => {
                    next += 1;
                    Line {
                        number: next - 1,
                        row,
                    }
                }
            })
            .collect::<Vec<_>>()
    });
    let line = move |line: Line| {
        let (id, cells) = draw(&line.row);
        let cells = cells
            .into_iter()
            .zip(titles.iter())
            .map(|(cell, (title, class))| {
                view! { <td role="cell" class=*class data-label=*title>{cell}</td> }
            })
            .collect_view();
        view! { <tr role="row" data-testid="row" data-id=id>{cells}</tr> }
    };
    view! {
        <div class="table-frame">
            <table role="table" class="table" data-testid=testid on:keydown=walk>
                <caption class="visually-hidden">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{head}</tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || numbered.get() key=|line| line.number children=line />
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Up and down go from row to row, to the same control where the next row has it.
fn walk(event: KeyboardEvent) {
    let down = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        _ => return,
    };
    let from = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let Some(control) = from.filter(|control| !matches!(control.tag_name().as_str(), "SELECT" | "TEXTAREA"))
    else {
        return;
    };
    let Ok(Some(row)) = control.closest("tr") else {
        return;
    };
    let next = if down {
        row.next_element_sibling()
    } else {
        row.previous_element_sibling()
    };
    let Some(next) = next else { return };
    let place = controls(&row)
        .iter()
        .position(|other| *other == control)
        .unwrap_or(0);
    let all = controls(&next);
    let to = all.get(place).or_else(|| all.first());
    if let Some(to) = to.and_then(|to| to.dyn_ref::<HtmlElement>()) {
        event.prevent_default();
        let _ = to.focus();
    }
}

fn controls(row: &Element) -> Vec<Element> {
    let Ok(found) = row.query_selector_all("a[href], button, input") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into::<Element>().ok())
        .collect()
}

/// Where a list stands: the cursors of the pages that were left behind.
#[derive(Clone, Copy)]
pub struct Paging {
    cursors: RwSignal<Vec<String>>,
}

impl Paging {
    /// At the first page.
    pub fn new() -> Self {
        Self {
            cursors: RwSignal::new(Vec::new()),
        }
    }

    /// Cursor of the page shown; `None` at the first.
    pub fn cursor(self) -> Option<String> {
        self.cursors.with(|cursors| cursors.last().cloned())
    }

    /// Back to the first page, after a filter changed.
    pub fn reset(self) {
        if self.cursors.with_untracked(|cursors| !cursors.is_empty()) {
            self.cursors.set(Vec::new());
        }
    }
}

/// Buttons that go to newer and older rows; nothing when all fit one page.
#[component]
pub fn Pager(paging: Paging, #[prop(into)] next: Signal<Option<String>>) -> impl IntoView {
    let number = move || paging.cursors.with(Vec::len) + 1;
    let alone = move || number() == 1 && next.with(Option::is_none);
    view! {
        {when(move || !alone(), move || view! {
            <nav class="table-foot" aria-label="Страницы списка">
                <span>"Страница " <span class="number">{number}</span></span>
                <div class="row">
                    <Button
                        small=true
                        glyph=Glyph::Left
                        disabled=Signal::derive(move || number() == 1)
                        on_click=move |_| {
                            paging.cursors.update(|cursors| {
                                cursors.pop();
                            });
                        }
                    >
                        "Новее"
                    </Button>
                    <Button
                        small=true
                        glyph=Glyph::Right
                        testid="older"
                        disabled=Signal::derive(move || next.with(Option::is_none))
                        on_click=move |_| {
                            if let Some(next) = next.get_untracked() {
                                paging.cursors.update(|cursors| cursors.push(next));
                            }
                        }
                    >
                        "Старше"
                    </Button>
                </div>
            </nav>
        }.into_any())}
    }
}
