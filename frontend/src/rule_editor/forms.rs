//! Action cards as data: what each holds and with which fields it is edited. One view draws them all.

use domain::connection::ConnectorKind;
use serde_json::Value;

/// How a member of a card is edited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A line of text.
    Line,
    /// An expression: field, text with places, fixed value.
    Expression,
    /// An expression that may be left out.
    MaybeExpression,
    /// A user, by an expression.
    UserExpression,
    /// A list of tags, each an expression.
    TagExpressions,
    /// One word of a list.
    Word(&'static [(&'static str, &'static str)]),
    /// Several words of a list, in order.
    Words(&'static [(&'static str, &'static str)]),
    /// A stage; `true` when it may be left out.
    Stage(bool),
    /// A user by id, may be left out.
    User,
    /// A list of tags by id and name.
    Tags,
    /// A type of task, may be left out.
    TaskType,
    /// A reason for losing, may be left out.
    LossReason,
    /// Minutes from the event.
    Minutes,
    /// Which of several found records.
    Pick,
    /// Members of a JSON body.
    Body,
    /// The mapping table.
    Mapping,
}

/// A field of a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Member of the card.
    pub member: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// How it is edited.
    pub input: Input,
}

/// An action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// The document's word in `do`.
    pub word: &'static str,
    /// The kind of record, where the word alone does not tell.
    pub record: Option<&'static str>,
    /// What it does.
    pub title: &'static str,
    /// The CRM it works in; `None` when either will do.
    pub side: Option<ConnectorKind>,
    /// It belongs to the hub and to no connection.
    pub own: bool,
    /// What a new card holds beside its connection.
    pub blank: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

const fn field(member: &'static str, label: &'static str, input: Input) -> Field {
    Field { member, label, input }
}

const TARGET: Field = field(
    "target",
    "С какой записью",
    Input::Word(&[
        ("linked", "Связанная запись в другой CRM"),
        ("trigger", "Запись, с которой произошло событие"),
    ]),
);
const TEXT: Field = field("text", "Текст", Input::Expression);
const UPSERT: &[Field] = &[
    field(
        "order",
        "Как искать, по порядку",
        Input::Words(&[
            ("link", "По связи"),
            ("phone", "По телефону"),
            ("email", "По e\u{2011}mail"),
            ("name", "По имени"),
        ]),
    ),
    field("pick", "Если нашлось несколько", Input::Pick),
    field(
        "if_none",
        "Если не нашлось",
        Input::Word(&[
            ("create", "Создать"),
            ("skip", "Ничего не делать"),
            ("fail", "Спросить человека"),
        ]),
    ),
    field(
        "if_found",
        "Если нашлось",
        Input::Word(&[("update", "Обновить поля"), ("keep", "Только связать")]),
    ),
    field("stage", "Этап", Input::Stage(true)),
    field("responsible", "Ответственный", Input::User),
    field("tags", "Добавить теги", Input::Tags),
    field("mapping", "Заполнение полей", Input::Mapping),
];

/// Every action, in the order of the menu.
pub const FORMS: &[Form] = &[
    Form {
        word: "upsert",
        record: Some("lead"),
        title: "Найти или создать лид",
        side: Some(ConnectorKind::Lptracker),
        own: false,
        blank: r#"{"do":"upsert","kind":"lead","order":["link","phone","email"],"pick":{"pick":"newest_open"},"if_none":"create","if_found":"update","mapping":[],"stage":null,"responsible":null,"tags":[]}"#,
        fields: UPSERT,
    },
    Form {
        word: "upsert",
        record: Some("deal"),
        title: "Найти или создать сделку",
        side: Some(ConnectorKind::Amocrm),
        own: false,
        blank: r#"{"do":"upsert","kind":"deal","order":["link","phone","email"],"pick":{"pick":"newest_open"},"if_none":"create","if_found":"update","mapping":[],"stage":null,"responsible":null,"tags":[]}"#,
        fields: UPSERT,
    },
    Form {
        word: "update",
        record: None,
        title: "Обновить поля",
        side: None,
        own: false,
        blank: r#"{"do":"update","target":"linked","mapping":[]}"#,
        fields: &[TARGET, field("mapping", "Заполнение полей", Input::Mapping)],
    },
    Form {
        word: "move",
        record: None,
        title: "Переместить на этап",
        side: None,
        own: false,
        blank: r#"{"do":"move","target":"linked","stage":{"pipeline":0,"status":0}}"#,
        fields: &[
            TARGET,
            field("stage", "На этап", Input::Stage(false)),
            field("loss_reason", "Причина отказа", Input::LossReason),
        ],
    },
    Form {
        word: "set_responsible",
        record: None,
        title: "Назначить ответственного",
        side: None,
        own: false,
        blank: r#"{"do":"set_responsible","target":"linked","user":{"constant":{"type":"empty"}}}"#,
        fields: &[TARGET, field("user", "Ответственный", Input::UserExpression)],
    },
    Form {
        word: "change_tags",
        record: None,
        title: "Изменить теги",
        side: Some(ConnectorKind::Amocrm),
        own: false,
        blank: r#"{"do":"change_tags","target":"linked","add":[],"remove":[]}"#,
        fields: &[
            TARGET,
            field("add", "Добавить", Input::TagExpressions),
            field("remove", "Убрать", Input::TagExpressions),
        ],
    },
    Form {
        word: "add_note",
        record: None,
        title: "Добавить примечание",
        side: None,
        own: false,
        blank: r#"{"do":"add_note","target":"linked","text":{"template":""}}"#,
        fields: &[TARGET, TEXT],
    },
    Form {
        word: "add_task",
        record: None,
        title: "Поставить задачу",
        side: Some(ConnectorKind::Amocrm),
        own: false,
        blank: r#"{"do":"add_task","target":"linked","text":{"template":""},"task_type":null,"due_in_minutes":1440,"responsible":null}"#,
        fields: &[
            TARGET,
            TEXT,
            field("task_type", "Тип задачи", Input::TaskType),
            field("due_in_minutes", "Срок после события", Input::Minutes),
            field("responsible", "Исполнитель", Input::User),
        ],
    },
    Form {
        word: "log_call",
        record: None,
        title: "Записать звонок",
        side: Some(ConnectorKind::Amocrm),
        own: false,
        blank: r#"{"do":"log_call","target":"linked"}"#,
        fields: &[
            TARGET,
            field("phone", "Телефон вместо телефона звонка", Input::MaybeExpression),
            field(
                "duration",
                "Секунды вместо длительности звонка",
                Input::MaybeExpression,
            ),
            field(
                "recording",
                "Адрес записи вместо записи звонка",
                Input::MaybeExpression,
            ),
            field(
                "result",
                "Результат вместо результата звонка",
                Input::MaybeExpression,
            ),
        ],
    },
    Form {
        word: "add_payment",
        record: None,
        title: "Добавить оплату",
        side: Some(ConnectorKind::Lptracker),
        own: false,
        blank: r#"{"do":"add_payment","target":"linked","category":{"template":"Оплата"},"purpose":{"template":""},"sum":{"field":"deal.price"}}"#,
        fields: &[
            TARGET,
            field("category", "Категория", Input::Expression),
            field("purpose", "Назначение", Input::Expression),
            field("sum", "Сумма", Input::Expression),
        ],
    },
    Form {
        word: "start_call",
        record: None,
        title: "Начать звонок",
        side: Some(ConnectorKind::Lptracker),
        own: false,
        blank: r#"{"do":"start_call","target":"linked","enabled":false}"#,
        fields: &[TARGET],
    },
    Form {
        word: "save_call_result",
        record: None,
        title: "Сохранить результат прозвона",
        side: None,
        own: true,
        blank: r#"{"do":"save_call_result","phone":{"field":"call.phone"},"result":{"field":"call.result"}}"#,
        fields: &[
            field("phone", "Телефон", Input::Expression),
            field("result", "Результат", Input::Expression),
            field("comment", "Комментарий", Input::MaybeExpression),
        ],
    },
    Form {
        word: "send_webhook",
        record: None,
        title: "Отправить вебхук",
        side: None,
        own: true,
        blank: r#"{"do":"send_webhook","url":"https://","body":[]}"#,
        fields: &[
            field("url", "Адрес", Input::Line),
            field("body", "Тело", Input::Body),
        ],
    },
    Form {
        word: "notify",
        record: None,
        title: "Уведомить",
        side: None,
        own: true,
        blank: r#"{"do":"notify","channel":"in_app","to":"","text":{"template":""}}"#,
        fields: &[
            field(
                "channel",
                "Как",
                Input::Word(&[
                    ("in_app", "В интерфейсе"),
                    ("email", "По e\u{2011}mail"),
                    ("telegram", "В Telegram"),
                ]),
            ),
            field("to", "Кому (пусто — всем участникам)", Input::Line),
            TEXT,
        ],
    },
    Form {
        word: "stop",
        record: None,
        title: "Остановиться",
        side: None,
        own: true,
        blank: r#"{"do":"stop","reason":""}"#,
        fields: &[field("reason", "Почему", Input::Line)],
    },
];

/// The form of a card.
pub fn form_of(card: &Value) -> Option<&'static Form> {
    let word = card.get("do")?.as_str()?;
    let kind = card.get("kind").and_then(Value::as_str);
    FORMS
        .iter()
        .find(|form| form.word == word && (form.record.is_none() || form.record == kind))
}

/// A new card of a form, for a connection.
pub fn blank(form: &Form, connection: Option<&str>) -> Value {
    let mut card: Value = serde_json::from_str(form.blank).unwrap_or_default();
    if let Some(members) = card.as_object_mut() {
        if let Some(connection) = connection {
            members.insert("connection".to_owned(), connection.into());
        }
        members.entry("enabled").or_insert(Value::Bool(true));
    }
    card
}

/// Conversions of a mapping line: the document's word, Russian words, what a new one holds.
pub const CONVERSIONS: &[(&str, &str, &str)] = &[
    ("phone", "Телефон", r#""phone""#),
    ("trim", "Убрать пробелы", r#""trim""#),
    ("case", "Регистр", r#"{"case":"title"}"#),
    ("number", "В число", r#""number""#),
    ("date_format", "Формат даты", r#"{"date_format":"d.m.Y"}"#),
    ("options", "Таблица соответствия", r#"{"options":{"table":[]}}"#),
    ("first", "Первое из нескольких", r#""first""#),
    ("join", "Объединить через", r#"{"join":", "}"#),
    (
        "default",
        "Если пусто",
        r#"{"default":{"type":"text","value":""}}"#,
    ),
    ("text", "В текст", r#""text""#),
];

/// The document's word of a conversion.
pub fn conversion_word(step: &Value) -> &str {
    match step {
        Value::String(word) => word,
        Value::Object(members) => members.keys().next().map_or("", String::as_str),
        _ => "",
    }
}

/// How a line meets what the field holds.
pub const MODES: &[(&str, &str)] = &[
    ("replace", "заменить"),
    ("append", "добавить к имеющимся"),
    ("fill_empty", "только если поле пустое"),
];

/// What a line does with an empty value.
pub const IF_EMPTY: &[(&str, &str)] = &[
    ("leave", "пустое — не трогать"),
    ("clear", "пустое — очистить поле"),
    ("require", "пустое — не выполнять действие"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use domain::action::ActionCard;
    use domain::mapping::Conversion;

    #[test]
    fn a_new_card_is_one_of_the_document_and_finds_its_form() {
        for form in FORMS {
            let card = blank(form, Some("00000000-0000-0000-0000-000000000001"));
            let read: ActionCard = crate::wire::from_tree(card.clone())
                .unwrap_or_else(|error| panic!("{}: {error}", form.title));
            assert_eq!(form_of(&card), Some(form), "{}", form.title);
            assert_eq!(read.enabled, form.word != "start_call", "{}", form.title);
        }
    }

    #[test]
    fn every_member_of_an_action_has_a_field() {
        for form in FORMS {
            let card: ActionCard = crate::wire::from_tree(blank(form, None)).unwrap();
            let written = serde_json::to_value(&card).unwrap();
            for member in written.as_object().unwrap().keys() {
                let known = ["do", "kind", "enabled", "connection"].contains(&member.as_str())
                    || form.fields.iter().any(|field| field.member == member);
                assert!(known, "{}: {member}", form.title);
            }
        }
    }

    #[test]
    fn a_new_conversion_is_one_of_the_document() {
        for (word, title, text) in CONVERSIONS {
            let step: Value = serde_json::from_str(text).unwrap();
            assert_eq!(conversion_word(&step), *word);
            assert!(crate::wire::from_tree::<Conversion>(step).is_ok(), "{title}");
        }
    }
}
