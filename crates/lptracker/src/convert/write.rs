//! Bodies of writes (contract §3.2, §4.1, §4.2).

mod contact;

use crate::time;
use crate::wire::project::folded;
use ::connector::ConnectorError;
use domain::catalogue::FieldInfo;
use domain::command::{FieldWrite, NewPayment};
use domain::field::{FieldKey, FieldType, SystemField};
use domain::time::Zone;
use domain::value::{Choice, Stage, Value};
use serde_json::{Map, Value as Json, json};

pub(crate) use contact::same_email;
pub use contact::{contact_update, new_contact};

/// Looks up the definition of a field by id; `None` lets the value's own type decide.
pub type Definitions<'a> = &'a dyn Fn(i64) -> Option<FieldInfo>;

/// A refusal made before anything is sent.
pub(crate) fn refused(field: impl ToString, message: impl Into<String>) -> ConnectorError {
    ConnectorError::Rejected {
        code: "invalid_value".to_owned(),
        field: Some(field.to_string()),
        message: message.into(),
    }
}

/// Body of `POST /lead`. `callback` is always false: otherwise a real person may be called.
pub fn new_lead(
    contact: i64,
    fields: &[FieldWrite],
    stage: Option<Stage>,
    responsible: Option<i64>,
    definitions: Definitions<'_>,
    zone: &Zone,
) -> Result<Json, ConnectorError> {
    let mut body = Map::new();
    body.insert("contact_id".into(), json!(contact));
    body.insert("callback".into(), json!(false));
    if let Some(stage) = stage {
        body.insert("funnel".into(), json!(stage.status));
    }
    if let Some(owner) = responsible {
        body.insert("owner".into(), json!(owner));
    }
    lead_fields(&mut body, fields, definitions, zone)?;
    Ok(Json::Object(body))
}

/// Body of `PUT /lead/{id}`: a partial update.
pub fn lead_update(
    fields: &[FieldWrite],
    definitions: Definitions<'_>,
    zone: &Zone,
) -> Result<Json, ConnectorError> {
    let mut body = Map::new();
    lead_fields(&mut body, fields, definitions, zone)?;
    Ok(Json::Object(body))
}

fn lead_fields(
    body: &mut Map<String, Json>,
    fields: &[FieldWrite],
    definitions: Definitions<'_>,
    zone: &Zone,
) -> Result<(), ConnectorError> {
    use SystemField as F;
    let mut view = Map::new();
    let mut custom = Map::new();
    for FieldWrite { key, value, .. } in fields {
        match key {
            FieldKey::Custom(id) => {
                let written = custom_value(*id, definitions(*id).as_ref(), value, zone)?;
                custom.insert(id.to_string(), written);
            }
            FieldKey::System(F::Name) => drop(body.insert("name".into(), plain(*key, value, zone)?.into())),
            FieldKey::System(F::Source) => {
                drop(view.insert("source".into(), plain(*key, value, zone)?.into()))
            }
            FieldKey::System(F::Campaign) => {
                view.insert("campaign".into(), plain(*key, value, zone)?.into());
            }
            FieldKey::System(F::Keyword) => {
                drop(view.insert("keyword".into(), plain(*key, value, zone)?.into()))
            }
            FieldKey::System(F::CreatedAt) => {
                body.insert("lead_date".into(), plain(*key, value, zone)?.into());
            }
            FieldKey::System(field) => return Err(not_here(*field)),
        }
    }
    for (name, part) in [("view", view), ("custom", custom)] {
        if !part.is_empty() {
            body.insert(name.into(), Json::Object(part));
        }
    }
    Ok(())
}

/// Body of `POST /lead/{id}/payment`.
pub fn payment(payment: &NewPayment) -> Result<Json, ConnectorError> {
    let sum: serde_json::Number = serde_json::from_str(&payment.sum.normalize().to_string())
        .map_err(|_| refused("sum", "сумма не записывается числом"))?;
    Ok(json!({"category": payment.category, "purpose": payment.purpose, "sum": sum}))
}

/// Body of `PUT /lead/{id}/funnel`.
pub fn step(stage: Stage) -> Json {
    json!({"funnel": stage.status})
}

/// Body of `PUT /lead/{id}/owner`; 0 is the main account.
pub fn owner(user: i64) -> Json {
    json!({"owner": user})
}

/// Body of `POST /lead/{id}/comment`.
pub fn comment(text: &str) -> Json {
    json!({"text": text})
}

/// Body of `PUT /project/{id}/callback-url`; an empty address switches receivers off.
pub fn callback(url: &str, name: &str) -> Json {
    json!({"url": url, "name": name})
}

/// Body of `POST /login`, all four keys required; the only version there is. Holds the password.
pub fn login(login: &str, password: &str, service: &str) -> Json {
    json!({"login": login, "password": password, "service": service, "version": "1.0"})
}

/// The value of a lead field as its type wants it.
fn custom_value(
    id: i64,
    info: Option<&FieldInfo>,
    value: &Value,
    zone: &Zone,
) -> Result<Json, ConnectorError> {
    let key = FieldKey::Custom(id);
    let Some(info) = info else {
        return match value {
            Value::Choice(_) | Value::Choices(_) => Ok(json!(chosen(key, value)?)),
            _ => plain(key, value, zone).map(Json::from),
        };
    };
    match info.field_type {
        FieldType::Select | FieldType::MultiSelect => categories(key, info, value),
        FieldType::DateTime => date(key, value, zone),
        FieldType::Opaque => Err(refused(
            key,
            format!("поле «{}» доступно только для чтения", info.name),
        )),
        _ => plain(key, value, zone).map(Json::from),
    }
}

/// Names must match a category exactly: blanks and case are forgiven here, anything else is refused before the
/// service sees it, since what it does with an unknown name is not known (contract §9.6).
fn categories(key: FieldKey, info: &FieldInfo, value: &Value) -> Result<Json, ConnectorError> {
    let mut names: Vec<String> = Vec::new();
    for name in chosen(key, value)? {
        let name = exact_category(key, info, &name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > 1 && info.field_type == FieldType::Select {
        return Err(refused(
            key,
            format!("в поле «{}» можно выбрать только одно значение", info.name),
        ));
    }
    Ok(json!(names))
}

fn exact_category(key: FieldKey, info: &FieldInfo, name: &str) -> Result<String, ConnectorError> {
    if info.options.is_empty() || info.options.iter().any(|option| option.name == name) {
        return Ok(name.to_owned());
    }
    let wanted = folded(name);
    let mut alike = info
        .options
        .iter()
        .filter(|option| folded(&option.name) == wanted);
    match (alike.next(), alike.next()) {
        (Some(one), None) => Ok(one.name.clone()),
        (None, _) => Err(refused(
            key,
            format!("в поле «{}» нет значения «{name}»", info.name),
        )),
        (Some(_), Some(_)) => Err(refused(
            key,
            format!("в поле «{}» несколько значений «{name}»", info.name),
        )),
    }
}

/// Names of what is chosen.
fn chosen(key: FieldKey, value: &Value) -> Result<Vec<String>, ConnectorError> {
    let named = |choice: &Choice| match choice.name.is_empty() {
        true => Err(refused(key, "значение списка известно только по номеру")),
        false => Ok(choice.name.clone()),
    };
    match value {
        Value::Choice(choice) => Ok(vec![named(choice)?]),
        Value::Choices(choices) => choices.iter().map(named).collect(),
        other => several(key, other),
    }
}

fn date(key: FieldKey, value: &Value, zone: &Zone) -> Result<Json, ConnectorError> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => time::instant(&json!(text), zone)
            .map(|at| json!(time::written(at, zone)))
            .ok_or_else(|| refused(key, format!("«{text}» не дата"))),
        Value::Empty | Value::Text(_) | Value::Instant(_) | Value::Day(_) => {
            plain(key, value, zone).map(Json::from)
        }
        _ => Err(refused(key, "здесь нужна дата")),
    }
}

/// Several texts.
fn several(key: FieldKey, value: &Value) -> Result<Vec<String>, ConnectorError> {
    match value {
        Value::Empty => Ok(Vec::new()),
        Value::Text(text) if text.trim().is_empty() => Ok(Vec::new()),
        Value::Text(text) => Ok(vec![text.clone()]),
        Value::Texts(texts) => Ok(texts.clone()),
        Value::Number(number) => Ok(vec![number.normalize().to_string()]),
        _ => Err(refused(key, "значение не подходит этому полю")),
    }
}

/// One text: how any value is spelled in a text field. An empty text clears.
fn plain(key: FieldKey, value: &Value, zone: &Zone) -> Result<String, ConnectorError> {
    Ok(match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.normalize().to_string(),
        Value::Flag(flag) => if *flag { "Да" } else { "Нет" }.to_owned(),
        Value::Instant(at) => time::written(*at, zone),
        Value::Day(day) => time::written_day(*day),
        Value::Choice(choice) => choice.name.clone(),
        Value::Choices(choices) => choices
            .iter()
            .map(|choice| choice.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        Value::Texts(texts) => texts.join(", "),
        Value::User(id) | Value::Id(id) => id.to_string(),
        Value::Stage(_) | Value::Json(_) => return Err(refused(key, "значение не подходит этому полю")),
    })
}

fn not_here(field: SystemField) -> ConnectorError {
    refused(
        field.as_str(),
        format!("поле «{}» в LPTracker так не записывается", field.title()),
    )
}

#[cfg(test)]
mod tests;
