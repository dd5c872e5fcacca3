//! The row of names, and what each column probably means.

use crate::cell::Cell;
use crate::sheet::Row;
use sha2::{Digest, Sha256};

/// The name of the column that our own files of failed rows carry; it is passed over when they come back.
pub const ERROR_COLUMN: &str = "Ошибка";

/// How many rows are looked at for the header.
pub const LOOKED_AT: usize = 10;

/// What a column can mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Meaning {
    /// Phones.
    Phone,
    /// Name of a person.
    Name,
    /// E-mails.
    Email,
    /// Name of a deal or lead.
    Title,
    /// Budget.
    Price,
    /// Site.
    Site,
    /// Profession.
    Profession,
    /// Source of traffic.
    Source,
    /// Campaign.
    Campaign,
    /// Keyword.
    Keyword,
    /// Tags.
    Tags,
    /// Result of a call.
    Result,
    /// Length of a call.
    Duration,
    /// When.
    At,
    /// Comment.
    Comment,
    /// Operator.
    Operator,
    /// Recording.
    Recording,
    /// Id of a lead.
    Lead,
}

/// Names that columns have in the wild. LPTracker's own exports have no documented columns (contract §7.5); the
/// first meaning that has a name takes the column.
const ALIASES: &[(Meaning, &[&str])] = &[
    (
        Meaning::Phone,
        &[
            "телефон",
            "номер",
            "номер телефона",
            "phone",
            "тел",
            "мобильный",
            "телефон контакта",
            "phone number",
            "мобильный телефон",
            "рабочий телефон",
            "телефоны",
            "номер клиента",
            "контактный телефон",
        ],
    ),
    (
        Meaning::Name,
        &[
            "имя",
            "фио",
            "клиент",
            "контакт",
            "name",
            "имя клиента",
            "фио клиента",
            "контактное лицо",
            "full name",
            "имя контакта",
            "полное имя",
        ],
    ),
    (
        Meaning::Email,
        &[
            "email",
            "e-mail",
            "почта",
            "электронная почта",
            "эл. почта",
            "емейл",
            "mail",
            "email контакта",
        ],
    ),
    (
        Meaning::Title,
        &[
            "название",
            "название сделки",
            "название лида",
            "сделка",
            "тема",
            "lead name",
            "deal",
            "заголовок",
        ],
    ),
    (
        Meaning::Price,
        &[
            "бюджет",
            "сумма",
            "стоимость",
            "price",
            "цена",
            "сумма сделки",
            "budget",
            "amount",
        ],
    ),
    (Meaning::Site, &["сайт", "site", "веб-сайт", "url", "web"]),
    (Meaning::Profession, &["профессия", "должность", "position"]),
    (
        Meaning::Source,
        &["источник", "источник трафика", "source", "utm_source"],
    ),
    (
        Meaning::Campaign,
        &["кампания", "рекламная кампания", "campaign", "utm_campaign"],
    ),
    (
        Meaning::Keyword,
        &["ключевое слово", "ключ", "keyword", "utm_term", "запрос"],
    ),
    (Meaning::Tags, &["теги", "тег", "tags", "метки"]),
    (
        Meaning::Result,
        &[
            "результат",
            "результат звонка",
            "статус",
            "шаг воронки",
            "итог",
            "result",
            "статус звонка",
            "итог звонка",
            "шаг",
            "результат прозвона",
        ],
    ),
    (
        Meaning::Duration,
        &[
            "длительность",
            "продолжительность",
            "время разговора",
            "duration",
            "длительность звонка",
            "длительность, с",
        ],
    ),
    (
        Meaning::At,
        &[
            "дата",
            "дата звонка",
            "дата и время",
            "время",
            "date",
            "время звонка",
            "дата/время",
            "datetime",
            "дата и время звонка",
        ],
    ),
    (
        Meaning::Comment,
        &[
            "комментарий",
            "примечание",
            "comment",
            "комментарий оператора",
            "заметка",
        ],
    ),
    (
        Meaning::Operator,
        &[
            "оператор",
            "менеджер",
            "сотрудник",
            "владелец",
            "operator",
            "manager",
        ],
    ),
    (
        Meaning::Recording,
        &[
            "запись",
            "ссылка на запись",
            "запись разговора",
            "recording",
            "record",
            "аудио",
            "запись звонка",
        ],
    ),
    (
        Meaning::Lead,
        &["id лида", "id", "лид", "lead id", "lead_id", "номер лида"],
    ),
];

impl Meaning {
    /// What a column of this name means.
    pub fn of(name: &str) -> Option<Self> {
        let name = plain(name);
        ALIASES
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()))
            .map(|(meaning, _)| *meaning)
    }
}

/// A name without what does not count: case, ё, outer and doubled blanks, a colon or star at the end.
pub fn plain(name: &str) -> String {
    let lower = name.to_lowercase().replace('ё', "е");
    let words: Vec<&str> = lower
        .trim_matches(|c: char| c.is_whitespace() || "*:.".contains(c))
        .split_whitespace()
        .collect();
    words.join(" ")
}

/// The row of names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Number of the row, as Excel shows it.
    pub row: u64,
    /// Name of each column; unnamed ones are «Столбец C», repeated ones get a number.
    pub names: Vec<String>,
}

impl Header {
    /// Finds the header among the first rows: the one with most names that are known, else the first with at least
    /// two cells, else the first. So a merged title above the table is passed over.
    pub fn find(rows: &[Row]) -> Option<Self> {
        let rows = &rows[..rows.len().min(LOOKED_AT)];
        let n_known = |row: &Row| {
            let known = |cell: &&Cell| matches!(cell, Cell::Text(text) if Meaning::of(text).is_some());
            row.cells.iter().filter(known).count()
        };
        let n_full = |row: &Row| row.cells.iter().filter(|cell| !cell.is_empty()).count();
        let most = rows.iter().map(n_known).max().unwrap_or_default();
        let found = rows
            .iter()
            .find(|row| most > 0 && n_known(row) == most)
            .or_else(|| rows.iter().find(|row| n_full(row) > 1))
            .or_else(|| rows.first())?;
        let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
        Some(Self {
            row: found.number,
            names: names(&found.cells, width),
        })
    }

    /// What makes two files alike: the names in order, ours of errors left out.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for name in self.names.iter().filter(|name| *name != ERROR_COLUMN) {
            hash.update(plain(name));
            hash.update([0]);
        }
        let digest = hash.finalize();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What each column probably means; each meaning once, for the first column that has it.
    pub fn guess(&self) -> Vec<Option<Meaning>> {
        let mut taken = Vec::new();
        self.names
            .iter()
            .map(|name| {
                let meaning = Meaning::of(name).filter(|meaning| !taken.contains(meaning))?;
                taken.push(meaning);
                Some(meaning)
            })
            .collect()
    }
}

fn names(cells: &[Cell], width: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(width);
    for at in 0..width {
        let shown = cells.get(at).map(Cell::show).unwrap_or_default();
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if shown.is_empty() {
            format!("Столбец {}", letters(at))
        } else {
            shown
        };
        let n_same = names
            .iter()
            .filter(|other| **other == name || other.starts_with(&format!("{name} (")))
            .count();
        names.push(if n_same == 0 {
            name
        } else {
            format!("{name} ({})", n_same + 1)
        });
    }
    names
}

/// The letters of a column: 0 → A, 26 → AA.
pub fn letters(mut at: usize) -> String {
    let mut text = String::new();
    loop {
        text.insert(0, char::from(b'A' + (at % 26) as u8));
        if at < 26 {
            return text;
        }
        at = at / 26 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, cells: &[&str]) -> Row {
        Row {
            number,
            cells: cells.iter().map(|text| Cell::text(text)).collect(),
        }
    }

    #[test]
    fn a_title_above_the_table_is_passed_over() {
        let rows = [
            row(1, &["Отчёт по звонкам за ноябрь"]),
            row(3, &["Телефон", "Имя", "", "Имя"]),
            row(4, &["+79991234567", "Анна", "x", "y", "z"]),
        ];
        let header = Header::find(&rows).expect("a header");
        assert_eq!(header.row, 3);
        assert_eq!(
            header.names,
            ["Телефон", "Имя", "Столбец C", "Имя (2)", "Столбец E"]
        );
        assert_eq!(
            header.guess(),
            [Some(Meaning::Phone), Some(Meaning::Name), None, None, None]
        );
    }

    #[test]
    fn the_column_of_errors_does_not_change_the_fingerprint() {
        let of = |names: &[&str]| Header {
            row: 1,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let plain = of(&["Телефон", "Имя"]).fingerprint();
        assert_eq!(of(&["телефон:", " Имя "]).fingerprint(), plain);
        assert_eq!(of(&["Телефон", "Имя", ERROR_COLUMN]).fingerprint(), plain);
        assert_ne!(of(&["Имя", "Телефон"]).fingerprint(), plain);
    }

    #[test]
    fn columns_have_the_letters_of_excel() {
        for (at, expect) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(letters(at), expect);
        }
    }
}
