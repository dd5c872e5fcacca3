//! Requests to the server this page came from.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use domain::id::WorkspaceId;
use gloo_net::http::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;
use crate::wire;

/// A future of one size, whatever is in it.
type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// What every operation answers.
pub type Answer<T> = Result<T, ApiError>;

type Listener = Rc<dyn Fn()>;

thread_local! {
    static SIGNED_OUT: RefCell<Option<Listener>> = const { RefCell::new(None) };
    static WORKSPACE: Cell<Option<WorkspaceId>> = const { Cell::new(None) };
}

/// Sets what happens when the server says that nobody is signed in any more.
pub fn on_signed_out(listener: impl Fn() + 'static) {
    SIGNED_OUT.set(Some(Rc::new(listener)));
}

/// Sets the workspace that requests are about.
pub fn choose_workspace(workspace: Option<WorkspaceId>) {
    WORKSPACE.set(workspace);
}

/// One request, before it is sent.
pub(super) struct Call {
    method: Method,
    path: String,
    body: Option<String>,
    if_match: Option<i64>,
    request_key: bool,
}

pub(super) fn get(path: impl Into<String>) -> Call {
    call(Method::GET, path)
}

pub(super) fn post(path: impl Into<String>) -> Call {
    call(Method::POST, path)
}

pub(super) fn put(path: impl Into<String>) -> Call {
    call(Method::PUT, path)
}

pub(super) fn patch(path: impl Into<String>) -> Call {
    call(Method::PATCH, path)
}

pub(super) fn delete(path: impl Into<String>) -> Call {
    call(Method::DELETE, path)
}

fn call(method: Method, path: impl Into<String>) -> Call {
    Call {
        method,
        path: path.into(),
        body: None,
        if_match: None,
        request_key: false,
    }
}

impl Call {
    /// With a body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_string(body).ok();
        self
    }

    /// Only if the row still has this version.
    pub(super) fn if_match(mut self, version: i64) -> Self {
        self.if_match = Some(version);
        self
    }

    /// A creation: with a key, so that a request repeated by the network makes one thing.
    pub(super) fn once(mut self) -> Self {
        self.request_key = true;
        self
    }

    /// Sends it and reads the answer.
    pub(super) async fn send<T: DeserializeOwned>(self) -> Answer<T> {
        let (status, text) = self.exchange().await?;
        wire::read(&text).map_err(|_| ApiError::unreadable(status))
    }

    /// Sends it; the answer has nothing to read.
    pub(super) async fn done(self) -> Answer<()> {
        self.exchange().await.map(drop)
    }

    // One boxed future for every operation, or each would carry a copy of all this.
    fn exchange(self) -> Boxed<Answer<(u16, String)>> {
        Box::pin(self.talk())
    }

    async fn talk(self) -> Answer<(u16, String)> {
        let mut builder = RequestBuilder::new(&format!("/api/v1{}", self.path))
            .method(self.method)
            .header("accept", "application/json")
            .header("x-requested-with", "integrator");
        if let Some(workspace) = WORKSPACE.get() {
            builder = builder.header("x-workspace-id", &workspace.to_string());
        }
        if let Some(version) = self.if_match {
            builder = builder.header("if-match", &format!("\"{version}\""));
        }
        if self.request_key {
            builder = builder.header("idempotency-key", &request_key());
        }
        let request = match self.body {
            Some(body) => builder.header("content-type", "application/json").body(body),
            None => builder.build(),
        };
        let answer = match request {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        }
        .map_err(|_| ApiError::offline())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|_| ApiError::offline())?;
        if answer.ok() {
            return Ok((status, text));
        }
        let error = ApiError::from_answer(status, &text);
        if error.is_signed_out() {
            let listener = SIGNED_OUT.with_borrow(Clone::clone);
            if let Some(listener) = listener {
                listener();
            }
        }
        Err(error)
    }
}

/// Unique enough to tell the requests of one workspace apart for a day.
fn request_key() -> String {
    let random = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!(
        "ui-{:x}-{:08x}{:08x}",
        js_sys::Date::now() as u64,
        random(),
        random()
    )
}
