//! The benchmark: `cargo xtask bench [intake|flow|backlog|budget|import]`.
//!
//! Every figure stands beside a baseline of the same run. A measured server is a process of its own, so that its CPU
//! and memory can be told from those of the load. Nothing here asserts a time.
//!
//! Reading order: [`load`] makes requests, [`usage`] reads what a process uses, [`hub`] is an engine over a CRM that
//! answers at once, [`report`] prints; then the measurements: [`intake`], [`flow`],
//! [`backlog`], [`budget`], [`import`] with [`import_deaths`].

mod backlog;
mod budget;
mod flow;
mod hub;
mod import;
mod import_deaths;
mod intake;
mod load;
mod report;
mod usage;

use anyhow::{Context, Result, bail};
use std::time::Duration;

/// How a measurement is run.
pub struct Options {
    /// Databases to measure on: a name for people and an address.
    pub databases: Vec<(&'static str, String)>,
    /// How long load is applied.
    pub duration: Duration,
    /// Waiting events of the backlog.
    pub n_backlog: usize,
    /// Rows of the imported file.
    pub n_rows: usize,
    /// The product, built for release.
    pub integrator: String,
}

#[actix_web::main]
async fn main() -> Result<()> {
    // The HTTP client brings no cryptography of its own. Somebody else's choice would do as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        // What the measurements start as processes of their own.
        Some("serve-bare") => load::serve_bare().await,
        Some("serve-flow") => flow::serve(args.get(1).context("адрес базы")?).await,
        Some("read-cells") => import::read_cells(args.get(1).context("файл")?),
        Some("read-rows") => {
            import::read_rows(args.get(1).context("файл")?, args.get(2).context("адрес базы")?).await
        }
        Some(name) => {
            let options = options(&args[1..])?;
            match name {
                "intake" => intake::run(&options).await,
                "flow" => flow::run(&options).await,
                "backlog" => backlog::run(&options).await,
                "budget" => budget::run(&options).await,
                "import" => import::run(&options).await,
                other => bail!("нет такого замера: {other}"),
            }
        }
        None => bail!("запускайте командой cargo xtask bench"),
    }
}

fn options(args: &[String]) -> Result<Options> {
    let variable = |name: &str| std::env::var(name).ok();
    let mut options = Options {
        databases: vec![("SQLite", String::new())],
        duration: Duration::from_secs(10),
        n_backlog: 1_000_000,
        n_rows: 100_000,
        integrator: variable("BENCH_INTEGRATOR").unwrap_or_default(),
    };
    if let Some(url) = variable("BENCH_POSTGRES") {
        options.databases.push(("PostgreSQL", url));
    }
    for pair in args.chunks(2) {
        let [name, value] = pair else {
            bail!("у ключа {} нет значения", pair[0])
        };
        match name.as_str() {
            "--secs" => options.duration = Duration::from_secs(value.parse()?),
            "--rows" => options.n_rows = value.parse()?,
            "--backlog" => options.n_backlog = value.parse()?,
            "--db" => options
                .databases
                .retain(|(name, _)| name.eq_ignore_ascii_case(value)),
            other => bail!("неизвестный ключ {other}"),
        }
    }
    Ok(options)
}
