//! Files: upload, columns, check, start, progress, what failed.

use crate::http::access::{Access, FileEditor, Viewer};
use crate::http::convert::files as convert;
use crate::http::download::{self, XLSX};
use crate::http::extract::{Of, RequestKey, RowNumber, page, paged};
use crate::http::problem::Problem;
use crate::http::upload;
use actix_multipart::Multipart;
use actix_web::{HttpResponse, delete, get, post, put, web};
use api::Page;
use api::import::{
    DescribeImport, EditImportRow, ImportRowQuery, ImportRowView, ImportState, ImportSummary, ImportView,
    UploadForm, UploadedFile, UploadedFiles,
};
use api::page::PageQuery;
use api::problem::ProblemType;
use domain::id::ImportId;
use engine::EngineError;
use engine::imports::Import;
use storage::{import_rows, imports};

/// List imports
///
/// Newest first.
#[utoipa::path(tag = "Загрузка файлов", params(PageQuery), responses((status = 200, body = Page<ImportSummary>)))]
#[get("/imports")]
pub async fn list_imports(
    access: Viewer,
    query: web::Query<PageQuery>,
) -> Result<web::Json<Page<ImportSummary>>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let rows: Vec<Import> = imports::list(access.db(), access.workspace(), wanted).await?;
    let mut summaries = Vec::with_capacity(rows.len());
    for import in &rows {
        summaries.push(convert::import_summary(import, &access.row_counts(import).await?));
    }
    Ok(web::Json(paged(summaries, wanted, |it| it.id.0, |it| it)))
}

/// Upload files
///
/// XLSX, XLS, ODS or CSV, one or several in a form; what they are is decided by their content. Each is answered
/// with its import, or with why it was not taken. Nothing is sent anywhere before the import is started.
#[utoipa::path(tag = "Загрузка файлов",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = UploadedFiles)))]
#[post("/imports")]
pub async fn upload_files(
    access: FileEditor,
    key: RequestKey,
    form: Multipart,
) -> Result<HttpResponse, Problem> {
    let imports = access.imports();
    let files = upload::receive(&imports, imports.limits(), form).await?;
    let work = async {
        let mut items = Vec::with_capacity(files.len());
        for file in &files {
            let name = file.name.clone();
            let taken = imports.begin(access.workspace(), &file.name, &file.path).await;
            let (import, error) = match taken {
                Ok(import) => {
                    access
                        .record("import.uploaded", "import", import.id, None)
                        .await?;
                    (Some(view(&access, &import).await?), None)
                }
                Err(EngineError::File(error)) => (None, Some(error.to_string())),
                Err(error) => return Err(error.into()),
            };
            items.push(UploadedFile { name, import, error });
        }
        if items.iter().all(|item| item.import.is_none()) {
            return Err(refused(&items));
        }
        Ok(UploadedFiles { items })
    };
    access.once("upload_files", key, &files, work).await
}

fn refused(items: &[UploadedFile]) -> Problem {
    let errors = items.iter().enumerate().map(|(at, item)| api::FieldProblem {
        pointer: format!("/file/{at}"),
        code: "unreadable".to_owned(),
        detail: format!("{}: {}", item.name, item.error.clone().unwrap_or_default()),
    });
    let problem = api::Problem::new(
        ProblemType::Invalid,
        "Файл не принят: исправьте его и загрузите снова",
    );
    problem.with_errors(errors.collect()).into()
}

/// Get an import
///
/// With its columns, what they mean, what the check found, and how many rows are where.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[get("/imports/{import}")]
pub async fn get_import(access: Viewer, Of(id): Of<ImportId>) -> Result<web::Json<ImportView>, Problem> {
    Ok(web::Json(view(&access, &access.import(id).await?).await?))
}

/// Describe an import
///
/// What its rows and columns are and where they go. What was checked before is forgotten.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[put("/imports/{import}")]
pub async fn describe_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
    form: web::Json<DescribeImport>,
) -> Result<web::Json<ImportView>, Problem> {
    let wish = convert::wish(&form)?;
    let import = access.imports().describe(access.workspace(), id, wish).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// Delete an import
///
/// One that is not under way, with its rows. What it made in the CRMs stays.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 204)))]
#[delete("/imports/{import}")]
pub async fn delete_import(access: FileEditor, Of(id): Of<ImportId>) -> Result<HttpResponse, Problem> {
    access.imports().delete(access.workspace(), id).await?;
    access.record("import.deleted", "import", id, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Check an import
///
/// Begins to read every row. The mapping is remembered for files with the same header.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[post("/imports/{import}/check")]
pub async fn check_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
) -> Result<web::Json<ImportView>, Problem> {
    let import = access.imports().check(access.workspace(), id).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// Start an import
///
/// Its good rows go to the rules, or into the chosen place through a rule that stands among the others.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[post("/imports/{import}/start")]
pub async fn start_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
) -> Result<web::Json<ImportView>, Problem> {
    let import = access
        .imports()
        .start(access.workspace(), access.actor(), id)
        .await?;
    access.record("import.started", "import", id, None).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// Pause an import
///
/// Nothing more is handed over; what was handed over goes on.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[post("/imports/{import}/pause")]
pub async fn pause_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
) -> Result<web::Json<ImportView>, Problem> {
    let import = access.imports().pause(access.workspace(), id).await?;
    access.record("import.paused", "import", id, None).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// Resume an import
///
/// Goes on with the rows that wait.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[post("/imports/{import}/resume")]
pub async fn resume_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
) -> Result<web::Json<ImportView>, Problem> {
    let import = access.imports().resume(access.workspace(), id).await?;
    access.record("import.resumed", "import", id, None).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// Cancel an import
///
/// Rows that were not handed over yet are skipped.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportView)))]
#[post("/imports/{import}/cancel")]
pub async fn cancel_import(
    access: FileEditor,
    Of(id): Of<ImportId>,
) -> Result<web::Json<ImportView>, Problem> {
    let import = access.imports().cancel(access.workspace(), id).await?;
    access.record("import.cancelled", "import", id, None).await?;
    Ok(web::Json(view(&access, &import).await?))
}

/// List the rows of an import
///
/// In the order of the sheet.
#[utoipa::path(tag = "Загрузка файлов", params(ImportRowQuery), responses((status = 200, body = Page<ImportRowView>)))]
#[get("/imports/{import}/rows")]
pub async fn list_import_rows(
    access: Viewer,
    Of(id): Of<ImportId>,
    query: web::Query<ImportRowQuery>,
) -> Result<web::Json<Page<ImportRowView>>, Problem> {
    let import = access.import(id).await?;
    let wanted = page(None, query.limit)?;
    let after = query.cursor.as_deref().map_or(Ok(0), str::parse).map_err(|_| {
        Problem::new(
            ProblemType::BadRequest,
            "Параметр cursor должен быть взят из поля next предыдущей страницы",
        )
    })?;
    let state = query.state.and_then(convert::stored_row_state);
    let mut rows = import_rows::list(
        access.db(),
        access.workspace(),
        import.id,
        state,
        after,
        wanted.limit,
    )
    .await?;
    let more = rows.len() as u64 == wanted.limit;
    if more {
        rows.pop();
    }
    Ok(web::Json(Page {
        next: rows.last().filter(|_| more).map(|row| row.number.to_string()),
        items: rows.into_iter().map(convert::import_row).collect(),
    }))
}

/// Edit a row of an import
///
/// Of a checked import that was not started; the row is checked anew.
#[utoipa::path(tag = "Загрузка файлов", responses((status = 200, body = ImportRowView)))]
#[put("/imports/{import}/rows/{row}")]
pub async fn edit_import_row(
    access: FileEditor,
    Of(id): Of<ImportId>,
    Of(row): Of<RowNumber>,
    form: web::Json<EditImportRow>,
) -> Result<web::Json<ImportRowView>, Problem> {
    let cells = form.into_inner().cells;
    let row = access
        .imports()
        .edit_row(access.workspace(), id, row.0, cells)
        .await?;
    Ok(web::Json(convert::import_row(row)))
}

/// Download the failed rows of an import
///
/// A workbook with the columns of the file and one with the reasons; corrected, it can be uploaded again.
#[utoipa::path(tag = "Загрузка файлов",
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Vec<u8>)))]
#[get("/imports/{import}/failed-rows")]
pub async fn download_failed_rows(access: Viewer, Of(id): Of<ImportId>) -> Result<HttpResponse, Problem> {
    let import = access.import(id).await?;
    let stem = import
        .name
        .rsplit_once('.')
        .map_or(import.name.as_str(), |(stem, _)| stem);
    let path = access.failed_rows(id).await?;
    download::made_file(&path, &format!("{stem} — ошибки.xlsx"), XLSX).await
}

async fn view<P>(access: &Access<P>, import: &Import) -> Result<ImportView, Problem> {
    let summary = convert::import_summary(import, &access.row_counts(import).await?);
    let n_known = match summary.state {
        ImportState::Checked => access.known_rows(import).await?,
        _ => 0,
    };
    let fields = access.import_fields(import).await?;
    Ok(convert::import_view(summary, import, &fields, n_known))
}
