//! Neutral writes as bodies of requests.

use crate::convert::read::STATUS_LOST;
use crate::convert::{Entity, value};
use crate::wire::body::{
    CallParams, EntityBody, EntityLink, FieldBody, LinkBody, NoteBody, NoteContent, ResultBody, TaskBody,
};
use connector::ConnectorError;
use domain::command::{FieldWrite, NewCall, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::time::Zone;
use domain::value::{Choice, Value};
use serde::Serialize;
use serde_json::Value as Json;

mod fields;
#[cfg(test)]
mod tests;

pub use fields::keep_kinds;
use fields::{system_field, tag_body};

/// Shown by amoCRM as the system that a call came from.
const CALL_SOURCE: &str = "lptracker";

/// What one write sends.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where its item goes.
    pub route: Route,
    /// The item.
    pub item: Item,
    /// Links to make afterwards: they are not part of an entity's change.
    pub links: Vec<EntityLink>,
    /// Record written to, when it exists already.
    pub key: Option<RecordKey>,
}

/// A collection that takes an array of items.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Route {
    /// `POST /api/v4/{entity}`.
    Create(Entity),
    /// `PATCH /api/v4/{entity}`.
    Change(Entity),
    /// `POST /api/v4/{entity}/notes`.
    AddNotes(Entity),
    /// `POST /api/v4/tasks`.
    CreateTasks,
    /// `PATCH /api/v4/tasks`.
    ChangeTasks,
}

impl Route {
    /// Method of the call.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Create(_) | Self::AddNotes(_) | Self::CreateTasks => "POST",
            Self::Change(_) | Self::ChangeTasks => "PATCH",
        }
    }

    /// Path of the call.
    pub fn path(self) -> String {
        match self {
            Self::Create(entity) | Self::Change(entity) => format!("/api/v4/{}", entity.word()),
            Self::AddNotes(entity) => format!("/api/v4/{}/notes", entity.word()),
            Self::CreateTasks | Self::ChangeTasks => "/api/v4/tasks".to_owned(),
        }
    }

    /// Where the answer lists its items.
    pub const fn list(self) -> &'static str {
        match self {
            Self::Create(entity) | Self::Change(entity) => entity.word(),
            Self::AddNotes(_) => "notes",
            Self::CreateTasks | Self::ChangeTasks => "tasks",
        }
    }

    /// Sending the same array twice leaves the same state.
    pub const fn is_idempotent(self) -> bool {
        matches!(self, Self::Change(_) | Self::ChangeTasks)
    }
}

/// An item of an array.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Item {
    /// A lead, contact or company.
    Entity(Box<EntityBody>),
    /// A task.
    Task(Box<TaskBody>),
    /// A note.
    Note(Box<NoteBody>),
}

impl Item {
    /// Marks the item, so that its answer can be told from others.
    pub fn set_request_id(&mut self, id: Option<String>) {
        match self {
            Self::Entity(body) => body.request_id = id,
            Self::Task(body) => body.request_id = id,
            Self::Note(body) => body.request_id = id,
        }
    }

    /// Takes the id out, for calls that have it in their path.
    pub fn take_id(&mut self) -> Option<i64> {
        match self {
            Self::Entity(body) => body.id.take(),
            Self::Task(body) => body.id.take(),
            Self::Note(_) => None,
        }
    }

    /// Has nothing to say besides its id.
    pub fn is_hollow(&self) -> bool {
        serde_json::to_value(self).is_ok_and(|json| {
            json.as_object()
                .is_some_and(|map| map.keys().all(|key| matches!(key.as_str(), "id" | "request_id")))
        })
    }
}

/// Plans a write.
///
/// # Errors
/// `Unsupported` for what amoCRM has not, `Rejected` for fields that cannot be written; nothing was sent then.
pub fn plan(write: &Write, zone: &Zone) -> Result<Plan, ConnectorError> {
    match write {
        Write::CreateContact { kind, fields, .. } => {
            let entity = match kind {
                RecordKind::Contact | RecordKind::Company => entity(*kind)?,
                _ => {
                    return Err(ConnectorError::Unsupported {
                        what: "создание контакта этого вида",
                    });
                }
            };
            let mut planned = entity_plan(Route::Create(entity), None, fields, zone)?;
            embed_links(&mut planned);
            Ok(planned)
        }
        Write::CreateRecord {
            kind,
            contact,
            fields,
            stage,
            responsible,
            tags,
        } => {
            if *kind != RecordKind::Deal {
                return Err(ConnectorError::Unsupported {
                    what: "создание записи этого вида",
                });
            }
            let mut planned = entity_plan(Route::Create(Entity::Leads), None, fields, zone)?;
            embed_links(&mut planned);
            if let Item::Entity(body) = &mut planned.item {
                if let Some(stage) = stage {
                    (body.pipeline_id, body.status_id) = (Some(stage.pipeline), Some(stage.status));
                }
                body.responsible_user_id = responsible.or(body.responsible_user_id);
                if let Some(contact) = contact {
                    let id = number(contact)?;
                    body.embedded.contacts = vec![LinkBody {
                        id,
                        is_main: Some(true),
                    }];
                }
                if !tags.is_empty() {
                    body.embedded.tags = Some(Some(tags.iter().map(tag_body).collect()));
                }
            }
            Ok(planned)
        }
        Write::UpdateRecord { key, fields } if key.kind == RecordKind::Task => task_plan(key, fields),
        Write::UpdateRecord { key, fields } => {
            entity_plan(Route::Change(entity(key.kind)?), Some(key), fields, zone)
        }
        Write::Move {
            key,
            stage,
            loss_reason,
        } => {
            if key.kind != RecordKind::Deal {
                return Err(ConnectorError::Unsupported {
                    what: "этап у записи этого вида",
                });
            }
            change(key, |body| {
                (body.pipeline_id, body.status_id) = (Some(stage.pipeline), Some(stage.status));
                if stage.status == STATUS_LOST {
                    body.loss_reason_id = loss_reason.map(Json::from);
                }
            })
        }
        Write::SetResponsible { key, user } if key.kind == RecordKind::Task => {
            let body = TaskBody {
                id: Some(number(&key.id)?),
                responsible_user_id: Some(*user),
                ..TaskBody::default()
            };
            Ok(planned(Route::ChangeTasks, Item::Task(Box::new(body)), key))
        }
        Write::SetResponsible { key, user } => change(key, |body| body.responsible_user_id = Some(*user)),
        Write::ChangeTags { key, add, remove } => change(key, |body| {
            body.tags_to_add = add.iter().map(tag_body).collect();
            body.tags_to_delete = remove.iter().map(tag_body).collect();
        }),
        Write::AddNote { key, text } => note(key, NoteContent::Common { text: text.clone() }, None),
        Write::LogCall { key, call } => note(
            key,
            call_content(call),
            call.at.map(domain::time::Timestamp::secs),
        ),
        Write::AddTask { key, task } => {
            let entity = entity(key.kind)?;
            let body = TaskBody {
                task_type_id: task.task_type,
                text: Some(task.text.clone()),
                complete_till: Some(task.deadline.secs()),
                entity_id: Some(number(&key.id)?),
                entity_type: Some(entity.word()),
                responsible_user_id: task.responsible,
                ..TaskBody::default()
            };
            Ok(planned(Route::CreateTasks, Item::Task(Box::new(body)), key))
        }
        Write::AddPayment { .. } => Err(ConnectorError::Unsupported {
            what: "добавление оплаты",
        }),
        Write::StartCall { .. } => Err(ConnectorError::Unsupported {
            what: "запуск звонка",
        }),
    }
}

/// The stable id of a call: the given one, or one made of what the call is, so that it is recorded once.
pub fn call_unique(call: &NewCall) -> String {
    call.unique.clone().unwrap_or_else(|| {
        let digits: String = call.phone.chars().filter(char::is_ascii_digit).collect();
        let at = call.at.map_or(0, domain::time::Timestamp::secs);
        format!("{digits}-{at}-{}", call.duration)
    })
}

/// Whether a write replaces phones or e-mails, so that their kinds must be read first.
pub fn writes_kinds(write: &Write) -> bool {
    let Write::UpdateRecord { key, fields } = write else {
        return false;
    };
    matches!(key.kind, RecordKind::Contact | RecordKind::Company)
        && fields
            .iter()
            .any(|field| matches!(field.value, Value::Texts(_)) || is_contact_detail(field.key))
}

fn is_contact_detail(key: FieldKey) -> bool {
    matches!(key, FieldKey::System(SystemField::Phone | SystemField::Email))
}

fn entity(kind: RecordKind) -> Result<Entity, ConnectorError> {
    Entity::of(kind).ok_or(ConnectorError::Unsupported {
        what: "запись этого вида",
    })
}

fn number(id: &RecordId) -> Result<i64, ConnectorError> {
    id.number().ok_or(ConnectorError::NotFound)
}

fn planned(route: Route, item: Item, key: &RecordKey) -> Plan {
    Plan {
        route,
        item,
        links: Vec::new(),
        key: Some(key.clone()),
    }
}

fn change(key: &RecordKey, set: impl FnOnce(&mut EntityBody)) -> Result<Plan, ConnectorError> {
    let mut body = EntityBody {
        id: Some(number(&key.id)?),
        ..EntityBody::default()
    };
    set(&mut body);
    Ok(planned(
        Route::Change(entity(key.kind)?),
        Item::Entity(Box::new(body)),
        key,
    ))
}

fn note(key: &RecordKey, content: NoteContent, created_at: Option<i64>) -> Result<Plan, ConnectorError> {
    let body = NoteBody {
        entity_id: number(&key.id)?,
        content,
        created_at,
        request_id: None,
    };
    Ok(planned(
        Route::AddNotes(entity(key.kind)?),
        Item::Note(Box::new(body)),
        key,
    ))
}

fn call_content(call: &NewCall) -> NoteContent {
    let params = CallParams {
        uniq: call_unique(call),
        duration: call.duration,
        source: CALL_SOURCE,
        link: call.recording.clone(),
        phone: call.phone.clone(),
        call_result: call.result.clone(),
    };
    if call.incoming {
        NoteContent::CallIn(params)
    } else {
        NoteContent::CallOut(params)
    }
}

/// On creation links are embedded instead of made afterwards.
fn embed_links(plan: &mut Plan) {
    if let Item::Entity(body) = &mut plan.item {
        for link in plan.links.drain(..) {
            let one = LinkBody {
                id: link.to_entity_id,
                is_main: link.metadata.map(|about| about.is_main),
            };
            match link.to_entity_type {
                "contacts" => body.embedded.contacts.push(one),
                _ => body.embedded.companies.push(one),
            }
        }
    }
}

fn entity_plan(
    route: Route,
    key: Option<&RecordKey>,
    fields: &[FieldWrite],
    zone: &Zone,
) -> Result<Plan, ConnectorError> {
    let mut body = EntityBody {
        id: key.map(|key| number(&key.id)).transpose()?,
        ..EntityBody::default()
    };
    let mut links = Vec::new();
    for FieldWrite { key, value, .. } in fields {
        match key {
            FieldKey::Custom(id) => body.custom_fields_values.push(FieldBody {
                field_id: Some(*id),
                field_code: None,
                values: value::write(value, zone),
            }),
            FieldKey::System(field) => system_field(&mut body, &mut links, *field, value)?,
        }
    }
    let item = Item::Entity(Box::new(body));
    Ok(Plan {
        route,
        item,
        links,
        key: key.cloned(),
    })
}

fn task_plan(key: &RecordKey, fields: &[FieldWrite]) -> Result<Plan, ConnectorError> {
    let mut body = TaskBody {
        id: Some(number(&key.id)?),
        ..TaskBody::default()
    };
    for FieldWrite { key, value, .. } in fields {
        match (key, value) {
            (FieldKey::System(SystemField::Text), Value::Text(text)) => body.text = Some(text.clone()),
            (FieldKey::System(SystemField::Deadline), Value::Instant(at)) => {
                body.complete_till = Some(at.secs());
            }
            (FieldKey::System(SystemField::IsDone), Value::Flag(done)) => body.is_completed = Some(*done),
            (FieldKey::System(SystemField::Comment), Value::Text(text)) => {
                body.result = Some(ResultBody { text: text.clone() });
            }
            (FieldKey::System(SystemField::Responsible), Value::User(user)) => {
                body.responsible_user_id = Some(*user);
            }
            (FieldKey::System(SystemField::Kind), Value::Choice(Choice { id: Some(id), .. })) => {
                body.task_type_id = Some(*id);
            }
            _ => {
                return Err(ConnectorError::Rejected {
                    code: "field_not_writable".to_owned(),
                    field: Some(key.to_string()),
                    message: "это поле задачи нельзя записать".to_owned(),
                });
            }
        }
    }
    Ok(planned(Route::ChangeTasks, Item::Task(Box::new(body)), key))
}
