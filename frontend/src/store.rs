//! What is loaded once and used by every page: the session, the clock, connections and their catalogues.

mod live;
mod stops;
mod zone;

use std::collections::HashSet;
use std::time::Duration;

use api::connection::Connection;
use api::session::SessionState;
use api::stop::Stop;
use api::workspace::{Membership, Role};
use domain::catalogues::Catalogues;
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::{Timestamp, Zone};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api as client;
use crate::names::Names;
use crate::problem::ApiError;

use live::Live;
pub use live::Topic;

const TICK: Duration = Duration::from_secs(5);
const CHOSEN: &str = "workspace";

/// The store of this page. Cheap to copy; take it before any `await`.
#[derive(Clone, Copy)]
pub struct Store {
    session: RwSignal<Option<SessionState>>,
    failed: RwSignal<Option<ApiError>>,
    workspace: RwSignal<Option<WorkspaceId>>,
    connections: RwSignal<Vec<Connection>>,
    catalogues: RwSignal<Catalogues>,
    asked: StoredValue<HashSet<ConnectionId>>,
    zone: RwSignal<Zone>,
    now: RwSignal<Timestamp>,
    stops: RwSignal<Vec<Stop>>,
    live: Live,
}

impl Store {
    /// Makes the store at the root and begins to load.
    pub fn provide() -> Self {
        let store = Self {
            session: RwSignal::new(None),
            failed: RwSignal::new(None),
            workspace: RwSignal::new(None),
            connections: RwSignal::new(Vec::new()),
            catalogues: RwSignal::new(Catalogues::new()),
            asked: StoredValue::new(HashSet::new()),
            zone: RwSignal::new(zone::of_browser()),
            now: RwSignal::new(present()),
            stops: RwSignal::new(Vec::new()),
            live: Live::new(),
        };
        provide_context(store);
        set_interval(move || store.now.set(present()), TICK);
        client::on_signed_out(move || {
            store.live.listen(None);
            store.session.update(forget_user);
        });
        store.follow_stops();
        store.follow(&[Topic::Connections], move || {
            if store.workspace.get_untracked().is_some() {
                store.load_connections();
            }
        });
        store.load_session();
        store
    }

    /// The one of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Asks the server who is signed in.
    pub fn load_session(self) {
        self.failed.set(None);
        spawn_local(async move {
            match client::sessions::get_session().send().await {
                Ok(session) => self.enter(session),
                Err(error) => self.failed.set(Some(error)),
            }
        });
    }

    /// Takes over a session: after signing in, or at the start.
    pub fn enter(self, session: SessionState) {
        let chosen = stored_workspace();
        let workspace = session
            .workspaces
            .iter()
            .find(|membership| Some(membership.workspace_id) == chosen)
            .or_else(|| session.workspaces.first())
            .map(|membership| membership.workspace_id);
        self.choose(workspace.filter(|_| session.user.is_some()));
        self.session.set(Some(session));
    }

    /// Goes to another workspace, or to none.
    pub fn choose(self, workspace: Option<WorkspaceId>) {
        // After a session has ended the same workspace is listened to anew.
        self.live.listen(workspace);
        if self.workspace.get_untracked() == workspace {
            return;
        }
        client::choose_workspace(workspace);
        if let (Some(id), Ok(Some(storage))) = (workspace, window().local_storage()) {
            let _ = storage.set_item(CHOSEN, &id.to_string());
        }
        self.asked.set_value(HashSet::new());
        self.catalogues.set(Catalogues::new());
        self.connections.set(Vec::new());
        self.workspace.set(workspace);
        if workspace.is_some() {
            self.load_workspace();
        }
    }

    fn load_workspace(self) {
        self.load_connections();
        spawn_local(async move {
            if let Ok(workspace) = client::workspace::get_workspace().send().await
                && let Some(zone) = zone::by_name(&workspace.zone)
            {
                self.zone.set(zone);
            }
        });
    }

    /// Reads the connections again.
    pub fn load_connections(self) {
        spawn_local(async move {
            if let Ok(page) = client::connections::list_connections().send().await {
                self.set_connections(page.items);
            }
        });
    }

    /// Takes over a list of connections that a page has loaded.
    pub fn set_connections(self, list: Vec<Connection>) {
        for connection in &list {
            self.ask(connection);
        }
        if self.connections.with_untracked(|old| *old != list) {
            self.connections.set(list);
        }
    }

    fn ask(self, connection: &Connection) {
        let (id, kind, name) = (connection.id, connection.kind, connection.name.clone());
        let first = self.asked.try_update_value(|asked| asked.insert(id)) == Some(true);
        if !first || connection.status.catalogue_at.is_none() {
            return;
        }
        let workspace = self.workspace.get_untracked();
        spawn_local(async move {
            match client::connections::get_catalogue(id).send().await {
                Ok(view) if self.workspace.get_untracked() == workspace => {
                    self.catalogues
                        .update(|all| all.insert_named(id, kind, name, view.catalogue));
                }
                Ok(_) => {}
                // Another page may ask again.
                Err(_) => {
                    self.asked.try_update_value(|asked| asked.remove(&id));
                }
            }
        });
    }

    /// Puts in a catalogue that was just refreshed.
    pub fn set_catalogue(self, connection: &Connection, catalogue: domain::catalogue::Catalogue) {
        let (id, kind, name) = (connection.id, connection.kind, connection.name.clone());
        self.asked.try_update_value(|asked| asked.insert(id));
        self.catalogues
            .update(|all| all.insert_named(id, kind, name, catalogue));
    }

    /// Calls `again` whenever something of these topics has changed, for as long as the page is there.
    pub fn follow(self, topics: &'static [Topic], again: impl Fn() + 'static) {
        let live = self.live;
        Effect::new(move |first: Option<()>| {
            for topic in topics {
                live.track(*topic);
            }
            if first.is_some() {
                again();
            }
        });
    }

    /// The session; `None` until the server has answered.
    pub fn session(self) -> Option<SessionState> {
        self.session.get()
    }

    /// Why the session could not be loaded.
    pub fn failed(self) -> Option<ApiError> {
        self.failed.get()
    }

    /// Somebody is signed in; `None` until that is known.
    pub fn signed_in(self) -> Option<bool> {
        self.session
            .with(|session| session.as_ref().map(|session| session.user.is_some()))
    }

    /// The workspace chosen, with the person's role.
    pub fn membership(self) -> Option<Membership> {
        let chosen = self.workspace.get()?;
        self.session.with(|session| {
            session
                .as_ref()?
                .workspaces
                .iter()
                .find(|membership| membership.workspace_id == chosen)
                .cloned()
        })
    }

    /// The person may do what this role may.
    pub fn may(self, role: Role) -> bool {
        self.membership()
            .is_some_and(|membership| membership.role >= role)
    }

    /// The workspace chosen.
    pub fn workspace(self) -> Option<WorkspaceId> {
        self.workspace.get()
    }

    /// Every connection.
    pub fn connections(self) -> Vec<Connection> {
        self.connections.get()
    }

    /// A connection's CRM.
    pub fn kind_of(self, id: ConnectionId) -> Option<ConnectorKind> {
        self.connections.with(|all| {
            all.iter()
                .find(|connection| connection.id == id)
                .map(|connection| connection.kind)
        })
    }

    /// A connection's name.
    pub fn connection_name(self, id: ConnectionId) -> Option<String> {
        self.connections.with(|all| {
            all.iter()
                .find(|connection| connection.id == id)
                .map(|connection| connection.name.clone())
        })
    }

    /// What the connections offer, as far as loaded.
    pub fn catalogues(self) -> Catalogues {
        self.catalogues.get()
    }

    /// Names as a connection sees them.
    pub fn names(self, main: Option<ConnectionId>, others: &[ConnectionId]) -> Names {
        let now = self.now.get_untracked();
        let zone = self.zone.get();
        self.catalogues
            .with(|all| Names::around(all, main, others, zone, now))
    }

    /// The workspace's zone.
    pub fn zone(self) -> Zone {
        self.zone.get()
    }

    /// The present moment, every few seconds.
    pub fn now(self) -> Timestamp {
        self.now.get()
    }
}

fn forget_user(session: &mut Option<SessionState>) {
    if let Some(session) = session {
        session.user = None;
    }
}

fn stored_workspace() -> Option<WorkspaceId> {
    let storage = window().local_storage().ok()??;
    storage.get_item(CHOSEN).ok()??.parse().ok()
}

/// The present moment by the browser's clock.
pub fn present() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}
