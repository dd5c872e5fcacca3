//! Work that waits: done in pauses of typing, never under a pressed button, and in pieces between which the browser
//! may draw.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;

/// How long a piece of work may go on, in milliseconds; on a slow telephone the last step of it takes longer.
const PIECE_MS: f64 = 4.0;

/// The longest press that is waited for, in milliseconds: the list of a native choice keeps the release to itself.
const PRESS_MS: f64 = 1_000.0;
/// How often the end of a press is looked for.
const AGAIN: Duration = Duration::from_millis(60);

/// Does something as a task of its own, after what the browser has to do now.
pub fn next(work: impl FnOnce() + 'static) {
    set_timeout(work, Duration::ZERO);
}

/// Does something repeatedly until it says that it is done; the browser may draw in between.
pub fn in_pieces(mut step: impl FnMut() -> Step + 'static) {
    let begun = js_sys::Date::now();
    while js_sys::Date::now() - begun < PIECE_MS {
        if step() == Step::Last {
            return;
        }
    }
    let step: Box<dyn FnMut() -> Step> = Box::new(step);
    next(move || in_pieces(step));
}

/// Whether there is more to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be.
    More,
    /// That was the last one.
    Last,
}

/// Whether a button of the mouse, a finger or a pen is down on this page.
///
/// What is drawn anew between press and release moves the button from under the pointer, and the click is lost.
#[derive(Clone, Copy)]
pub struct Pressed(StoredValue<Option<f64>>);

impl Pressed {
    /// Watches the window as long as the page is there.
    pub fn watch() -> Self {
        let since = StoredValue::new(None);
        let down = window_event_listener(ev::pointerdown, move |_| {
            since.set_value(Some(js_sys::Date::now()))
        });
        let up = window_event_listener(ev::pointerup, move |_| since.set_value(None));
        let lost = window_event_listener(ev::pointercancel, move |_| since.set_value(None));
        on_cleanup(move || {
            down.remove();
            up.remove();
            lost.remove();
        });
        Self(since)
    }

    /// Does something at once, or when it is up again.
    pub fn when_up(self, work: impl FnOnce() + 'static) {
        let since = self.0.try_get_value().flatten();
        if since.is_some_and(|since| js_sys::Date::now() - since < PRESS_MS) {
            let work: Box<dyn FnOnce()> = Box::new(work);
            set_timeout(move || self.when_up(work), AGAIN);
        } else {
            work();
        }
    }
}
