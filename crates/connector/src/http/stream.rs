//! Answers that are passed on as they come, without being kept: recordings of calls.

use super::{HttpClient, guard, is_gate_open, no_answer};
use crate::error::ConnectorError;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use std::time::Duration;
use url::Url;

/// For the whole of a streamed answer: a long recording is listened to while it is read.
const TOTAL: Duration = Duration::from_secs(3600);
/// The most bytes of a streamed answer.
const MAX_BYTES: u64 = 1 << 30;

/// An answer whose body has not been read yet.
pub struct Streamed {
    /// HTTP status.
    pub status: u16,
    /// Content type as it was given; empty when absent.
    pub content_type: String,
    /// Length of the body, when given.
    pub content_length: Option<u64>,
    /// Which part of the whole this is, when only a part was asked for.
    pub content_range: Option<String>,
    /// Pieces of the body.
    pub body: BoxStream<'static, Result<Bytes, ConnectorError>>,
}

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streamed")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Reads an address, or a byte range of it (`bytes=0-1023`), with the guards of every other request and no
    /// credential. The body ends after a gigabyte or an hour.
    pub async fn stream(&self, url: Url, range: Option<&str>) -> Result<Streamed, ConnectorError> {
        guard::check(&url, &self.rules.allowed_hosts)?;
        if !is_gate_open() {
            return Err(ConnectorError::Stopped);
        }
        let mut builder = self.inner.get(url).timeout(TOTAL);
        if let Some(range) = range {
            builder = builder.header("range", range);
        }
        let response = builder.send().await.map_err(|error| no_answer(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let (content_type, content_range) = (header("content-type"), header("content-range"));
        Ok(Streamed {
            status: response.status().as_u16(),
            content_type: content_type.unwrap_or_default(),
            content_length: header("content-length").and_then(|text| text.parse().ok()),
            content_range,
            body: pieces(response).boxed(),
        })
    }
}

fn pieces(response: reqwest::Response) -> impl futures::Stream<Item = Result<Bytes, ConnectorError>> + Send {
    stream::unfold((response, 0), |(mut response, n_before)| async move {
        match response.chunk().await {
            Ok(None) => None,
            Ok(Some(piece)) => {
                let n_read = n_before + piece.len() as u64;
                let item = if n_read > MAX_BYTES {
                    Err(ConnectorError::Protocol {
                        message: "запись длиннее гигабайта".to_owned(),
                    })
                } else {
                    Ok(piece)
                };
                Some((item, (response, n_read)))
            }
            Err(error) => Some((Err(no_answer(&error)), (response, u64::MAX / 2))),
        }
    })
    // After a failure nothing more is asked for.
    .scan(false, |ended, item: Result<Bytes, ConnectorError>| {
        let before = std::mem::replace(ended, item.is_err());
        futures::future::ready((!before).then_some(item))
    })
}
