use crate::support::*;
use domain::evaluate::{Explanation, Note, Verdict};
use domain::id::{RuleVersionId, RunId};
use domain::run::RunOutcome;
use domain::time::Timestamp;
use storage::runs::{self, Run};

/// A run over event 1.
pub(crate) fn run(n: u128, rule: u128, outcome: RunOutcome, at: Timestamp) -> Run {
    let leaf = |verdict| Explanation {
        verdict,
        compared: None,
        children: Vec::new(),
    };
    Run {
        workspace: OURS,
        id: RunId(uuid(n)),
        event: event_id(1),
        rule: rule_id(rule),
        version: RuleVersionId(uuid(rule + 100)),
        outcome,
        explanation: Explanation {
            children: vec![leaf(Verdict::True), leaf(Verdict::Unknown)],
            ..leaf(Verdict::False)
        },
        notes: vec![Note {
            action: 1,
            text: "поле пропущено".to_owned(),
        }],
        n_commands: 2,
        at,
    }
}

#[tokio::test]
async fn runs_of_an_event_come_in_the_order_of_the_rules() {
    on_each(async |base| {
        let db = &base.db;
        runs::insert::<runs::Run>(db, &[]).await.unwrap();
        let outcomes = [
            RunOutcome::Matched,
            RunOutcome::NotMatched,
            RunOutcome::Undecidable,
            RunOutcome::Stopped,
            RunOutcome::LoopGuard,
        ];
        let made: Vec<_> = (1..)
            .zip(outcomes)
            .map(|(n, outcome)| run(n, n, outcome, NOW))
            .collect();
        let elsewhere = Run {
            event: event_id(2),
            ..run(9, 1, RunOutcome::Matched, NOW)
        };
        let stored: Vec<_> = made.iter().rev().cloned().chain([elsewhere.clone()]).collect();
        runs::insert(db, &stored).await.unwrap();
        assert_eq!(runs::of_event(db, OURS, event_id(1)).await.unwrap(), made);
        assert_eq!(runs::of_event(db, OURS, event_id(2)).await.unwrap(), [elsewhere]);
        assert_eq!(runs::of_event(db, THEIRS, event_id(1)).await.unwrap(), []);

        let many: Vec<_> = (1_000..2_001)
            .map(|n| Run {
                event: event_id(3),
                ..run(n, 1, RunOutcome::Matched, NOW)
            })
            .collect();
        runs::insert(db, &many).await.unwrap();
        assert_eq!(runs::of_event(db, OURS, event_id(3)).await.unwrap(), many);

        base.tamper("UPDATE run SET explanation = '?' WHERE outcome = 'stopped'")
            .await;
        assert_corrupt(runs::of_event(db, OURS, event_id(1)).await);
    })
    .await;
}
