//! Cards of the ТО column in words.

use domain::action::{Action, ActionCard};
use domain::command::{IfFound, IfNone, NotifyChannel, Pick, Target};
use domain::connection::ConnectorKind;
use domain::field::{FieldKey, SystemField};
use domain::record::RecordKind;
use domain::value::Choice;

use super::{MappingText, expression, mapping, match_by, record_of, target};
use crate::names::Names;
use crate::text::counted;

/// A card in words.
#[derive(Clone, PartialEq, Debug)]
pub struct ActionText {
    /// «Найти или создать лид».
    pub title: String,
    /// The CRM it writes to; `None` for the hub itself.
    pub side: Option<ConnectorKind>,
    /// Switched on.
    pub enabled: bool,
    /// Settings as name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Mapping table.
    pub mapping: Vec<MappingText>,
    /// What a person should know before switching it on.
    pub warning: Option<&'static str>,
}

/// A card of the ТО column; `side` is the CRM of its connection.
pub fn action(card: &ActionCard, side: Option<ConnectorKind>, names: &Names) -> ActionText {
    let mut text = ActionText {
        title: String::new(),
        side,
        enabled: card.enabled,
        facts: Vec::new(),
        mapping: Vec::new(),
        warning: None,
    };
    write(&mut text, &card.action, side, names);
    text
}

fn write(text: &mut ActionText, action: &Action, side: Option<ConnectorKind>, names: &Names) {
    let record = record_of(side);
    let say = |inner| expression(inner, None, names);
    match action {
        Action::Upsert { .. } => upsert(text, action, names),
        Action::Update {
            target: which,
            mapping: lines,
        } => {
            text.title = "Изменить поля".to_owned();
            whose(text, *which);
            text.mapping = lines.iter().map(|line| mapping(line, names)).collect();
        }
        Action::Move {
            target: which,
            stage,
            loss_reason,
        } => {
            text.title = if record == RecordKind::Lead {
                "Перевести на шаг".to_owned()
            } else {
                "Перевести на этап".to_owned()
            };
            whose(text, *which);
            text.facts.push(("Куда", names.stage(record, *stage)));
            if let Some(reason) = loss_reason {
                text.facts
                    .push(("Причина отказа", names.loss_reason(record, *reason)));
            }
        }
        Action::SetResponsible { target: which, user } => {
            text.title = if record == RecordKind::Lead {
                "Назначить владельца".to_owned()
            } else {
                "Назначить ответственного".to_owned()
            };
            whose(text, *which);
            let field = (record, FieldKey::System(SystemField::Responsible));
            text.facts.push(("Кому", expression(user, Some(field), names)));
        }
        Action::ChangeTags {
            target: which,
            add,
            remove,
        } => {
            text.title = "Изменить теги".to_owned();
            whose(text, *which);
            if !add.is_empty() {
                text.facts
                    .push(("Добавить", add.iter().map(say).collect::<Vec<_>>().join(", ")));
            }
            if !remove.is_empty() {
                text.facts
                    .push(("Убрать", remove.iter().map(say).collect::<Vec<_>>().join(", ")));
            }
        }
        Action::AddNote {
            target: which,
            text: note,
        } => {
            text.title = if record == RecordKind::Lead {
                "Добавить комментарий".to_owned()
            } else {
                "Добавить примечание".to_owned()
            };
            whose(text, *which);
            text.facts.push(("Текст", say(note)));
        }
        Action::AddTask {
            target: which,
            text: what,
            task_type,
            due_in_minutes,
            responsible,
        } => {
            text.title = "Поставить задачу".to_owned();
            whose(text, *which);
            text.facts.push(("Что сделать", say(what)));
            if let Some(kind) = task_type {
                text.facts.push(("Тип", names.task_type(record, *kind)));
            }
            text.facts.push((
                "Срок",
                format!("через {} после события", minutes(*due_in_minutes)),
            ));
            if let Some(user) = responsible {
                text.facts.push(("Исполнитель", names.user(record, *user)));
            }
        }
        Action::LogCall {
            target: which,
            phone,
            duration,
            recording,
            result,
        } => {
            text.title = "Записать звонок".to_owned();
            whose(text, *which);
            for (name, part) in [
                ("Телефон", phone),
                ("Длительность", duration),
                ("Запись", recording),
                ("Результат", result),
            ] {
                if let Some(part) = part {
                    text.facts.push((name, say(part)));
                }
            }
        }
        Action::AddPayment {
            target: which,
            category,
            purpose,
            sum,
        } => {
            text.title = "Добавить оплату".to_owned();
            whose(text, *which);
            text.facts.push(("Сумма", say(sum)));
            text.facts.push(("Категория", say(category)));
            text.facts.push(("Назначение", say(purpose)));
        }
        Action::StartCall { target: which } => {
            text.title = "Начать звонок".to_owned();
            whose(text, *which);
            text.warning = Some("Это действие начинает настоящий звонок клиенту.");
        }
        Action::SaveCallResult {
            phone,
            result,
            comment,
        } => {
            text.title = "Сохранить результат прозвона".to_owned();
            text.facts.push(("Телефон", say(phone)));
            text.facts.push(("Результат", say(result)));
            if let Some(comment) = comment {
                text.facts.push(("Комментарий", say(comment)));
            }
        }
        Action::SendWebhook { url, body } => {
            text.title = "Отправить вебхук".to_owned();
            text.facts.push(("Адрес", url.clone()));
            for (_, value) in body.iter().take(1) {
                text.facts.push(("Содержимое", say(value)));
            }
            if body.len() > 1 {
                let n = u64::try_from(body.len() - 1).unwrap_or(u64::MAX);
                text.facts.push(("И ещё", counted(n, "поле", "поля", "полей")));
            }
        }
        Action::Notify {
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
            text.facts.push(("Текст", say(what)));
        }
        Action::Stop { reason } => {
            text.title = "Остановить выполнение".to_owned();
            if !reason.is_empty() {
                text.facts.push(("Причина", reason.clone()));
            }
        }
    }
}

fn whose(text: &mut ActionText, which: Target) {
    text.facts.push(("Где", target(which).to_owned()));
}

fn upsert(text: &mut ActionText, action: &Action, names: &Names) {
    let Action::Upsert {
        kind,
        order,
        pick,
        if_none,
        if_found,
        mapping: lines,
        stage,
        responsible,
        tags,
    } = action
    else {
        return;
    };
    let (what, gone) = match kind {
        RecordKind::Lead => ("лид", "Лида нет"),
        _ => ("сделку", "Сделки нет"),
    };
    text.title = match if_none {
        IfNone::Create => format!("Найти или создать {what}"),
        IfNone::Skip | IfNone::Fail => format!("Найти и обновить {what}"),
    };
    let ways: Vec<&str> = order.iter().map(|way| match_by(*way)).collect();
    text.facts.push(("Искать", ways.join(", затем ")));
    text.facts
        .push(("Если несколько", pick_text(*pick, *kind, names)));
    match if_none {
        IfNone::Create => {}
        IfNone::Skip => text.facts.push((gone, "ничего не делать".to_owned())),
        IfNone::Fail => text.facts.push((gone, "ошибка, решает человек".to_owned())),
    }
    if *if_found == IfFound::Keep {
        text.facts
            .push(("Если найдено", "только связать, поля не менять".to_owned()));
    }
    if let Some(stage) = stage {
        let name = if *kind == RecordKind::Lead {
            "Шаг"
        } else {
            "Этап"
        };
        text.facts.push((name, names.stage(*kind, *stage)));
    }
    if let Some(user) = responsible {
        let name = if *kind == RecordKind::Lead {
            "Владелец"
        } else {
            "Ответственный"
        };
        text.facts.push((name, names.user(*kind, *user)));
    }
    if !tags.is_empty() {
        text.facts.push(("Теги", tag_names(tags)));
    }
    text.mapping = lines.iter().map(|line| mapping(line, names)).collect();
}

/// Names of tags in a row.
pub fn tag_names(tags: &[Choice]) -> String {
    tags.iter()
        .map(|tag| match (tag.name.is_empty(), tag.id) {
            (true, Some(id)) => format!("№ {id}"),
            _ => tag.name.clone(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// How one of several records is picked, in words.
pub fn pick_text(pick: Pick, kind: RecordKind, names: &Names) -> String {
    match pick {
        Pick::NewestOpen => "взять новейшую открытую запись".to_owned(),
        Pick::InPipeline { pipeline } => {
            format!("взять новейшую в «{}»", names.pipeline(kind, pipeline))
        }
        Pick::Single => "ошибка, решает человек".to_owned(),
    }
}

fn minutes(n: i64) -> String {
    let n = n.unsigned_abs();
    match n {
        _ if n > 0 && n.is_multiple_of(1_440) => counted(n / 1_440, "день", "дня", "дней"),
        _ if n > 0 && n.is_multiple_of(60) => counted(n / 60, "час", "часа", "часов"),
        _ => counted(n, "минуту", "минуты", "минут"),
    }
}
