//! What the person at the terminal is told: `▶ …` when something starts, `✓ … 12,3 с` when it is done.

use std::time::{Duration, Instant};

/// A piece of work that has been announced and is being timed.
pub struct Step {
    title: String,
    started: Instant,
}

/// Announces a piece of work.
pub fn start(title: impl Into<String>) -> Step {
    let title = title.into();
    println!("▶ {title}");
    Step {
        title,
        started: Instant::now(),
    }
}

impl Step {
    /// Says that the work is done and how long it took.
    pub fn done(self) {
        println!("✓ {} · {}", self.title, seconds(self.started.elapsed()));
    }
}

/// A line that is neither a start nor an end.
pub fn note(text: &str) {
    println!("  {text}");
}

/// A line about something that went wrong.
pub fn failure(text: &str) {
    eprintln!("✗ {text}");
}

/// `12,3 с` or `4 мин 05 с`.
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole >= 60 {
        return format!("{} мин {:02} с", whole / 60, whole % 60);
    }
    format!("{:.1} с", duration.as_secs_f64()).replace('.', ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(millis: u64, expected: &str) {
        assert_eq!(seconds(Duration::from_millis(millis)), expected);
    }

    #[test]
    fn durations_read_as_russian_text() {
        check(0, "0,0 с");
        check(12_340, "12,3 с");
        check(59_940, "59,9 с");
        check(245_000, "4 мин 05 с");
    }
}
