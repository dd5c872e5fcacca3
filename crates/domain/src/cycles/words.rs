//! Cycles in words.

use super::Cycle;
use super::effect::connection_kind;
use crate::command::Target;
use crate::compile::{CompiledLine, CompiledRule, Work};
use crate::field::FieldPath;
use crate::record::RecordKind;
use std::fmt::Write;

impl Cycle {
    /// The whole path, from the first rule back to it.
    pub fn path(&self) -> String {
        self.path_from(0)
    }

    /// The path from one of its steps back to it.
    pub(super) fn path_from(&self, at: usize) -> String {
        let mut out = String::new();
        let turned = self.steps.iter().cycle().skip(at).take(self.steps.len());
        for (n, step) in turned.enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(
                out,
                "{}правило «{}» {} → событие «{}»",
                if n == 0 { "" } else { " → " },
                step.name,
                step.does,
                step.event.title()
            );
        }
        if let Some(first) = self.steps.get(at) {
            let _ = write!(out, " → снова правило «{}»", first.name);
        }
        out
    }
}

/// What an action does, for «правило … … → событие …».
pub(super) fn does(rule: &CompiledRule, action: usize) -> String {
    let Some(action) = rule.actions.iter().find(|one| one.index == action) else {
        return String::new();
    };
    let kind = action
        .connection
        .and_then(|connection| connection_kind(rule, connection));
    let whose = |target: Target| match target {
        Target::Trigger => "своей записи",
        Target::Linked => "связанной записи",
    };
    match &action.work {
        Work::Upsert {
            kind: RecordKind::Lead,
            ..
        } => "находит или создаёт лид".to_owned(),
        Work::Upsert { .. } => "находит или создаёт сделку".to_owned(),
        Work::Update { kind, lines, .. } => format!("записывает {}", fields(rule, *kind, lines)),
        Work::Move { target, stage, .. } => {
            let name = kind.and_then(|kind| rule.scope().stage_name(kind, *stage));
            let name = name.map_or_else(|| stage.status.to_string(), str::to_owned);
            match target {
                Target::Trigger => format!("перемещает запись на этап «{name}»"),
                Target::Linked => format!("перемещает связанную запись на этап «{name}»"),
            }
        }
        Work::SetResponsible { target, .. } => format!("меняет ответственного {}", whose(*target)),
        Work::ChangeTags { target, .. } => format!("меняет теги {}", whose(*target)),
        Work::AddNote { .. } => "добавляет примечание".to_owned(),
        Work::AddTask { .. } => "ставит задачу".to_owned(),
        Work::LogCall { .. } => "записывает звонок".to_owned(),
        Work::AddPayment { .. } => "добавляет оплату".to_owned(),
        Work::StartCall { .. } => "начинает звонок".to_owned(),
        Work::SaveCallResult { .. } => "сохраняет результат прозвона".to_owned(),
        Work::SendWebhook { .. } => "отправляет вебхук".to_owned(),
        Work::Notify { .. } => "уведомляет".to_owned(),
        Work::Stop { .. } => "останавливается".to_owned(),
    }
}

fn fields(rule: &CompiledRule, record: RecordKind, lines: &[CompiledLine]) -> String {
    let mut names: Vec<String> = lines
        .iter()
        .take(3)
        .map(|line| {
            let path = FieldPath::now(line.target.record, line.target.key);
            format!("«{}»", rule.scope().field_label(path))
        })
        .collect();
    if names.is_empty() {
        return record.title().to_lowercase();
    }
    let more = if lines.len() > names.len() {
        " и другие поля"
    } else {
        ""
    };
    let last = names.len() - 1;
    names[last].push_str(more);
    names.join(", ")
}
