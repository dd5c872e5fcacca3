//! What is loaded from the server: kept while it is loaded again, so that pages do not flicker.
//!
//! The machinery does not know what it carries: it is compiled once and not once for every kind of answer.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{ErrorBox, Skeletons};
use crate::api::{Answer, Carried, Pending, Request, unwrap};
use crate::problem::ApiError;

/// Something loaded from the server.
pub struct Remote<T> {
    core: Core,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Remote<T> {}

#[derive(Clone, Copy)]
struct Core {
    data: RwSignal<Option<Carried>>,
    error: RwSignal<Option<ApiError>>,
    turn: RwSignal<u32>,
    latest: StoredValue<u32>,
    /// A request is under way, and whether another is wanted after it.
    busy: StoredValue<(bool, bool)>,
    same: fn(&dyn Any, &dyn Any) -> bool,
}

impl Core {
    fn start(self, fetch: Box<dyn Fn() -> Pending<Answer<Carried>>>) {
        Effect::new(move |_| {
            self.turn.track();
            let mine = self.latest.get_value().wrapping_add(1);
            self.latest.set_value(mine);
            self.busy.set_value((true, false));
            let answer = fetch();
            spawn_local(async move {
                let answer = answer.await;
                // A later request has been sent, or the page is gone.
                if self.latest.try_get_value() != Some(mine) {
                    return;
                }
                match answer {
                    Ok(data) => self.set(data),
                    Err(error) => self.error.set(Some(error)),
                }
                let again = self.busy.try_update_value(|busy| std::mem::take(busy).1);
                if again == Some(true) {
                    self.reload();
                }
            });
        });
    }

    fn set(self, data: Carried) {
        self.error.try_update(|error| *error = None);
        let changed = self.data.try_with_untracked(|old| match old {
            Some(old) => !(self.same)(&**old, &*data),
            None => true,
        });
        if changed == Some(true) {
            self.data.set(Some(data));
        }
    }

    /// Asks again, after the answer that is under way: changes that come quicker than answers must not keep every
    /// answer from being shown.
    fn reload(self) {
        let waits = self.busy.try_update_value(|busy| {
            busy.1 = busy.0;
            busy.0
        });
        if waits == Some(true) {
            return;
        }
        self.turn.try_update(|turn| *turn = turn.wrapping_add(1));
    }

    fn draw(self, draw: Box<dyn Fn(Carried) -> AnyView + Send + Sync>) -> AnyView {
        let failure = move || {
            self.error
                .get()
                .map(|error| view! { <ErrorBox error=error retry=move |()| self.reload() /> })
        };
        let missing = Memo::new(move |_| self.data.with(Option::is_none) && self.error.with(Option::is_none));
        view! {
            {failure}
            {move || missing.get().then(|| view! { <Skeletons /> }).into_any()}
            {move || self.data.get().map(&draw)}
        }
        .into_any()
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Remote<T> {
    /// Loads now, and again whenever a signal changes that `ask` reads.
    pub fn new(ask: impl Fn() -> Request<T> + 'static) -> Self {
        Self::begin(Box::new(move || ask().carry()))
    }

    /// The same for what takes more than one request. Signals are followed that are read before the first
    /// `await`.
    pub fn of<Fut>(ask: impl Fn() -> Fut + 'static) -> Self
    where
        Fut: Future<Output = Answer<T>> + 'static,
    {
        Self::begin(Box::new(move || {
            let answer = ask();
            Box::pin(async move { answer.await.map(|data| Arc::new(data) as Carried) })
        }))
    }

    fn begin(fetch: Box<dyn Fn() -> Pending<Answer<Carried>>>) -> Self {
        let core = Core {
            data: RwSignal::new(None),
            error: RwSignal::new(None),
            turn: RwSignal::new(0),
            latest: StoredValue::new(0),
            busy: StoredValue::new((false, false)),
            same: |old, new| old.downcast_ref::<T>() == new.downcast_ref::<T>(),
        };
        core.start(fetch);
        Self {
            core,
            kind: PhantomData,
        }
    }

    /// What was last loaded.
    pub fn get(self) -> Option<T> {
        self.with(|data| data.cloned())
    }

    /// What was last loaded, looked at in place.
    pub fn with<R>(self, look: impl FnOnce(Option<&T>) -> R) -> R {
        let data = self.core.data.get();
        look(data.as_ref().and_then(|data| data.downcast_ref()))
    }

    /// What was last loaded, without following it.
    pub fn now(self) -> Option<T> {
        let data = self.core.data.try_get_untracked().flatten()?;
        data.downcast_ref().cloned()
    }

    /// Puts in what another request answered.
    pub fn set(self, data: T) {
        self.core.set(Arc::new(data));
    }

    /// Loads again.
    pub fn reload(self) {
        self.core.reload();
    }
}

/// Draws what is loaded; before that a skeleton, and an error with a button that loads again.
pub fn loaded<T, V>(remote: Remote<T>, draw: impl Fn(T) -> V + Send + Sync + 'static) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + 'static,
    V: IntoView + 'static,
{
    remote
        .core
        .draw(Box::new(move |data| match data.downcast_ref::<T>() {
            Some(data) => draw(data.clone()).into_any(),
            None => ().into_any(),
        }))
}

/// Does something at the server after a person asked for it; `busy` tells that it is under way.
pub fn run<T>(busy: RwSignal<bool>, request: Request<T>, then: impl FnOnce(Answer<T>) + 'static)
where
    T: Send + Sync + 'static,
{
    begin(
        busy,
        request.carry(),
        Box::new(move |answer| then(answer.map(unwrap))),
    );
}

/// The same for what takes more than one request.
pub fn run_all<T, Fut>(busy: RwSignal<bool>, requests: Fut, then: impl FnOnce(Answer<T>) + 'static)
where
    T: Send + Sync + 'static,
    Fut: Future<Output = Answer<T>> + 'static,
{
    let work = Box::pin(async move { requests.await.map(|data| Arc::new(data) as Carried) });
    begin(busy, work, Box::new(move |answer| then(answer.map(unwrap))));
}

fn begin(busy: RwSignal<bool>, work: Pending<Answer<Carried>>, then: Box<dyn FnOnce(Answer<Carried>)>) {
    if busy.get_untracked() {
        return;
    }
    busy.set(true);
    spawn_local(async move {
        let answer = work.await;
        if answer.as_ref().is_err_and(ApiError::is_signed_out) {
            // The page is being left for the sign-in; what it drew must not be touched any more.
            return;
        }
        busy.try_update(|busy| *busy = false);
        then(answer);
    });
}
