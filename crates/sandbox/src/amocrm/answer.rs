//! Answers of the API and their bodies.

use serde_json::{Map, Value, json};

/// HTTP answer before it becomes bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Content type; none for an empty body.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

/// Success and refusal have the same shape.
pub type Reply = Result<Answer, Answer>;

impl Answer {
    /// 200 with a HAL body.
    pub fn ok(body: Value) -> Self {
        Self::hal(200, body)
    }

    /// A HAL body with any status.
    pub fn hal(status: u16, body: Value) -> Self {
        Self {
            status,
            content_type: "application/hal+json",
            body: body.to_string(),
            headers: Vec::new(),
        }
    }

    /// 204: no body, no content type.
    pub fn empty() -> Self {
        Self {
            status: 204,
            content_type: "",
            body: String::new(),
            headers: Vec::new(),
        }
    }

    /// An HTML page.
    pub fn html(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            body,
            headers: Vec::new(),
        }
    }

    /// A redirect.
    pub fn redirect(to: String) -> Self {
        let headers = vec![("location", to)];
        Self {
            status: 302,
            content_type: "",
            body: String::new(),
            headers,
        }
    }

    /// problem+json with a given body.
    pub fn problem_body(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/problem+json",
            body: body.to_string(),
            headers: Vec::new(),
        }
    }

    /// problem+json with the usual members.
    pub fn problem(status: u16, detail: &str) -> Self {
        Self::problem_body(status, &problem(status, detail))
    }

    /// 400 of a body that is no body.
    pub fn no_data() -> Self {
        Self::problem(400, "Request data can not be empty")
    }

    /// 404.
    pub fn not_found(detail: &str) -> Self {
        Self::problem(404, detail)
    }

    /// 405.
    pub fn not_allowed() -> Self {
        Self::problem(405, "Method Not Allowed")
    }

    /// 429 with a JSON body.
    pub fn too_many(retry_after: u32) -> Self {
        let mut body = problem(429, "Too many requests, try again later");
        body["retry_after"] = json!(retry_after);
        let mut answer = Self::problem_body(429, &body);
        answer.headers.push(("retry-after", retry_after.to_string()));
        answer
    }
}

/// `title, type, status, detail` of a status.
pub(crate) fn problem(status: u16, detail: &str) -> Value {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        _ => "ErrInternalServer",
    };
    if status >= 500 {
        return json!({"title": title, "status": status, "detail": detail, "trace_id": uuid::Uuid::new_v4().to_string()});
    }
    json!({"title": title, "type": format!("https://httpstatus.es/{status}"), "status": status, "detail": detail})
}

/// One fault of one item.
#[derive(Clone, Debug)]
pub struct Fault {
    code: &'static str,
    path: String,
    detail: String,
}

/// Faults of the items of a request, collected before anything is applied.
#[derive(Debug, Default)]
pub struct Faults {
    items: Vec<(Value, Vec<Fault>)>,
    current: Vec<Fault>,
}

impl Faults {
    /// The value is of a wrong type.
    pub fn invalid_type(&mut self, path: impl Into<String>, wanted: &str) {
        let detail = format!("This value should be of type {wanted}.");
        self.current.push(Fault {
            code: "InvalidType",
            path: path.into(),
            detail,
        });
    }

    /// The value is none of the known ones.
    pub fn not_supported(&mut self, path: impl Into<String>) {
        let detail = "The value you selected is not a valid choice.".to_owned();
        self.current.push(Fault {
            code: "NotSupportedChoice",
            path: path.into(),
            detail,
        });
    }

    /// A required key is absent.
    pub fn missing(&mut self, path: impl Into<String>) {
        let detail = "This field is missing.".to_owned();
        self.current.push(Fault {
            code: "FieldMissing",
            path: path.into(),
            detail,
        });
    }

    /// Ends an item; what was noted since the last end belongs to it.
    pub fn end_item(&mut self, request_id: Value) {
        if !self.current.is_empty() {
            self.items.push((request_id, std::mem::take(&mut self.current)));
        }
    }

    /// The 400 answer when anything was noted.
    pub fn check(self) -> Result<(), Answer> {
        if self.items.is_empty() {
            return Ok(());
        }
        let mut body = problem(400, "Request validation failed");
        let items = self.items.into_iter().map(|(request_id, faults)| {
            let errors: Vec<Value> = faults
                .into_iter()
                .map(|f| json!({"code": f.code, "path": f.path, "detail": f.detail}))
                .collect();
            json!({"request_id": request_id, "errors": errors})
        });
        body["validation-errors"] = Value::Array(items.collect());
        Err(Answer::problem_body(400, &body))
    }
}

/// A JSON object.
pub type Object = Map<String, Value>;

/// `{"self": {"href": …}}`.
pub(crate) fn self_link(href: String) -> Value {
    json!({"self": {"href": href}})
}

/// `request_id` of an item: as sent, else its index as text.
pub(crate) fn request_id(item: &Object, index: usize) -> Value {
    item.get("request_id")
        .filter(|v| !v.is_null())
        .cloned()
        .unwrap_or_else(|| json!(index.to_string()))
}
