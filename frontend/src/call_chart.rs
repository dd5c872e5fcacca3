//! Figures of calls as columns of a chart.

use std::collections::BTreeMap;

use api::call::CallFigure;
use domain::value::Day as Date;

use crate::clock;

/// What a column is divided by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Result.
    Result,
    /// Operator.
    Operator,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// «23 ноября 2026».
    pub title: String,
    /// How many of each series, in their order.
    pub parts: Vec<u64>,
}

/// A chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart {
    /// Series with their sums, the largest first.
    pub series: Vec<(String, u64)>,
    /// Days that have calls, in order.
    pub days: Vec<Day>,
}

/// The most series that can be told apart; smaller ones are joined.
const MAX_SERIES: usize = 7;
const OTHERS: &str = "Остальные";

/// Builds the chart.
pub fn chart(figures: &[CallFigure], by: By) -> Chart {
    let name = |figure: &CallFigure| match by {
        By::Result => figure
            .result
            .clone()
            .unwrap_or_else(|| "Без результата".to_owned()),
        By::Operator => figure
            .operator
            .clone()
            .unwrap_or_else(|| "Без оператора".to_owned()),
    };
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for figure in figures {
        *sums.entry(name(figure)).or_default() += figure.n;
    }
    let mut series: Vec<(String, u64)> = sums.into_iter().collect();
    series.sort_by(|(one, n), (other, m)| m.cmp(n).then_with(|| one.cmp(other)));
    if series.len() > MAX_SERIES + 1 {
        let rest = series.split_off(MAX_SERIES).iter().map(|(_, n)| n).sum();
        series.push((OTHERS.to_owned(), rest));
    }
    let mut days: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for figure in figures {
        let name = name(figure);
        let place = series
            .iter()
            .position(|(of, _)| *of == name)
            .unwrap_or(series.len() - 1);
        days.entry(&figure.day).or_insert_with(|| vec![0; series.len()])[place] += figure.n;
    }
    Chart {
        days: days
            .into_iter()
            .map(|(day, parts)| Day {
                title: title(day),
                parts,
            })
            .collect(),
        series,
    }
}

fn title(day: &str) -> String {
    let mut parts = day.splitn(3, '-');
    let mut next = || parts.next();
    let (year, month, date) = (next(), next(), next());
    let date = year
        .and_then(|year| year.parse().ok())
        .zip(month.and_then(|month| month.parse().ok()))
        .zip(date.and_then(|date| date.parse().ok()))
        .and_then(|((year, month), date)| Date::new(year, month, date));
    date.map_or_else(|| day.to_owned(), clock::day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(day: &str, result: &str, n: u64) -> CallFigure {
        CallFigure {
            day: day.to_owned(),
            result: Some(result.to_owned()),
            operator: None,
            n,
        }
    }

    #[test]
    fn days_are_divided_by_result_or_operator() {
        let figures = [
            figure("2026-11-24", "Отказ", 2),
            figure("2026-11-25", "Отказ", 1),
            figure("2026-11-25", "Недозвон", 5),
        ];
        let built = chart(&figures, By::Result);
        assert_eq!(
            built.series,
            [("Недозвон".to_owned(), 5), ("Отказ".to_owned(), 3)]
        );
        assert_eq!(built.days[0].parts, [0, 2]);
        assert_eq!(built.days[1].title, "25 ноября 2026");
        assert_eq!(
            chart(&figures, By::Operator).series,
            [("Без оператора".to_owned(), 8)]
        );
    }

    #[test]
    fn small_series_are_joined_and_none_is_lost() {
        let figures: Vec<_> = (1..=12)
            .map(|n| figure("2026-11-24", &format!("р{n}"), n))
            .collect();
        let built = chart(&figures, By::Result);
        assert_eq!(built.series.len(), 8);
        assert_eq!(built.days[0].parts.iter().sum::<u64>(), 78);
        assert!(chart(&[], By::Result).days.is_empty());
    }
}
