use super::*;
use crate::action::Action;
use crate::command::{IfFound, IfNone, MatchBy, Pick, Target};
use crate::compile::compile;
use crate::condition::{Condition, Operand, Operator};
use crate::id::ConnectionId;
use crate::mapping::{Conversion, Expression, MappingLine};
use crate::record::RecordKind;
use crate::rule::{Rule, Trigger};
use crate::testing::*;
use crate::value::{Stage, Value};
use proptest::prelude::*;
use uuid::Uuid;

fn id(n: usize) -> RuleId {
    RuleId(Uuid::from_u128(n as u128 + 1))
}

fn members(rules: &[Rule]) -> Vec<Member> {
    rules
        .iter()
        .enumerate()
        .map(|(at, rule)| Member {
            rule: id(at),
            position: at as i64,
            compiled: Arc::new(compile(rule, &catalogues()).0),
        })
        .collect()
}

fn certainties(rules: &[Rule]) -> Vec<(Certainty, usize)> {
    let analysis = analyse(&members(rules));
    assert!(analysis.is_complete);
    analysis
        .cycles
        .iter()
        .map(|cycle| (cycle.certainty, cycle.steps.len()))
        .collect()
}

fn made(name: &str, source: ConnectionId, on: EventKind, condition: Condition, action: Action) -> Rule {
    Rule {
        name: name.to_owned(),
        source,
        triggers: vec![Trigger::on(on)],
        ..rule(condition, vec![card(action)])
    }
}

fn always() -> Condition {
    Condition::All(Vec::new())
}

fn at_stage(record: &str, stage: Stage) -> Condition {
    compare(
        &format!("{record}.stage"),
        Operator::Equals,
        Operand::Value(Value::Stage(stage)),
    )
}

fn moves(target: Target, stage: Stage) -> Action {
    Action::Move {
        target,
        stage,
        loss_reason: None,
    }
}

fn on_deal(name: &str, from: Stage, target: Target, to: Stage) -> Rule {
    made(
        name,
        AMO,
        EventKind::DealStageChanged,
        at_stage("deal", from),
        moves(target, to),
    )
}

fn on_lead(name: &str, from: Stage, target: Target, to: Stage) -> Rule {
    made(
        name,
        LPT,
        EventKind::LeadStageChanged,
        at_stage("lead", from),
        moves(target, to),
    )
}

fn copies(
    source: ConnectionId,
    on: EventKind,
    record: RecordKind,
    into: &str,
    out_of: &str,
    convert: Vec<Conversion>,
) -> Rule {
    writes(source, on, line(record, into, from(out_of), convert))
}

fn writes(source: ConnectionId, on: EventKind, line: MappingLine) -> Rule {
    let action = Action::Update {
        target: Target::Linked,
        mapping: vec![line],
    };
    made("копия", source, on, always(), action)
}

fn upserts(source: ConnectionId, on: EventKind, kind: RecordKind, order: Vec<MatchBy>) -> Rule {
    let contact = if kind == RecordKind::Lead {
        line(RecordKind::LeadContact, "name", from("contact.name"), vec![])
    } else {
        line(RecordKind::Contact, "name", from("lead_contact.name"), vec![])
    };
    let action = Action::Upsert {
        kind,
        order,
        pick: Pick::default(),
        if_none: IfNone::Create,
        if_found: IfFound::Update,
        mapping: vec![contact],
        stage: None,
        responsible: None,
        tags: vec![],
    };
    made("пара", source, on, always(), action)
}

#[test]
fn two_rules_that_move_a_deal_to_and_fro_are_certain() {
    let rules = [
        on_deal("Вперёд", NEW, Target::Trigger, TALKS),
        on_deal("Назад", TALKS, Target::Trigger, NEW),
    ];
    let analysis = analyse(&members(&rules));
    assert_eq!(analysis.cycles.len(), 1, "{:?}", analysis.cycles);
    let cycle = &analysis.cycles[0];
    assert_eq!(cycle.certainty, Certainty::Certain);
    assert_eq!(
        cycle.path(),
        "правило «Вперёд» перемещает запись на этап «Переговоры» → событие «Этап сделки изменён» → правило «Назад» \
         перемещает запись на этап «Новая» → событие «Этап сделки изменён» → снова правило «Вперёд»"
    );
    let findings = analysis.findings(id(1));
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].code.as_str(), findings[0].pointer.as_str()),
        ("cycle_certain", "/actions/0")
    );
    assert_eq!(findings[0].severity, Severity::Warning);
    assert!(
        findings[0].text.contains("правило «Назад» перемещает"),
        "{}",
        findings[0].text
    );
}

#[test]
fn a_ring_through_both_crms_is_certain() {
    let rules = [
        on_deal("A", NEW, Target::Linked, STEP),
        on_lead("B", STEP, Target::Linked, TALKS),
        on_deal("C", TALKS, Target::Linked, CALLED),
        on_lead("D", CALLED, Target::Linked, NEW),
    ];
    assert_eq!(certainties(&rules), [(Certainty::Certain, 4)]);
}

#[test]
fn stages_kept_alike_on_both_sides_end_by_themselves() {
    let rules = [
        on_deal("A", NEW, Target::Linked, STEP),
        on_lead("B", STEP, Target::Linked, NEW),
        on_deal("C", TALKS, Target::Linked, CALLED),
        on_lead("D", CALLED, Target::Linked, TALKS),
    ];
    assert_eq!(certainties(&rules), []);
}

#[test]
fn copies_there_and_back_end_by_themselves() {
    let rules = [
        copies(
            AMO,
            EventKind::DealUpdated,
            RecordKind::Lead,
            "name",
            "deal.name",
            vec![],
        ),
        copies(
            LPT,
            EventKind::LeadUpdated,
            RecordKind::Deal,
            "name",
            "lead.name",
            vec![Conversion::Trim],
        ),
    ];
    assert_eq!(certainties(&rules), []);
}

#[test]
fn a_text_that_grows_is_possible() {
    let grows = line(
        RecordKind::Deal,
        "name",
        Expression::Template("{{lead.name}}!".to_owned()),
        vec![],
    );
    let rules = [
        copies(
            AMO,
            EventKind::DealUpdated,
            RecordKind::Lead,
            "name",
            "deal.name",
            vec![],
        ),
        writes(LPT, EventKind::LeadUpdated, grows),
    ];
    assert_eq!(certainties(&rules), [(Certainty::Possible, 2)]);
}

#[test]
fn a_text_from_steady_fields_ends_by_itself() {
    let steady = line(
        RecordKind::Deal,
        "name",
        Expression::Template("{{lead.name}}!".to_owned()),
        vec![],
    );
    let rules = [
        copies(
            AMO,
            EventKind::DealUpdated,
            RecordKind::LeadContact,
            "name",
            "deal.name",
            vec![],
        ),
        writes(LPT, EventKind::LeadUpdated, steady),
    ];
    assert_eq!(certainties(&rules), []);
}

#[test]
fn a_note_on_a_note_is_certain() {
    let text = Expression::Template("ещё {{deal.name}}".to_owned());
    let action = Action::AddNote {
        target: Target::Trigger,
        text,
    };
    let rules = [made("Эхо", AMO, EventKind::NoteAdded, always(), action)];
    assert_eq!(certainties(&rules), [(Certainty::Certain, 1)]);
}

#[test]
fn an_idempotent_write_on_its_own_event_ends_by_itself() {
    let mut price = line(
        RecordKind::Deal,
        "price",
        Expression::Constant(number("5")),
        vec![],
    );
    let action = |price: &MappingLine| Action::Update {
        target: Target::Trigger,
        mapping: vec![price.clone()],
    };
    let ends = made("Цена", AMO, EventKind::DealUpdated, always(), action(&price));
    assert_eq!(certainties(&[ends]), []);
    price.from = Expression::Template("{{deal.price}}1".to_owned());
    price.convert = vec![Conversion::Number];
    let grows = made("Цена", AMO, EventKind::DealUpdated, always(), action(&price));
    assert_eq!(certainties(&[grows]), [(Certainty::Possible, 1)]);
}

#[test]
fn creations_are_held_together_by_the_link() {
    let pair = |order: &[MatchBy]| {
        [
            upserts(AMO, EventKind::DealCreated, RecordKind::Lead, order.to_vec()),
            upserts(LPT, EventKind::LeadCreated, RecordKind::Deal, order.to_vec()),
        ]
    };
    assert_eq!(certainties(&pair(&[MatchBy::Link, MatchBy::Phone])), []);
    assert_eq!(certainties(&pair(&[MatchBy::Phone])), [(Certainty::Possible, 2)]);
    assert_eq!(certainties(&pair(&[])), [(Certainty::Certain, 2)]);
}

#[test]
fn a_condition_on_what_was_written_shuts_the_next_rule_out() {
    let rules = [
        on_deal("A", NEW, Target::Trigger, TALKS),
        on_deal("B", LOST, Target::Trigger, NEW),
    ];
    assert_eq!(certainties(&rules), []);
}

#[test]
fn a_rule_with_the_stop_flag_makes_it_less_sure() {
    let mut first = on_deal("Сначала", LOST, Target::Trigger, LOST);
    first.stop = true;
    let rules = [
        first,
        on_deal("Вперёд", NEW, Target::Trigger, TALKS),
        on_deal("Назад", TALKS, Target::Trigger, NEW),
    ];
    assert_eq!(certainties(&rules), [(Certainty::Possible, 2)]);
}

#[test]
fn what_other_rules_write_on_the_way_is_not_relied_on() {
    // Alone the first two end by themselves; the others move both records away meanwhile.
    let rules = [
        on_deal("A", NEW, Target::Linked, STEP),
        on_lead("B", STEP, Target::Linked, NEW),
        on_lead("C", STEP, Target::Trigger, CALLED),
        on_deal("D", NEW, Target::Trigger, TALKS),
    ];
    assert_eq!(certainties(&rules), [(Certainty::Possible, 2)]);
    assert_eq!(certainties(&rules[..2]), []);
}

#[test]
fn a_switched_off_card_wakes_nobody() {
    let mut rules = [
        on_deal("Вперёд", NEW, Target::Trigger, TALKS),
        on_deal("Назад", TALKS, Target::Trigger, NEW),
    ];
    rules[1].actions[0].enabled = false;
    assert_eq!(certainties(&rules), []);
}

#[test]
fn tags_to_and_fro_are_found() {
    let tags = |name: &str, add: &[&str], remove: &[&str]| {
        let list = |names: &[&str]| {
            names
                .iter()
                .map(|name| Expression::Constant(Value::text(*name)))
                .collect()
        };
        let action = Action::ChangeTags {
            target: Target::Trigger,
            add: list(add),
            remove: list(remove),
        };
        made(name, AMO, EventKind::DealUpdated, always(), action)
    };
    assert_eq!(certainties(&[tags("ставит", &["vip"], &[])]), []);
    let both = [tags("ставит", &["vip"], &[]), tags("снимает", &[], &["vip"])];
    assert!(certainties(&both).contains(&(Certainty::Possible, 2)));
}

#[test]
fn very_many_rules_are_looked_at_within_bounds() {
    let rules: Vec<Rule> = (0..60)
        .map(|n| {
            let action = Action::AddNote {
                target: Target::Trigger,
                text: Expression::Template("x".to_owned()),
            };
            made(&n.to_string(), AMO, EventKind::NoteAdded, always(), action)
        })
        .collect();
    let analysis = analyse(&members(&rules));
    assert!(!analysis.is_complete);
    assert!(analysis.has_certain());
    assert!(analysis.cycles.len() <= 50);
    assert!(
        analysis
            .findings(id(0))
            .iter()
            .any(|found| found.code == "cycles_unknown")
    );
}

/// Moves of one deal along a way that never turns back.
fn downhill(steps: Vec<(usize, usize)>) -> Vec<Rule> {
    let way = [
        NEW,
        TALKS,
        LOST,
        Stage {
            pipeline: 10,
            status: 142,
        },
    ];
    steps
        .into_iter()
        .filter(|(from, to)| from < to)
        .map(|(from, to)| on_deal("вниз", way[from], Target::Trigger, way[to]))
        .collect()
}

fn any_set() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(any_rule(), 0..6)
}

proptest! {
    #[test]
    fn any_rules_are_looked_at_without_panic(rules in any_set()) {
        let members = members(&rules);
        let analysis = analyse(&members);
        for (at, _) in rules.iter().enumerate() {
            let own = through(&members, id(at));
            prop_assert!(own.cycles.iter().all(|cycle| cycle.steps.iter().any(|step| step.rule == id(at))));
            // What is found through one rule is found in the whole set as well.
            if analysis.is_complete && own.is_complete {
                let n = analysis.cycles.iter().filter(|cycle| cycle.steps.iter().any(|step| step.rule == id(at))).count();
                prop_assert_eq!(n, own.cycles.len());
            }
            own.findings(id(at));
        }
    }

    #[test]
    fn a_mirrored_pair_is_found_among_any_others(rules in any_set()) {
        let mut rules: Vec<Rule> = rules.into_iter().take(3).collect();
        let n = rules.len();
        rules.push(on_deal("Вперёд", NEW, Target::Trigger, TALKS));
        rules.push(on_deal("Назад", TALKS, Target::Trigger, NEW));
        let analysis = through(&members(&rules), id(n));
        let is_pair = |cycle: &Cycle| cycle.steps.len() == 2 && cycle.steps.iter().all(|step| step.rule == id(n) || step.rule == id(n + 1));
        prop_assert!(!analysis.is_complete || analysis.cycles.iter().any(is_pair));
    }

    #[test]
    fn rules_that_lead_only_downhill_give_none(steps in prop::collection::vec((0usize..4, 0usize..4), 0..12)) {
        let analysis = analyse(&members(&downhill(steps)));
        prop_assert_eq!(analysis.cycles, vec![]);
        prop_assert!(analysis.is_complete);
    }
}
