//! Files.

use api::Page;
use api::import::{
    DescribeImport, EditImportRow, ImportRowQuery, ImportRowView, ImportSummary, ImportView, RowState,
    UploadedFiles,
};
use domain::id::ImportId;
use web_sys::FormData;

use super::client::{Request, delete, get, post, put};
use crate::filters::query;

/// Imports, newest first.
pub fn list_imports(cursor: Option<String>) -> Request<Page<ImportSummary>> {
    get(format!(
        "/imports{}",
        query([("cursor", cursor.unwrap_or_default())])
    ))
    .answers()
}

/// Uploads the files of a form.
pub fn upload_files(form: FormData) -> Request<UploadedFiles> {
    post("/imports").files(form).once().answers()
}

/// One import.
pub fn get_import(id: ImportId) -> Request<ImportView> {
    get(format!("/imports/{id}")).answers()
}

/// Says what is to be done with a file.
pub fn describe_import(id: ImportId, form: &DescribeImport) -> Request<ImportView> {
    put(format!("/imports/{id}")).json(form).answers()
}

/// `check`, `start`, `pause`, `resume` or `cancel`.
pub fn act_on_import(id: ImportId, verb: &'static str) -> Request<ImportView> {
    post(format!("/imports/{id}/{verb}")).answers()
}

/// Takes an import out of the history.
pub fn delete_import(id: ImportId) -> Request<()> {
    delete(format!("/imports/{id}")).done()
}

/// Rows of an import in the order of the sheet.
pub fn list_import_rows(id: ImportId, wanted: &ImportRowQuery) -> Request<Page<ImportRowView>> {
    let address = query([
        (
            "state",
            wanted.state.map(RowState::as_str).unwrap_or_default().to_owned(),
        ),
        ("cursor", wanted.cursor.clone().unwrap_or_default()),
        ("limit", wanted.limit.map(|n| n.to_string()).unwrap_or_default()),
    ]);
    get(format!("/imports/{id}/rows{address}")).answers()
}

/// Corrects a row that was not handed over.
pub fn edit_import_row(id: ImportId, number: i64, form: &EditImportRow) -> Request<ImportRowView> {
    put(format!("/imports/{id}/rows/{number}")).json(form).answers()
}
