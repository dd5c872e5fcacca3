//! Routes below `/lead` and `/view` (contract §4.2, §4.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::calls::CallReason;
use super::error::ApiError;
use super::leads::{fill_view, sent_id};
use super::model::{Attachment, FieldKind, Lead};
use super::render::Answer;
use super::router::{Call, object_id};
use super::state::{IdKind, State};
use super::text::{int, text_of, word_flag};

/// The list's value of «newest first».
const NEWEST_FIRST: &str = "3";

impl State {
    /// Routes below `/lead`; `rest` is the path after it.
    pub(super) fn lead_routes(&mut self, call: &Call<'_>, rest: &[&str]) -> Result<Value, ApiError> {
        let (method, id) = match (call.method, rest) {
            ("POST", []) => {
                let id = self.create_lead(call.body, call.login, call.by)?;
                return Ok(self.lead_json(self.lead(id)?, Answer::Created));
            }
            // Here the same slot of the path holds a project.
            ("GET", [project, "list"]) => return self.list_leads(call, object_id(project)?),
            ("POST", [id, "comment"]) => {
                return self.post_comment(call, object_id(id).map_err(|_| ApiError::invalid_lead_id())?);
            }
            (method, [id, ..]) => (method, self.own_lead(call.login, object_id(id)?)?.id),
            _ => return Err(ApiError::not_found()),
        };
        let single = |state: &State| Ok(state.lead_json(state.lead(id)?, Answer::Single));
        match (method, &rest[1..]) {
            ("GET", []) => single(self),
            ("PUT", []) => {
                self.edit_lead(id, call.body, call.by)?;
                single(self)
            }
            ("DELETE", []) => {
                self.delete_lead(id, call.by);
                Ok(if self.settings.null_results {
                    Value::Null
                } else {
                    Value::Bool(true)
                })
            }
            ("PUT", ["funnel"]) => {
                let step = sent_id(call.body, &["funnel", "stage_id"])?
                    .ok_or_else(|| ApiError::invalid("funnel"))?;
                self.change_step(id, step, call.by)?;
                Ok(json!({"id": id, "funnel": step}))
            }
            ("PUT", ["owner"]) => {
                let owner =
                    sent_id(call.body, &["owner", "owner_id"])?.ok_or_else(|| ApiError::invalid("owner"))?;
                self.change_owner(id, owner, call.by)?;
                Ok(json!({"id": id, "owner_id": owner}))
            }
            ("GET", ["comments"]) => {
                let lead = self.lead(id)?;
                Ok(lead
                    .comments
                    .iter()
                    .map(|comment| self.comment_json(lead, comment))
                    .collect())
            }
            ("POST", ["payment"]) => {
                self.add_payment(id, call.body, call.by)?;
                single(self)
            }
            ("GET", ["calls"]) => Ok(self.recent_calls(self.lead(id)?, call.by.now_ms)),
            ("POST", ["call"]) => {
                self.start_call(id, CallReason::Request, call.by.now_ms);
                Ok(Value::Bool(true))
            }
            ("POST", ["file"]) => self.post_file(id, call.body),
            ("GET" | "PUT" | "DELETE", ["custom", field]) => self.lead_custom(id, object_id(field)?, call),
            ("GET", ["custom", field, "file", file]) => {
                self.get_file(id, object_id(field)?, object_id(file)?)
            }
            _ => Err(ApiError::not_found()),
        }
    }

    /// A young lead is unknown here for a while, in the same words as one that does not exist.
    fn post_comment(&mut self, call: &Call<'_>, lead_id: i64) -> Result<Value, ApiError> {
        let lead = self
            .own_lead(call.login, lead_id)
            .map_err(|_| ApiError::invalid_lead_id())?;
        let visible_ms = lead
            .born_ms
            .saturating_add(self.settings.comment_visibility_seconds.saturating_mul(1000));
        if call.by.now_ms < visible_ms {
            return Err(ApiError::invalid_lead_id());
        }
        let comment_id = self.add_comment(lead_id, &text_of(call.body, "text"), call.by)?;
        if self.settings.null_results {
            return Ok(Value::Null);
        }
        let lead = self.lead(lead_id)?;
        let comment = lead.comments.iter().find(|comment| comment.id == comment_id);
        Ok(comment.map_or(Value::Null, |comment| self.comment_json(lead, comment)))
    }

    /// Calls of the current and the previous half-year, newest first.
    fn recent_calls(&self, lead: &Lead, now_ms: i64) -> Value {
        const YEAR_S: i64 = 365 * 86_400;
        let oldest = now_ms.div_euclid(1000) - YEAR_S;
        lead.calls
            .iter()
            .rev()
            .filter(|call| call.time >= oldest)
            .map(|call| self.call_json(call))
            .collect()
    }

    fn list_leads(&self, call: &Call<'_>, project_id: i64) -> Result<Value, ApiError> {
        self.own_project(call.login, project_id)?;
        let query = &call.query;
        let number = |name: &str| match query.get(name).map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => text.parse::<i64>().map(Some).map_err(|_| ApiError::invalid(name)),
        };
        let offset =
            usize::try_from(number("offset")?.unwrap_or(0)).map_err(|_| ApiError::invalid("offset"))?;
        let limit = match number("limit")? {
            None => self.settings.list_default_limit,
            Some(limit) => usize::try_from(limit).map_err(|_| ApiError::invalid("limit"))?,
        };
        let deals = match query.get("is_deal") {
            None => false,
            Some(text) => word_flag(text).ok_or_else(|| ApiError::invalid("is_deal"))?,
        };
        let created_from = number("filter[created_at_from]")?.unwrap_or(i64::MIN);
        let updated_from = number("filter[updated_at_from]")?.unwrap_or(i64::MIN);
        let mut leads: Vec<&Lead> = self
            .leads
            .values()
            .filter(|lead| lead.project_id == project_id && lead.deal == deals)
            .filter(|lead| lead.created_ms.div_euclid(1000) >= created_from)
            .filter(|lead| lead.updated_ms.div_euclid(1000) >= updated_from)
            .collect();
        let key: fn(&Lead) -> i64 = match query.get("sort[updated_at]") {
            Some(_) => |lead| lead.updated_ms,
            None => |lead| lead.created_ms,
        };
        let order = query
            .get("sort[updated_at]")
            .or(query.get("sort[created_at]"))
            .unwrap_or(NEWEST_FIRST);
        leads.sort_by_key(|lead| (key(lead), lead.id));
        if order == NEWEST_FIRST {
            leads.reverse();
        }
        let page = leads
            .into_iter()
            .skip(offset)
            .take(limit.min(self.settings.list_max_limit));
        Ok(page.map(|lead| self.lead_json(lead, Answer::Listed)).collect())
    }

    fn lead_custom(&mut self, lead_id: i64, field_id: i64, call: &Call<'_>) -> Result<Value, ApiError> {
        let project_id = self.lead(lead_id)?.project_id;
        let field = self.field(project_id, field_id)?.clone();
        match call.method {
            "PUT" => {
                let value = call.body.get("value").ok_or_else(|| ApiError::invalid("value"))?;
                self.set_custom(lead_id, field_id, value, call.by)?;
            }
            "DELETE" if field.kind == FieldKind::File => {
                self.lead_mut(lead_id)?
                    .files
                    .retain(|file| file.field_id != field_id);
                self.lead_changed(lead_id, &[&format!("custom.{field_id}")], call.by);
            }
            "DELETE" if field.kind.is_system() => return Err(ApiError::bad_request()),
            "DELETE" => self.set_custom(lead_id, field_id, &Value::Null, call.by)?,
            _ => {}
        }
        let field = self.field(project_id, field_id)?;
        Ok(self.custom_json(self.lead(lead_id)?, field))
    }

    fn post_file(&mut self, lead_id: i64, body: &Map<String, Value>) -> Result<Value, ApiError> {
        let project_id = self.lead(lead_id)?.project_id;
        let field_id =
            sent_id(body, &["custom_field_id"])?.ok_or_else(|| ApiError::invalid("custom field ID"))?;
        let field = self
            .field(project_id, field_id)
            .map_err(|_| ApiError::invalid("custom field ID"))?;
        if field.kind != FieldKind::File {
            return Err(ApiError::invalid("custom field ID"));
        }
        let [name, mime, data] = ["name", "mime", "data"].map(|key| text_of(body, key));
        if name.is_empty() || mime.is_empty() {
            return Err(ApiError::invalid("file"));
        }
        STANDARD
            .decode(&data)
            .map_err(|_| ApiError::invalid("file data"))?;
        let id = self.ids.next(IdKind::File);
        let answer = file_json(id, &name, None);
        self.lead_mut(lead_id)?.files.push(Attachment {
            id,
            field_id,
            name,
            mime,
            data,
        });
        Ok(answer)
    }

    fn get_file(&self, lead_id: i64, field_id: i64, file_id: i64) -> Result<Value, ApiError> {
        let files = &self.lead(lead_id)?.files;
        let file = files
            .iter()
            .find(|file| file.id == file_id && file.field_id == field_id);
        file.map(|file| file_json(file.id, &file.name, Some(&file.data)))
            .ok_or_else(ApiError::not_found)
    }

    /// Routes below `/view`.
    pub(super) fn view_routes(&mut self, call: &Call<'_>, rest: &[&str]) -> Result<Value, ApiError> {
        if let ("POST", []) = (call.method, rest) {
            let project_id = call.body.get("project_id").and_then(int);
            let project_id = project_id.filter(|id| self.owns(call.login, *id));
            let project_id = project_id.ok_or_else(|| ApiError::invalid("project ID"))?;
            let id = self.push_view(project_id, call.body);
            return Ok(self.view_json(id));
        }
        let [id] = rest else {
            return Err(ApiError::not_found());
        };
        let id = object_id(id)?;
        let project_id = self.views.get(&id).ok_or_else(ApiError::not_found)?.project_id;
        self.own_project(call.login, project_id)?;
        match call.method {
            "GET" => Ok(self.view_json(id)),
            "PUT" => {
                let view = self.views.get_mut(&id).ok_or_else(ApiError::not_found)?;
                fill_view(view, call.body);
                Ok(self.view_json(id))
            }
            "DELETE" => {
                self.views.remove(&id);
                for lead in self.leads.values_mut().filter(|lead| lead.view_id == Some(id)) {
                    lead.view_id = None;
                }
                Ok(Value::Bool(true))
            }
            _ => Err(ApiError::not_found()),
        }
    }
}

/// A file with its name split the way the service shows it.
fn file_json(id: i64, name: &str, data: Option<&str>) -> Value {
    let (stem, ext) = name.rsplit_once('.').unwrap_or((name, ""));
    match data {
        Some(data) => json!({"id": id, "name": stem, "ext": ext, "data": data}),
        None => json!({"id": id, "name": stem, "ext": ext}),
    }
}
