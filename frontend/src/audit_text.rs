//! Lines of the audit log in words.

/// Kinds of things that are written about: word and title.
pub const SUBJECTS: [(&str, &str); 8] = [
    ("rule", "Правило"),
    ("connection", "Подключение"),
    ("api_key", "API-ключ"),
    ("event", "Событие"),
    ("delivery", "Действие"),
    ("link", "Связь записей"),
    ("workspace", "Кабинет"),
    ("user", "Пользователь"),
];

/// A kind of thing in words; what is newer than this code is shown as it is.
pub fn subject(word: &str) -> String {
    SUBJECTS
        .iter()
        .find(|(of, _)| *of == word)
        .map_or_else(|| word.to_owned(), |(_, title)| (*title).to_owned())
}

/// Who acted, in words.
pub fn actor(word: &str) -> String {
    match word {
        "user" => "человек",
        "api_key" => "API-ключ",
        "system" => "система",
        other => other,
    }
    .to_owned()
}

/// What was done, in words: `rule.published` → «Правило опубликовано».
pub fn action(word: &str) -> String {
    let (kind, verb) = word.split_once('.').unwrap_or(("", word));
    // Russian verbs agree with the gender of their noun.
    let ending = match kind {
        "rule" | "connection" | "event" | "delivery" | "subscription" => "о",
        "link" | "session" => "а",
        _ => "",
    };
    let stem = match verb {
        "created" => "создан",
        "updated" | "changed" => "изменён",
        "deleted" => "удалён",
        "published" => "опубликован",
        "enabled" => "включён",
        "disabled" => "выключен",
        "restored" => "восстановлен",
        "checked" => "проверен",
        "stopped" => "остановлен",
        "started" => "запущен",
        "subscribed" => "подписан",
        "authorized" => "авторизован",
        "refreshed" => "обновлён",
        "revoked" => "отозван",
        "case_added" => return "Проверка правила добавлена".to_owned(),
        "case_changed" => return "Проверка правила изменена".to_owned(),
        "case_deleted" => return "Проверка правила удалена".to_owned(),
        "started_by_hand" => return "Правило запущено вручную".to_owned(),
        "replayed_many" => return "Действия повторены".to_owned(),
        "reordered" => return "Порядок правил изменён".to_owned(),
        "loop_stopped" => return "Сработала защита от зацикливания".to_owned(),
        "replayed" => "повторен",
        "cancelled" => "отменён",
        "edited" => "исправлен",
        "signed_in" => return "Вход".to_owned(),
        "signed_out" => return "Выход".to_owned(),
        _ => return word.to_owned(),
    };
    let noun = match kind {
        "session" => "Сессия".to_owned(),
        "catalogue" => "Справочник".to_owned(),
        other => subject(other),
    };
    if noun == kind {
        return word.to_owned();
    }
    // «изменён» → «изменено», «изменена»: the ё loses its dots when the stress moves.
    let stem = if ending.is_empty() {
        stem.to_owned()
    } else {
        stem.replace("ён", "ен")
    };
    format!("{noun} {stem}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_agree_with_their_noun() {
        assert_eq!(action("rule.published"), "Правило опубликовано");
        assert_eq!(action("connection.updated"), "Подключение изменено");
        assert_eq!(action("api_key.revoked"), "API-ключ отозван");
        assert_eq!(action("link.edited"), "Связь записей исправлена");
        assert_eq!(action("user.updated"), "Пользователь изменён");
        assert_eq!(action("user.signed_in"), "Вход");
        assert_eq!(action("rule.loop_stopped"), "Сработала защита от зацикливания");
    }

    #[test]
    fn unknown_words_are_shown_as_they_are() {
        assert_eq!(action("robot.danced"), "robot.danced");
        assert_eq!(action("robot.created"), "robot.created");
        assert_eq!(subject("robot"), "robot");
    }
}
