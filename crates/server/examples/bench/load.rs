//! Load over HTTP: many connections kept alive, each with one request at a time, and the baseline they are held
//! against.

use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Latencies in steps of 10 µs up to two seconds.
pub struct Latencies(Vec<u32>);

const STEP_US: u64 = 10;

impl Default for Latencies {
    fn default() -> Self {
        Self(vec![0; 200_001])
    }
}

impl Latencies {
    fn note(&mut self, latency: Duration) {
        let place = (latency.as_micros() as u64 / STEP_US).min(self.0.len() as u64 - 1);
        self.0[place as usize] += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    /// How many were noted.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|n| u64::from(*n)).sum()
    }

    /// The latency that this share of requests stays below, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (place, n) in self.0.iter().enumerate() {
            seen += u64::from(*n);
            if seen >= wanted.max(1) {
                return place as f64 * STEP_US as f64 / 1_000.0;
            }
        }
        0.0
    }
}

/// What a load came to.
#[derive(Default)]
pub struct Outcome {
    pub latencies: Latencies,
    pub elapsed: Duration,
    pub n_ok: u64,
    pub n_busy: u64,
    pub n_other: u64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.n_ok as f64 / self.elapsed.as_secs_f64()
    }
}

/// How hard to press.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Each connection sends as soon as it has its answer.
    Closed,
    /// So many requests a second over all connections; latency counts from the moment a request was due.
    Open(f64),
}

/// What to send: the target's address and path, and a body for every number.
pub struct Target {
    pub address: String,
    pub path: String,
    pub body: fn(u64) -> String,
}

/// Sends until `until_secs` have passed or `n_at_most` were sent.
pub async fn run(
    target: Target,
    n_connections: usize,
    pace: Pace,
    lasts: Duration,
    n_at_most: u64,
) -> Result<Outcome> {
    let (target, next) = (Arc::new(target), Arc::new(AtomicU64::new(next_number())));
    let last = next.load(Ordering::Relaxed) + n_at_most;
    let started = Instant::now();
    let mut tasks = Vec::new();
    for at in 0..n_connections {
        let (target, next) = (Arc::clone(&target), Arc::clone(&next));
        let every = match pace {
            Pace::Closed => None,
            Pace::Open(rate) => Some(Duration::from_secs_f64(n_connections as f64 / rate)),
        };
        let offset = every
            .unwrap_or_default()
            .mul_f64(at as f64 / n_connections as f64);
        tasks.push(tokio::task::spawn(async move {
            let mut stream = TcpStream::connect(&target.address).await?;
            stream.set_nodelay(true)?;
            let mut outcome = Outcome::default();
            let mut due = started + offset;
            let mut answer = vec![0; 4096];
            while started.elapsed() < lasts {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= last {
                    break;
                }
                let body = (target.body)(number);
                let request = format!(
                    "POST {} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                    target.path,
                    body.len()
                );
                let sent = match every {
                    None => Instant::now(),
                    Some(every) => {
                        tokio::time::sleep_until(due.into()).await;
                        let planned = due;
                        due += every;
                        planned
                    }
                };
                stream.write_all(request.as_bytes()).await?;
                match read_status(&mut stream, &mut answer).await? {
                    200 => outcome.n_ok += 1,
                    503 => outcome.n_busy += 1,
                    _ => outcome.n_other += 1,
                }
                outcome.latencies.note(sent.elapsed());
            }
            anyhow::Ok(outcome)
        }));
    }
    let mut all = Outcome::default();
    for task in tasks {
        let one = task.await??;
        all.latencies.merge(&one.latencies);
        all.n_ok += one.n_ok;
        all.n_busy += one.n_busy;
        all.n_other += one.n_other;
    }
    all.elapsed = started.elapsed();
    Ok(all)
}

/// Numbers go on from one load to the next, so that no event is a repeat.
fn next_number() -> u64 {
    static USED: AtomicU64 = AtomicU64::new(1);
    USED.fetch_add(100_000_000, Ordering::Relaxed)
}

/// Reads one answer whole and gives its status.
async fn read_status(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<u16> {
    let mut n_read = 0;
    loop {
        let n = stream.read(&mut buffer[n_read..]).await?;
        if n == 0 {
            bail!("соединение закрыто");
        }
        n_read += n;
        let Some(end) = buffer[..n_read].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])?;
        let length: usize = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if n_read >= end + 4 + length {
            return head
                .get(9..12)
                .context("строка ответа")?
                .parse()
                .context("код ответа");
        }
    }
}

/// The baseline: a handler that reads the body and says yes.
pub async fn serve_bare() -> Result<()> {
    use actix_web::{App, HttpResponse, HttpServer, web};
    let server = HttpServer::new(|| {
        App::new().default_service(web::to(async |body: web::Bytes| {
            std::hint::black_box(body.len());
            HttpResponse::Ok().finish()
        }))
    })
    .bind("127.0.0.1:0")?;
    let address = server.addrs()[0];
    println!("{}", serde_json::json!({ "url": format!("http://{address}") }));
    Ok(server.run().await?)
}
