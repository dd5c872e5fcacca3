//! What is printed: lines of a Markdown table, to be copied into `docs/PERFORMANCE.md`.

use crate::load::Outcome;
use crate::usage::Used;
use std::time::Duration;

/// The head of a table of loads.
pub fn head(title: &str) {
    println!("\n### {title}\n");
    println!(
        "| | ответов/с | p50, мс | p99, мс | p99,9, мс | 503 | прочие | CPU, ядер | память, МБ | пик, МБ |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

/// A line of it: a load with what the server used during it.
pub fn line(name: &str, outcome: &Outcome, before: Used, after: Used) {
    println!(
        "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {} | {} | {:.2} | {:.0} | {:.0} |",
        outcome.per_second(),
        outcome.latencies.percentile(0.5),
        outcome.latencies.percentile(0.99),
        outcome.latencies.percentile(0.999),
        outcome.n_busy,
        outcome.n_other,
        cores(before, after, outcome.elapsed),
        after.resident_mb,
        after.peak_mb,
    );
}

/// How many cores were kept busy.
pub fn cores(before: Used, after: Used, elapsed: Duration) -> f64 {
    (after.cpu.saturating_sub(before.cpu)).as_secs_f64() / elapsed.as_secs_f64()
}
