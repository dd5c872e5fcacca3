//! Imports and results of calls as the API shows them.

use crate::http::problem::Problem;
use api::call::{
    CallDirection, CallOrder, CallQuery, CallResultView, CallSettingsView, CallSource, DispositionResult,
    StepResult, SyncState,
};
use api::import::{
    CellProblem, DescribeImport, DuplicatePolicy, ImportColumn, ImportPlace, ImportPurpose, ImportRowView,
    ImportSheet, ImportState, ImportSummary, ImportView, RowCounts, RowState,
};
use domain::field::FieldPath;
use domain::time::Timestamp;
use engine::calls::{CallSettings, ResultOf};
use engine::imports::{Duplicates, FileFormat, Import, Place, Purpose, Wish};
use storage::call_results::{CallFilter, CallResult, Order};
use storage::{import_rows, imports};

/// Where an import stands.
fn import_state(state: imports::ImportState) -> ImportState {
    ImportState::parse(state.as_str()).unwrap_or(ImportState::Failed)
}

/// Where a row stands.
fn row_state(state: import_rows::RowState) -> RowState {
    RowState::parse(state.as_str()).unwrap_or(RowState::Failed)
}

/// The stored word of a state that is asked for.
pub fn stored_row_state(state: RowState) -> Option<import_rows::RowState> {
    import_rows::RowState::parse(state.as_str())
}

fn counts(counts: &[(import_rows::RowState, i64)]) -> RowCounts {
    use import_rows::RowState as S;
    let of = |state: S| {
        let found = counts.iter().find(|(it, _)| *it == state);
        found.map_or(0, |(_, n)| u64::try_from(*n).unwrap_or(0))
    };
    RowCounts {
        n_accepted: of(S::Accepted),
        n_queued: of(S::Queued),
        n_done: of(S::Done),
        n_duplicate: of(S::Duplicate),
        n_skipped: of(S::Skipped),
        n_failed: of(S::Failed),
    }
}

/// An import in the list.
pub fn import_summary(import: &Import, rows: &[(import_rows::RowState, i64)]) -> ImportSummary {
    ImportSummary {
        id: import.id,
        name: import.name.clone(),
        purpose: ImportPurpose::parse(&import.purpose).unwrap_or(ImportPurpose::Contacts),
        state: import_state(import.state),
        n_rows: import.n_rows,
        counts: counts(rows),
        error: import.error.clone(),
        created_at: import.created_at,
        started_at: import.started_at,
        finished_at: import.finished_at,
    }
}

/// An import with its columns.
pub fn import_view(
    summary: ImportSummary,
    import: &Import,
    fields: &[FieldPath],
    n_known: i64,
) -> ImportView {
    let plan = &import.plan;
    let columns = plan.names.iter().enumerate().map(|(at, name)| {
        let report = plan.stats.columns.get(at).cloned().unwrap_or_default();
        ImportColumn {
            name: name.clone(),
            field: plan
                .columns
                .get(at)
                .copied()
                .flatten()
                .map(|path| path.to_string()),
            samples: plan
                .samples
                .iter()
                .take(5)
                .map(|row| row.get(at).cloned().unwrap_or_default())
                .collect(),
            n_filled: report.n_filled,
            n_errors: report.n_errors,
            examples: report
                .examples
                .into_iter()
                .map(|(row, text)| CellProblem { row, text })
                .collect(),
        }
    });
    let sheets = plan.inspection.sheets.iter().map(|sheet| ImportSheet {
        name: sheet.name.clone(),
        is_hidden: sheet.is_hidden,
    });
    ImportView {
        summary,
        format: format_title(plan.inspection.format),
        sheets: sheets.collect(),
        sheet: plan.sheet.clone(),
        header_row: plan.header_row,
        columns: columns.collect(),
        connection_id: plan.connection,
        place: plan.place.map(|place| ImportPlace {
            stage: place.stage,
            responsible: place.responsible,
        }),
        duplicates: DuplicatePolicy::parse(plan.duplicates.as_str()).unwrap_or(DuplicatePolicy::Skip),
        rule_id: import.rule,
        n_in_file: plan.stats.n_in_file,
        n_earlier: plan.stats.n_earlier,
        n_known: u64::try_from(n_known).unwrap_or(0),
        fields: fields.iter().map(ToString::to_string).collect(),
    }
}

fn format_title(format: FileFormat) -> String {
    match format {
        FileFormat::Xlsx => "XLSX".to_owned(),
        FileFormat::Xls => "XLS".to_owned(),
        FileFormat::Ods => "ODS".to_owned(),
        FileFormat::Csv { is_cp1251: true, .. } => "CSV, Windows-1251".to_owned(),
        FileFormat::Csv { .. } => "CSV, UTF-8".to_owned(),
    }
}

/// What a person wants done with a file.
pub fn wish(form: &DescribeImport) -> Result<Wish, Problem> {
    let column = |(at, name): (usize, &Option<String>)| {
        let path = name.as_deref().map(str::parse::<FieldPath>).transpose();
        path.map_err(|error| Problem::invalid(format!("/columns/{at}"), "unknown-field", error.to_string()))
    };
    let columns = form
        .columns
        .as_ref()
        .map(|columns| columns.iter().enumerate().map(column).collect());
    Ok(Wish {
        purpose: match form.purpose {
            ImportPurpose::Contacts => Purpose::Contacts,
            ImportPurpose::Calls => Purpose::Calls,
        },
        sheet: form.sheet.clone(),
        connection: form.connection_id,
        columns: columns.transpose()?,
        place: form.place.map(|place| Place {
            stage: place.stage,
            responsible: place.responsible,
        }),
        duplicates: match form.duplicates {
            DuplicatePolicy::Skip => Duplicates::Skip,
            DuplicatePolicy::Update => Duplicates::Update,
            DuplicatePolicy::Merge => Duplicates::Merge,
            DuplicatePolicy::Create => Duplicates::Create,
        },
    })
}

/// A row of a file.
pub fn import_row(row: import_rows::ImportRow) -> ImportRowView {
    ImportRowView {
        number: row.number,
        state: row_state(row.state),
        cells: row.cells,
        error: row.error,
        event_id: row.event,
    }
}

/// A result of a call; the address of the recording stays here.
pub fn call_result(it: CallResult) -> CallResultView {
    CallResultView {
        can_resend: it.sync != "synced" && it.result.is_some() && (it.event.is_none() || it.is_settled),
        has_recording: it.recording.as_deref().is_some_and(|address| !address.is_empty()),
        source: CallSource::parse(&it.source).unwrap_or(CallSource::Manual),
        sync: SyncState::parse(&it.sync).unwrap_or(SyncState::Pending),
        direction: it.direction.as_deref().and_then(CallDirection::parse),
        id: it.id,
        connection_id: it.connection,
        call_id: it.call_key,
        at: it.at,
        phone: it.phone,
        contact: it.contact,
        result: it.result,
        duration: it.duration,
        disposition: it.disposition,
        comment: it.comment,
        operator: it.operator,
        lead_id: it.lead.map(|id| id.0),
        deal_id: it.deal.map(|id| id.0),
        event_id: it.event,
        sync_error: it.sync_error,
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}

/// Which results are wanted.
pub fn call_filter(query: &CallQuery) -> CallFilter {
    let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    CallFilter {
        result: text(&query.result),
        sync: query.sync.map(|it| it.as_str().to_owned()),
        source: query.source.map(|it| it.as_str().to_owned()),
        operator: text(&query.operator),
        from: query.from.map(Timestamp),
        to: query.to.map(Timestamp),
        text: text(&query.text),
    }
}

/// In which order.
pub fn call_order(order: Option<CallOrder>) -> Order {
    match order.unwrap_or(CallOrder::Newest) {
        CallOrder::Newest => Order::Newest,
        CallOrder::Oldest => Order::Oldest,
        CallOrder::Longest => Order::Longest,
        CallOrder::Shortest => Order::Shortest,
    }
}

/// How calls become results.
pub fn call_settings(it: CallSettings) -> CallSettingsView {
    let steps = it.steps.into_iter().map(|step| StepResult {
        stage: step.from,
        result: step.result,
    });
    let dispositions = it.dispositions.into_iter().map(|it| DispositionResult {
        disposition: it.from,
        result: it.result,
    });
    CallSettingsView {
        results: it.results,
        steps: steps.collect(),
        dispositions: dispositions.collect(),
    }
}

/// The same the other way round.
pub fn stored_call_settings(it: CallSettingsView) -> CallSettings {
    let steps = it.steps.into_iter().map(|step| ResultOf {
        from: step.stage,
        result: step.result,
    });
    let dispositions = it.dispositions.into_iter().map(|it| ResultOf {
        from: it.disposition,
        result: it.result,
    });
    CallSettings {
        results: it.results,
        steps: steps.collect(),
        dispositions: dispositions.collect(),
    }
}
