//! An evaluation laid over the tree of conditions: what came out at which place, and with which value.

use std::collections::HashMap;

use domain::condition::Condition;
use domain::evaluate::{Explanation, Verdict};

use crate::explain::{LeafReason, Reason, reason};
use crate::names::Names;

/// What came out at one place.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// True, false, unknown.
    pub verdict: Verdict,
    /// «было 90 000, из события, 5 минут назад»; only at comparisons.
    pub held: Option<String>,
}

/// Marks by JSON pointer of the condition.
pub fn marks(condition: &Condition, explanation: &Explanation, names: &Names) -> HashMap<String, Mark> {
    let mut out = HashMap::new();
    let tree = reason(Some(condition), explanation, names);
    lay("/condition".to_owned(), condition, &tree, &mut out);
    out
}

fn lay(pointer: String, condition: &Condition, reason: &Reason, out: &mut HashMap<String, Mark>) {
    let (verdict, held, children): (_, _, &[Reason]) = match reason {
        Reason::Leaf(leaf) => (leaf.verdict, Some(held(leaf)), &[]),
        Reason::Group {
            verdict, children, ..
        } => (*verdict, None, children),
    };
    let step = |word: &str, at: usize| format!("{pointer}/{word}/{at}");
    match condition {
        Condition::All(list) | Condition::Any(list) => {
            let word = if matches!(condition, Condition::All(_)) {
                "all"
            } else {
                "any"
            };
            for (at, (inner, reason)) in list.iter().zip(children).enumerate() {
                lay(step(word, at), inner, reason, out);
            }
        }
        Condition::Not(inner) => {
            if let Some(reason) = children.first() {
                lay(format!("{pointer}/not"), inner, reason, out);
            }
        }
        Condition::Compare(_) => {}
    }
    out.insert(pointer, Mark { verdict, held });
}

fn held(leaf: &LeafReason) -> String {
    if let Some(problem) = &leaf.problem {
        return problem.clone();
    }
    let left = leaf
        .left
        .as_ref()
        .map_or_else(|| "значения нет".to_owned(), |left| format!("было {left}"));
    match &leaf.learnt {
        Some(learnt) => format!("{left}, {learnt}"),
        None => left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::{AMO, catalogues, names};
    use domain::compile::compile;
    use domain::evaluate::{Facts, KnownRecord, Source, evaluate};
    use domain::event::EventKind;
    use domain::field::SystemField;
    use domain::record::{Record, RecordKind};
    use domain::time::{Timestamp, Zone};
    use domain::value::Value;
    use serde_json::json;

    #[test]
    fn every_place_of_the_tree_gets_its_mark() {
        let more_than = |sum: i64| {
            json!({ "compare": { "field": "deal.price", "operator": "greater",
                "with": { "value": { "type": "number", "value": sum } } } })
        };
        let mut rule = crate::draft::blank(AMO, domain::connection::ConnectorKind::Amocrm);
        rule.condition = crate::wire::from_tree(
            json!({ "all": [more_than(5), { "not": { "any": [more_than(50), more_than(500)] } }] }),
        )
        .unwrap();
        let now = Timestamp(1_795_426_865_250);
        let facts = Facts {
            kind: EventKind::DealStageChanged,
            key: domain::record::RecordKey::new(RecordKind::Deal, 1),
            records: vec![KnownRecord {
                record: Record::new(RecordKind::Deal, 1).with(SystemField::Price, Value::Number(100.into())),
                source: Source::Event,
                at: now,
            }],
            before: Vec::new(),
            changed: None,
            exists_in_other: None,
            now,
            zone: Zone::moscow(),
            calendar: Default::default(),
        };
        let evaluation = evaluate(&compile(&rule, &catalogues()).0, &facts);
        let marks = marks(&rule.condition, &evaluation.explanation, &names());
        for (pointer, verdict) in [
            ("", Verdict::False),
            ("/all/0", Verdict::True),
            ("/all/1", Verdict::False),
            ("/all/1/not", Verdict::True),
            ("/all/1/not/any/0", Verdict::True),
            ("/all/1/not/any/1", Verdict::False),
        ] {
            assert_eq!(
                marks[&format!("/condition{pointer}")].verdict,
                verdict,
                "{pointer}"
            );
        }
        assert_eq!(marks.len(), 6);
        let held = marks["/condition/all/0"].held.as_deref().unwrap();
        assert!(held.starts_with("было 100, из события"), "{held}");
    }
}
