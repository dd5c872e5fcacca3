//! Exactly what is filtered, as a file, read in pages.

use super::Calls;
use crate::context::Context;
use crate::error::EngineError;
use crate::imports::blocking;
use domain::id::WorkspaceId;
use domain::time::Zone;
use futures::future;
use futures::stream::{self, Stream, StreamExt};
use std::path::PathBuf;
use std::sync::Arc;
use storage::call_results::{self, CallFilter, CallResult, Order};

/// Rows read at once.
const PAGE: u64 = 1000;

const HEADER: [&str; 13] = [
    "Дата и время",
    "Телефон",
    "Контакт",
    "Результат",
    "Длительность, с",
    "Направление",
    "Комментарий",
    "Оператор",
    "Источник",
    "Синхронизация",
    "Ошибка",
    "ID лида",
    "ID сделки",
];

fn header() -> Vec<String> {
    HEADER.map(str::to_owned).to_vec()
}

fn cells(it: &CallResult, zone: &Zone) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let id =
        |value: &Option<domain::record::RecordId>| value.as_ref().map(|id| id.0.clone()).unwrap_or_default();
    let at = domain::calendar::local(it.at, zone);
    vec![
        at.map(|at| at.format("%d.%m.%Y %H:%M:%S").to_string())
            .unwrap_or_default(),
        text(&it.phone),
        text(&it.contact),
        text(&it.result),
        it.duration.map(|secs| secs.to_string()).unwrap_or_default(),
        match it.direction.as_deref() {
            Some("incoming") => "Входящий".to_owned(),
            Some("outgoing") => "Исходящий".to_owned(),
            _ => String::new(),
        },
        text(&it.comment),
        text(&it.operator),
        match it.source.as_str() {
            "webhook" => "Вебхук LPTracker",
            "poll" => "Опрос LPTracker",
            "import" => "Файл",
            "api" => "API",
            "rule" => "Правило",
            _ => "Вручную",
        }
        .to_owned(),
        match it.sync.as_str() {
            "synced" => "Синхронизировано",
            "failed" => "Ошибка",
            _ => "Ожидает",
        }
        .to_owned(),
        text(&it.sync_error),
        id(&it.lead),
        id(&it.deal),
    ]
}

/// Reads results as text, a page at a time.
pub struct CsvReader {
    context: Arc<Context>,
    workspace: WorkspaceId,
}

impl CsvReader {
    /// The header, then the lines of page after page.
    pub fn lines(
        self,
        wanted: CallFilter,
        order: Order,
        zone: Zone,
    ) -> impl Stream<Item = Result<Vec<u8>, EngineError>> {
        let mut first = "\u{feff}".as_bytes().to_vec();
        first.extend(importer::write::csv_line(&header()));
        let pages = stream::try_unfold(
            (self, wanted, zone, None),
            move |(reader, wanted, zone, after)| async move {
                let db = &reader.context.db;
                let rows = call_results::list(db, reader.workspace, &wanted, order, after, PAGE).await?;
                let Some(last) = rows.last() else {
                    return Ok(None);
                };
                let after = Some(order.place(last));
                let lines = rows
                    .iter()
                    .flat_map(|it| importer::write::csv_line(&cells(it, &zone)));
                Ok(Some((lines.collect(), (reader, wanted, zone, after))))
            },
        );
        stream::once(future::ready(Ok(first))).chain(pages)
    }
}

impl Calls {
    /// Reads results as text.
    pub fn csv_reader(&self, workspace: WorkspaceId) -> CsvReader {
        CsvReader {
            context: Arc::clone(&self.context),
            workspace,
        }
    }

    /// Writes a workbook and says where; the caller removes the file.
    pub async fn workbook(
        &self,
        workspace: WorkspaceId,
        wanted: &CallFilter,
        order: Order,
    ) -> Result<PathBuf, EngineError> {
        let zone = self.zone(workspace).await?;
        let mut writer = importer::write::SheetWriter::new("Результаты прозвонов", &header())?;
        let mut after = None;
        loop {
            let rows = call_results::list(&self.context.db, workspace, wanted, order, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(order.place(last));
            for it in &rows {
                writer.row(&cells(it, &zone))?;
            }
        }
        let imports = crate::imports::Imports::new(self.context.clone(), self.signals.clone());
        let target = imports.upload_path().await?;
        let path = target.clone();
        blocking(move || writer.finish(&path)).await?;
        Ok(target)
    }

    /// The zone in which a workspace reads times.
    pub async fn zone(&self, workspace: WorkspaceId) -> Result<Zone, EngineError> {
        Ok(crate::rulebook::frame(&self.context, workspace).await?.zone)
    }
}
