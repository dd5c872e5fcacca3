//! The interface: files made at build time, already compressed, kept in memory.
//!
//! Files whose name holds a hash never change and may be kept for a year; the page itself is asked for anew each
//! time. Any address of the interface gets the page, so that a reload works; the browser does the routing.

use crate::http::problem::Problem;
use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use ring::digest;
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// What Trunk leaves in the page for the server to fill, where the page needs a nonce.
const NONCE: &str = "{{__TRUNK_NONCE__}}";
const PAGE: &str = "index.html";

/// The files of the interface.
#[derive(Debug, Default)]
pub struct Interface {
    files: HashMap<String, File>,
}

#[derive(Debug)]
struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    kind: String,
    immutable: bool,
    tag: String,
}

impl Interface {
    /// Reads a folder whole; it is a few megabytes.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut all = HashMap::new();
        collect(folder, "", &mut all)?;
        let names: Vec<String> = all.keys().filter(|name| !is_compressed(name)).cloned().collect();
        let files = names.into_iter().map(|name| {
            let plain = all.get(&name).cloned().unwrap_or_default();
            let file = File {
                brotli: all.get(&format!("{name}.br")).cloned(),
                gzip: all.get(&format!("{name}.gz")).cloned(),
                kind: mime_guess::from_path(&name).first_or_octet_stream().to_string(),
                immutable: has_hash(&name),
                tag: tag(&plain),
                plain,
            };
            (name, file)
        });
        Ok(Self {
            files: files.collect(),
        })
    }

    /// The file for a path, or the page for an address of the interface.
    pub fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, Problem> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::not_found());
        }
        let path = request.path().trim_start_matches('/');
        if let Some(file) = self.files.get(path).filter(|_| path != PAGE) {
            return Ok(file_answer(file, request));
        }
        let for_browser = accepts(request, header::ACCEPT, "text/html");
        let ours = ["api", "hooks", "oauth", "health"].iter().any(|start| {
            path == *start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'))
        });
        match self.files.get(PAGE) {
            Some(page) if for_browser && !ours => Ok(page_answer(page, request)),
            _ => Err(Problem::not_found()),
        }
    }
}

fn collect(folder: &Path, prefix: &str, all: &mut HashMap<String, Bytes>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), all)?;
        } else {
            all.insert(path, fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

fn is_compressed(name: &str) -> bool {
    name.ends_with(".br") || name.ends_with(".gz")
}

/// `start-0123456789abcdef.js`, or a file in a folder named so.
fn has_hash(name: &str) -> bool {
    name.split(['-', '/', '.', '_'])
        .any(|part| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn tag(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, bytes);
    let mut tag = String::from("\"");
    for byte in hash.as_ref().iter().take(12) {
        let _infallible = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn accepts(request: &HttpRequest, name: header::HeaderName, wanted: &str) -> bool {
    let values = request
        .headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| {
        let mut words = part.split(';').map(str::trim);
        let refused = || {
            let mut words = part.split(';').skip(1).map(str::trim);
            words.any(|word| word.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0))
        };
        words.next() == Some(wanted) && !refused()
    })
}

fn file_answer(file: &File, request: &HttpRequest) -> HttpResponse {
    let cache = if file.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    if request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag == file.tag.as_str())
    {
        return HttpResponse::build(StatusCode::NOT_MODIFIED)
            .insert_header((header::ETAG, file.tag.as_str()))
            .insert_header((header::CACHE_CONTROL, cache))
            .finish();
    }
    let (body, encoding) = choose(file, request);
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, file.kind.as_str()))
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::ETAG, file.tag.as_str()))
        .insert_header((header::VARY, "accept-encoding"));
    if let Some(encoding) = encoding {
        answer.insert_header((header::CONTENT_ENCODING, encoding));
    }
    answer.body(body)
}

fn choose(file: &File, request: &HttpRequest) -> (Bytes, Option<&'static str>) {
    let takes = |name: &str| accepts(request, header::ACCEPT_ENCODING, name);
    match (&file.brotli, &file.gzip) {
        (Some(brotli), _) if takes("br") => (brotli.clone(), Some("br")),
        (_, Some(gzip)) if takes("gzip") => (gzip.clone(), Some("gzip")),
        _ => (file.plain.clone(), None),
    }
}

/// The page with a policy of its own. Styles are inserted by the widget library while running, hence
/// `'unsafe-inline'` for styles only.
fn page_answer(page: &File, request: &HttpRequest) -> HttpResponse<BoxBody> {
    let text = std::str::from_utf8(&page.plain).unwrap_or_default();
    let nonce = text
        .contains(NONCE)
        .then(|| vault::random_token(16))
        .and_then(Result::ok);
    let nonce = nonce.as_ref().map(|nonce| nonce.expose_secret());
    let script = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{script}; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; font-src 'self' data:; connect-src 'self'; media-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    let (body, encoding) = match nonce {
        Some(nonce) => (Bytes::from(text.replace(NONCE, nonce)), None),
        None => choose(page, request),
    };
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "accept-encoding"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy));
    if let Some(encoding) = encoding {
        answer.insert_header((header::CONTENT_ENCODING, encoding));
    }
    answer.body(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn check_hash(name: &str, expected: bool) {
        assert_eq!(has_hash(name), expected, "{name}");
    }

    #[test]
    fn hashed_names_are_recognised() {
        check_hash("start-0123456789abcdef.js", true);
        check_hash("frontend-1a2b3c4d5e6f7a8b_bg.wasm", true);
        check_hash("snippets/thaw-8f3c1d2e4a5b6c7d/inline0.js", true);
        check_hash("index.html", false);
        check_hash("favicon.svg", false);
    }

    fn check_accepts(value: &str, wanted: &str, expected: bool) {
        let request = TestRequest::default()
            .insert_header((header::ACCEPT_ENCODING, value))
            .to_http_request();
        assert_eq!(
            accepts(&request, header::ACCEPT_ENCODING, wanted),
            expected,
            "{value}"
        );
    }

    #[test]
    fn a_weight_of_zero_refuses() {
        check_accepts("gzip, br", "br", true);
        check_accepts("gzip;q=1.0, br;q=0", "br", false);
        check_accepts("gzip;q=1.0, br;q=0.000", "br", false);
        check_accepts("identity", "gzip", false);
    }
}
