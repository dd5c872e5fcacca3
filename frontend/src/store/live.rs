//! What changes, told by the server as it happens: one stream for the whole tab.

use std::cell::RefCell;
use std::time::Duration;

use domain::id::WorkspaceId;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

/// A tab without a stream asks this often instead, and tries to listen again.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// What a change is about: the words of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Events and what rules made of them.
    Events,
    /// Deliveries.
    Deliveries,
    /// Connections: state, catalogue.
    Connections,
    /// Rules.
    Rules,
    /// Emergency stops.
    Stops,
}

const WORDS: [&str; 5] = ["events", "deliveries", "connections", "rules", "stops"];

thread_local! {
    static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
}

/// Listens for the tab. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Live {
    turns: [RwSignal<u32>; WORDS.len()],
    workspace: RwSignal<Option<WorkspaceId>>,
}

impl Live {
    /// Listens to nothing yet.
    pub fn new() -> Self {
        let live = Self {
            turns: WORDS.map(|_| RwSignal::new(0)),
            workspace: RwSignal::new(None),
        };
        // A tab that nobody looks at keeps no connection: a browser has only six of them for all tabs of a site.
        window_event_listener_untyped("visibilitychange", move |_| live.open());
        set_interval(move || live.keep(), ASK_EVERY);
        live
    }

    /// Listens to this workspace from now on, or to none.
    pub fn listen(self, workspace: Option<WorkspaceId>) {
        self.workspace.set(workspace);
        self.open();
    }

    /// Follows what is told about a topic.
    pub fn track(self, topic: Topic) {
        self.turns[topic as usize].track();
    }

    fn open(self) {
        let wanted = self.workspace.get_untracked().filter(|_| !document().hidden());
        STREAM.set(wanted.and_then(|workspace| Stream::open(workspace, self)));
    }

    fn keep(self) {
        if self.workspace.get_untracked().is_none() || document().hidden() {
            return;
        }
        let state = STREAM.with_borrow(|stream| stream.as_ref().map(|stream| stream.source.ready_state()));
        match state {
            Some(EventSource::OPEN) => {}
            Some(EventSource::CONNECTING) => self.all(),
            _ => {
                self.all();
                self.open();
            }
        }
    }

    fn told(self, words: &str) {
        for word in words.split(',') {
            if let Some(at) = WORDS.iter().position(|known| *known == word) {
                self.turns[at].update(|turn| *turn = turn.wrapping_add(1));
            }
        }
    }

    fn all(self) {
        for turn in self.turns {
            turn.update(|turn| *turn = turn.wrapping_add(1));
        }
    }
}

/// An open stream; closed when dropped.
struct Stream {
    source: EventSource,
    _opened: Closure<dyn Fn()>,
    _changed: Closure<dyn Fn(MessageEvent)>,
    _ended: Closure<dyn Fn()>,
}

impl Stream {
    fn open(workspace: WorkspaceId, live: Live) -> Option<Self> {
        let source = EventSource::new(&format!("/api/v1/stream?workspace={workspace}")).ok()?;
        // Something may have changed since what is shown was read.
        let opened = Closure::<dyn Fn()>::new(move || live.all());
        let changed = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            live.told(&event.data().as_string().unwrap_or_default());
        });
        let closing = source.clone();
        let ended = Closure::<dyn Fn()>::new(move || {
            closing.close();
            // Whoever asks now is told that the session is over, and the page says so.
            live.all();
        });
        let listen =
            |name, callback: &js_sys::Function| source.add_event_listener_with_callback(name, callback).ok();
        listen("open", opened.as_ref().unchecked_ref())?;
        listen("changed", changed.as_ref().unchecked_ref())?;
        listen("ended", ended.as_ref().unchecked_ref())?;
        Some(Self {
            source,
            _opened: opened,
            _changed: changed,
            _ended: ended,
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}
