//! Tasks.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Faults, Object, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft::{int, text, user};
use super::model::*;
use super::wire;

/// `/api/v4/tasks…`.
pub(crate) fn route(call: &mut Call<'_>, rest: &[&str]) -> Reply {
    match (call.method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("PATCH", []) => update(call, call.items(BATCH_LIMIT)?, false),
        ("GET", [id]) => {
            let task = id.parse().ok().and_then(|id: i64| call.account.tasks.get(&id));
            Ok(task.map_or_else(Answer::empty, |t| Answer::ok(shown(call, t))))
        }
        ("PATCH", [id]) => {
            let mut item = call.object()?;
            let id: i64 = id.parse().map_err(|_| Answer::not_found("Task not found"))?;
            item.insert("id".to_owned(), json!(id));
            update(call, vec![item], true)
        }
        (_, [] | [_]) => Err(Answer::not_allowed()),
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn list(call: &Call<'_>) -> Reply {
    let q = &call.query;
    let ids = q.ints(&["filter", "id"]);
    let users = q.ints(&["filter", "responsible_user_id"]);
    let authors = q.ints(&["filter", "created_by"]);
    let done = q.int(&["filter", "is_completed"]);
    let mut types = q.ints(&["filter", "task_type"]);
    types.extend(q.ints(&["filter", "task_type_id"]));
    let kind = q.get(&["filter", "entity_type"]).map(Kind::named);
    // An entity id without its type means nothing and is ignored.
    let entities = if kind.is_some() {
        q.ints(&["filter", "entity_id"])
    } else {
        Vec::new()
    };
    let (from, to) = q.range(&["filter", "updated_at"]);
    let one_of = |list: &[i64], value: i64| list.is_empty() || list.contains(&value);
    let wanted = |t: &&Task| {
        one_of(&ids, t.id)
            && one_of(&users, t.responsible_user_id)
            && one_of(&authors, t.created_by)
            && one_of(&types, t.task_type_id)
            && done.is_none_or(|done| t.is_completed == (done != 0))
            && kind.is_none_or(|kind| t.entity.map(|e| e.0) == kind)
            && (entities.is_empty() || t.entity.is_some_and(|e| entities.contains(&e.1)))
            && from.is_none_or(|from| t.updated_at >= from)
            && to.is_none_or(|to| t.updated_at <= to)
    };
    let mut found: Vec<&Task> = call.account.tasks.values().filter(wanted).collect();
    for (key, of) in [
        ("created_at", (|t: &Task| t.created_at) as fn(&Task) -> i64),
        ("complete_till", |t| t.complete_till),
        ("id", |t| t.id),
    ] {
        match q.get(&["order", key]) {
            Some("desc") => found.sort_by_key(|t| std::cmp::Reverse((of(t), t.id))),
            Some(_) => found.sort_by_key(|t| (of(t), t.id)),
            None => {}
        }
    }
    call.page("tasks", found, false, |t| shown(call, t))
}

fn shown(call: &Call<'_>, t: &Task) -> Value {
    let result = t
        .result
        .as_ref()
        .map_or_else(|| json!([]), |(_, text)| json!({"text": text}));
    json!({
        "id": t.id, "created_by": t.created_by, "updated_by": t.updated_by, "created_at": t.created_at,
        "updated_at": t.updated_at, "responsible_user_id": t.responsible_user_id, "group_id": 0,
        "entity_id": t.entity.map(|e| e.1), "entity_type": t.entity.map(|e| e.0.plural()), "duration": t.duration,
        "is_completed": t.is_completed, "task_type_id": t.task_type_id, "text": t.text, "result": result,
        "complete_till": t.complete_till, "account_id": call.account.id,
        "_links": self_link(call.href(&format!("tasks/{}", t.id))),
    })
}

/// Checked keys of a task; absent = untouched.
#[derive(Default)]
pub(crate) struct TaskDraft {
    pub text: Option<String>,
    pub complete_till: Option<i64>,
    pub task_type_id: Option<i64>,
    pub entity: Option<(Kind, i64)>,
    pub responsible_user_id: Option<i64>,
    pub is_completed: Option<bool>,
    pub duration: Option<i64>,
    pub result: Option<String>,
    pub created_by: Option<i64>,
    pub updated_by: Option<i64>,
    pub created_at: Option<i64>,
}

fn read(account: &Account, item: &Object, new: bool, faults: &mut Faults) -> TaskDraft {
    let mut draft = TaskDraft {
        text: text(item, "text", "", faults),
        complete_till: int(item, "complete_till", "", faults),
        task_type_id: int(item, "task_type_id", "", faults),
        responsible_user_id: user(account, item, "responsible_user_id", false, "", faults),
        duration: int(item, "duration", "", faults),
        created_by: user(account, item, "created_by", true, "", faults),
        updated_by: user(account, item, "updated_by", true, "", faults),
        created_at: int(item, "created_at", "", faults),
        result: item
            .get("result")
            .and_then(|r| r.get("text"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..TaskDraft::default()
    };
    if new {
        for (key, absent) in [
            ("text", draft.text.is_none()),
            ("complete_till", draft.complete_till.is_none()),
        ] {
            if absent && !item.contains_key(key) {
                faults.missing(key);
            }
        }
    }
    match item.get("is_completed") {
        None | Some(Value::Null) => {}
        Some(Value::Bool(flag)) => draft.is_completed = Some(*flag),
        Some(_) => faults.invalid_type("is_completed", "bool"),
    }
    if draft
        .task_type_id
        .is_some_and(|id| !account.task_types.iter().any(|t| t.0 == id))
    {
        faults.not_supported("task_type_id");
    }
    if let Some(id) = int(item, "entity_id", "", faults) {
        match item.get("entity_type").and_then(Value::as_str).map(Kind::named) {
            None => faults.missing("entity_type"),
            Some(Some(kind)) if account.alive(kind, id).is_some() => draft.entity = Some((kind, id)),
            Some(Some(_)) => faults.not_supported("entity_id"),
            Some(None) => faults.not_supported("entity_type"),
        }
    }
    draft
}

fn create(call: &mut Call<'_>) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut drafts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        drafts.push(read(call.account, item, true, &mut faults));
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut out = Vec::new();
    for (index, (draft, item)) in drafts.iter().zip(&items).enumerate() {
        let id = call.account.add_task(draft, call.user_id);
        let link = self_link(call.href(&format!("tasks/{id}")));
        out.push(json!({"id": id, "request_id": request_id(item, index), "_links": link}));
    }
    Ok(call.written("tasks", out))
}

fn update(call: &mut Call<'_>, items: Vec<Object>, single: bool) -> Reply {
    let mut faults = Faults::default();
    let mut drafts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
        if !call.account.tasks.contains_key(&id) {
            faults.not_supported("id");
        }
        drafts.push((id, read(call.account, item, false, &mut faults)));
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut out = Vec::new();
    for (index, ((id, draft), item)) in drafts.iter().zip(&items).enumerate() {
        call.account.change_task(*id, draft, call.user_id);
        let updated_at = call.account.tasks.get(id).map(|t| t.updated_at);
        let mut line = json!({"id": id, "updated_at": updated_at, "_links": self_link(call.href(&format!("tasks/{id}")))});
        if !single {
            line["request_id"] = request_id(item, index);
        }
        out.push(line);
    }
    if single && !call.settings.wrapped_single_patch {
        return Ok(Answer::ok(out.remove(0)));
    }
    Ok(call.written("tasks", out))
}

impl Account {
    /// A new task in the name of `author`.
    pub(crate) fn add_task(&mut self, draft: &TaskDraft, author: i64) -> i64 {
        let (id, now) = (self.next("task"), self.now());
        let by = draft.created_by.unwrap_or(author);
        let mut task = Task {
            id,
            entity: draft.entity,
            text: draft.text.clone().unwrap_or_default(),
            task_type_id: draft.task_type_id.unwrap_or(1),
            complete_till: draft.complete_till.unwrap_or(now),
            duration: draft.duration.unwrap_or(0),
            is_completed: draft.is_completed.unwrap_or(false),
            result: None,
            responsible_user_id: draft.responsible_user_id.unwrap_or(author),
            created_by: by,
            updated_by: by,
            created_at: draft.created_at.unwrap_or(now),
            updated_at: now,
        };
        if let Some(text) = &draft.result {
            task.result = Some((self.next("note"), text.clone()));
        }
        let after = json!([{"task": {"id": id, "text": task.text}}]);
        let (kind, entity) = task
            .entity
            .map_or(("task", id), |(kind, id)| (kind.singular(), id));
        self.log("task_added", (kind, entity), by, json!([]), after);
        let item = wire::task(self, &task, None);
        self.tasks.insert(id, task);
        self.owe("add_task", "task", "add", item);
        id
    }

    /// Changes a task in the name of `author`.
    pub(crate) fn change_task(&mut self, id: i64, draft: &TaskDraft, author: i64) {
        let Some(before) = self.tasks.get(&id).cloned() else {
            return;
        };
        let mut task = before.clone();
        task.text = draft.text.clone().unwrap_or(task.text);
        task.task_type_id = draft.task_type_id.unwrap_or(task.task_type_id);
        task.complete_till = draft.complete_till.unwrap_or(task.complete_till);
        task.duration = draft.duration.unwrap_or(task.duration);
        task.is_completed = draft.is_completed.unwrap_or(task.is_completed);
        task.responsible_user_id = draft.responsible_user_id.unwrap_or(task.responsible_user_id);
        task.entity = draft.entity.or(task.entity);
        if let Some(text) = &draft.result {
            task.result = Some((self.next("note"), text.clone()));
        }
        task.updated_by = draft.updated_by.unwrap_or(author);
        task.updated_at = self.now();
        let (kind, entity) = task
            .entity
            .map_or(("task", id), |(kind, id)| (kind.singular(), id));
        let value =
            |t: &Task| json!([{"task": {"id": t.id, "text": t.text, "complete_till": t.complete_till}}]);
        for (changed, event) in [
            (task.is_completed && !before.is_completed, "task_completed"),
            (task.result != before.result, "task_result_added"),
            (task.text != before.text, "task_text_changed"),
            (
                task.complete_till != before.complete_till,
                "task_deadline_changed",
            ),
        ] {
            if changed {
                self.log(
                    event,
                    (kind, entity),
                    task.updated_by,
                    value(&before),
                    value(&task),
                );
            }
        }
        let was = wire::TaskWas {
            text: before.text,
            is_completed: before.is_completed,
            responsible_user_id: before.responsible_user_id,
        };
        let item = wire::task(self, &task, Some(&was));
        let passed_on = task.responsible_user_id != was.responsible_user_id;
        self.tasks.insert(id, task);
        self.owe("update_task", "task", "update", item.clone());
        if passed_on {
            self.owe("responsible_task", "task", "update", item);
        }
    }

    /// Removes a task, as only a person can.
    pub fn delete_task(&mut self, id: i64) -> bool {
        if self.tasks.remove(&id).is_none() {
            return false;
        }
        self.owe(
            "delete_task",
            "task",
            "delete",
            vec![("[id]".to_owned(), id.to_string())],
        );
        true
    }
}
