//! How fast something goes and how long it will still take.

use domain::time::Timestamp;

/// What is looked back on, in milliseconds: long enough not to jump, short enough to follow.
const WINDOW_MS: i64 = 30_000;

/// Counts seen at moments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    seen: Vec<(Timestamp, u64)>,
}

impl Progress {
    /// Notes a count. One that went down begins anew.
    pub fn note(&mut self, at: Timestamp, n_done: u64) {
        if self.seen.last().is_some_and(|(_, before)| *before > n_done) {
            self.seen.clear();
        }
        self.seen.push((at, n_done));
        let from = at.0 - WINDOW_MS;
        let n_old = self.seen.iter().filter(|(at, _)| at.0 < from).count();
        // The last one before the window stays as its beginning.
        self.seen.drain(..n_old.saturating_sub(1));
    }

    /// Per second; `None` while nothing can be said.
    pub fn per_second(&self) -> Option<f64> {
        let (from, before) = self.seen.first()?;
        let (to, after) = self.seen.last()?;
        let secs = (to.0 - from.0) as f64 / 1000.0;
        (secs >= 1.0 && after > before).then(|| (after - before) as f64 / secs)
    }

    /// «12 строк/с, осталось около 5 мин».
    pub fn words(&self, n_left: u64) -> Option<String> {
        let speed = self.per_second()?;
        let shown = if speed >= 10.0 {
            format!("{speed:.0}")
        } else {
            format!("{speed:.1}").replace('.', ",")
        };
        let left_ms = (n_left as f64 / speed * 1000.0) as u64;
        // Nobody wants to know the seconds of an hour.
        let (secs, mins) = (left_ms.div_ceil(1000), left_ms.div_ceil(60_000));
        let left = match mins {
            0 | 1 => format!("{secs} с"),
            2..60 => format!("{mins} мин"),
            _ => format!("{} ч {} мин", mins / 60, mins % 60),
        };
        Some(format!("{shown} строк/с, осталось около {left}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp(1_000_000 + secs * 1000)
    }

    #[test]
    fn the_speed_is_that_of_the_last_half_minute() {
        let mut progress = Progress::default();
        assert_eq!(progress.words(10), None);
        for (secs, n) in [(0, 0), (10, 100), (20, 200), (60, 240), (80, 260)] {
            progress.note(at(secs), n);
        }
        assert_eq!(progress.per_second(), Some(1.0));
        assert_eq!(progress.words(45).unwrap(), "1,0 строк/с, осталось около 45 с");
        assert_eq!(progress.words(100).unwrap(), "1,0 строк/с, осталось около 2 мин");
    }

    #[test]
    fn a_new_beginning_forgets_the_old_one() {
        let mut progress = Progress::default();
        progress.note(at(0), 500);
        progress.note(at(5), 10);
        assert_eq!(progress.per_second(), None);
    }
}
