//! The draft of a rule as text: reading, laying out, a first document.

use domain::condition::Condition;
use domain::connection::ConnectorKind;
use domain::event::EventKind;
use domain::id::ConnectionId;
use domain::rule::{Rule, Trigger};

use crate::wire::{self, Fault};

/// The document laid out for people.
pub fn to_text(rule: &Rule) -> String {
    serde_json::to_string_pretty(rule).unwrap_or_default()
}

/// Reads a document; what is wrong is said in Russian, with its line where that is known.
pub fn parse(text: &str) -> Result<Rule, String> {
    wire::read(text).map_err(|error| match error.fault() {
        Fault::Syntax { cut: true, line, .. } => {
            format!("Документ обрывается: строка {line}. Проверьте закрывающие скобки.")
        }
        Fault::Syntax { line, column, .. } => {
            format!(
                "Ошибка в записи JSON: строка {line}, знак {column}. Проверьте запятые, кавычки и скобки."
            )
        }
        Fault::Data(message) => {
            let wrong = message.split('`').nth(1).map(|word| format!("\"{word}\""));
            let line = wrong.and_then(|wrong| text.lines().position(|line| line.contains(&wrong)));
            let place = line
                .map(|line| format!(" (строка {})", line + 1))
                .unwrap_or_default();
            format!("Непонятное значение{place}. {}", explain(message))
        }
    })
}

/// The library speaks English; the parts that name fields and words are kept.
fn explain(message: &str) -> String {
    let quoted = || message.split('`').nth(1).unwrap_or("?");
    if message.starts_with("missing field") {
        format!("Не хватает поля «{}».", quoted())
    } else if message.starts_with("unknown variant") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        match known.len() {
            0 | 13.. => format!("Слово «{}» здесь не подходит.", quoted()),
            _ => format!(
                "Слово «{}» здесь не подходит; можно: {}.",
                quoted(),
                known.join(", ")
            ),
        }
    } else {
        message.to_owned()
    }
}

/// A rule to begin with: a source and a trigger, nothing to do yet.
pub fn blank(source: ConnectionId, kind: ConnectorKind) -> Rule {
    let trigger = match kind {
        ConnectorKind::Amocrm => EventKind::DealStageChanged,
        ConnectorKind::Lptracker => EventKind::LeadStageChanged,
    };
    Rule {
        name: "Новое правило".to_owned(),
        description: String::new(),
        source,
        triggers: vec![Trigger::on(trigger)],
        condition: Condition::default(),
        actions: Vec::new(),
        stop: false,
        quiet_secs: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::AMO;

    #[test]
    fn a_document_survives_being_edited_as_text() {
        let rule = blank(AMO, ConnectorKind::Amocrm);
        assert_eq!(parse(&to_text(&rule)), Ok(rule));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let text = to_text(&blank(AMO, ConnectorKind::Lptracker));
        let wrong = parse(&text.replace("lead_stage_changed", "lead_flew_away")).unwrap_err();
        assert!(
            wrong.contains("строка") && wrong.contains("lead_flew_away"),
            "{wrong}"
        );
        let short = parse(&text[..text.len() - 2]).unwrap_err();
        assert!(short.contains("обрывается"), "{short}");
        let comma = parse(&text.replacen(',', ";", 1)).unwrap_err();
        assert!(comma.contains("запятые"), "{comma}");
        let gone = parse(&text.replace("\"triggers\"", "\"trigers\"")).unwrap_err();
        assert!(gone.contains("«triggers»"), "{gone}");
    }
}
