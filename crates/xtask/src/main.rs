//! The commands of the project: `cargo xtask <command>`.
//!
//! Reading order: [`paths`] (where things live), [`cmd`] and [`say`] (how programs are run and spoken about),
//! [`setup`] and [`apt`] (what is installed), [`wasm`] (the interface), [`db`] (PostgreSQL for tests),
//! [`run`] and [`process`] (the demo), [`ci`] (all checks), [`arrows`] and [`tidy`] (our own checks), [`e2e`] (the browser),
//! [`mod@bench`] (how fast it is), [`chaos`] (what it survives),
//! [`simulate`] (what it would carry).

mod apt;
mod arrows;
mod bench;
mod build;
mod chaos;
mod ci;
mod cmd;
mod db;
mod dist;
mod e2e;
mod openapi;
mod paths;
mod process;
mod run;
mod say;
mod setup;
mod simulate;
mod tidy;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Команды проекта: cargo xtask <команда>

  run [--no-demo] [--port N] [--fresh|--keep] [--data ПАПКА] [--logs]
                     собрать и запустить сервер, интерфейс и песочницу CRM; демонстрация каждый
                     раз начинается заново, как и песочница, если не сказано --keep;
                     с --no-demo база сохраняется, если не сказано --fresh
  test [--only ШАГ] [--skip ШАГ] [--list]
                     все проверки, как в CI; --only и --skip можно повторять
  setup              только установить инструменты (run и test делают это сами)
  wasm [--quick]     собрать интерфейс; без --quick — для выпуска, с проверкой размера
  e2e [АРГУМЕНТЫ]    браузерные тесты; аргументы передаются Playwright
  screenshots        снимки всех страниц при ширине 1440 и 360 в папку screenshots/
  openapi            перезаписать openapi/openapi.json
  dist ПАПКА         собрать всё для выпуска: integrator, sandbox и interface
  db start|stop|url  PostgreSQL для тестов, остаётся запущенным между командами
  bench [intake|flow|rules|backlog|budget|web] [--secs N] [--db sqlite|postgresql] [--backlog N]
                     замеры скорости на собранном для выпуска; без имени — все (docs/PERFORMANCE.md)
  chaos [--minutes N] [--seed S]
                     процессы убивают, базу перезапускают, CRM сбоят: всё принятое должно выполниться один раз
  simulate [--accounts N] [--processes N] [--per-process N] [--per-database N] [--databases N] [--seed S]
                     сколько аккаунтов несут процессы и база: модель в условном времени (docs/SCALING.md)
  arrows             проверить зависимости между крейтами
  tidy               проверить правила оформления, которых не знает clippy
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            say::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    match command.as_str() {
        "run" => run::main(rest)?,
        "test" | "ci" => return ci::main(rest),
        "setup" => setup::everything()?,
        "wasm" => wasm::main(rest)?,
        "e2e" => e2e::main(rest)?,
        "screenshots" => e2e::screenshots()?,
        "openapi" => openapi::main()?,
        "dist" => dist::main(rest)?,
        "db" => db::main(rest)?,
        "bench" => bench::main(rest)?,
        "chaos" => chaos::main(rest)?,
        "simulate" => simulate::main(rest)?,
        "arrows" => arrows::main()?,
        "tidy" => tidy::main()?,
        "help" | "--help" | "-h" => print!("{HELP}"),
        unknown => bail!("нет такой команды: {unknown}\n\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}
