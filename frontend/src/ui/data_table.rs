//! Lists of rows: a real table, sorted by its headings, with columns of one's choice, walked by the arrow keys, that
//! becomes a list of cards on a phone.

mod choice;
mod keys;

use std::any::Any;
use std::sync::Arc;

use leptos::prelude::*;

use super::{Glyph, Icon};
use choice::Choice;
use keys::walk;

/// A column.
pub struct Column<T> {
    title: &'static str,
    class: &'static str,
    sort: Option<&'static str>,
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
            sort: None,
            cell: Arc::new(move |row| cell(row).into_any()),
        }
    }

    /// Its heading sorts the list by this word.
    pub fn sorted_by(mut self, word: &'static str) -> Self {
        self.sort = Some(word);
        self
    }
}

/// How a list is sorted: a word of its columns, with a minus in front when from the greatest down. It stands in the
/// address, and whoever has the rows (the server, or the page when it has all of them) sorts them.
#[derive(Clone, Copy)]
pub struct Sorting {
    chosen: Signal<String>,
    choose: Callback<String>,
}

impl Sorting {
    /// Sorting as `chosen` says, changed by `choose`.
    pub fn new(chosen: impl Into<Signal<String>>, choose: impl Into<Callback<String>>) -> Self {
        Self {
            chosen: chosen.into(),
            choose: choose.into(),
        }
    }

    fn direction(self, word: &str) -> Option<&'static str> {
        self.chosen.with(|chosen| match chosen.strip_prefix('-') {
            Some(of) if of == word => Some("descending"),
            None if chosen == word => Some("ascending"),
            _ => None,
        })
    }

    /// The other way round when it is sorted by this column already.
    fn press(self, word: &str) {
        let next = match self.direction(word) {
            Some("ascending") => format!("-{word}"),
            _ => word.to_owned(),
        };
        self.choose.run(next);
    }
}

/// Sorting of a list by the time of its rows, which come the newest first unless told otherwise.
pub fn by_time(
    sort: impl Fn() -> String + Send + Sync + 'static,
    choose: impl Fn(String) + Send + Sync + 'static,
) -> Sorting {
    let chosen = Signal::derive(move || match sort().as_str() {
        "when" => "when".to_owned(),
        _ => "-when".to_owned(),
    });
    let choose = Callback::new(move |word: String| {
        choose(if word == "when" { word } else { String::new() });
    });
    Sorting { chosen, choose }
}

/// What the machinery knows of a column.
#[derive(Clone, Copy)]
struct Head {
    title: &'static str,
    class: &'static str,
    sort: Option<&'static str>,
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
    /// Also the name under which the choice of columns is remembered.
    testid: &'static str,
    #[prop(optional)] sorting: Option<Sorting>,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let heads = columns
        .iter()
        .map(|column| Head {
            title: column.title,
            class: column.class,
            sort: column.sort,
        })
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
    whole(caption, heads, rows, same, Arc::new(draw), testid, sorting)
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
    heads: Vec<Head>,
    rows: Signal<Vec<Carried>>,
    same: fn(&Carried, &Carried) -> bool,
    draw: Draw,
    testid: &'static str,
    sorting: Option<Sorting>,
) -> AnyView {
    let choice = Choice::of(testid);
    let heads: Arc<[Head]> = heads.into();
    let head = heads.iter().map(|head| heading(*head, sorting)).collect_view();
    let columns = choice.picker(&heads);
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
            .zip(heads.iter())
            .map(|(cell, head)| {
                view! { <td role="cell" class=head.class data-label=head.title>{cell}</td> }
            })
            .collect_view();
        view! { <tr role="row" data-testid="row" data-id=id>{cells}</tr> }
    };
    view! {
        {columns}
        <div class="table-frame">
            <table role="table" class=move || choice.class() data-testid=testid on:keydown=walk>
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

fn heading(head: Head, sorting: Option<Sorting>) -> AnyView {
    // A column of buttons needs no visible heading, yet has one for those who hear the table.
    let hidden = head.class.contains("bare").then_some("visually-hidden");
    let title = head.title;
    let (Some(word), Some(sorting)) = (head.sort, sorting) else {
        return view! {
            <th role="columnheader" scope="col" class=head.class>
                <span class=hidden>{title}</span>
            </th>
        }
        .into_any();
    };
    let glyph = move || {
        let glyph = match sorting.direction(word)? {
            "ascending" => Glyph::Up,
            _ => Glyph::Down,
        };
        Some(view! { <Icon glyph /> })
    };
    view! {
        <th role="columnheader" scope="col" class=head.class aria-sort=move || sorting.direction(word)>
            <button type="button" class="sort" on:click=move |_| sorting.press(word)>
                {title}
                {glyph}
            </button>
        </th>
    }
    .into_any()
}
