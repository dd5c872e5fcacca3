//! Searching the gallery of templates.

use crate::rule_editor::choices::search_form;
use api::travel::TemplateSummary;

/// The templates that have every word of the search, by group in the order of the gallery.
pub fn found(all: &[TemplateSummary], wanted: &str) -> Vec<(String, Vec<TemplateSummary>)> {
    let wanted = search_form(wanted);
    let mut groups: Vec<(String, Vec<TemplateSummary>)> = Vec::new();
    for one in all {
        let text = search_form(&format!("{} {} {}", one.group, one.title, one.about));
        if !wanted.split_whitespace().all(|word| text.contains(word)) {
            continue;
        }
        match groups.iter_mut().find(|(group, _)| *group == one.group) {
            Some((_, members)) => members.push(one.clone()),
            None => groups.push((one.group.clone(), vec![one.clone()])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::connection::ConnectorKind;

    fn template(group: &str, title: &str) -> TemplateSummary {
        TemplateSummary {
            id: title.to_owned(),
            group: group.to_owned(),
            title: title.to_owned(),
            about: "Ставит задачу".to_owned(),
            source: ConnectorKind::Amocrm,
            n_cases: 2,
        }
    }

    #[test]
    fn every_word_must_be_there_in_any_spelling() {
        let all = [
            template("Звонки", "Не дозвонились"),
            template("Сделки", "Счёт оплачен"),
            template("Звонки", "Разговор"),
        ];
        let titles = |wanted: &str| -> Vec<String> {
            let groups = found(&all, wanted);
            groups
                .into_iter()
                .flat_map(|(_, members)| members)
                .map(|one| one.title)
                .collect()
        };
        assert_eq!(titles(""), ["Не дозвонились", "Разговор", "Счёт оплачен"]);
        assert_eq!(titles("  СЧЕТ задачу "), ["Счёт оплачен"]);
        assert_eq!(titles("звонки разговор"), ["Разговор"]);
        assert!(titles("счёт звонки").is_empty());
    }
}
