//! What people do in both CRMs meanwhile, and what the hub owes them for it.

use crate::crms::Crms;
use rand::Rng;
use rand::rngs::StdRng;
use sandbox::lptracker::{
    DEMO_LPTRACKER_STEP_INTEREST, DEMO_LPTRACKER_STEP_NO_ANSWER, DEMO_LPTRACKER_STEP_REFUSED,
};
use sandbox::{
    Entry, EntryKind, STATUS_CONFIRMED, STATUS_LOST, STATUS_NEW, STATUS_NO_ANSWER, STATUS_TO_CALL, Sandbox,
    Side,
};
use serde_json::{Value, json};
use std::collections::HashSet;

/// What a call ended with: the step that an operator chooses, and what the demo's rules make of it.
struct Outcome {
    step: i64,
    status: i64,
    /// Whether the manager gets a note, or else a task.
    is_note: bool,
    /// A piece of its text.
    text: &'static str,
}

const OUTCOMES: [Outcome; 3] = [
    Outcome {
        step: DEMO_LPTRACKER_STEP_INTEREST,
        status: STATUS_CONFIRMED,
        is_note: true,
        text: "интерес подтверждён",
    },
    Outcome {
        step: DEMO_LPTRACKER_STEP_NO_ANSWER,
        status: STATUS_NO_ANSWER,
        is_note: false,
        text: "Перезвонить",
    },
    Outcome {
        step: DEMO_LPTRACKER_STEP_REFUSED,
        status: STATUS_LOST,
        is_note: true,
        text: "клиент отказался",
    },
];

/// Deals without an outcome at any time: LPTracker takes three requests a second, and a lead takes three.
const AT_ONCE: usize = 4;

/// A deal that somebody works on.
struct Deal {
    id: i64,
    phone: String,
    is_handed_over: bool,
    lead: Option<i64>,
    /// Places in [`OUTCOMES`], in the order in which they were chosen.
    outcomes: Vec<usize>,
}

/// Everybody at work.
pub struct People<'a> {
    crms: Crms<'a>,
    deals: Vec<Deal>,
    /// Deals whose hand-over was acknowledged, and leads with the step that was.
    handed_over: HashSet<i64>,
    stepped: HashSet<(i64, i64)>,
    pub n_acknowledged: usize,
    pub n_refused: usize,
}

/// What was found in the end.
#[derive(Default, Debug)]
pub struct Verdict {
    pub n_deals: usize,
    pub n_handed_over: usize,
    pub n_leads: usize,
    pub n_outcomes: usize,
    pub n_effects: usize,
    /// Acts whose webhook nobody acknowledged: nothing is owed for them.
    pub n_not_told: usize,
    pub faults: Vec<String>,
}

impl<'a> People<'a> {
    pub fn new(sandbox: &'a Sandbox) -> Self {
        Self {
            crms: Crms::of(sandbox),
            deals: Vec::new(),
            handed_over: HashSet::new(),
            stepped: HashSet::new(),
            n_acknowledged: 0,
            n_refused: 0,
        }
    }

    /// Somebody does something: a new deal, a hand-over, or the end of a call.
    pub async fn act(&mut self, random: &mut StdRng, may_begin: bool) {
        let waiting = self.deals.iter().filter(|deal| deal.outcomes.is_empty()).count();
        let choice = random.random_range(0..10);
        if choice < 3 && may_begin && waiting < AT_ONCE {
            self.create().await;
            return;
        }
        if self.deals.is_empty() {
            return;
        }
        let at = random.random_range(0..self.deals.len());
        if !self.deals[at].is_handed_over {
            self.hand_over(at).await;
        } else if self.deals[at].outcomes.is_empty() {
            self.end_call(at, random).await;
        }
    }

    async fn create(&mut self) {
        let n = self.deals.len();
        let phone = format!("7999{n:07}");
        let form = json!({"name": format!("Покупатель {n}"), "phone": format!("+{phone}"),
            "deal": format!("Заявка {n}"), "status_id": STATUS_NEW});
        let made = self.crms.post("amocrm/ui/create", form).await;
        self.deals.push(Deal {
            id: made[0]["id"].as_i64().unwrap(),
            phone,
            is_handed_over: false,
            lead: None,
            outcomes: Vec::new(),
        });
    }

    async fn hand_over(&mut self, at: usize) {
        self.deals[at].is_handed_over = true;
        let to_call = json!({"id": self.deals[at].id, "status_id": STATUS_TO_CALL});
        self.crms.post("amocrm/ui/move", to_call).await;
    }

    /// As soon as the lead is there an operator chooses a step; one time in four first a wrong one.
    async fn end_call(&mut self, at: usize, random: &mut StdRng) {
        let leads = self.crms.leads(&self.deals[at].phone).await;
        let Some((lead, _)) = leads.first() else {
            return;
        };
        let last = random.random_range(0..OUTCOMES.len());
        let mut outcomes = vec![last];
        if random.random_bool(0.25) {
            outcomes.insert(0, (last + 1) % OUTCOMES.len());
        }
        self.deals[at].lead = Some(*lead);
        for outcome in outcomes {
            self.deals[at].outcomes.push(outcome);
            let moved = json!({"lead_id": lead, "step_id": OUTCOMES[outcome].step});
            self.crms.post("lptracker/ui/move", moved).await;
        }
    }

    /// Takes note of a webhook attempt that ended.
    pub fn hear(&mut self, entry: &Entry) {
        if entry.kind != EntryKind::Webhook {
            return;
        }
        if !entry.status.is_some_and(|status| (200..300).contains(&status)) {
            self.n_refused += 1;
            return;
        }
        self.n_acknowledged += 1;
        let form: Vec<(String, String)> = url::form_urlencoded::parse(entry.body.as_bytes())
            .into_owned()
            .collect();
        match entry.side {
            Side::Amocrm => {
                let ids = form
                    .iter()
                    .filter(|(name, _)| name.starts_with("leads[status]") && name.ends_with("][id]"));
                self.handed_over
                    .extend(ids.filter_map(|(_, id)| id.parse::<i64>().ok()));
            }
            Side::Lptracker => {
                let data = form.iter().find(|(name, _)| name == "data").map(|(_, data)| data);
                let data: Value = data
                    .and_then(|data| serde_json::from_str(data).ok())
                    .unwrap_or_default();
                if let (Some(lead), Some(step)) = (data["id"].as_i64(), data["stage_id"].as_i64()) {
                    self.stepped.insert((lead, step));
                }
            }
        }
    }

    /// Compares what is there with what is owed. What a person must decide (`undecided`, by event's record) may be
    /// there or not, but never twice.
    pub async fn judge(&self, undecided: &HashSet<String>) -> Verdict {
        let mut verdict = Verdict {
            n_deals: self.deals.len(),
            ..Verdict::default()
        };
        for deal in self.deals.iter().filter(|deal| deal.is_handed_over) {
            verdict.n_handed_over += 1;
            let n_leads = self.crms.leads(&deal.phone).await.len();
            verdict.n_leads += n_leads;
            let is_told = self.handed_over.contains(&deal.id);
            verdict.n_not_told += usize::from(!is_told);
            let is_owed = is_told && !undecided.contains(&deal.id.to_string());
            check(&mut verdict, n_leads, is_owed, || {
                format!("лиды сделки {}", deal.id)
            });
            self.judge_outcomes(deal, undecided, &mut verdict).await;
        }
        verdict
    }

    async fn judge_outcomes(&self, deal: &Deal, undecided: &HashSet<String>, verdict: &mut Verdict) {
        let (Some(lead), Some(last)) = (deal.lead, deal.outcomes.last()) else {
            return;
        };
        verdict.n_outcomes += deal.outcomes.len();
        let card = self.crms.get(&format!("amocrm/card/{}", deal.id)).await;
        let n_texts = |outcome: &Outcome| {
            let list = if outcome.is_note {
                &card["notes"]
            } else {
                &card["tasks"]
            };
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            let texts = list.iter().filter_map(|item| item["text"].as_str());
            texts.filter(|text| text.contains(outcome.text)).count()
        };
        let decided = !undecided.contains(&lead.to_string());
        for place in &deal.outcomes {
            let outcome = &OUTCOMES[*place];
            let n = n_texts(outcome);
            verdict.n_effects += n;
            let is_told = self.stepped.contains(&(lead, outcome.step));
            verdict.n_not_told += usize::from(!is_told);
            // Rules act on the state that is read: of a step that was corrected at once nothing may be left.
            let is_owed = place == last && is_told && decided;
            check(verdict, n, is_owed, || {
                format!("«{}» у сделки {}", outcome.text, deal.id)
            });
        }
        let last = &OUTCOMES[*last];
        if self.stepped.contains(&(lead, last.step)) && decided && card["status_id"] != last.status {
            verdict.faults.push(format!(
                "сделка {} стоит на {}, а последним было {}",
                deal.id, card["status_id"], last.status
            ));
        }
    }
}

fn check(verdict: &mut Verdict, n: usize, is_owed: bool, what: impl Fn() -> String) {
    if n > 1 || n == 0 && is_owed {
        verdict.faults.push(format!("{}: {n}", what()));
    }
}
