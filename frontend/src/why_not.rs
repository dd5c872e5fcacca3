//! «Почему правило не сработало?»: what kept a rule from looking at an event at all.

use api::event::{EventState, EventSummary};
use api::rule::RuleSummary;
use domain::event::EventKind;
use domain::rule::Rule;

/// Why a rule has no run for an event. `published` is the document in force, `None` while it is being read or when
/// there is none; `stopped` tells of an emergency stop.
pub fn why_not(event: &EventSummary, rule: &RuleSummary, published: Option<&Rule>) -> String {
    let about_event = match event.state {
        EventState::New => Some("Событие ещё ждёт своей очереди: правила его пока не смотрели."),
        EventState::Echo => Some(
            "Это эхо нашей собственной записи. К своим изменениям правила не применяются, иначе они ходили бы по кругу.",
        ),
        EventState::Failed => Some("Событие не обработано: до правил дело не дошло. Запустите его ещё раз."),
        EventState::Dispatched => None,
    };
    if let Some(text) = about_event {
        return text.to_owned();
    }
    if rule.published_number.is_none() {
        return "Правило не опубликовано. Откройте его и нажмите «Опубликовать».".to_owned();
    }
    if !rule.enabled {
        return "Правило выключено. Включите его в списке правил.".to_owned();
    }
    if rule.source != event.connection_id {
        return "Правило смотрит на события другого подключения: источник в нём не тот, откуда пришло это событие."
            .to_owned();
    }
    if let Some(kinds) = published.and_then(|rule| other_kinds(rule, event.kind)) {
        return format!(
            "Правило запускается, когда: {kinds}. А это событие — «{}».",
            event.kind.title()
        );
    }
    if rule.updated_at > event.received_at {
        return "Правило изменили уже после этого события: тогда оно могло быть другим или выключенным. Ниже — что оно ответило бы сейчас."
            .to_owned();
    }
    "Правило не взяло это событие в работу: значения в событии заведомо не те, которых оно требует. Ниже — что именно не подошло."
        .to_owned()
}

/// What the rule is started by, when this kind is not among it.
fn other_kinds(rule: &Rule, kind: EventKind) -> Option<String> {
    if rule.triggers.iter().any(|trigger| trigger.kind == kind) {
        return None;
    }
    let titles: Vec<String> = rule
        .triggers
        .iter()
        .map(|trigger| format!("«{}»", trigger.kind.title()))
        .collect();
    Some(crate::text::list(&titles, "или"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rule::Trigger;

    fn event(state: &str) -> EventSummary {
        let id = uuid::Uuid::from_u128(1);
        let row = serde_json::json!({ "id": id, "connection_id": id, "kind": "deal_created", "state": state,
            "origin": "webhook", "record": { "kind": "deal", "id": "5" }, "received_at": 1_000, "n_matched": 0,
            "delivery_counts": { "waiting": 0, "delivered": 0, "skipped": 0, "dead": 0 } });
        serde_json::from_value(row).unwrap()
    }

    fn rule(changes: serde_json::Value) -> RuleSummary {
        let id = uuid::Uuid::from_u128(1);
        let mut row = serde_json::json!({ "id": id, "name": "П", "source": id, "version": 1, "enabled": true,
            "has_changes": false, "position": 1, "summary": "", "n_runs_day": 0, "n_matched_day": 0,
            "updated_at": 0, "published_number": 1 });
        for (name, value) in changes.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    fn document(kind: EventKind) -> Rule {
        Rule {
            name: String::new(),
            description: String::new(),
            source: uuid::Uuid::from_u128(1).to_string().parse().unwrap(),
            triggers: vec![Trigger::on(kind)],
            condition: domain::condition::Condition::default(),
            actions: Vec::new(),
            stop: false,
            quiet_secs: 0,
        }
    }

    #[test]
    fn the_first_thing_in_the_way_is_told() {
        let none = serde_json::json!({});
        let other = uuid::Uuid::from_u128(2);
        let cases = [
            ("new", none.clone(), "ждёт своей очереди"),
            ("echo", none.clone(), "эхо"),
            ("failed", none.clone(), "не обработано"),
            (
                "dispatched",
                serde_json::json!({ "published_number": null }),
                "не опубликовано",
            ),
            ("dispatched", serde_json::json!({ "enabled": false }), "выключено"),
            (
                "dispatched",
                serde_json::json!({ "source": other }),
                "другого подключения",
            ),
            (
                "dispatched",
                serde_json::json!({ "updated_at": 2_000 }),
                "после этого события",
            ),
            ("dispatched", none, "заведомо не те"),
        ];
        for (state, changes, expected) in cases {
            let told = why_not(
                &event(state),
                &rule(changes),
                Some(&document(EventKind::DealCreated)),
            );
            assert!(told.contains(expected), "{state}: {told}");
        }
    }

    #[test]
    fn another_kind_of_event_is_named() {
        let of = document(EventKind::LeadCreated);
        let told = why_not(&event("dispatched"), &rule(serde_json::json!({})), Some(&of));
        assert!(told.contains(EventKind::LeadCreated.title()), "{told}");
        assert!(told.contains(EventKind::DealCreated.title()), "{told}");
    }
}
