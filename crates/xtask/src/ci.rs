//! `cargo xtask test`: everything that must hold before a change lands, in the order of growing cost.

use std::cell::RefCell;
use std::process::{Command, ExitCode};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::apt::{self, Package};
use crate::{arrows, build, cmd, db, e2e, say, setup, tidy, wasm};

const WASM: &str = "wasm32-unknown-unknown";

/// One check with its own line in the summary.
struct Step {
    name: &'static str,
    about: &'static str,
    needs: &'static [Needs],
    run: fn(&Preparation) -> Result<()>,
}

/// What is prepared while the first checks run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    WasmTarget,
    Postgres,
    Chromium,
    Interface,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "форматирование",
        needs: &[],
        run: fmt,
    },
    Step {
        name: "tidy",
        about: "правила оформления",
        needs: &[],
        run: |_| tidy::main(),
    },
    Step {
        name: "arrows",
        about: "зависимости между крейтами",
        needs: &[],
        run: |_| arrows::main(),
    },
    Step {
        name: "clippy",
        about: "предупреждения компилятора и clippy",
        needs: &[],
        run: clippy,
    },
    Step {
        name: "clippy-wasm",
        about: "то же для браузера; domain и api собираются в wasm",
        needs: &[Needs::WasmTarget],
        run: clippy_wasm,
    },
    Step {
        name: "doc",
        about: "документация кода",
        needs: &[Needs::WasmTarget],
        run: doc,
    },
    Step {
        name: "test",
        about: "модульные, табличные и сквозные тесты на SQLite и PostgreSQL",
        needs: &[Needs::Postgres],
        run: tests,
    },
    Step {
        name: "chaos",
        about: "процессы, которые убивают, и пределы запросов: на свободной машине",
        needs: &[Needs::Postgres],
        run: chaos,
    },
    Step {
        name: "wasm",
        about: "интерфейс для выпуска и его размер",
        needs: &[Needs::Interface],
        run: interface,
    },
    Step {
        name: "e2e",
        about: "браузерные тесты",
        needs: &[Needs::Chromium, Needs::Interface],
        run: browser,
    },
];

/// Runs the chosen steps, all of them by default; the last line counts them.
pub fn main(args: &[String]) -> Result<ExitCode> {
    let Some(chosen) = choose(args)? else {
        for step in STEPS {
            println!("{:<12} {}", step.name, step.about);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let started = Instant::now();
    let preparation = Preparation::start(&chosen)?;
    let mut results = Vec::new();
    for step in chosen {
        println!("\n══ {} — {}", step.name, step.about);
        let began = Instant::now();
        let result = (step.run)(&preparation);
        if let Err(error) = &result {
            say::failure(&format!("{}: {error:#}", step.name));
        }
        results.push((step.name, result.is_ok(), began.elapsed()));
    }
    // Whatever still runs in the background would otherwise be cut off in the middle of an installation.
    preparation.finish();
    Ok(summary(&results, started.elapsed()))
}

fn choose(args: &[String]) -> Result<Option<Vec<&'static Step>>> {
    let mut only = Vec::new();
    let mut skip = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => return Ok(None),
            "--only" => only.push(args.next().context("после --only нужно имя шага")?.as_str()),
            "--skip" => skip.push(args.next().context("после --skip нужно имя шага")?.as_str()),
            other => bail!("неизвестный аргумент {other}: есть --only ШАГ, --skip ШАГ, --list"),
        }
    }
    for name in only.iter().chain(&skip) {
        if !STEPS.iter().any(|step| step.name == *name) {
            bail!("нет шага {name}; список: cargo xtask test --list");
        }
    }
    let chosen: Vec<&Step> = STEPS
        .iter()
        .filter(|step| only.is_empty() || only.contains(&step.name))
        .filter(|step| !skip.contains(&step.name))
        .collect();
    if chosen.is_empty() {
        bail!("не выбрано ни одного шага");
    }
    Ok(Some(chosen))
}

fn summary(results: &[(&str, bool, Duration)], total: Duration) -> ExitCode {
    println!("\n══ Итог за {}", say::seconds(total));
    for (name, passed, took) in results {
        let mark = if *passed { "✓" } else { "✗" };
        println!("{mark} {name:<12} {:>14}", say::seconds(*took));
    }
    let failed = results.iter().filter(|(_, passed, _)| !passed).count();
    println!("{} passed, {failed} failed", results.len() - failed);
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Work done beside the first checks: packages are downloaded, tools and the interface are built.
struct Preparation {
    packages: Background,
    interface: Background,
}

impl Preparation {
    fn start(chosen: &[&Step]) -> Result<Self> {
        let needed = |need| chosen.iter().any(|step| step.needs.contains(&need));
        if needed(Needs::WasmTarget) || needed(Needs::Interface) {
            setup::wasm_target()?;
        }
        let mut packages = Vec::new();
        if needed(Needs::Postgres) {
            packages.push(Package::Postgres);
        }
        if needed(Needs::Chromium) {
            packages.push(Package::Chromium);
        }
        let browser = needed(Needs::Chromium);
        let interface = needed(Needs::Interface);
        Ok(Self {
            packages: Background::start(move || {
                if browser {
                    e2e::install()?;
                }
                apt::ensure(&packages)
            }),
            interface: Background::start(move || {
                if interface {
                    setup::interface_tools(wasm::Kind::Release)?;
                    wasm::build(wasm::Kind::Release)?;
                }
                Ok(())
            }),
        })
    }

    fn finish(&self) {
        // The steps that needed them have already reported their errors.
        let _reported = (self.packages.wait(), self.interface.wait());
    }
}

/// Work in a thread whose result can be asked for more than once.
struct Background(RefCell<State>);

enum State {
    Running(Option<JoinHandle<Result<()>>>),
    Done(Result<(), String>),
}

impl Background {
    fn start(work: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Self(RefCell::new(State::Running(Some(thread::spawn(work)))))
    }

    fn wait(&self) -> Result<()> {
        let mut state = self.0.borrow_mut();
        if let State::Running(handle) = &mut *state {
            let result = handle.take().map_or(Ok(()), |handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("фоновая подготовка аварийно завершилась")))
            });
            *state = State::Done(result.map_err(|error| format!("{error:#}")));
        }
        match &*state {
            State::Done(Err(error)) => bail!("{error}"),
            _ => Ok(()),
        }
    }
}

fn fmt(_: &Preparation) -> Result<()> {
    cmd::run(cmd::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(_: &Preparation) -> Result<()> {
    cmd::run(
        cmd::cargo()
            .args(["clippy", "--workspace", "--exclude", "frontend", "--all-targets"])
            .args(["--", "-D", "warnings"]),
    )
}

fn clippy_wasm(_: &Preparation) -> Result<()> {
    cmd::run(
        cmd::cargo()
            .args([
                "clippy", "--target", WASM, "-p", "domain", "-p", "api", "-p", "frontend",
            ])
            .args(["--", "-D", "warnings"]),
    )
}

fn doc(_: &Preparation) -> Result<()> {
    let common = ["doc", "--no-deps", "--document-private-items"];
    let host = ["--workspace", "--exclude", "frontend"];
    cmd::run(
        cmd::cargo()
            .args(common)
            .args(host)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    let browser = ["-p", "frontend", "--target", WASM];
    cmd::run(
        cmd::cargo()
            .args(common)
            .args(browser)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Tests that look at how closely requests follow each other: beside others they would see the machine's delays.
const ALONE: [&str; 2] = ["chaos::", "processes::"];

fn tests(preparation: &Preparation) -> Result<()> {
    cmd::run(cmd::cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
    let mut command = cmd::cargo();
    command.args(["test", "--workspace", "--no-fail-fast", "--"]);
    command.args(ALONE.iter().flat_map(|name| ["--skip", name]));
    with_postgres(preparation, &mut command)
}

fn chaos(preparation: &Preparation) -> Result<()> {
    let mut command = cmd::cargo();
    command.args(["test", "-p", "server", "--test", "it", "--"]);
    command.args(ALONE).arg("--test-threads=1");
    with_postgres(preparation, &mut command)
}

fn with_postgres(preparation: &Preparation, tests: &mut Command) -> Result<()> {
    preparation.packages.wait()?;
    // Tests wait for conditions with a bound: they should not share the cores with a linker.
    let _said_by_its_own_step = preparation.interface.wait();
    tests.env("INSTA_UPDATE", "no");
    if std::env::var_os(db::VARIABLE).is_some() {
        say::note(&format!("PostgreSQL взят из {}", db::VARIABLE));
        return cmd::run(tests);
    }
    let step = say::start("Запускаю PostgreSQL для тестов");
    let server = db::Server::start_temporary()?;
    step.done();
    cmd::run(tests.env(db::VARIABLE, server.url()))
}

fn interface(preparation: &Preparation) -> Result<()> {
    preparation.interface.wait()?;
    wasm::check_budget(&wasm::build(wasm::Kind::Release)?)
}

fn browser(preparation: &Preparation) -> Result<()> {
    preparation.packages.wait()?;
    preparation.interface.wait()?;
    let binaries = build::binaries()?;
    e2e::test(&binaries, &wasm::build(wasm::Kind::Release)?, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        choose(&args)
            .unwrap()
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        assert_eq!(names(&[]).len(), STEPS.len());
        assert_eq!(names(&["--only", "test", "--only", "fmt"]), ["fmt", "test"]);
        assert!(!names(&["--skip", "e2e"]).contains(&"e2e"));
    }

    #[test]
    fn unknown_step_is_an_error() {
        assert!(choose(&["--only".to_owned(), "nothing".to_owned()]).is_err());
        assert!(choose(&["--fast".to_owned()]).is_err());
        assert!(
            choose(&[
                "--only".to_owned(),
                "fmt".to_owned(),
                "--skip".to_owned(),
                "fmt".to_owned()
            ])
            .is_err()
        );
    }

    #[test]
    fn result_of_background_work_can_be_asked_twice() {
        let failed = Background::start(|| bail!("нет сети"));
        assert_eq!(failed.wait().unwrap_err().to_string(), "нет сети");
        assert_eq!(failed.wait().unwrap_err().to_string(), "нет сети");
        Background::start(|| Ok(())).wait().unwrap();
    }
}
