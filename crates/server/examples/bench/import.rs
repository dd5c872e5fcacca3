//! Files: how fast a workbook of twelve columns becomes checked rows, beside calamine's stream of cells alone; then
//! the same file through the real program, killed on the way ([`crate::import_deaths`]).
//!
//! Each figure is taken in a process of its own, so that its memory is that of the work alone.

use crate::hub::{self, Hub};
use crate::{Options, import_deaths, usage};
use anyhow::{Context as _, Result, ensure};
use calamine::{Xlsx, open_workbook};
use domain::id::{ConnectionId, WorkspaceId};
use engine::imports::{Duplicates, Import, Imports, Purpose, Wish};
use rust_xlsxwriter::Workbook;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;
use storage::imports::ImportState;
use tokio::process::Command;

/// Name of the only sheet.
const SHEET: &str = "Клиенты";
/// What the columns are called: eight mean something, four are only carried along.
const HEADER: [&str; 12] = [
    "Телефон",
    "Имя",
    "E-mail",
    "Название сделки",
    "Бюджет",
    "Теги",
    "Источник",
    "Кампания",
    "Город",
    "Адрес",
    "Дата заявки",
    "Комментарий",
];

/// What a child found.
#[derive(Serialize, Deserialize)]
struct Figures {
    rows: usize,
    secs: f64,
    before_mb: f64,
    peak_mb: f64,
}

impl Figures {
    fn line(&self, name: &str) {
        println!(
            "| {name} | {:.0} | {:.1} | {:.0} | {:.0} |",
            self.rows as f64 / self.secs,
            self.secs,
            self.before_mb,
            self.peak_mb
        );
    }
}

/// Both measurements.
pub async fn run(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("clients.xlsx");
    write(&file, options.n_rows)?;
    let size_mb = std::fs::metadata(&file)?.len() as f64 / f64::from(1 << 20);
    println!(
        "\n### Файл XLSX: {} строк по {} столбцов, {size_mb:.1} МБ\n",
        options.n_rows,
        HEADER.len()
    );
    println!("| | строк/с | всего, с | память до чтения, МБ | пик, МБ |");
    println!("|---|---|---|---|---|");
    let path = file.to_string_lossy();
    let cells: Figures = child(&["read-cells", &path]).await?;
    cells.line("поток ячеек calamine, без разбора и базы");
    for (name, url) in &options.databases {
        let place = hub::Place::new(name, url).await?;
        let rows: Figures = child(&["read-rows", &path, place.url()]).await?;
        ensure!(rows.rows == options.n_rows, "принято {} строк", rows.rows);
        rows.line(&format!("{name}: чтение, проверка, запись в базу"));
    }
    import_deaths::run(options, &file).await
}

/// This very program in another role, which prints what it found.
async fn child<T: DeserializeOwned>(args: &[&str]) -> Result<T> {
    let output = Command::new(std::env::current_exe()?).args(args).output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .with_context(|| format!("{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// A workbook as a CRM exports it: texts, a number, a date as text; every phone another one.
fn write(path: &Path, n_rows: usize) -> Result<()> {
    const CITIES: [&str; 4] = ["Москва", "Казань", "Пермь", "Нижний Новгород"];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory();
    sheet.set_name(SHEET)?;
    for (column, name) in (0u16..).zip(HEADER) {
        sheet.write_string(0, column, name)?;
    }
    for at in 0..n_rows {
        let row = u32::try_from(at)? + 1;
        let city = CITIES[at % CITIES.len()];
        sheet.write_string(
            row,
            0,
            format!(
                "+7 (9{:02}) {:03}-{:04}",
                at / 10_000_000,
                at / 10_000 % 1000,
                at % 10_000
            ),
        )?;
        for (column, text) in [
            (1, format!("Клиент {at}")),
            (2, format!("client{at}@example.ru")),
            (3, format!("Окна под ключ, заявка {at}")),
            (5, "окна, сайт".to_owned()),
            (6, "Яндекс Директ".to_owned()),
            (7, format!("Кампания {}", at % 40)),
            (8, city.to_owned()),
            (9, format!("{city}, ул. Ленина, д. {}", at % 200)),
            (10, format!("{:02}.11.2026 12:{:02}", at % 28 + 1, at % 60)),
            (11, "Просил перезвонить после обеда".to_owned()),
        ] {
            sheet.write_string(row, column, text)?;
        }
        sheet.write_number(row, 4, f64::from(row % 500) * 1000.0)?;
    }
    book.save(path)?;
    Ok(())
}

/// The role that only reads cells: the bound of whatever is built on them.
pub fn read_cells(file: &str) -> Result<()> {
    let before = usage::mine()?;
    let started = Instant::now();
    let mut book: Xlsx<BufReader<std::fs::File>> = open_workbook(file)?;
    let mut cells = book.worksheet_cells_reader(SHEET)?;
    let mut last = 0;
    while let Some(cell) = cells.next_cell()? {
        last = cell.get_position().0;
    }
    tell(last as usize, started, before)
}

/// The role that reads, checks and stores, as the engine does.
pub async fn read_rows(file: &str, database: &str) -> Result<()> {
    let hub = Hub::open(database).await?;
    let (workspace, connection) = hub.workspaces[0];
    let imports = hub.engine.imports();
    let import = begin(&imports, workspace, connection, Path::new(file)).await?;
    let before = usage::mine()?;
    let started = Instant::now();
    imports.check(workspace, import.id).await?;
    hub.engine.step().await?;
    let found = tell_import(&imports.find(workspace, import.id).await?)?;
    tell(found, started, before)?;
    imports.cancel(workspace, import.id).await?;
    Ok(())
}

fn tell_import(import: &Import) -> Result<usize> {
    ensure!(
        import.state == ImportState::Checked,
        "файл не проверен: {:?} {:?}",
        import.state,
        import.error
    );
    Ok(usize::try_from(import.n_rows)?)
}

/// Puts a copy of the file where uploads lie, and says that its rows are contacts.
pub async fn begin(
    imports: &Imports,
    workspace: WorkspaceId,
    connection: ConnectionId,
    file: &Path,
) -> Result<Import> {
    let uploaded = imports.upload_path().await?;
    std::fs::copy(file, &uploaded)?;
    let import = imports.begin(workspace, "clients.xlsx", &uploaded).await?;
    let wish = Wish {
        purpose: Purpose::Contacts,
        sheet: import.plan.sheet.clone(),
        connection,
        columns: None,
        place: None,
        duplicates: Duplicates::Skip,
    };
    Ok(imports.describe(workspace, import.id, wish).await?)
}

fn tell(rows: usize, started: Instant, before: usage::Used) -> Result<()> {
    let figures = Figures {
        rows,
        secs: started.elapsed().as_secs_f64(),
        before_mb: before.resident_mb,
        peak_mb: usage::mine()?.peak_mb,
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
