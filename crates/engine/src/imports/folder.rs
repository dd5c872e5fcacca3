//! Where uploaded files lie: each below the id of its import, and what is being written below a name of its own.

use super::disk;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use domain::id::ImportId;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// How the names of files end that are being written.
const PART: &str = "part";
/// A file nobody has written to for so long is not being written any more.
const BROKEN_OFF: Duration = Duration::from_secs(3_600);

/// The file of an import.
pub(crate) fn path(context: &Context, id: ImportId) -> PathBuf {
    context.settings.files.join(id.to_string())
}

/// A place for a file that is to be written.
pub(super) async fn part(context: &Context) -> Result<PathBuf, EngineError> {
    let folder = &context.settings.files;
    tokio::fs::create_dir_all(folder).await.map_err(disk)?;
    Ok(folder.join(format!("{}.{PART}", new_id())))
}

/// Takes files away whose writing broke off, as when the process was killed meanwhile. Returns how many.
pub(crate) async fn tidy(context: &Context) -> Result<usize, EngineError> {
    let now = u64::try_from(context.clock.now().0).unwrap_or_default();
    let Some(oldest) = (UNIX_EPOCH + Duration::from_millis(now)).checked_sub(BROKEN_OFF) else {
        return Ok(0);
    };
    let mut files = match tokio::fs::read_dir(&context.settings.files).await {
        Ok(files) => files,
        // Nobody has uploaded anything yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(disk(error)),
    };
    let mut n_removed = 0;
    while let Some(file) = files.next_entry().await.map_err(disk)? {
        let is_part = Path::new(&file.file_name()).extension() == Some(OsStr::new(PART));
        // One that is gone by now was finished, or taken away by another process.
        let Ok(about) = file.metadata().await else {
            continue;
        };
        if is_part
            && about.modified().is_ok_and(|at| at < oldest)
            && tokio::fs::remove_file(file.path()).await.is_ok()
        {
            n_removed += 1;
        }
    }
    Ok(n_removed)
}
