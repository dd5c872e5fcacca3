//! Which state an import may leave for which, when a person says so.

use super::{Import, Imports, folder};
use crate::context::Context;
use crate::error::EngineError;
use domain::id::{ImportId, WorkspaceId};
use storage::imports::{self, ImportState as S};
use storage::{StorageError, import_rows};

/// How often a person's word is said again when a worker stored its progress in between.
const TRIES: usize = 10;

impl Imports {
    /// Stops handing over. What was handed over goes on.
    pub async fn pause(&self, workspace: WorkspaceId, id: ImportId) -> Result<Import, EngineError> {
        self.turn(workspace, id, &[S::Running], S::Paused).await
    }

    /// Goes on handing over.
    pub async fn resume(&self, workspace: WorkspaceId, id: ImportId) -> Result<Import, EngineError> {
        self.turn(workspace, id, &[S::Paused], S::Running).await
    }

    /// Gives an import up: rows not handed over yet are skipped.
    pub async fn cancel(&self, workspace: WorkspaceId, id: ImportId) -> Result<Import, EngineError> {
        let from = [S::Uploaded, S::Checking, S::Checked, S::Running, S::Paused];
        self.turn(workspace, id, &from, S::Cancelled).await
    }

    async fn turn(
        &self,
        workspace: WorkspaceId,
        id: ImportId,
        from: &[S],
        to: S,
    ) -> Result<Import, EngineError> {
        let mut n_tries = 1;
        loop {
            match self.try_turn(workspace, id, from, to).await {
                Err(EngineError::Storage(StorageError::Stale { .. })) if n_tries < TRIES => n_tries += 1,
                turned => {
                    self.signals.imports.notify_one();
                    return turned;
                }
            }
        }
    }

    async fn try_turn(
        &self,
        workspace: WorkspaceId,
        id: ImportId,
        from: &[S],
        to: S,
    ) -> Result<Import, EngineError> {
        let tx = self.context.db.begin().await?;
        let mut import: Import = imports::find(&tx, workspace, id).await?;
        allowed(&import, from)?;
        if to == S::Cancelled {
            return give_up(&self.context, tx, import, "загрузка отменена").await;
        }
        import.state = to;
        imports::save(&tx, &mut import).await?;
        tx.commit().await?;
        Ok(import)
    }
}

/// Ends an import whose rows are not to be handed over any more.
pub(super) async fn give_up(
    context: &Context,
    tx: storage::Tx,
    mut import: Import,
    reason: &str,
) -> Result<Import, EngineError> {
    import.state = S::Cancelled;
    import.finished_at = Some(context.clock.now());
    import_rows::give_up(&tx, import.workspace, import.id, reason).await?;
    imports::save(&tx, &mut import).await?;
    tx.commit().await?;
    let _already_gone = tokio::fs::remove_file(folder::path(context, import.id)).await;
    Ok(import)
}

/// Refuses what does not fit the state of an import.
pub(super) fn allowed(import: &Import, states: &[S]) -> Result<(), EngineError> {
    if states.contains(&import.state) {
        return Ok(());
    }
    let text = match import.state {
        S::Uploaded => "Файл ещё не проверен: сначала проверьте его",
        S::Checking => "Файл ещё проверяется: дождитесь отчёта или отмените загрузку",
        S::Checked => "Загрузка ещё не запущена: запустите её или измените, что в столбцах",
        S::Running => "Загрузка идёт: дождитесь её конца, поставьте на паузу или отмените",
        S::Paused => "Загрузка на паузе: продолжите её или отмените",
        S::Done => "Загрузка уже завершена: чтобы повторить, загрузите файл ещё раз",
        S::Cancelled => "Загрузка отменена: чтобы начать заново, загрузите файл ещё раз",
        S::Failed => {
            "Файл не удалось прочитать: исправьте причину и проверьте его снова или загрузите другой"
        }
    };
    Err(EngineError::WrongMoment {
        text: text.to_owned(),
    })
}
