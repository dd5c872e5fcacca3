//! Projects, their definitions, staff, labels and field creation (contract §2, §5.3, §6.1).

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::hooks::{Action, Receivers};
use super::leads::sent_id;
use super::model::{Field, FieldKind, Label};
use super::render;
use super::router::{Call, object_id};
use super::state::{By, IdKind, State};
use super::text::{flag, int, scalar, text_of};

impl State {
    /// `GET /projects`.
    pub(super) fn list_projects(&self, login: &str) -> Value {
        self.projects
            .iter()
            .filter(|project| project.account == login)
            .map(render::project)
            .collect()
    }

    /// `GET /staff`.
    pub(super) fn list_staff(&self, login: &str) -> Value {
        self.staff
            .iter()
            .filter(|person| person.account == login)
            .map(|person| {
                json!({
                    "id": person.id, "name": person.name, "job": person.job, "type": person.kind(),
                    "created_at": person.created_at, "last_login_at": person.last_login_at,
                })
            })
            .collect()
    }

    /// Routes below `/project/{id}`; `rest` is the path after it.
    pub(super) fn project_routes(
        &mut self,
        call: &Call<'_>,
        id: &str,
        rest: &[&str],
    ) -> Result<Value, ApiError> {
        let id = self.own_project(call.login, object_id(id)?)?.id;
        let project = self.project(id)?;
        match (call.method, rest) {
            ("GET", []) => Ok(render::project(project)),
            ("GET", ["customs"]) => Ok(project.fields.iter().map(render::field).collect()),
            ("GET", ["fields"]) => Ok(project
                .contact_fields
                .iter()
                .map(|field| json!({"id": field.id, "name": field.name, "type": field.kind}))
                .collect()),
            ("GET", ["funnel"]) => Ok(project.steps.iter().map(render::step).collect()),
            ("GET", ["funnel", step]) => self.step(id, object_id(step)?).map(render::step),
            ("GET", ["autofunnels"]) => Ok(project.autofunnels.iter().map(autofunnel).collect()),
            ("PATCH", ["autofunnels", robot]) => self.switch_autofunnel(id, object_id(robot)?, call.body),
            ("GET", ["callback-url"]) => self.receivers(id, Receivers::Leads),
            ("PUT", ["callback-url"]) => self.put_receiver(id, Receivers::Leads, call.body, call.by),
            ("GET", ["project-callback-url"]) => self.receivers(id, Receivers::Structure),
            ("PUT", ["project-callback-url"]) => {
                self.put_receiver(id, Receivers::Structure, call.body, call.by)
            }
            _ => Err(ApiError::not_found()),
        }
    }

    /// Bodies of this call were never published: a flag under a likely name is taken, otherwise it toggles.
    fn switch_autofunnel(
        &mut self,
        project_id: i64,
        robot_id: i64,
        body: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let robots = &mut self.project_mut(project_id)?.autofunnels;
        let robot = robots
            .iter_mut()
            .find(|robot| robot.id == robot_id)
            .ok_or_else(ApiError::not_found)?;
        let sent = ["is_active", "active", "enabled"]
            .iter()
            .find_map(|key| body.get(*key).and_then(flag));
        robot.active = sent.unwrap_or(!robot.active);
        Ok(autofunnel(robot))
    }

    /// Routes below `/custom/{project}`.
    pub(super) fn custom_routes(
        &mut self,
        call: &Call<'_>,
        project: &str,
        rest: &[&str],
    ) -> Result<Value, ApiError> {
        let project_id = self.own_project(call.login, object_id(project)?)?.id;
        match (call.method, rest) {
            ("POST", ["create"]) => {
                let id = self.create_field(project_id, call.body, call.by)?;
                self.created_field(project_id, id, call.body)
            }
            ("PATCH", [field, "add-category"]) => {
                let field_id = object_id(field)?;
                self.add_category(project_id, field_id, call)?;
                self.field(project_id, field_id).map(render::field)
            }
            _ => Err(ApiError::not_found()),
        }
    }

    /// Creates a lead field; `name` and a known `type` are required.
    pub(super) fn create_field(
        &mut self,
        project_id: i64,
        body: &Map<String, Value>,
        by: By,
    ) -> Result<i64, ApiError> {
        let name = text_of(body, "name").trim().to_owned();
        if name.is_empty() {
            return Err(ApiError::invalid("name"));
        }
        let kind = FieldKind::from_word(&text_of(body, "type"));
        let kind = kind.filter(|kind| !matches!(kind, FieldKind::Funnel | FieldKind::Owner));
        let kind = kind.ok_or_else(|| ApiError::invalid("type"))?;
        let names = categories(body)?;
        if kind != FieldKind::Cats && !names.is_empty() {
            return Err(ApiError::invalid("categories"));
        }
        let on = |key: &str| body.get(key).and_then(flag).unwrap_or(false);
        let id = self.ids.next(IdKind::Field);
        let field = Field {
            id,
            name,
            kind,
            multi: on("is_multi_select"),
            categories: Vec::new(),
            required: on("is_required"),
            description: text_of(body, "description"),
        };
        self.project_mut(project_id)?.fields.push(field);
        for (name, color) in names {
            self.push_category(project_id, id, &name, color)?;
        }
        let data = self.field(project_id, id).map(render::field)?;
        self.queue_structure(project_id, "custom", Action::Create, data, by);
        Ok(id)
    }

    /// The answer to creation repeats what was asked for.
    fn created_field(&self, project_id: i64, id: i64, body: &Map<String, Value>) -> Result<Value, ApiError> {
        let field = self.field(project_id, id)?;
        let mut out = render::field(field);
        let sent = |key: &str, usual: bool| body.get(key).and_then(flag).unwrap_or(usual);
        out["project_id"] = json!(project_id);
        out["show_in_leads"] = json!(sent("show_in_leads", true));
        out["show_in_deals"] = json!(sent("show_in_deals", true));
        out["is_required"] = json!(field.required);
        out["is_multi_line"] = json!(sent("is_multi_line", false));
        out["description"] = json!(field.description);
        Ok(out)
    }

    fn add_category(&mut self, project_id: i64, field_id: i64, call: &Call<'_>) -> Result<(), ApiError> {
        if self.field(project_id, field_id)?.kind != FieldKind::Cats {
            return Err(ApiError::bad_request());
        }
        // The body was never published: a list like at creation, or one name.
        let mut names = categories(call.body)?;
        for key in ["name", "category"] {
            if let Some(name) = call
                .body
                .get(key)
                .and_then(scalar)
                .filter(|name| !name.trim().is_empty())
            {
                names.push((name, None));
            }
        }
        if names.is_empty() {
            return Err(ApiError::invalid("categories"));
        }
        for (name, color) in names {
            self.push_category(project_id, field_id, &name, color)?;
        }
        let data = self.field(project_id, field_id).map(render::field)?;
        self.queue_structure(project_id, "custom", Action::Update, data, call.by);
        Ok(())
    }

    /// Routes below `/label`.
    pub(super) fn label_routes(&mut self, call: &Call<'_>, rest: &[&str]) -> Result<Value, ApiError> {
        match (call.method, rest) {
            ("POST", []) => {
                let project_id = sent_id(call.body, &["project_id"])?.filter(|id| self.owns(call.login, *id));
                let project_id = project_id.ok_or_else(|| ApiError::invalid("project ID"))?;
                let name = text_of(call.body, "title");
                if name.trim().is_empty() {
                    return Err(ApiError::invalid("title"));
                }
                let id = self.ids.next(IdKind::Label);
                let label = Label {
                    id,
                    name,
                    color: text_of(call.body, "color"),
                };
                let answer = label_json(&label, project_id);
                self.project_mut(project_id)?.labels.push(label);
                Ok(answer)
            }
            ("GET", [project, "list"]) => {
                let project = self.own_project(call.login, object_id(project)?)?;
                Ok(project
                    .labels
                    .iter()
                    .map(|label| label_json(label, project.id))
                    .collect())
            }
            ("PUT" | "DELETE", [label]) => {
                let id = object_id(label)?;
                let own = |project: &&mut super::model::Project| {
                    project.account == call.login && project.labels.iter().any(|label| label.id == id)
                };
                let project = self
                    .projects
                    .iter_mut()
                    .find(own)
                    .ok_or_else(ApiError::not_found)?;
                if call.method == "DELETE" {
                    project.labels.retain(|label| label.id != id);
                    return Ok(Value::Bool(true));
                }
                let project_id = project.id;
                let label = project.labels.iter_mut().find(|label| label.id == id);
                let label = label.ok_or_else(ApiError::not_found)?;
                if let Some(title) = call.body.get("title").and_then(scalar) {
                    label.name = title;
                }
                if let Some(color) = call.body.get("color").and_then(scalar) {
                    label.color = color;
                }
                Ok(label_json(label, project_id))
            }
            _ => Err(ApiError::not_found()),
        }
    }
}

fn autofunnel(robot: &super::model::Autofunnel) -> Value {
    json!({"id": robot.id, "name": robot.name, "step_id": robot.step_id, "is_active": robot.active})
}

fn label_json(label: &Label, project_id: i64) -> Value {
    json!({"id": label.id, "name": label.name, "color": label.color, "project_id": project_id})
}

/// Categories as names or as objects with a name.
fn categories(body: &Map<String, Value>) -> Result<Vec<(String, Option<String>)>, ApiError> {
    let items = match body.get("categories") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(ApiError::invalid("categories")),
    };
    items
        .iter()
        .map(|item| {
            let name = item
                .as_str()
                .map(str::to_owned)
                .or_else(|| item.get("name").and_then(scalar));
            let name = name
                .filter(|name| !name.trim().is_empty())
                .ok_or_else(|| ApiError::invalid("categories"))?;
            Ok((name, item.get("color").and_then(scalar)))
        })
        .collect()
}

/// The id under a key of a control request.
pub(super) fn wanted_id(body: &Map<String, Value>, key: &str) -> Result<i64, ApiError> {
    body.get(key).and_then(int).ok_or_else(|| ApiError::invalid(key))
}
