//! Reading a file as a whole: every row becomes a row of the database, good or not.

use super::plan::ColumnReport;
use super::reader::{ReadRow, Reader};
use super::{Duplicates, Import, folder};
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use domain::id::ImportId;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use storage::Tx;
use storage::import_rows::{self, ImportRow, RowState};
use storage::imports::{self, ImportState};
use tokio::sync::mpsc;

/// Rows of one transaction.
const BATCH: usize = 2000;
/// Examples kept by column.
const EXAMPLES: usize = 3;

/// A piece of the sheet, read.
struct Batch {
    rows: Vec<ImportRow>,
    reports: Vec<ColumnReport>,
}

/// A row to be stored.
pub(super) fn row(number: i64, cells: Vec<String>, read: ReadRow) -> ImportRow {
    let is_good = read.errors.is_empty();
    ImportRow {
        number,
        state: if is_good {
            RowState::Accepted
        } else {
            RowState::Failed
        },
        key: read.key.filter(|_| is_good),
        error: (!is_good).then(|| {
            let texts: Vec<String> = read.errors.into_iter().map(|(_, text)| text).collect();
            texts.join("; ")
        }),
        cells,
        event: None,
    }
}

/// Takes what a row counted for out of the report by column, and puts in what it counts for after a correction.
pub(super) fn replace(
    columns: &mut [ColumnReport],
    number: i64,
    (old_cells, old): (&[String], &ReadRow),
    (new_cells, new): (&[String], &ReadRow),
) {
    let n_filled =
        |cells: &[String], at: usize| u64::from(cells.get(at).is_some_and(|cell| !cell.is_empty()));
    for (at, report) in columns.iter_mut().enumerate() {
        report.n_filled = (report.n_filled + n_filled(new_cells, at)).saturating_sub(n_filled(old_cells, at));
        let of_column = |read: &ReadRow| read.errors.iter().filter(|(it, _)| *it == Some(at)).count() as u64;
        report.n_errors = (report.n_errors + of_column(new)).saturating_sub(of_column(old));
        report.examples.retain(|(row, _)| *row != number);
        let texts = new.errors.iter().filter(|(it, _)| *it == Some(at));
        report
            .examples
            .extend(texts.map(|(_, text)| (number, text.clone())));
        report.examples.sort_by_key(|(row, _)| *row);
        report.examples.truncate(EXAMPLES);
    }
}

/// Reads what is left of the file, storing as it goes. Returns how many rows.
pub(super) async fn all(context: &Arc<Context>, mut import: Import) -> Result<usize, EngineError> {
    let Some(reader) = Reader::of(context, &import).await? else {
        return fail(context, import, "Подключение удалено, выберите другое").await;
    };
    let limits = context.settings.import_limits;
    let (send, mut receive) = mpsc::channel::<Batch>(2);
    let file = folder::path(context, import.id);
    let begin_after = import
        .position
        .max(i64::try_from(import.plan.header_row).unwrap_or_default());
    let reading = tokio::task::spawn_blocking(move || {
        let plan = &reader.plan;
        let mut batch = Batch::new(plan.names.len());
        importer::read(&file, plan.inspection.format, &plan.sheet, limits, &mut |it| {
            let number = i64::try_from(it.number).unwrap_or(i64::MAX);
            if number <= begin_after {
                return ControlFlow::Continue(());
            }
            let cells = plan.cut(it.cells.iter().map(importer::Cell::show).collect());
            let mut read = reader.read(&cells);
            batch.report(number, &cells, &mut read, &plan.names);
            batch.rows.push(row(number, cells, read));
            if batch.rows.len() < BATCH {
                return ControlFlow::Continue(());
            }
            let full = std::mem::replace(&mut batch, Batch::new(plan.names.len()));
            match send.blocking_send(full) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        // Nobody listens any more when the import was given up meanwhile.
        let _given_up = send.blocking_send(batch);
        Ok(())
    });
    let mut n_rows = 0;
    while let Some(batch) = receive.recv().await {
        n_rows += batch.rows.len();
        store(context, &mut import, batch).await?;
    }
    let outcome: Result<(), importer::ImportError> = reading
        .await
        .unwrap_or_else(|error| Err(importer::ImportError::Io(std::io::Error::other(error))));
    match outcome {
        Ok(()) => {
            import.state = ImportState::Checked;
            imports::save(&context.db, &mut import).await?;
            Ok(n_rows + 1)
        }
        Err(error) => fail(context, import, &error.to_string()).await,
    }
}

async fn fail(context: &Context, mut import: Import, reason: &str) -> Result<usize, EngineError> {
    import.state = ImportState::Failed;
    import.error = Some(reason.to_owned());
    imports::save(&context.db, &mut import).await?;
    Ok(1)
}

async fn store(context: &Context, import: &mut Import, mut batch: Batch) -> Result<(), EngineError> {
    let tx = context.db.begin().await?;
    mark_duplicates(&tx, import, &mut batch.rows).await?;
    import_rows::insert(&tx, import.workspace, import.id, &batch.rows).await?;
    point!(ImportRows);
    import.n_rows += batch.rows.len() as i64;
    import.position = batch.rows.last().map_or(import.position, |row| row.number);
    let columns = &mut import.plan.stats.columns;
    columns.resize(import.plan.names.len(), ColumnReport::default());
    for (known, new) in columns.iter_mut().zip(batch.reports) {
        known.n_filled += new.n_filled;
        known.n_errors += new.n_errors;
        known.examples.extend(new.examples);
        known.examples.truncate(EXAMPLES);
    }
    imports::save(&tx, import).await?;
    tx.commit().await?;
    point!(ImportRead);
    Ok(())
}

/// Marks good rows about somebody who stands in an earlier row or import; what then happens to them is the
/// person's choice.
pub(super) async fn mark_duplicates(
    tx: &Tx,
    import: &mut Import,
    rows: &mut [ImportRow],
) -> Result<(), EngineError> {
    let keys: Vec<&str> = rows.iter().filter_map(|row| row.key.as_deref()).collect();
    let known = import_rows::known_keys(tx, import.workspace, &keys).await?;
    let mut seen: HashMap<String, (ImportId, i64)> = HashMap::with_capacity(rows.len());
    for (key, of, number) in known {
        // A row is not its own duplicate when it is checked again.
        if of == import.id && rows.iter().any(|row| row.number == number) {
            continue;
        }
        let place = seen.entry(key).or_insert((of, number));
        if of == import.id {
            *place = (of, number);
        }
    }
    let (id, skips) = (import.id, import.plan.duplicates == Duplicates::Skip);
    for row in rows.iter_mut().filter(|row| row.state == RowState::Accepted) {
        let Some(key) = row.key.clone() else { continue };
        let Some((of, number)) = seen.get(&key).copied() else {
            seen.insert(key, (id, row.number));
            continue;
        };
        row.error = Some(if of == id {
            import.plan.stats.n_in_file += 1;
            format!("повторяет строку {number}")
        } else {
            import.plan.stats.n_earlier += 1;
            "уже есть в одной из прежних загрузок".to_owned()
        });
        if skips {
            row.state = RowState::Duplicate;
        }
    }
    Ok(())
}

impl Batch {
    fn new(n_columns: usize) -> Self {
        Self {
            rows: Vec::with_capacity(BATCH),
            reports: vec![ColumnReport::default(); n_columns],
        }
    }

    /// Counts a row by column, and puts the names of the columns before the reasons.
    fn report(&mut self, number: i64, cells: &[String], read: &mut ReadRow, names: &[String]) {
        for (report, cell) in self.reports.iter_mut().zip(cells) {
            report.n_filled += u64::from(!cell.is_empty());
        }
        for (at, text) in &mut read.errors {
            let Some(at) = *at else { continue };
            let report = &mut self.reports[at];
            report.n_errors += 1;
            if report.examples.len() < EXAMPLES {
                report.examples.push((number, text.clone()));
            }
            *text = format!("{}: {text}", names[at]);
        }
    }
}
