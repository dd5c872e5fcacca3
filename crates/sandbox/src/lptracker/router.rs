//! From a request to an answer: sign-in, rate, routes, envelope.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::state::{By, Origin, State};
use super::text::Query;

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// Path without the query.
    pub path: &'a str,
    /// Raw query string.
    pub query: &'a str,
    /// Header `token`.
    pub token: Option<&'a str>,
    /// Address of the caller.
    pub ip: &'a str,
    /// Body.
    pub body: &'a [u8],
}

/// An answer: HTTP status and JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status; 200 for nearly everything.
    pub status: u16,
    /// Body.
    pub body: Value,
}

/// A signed-in request on its way to the operation.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) login: &'a str,
    pub(super) query: Query,
    pub(super) body: &'a Map<String, Value>,
    pub(super) by: By,
}

/// An id in a path; anything that is not a number is an object that does not exist.
pub(super) fn object_id(segment: &str) -> Result<i64, ApiError> {
    segment.parse().map_err(|_| ApiError::not_found())
}

impl State {
    /// Answers one request of the service.
    pub fn handle(&mut self, request: &Incoming<'_>) -> Reply {
        self.tick();
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match self.answer(request, &segments) {
            Ok(result) if self.is_bare(request.method, &segments) => Reply {
                status: 200,
                body: result,
            },
            Ok(result) => Reply {
                status: 200,
                body: json!({"status": "success", "result": result}),
            },
            Err(error) => {
                let status = if error.code == 503 && self.settings.http_503 {
                    503
                } else {
                    200
                };
                Reply {
                    status,
                    body: error.envelope(),
                }
            }
        }
    }

    fn is_bare(&self, method: &str, segments: &[&str]) -> bool {
        match (method, segments) {
            ("GET", ["lead", _, "list"]) => self.settings.raw_array_list,
            ("POST", ["custom", _, "create"]) => self.settings.bare_field_create,
            _ => false,
        }
    }

    fn answer(&mut self, request: &Incoming<'_>, segments: &[&str]) -> Result<Value, ApiError> {
        let by = self.by(Origin::Api);
        if (request.method, segments) == ("POST", ["login"].as_slice()) {
            return self.login(&json_body(request)?, request.ip, by.now_ms);
        }
        let session = self.authorize(request.token, by.now_ms)?;
        let body = json_body(request)?;
        let call = Call {
            method: request.method,
            login: &session.login,
            query: Query::parse(request.query),
            body: &body,
            by,
        };
        match (request.method, segments) {
            ("POST", ["logout"]) => Ok(self.logout(request.token)),
            ("GET", ["projects"]) => Ok(self.list_projects(&session.login)),
            ("GET", ["staff"]) => Ok(self.list_staff(&session.login)),
            (_, ["project", id, rest @ ..]) => self.project_routes(&call, id, rest),
            (_, ["contact", rest @ ..]) => self.contact_routes(&call, rest),
            (_, ["lead", rest @ ..]) => self.lead_routes(&call, rest),
            (_, ["custom", project, rest @ ..]) => self.custom_routes(&call, project, rest),
            (_, ["view", rest @ ..]) => self.view_routes(&call, rest),
            (_, ["label", rest @ ..]) => self.label_routes(&call, rest),
            _ => Err(ApiError::not_found()),
        }
    }
}

/// The body as an object. Reads may carry anything and it is ignored; PHP clients send `[]` for an empty object.
fn json_body(request: &Incoming<'_>) -> Result<Map<String, Value>, ApiError> {
    if request.method == "GET" || request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(request.body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(ApiError::bad_request()),
    }
}
