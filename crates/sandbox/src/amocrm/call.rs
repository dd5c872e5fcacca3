//! One authorised request to API v4, and the lists it may ask for.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Object, Reply};
use super::query::Query;
use super::state::Settings;

/// Most items of a list page and of a write.
pub const BATCH_LIMIT: usize = 250;

/// An authorised request.
pub(crate) struct Call<'a> {
    pub account: &'a mut Account,
    pub settings: &'a Settings,
    /// In whose name.
    pub user_id: i64,
    pub is_admin: bool,
    pub method: &'a str,
    /// Scheme, host and prefix for links.
    pub base: &'a str,
    /// Path from `/api/v4`.
    pub path: &'a str,
    pub query: Query,
    pub body: &'a [u8],
}

impl Call<'_> {
    /// The body as an object.
    pub(crate) fn object(&self) -> Result<Object, Answer> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(Answer::problem(400, "Request data should be an object")),
        }
    }

    /// The body as an array of objects, not more than `limit`.
    pub(crate) fn items(&self, limit: usize) -> Result<Vec<Object>, Answer> {
        let Value::Array(list) = self.json()? else {
            return Err(Answer::problem(400, "Request data should be an array"));
        };
        if list.is_empty() {
            return Err(Answer::no_data());
        }
        if list.len() > limit {
            return Err(Answer::problem(422, &format!("Limit {limit} per page")));
        }
        let as_object = |item: Value| match item {
            Value::Object(object) => Ok(object),
            _ => Err(Answer::problem(400, "Request data should be an array of objects")),
        };
        list.into_iter().map(as_object).collect()
    }

    fn json(&self) -> Result<Value, Answer> {
        if self.body.is_empty() {
            return Err(Answer::no_data());
        }
        serde_json::from_slice(self.body).map_err(|_| Answer::problem(400, "Request data is not valid JSON"))
    }

    /// Refuses users without administrator rights.
    pub(crate) fn admin_only(&self) -> Result<(), Answer> {
        if self.is_admin {
            Ok(())
        } else {
            Err(Answer::problem(403, "Admin access only"))
        }
    }

    /// Address of something below `/api/v4`.
    pub(crate) fn href(&self, below: &str) -> String {
        format!("{}/api/v4/{below}", self.base)
    }

    /// Whether `with` names this.
    pub(crate) fn with(&self, what: &str) -> bool {
        self.query.words(&["with"]).contains(&what)
    }

    /// A page of a list; empty lists are 204. `total` adds `_total_items` and `_page_count`.
    pub(crate) fn page<T>(
        &self,
        plural: &str,
        items: Vec<T>,
        total: bool,
        show: impl Fn(T) -> Value,
    ) -> Reply {
        let limit = self
            .query
            .int(&["limit"])
            .unwrap_or(50)
            .clamp(1, BATCH_LIMIT as i64) as usize;
        let page = self.query.int(&["page"]).unwrap_or(1).max(1) as usize;
        let count = items.len();
        let shown: Vec<Value> = items
            .into_iter()
            .skip((page - 1) * limit)
            .take(limit)
            .map(show)
            .collect();
        if shown.is_empty() {
            return Ok(Answer::empty());
        }
        let href = |page: usize| format!("{}{}?{}", self.base, self.path, self.query.with_page(page, limit));
        let mut links = json!({"self": {"href": href(page)}});
        if page * limit < count {
            links["next"] = json!({"href": href(page + 1)});
        }
        let mut body = json!({"_page": page, "_links": links, "_embedded": {plural: shown}});
        if total {
            body["_total_items"] = json!(count);
            body["_page_count"] = json!(count.div_ceil(limit));
        }
        Ok(Answer::ok(body))
    }

    /// `_links.self` of a whole list without pages, with `_total_items`.
    pub(crate) fn whole(&self, plural: &str, items: Vec<Value>) -> Reply {
        if items.is_empty() {
            return Ok(Answer::empty());
        }
        let self_href = format!("{}{}", self.base, self.path);
        Ok(Answer::ok(json!({
            "_total_items": items.len(), "_links": {"self": {"href": self_href}}, "_embedded": {plural: items},
        })))
    }

    /// `{_links, _embedded}` of a write to a collection.
    pub(crate) fn written(&self, plural: &str, items: Vec<Value>) -> Answer {
        let self_href = self.href(self.path.trim_start_matches("/api/v4/"));
        Answer::ok(json!({"_links": {"self": {"href": self_href}}, "_embedded": {plural: items}}))
    }
}
