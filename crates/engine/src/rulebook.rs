//! The published rules of every workspace, compiled once per revision.

use crate::context::Context;
use crate::error::EngineError;
use domain::catalogues::Catalogues;
use domain::compile::{CompiledRule, compile};
use domain::evaluate::Calendar;
use domain::id::{EventId, RuleId, RuleVersionId, WorkspaceId};
use domain::index::RuleIndex;
use domain::time::Zone;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage::published::{self, PublishedRule};
use storage::{Conn, StorageError, accounts, connections};

type Revision = (i64, Option<i64>, Option<i64>);

/// What dispatch needs of one workspace.
pub(crate) struct Book {
    revision: Revision,
    /// Its rules by source and kind of event.
    pub(crate) index: RuleIndex,
    /// Which rule a version belongs to.
    pub(crate) rule_of: HashMap<RuleVersionId, RuleId>,
    /// Some rule has a quiet window.
    pub(crate) has_quiet: bool,
    /// Its zone.
    pub(crate) zone: Zone,
    /// Its working hours and holidays.
    pub(crate) calendar: Calendar,
}

/// Keeps the books of all workspaces.
#[derive(Default)]
pub(crate) struct Rulebook {
    books: Mutex<HashMap<WorkspaceId, Arc<Book>>>,
}

impl Rulebook {
    /// The book of a workspace as it is published now.
    pub(crate) async fn book(
        &self,
        context: &Context,
        workspace: WorkspaceId,
    ) -> Result<Arc<Book>, EngineError> {
        let revision = published::revision(&context.db, workspace).await?;
        if let Some(book) = self.lock().get(&workspace)
            && book.revision == revision
        {
            return Ok(Arc::clone(book));
        }
        let book = Arc::new(build(context, workspace, revision).await?);
        self.lock().insert(workspace, Arc::clone(&book));
        Ok(book)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<WorkspaceId, Arc<Book>>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A book without rules: zone and calendar of a workspace.
pub(crate) async fn frame(context: &Context, workspace: WorkspaceId) -> Result<Book, EngineError> {
    let workspace = accounts::workspace(&context.db, workspace).await?;
    Ok(Book {
        revision: (0, None, None),
        index: RuleIndex::default(),
        rule_of: HashMap::new(),
        has_quiet: false,
        zone: crate::zone::zone(&workspace.zone),
        calendar: workspace.calendar.unwrap_or_default(),
    })
}

/// The rules in the versions that looked at an event.
pub(crate) async fn of_event(
    context: &Context,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Book, EngineError> {
    let rules = published::of_event(&context.db, workspace, event).await?;
    bind(context, workspace, rules).await
}

async fn build(context: &Context, workspace: WorkspaceId, revision: Revision) -> Result<Book, EngineError> {
    let rules = published::published(&context.db, workspace).await?;
    Ok(Book {
        revision,
        ..bind(context, workspace, rules).await?
    })
}

/// Compiles rules against the catalogues of today.
async fn bind(
    context: &Context,
    workspace: WorkspaceId,
    rules: Vec<Result<PublishedRule, StorageError>>,
) -> Result<Book, EngineError> {
    let catalogues = catalogues(&context.db, workspace).await?;
    let mut compiled: Vec<(RuleVersionId, i64, Arc<CompiledRule>)> = Vec::new();
    let mut rule_of = HashMap::new();
    for rule in rules {
        match rule {
            Ok(rule) => {
                rule_of.insert(rule.version, rule.rule);
                let (ready, _) = compile(&rule.document, &catalogues);
                compiled.push((rule.version, i64::from(rule.position), Arc::new(ready)));
            }
            Err(error) => tracing::error!(%workspace, %error, "опубликованное правило не читается"),
        }
    }
    Ok(Book {
        has_quiet: compiled.iter().any(|(_, _, ready)| ready.rule().quiet_secs > 0),
        index: RuleIndex::build(compiled),
        rule_of,
        ..frame(context, workspace).await?
    })
}

/// The catalogues of all connections of a workspace.
pub(crate) async fn catalogues(conn: &impl Conn, workspace: WorkspaceId) -> Result<Catalogues, EngineError> {
    let mut all = Catalogues::new();
    for connection in connections::list(conn, workspace).await? {
        // One that was never read offers nothing to refer to, and the compiler says so.
        if let Some(catalogue) = connections::catalogue(conn, workspace, connection.id).await? {
            all.insert_named(connection.id, connection.kind, connection.name, catalogue);
        }
    }
    Ok(all)
}
