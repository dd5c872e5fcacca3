//! Walks over records in words.

use api::sweep::Sweep;

use crate::text::counted;
use crate::words::Tone;

/// Why it is made.
pub fn kind(word: &str) -> &str {
    match word {
        "schedule" => "По расписанию",
        "manual" => "Запуск вручную",
        "replay" => "Повтор прошлых событий",
        other => other,
    }
}

/// How it stands.
pub fn state(word: &str) -> (Tone, &str) {
    match word {
        "running" => (Tone::Busy, "Идёт"),
        "done" => (Tone::Good, "Завершён"),
        "cancelled" => (Tone::Muted, "Остановлен"),
        "failed" => (Tone::Bad, "Не удался"),
        other => (Tone::Muted, other),
    }
}

/// How far it has come: «просмотрено 120 записей, запущено 40».
pub fn progress(sweep: &Sweep) -> String {
    let n = |n: i32| u64::try_from(n).unwrap_or_default();
    let seen = counted(n(sweep.n_seen), "запись", "записи", "записей");
    let mut text = format!("просмотрено {seen}, запущено {}", sweep.n_events);
    if sweep.n_missed > 0 {
        let missed = counted(n(sweep.n_missed), "запуск", "запуска", "запусков");
        text.push_str(&format!(
            "; до него пропущено {missed}: сервер не работал или прошлый обход ещё шёл"
        ));
    }
    text
}

/// Ids as a person writes them: commas, blanks and new lines between.
pub fn ids(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .map(|word| word.trim_start_matches(['№', '#']))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::SweepId;
    use domain::time::Timestamp;

    #[test]
    fn ids_are_read_as_people_write_them() {
        assert_eq!(ids(" 12, №13;14\n#15  "), ["12", "13", "14", "15"]);
        assert!(ids(" , ;").is_empty());
    }

    #[test]
    fn what_was_missed_is_told() {
        let mut sweep = Sweep {
            id: SweepId(uuid::Uuid::nil()),
            kind: "schedule".to_owned(),
            rule_id: None,
            tick_at: Timestamp(0),
            state: "done".to_owned(),
            n_seen: 3,
            n_events: 2,
            n_missed: 0,
            failure: None,
            actor: "Расписание".to_owned(),
            created_at: Timestamp(0),
            finished_at: None,
        };
        assert_eq!(progress(&sweep), "просмотрено 3\u{a0}записи, запущено 2");
        sweep.n_missed = 4;
        assert!(
            progress(&sweep).contains("пропущено 4\u{a0}запуска"),
            "{}",
            progress(&sweep)
        );
    }
}
