//! Requests to the server this page came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use api::page::Order;
use domain::id::WorkspaceId;
use gloo_net::http::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::FormData;

use crate::problem::ApiError;
use crate::wire;

/// What every operation answers.
pub type Answer<T> = Result<T, ApiError>;

/// An answer whose kind only its reader knows.
pub type Carried = Arc<dyn Any + Send + Sync>;

/// Something under way.
pub type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

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

/// The address of something that the browser itself fetches, which can send no header: a file, a recording.
pub fn download(path: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    match WORKSPACE.get() {
        Some(workspace) => format!("/api/v1{path}{joint}workspace={workspace}"),
        None => format!("/api/v1{path}"),
    }
}

/// An operation with its arguments, ready to be sent. A value and not a future, so that sending and waiting are
/// compiled once and not for every operation.
pub struct Request<T> {
    call: Call,
    read: fn(&str) -> Option<Carried>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> Request<T> {
    /// Sends it; the answer is of kind `T`.
    pub fn carry(self) -> Pending<Answer<Carried>> {
        Box::pin(transmit(self.call, self.read))
    }

    /// Sends it and unwraps the answer.
    pub async fn send(self) -> Answer<T> {
        self.carry().await.map(unwrap)
    }
}

/// The answer that a request of this kind carried.
pub fn unwrap<T: Send + Sync + 'static>(answer: Carried) -> T {
    answer
        .downcast()
        .ok()
        .and_then(Arc::into_inner)
        .expect("a request carries an answer of its own kind, which nobody else holds yet")
}

fn take<T: DeserializeOwned + Send + Sync + 'static>(text: &str) -> Option<Carried> {
    wire::read::<T>(text)
        .ok()
        .map(|answer| Arc::new(answer) as Carried)
}

/// One request, before it is sent.
pub(super) struct Call {
    method: Method,
    path: String,
    body: Option<String>,
    files: Option<FormData>,
    if_match: Option<i64>,
    request_key: bool,
}

/// The parameter of a list that says which rows come first.
pub(super) fn order(order: Option<Order>) -> String {
    match order {
        Some(Order::Oldest) => "oldest".to_owned(),
        Some(Order::Newest) | None => String::new(),
    }
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
        files: None,
        if_match: None,
        request_key: false,
    }
}

impl Call {
    /// With a body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        // The same writer as the editor of rules uses: a second one would cost more than the blanks.
        self.body = serde_json::to_string_pretty(body).ok();
        self
    }

    /// With files.
    pub(super) fn files(mut self, form: FormData) -> Self {
        self.files = Some(form);
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

    /// It answers this.
    pub(super) fn answers<T: DeserializeOwned + Send + Sync + 'static>(self) -> Request<T> {
        Request {
            call: self,
            read: take::<T>,
            kind: PhantomData,
        }
    }

    /// It answers nothing.
    pub(super) fn done(self) -> Request<()> {
        Request {
            call: self,
            read: |_| Some(Arc::new(())),
            kind: PhantomData,
        }
    }

    async fn exchange(self) -> Answer<(u16, String)> {
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
        let request = match (self.body, self.files) {
            (Some(body), _) => builder.header("content-type", "application/json").body(body),
            // The browser writes the type with the boundary that it chose.
            (None, Some(files)) => builder.body(files),
            (None, None) => builder.build(),
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

async fn transmit(call: Call, read: fn(&str) -> Option<Carried>) -> Answer<Carried> {
    let (status, text) = call.exchange().await?;
    read(&text).ok_or_else(|| ApiError::unreadable(status))
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
