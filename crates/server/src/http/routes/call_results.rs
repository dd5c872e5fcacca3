//! Results of calls: the table, intake by hand and by scripts, files of it, settings.

use crate::http::access::{FileEditor, Owner, RuleEditor, Viewer};
use crate::http::convert::files as convert;
use crate::http::download::{self, CSV, XLSX};
use crate::http::extract::{Of, RequestKey, page};
use crate::http::problem::Problem;
use actix_web::{HttpResponse, get, patch, post, put, web};
use api::Page;
use api::call::{
    AddedCallResult, CallFigure, CallQuery, CallResultView, CallSettingsView, CreateCallRule,
    CreatedCallRule, ExportFormat, NewCallResult, ResentCallResults, SetCallResult,
};
use api::problem::ProblemType;
use domain::connection::ConnectorKind;
use domain::field::FieldPath;
use domain::id::{CallResultId, ConnectionId};
use domain::time::{Timestamp, Zone};
use engine::calls::{Heard, ReadyRule};
use futures::TryStreamExt;
use storage::{call_results, connections};
use uuid::Uuid;

/// List results of calls
///
/// By filter and in an order, newest first by default; the cursor belongs to the order.
#[utoipa::path(tag = "Результаты прозвонов", params(CallQuery), responses((status = 200, body = Page<CallResultView>)))]
#[get("/call-results")]
pub async fn list_call_results(
    access: Viewer,
    query: web::Query<CallQuery>,
) -> Result<web::Json<Page<CallResultView>>, Problem> {
    let limit = page(None, query.limit)?.limit;
    let after = query.cursor.as_deref().map(place).transpose()?;
    let order = convert::call_order(query.order);
    let filter = convert::call_filter(&query);
    let mut rows = call_results::list(access.db(), access.workspace(), &filter, order, after, limit).await?;
    let more = rows.len() as u64 == limit;
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|row| {
        let (place, id) = order.place(row);
        format!("{place}_{id}")
    });
    Ok(web::Json(Page {
        items: rows.into_iter().map(convert::call_result).collect(),
        next,
    }))
}

fn place(cursor: &str) -> Result<(i64, Uuid), Problem> {
    let parsed = cursor
        .split_once('_')
        .and_then(|(place, id)| Some((place.parse().ok()?, id.parse().ok()?)));
    parsed.ok_or_else(|| {
        Problem::new(
            ProblemType::BadRequest,
            "Параметр cursor должен быть взят из поля next предыдущей страницы",
        )
    })
}

/// Add a result of a call
///
/// By hand or by a script. A call that the hub knows already (by its id, or by phone, time and length) is
/// completed and answered with `is_new: false`.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 201, body = AddedCallResult)))]
#[post("/call-results")]
pub async fn add_call_result(
    access: FileEditor,
    key: RequestKey,
    form: web::Json<NewCallResult>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let heard = heard(&access, &form).await?;
        let kept = access.calls().add(access.workspace(), heard).await?;
        access
            .record("call_result.added", "call_result", kept.result.id, None)
            .await?;
        Ok(AddedCallResult {
            result: convert::call_result(kept.result),
            is_new: kept.is_new,
        })
    };
    access.once("add_call_result", key, &*form, work).await
}

async fn heard(access: &FileEditor, form: &NewCallResult) -> Result<Heard, Problem> {
    let text = |value: &Option<String>| {
        let value = value.as_deref().map(str::trim).unwrap_or_default();
        (!value.is_empty()).then(|| value.to_owned())
    };
    if let Some(address) = text(&form.recording)
        && !address.starts_with("https://")
    {
        return Err(Problem::invalid(
            "/recording",
            "invalid",
            "Адрес записи должен начинаться с https://",
        ));
    }
    Ok(Heard {
        connection: connection(access, form.connection_id).await?,
        key: text(&form.call_id),
        at: form.at.map_or_else(|| access.now(), Timestamp),
        phone: text(&form.phone),
        contact: text(&form.contact),
        result: text(&form.result),
        duration: form.duration.map(i64::from),
        direction: form.direction.map(|it| it.as_str().to_owned()),
        disposition: None,
        comment: text(&form.comment),
        operator: text(&form.operator),
        recording: text(&form.recording),
        source: if access.is_person() { "manual" } else { "api" },
        lead: text(&form.lead_id).map(|id| id.as_str().into()),
        chain: 0,
    })
}

async fn connection(access: &FileEditor, wanted: Option<ConnectionId>) -> Result<ConnectionId, Problem> {
    if let Some(wanted) = wanted {
        return Ok(wanted);
    }
    let all = connections::list(access.db(), access.workspace()).await?;
    let first = all
        .iter()
        .find(|it| it.kind == ConnectorKind::Lptracker)
        .or(all.first());
    first.map(|it| it.id).ok_or_else(|| {
        Problem::invalid(
            "/connection_id",
            "missing",
            "Сначала подключите LPTracker или amoCRM",
        )
    })
}

/// Get a result of a call
///
/// Whichever way it came; the address of its recording is never shown.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 200, body = CallResultView)))]
#[get("/call-results/{call}")]
pub async fn get_call_result(
    access: Viewer,
    Of(id): Of<CallResultId>,
) -> Result<web::Json<CallResultView>, Problem> {
    let row = call_results::find(access.db(), access.workspace(), id).await?;
    Ok(web::Json(convert::call_result(row)))
}

/// Give a call its result
///
/// The rules hear of it when it is another one than before.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 200, body = CallResultView)))]
#[patch("/call-results/{call}")]
pub async fn set_call_result(
    access: FileEditor,
    Of(id): Of<CallResultId>,
    form: web::Json<SetCallResult>,
) -> Result<web::Json<CallResultView>, Problem> {
    let comment = form.comment.as_deref();
    access
        .calls()
        .set_result(access.workspace(), id, &form.result, comment)
        .await?;
    access
        .record("call_result.changed", "call_result", id, None)
        .await?;
    let row = call_results::find(access.db(), access.workspace(), id).await?;
    Ok(web::Json(convert::call_result(row)))
}

/// Send a result again
///
/// One that did not arrive. What stopped goes on where it stopped, so nothing is written twice.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 200, body = CallResultView)))]
#[post("/call-results/{call}/resend")]
pub async fn resend_call_result(
    access: FileEditor,
    Of(id): Of<CallResultId>,
) -> Result<web::Json<CallResultView>, Problem> {
    access
        .calls()
        .resend(access.workspace(), access.actor(), id)
        .await?;
    access
        .record("call_result.resent", "call_result", id, None)
        .await?;
    let row = call_results::find(access.db(), access.workspace(), id).await?;
    Ok(web::Json(convert::call_result(row)))
}

/// Send many results again
///
/// Everything under the filter that has not arrived and is not on its way.
#[utoipa::path(tag = "Результаты прозвонов", params(CallQuery), responses((status = 200, body = ResentCallResults)))]
#[post("/call-results/resend")]
pub async fn resend_call_results(
    access: FileEditor,
    query: web::Query<CallQuery>,
) -> Result<web::Json<ResentCallResults>, Problem> {
    let filter = convert::call_filter(&query);
    let n_sent = access
        .calls()
        .resend_all(access.workspace(), access.actor(), &filter)
        .await?;
    let about = serde_json::json!({ "n_sent": n_sent });
    access
        .record(
            "call_results.resent",
            "workspace",
            access.workspace(),
            Some(about),
        )
        .await?;
    Ok(web::Json(ResentCallResults {
        n_sent: n_sent as u64,
    }))
}

/// Download results of calls
///
/// Exactly what the filter finds, as XLSX or CSV.
#[utoipa::path(tag = "Результаты прозвонов", params(CallQuery),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
#[get("/call-results/export")]
pub async fn export_call_results(
    access: Viewer,
    query: web::Query<CallQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, order) = (convert::call_filter(&query), convert::call_order(query.order));
    if query.format.unwrap_or(ExportFormat::Xlsx) == ExportFormat::Xlsx {
        let path = access.calls_workbook(&filter, order).await?;
        return download::made_file(&path, "Результаты прозвонов.xlsx", XLSX).await;
    }
    let lines = access.calls_reader().lines(filter, order, access.zone().await?);
    let pieces = lines
        .map_ok(bytes::Bytes::from)
        .map_err(|error| Problem::from(error).into());
    Ok(download::saved_as("Результаты прозвонов.csv", CSV, pieces))
}

/// Count results of calls by day, result and operator
///
/// For the chart; days are those of the workspace's zone.
#[utoipa::path(tag = "Результаты прозвонов", params(CallQuery), responses((status = 200, body = Vec<CallFigure>)))]
#[get("/call-results/figures")]
pub async fn count_call_results(
    access: Viewer,
    query: web::Query<CallQuery>,
) -> Result<web::Json<Vec<CallFigure>>, Problem> {
    let zone = access.zone().await?;
    let offset_ms = i64::from(zone.offset_secs(query.to.map_or_else(|| access.now(), Timestamp))) * 1000;
    let filter = convert::call_filter(&query);
    let figures = call_results::figures(access.db(), access.workspace(), &filter, offset_ms).await?;
    let shown = figures.into_iter().map(|figure| CallFigure {
        day: day(figure.day),
        result: figure.result,
        operator: figure.operator,
        n: u64::try_from(figure.n).unwrap_or(0),
    });
    Ok(web::Json(shown.collect()))
}

/// A day by its number since 1970.
fn day(number: i64) -> String {
    let start = Timestamp(number.saturating_mul(86_400_000));
    let utc = Zone {
        name: "UTC".to_owned(),
        base_offset_secs: 0,
        transitions: Vec::new(),
    };
    let day = domain::calendar::local(start, &utc);
    day.map(|day| day.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// Create the ready rule for results
///
/// A draft that writes status, field and a note of the call with its recording into the linked deal. It acts once it
/// is published.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 201, body = CreatedCallRule)))]
#[post("/call-results/rule")]
pub async fn create_call_rule(
    access: RuleEditor,
    key: RequestKey,
    form: web::Json<CreateCallRule>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let field = form.field.as_deref().map(str::parse::<FieldPath>).transpose();
        let field = field.map_err(|error| Problem::invalid("/field", "unknown-field", error.to_string()))?;
        for id in [form.source_id, form.amocrm_id] {
            connections::find(access.db(), access.workspace(), id).await?;
        }
        let wanted = ReadyRule {
            source: form.source_id,
            amocrm: form.amocrm_id,
            results: form.results.clone(),
            stage: form.stage,
            field: field.map(|path| path.key),
        };
        let made = access
            .rules()
            .create(access.workspace(), access.actor(), &wanted.document())
            .await?;
        Ok(CreatedCallRule { rule_id: made.id })
    };
    access.once("create_call_rule", key, &*form, work).await
}

/// Get the settings of results
///
/// The words of results, and which steps and dispositions mean which.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 200, body = CallSettingsView)))]
#[get("/call-settings")]
pub async fn get_call_settings(access: Viewer) -> Result<web::Json<CallSettingsView>, Problem> {
    Ok(web::Json(convert::call_settings(access.call_settings().await?)))
}

/// Save the settings of results
///
/// Calls that came before stay as they are.
#[utoipa::path(tag = "Результаты прозвонов", responses((status = 200, body = CallSettingsView)))]
#[put("/call-settings")]
pub async fn save_call_settings(
    access: Owner,
    form: web::Json<CallSettingsView>,
) -> Result<web::Json<CallSettingsView>, Problem> {
    let wanted = convert::stored_call_settings(form.into_inner());
    access
        .calls()
        .save_settings(access.workspace(), access.actor(), &wanted)
        .await?;
    Ok(web::Json(convert::call_settings(wanted)))
}
