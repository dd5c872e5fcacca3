//! Comparisons and their outcomes in Russian words: what lists show beside a rule that did not run.

#[cfg(test)]
mod tests;

use crate::catalogues::Scope;
use crate::condition::{Compare, Moved, Operand, Operator, Span, SpanUnit};
use crate::evaluate::{Compared, Explanation, Verdict};
use crate::field::FieldPath;
use crate::time::Zone;
use crate::value::Value;

/// Reasons shown at most; the rest is counted.
const MAX_REASONS: usize = 3;
/// Values of a list shown at most.
const MAX_VALUES: usize = 5;

/// Why a rule did not match, as near as one sentence gets: «1 из 4 не выполнено: бюджет 90 000 < 100 000».
/// Empty when it matched.
pub fn nearest_miss(explanation: &Explanation, scope: &Scope, zone: &Zone) -> String {
    if explanation.verdict == Verdict::True {
        return String::new();
    }
    let words = Words { scope, zone };
    if explanation.children.is_empty() || explanation.compared.is_some() {
        return match words.reason(explanation, Verdict::True) {
            Some(reason) if explanation.verdict == Verdict::Unknown => {
                format!("не удалось проверить: {reason}")
            }
            Some(reason) => format!("не выполнено: {reason}"),
            None => "условие не выполнено".to_owned(),
        };
    }
    // A group whose children are all false or unknown although one would do is an «или».
    let n = explanation.children.len();
    let failed: Vec<&Explanation> = explanation
        .children
        .iter()
        .filter(|child| child.verdict != Verdict::True)
        .collect();
    if failed.is_empty() {
        // Only «не» turns what holds into what does not.
        let reasons = words.reasons(explanation.children.iter(), Verdict::False);
        return format!("не выполнено: {reasons}");
    }
    let unknown = failed
        .iter()
        .filter(|child| child.verdict == Verdict::Unknown)
        .count();
    let what = if unknown == failed.len() {
        "не удалось проверить"
    } else {
        "не выполнено"
    };
    let reasons = words.reasons(failed.iter().copied(), Verdict::True);
    format!("{} из {n} {what}: {reasons}", failed.len())
}

/// A comparison of a rule in words: «Бюджет не меньше 100 000».
pub fn compare_words(compare: &Compare, scope: &Scope, zone: &Zone) -> String {
    let words = Words { scope, zone };
    let right = words.operand(compare.field, &compare.with, None);
    let name = scope.field_name(compare.field);
    let title = compare.operator.title();
    if right.is_empty() {
        format!("{name} {title}")
    } else {
        format!("{name} {title} {right}")
    }
}

/// What came out of a comparison, in words: «бюджет 90 000 < 100 000», «этап: «Новая», нужно: одно из …».
pub fn compared_words(compared: &Compared, verdict: Verdict, scope: &Scope, zone: &Zone) -> String {
    Words { scope, zone }.compared(compared, verdict)
}

/// A length of time in words: «2 рабочих дня».
pub fn span_words(span: Span) -> String {
    let forms = match span.unit {
        SpanUnit::Minutes => ["минута", "минуты", "минут"],
        SpanUnit::Hours => ["час", "часа", "часов"],
        SpanUnit::Days => ["день", "дня", "дней"],
        SpanUnit::Weeks => ["неделя", "недели", "недель"],
        SpanUnit::WorkingDays => ["рабочий день", "рабочих дня", "рабочих дней"],
    };
    format!("{} {}", span.n, plural(span.n, forms))
}

/// The Russian form of a noun after a number.
pub fn plural(n: i64, [one, few, many]: [&str; 3]) -> &str {
    let n = n.unsigned_abs();
    match (n % 10, n % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    }
}

struct Words<'a> {
    scope: &'a Scope,
    zone: &'a Zone,
}

impl Words<'_> {
    fn reasons<'e>(&self, list: impl Iterator<Item = &'e Explanation>, wanted: Verdict) -> String {
        let mut shown: Vec<String> = list.filter_map(|one| self.reason(one, wanted)).collect();
        let more = shown.len().saturating_sub(MAX_REASONS);
        shown.truncate(MAX_REASONS);
        if more > 0 {
            shown.push(format!("и ещё {more}"));
        }
        shown.join("; ")
    }

    /// Why a node is not as wanted.
    fn reason(&self, node: &Explanation, wanted: Verdict) -> Option<String> {
        if let Some(compared) = &node.compared {
            return Some(self.compared(compared, node.verdict));
        }
        let against = |child: &&Explanation| child.verdict != wanted;
        if let [only] = &node.children[..]
            && only.verdict != node.verdict
        {
            // «Не»: the inner one is as it should not be.
            return self
                .reason(only, wanted.negate())
                .map(|reason| format!("не должно быть так: {reason}"));
        }
        let n = node.children.iter().filter(against).count();
        let reasons = self.reasons(node.children.iter().filter(against), wanted);
        match (reasons.is_empty(), n == node.children.len() && n > 1) {
            (true, _) => None,
            (false, true) => Some(format!("ничего из ({reasons})")),
            (false, false) => Some(reasons),
        }
    }

    fn compared(&self, compared: &Compared, verdict: Verdict) -> String {
        let name = small(&self.scope.field_name(compared.field));
        if let Some(problem) = &compared.problem {
            return format!("{name} — {problem}");
        }
        let Some(left) = &compared.left else {
            return format!("{name}: {}", self.asked(compared));
        };
        let left_words = self.scope.value_words(Some(compared.field), left, self.zone);
        let sign = match (compared.operator, verdict) {
            _ if left.is_empty() => None,
            (Operator::Equals, Verdict::True) | (Operator::NotEquals, Verdict::False) => Some("="),
            (Operator::Equals, _) | (Operator::NotEquals, _) => Some("≠"),
            (Operator::Less, Verdict::True) | (Operator::GreaterOrEqual, Verdict::False) => Some("<"),
            (Operator::Less, _) | (Operator::GreaterOrEqual, _) => Some("≥"),
            (Operator::Greater, Verdict::True) | (Operator::LessOrEqual, Verdict::False) => Some(">"),
            (Operator::Greater, _) | (Operator::LessOrEqual, _) => Some("≤"),
            _ => None,
        };
        match (sign, &compared.right) {
            (Some(sign), Some(right)) => {
                let path = match &*compared.with {
                    Operand::Field(other) => *other,
                    _ => compared.field,
                };
                let right = self.scope.value_words(Some(path), right, self.zone);
                format!("{name} {left_words} {sign} {right}")
            }
            _ if verdict == Verdict::True => format!("{name} {left_words}: {}", self.asked(compared)),
            _ => format!("{name} {left_words}, нужно: {}", self.asked(compared)),
        }
    }

    /// What the rule asks for: operator and right side.
    fn asked(&self, compared: &Compared) -> String {
        let right = self.operand(compared.field, &compared.with, compared.right.as_ref());
        let title = compared.operator.title();
        if right.is_empty() {
            title.to_owned()
        } else {
            format!("{title} {right}")
        }
    }

    fn operand(&self, field: FieldPath, with: &Operand, found: Option<&Value>) -> String {
        let value = |value: &Value| self.scope.value_words(Some(field), value, self.zone);
        match with {
            Operand::None => String::new(),
            Operand::Value(one) => value(one),
            Operand::Values(list) => {
                let mut shown: Vec<String> = list.iter().take(MAX_VALUES).map(value).collect();
                if list.len() > MAX_VALUES {
                    shown.push(format!("и ещё {}", list.len() - MAX_VALUES));
                }
                shown.join(", ")
            }
            Operand::Between(from, to) => format!("от {} до {}", value(from), value(to)),
            Operand::Field(other) => {
                let label = format!("«{}»", self.scope.field_label(*other));
                match found {
                    Some(found) => {
                        format!(
                            "{label} ({})",
                            self.scope.value_words(Some(*other), found, self.zone)
                        )
                    }
                    None => label,
                }
            }
            Operand::Span(span) => span_words(*span),
            Operand::Moved(moved) => match found {
                Some(found) => format!("{} ({})", self.moved(moved), value(found)),
                None => self.moved(moved),
            },
            Operand::Weekdays(days) => {
                const NAMES: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];
                let names = days
                    .iter()
                    .filter_map(|day| NAMES.get(usize::from(*day).checked_sub(1)?));
                names.copied().collect::<Vec<_>>().join(", ")
            }
            Operand::TimeOfDay(from, to) => {
                let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
                format!("с {} до {}", clock(*from), clock(*to))
            }
            Operand::Day(day) => value(&Value::Day(*day)),
        }
    }

    fn moved(&self, moved: &Moved) -> String {
        let from = match moved.from {
            Some(path) => format!("«{}»", self.scope.field_label(path)),
            None => "сейчас".to_owned(),
        };
        match moved.by.n {
            0 => from,
            n => {
                let sign = if n < 0 { '−' } else { '+' };
                format!(
                    "{from} {sign} {}",
                    span_words(Span {
                        n: n.saturating_abs(),
                        ..moved.by
                    })
                )
            }
        }
    }
}

/// A name inside a sentence: small first letter, unless it is an abbreviation.
fn small(name: &str) -> String {
    let mut chars = name.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => name.to_owned(),
    }
}
