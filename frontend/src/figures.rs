//! Figures of the panel, ready to be drawn.

use api::panel::PanelStep;
use domain::time::{Timestamp, Zone};

use crate::clock;

/// What columns of a chart are made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// In words.
    pub name: &'static str,
    /// Class of the stylesheet: the colour.
    pub class: &'static str,
    /// One value a step.
    pub values: Vec<u64>,
}

/// Columns over time: at every step some stand side by side, each piled up of series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    /// Begin of each step.
    pub moments: Vec<Timestamp>,
    /// Columns side by side, each from the bottom up.
    pub stacks: Vec<Vec<Series>>,
}

impl Columns {
    /// The tallest column; 1 when all are empty, so that it can be divided by.
    pub fn top(&self) -> u64 {
        let sums = self.stacks.iter().flat_map(|stack| {
            (0..self.moments.len()).map(move |at| stack.iter().filter_map(|one| one.values.get(at)).sum())
        });
        sums.max().unwrap_or(0).max(1)
    }

    /// Every series, from left to right and from the bottom up.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.stacks.iter().flatten()
    }

    /// Nothing happened.
    pub fn is_empty(&self) -> bool {
        self.series()
            .all(|one| one.values.iter().all(|value| *value == 0))
    }
}

fn series(steps: &[PanelStep], name: &'static str, class: &'static str, of: fn(&PanelStep) -> u64) -> Series {
    Series {
        name,
        class,
        values: steps.iter().map(of).collect(),
    }
}

fn moments(steps: &[PanelStep]) -> Vec<Timestamp> {
    steps.iter().map(|step| step.from).collect()
}

/// What came in beside what was done with it.
pub fn throughput(steps: &[PanelStep]) -> Columns {
    Columns {
        moments: moments(steps),
        stacks: vec![
            vec![series(steps, "События", "events", |step| step.n_events)],
            vec![series(
                steps,
                "Выполненные действия",
                "done",
                |step| step.n_delivered,
            )],
        ],
    }
}

/// What was not done.
pub fn failures(steps: &[PanelStep]) -> Columns {
    Columns {
        moments: moments(steps),
        stacks: vec![vec![series(steps, "Не выполнено", "dead", |step| {
            step.n_dead
        })]],
    }
}

/// The usual time from event to result, in milliseconds; 0 where nothing was done.
pub fn latency(steps: &[PanelStep]) -> Columns {
    let ms = |step: &PanelStep| {
        step.latency_p50_ms
            .and_then(|ms| u64::try_from(ms).ok())
            .unwrap_or(0)
    };
    Columns {
        moments: moments(steps),
        stacks: vec![vec![series(steps, "Обычное время", "time", ms)]],
    }
}

/// How deliveries ended, day by day of a zone.
pub fn by_day(steps: &[PanelStep], zone: &Zone) -> Columns {
    let mut days: Vec<PanelStep> = Vec::new();
    for step in steps {
        let day = clock::civil(step.from, zone).day;
        match days
            .last_mut()
            .filter(|last| clock::civil(last.from, zone).day == day)
        {
            Some(last) => {
                last.n_delivered += step.n_delivered;
                last.n_skipped += step.n_skipped;
                last.n_dead += step.n_dead;
            }
            None => days.push(*step),
        }
    }
    Columns {
        moments: moments(&days),
        stacks: vec![vec![
            series(&days, "Выполнено", "done", |step| step.n_delivered),
            series(&days, "Не потребовалось", "skipped", |step| {
                step.n_skipped
            }),
            series(&days, "Не выполнено", "dead", |step| step.n_dead),
        ]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn step(hour: i64, n: u64) -> PanelStep {
        PanelStep {
            from: Timestamp(hour * HOUR),
            n_events: n,
            n_delivered: n,
            n_skipped: 1,
            n_dead: n / 2,
            latency_p50_ms: (n > 0).then_some(250),
        }
    }

    #[test]
    fn days_are_those_of_the_zone() {
        // 18:00 UTC is 21:00 in Moscow, 21:00 UTC is already the next day there.
        let steps = [step(12, 4), step(18, 2), step(21, 10)];
        let days = by_day(&steps, &Zone::moscow());
        assert_eq!(days.moments, [12, 21].map(|hour| Timestamp(hour * HOUR)));
        let values: Vec<_> = days.series().map(|one| one.values.clone()).collect();
        assert_eq!(values, [[6, 10], [2, 1], [3, 5]]);
        assert_eq!(days.top(), 16);
    }

    #[test]
    fn an_empty_chart_can_be_drawn() {
        let empty = throughput(&[step(1, 0)]);
        assert!(empty.is_empty());
        assert_eq!(empty.top(), 1);
        assert_eq!(latency(&[step(1, 0), step(2, 3)]).stacks[0][0].values, [0, 250]);
        assert_eq!(failures(&[]).top(), 1);
    }
}
