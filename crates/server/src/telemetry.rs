//! Logs: for eyes or for a collector, on standard error; standard output is for the one line of the start.

use crate::config::Log;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins logging. A second call in one process changes nothing: tests start several servers.
pub fn start(log: &Log) {
    let filter = EnvFilter::builder().parse_lossy(&log.filter);
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let _already_set = if log.json {
        registry.with(layer.json().with_target(true)).try_init()
    } else {
        registry.with(layer).try_init()
    };
}

/// An error with everything behind it, for one log line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
