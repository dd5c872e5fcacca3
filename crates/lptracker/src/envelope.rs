//! The envelope around every answer (contract §1.4): errors travel under HTTP 200, the code is in the body.

use ::connector::ConnectorError;
use serde_json::Value;

/// Words of the CRM are cut at this many characters.
const MESSAGE: usize = 300;

/// Takes the result out of an answer, or says what the service refused.
pub fn open(http_status: u16, body: &[u8]) -> Result<Value, ConnectorError> {
    match serde_json::from_slice(body) {
        Ok(json) => open_json(http_status, json),
        Err(_) => Err(not_json(http_status, body)),
    }
}

fn open_json(http_status: u16, json: Value) -> Result<Value, ConnectorError> {
    let json = unwrap_list(json);
    let ok = (200..300).contains(&http_status);
    let Value::Object(mut map) = json else {
        return if ok {
            Ok(json)
        } else {
            Err(from_code(i64::from(http_status), String::new()))
        };
    };
    let first_error = match map.get("errors") {
        Some(Value::Array(errors)) => errors.first().cloned(),
        Some(Value::Object(one)) if !one.is_empty() => map.get("errors").cloned(),
        Some(Value::String(text)) if !text.is_empty() => map.get("errors").cloned(),
        _ => None,
    };
    let refused = map
        .get("status")
        .is_some_and(|status| status.as_str() != Some("success"));
    if first_error.is_some() || refused || !ok {
        return Err(refusal(http_status, first_error.as_ref()));
    }
    if map.contains_key("status") {
        return Ok(map.remove("result").unwrap_or(Value::Null));
    }
    Ok(Value::Object(map))
}

/// The label list is documented as an array around the envelope.
fn unwrap_list(json: Value) -> Value {
    match json {
        Value::Array(mut items)
            if items.len() == 1 && items[0].get("status").is_some() && items[0].get("result").is_some() =>
        {
            items.remove(0)
        }
        other => other,
    }
}

/// An error of the body; it may be a plain text, and its code wins over HTTP's.
fn refusal(http_status: u16, error: Option<&Value>) -> ConnectorError {
    use crate::wire::scalar;
    let code = error.and_then(|error| error.get("code")).and_then(scalar::int);
    let message = match error {
        Some(Value::String(text)) => text.clone(),
        Some(error) => error.get("message").and_then(scalar::text).unwrap_or_default(),
        None => String::new(),
    };
    let from_http = if http_status >= 300 {
        i64::from(http_status)
    } else {
        400
    };
    from_code(code.unwrap_or(from_http), message)
}

fn from_code(code: i64, message: String) -> ConnectorError {
    let message: String = message.chars().take(MESSAGE).collect();
    match code {
        401 => ConnectorError::Unauthorized,
        402 => ConnectorError::Unpaid,
        403 => ConnectorError::Forbidden { message },
        404 => ConnectorError::NotFound,
        429 | 503 => ConnectorError::RateLimited { after: None },
        500..=599 => ConnectorError::Unavailable {
            status: code as u16,
            uncertain: true,
        },
        _ => ConnectorError::Rejected {
            code: code.to_string(),
            field: None,
            message,
        },
    }
}

/// A page instead of JSON comes from a front server or a proxy, never from the API itself. A page 404 says
/// nothing about the record asked for.
fn not_json(http_status: u16, body: &[u8]) -> ConnectorError {
    match http_status {
        401 => ConnectorError::Unauthorized,
        403 => ConnectorError::Banned,
        429 | 503 => ConnectorError::RateLimited { after: None },
        500..=599 => ConnectorError::Unavailable {
            status: http_status,
            uncertain: true,
        },
        _ => ConnectorError::Protocol {
            message: format!("HTTP {http_status}, ответ не JSON ({} байт)", body.len()),
        },
    }
}

/// The refusal that a lead made a moment ago gets from some calls (contract §0.9).
pub fn is_invisible_lead(error: &ConnectorError) -> bool {
    matches!(error, ConnectorError::Rejected { code, message, .. }
        if code == "400" && message.to_ascii_lowercase().contains("invalid lead id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(http: u16, body: &str, expected: Result<Value, &str>) {
        let found = open(http, body.as_bytes()).map_err(|error| error.code());
        assert_eq!(found, expected, "{http} {body}");
    }

    #[test]
    fn successes() {
        check(
            200,
            r#"{"status":"success","result":{"id":1}}"#,
            Ok(json!({"id": 1})),
        );
        check(
            200,
            r#"{"status":"success","result":true,"errors":[]}"#,
            Ok(json!(true)),
        );
        check(200, r#"{"status":"success","result":null}"#, Ok(json!(null)));
        check(200, r#"{"status":"success"}"#, Ok(json!(null)));
        check(200, "[]", Ok(json!([])));
        check(200, r#"[{"id":1}]"#, Ok(json!([{"id": 1}])));
        check(200, r#"{"id":1,"name":"x"}"#, Ok(json!({"id": 1, "name": "x"})));
        check(
            200,
            r#"[{"status":"success","result":[{"id":1}]}]"#,
            Ok(json!([{"id": 1}])),
        );
    }

    #[test]
    fn body_code_wins_over_http() {
        let body = |code: i64| format!(r#"{{"status":"error","errors":[{{"code":{code},"message":"m"}}]}}"#);
        check(200, &body(401), Err("unauthorized"));
        check(400, &body(401), Err("unauthorized"));
        check(200, &body(404), Err("not_found"));
        check(200, &body(400), Err("rejected"));
        check(200, &body(503), Err("rate_limited"));
        check(503, &body(503), Err("rate_limited"));
        check(200, &body(500), Err("unavailable"));
        check(500, &body(400), Err("rejected"));
        check(
            200,
            r#"{"status":"error","errors":["просто текст"]}"#,
            Err("rejected"),
        );
        check(200, r#"{"status":"error"}"#, Err("rejected"));
        check(
            200,
            r#"{"status":"success","errors":[{"code":"401"}]}"#,
            Err("unauthorized"),
        );
        check(404, r#"{"x":1}"#, Err("not_found"));
    }

    #[test]
    fn pages_are_not_answers() {
        check(200, "<html>Технические работы</html>", Err("protocol"));
        check(200, "", Err("protocol"));
        check(404, "<html>", Err("protocol"));
        check(302, "", Err("protocol"));
        check(403, "<html>", Err("banned"));
        check(502, "<html>", Err("unavailable"));
        check(503, "<html>", Err("rate_limited"));
    }

    #[test]
    fn deep_json_is_refused_without_overflow() {
        let deep = "[".repeat(100_000);
        check(200, &deep, Err("protocol"));
    }
}
