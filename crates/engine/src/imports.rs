//! Files as a person works with them: upload, say what the columns mean, check, start, pause, cancel.
//!
//! A file is checked as a whole before anything is handed over: every row becomes a row of the database with its
//! number, so a process that is killed goes on behind the last row it stored. Rows are handed over a window at a
//! time, so pausing and cancelling take effect at once, however long the CRM takes for the rest.

mod check;
pub(crate) mod folder;
mod place;
mod plan;
mod reader;
mod run;
mod states;

pub use importer::{Format as FileFormat, Limits as FileLimits};
pub use plan::{ColumnReport, Duplicates, Place, Plan, Purpose, Stats};

use self::reader::Reader;
use self::states::allowed;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::worker::Signals;
use domain::connection::ConnectorKind;
use domain::id::{ImportId, WorkspaceId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::import_rows::{self, ImportRow, RowState};
use storage::imports::{self, ImportState};
use storage::{StorageError, connections};

/// An import with the engine's plan.
pub type Import = storage::imports::Import<Plan>;

/// Works on imports.
#[derive(Clone)]
pub struct Imports {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

/// What a person says about a file.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What its rows are.
    pub purpose: Purpose,
    /// Which sheet.
    pub sheet: String,
    /// Whose records they become.
    pub connection: domain::id::ConnectionId,
    /// What each column means; `None` lets the hub guess.
    pub columns: Option<Vec<Option<domain::field::FieldPath>>>,
    /// Where they go; `None` leaves that to the rules.
    pub place: Option<Place>,
    /// What becomes of those that are there already.
    pub duplicates: Duplicates,
}

impl Imports {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// Where a file that is being uploaded is to be written.
    pub async fn upload_path(&self) -> Result<PathBuf, EngineError> {
        folder::part(&self.context).await
    }

    /// Takes files away whose upload broke off an hour ago or earlier. Returns how many.
    pub async fn tidy(&self) -> Result<usize, EngineError> {
        folder::tidy(&self.context).await
    }

    /// Takes a file that was uploaded to [`Imports::upload_path`], if it can be read.
    pub async fn begin(
        &self,
        workspace: WorkspaceId,
        name: &str,
        uploaded: &Path,
    ) -> Result<Import, EngineError> {
        let (path, limits) = (uploaded.to_owned(), self.context.settings.import_limits);
        let looked = blocking(move || {
            let inspection = importer::inspect(&path, limits)?;
            let visible = inspection.sheets.iter().find(|sheet| !sheet.is_hidden);
            let sheet = visible
                .or(inspection.sheets.first())
                .map(|sheet| sheet.name.clone());
            let sheet = sheet.ok_or(importer::ImportError::NoRows)?;
            Plan::look(&path, inspection, &sheet, limits)
        })
        .await;
        let mut plan = match looked {
            Ok(plan) => plan,
            Err(error) => {
                let _already_gone = tokio::fs::remove_file(uploaded).await;
                return Err(error);
            }
        };
        let all = connections::list(&self.context.db, workspace).await?;
        let first = all
            .iter()
            .find(|it| it.kind == ConnectorKind::Lptracker)
            .or(all.first());
        plan.connection = first.map(|connection| connection.id);
        let purpose = plan.guess_purpose();
        if let Some(connection) = first {
            self.guess(workspace, &mut plan, purpose, connection).await?;
        }
        let id = ImportId(new_id());
        tokio::fs::rename(uploaded, self.path(id)).await.map_err(disk)?;
        let import = Import {
            workspace,
            id,
            name: name.chars().filter(|c| !c.is_control()).take(200).collect(),
            purpose: purpose.as_str().to_owned(),
            state: ImportState::Uploaded,
            fingerprint: plan.fingerprint(),
            plan,
            rule: None,
            position: 0,
            n_rows: 0,
            error: None,
            version: 1,
            created_at: self.context.clock.now(),
            started_at: None,
            finished_at: None,
        };
        imports::insert(&self.context.db, &import).await?;
        Ok(import)
    }

    /// Changes what is to be done with a file that was not started yet. What was checked is forgotten.
    pub async fn describe(
        &self,
        workspace: WorkspaceId,
        id: ImportId,
        wish: Wish,
    ) -> Result<Import, EngineError> {
        let mut import = self.find(workspace, id).await?;
        allowed(
            &import,
            &[ImportState::Uploaded, ImportState::Checked, ImportState::Failed],
        )?;
        let connection = connections::find(&self.context.db, workspace, wish.connection).await?;
        let (path, limits) = (self.path(id), self.context.settings.import_limits);
        if wish.sheet != import.plan.sheet {
            let inspection = import.plan.inspection.clone();
            let sheet = wish.sheet.clone();
            import.plan = blocking(move || Plan::look(&path, inspection, &sheet, limits)).await?;
            import.fingerprint = import.plan.fingerprint();
        }
        let plan = &mut import.plan;
        plan.connection = Some(connection.id);
        plan.duplicates = wish.duplicates;
        plan.place = wish.place;
        plan.stats = Stats::default();
        match wish.columns {
            None => self.guess(workspace, plan, wish.purpose, &connection).await?,
            Some(columns) => plan.columns = columns,
        }
        wish.purpose.as_str().clone_into(&mut import.purpose);
        import.plan.check_columns(wish.purpose, connection.kind)?;
        import.state = ImportState::Uploaded;
        import.error = None;
        (import.position, import.n_rows) = (0, 0);
        let tx = self.context.db.begin().await?;
        import_rows::clear(&tx, workspace, id).await?;
        imports::save(&tx, &mut import).await?;
        tx.commit().await?;
        Ok(import)
    }

    /// Begins to read and check every row; remembers the mapping for files with the same header.
    pub async fn check(&self, workspace: WorkspaceId, id: ImportId) -> Result<Import, EngineError> {
        let mut import = self.find(workspace, id).await?;
        allowed(&import, &[ImportState::Uploaded])?;
        let purpose = import.plan.purpose(&import.purpose);
        let kind = self.connection_of(&import).await?.kind;
        import.plan.check_columns(purpose, kind)?;
        import.plan.require_key(purpose)?;
        import.state = ImportState::Checking;
        let now = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        let columns = &import.plan.columns;
        imports::remember(&tx, workspace, &import.purpose, &import.fingerprint, columns, now).await?;
        imports::save(&tx, &mut import).await?;
        tx.commit().await?;
        self.signals.imports.notify_one();
        Ok(import)
    }

    /// Begins to hand rows over.
    pub async fn start(
        &self,
        workspace: WorkspaceId,
        actor: &storage::audit::Actor,
        id: ImportId,
    ) -> Result<Import, EngineError> {
        let mut import = self.find(workspace, id).await?;
        allowed(&import, &[ImportState::Checked])?;
        if import.plan.purpose(&import.purpose) == Purpose::Contacts && import.plan.place.is_some() {
            let connection = self.connection_of(&import).await?;
            import.rule = Some(place::rule(&self.context, actor, &mut import, &connection).await?);
        }
        import.state = ImportState::Running;
        import.started_at = Some(self.context.clock.now());
        imports::save(&self.context.db, &mut import).await?;
        self.signals.imports.notify_one();
        Ok(import)
    }

    /// Takes a finished import out of the history with its rows.
    pub async fn delete(&self, workspace: WorkspaceId, id: ImportId) -> Result<(), EngineError> {
        let import = self.find(workspace, id).await?;
        use ImportState as S;
        allowed(
            &import,
            &[S::Uploaded, S::Checked, S::Done, S::Cancelled, S::Failed],
        )?;
        let tx = self.context.db.begin().await?;
        imports::delete(&tx, workspace, id).await?;
        tx.commit().await?;
        let _already_gone = tokio::fs::remove_file(self.path(id)).await;
        Ok(())
    }

    /// Replaces the cells of a row that was not handed over, and checks it anew.
    pub async fn edit_row(
        &self,
        workspace: WorkspaceId,
        id: ImportId,
        number: i64,
        cells: Vec<String>,
    ) -> Result<ImportRow, EngineError> {
        let mut import = self.find(workspace, id).await?;
        allowed(&import, &[ImportState::Checked])?;
        let row = import_rows::find(&self.context.db, workspace, id, number).await?;
        if !matches!(
            row.state,
            RowState::Failed | RowState::Duplicate | RowState::Accepted
        ) {
            return Err(EngineError::WrongMoment {
                text: "Строка уже передана: её нельзя изменить".to_owned(),
            });
        }
        let reader = self.reader(&import).await?;
        let cells = reader.plan.cut(cells);
        let read = reader.read(&cells);
        let before = reader.read(&row.cells);
        let columns = &mut import.plan.stats.columns;
        check::replace(columns, number, (&row.cells, &before), (&cells, &read));
        let mut row = check::row(number, cells, read);
        let tx = self.context.db.begin().await?;
        check::mark_duplicates(&tx, &mut import, std::slice::from_mut(&mut row)).await?;
        import_rows::save(&tx, workspace, id, &row).await?;
        imports::save(&tx, &mut import).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// One import.
    pub async fn find(&self, workspace: WorkspaceId, id: ImportId) -> Result<Import, EngineError> {
        Ok(imports::find(&self.context.db, workspace, id).await?)
    }

    /// Which files are accepted.
    pub fn limits(&self) -> FileLimits {
        self.context.settings.import_limits
    }

    /// How many rows are in each state.
    pub async fn counts(&self, import: &Import) -> Result<Vec<(RowState, i64)>, EngineError> {
        if let Some(counts) = &import.plan.stats.counts {
            let known = counts
                .iter()
                .filter_map(|(word, n)| Some((RowState::parse(word)?, *n)));
            return Ok(known.collect());
        }
        Ok(import_rows::counts(&self.context.db, import.workspace, import.id).await?)
    }

    /// The fields that the columns of an import may mean.
    pub async fn fields(&self, import: &Import) -> Result<Vec<domain::field::FieldPath>, EngineError> {
        let db = &self.context.db;
        let Some(id) = import.plan.connection else {
            return Ok(Vec::new());
        };
        let kind = match connections::find(db, import.workspace, id).await {
            Ok(connection) => connection.kind,
            Err(StorageError::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let catalogue = connections::catalogue(db, import.workspace, id).await?;
        let purpose = import.plan.purpose(&import.purpose);
        Ok(Plan::fields(purpose, kind, catalogue.as_ref()))
    }

    /// Rows whose contact is known already, as far as the hub remembers contacts.
    pub async fn count_known(&self, import: &Import) -> Result<i64, EngineError> {
        let Some(connection) = import.plan.connection else {
            return Ok(0);
        };
        let db = &self.context.db;
        Ok(import_rows::count_known_contacts(db, import.workspace, import.id, connection).await?)
    }

    /// Writes the failed rows of an import as a workbook and says where; the caller removes the file.
    pub async fn failed_rows(&self, workspace: WorkspaceId, id: ImportId) -> Result<PathBuf, EngineError> {
        let import = self.find(workspace, id).await?;
        let target = self.upload_path().await?;
        let mut header = import.plan.names.clone();
        let errors_at = header
            .iter()
            .position(|name| name == importer::header::ERROR_COLUMN);
        if errors_at.is_none() {
            header.push(importer::header::ERROR_COLUMN.to_owned());
        }
        let errors_at = errors_at.unwrap_or(header.len() - 1);
        let mut writer = importer::write::SheetWriter::new("Ошибки", &header)?;
        let mut after = 0;
        loop {
            let state = Some(RowState::Failed);
            let rows = import_rows::list(&self.context.db, workspace, id, state, after, 1000).await?;
            let Some(last) = rows.last() else { break };
            after = last.number;
            for row in &rows {
                let mut cells = row.cells.clone();
                cells.resize(header.len(), String::new());
                cells[errors_at] = row.error.clone().unwrap_or_default();
                writer.row(&cells)?;
            }
        }
        let path = target.clone();
        blocking(move || writer.finish(&path)).await?;
        Ok(target)
    }

    async fn reader(&self, import: &Import) -> Result<Reader, EngineError> {
        let reader = Reader::of(&self.context, import).await?;
        reader.ok_or_else(no_connection)
    }

    async fn connection_of(&self, import: &Import) -> Result<storage::connections::Connection, EngineError> {
        let id = import.plan.connection.ok_or_else(no_connection)?;
        Ok(connections::find(&self.context.db, import.workspace, id).await?)
    }

    /// Fills in the mapping: the one used last for this header, else by the names of the columns.
    async fn guess(
        &self,
        workspace: WorkspaceId,
        plan: &mut Plan,
        purpose: Purpose,
        connection: &storage::connections::Connection,
    ) -> Result<(), EngineError> {
        let db = &self.context.db;
        let known = imports::remembered(db, workspace, purpose.as_str(), &plan.fingerprint()).await?;
        let catalogue = connections::catalogue(db, workspace, connection.id).await?;
        plan.guess_columns(purpose, connection.kind, catalogue.as_ref());
        if let Some(known) = known {
            plan.recall(known);
            if plan.check_columns(purpose, connection.kind).is_err() {
                plan.guess_columns(purpose, connection.kind, catalogue.as_ref());
            }
        }
        Ok(())
    }

    fn path(&self, id: ImportId) -> PathBuf {
        folder::path(&self.context, id)
    }
}

fn no_connection() -> EngineError {
    EngineError::Invalid {
        pointer: "/connection",
        text: "Сначала подключите amoCRM или LPTracker и выберите подключение".to_owned(),
    }
}

fn disk(error: std::io::Error) -> EngineError {
    EngineError::File(importer::ImportError::Io(error))
}

/// Runs work on files aside, so that nobody waits for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, importer::ImportError> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(disk(std::io::Error::other(error))),
    }
}

/// The worker's side: one step of every import that has something to be done.
pub(crate) async fn step(context: &Arc<Context>, signals: &Signals) -> Result<usize, EngineError> {
    let (mut n_done, mut broken) = (0, None);
    for (workspace, id) in imports::at_work(&context.db).await? {
        match step_of(context, signals, workspace, id).await {
            Ok(n) => n_done += n,
            // A person or another process was quicker, and their answer stands.
            Err(EngineError::Storage(StorageError::Stale { .. })) => {}
            // The others go on; that something is wrong is told once.
            Err(error) => broken = Some(error),
        }
    }
    broken.map_or(Ok(n_done), Err)
}

async fn step_of(
    context: &Arc<Context>,
    signals: &Signals,
    workspace: WorkspaceId,
    id: ImportId,
) -> Result<usize, EngineError> {
    let import: Import = match imports::find(&context.db, workspace, id).await {
        Ok(import) => import,
        Err(StorageError::NotFound { .. }) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    match import.state {
        ImportState::Checking => check::all(context, import).await,
        ImportState::Running => run::window(context, signals, import).await,
        ImportState::Paused | ImportState::Cancelled => run::ends(context, &import).await,
        _ => Ok(0),
    }
}
