//! A file through the real program over both sandboxes, killed three times on the way: every row exactly once.
//!
//! A CRM that allows seven requests a second would take hours for such a file, and what is asked is whether rows are
//! lost or doubled. So a rule turns each row into a result of a call, which the hub stores itself: the whole way of an
//! event, rule and delivery, without a remote call at its end.

use crate::Options;
use crate::hub::{self, KEY};
use crate::import::begin;
use crate::usage::Measured;
use anyhow::{Context as _, Result, ensure};
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, ImportId, WorkspaceId};
use domain::rule::Rule;
use engine::imports::{Import, Imports};
use engine::{Engine, Settings};
use sandbox::Sandbox;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use storage::audit::Actor;
use storage::call_results::{self, CallFilter, Order};
use storage::import_rows::{self, RowState};
use storage::imports::ImportState;
use storage::{Db, accounts, connections};

/// How often progress is looked at while the file is read.
const GLANCE: Duration = Duration::from_millis(5);
/// How often it is looked at while rows are carried out: counting is work too.
const LOOK: Duration = Duration::from_millis(500);
/// A run that is not done by then has failed.
const PATIENCE: Duration = Duration::from_secs(3600);

pub async fn run(options: &Options, file: &Path) -> Result<()> {
    println!(
        "\n### {} строк через настоящую программу, SIGKILL при чтении и дважды при выполнении\n",
        options.n_rows
    );
    println!("| | выполнено | потеряно | дважды | смертей | строк/с | всего, с | память, МБ | пик, МБ |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, url) in &options.databases {
        one(options, name, url, file).await?;
    }
    Ok(())
}

struct Demo {
    program: String,
    variables: Vec<(&'static str, String)>,
    engine: Engine,
    workspace: WorkspaceId,
    lptracker: ConnectionId,
}

impl Demo {
    async fn start(&self) -> Result<Measured> {
        Measured::start(&self.program, &["serve"], &self.variables).await
    }

    fn imports(&self) -> Imports {
        self.engine.imports()
    }

    async fn import(&self, id: ImportId) -> Result<Import> {
        Ok(self.imports().find(self.workspace, id).await?)
    }

    /// Rows of each state.
    async fn count(&self, id: ImportId, state: RowState) -> Result<i64> {
        let counts = import_rows::counts(self.engine.db(), self.workspace, id).await?;
        Ok(counts.iter().find(|(it, _)| *it == state).map_or(0, |(_, n)| *n))
    }

    /// Waits until the rows read have grown to a number.
    async fn read(&self, id: ImportId, n_rows: i64) -> Result<()> {
        let started = Instant::now();
        loop {
            let import = self.import(id).await?;
            if import.n_rows >= n_rows || import.state == ImportState::Checked {
                return Ok(());
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "файл не прочитан: {:?}",
                import.error
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until so many rows are carried out.
    async fn done(&self, id: ImportId, n_rows: i64) -> Result<()> {
        let started = Instant::now();
        while self.count(id, RowState::Done).await? < n_rows {
            ensure!(started.elapsed() < PATIENCE, "строки не выполнены");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

async fn one(options: &Options, name: &str, url: &str, file: &Path) -> Result<()> {
    let n_rows = i64::try_from(options.n_rows)?;
    let place = hub::Place::new(name, url).await?;
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::start(sandbox::Options::demo());
    let variables = vec![
        ("INTEGRATOR_SERVER__PORT", "0".to_owned()),
        ("INTEGRATOR_DATABASE__URL", place.url().to_owned()),
        ("INTEGRATOR_VAULT__KEY", KEY.to_owned()),
        (
            "INTEGRATOR_FILES__FOLDER",
            folder.path().to_string_lossy().into_owned(),
        ),
        ("INTEGRATOR_DEMO__AMOCRM_URL", sandbox.amocrm_url.clone()),
        ("INTEGRATOR_DEMO__LPTRACKER_URL", sandbox.lptracker_url.clone()),
    ];
    // The first start sets the demo up.
    let server = Measured::start(&options.integrator, &["serve"], &variables).await?;
    let db = Db::connect(place.url(), 2).await?;
    let workspace = accounts::workspaces(&db)
        .await?
        .first()
        .context("нет кабинета")?
        .id;
    let all = connections::list(&db, workspace).await?;
    let lptracker = all.iter().find(|it| it.kind == ConnectorKind::Lptracker);
    let settings = Settings {
        files: folder.path().to_owned(),
        ..Settings::default()
    };
    let demo = Demo {
        program: options.integrator.clone(),
        variables,
        lptracker: lptracker.context("нет LPTracker")?.id,
        engine: hub::engine(db, settings)?,
        workspace,
    };
    publish(&demo).await?;

    let id = begin(&demo.imports(), workspace, demo.lptracker, file).await?.id;
    demo.imports().check(workspace, id).await?;
    demo.read(id, n_rows / 3).await?;
    server.kill().await?;
    let died_at = demo.import(id).await?;
    ensure!(
        died_at.state == ImportState::Checking,
        "файл прочитан раньше смерти"
    );

    let server = demo.start().await?;
    demo.read(id, n_rows).await?;
    while demo.import(id).await?.state == ImportState::Checking {
        tokio::time::sleep(GLANCE).await;
    }
    demo.imports().start(workspace, &Actor::system(), id).await?;
    let started = Instant::now();
    demo.done(id, n_rows / 4).await?;
    server.kill().await?;
    let server = demo.start().await?;
    demo.done(id, n_rows * 3 / 5).await?;
    server.kill().await?;
    let server = demo.start().await?;
    while demo.import(id).await?.state == ImportState::Running {
        ensure!(started.elapsed() < PATIENCE, "загрузка не кончилась");
        tokio::time::sleep(LOOK).await;
    }
    let (elapsed, used) = (started.elapsed(), server.used()?);
    let n_done = demo.count(id, RowState::Done).await?;
    let (n_results, n_phones) = results(&demo).await?;
    println!(
        "| {name} | {n_done} | {} | {} | 3 (первая на строке {}) | {:.0} | {:.0} | {:.0} | {:.0} |",
        n_rows - n_phones,
        n_results - n_phones,
        died_at.position,
        n_rows as f64 / elapsed.as_secs_f64(),
        elapsed.as_secs_f64(),
        used.resident_mb,
        used.peak_mb,
    );
    ensure!(
        (n_done, n_results, n_phones) == (n_rows, n_rows, n_rows),
        "не каждая строка выполнена ровно один раз"
    );
    server.kill().await
}

/// «Строка файла → результат прозвона».
async fn publish(demo: &Demo) -> Result<()> {
    let rule: Rule = serde_json::from_value(serde_json::json!({
        "name": "Строка файла → результат прозвона",
        "source": demo.lptracker,
        "triggers": [{"kind": "import_row_accepted"}],
        "condition": {"all": []},
        "actions": [{"do": "save_call_result", "phone": {"field": "lead_contact.phone"},
            "result": {"constant": {"type": "text", "value": "Перезвонить позже"}}}]
    }))?;
    let (rules, actor) = (demo.engine.rules(), Actor::system());
    let stored = rules.create(demo.workspace, &actor, &rule).await?;
    let consent = engine::rules::Consent::Withheld;
    rules
        .publish(demo.workspace, &actor, stored.id, stored.version, consent)
        .await?;
    Ok(())
}

/// How many results there are, and of how many phones.
async fn results(demo: &Demo) -> Result<(i64, i64)> {
    let wanted = CallFilter::default();
    let (mut n_results, mut phones, mut after) = (0, BTreeSet::new(), None);
    loop {
        let db = demo.engine.db();
        let rows = call_results::list(db, demo.workspace, &wanted, Order::Oldest, after, 1000).await?;
        let Some(last) = rows.last() else { break };
        after = Some(Order::Oldest.place(last));
        n_results += i64::try_from(rows.len())?;
        phones.extend(rows.into_iter().filter_map(|row| row.phone));
    }
    Ok((n_results, i64::try_from(phones.len())?))
}
