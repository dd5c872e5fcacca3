//! What is loaded from the server: kept while it is loaded again, so that pages do not flicker.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{ErrorBox, Skeletons};
use crate::api::Answer;
use crate::problem::ApiError;

/// Something loaded from the server.
pub struct Remote<T: Send + Sync + 'static> {
    data: RwSignal<Option<T>>,
    error: RwSignal<Option<ApiError>>,
    turn: RwSignal<u32>,
    latest: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Remote<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Remote<T> {
    /// Loads now, and again whenever a signal changes that `fetch` reads before its first `await`.
    pub fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Answer<T>> + 'static,
    {
        let remote = Self {
            data: RwSignal::new(None),
            error: RwSignal::new(None),
            turn: RwSignal::new(0),
            latest: StoredValue::new(0),
        };
        Effect::new(move |_| {
            remote.turn.track();
            let mine = remote.latest.get_value().wrapping_add(1);
            remote.latest.set_value(mine);
            let answer = fetch();
            spawn_local(async move {
                let answer = answer.await;
                // A later request has been sent, or the page is gone.
                if remote.latest.try_get_value() != Some(mine) {
                    return;
                }
                match answer {
                    Ok(data) => remote.set(data),
                    Err(error) => remote.error.set(Some(error)),
                }
            });
        });
        remote
    }

    /// What was last loaded.
    pub fn get(self) -> Option<T> {
        self.data.get()
    }

    /// What was last loaded, looked at in place.
    pub fn with<R>(self, look: impl FnOnce(Option<&T>) -> R) -> R {
        self.data.with(|data| look(data.as_ref()))
    }

    /// What was last loaded, without following it.
    pub fn now(self) -> Option<T> {
        self.data.try_get_untracked().flatten()
    }

    /// Puts in what another request answered.
    pub fn set(self, data: T) {
        self.error.try_update(|error| *error = None);
        if self.data.try_with_untracked(|old| old.as_ref() != Some(&data)) == Some(true) {
            self.data.set(Some(data));
        }
    }

    /// Why the last request failed.
    pub fn error(self) -> Option<ApiError> {
        self.error.get()
    }

    /// Loads again.
    pub fn reload(self) {
        self.turn.try_update(|turn| *turn = turn.wrapping_add(1));
    }
}

/// Draws what is loaded; before that a skeleton, and an error with a button that loads again.
pub fn loaded<T, V>(remote: Remote<T>, draw: impl Fn(T) -> V + Send + Sync + 'static) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let failure = move || {
        remote.error().map(|error| {
            view! { <ErrorBox error=error retry=move |()| remote.reload() /> }
        })
    };
    let missing =
        Memo::new(move |_| remote.with(|data| data.is_none()) && remote.error.with(Option::is_none));
    view! {
        {failure}
        {move || missing.get().then(|| view! { <Skeletons /> })}
        {move || remote.get().map(|data| draw(data).into_any())}
    }
}

/// Does something at the server after a person asked for it; `busy` tells that it is under way.
pub fn run<T, Fut>(busy: RwSignal<bool>, request: Fut, then: impl FnOnce(Answer<T>) + 'static)
where
    T: 'static,
    Fut: Future<Output = Answer<T>> + 'static,
{
    if busy.get_untracked() {
        return;
    }
    busy.set(true);
    spawn_local(async move {
        let answer = request.await;
        busy.try_update(|busy| *busy = false);
        then(answer);
    });
}
