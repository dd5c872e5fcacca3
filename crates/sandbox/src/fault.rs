//! Faults played by the fakes: one-time, counted or standing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::journal::Side;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The request is refused with this HTTP status and nothing is applied.
    Status {
        /// HTTP status.
        code: u16,
        /// Body; a usual one of the CRM for this status when absent.
        #[serde(default)]
        body: Option<String>,
        /// `Retry-After`, seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The write is applied, but the answer is this HTTP status.
    StatusAfterApply {
        /// HTTP status.
        code: u16,
    },
    /// 403 with an HTML page of the front server (a ban).
    Html403,
    /// The answer comes later by this much real time.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection is closed without an answer; nothing is applied.
    CutBeforeApply,
    /// The request is carried out, then the connection is closed without an answer.
    CutAfterApply,
    /// HTTP 200 with an error body of LPTracker's envelope.
    ErrorEnvelope {
        /// `errors[0].code`.
        code: i64,
        /// `errors[0].message`.
        message: String,
    },
    /// HTTP 200 with a body that is no JSON.
    NotJson,
    /// Any status and body, nothing applied.
    Raw {
        /// HTTP status.
        status: u16,
        /// Body as it is.
        body: String,
    },
}

impl FaultKind {
    /// A refusal with the usual body of this status.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            body: None,
            retry_after: None,
        }
    }
}

/// A rule: which requests are hit, how many times, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The fake concerned.
    pub side: Side,
    /// HTTP method, any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// A piece of path and query, any when absent.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// How many requests are hit; `None` = all until removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many matching requests pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that hits the next request of `side`.
    pub fn once(side: Side, kind: FaultKind) -> Self {
        Self {
            side,
            method: None,
            path_contains: None,
            times: Some(1),
            skip: 0,
            kind,
        }
    }

    /// A fault that hits every request of `side` until removed.
    pub fn standing(side: Side, kind: FaultKind) -> Self {
        Self {
            times: None,
            ..Self::once(side, kind)
        }
    }

    /// Only requests of this method.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path and query contain this.
    pub fn path(mut self, piece: &str) -> Self {
        self.path_contains = Some(piece.to_owned());
        self
    }

    /// Hits this many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets this many matching requests pass first.
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, side: Side, method: &str, path: &str) -> bool {
        self.side == side
            && self
                .method
                .as_deref()
                .is_none_or(|m| m.eq_ignore_ascii_case(method))
            && self.path_contains.as_deref().is_none_or(|p| path.contains(p))
    }
}

/// The faults waiting to be played, in order of arrival.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a rule; earlier rules win over later ones.
    pub fn add(&self, fault: Fault) {
        self.rules().push(fault);
    }

    /// Rules still waiting or standing.
    pub fn list(&self) -> Vec<Fault> {
        self.rules().clone()
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// The fault for this request, if any; counts it.
    pub fn take(&self, side: Side, method: &str, path: &str) -> Option<FaultKind> {
        let mut rules = self.rules();
        let mut hit = None;
        for (index, rule) in rules.iter_mut().enumerate() {
            if !rule.matches(side, method, path) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                if *times == 0 {
                    continue;
                }
                *times -= 1;
            }
            hit = Some(index);
            break;
        }
        let index = hit?;
        let kind = rules[index].kind.clone();
        rules.retain(|rule| rule.times != Some(0));
        Some(kind)
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_counted_skipped_and_matched() {
        let faults = Faults::default();
        faults.add(
            Fault::once(Side::Amocrm, FaultKind::status(500))
                .method("POST")
                .path("/leads")
                .skip(1),
        );
        faults.add(Fault::standing(Side::Lptracker, FaultKind::NotJson));
        assert_eq!(faults.take(Side::Amocrm, "GET", "/api/v4/leads"), None);
        assert_eq!(faults.take(Side::Amocrm, "POST", "/api/v4/leads"), None);
        assert_eq!(
            faults.take(Side::Amocrm, "POST", "/api/v4/leads"),
            Some(FaultKind::status(500))
        );
        assert_eq!(faults.take(Side::Amocrm, "POST", "/api/v4/leads"), None);
        for _ in 0..3 {
            assert_eq!(
                faults.take(Side::Lptracker, "GET", "/lead/1"),
                Some(FaultKind::NotJson)
            );
        }
        assert_eq!(faults.list().len(), 1);
    }

    #[test]
    fn rule_reads_from_flat_json() {
        let json =
            r#"{"side":"amocrm","method":"PATCH","times":2,"kind":"status","code":429,"retry_after":3}"#;
        let fault: Fault = serde_json::from_str(json).expect("a fault");
        assert_eq!(fault.times, Some(2));
        assert_eq!(
            fault.kind,
            FaultKind::Status {
                code: 429,
                body: None,
                retry_after: Some(3)
            }
        );
    }
}
