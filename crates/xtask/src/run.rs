//! `cargo xtask run`: the product on this machine, with fake CRMs and something to look at.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{Event, Running, watch_signals};
use crate::{build, paths, say, setup, wasm};

const PORT: u16 = 8080;
const SANDBOX_PORTS: [u16; 2] = [7081, 7082];

struct Options {
    demo: bool,
    fresh: bool,
    keep: bool,
    logs: bool,
    port: Option<u16>,
    data: Option<PathBuf>,
}

/// Builds what is not built, starts everything, and waits for Ctrl+C.
pub fn main(args: &[String]) -> Result<()> {
    let options = parse(args)?;
    let began = Instant::now();
    let (binaries, interface) = prepare()?;
    let data = options
        .data
        .clone()
        .unwrap_or_else(|| paths::data().join(if options.demo { "demo" } else { "empty" }));
    // The server is started in this folder, where a relative path would mean something else.
    let data = std::path::absolute(data)?;
    prepare_data(&data, options.fresh || (options.demo && !options.keep))?;

    let (sender, receiver) = mpsc::channel();
    watch_signals(sender.clone())?;
    let mut running = Running::new(&data, options.logs);
    let sandbox = options
        .demo
        .then(|| start_sandbox(&mut running, &binaries.sandbox, &sender, &receiver))
        .transpose()?;

    let mut server = Command::new(&binaries.server);
    // What the person has set for another server, by file or by variables, is not meant for this one.
    server.current_dir(&data);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INTEGRATOR_"))
    {
        server.env_remove(name);
    }
    server
        .arg("serve")
        .env("INTEGRATOR_SERVER__PORT", choose_port(options.port)?.to_string())
        .env("INTEGRATOR_SERVER__STATIC_DIR", &interface)
        .env(
            "INTEGRATOR_DATABASE__URL",
            format!("sqlite://{}?mode=rwc", data.join("integrator.db").display()),
        )
        .env("INTEGRATOR_VAULT__KEY", vault_key(&data)?);
    if let Some((amocrm, lptracker)) = &sandbox {
        server
            .env("INTEGRATOR_DEMO__AMOCRM_URL", amocrm)
            .env("INTEGRATOR_DEMO__LPTRACKER_URL", lptracker);
    }
    let ready = running.start("сервер", server, &sender, &receiver, |line| {
        line["event"] == "listening"
    })?;
    greet(&ready, sandbox.as_ref(), &data, began.elapsed());

    loop {
        match receiver.recv_timeout(Duration::from_millis(300)) {
            Ok(Event::Stop) => break,
            Ok(Event::Line(..)) | Err(RecvTimeoutError::Timeout) => running.check()?,
            Err(RecvTimeoutError::Disconnected) => bail!("потоки, следящие за программами, остановились"),
        }
    }
    println!();
    let step = say::start("Останавливаю");
    running.stop();
    step.done();
    Ok(())
}

fn parse(args: &[String]) -> Result<Options> {
    let mut options = Options {
        demo: true,
        fresh: false,
        keep: false,
        logs: false,
        port: None,
        data: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--no-demo" => options.demo = false,
            "--fresh" => options.fresh = true,
            "--keep" => options.keep = true,
            "--logs" => options.logs = true,
            "--port" => {
                let port = args.next().context("после --port нужен номер порта")?;
                options.port = Some(port.parse().with_context(|| format!("{port} — не номер порта"))?);
            }
            "--data" => options.data = Some(PathBuf::from(args.next().context("после --data нужна папка")?)),
            other => bail!(
                "неизвестный аргумент {other}: есть --no-demo, --port N, --fresh, --keep, --data ПАПКА, --logs"
            ),
        }
    }
    if options.fresh && options.keep {
        bail!("--fresh и --keep противоречат друг другу");
    }
    Ok(options)
}

/// Tools are installed while the server is compiled: one waits for the network when the other needs the cores.
fn prepare() -> Result<(build::Binaries, PathBuf)> {
    setup::node()?;
    setup::wasm_target()?;
    thread::scope(|scope| {
        let tools = scope.spawn(|| setup::interface_tools(wasm::Kind::Quick));
        let binaries = build::binaries()?;
        if !wasm::is_built(wasm::Kind::Quick)? {
            wasm::compile(wasm::Kind::Quick)?;
        }
        setup::join(tools)?;
        Ok((binaries, wasm::finish(wasm::Kind::Quick)?))
    })
}

fn start_sandbox(
    running: &mut Running,
    binary: &Path,
    sender: &Sender<Event>,
    receiver: &Receiver<Event>,
) -> Result<(String, String)> {
    let port = |port: u16| {
        if is_free(port) {
            port.to_string()
        } else {
            "0".to_owned()
        }
    };
    let mut command = Command::new(binary);
    command.arg("--demo");
    command.args([
        "--amocrm-port",
        &port(SANDBOX_PORTS[0]),
        "--lptracker-port",
        &port(SANDBOX_PORTS[1]),
    ]);
    let line = running.start("песочница", command, sender, receiver, |line| {
        line["amocrm"].is_string()
    })?;
    let url = |name: &str| line[name].as_str().map(str::to_owned);
    url("amocrm")
        .zip(url("lptracker"))
        .context("песочница не назвала свои адреса")
}

/// Makes the folder; empties the database when asked to begin anew.
fn prepare_data(data: &Path, fresh: bool) -> Result<()> {
    fs::create_dir_all(data).with_context(|| format!("не удалось создать {}", data.display()))?;
    if fresh {
        for suffix in ["", "-wal", "-shm"] {
            let file = data.join(format!("integrator.db{suffix}"));
            if file.exists() {
                fs::remove_file(&file).with_context(|| format!("не удалось удалить {}", file.display()))?;
            }
        }
    }
    Ok(())
}

/// The key that seals secrets in this database: made once, readable by its owner only.
fn vault_key(data: &Path) -> Result<String> {
    let file = data.join("vault.key");
    if !file.is_file() {
        let mut bytes = [0_u8; 32];
        File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes))?;
        let mut open = fs::OpenOptions::new();
        let mut out = open.write(true).create_new(true).mode(0o600).open(&file)?;
        out.write_all(base64(&bytes).as_bytes())?;
    }
    fs::read_to_string(&file).with_context(|| format!("не удалось прочитать {}", file.display()))
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, at| {
            group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
        });
        for at in 0..4_usize {
            let letter = ALPHABET[(group >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn choose_port(wanted: Option<u16>) -> Result<u16> {
    match wanted {
        Some(port) if is_free(port) => Ok(port),
        Some(port) => bail!("порт {port} занят"),
        None => match (PORT..PORT + 20).find(|port| is_free(*port)) {
            Some(port) => {
                if port != PORT {
                    say::note(&format!("Порт {PORT} занят, беру {port}"));
                }
                Ok(port)
            }
            None => bail!("порты {PORT}–{} заняты; укажите свободный: --port N", PORT + 19),
        },
    }
}

fn greet(ready: &Value, sandbox: Option<&(String, String)>, data: &Path, took: Duration) {
    let text = |name: &str| ready[name].as_str().filter(|text| !text.is_empty());
    println!("\n✓ Готово за {}\n", say::seconds(took));
    println!("  CRM Интегратор      {}", text("url").unwrap_or_default());
    if let Some(link) = text("sign_in_url") {
        println!("  Вход (один раз)     {link}");
    }
    if let Some(link) = text("setup_url") {
        println!("  Первая настройка    {link}");
    }
    if let Some((amocrm, lptracker)) = sandbox {
        println!("  Песочница amoCRM    {amocrm}");
        println!("  Песочница LPTracker {lptracker}");
    }
    println!("\n  Данные и журналы: {}", data.display());
    println!("  Остановить: Ctrl+C\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_base64(bytes: &[u8], expected: &str) {
        assert_eq!(base64(bytes), expected);
    }

    #[test]
    fn base64_is_the_standard_one() {
        check_base64(b"", "");
        check_base64(b"f", "Zg==");
        check_base64(b"fo", "Zm8=");
        check_base64(b"foo", "Zm9v");
        check_base64(&[0xfb, 0xff, 0xfe], "+//+");
        assert_eq!(base64(&[0; 32]).len(), 44);
    }

    #[test]
    fn contradicting_options_are_refused() {
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert!(parse(&words("--fresh --keep")).is_err());
        assert!(parse(&words("--port many")).is_err());
        let options = parse(&words("--no-demo --port 9000")).unwrap();
        assert!(!options.demo && options.port == Some(9000));
    }
}
