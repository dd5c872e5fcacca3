//! What goes wrong, and how often.

use rand::Rng;
use rand::rngs::StdRng;
use sandbox::{Fault, FaultKind, Modes, Sandbox, Side};
use std::collections::BTreeMap;

/// Plays something that a CRM or the way to it does; tells what.
pub fn fault(random: &mut StdRng, sandbox: &Sandbox) -> &'static str {
    let side = side(random);
    let (word, kind, only_writes) = match random.random_range(0..8) {
        0 => ("429", limited(), false),
        1 => ("500", FaultKind::status(500), false),
        2 => ("503", FaultKind::status(503), false),
        3 => ("обрыв до применения", FaultKind::CutBeforeApply, false),
        4 | 5 => ("ответ потерян после применения", FaultKind::CutAfterApply, true),
        6 => (
            "502 после применения",
            FaultKind::StatusAfterApply { code: 502 },
            true,
        ),
        _ => (
            "задержка",
            FaultKind::Delay {
                ms: random.random_range(200..2_000),
            },
            false,
        ),
    };
    let mut fault = Fault::once(side, kind).times(random.random_range(1..=2));
    if only_writes {
        fault = fault.method(match (side, random.random_bool(0.5)) {
            (Side::Amocrm, true) => "PATCH",
            (Side::Lptracker, true) => "PUT",
            _ => "POST",
        });
    }
    sandbox.world.faults.add(fault);
    word
}

/// Changes how webhooks of one CRM are delivered; tells how.
pub fn modes(random: &mut StdRng, sandbox: &Sandbox) -> &'static str {
    let calm = Modes::default();
    let (word, modes) = match random.random_range(0..4) {
        0 => (
            "вебхуки дважды",
            Modes {
                duplicate: true,
                ..calm
            },
        ),
        1 => (
            "вебхуки не по порядку",
            Modes {
                reorder: true,
                parallel: 4,
                ..calm
            },
        ),
        2 => (
            "вебхуки с задержкой",
            Modes {
                delay_ms: random.random_range(100..1_500),
                ..calm
            },
        ),
        _ => ("вебхуки как обычно", calm),
    };
    let now = sandbox.world.clock.now_ms();
    sandbox.world.emitter.set_modes(side(random), modes, now);
    word
}

/// Nothing goes wrong any more.
pub fn end(sandbox: &Sandbox) {
    sandbox.world.faults.clear();
    let now = sandbox.world.clock.now_ms();
    for side in [Side::Amocrm, Side::Lptracker] {
        sandbox.world.emitter.set_modes(side, Modes::default(), now);
    }
}

/// What happened how often.
#[derive(Default)]
pub struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    pub fn add(&mut self, word: &'static str) {
        *self.0.entry(word).or_default() += 1;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(word, n)| format!("{word} ×{n}")).collect();
        f.write_str(&parts.join(", "))
    }
}

fn side(random: &mut StdRng) -> Side {
    if random.random_bool(0.5) {
        Side::Amocrm
    } else {
        Side::Lptracker
    }
}

fn limited() -> FaultKind {
    FaultKind::Status {
        code: 429,
        body: None,
        retry_after: Some(1),
    }
}
