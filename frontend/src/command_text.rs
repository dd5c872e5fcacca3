//! Commands in Russian: what a run asks to be done, with every value already computed.

use domain::command::{
    Command, FieldWrite, IfFound, IfNone, NewCall, NotifyChannel, Operation, Target, Upsert, WriteMode,
};
use domain::connection::ConnectorKind;
use domain::record::RecordKind;

use crate::clock;
use crate::names::Names;
use crate::rule_text::{match_by, pick_text, record_of, tag_names, target};
use crate::text::{decimal, lowercase};

/// A command in words.
#[derive(Clone, PartialEq, Debug)]
pub struct CommandText {
    /// «Найти или создать лид».
    pub title: String,
    /// The CRM it writes to; `None` for the hub itself.
    pub side: Option<ConnectorKind>,
    /// Settings as name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Fields to be written.
    pub writes: Vec<WriteText>,
}

/// A field to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct WriteText {
    /// «Лид · Название».
    pub field: String,
    /// What it shall hold.
    pub value: String,
    /// How it meets what is there, when not by replacing it.
    pub note: Option<&'static str>,
}

/// A command; `side` is the CRM of its connection.
pub fn command(command: &Command, side: Option<ConnectorKind>, names: &Names) -> CommandText {
    let mut text = CommandText {
        title: String::new(),
        side,
        facts: Vec::new(),
        writes: Vec::new(),
    };
    write(&mut text, &command.operation, record_of(side), names);
    text
}

fn write(text: &mut CommandText, operation: &Operation, record: RecordKind, names: &Names) {
    let is_lead = record == RecordKind::Lead;
    let title = |lead: &str, deal: &str| if is_lead { lead.to_owned() } else { deal.to_owned() };
    match operation {
        Operation::Upsert(upsert) => write_upsert(text, upsert, names),
        Operation::Update { target, kind, fields } => {
            text.title = format!("Изменить поля: {}", lowercase(kind.title()));
            whose(text, *target);
            text.writes = writes(*kind, fields, names);
        }
        Operation::Move {
            target,
            stage,
            loss_reason,
        } => {
            text.title = title("Перевести на шаг", "Перевести на этап");
            whose(text, *target);
            text.facts.push(("Куда", names.stage(record, *stage)));
            if let Some(reason) = loss_reason {
                text.facts
                    .push(("Причина отказа", names.loss_reason(record, *reason)));
            }
        }
        Operation::SetResponsible { target, user } => {
            text.title = title("Назначить владельца", "Назначить ответственного");
            whose(text, *target);
            text.facts.push(("Кому", names.user(record, *user)));
        }
        Operation::ChangeTags { target, add, remove } => {
            text.title = "Изменить теги".to_owned();
            whose(text, *target);
            if !add.is_empty() {
                text.facts.push(("Добавить", tag_names(add)));
            }
            if !remove.is_empty() {
                text.facts.push(("Убрать", tag_names(remove)));
            }
        }
        Operation::AddNote { target, text: note } => {
            text.title = title("Добавить комментарий", "Добавить примечание");
            whose(text, *target);
            text.facts.push(("Текст", note.clone()));
        }
        Operation::AddTask { target, task } => {
            text.title = "Поставить задачу".to_owned();
            whose(text, *target);
            text.facts.push(("Что сделать", task.text.clone()));
            if let Some(kind) = task.task_type {
                text.facts.push(("Тип", names.task_type(record, kind)));
            }
            let deadline = clock::date_time(task.deadline, names.now(), names.zone());
            text.facts.push(("Срок", deadline));
            if let Some(user) = task.responsible {
                text.facts.push(("Исполнитель", names.user(record, user)));
            }
        }
        Operation::LogCall { target, call } => {
            text.title = "Записать звонок".to_owned();
            whose(text, *target);
            write_call(text, call);
        }
        Operation::AddPayment { target, payment } => {
            text.title = "Добавить оплату".to_owned();
            whose(text, *target);
            text.facts.push(("Сумма", decimal(&payment.sum.to_string())));
            text.facts.push(("Категория", payment.category.clone()));
            text.facts.push(("Назначение", payment.purpose.clone()));
        }
        Operation::StartCall { target } => {
            text.title = "Начать звонок".to_owned();
            whose(text, *target);
        }
        Operation::SaveCallResult { result } => {
            text.title = "Сохранить результат прозвона".to_owned();
            text.facts.push(("Телефон", result.phone.clone()));
            text.facts.push(("Результат", result.result.clone()));
            text.facts
                .extend(result.comment.clone().map(|comment| ("Комментарий", comment)));
        }
        Operation::SendWebhook { url, body } => {
            text.title = "Отправить вебхук".to_owned();
            text.facts.push(("Адрес", url.clone()));
            text.facts.push(("Содержимое", body.to_string()));
        }
        Operation::Notify {
            channel,
            to,
            text: what,
        } => {
            text.title = match channel {
                NotifyChannel::Email => "Сообщить по e-mail",
                NotifyChannel::Telegram => "Сообщить в Telegram",
                NotifyChannel::InApp => "Сообщить в интерфейсе",
            }
            .to_owned();
            let to = if to.is_empty() {
                "всем участникам кабинета"
            } else {
                to.as_str()
            };
            text.facts.push(("Кому", to.to_owned()));
            text.facts.push(("Текст", what.clone()));
        }
    }
}

fn whose(text: &mut CommandText, which: Target) {
    text.facts.push(("Где", target(which).to_owned()));
}

fn write_call(text: &mut CommandText, call: &NewCall) {
    let direction = if call.incoming {
        "входящий"
    } else {
        "исходящий"
    };
    text.facts.push(("Направление", direction.to_owned()));
    text.facts.push(("Телефон", call.phone.clone()));
    let length = clock::duration(u64::from(call.duration) * 1_000);
    text.facts.push(("Длительность", length));
    text.facts
        .extend(call.result.clone().map(|result| ("Результат", result)));
    text.facts
        .extend(call.recording.clone().map(|address| ("Запись", address)));
}

fn write_upsert(text: &mut CommandText, upsert: &Upsert, names: &Names) {
    let is_lead = upsert.kind == RecordKind::Lead;
    let what = if is_lead { "лид" } else { "сделку" };
    text.title = match upsert.search.if_none {
        IfNone::Create => format!("Найти или создать {what}"),
        IfNone::Skip | IfNone::Fail => format!("Найти и обновить {what}"),
    };
    let ways: Vec<&str> = upsert.search.order.iter().map(|way| match_by(*way)).collect();
    text.facts.push(("Искать", ways.join(", затем ")));
    text.facts.push((
        "Если несколько",
        pick_text(upsert.search.pick, upsert.kind, names),
    ));
    if upsert.search.if_found == IfFound::Keep {
        text.facts
            .push(("Если найдено", "только связать, поля не менять".to_owned()));
    }
    if let Some(stage) = upsert.stage {
        let name = if is_lead { "Шаг" } else { "Этап" };
        text.facts.push((name, names.stage(upsert.kind, stage)));
    }
    if let Some(user) = upsert.responsible {
        let name = if is_lead {
            "Владелец"
        } else {
            "Ответственный"
        };
        text.facts.push((name, names.user(upsert.kind, user)));
    }
    if !upsert.tags.is_empty() {
        text.facts.push(("Теги", tag_names(&upsert.tags)));
    }
    let contact = if is_lead {
        RecordKind::LeadContact
    } else {
        RecordKind::Contact
    };
    text.writes = writes(upsert.kind, &upsert.fields, names);
    text.writes.extend(writes(contact, &upsert.contact, names));
}

fn writes(record: RecordKind, fields: &[FieldWrite], names: &Names) -> Vec<WriteText> {
    fields
        .iter()
        .map(|field| WriteText {
            field: format!("{} · {}", record.title(), names.field(record, field.key)),
            value: names.value(record, Some(field.key), &field.value),
            note: match field.mode {
                WriteMode::Replace => None,
                WriteMode::Append => Some("добавить к имеющимся"),
                WriteMode::FillEmpty => Some("только если пусто"),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::{LPT, names};
    use domain::command::Search;
    use domain::field::SystemField;
    use domain::value::{Stage, Value};

    #[test]
    fn a_planned_lead_is_told_with_its_contact() {
        let planned = Command {
            action: 0,
            connection: Some(LPT),
            operation: Operation::Upsert(Upsert {
                kind: RecordKind::Lead,
                search: Search::default(),
                fields: vec![FieldWrite {
                    key: SystemField::Name.into(),
                    value: Value::text("Окна"),
                    mode: WriteMode::Replace,
                }],
                contact: vec![FieldWrite {
                    key: SystemField::Phone.into(),
                    value: Value::Texts(vec!["+79990001122".to_owned()]),
                    mode: WriteMode::Append,
                }],
                stage: Some(Stage {
                    pipeline: 9,
                    status: 90,
                }),
                responsible: None,
                tags: Vec::new(),
            }),
        };
        let text = command(&planned, Some(ConnectorKind::Lptracker), &names());
        assert_eq!(text.title, "Найти или создать лид");
        assert!(text.facts.contains(&("Шаг", "Колл-центр › Обзвон".to_owned())));
        assert_eq!(text.writes[0].field, "Лид · Название");
        assert_eq!(text.writes[1].field, "Контакт лида · Телефон");
        assert_eq!(text.writes[1].note, Some("добавить к имеющимся"));
    }

    #[test]
    fn the_same_command_uses_the_words_of_its_crm() {
        let planned = Command {
            action: 0,
            connection: Some(LPT),
            operation: Operation::AddNote {
                target: Target::Linked,
                text: "Перезвонить".to_owned(),
            },
        };
        let title = |side| command(&planned, Some(side), &names()).title;
        assert_eq!(title(ConnectorKind::Lptracker), "Добавить комментарий");
        assert_eq!(title(ConnectorKind::Amocrm), "Добавить примечание");
    }
}
