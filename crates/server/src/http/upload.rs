//! Files on their way in: streamed to the disk, never held in memory.

use crate::http::problem::Problem;
use actix_multipart::{Field, Multipart, MultipartError};
use api::problem::ProblemType;
use engine::imports::{FileLimits, Imports};
use futures::TryStreamExt;
use ring::digest;
use serde::Serialize;
use std::path::PathBuf;
use tokio::io::AsyncWriteExt;

/// The most files of one request.
const MAX_FILES: usize = 20;

/// A file that has arrived; it is taken away again when nobody keeps it.
#[derive(Debug, Serialize)]
pub struct Uploaded {
    /// Its name.
    pub name: String,
    /// Tells whether a repeated request brings the same.
    hash: String,
    /// Where it lies.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Drop for Uploaded {
    fn drop(&mut self) {
        let _kept_elsewhere = std::fs::remove_file(&self.path);
    }
}

/// Every file of a form, in its order.
pub async fn receive(
    imports: &Imports,
    limits: FileLimits,
    mut form: Multipart,
) -> Result<Vec<Uploaded>, Problem> {
    let mut files = Vec::new();
    while let Some(mut field) = form.try_next().await.map_err(unread)? {
        let name = field
            .content_disposition()
            .and_then(|about| about.get_filename())
            .map(plain_name);
        // Other fields of the form say nothing to us; they are passed over.
        let Some(name) = name else {
            while field.try_next().await.map_err(unread)?.is_some() {}
            continue;
        };
        if files.len() == MAX_FILES {
            let detail = format!("За один раз можно загрузить не больше {MAX_FILES} файлов");
            return Err(Problem::new(ProblemType::TooLarge, detail));
        }
        let path = imports.upload_path().await?;
        files.push(write(field, name, path, limits).await?);
    }
    if files.is_empty() {
        return Err(Problem::invalid(
            "/file",
            "missing",
            "В запросе нет файлов: выберите хотя бы один",
        ));
    }
    Ok(files)
}

async fn write(
    mut field: Field,
    name: String,
    path: PathBuf,
    limits: FileLimits,
) -> Result<Uploaded, Problem> {
    let disk = |error: std::io::Error| {
        tracing::error!(%error, "загружаемый файл не записан на диск");
        Problem::new(
            ProblemType::Unavailable,
            "Файл не удалось записать на диск, попробуйте позже",
        )
    };
    let mut kept = tokio::fs::File::create_new(&path).await.map_err(disk)?;
    let mut uploaded = Uploaded {
        name,
        hash: String::new(),
        path,
    };
    let (mut n_bytes, mut hash) = (0u64, digest::Context::new(&digest::SHA256));
    while let Some(piece) = field.try_next().await.map_err(unread)? {
        n_bytes += piece.len() as u64;
        if n_bytes > limits.bytes {
            let detail = format!(
                "Файл «{}» больше {} МБ. Разделите его на части и загрузите по очереди",
                uploaded.name,
                limits.bytes >> 20
            );
            return Err(Problem::new(ProblemType::TooLarge, detail));
        }
        hash.update(&piece);
        kept.write_all(&piece).await.map_err(disk)?;
    }
    kept.flush().await.map_err(disk)?;
    uploaded.hash = hash
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(uploaded)
}

/// The name without folders, as some browsers send them.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if last.is_empty() {
        "без имени".to_owned()
    } else {
        last.to_owned()
    }
}

fn unread(error: MultipartError) -> Problem {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => Problem::new(
            ProblemType::UnsupportedMediaType,
            "Файлы отправляют формой multipart/form-data в поле file",
        ),
        _ => Problem::new(
            ProblemType::BadRequest,
            "Загрузка прервалась или форма повреждена: отправьте файлы ещё раз",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_cut_off() {
        assert_eq!(plain_name("C:\\Папка\\клиенты.xlsx"), "клиенты.xlsx");
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name("/"), "без имени");
    }
}
