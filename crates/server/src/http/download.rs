//! Files on their way out.

use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::header::{
    Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue,
};
use bytes::Bytes;
use futures::{Stream, stream};
use std::path::Path;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Media type of a workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Media type of a text with delimiters.
pub const CSV: &str = "text/csv; charset=utf-8";
/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// An answer that the browser saves under a name.
pub fn saved_as(
    name: &str,
    media_type: &str,
    body: impl Stream<Item = Result<Bytes, actix_web::Error>> + 'static,
) -> HttpResponse {
    let name = ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: name.as_bytes().to_vec(),
    };
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::FilenameExt(name)],
        })
        .streaming(body)
}

/// A file that was made for this answer. It has lost its name by the time it is sent, so it goes when the answer
/// ends, however that ends.
pub async fn made_file(path: &Path, name: &str, media_type: &str) -> Result<HttpResponse, Problem> {
    let opened = File::open(path).await;
    let removed = tokio::fs::remove_file(path).await;
    let file = opened.and_then(|file| removed.map(|()| file)).map_err(|error| {
        tracing::error!(%error, "приготовленный файл не открыт");
        Problem::internal()
    })?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        let n_read = (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok((n_read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(saved_as(name, media_type, pieces))
}
