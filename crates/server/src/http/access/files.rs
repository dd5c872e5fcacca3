//! What the handles give of files, results of calls and their recordings.

use super::{Access, FileEditor, Owner};
use crate::http::problem::Problem;
use connector::http::Streamed;
use domain::id::{CallResultId, ImportId};
use engine::calls::{CallSettings, Calls};
use engine::imports::{Import, Imports};
use std::path::PathBuf;
use storage::audit::ActorKind;
use storage::call_results::{self, CallFilter, Order};

use api::problem::ProblemType;

impl<P> Access<P> {
    /// One import.
    pub async fn import(&self, id: ImportId) -> Result<Import, Problem> {
        Ok(self.app.engine.imports().find(self.workspace, id).await?)
    }

    /// How many rows of an import are where.
    pub async fn row_counts(
        &self,
        import: &Import,
    ) -> Result<Vec<(storage::import_rows::RowState, i64)>, Problem> {
        Ok(self.app.engine.imports().counts(import).await?)
    }

    /// Rows of an import whose contact is known already.
    pub async fn known_rows(&self, import: &Import) -> Result<i64, Problem> {
        Ok(self.app.engine.imports().count_known(import).await?)
    }

    /// What the columns of an import may mean.
    pub async fn import_fields(&self, import: &Import) -> Result<Vec<domain::field::FieldPath>, Problem> {
        Ok(self.app.engine.imports().fields(import).await?)
    }

    /// The failed rows of an import as a file that the caller removes.
    pub async fn failed_rows(&self, id: ImportId) -> Result<PathBuf, Problem> {
        Ok(self.app.engine.imports().failed_rows(self.workspace, id).await?)
    }

    /// How calls become results.
    pub async fn call_settings(&self) -> Result<CallSettings, Problem> {
        Ok(self.app.engine.calls().settings(self.workspace).await?)
    }

    /// Results as a workbook that the caller removes.
    pub async fn calls_workbook(&self, wanted: &CallFilter, order: Order) -> Result<PathBuf, Problem> {
        let calls = self.app.engine.calls();
        Ok(calls.workbook(self.workspace, wanted, order).await?)
    }

    /// Results as text, page by page.
    pub fn calls_reader(&self) -> engine::calls::CsvReader {
        self.app.engine.calls().csv_reader(self.workspace)
    }

    /// The zone in which the workspace reads times.
    pub async fn zone(&self) -> Result<domain::time::Zone, Problem> {
        Ok(self.app.engine.calls().zone(self.workspace).await?)
    }

    /// The recording of a call, or a byte range of it. For people only: a recording is somebody's voice.
    pub async fn recording(
        &self,
        id: CallResultId,
        range: Option<&str>,
    ) -> Result<(String, Streamed), Problem> {
        if self.actor.kind != ActorKind::User {
            return Err(Problem::new(
                ProblemType::Forbidden,
                "Записи разговоров доступны только сотрудникам кабинета, вошедшим в систему",
            ));
        }
        let call = call_results::find(self.db(), self.workspace, id).await?;
        let address = call.recording.filter(|address| !address.is_empty());
        let address = address.ok_or_else(Problem::not_found)?;
        let answer = self.app.connectors.recording(&address, range).await;
        let answer = answer.map_err(|error| Problem::recording(&error))?;
        Ok((address, answer))
    }
}

impl FileEditor {
    /// Work on files.
    pub fn imports(&self) -> Imports {
        self.app.engine.imports()
    }

    /// Work on results of calls.
    pub fn calls(&self) -> Calls {
        self.app.engine.calls()
    }

    /// Whether a person asks, and not a script.
    pub fn is_person(&self) -> bool {
        self.actor.kind == ActorKind::User
    }
}

impl Owner {
    /// Work on how calls become results.
    pub fn calls(&self) -> Calls {
        self.app.engine.calls()
    }
}
