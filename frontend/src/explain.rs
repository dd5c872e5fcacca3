//! Why a rule matched an event or not: the explanation of a run laid over the condition of its version.

use domain::condition::Condition;
use domain::evaluate::{Compared, Explanation, Verdict};

use crate::clock;
use crate::names::Names;
use crate::rule_text::{Join, operand_of};
use crate::text::{counted, plural};
use crate::words;

/// A node of an explanation in words.
#[derive(Clone, PartialEq, Debug)]
pub enum Reason {
    /// A group; `join` is `None` when the document of the version is not at hand.
    Group {
        /// How its members belong together.
        join: Option<Join>,
        /// What came out.
        verdict: Verdict,
        /// Its members.
        children: Vec<Reason>,
    },
    /// A comparison with what both sides were.
    Leaf(LeafReason),
}

/// A comparison as it was.
#[derive(Clone, PartialEq, Debug)]
pub struct LeafReason {
    /// What came out.
    pub verdict: Verdict,
    /// «Сделка · Бюджет».
    pub field: String,
    /// «не меньше».
    pub operator: &'static str,
    /// What the rule says on the right side.
    pub with: Option<String>,
    /// What the field held; `None` when that was not known.
    pub left: Option<String>,
    /// What the right side came to, when it is more than what the rule says.
    pub right: Option<String>,
    /// «из события, 5 минут назад».
    pub learnt: Option<String>,
    /// Why it could not be told.
    pub problem: Option<String>,
}

impl LeafReason {
    /// The comparison with the value it met, in one line: «Бюджет: 90 000, а нужно: не меньше 100 000».
    pub fn sentence(&self) -> String {
        let wanted = match &self.with {
            Some(with) => format!("{} {with}", self.operator),
            None => self.operator.to_owned(),
        };
        match (&self.problem, &self.left) {
            (Some(problem), _) => format!("{}: {problem}", self.field),
            (None, Some(left)) => format!("{}: {left}, а нужно: {wanted}", self.field),
            (None, None) => format!("{}: значение неизвестно, а нужно: {wanted}", self.field),
        }
    }
}

/// Lays an explanation over the condition it explains.
pub fn reason(condition: Option<&Condition>, explanation: &Explanation, names: &Names) -> Reason {
    if let Some(compared) = &explanation.compared {
        return Reason::Leaf(leaf(compared, explanation.verdict, names));
    }
    let (join, members): (Option<Join>, Vec<Option<&Condition>>) = match condition {
        Some(Condition::All(list)) => (Some(Join::All), list.iter().map(Some).collect()),
        Some(Condition::Any(list)) => (Some(Join::Any), list.iter().map(Some).collect()),
        Some(Condition::Not(inner)) => (Some(Join::Not), vec![Some(inner.as_ref())]),
        Some(Condition::Compare(_)) | None => (None, Vec::new()),
    };
    Reason::Group {
        join,
        verdict: explanation.verdict,
        children: explanation
            .children
            .iter()
            .enumerate()
            .map(|(at, child)| reason(members.get(at).copied().flatten(), child, names))
            .collect(),
    }
}

fn leaf(compared: &Compared, verdict: Verdict, names: &Names) -> LeafReason {
    let (record, key) = (compared.field.record, compared.field.key);
    let with = operand_of(record, key, &compared.with, names);
    let right = compared
        .right
        .as_ref()
        .map(|value| names.quoted(record, Some(key), value))
        .filter(|text| with.as_ref() != Some(text));
    LeafReason {
        verdict,
        field: names.path(compared.field),
        operator: compared.operator.title(),
        with,
        left: compared
            .left
            .as_ref()
            .map(|value| names.quoted(record, Some(key), value)),
        right,
        learnt: compared
            .source
            .map(|(source, at)| format!("{}, {}", words::source(source), clock::relative(at, names.now()))),
        problem: compared.problem.clone(),
    }
}

/// The shortest way to a match: how many conditions stand in the way, of how many, and which.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Miss {
    /// Conditions that would have to come out otherwise.
    pub wanting: Vec<LeafReason>,
    /// All conditions that were looked at.
    pub total: usize,
}

impl Miss {
    /// «1 условие из 4 не выполнено — Бюджет: 90 000, а нужно: не меньше 100 000»; `None` when nothing is wanting.
    pub fn sentence(&self) -> Option<String> {
        let first = self.wanting.first()?;
        let n = self.wanting.len();
        let head = if self.total == 1 {
            "Условие не выполнено".to_owned()
        } else {
            format!(
                "{} из {} не {}",
                counted(u64::try_from(n).ok()?, "условие", "условия", "условий"),
                self.total,
                plural(u64::try_from(n).ok()?, "выполнено", "выполнены", "выполнено")
            )
        };
        Some(format!("{head} — {}", first.sentence()))
    }
}

/// What stands between a rule and a match. In a group of which one member is enough only the member that is
/// nearest counts; under НЕ every member that holds is in the way.
pub fn miss(reason: &Reason) -> Miss {
    Miss {
        wanting: wanting(reason, true).unwrap_or_default(),
        total: leaves(reason),
    }
}

fn leaves(reason: &Reason) -> usize {
    match reason {
        Reason::Leaf(_) => 1,
        Reason::Group { children, .. } => children.iter().map(leaves).sum(),
    }
}

/// The leaves that keep a node from being `holds`; `None` when it never can be.
fn wanting(reason: &Reason, holds: bool) -> Option<Vec<LeafReason>> {
    match reason {
        Reason::Leaf(leaf) => {
            let is = match leaf.verdict {
                Verdict::True => Some(true),
                Verdict::False => Some(false),
                Verdict::Unknown => None,
            };
            Some(if is == Some(holds) {
                Vec::new()
            } else {
                vec![leaf.clone()]
            })
        }
        Reason::Group {
            join: Some(Join::Not),
            children,
            ..
        } => wanting(children.first()?, !holds),
        Reason::Group { join, children, .. } => {
            let every = (*join != Some(Join::Any)) == holds;
            let parts = children.iter().map(|child| wanting(child, holds));
            if every {
                parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
            } else {
                parts.flatten().min_by_key(Vec::len)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::names;
    use crate::text::NBSP;
    use domain::condition::{Compare, Operand, Operator};
    use domain::evaluate::Source;
    use domain::time::Timestamp;
    use domain::value::Value;
    use std::sync::Arc;

    fn number(field: &str, holds: i64, wanted: i64) -> (Condition, Explanation) {
        let with = Operand::Value(Value::Number(wanted.into()));
        let condition = Condition::Compare(Compare {
            field: field.parse().unwrap(),
            operator: Operator::GreaterOrEqual,
            with: with.clone(),
            alike: Default::default(),
        });
        let explanation = Explanation {
            verdict: (holds >= wanted).into(),
            compared: Some(Compared {
                field: field.parse().unwrap(),
                operator: Operator::GreaterOrEqual,
                with: Arc::new(with),
                left: Some(Value::Number(holds.into())),
                right: Some(Value::Number(wanted.into())),
                source: Some((Source::Event, Timestamp(1_795_426_865_250 - 60_000))),
                problem: None,
            }),
            children: Vec::new(),
        };
        (condition, explanation)
    }

    fn group(verdict: Verdict, children: Vec<Explanation>) -> Explanation {
        Explanation {
            verdict,
            compared: None,
            children,
        }
    }

    #[test]
    fn the_failing_condition_is_told_with_both_sides() {
        let (good, good_why) = number("deal.price", 5, 1);
        let (bad, bad_why) = number("deal.price", 90_000, 100_000);
        let condition = Condition::All(vec![good, bad]);
        let why = group(Verdict::False, vec![good_why, bad_why]);
        let miss = miss(&reason(Some(&condition), &why, &names()));
        assert_eq!(miss.total, 2);
        assert_eq!(
            miss.sentence().unwrap().replace(NBSP, " "),
            "1 условие из 2 не выполнено — Сделка · Бюджет: 90 000, а нужно: не меньше 100 000"
        );
        assert_eq!(
            miss.wanting[0]
                .learnt
                .as_deref()
                .map(|text| text.replace(NBSP, " "))
                .as_deref(),
            Some("из события, 1 минуту назад")
        );
        assert_eq!(
            miss.wanting[0].right, None,
            "the right side says no more than the rule"
        );
    }

    #[test]
    fn of_alternatives_only_the_nearest_counts() {
        let (one, one_why) = number("deal.price", 1, 2);
        let (two, two_why) = number("deal.price", 1, 3);
        let (three, three_why) = number("deal.price", 1, 4);
        let condition = Condition::Any(vec![Condition::All(vec![one, two]), three]);
        let both = group(Verdict::False, vec![one_why, two_why]);
        let why = group(Verdict::False, vec![both, three_why]);
        let miss = miss(&reason(Some(&condition), &why, &names()));
        assert_eq!(miss.wanting.len(), 1);
        assert_eq!(miss.wanting[0].with.as_deref(), Some("4"));
    }

    #[test]
    fn under_not_what_holds_is_in_the_way() {
        let (inner, inner_why) = number("deal.price", 5, 1);
        let condition = Condition::Not(Box::new(Condition::All(vec![inner])));
        let inside = group(Verdict::True, vec![inner_why]);
        let why = group(Verdict::False, vec![inside]);
        let miss = miss(&reason(Some(&condition), &why, &names()));
        assert_eq!(miss.wanting.len(), 1);
    }

    #[test]
    fn a_match_wants_nothing() {
        let (condition, why) = number("deal.price", 5, 1);
        assert_eq!(miss(&reason(Some(&condition), &why, &names())).sentence(), None);
    }

    #[test]
    fn without_the_document_groups_are_nameless() {
        let (_, why) = number("deal.price", 5, 1);
        let Reason::Group { join, children, .. } = reason(None, &group(Verdict::True, vec![why]), &names())
        else {
            panic!("a group was given");
        };
        assert_eq!(join, None);
        assert_eq!(children.len(), 1);
    }
}
