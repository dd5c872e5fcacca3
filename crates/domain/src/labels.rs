//! Values and fields in words: what templates print and explanations show.

use crate::calendar::DateTimeFormat;
use crate::catalogues::Scope;
use crate::connection::ConnectorKind;
use crate::field::{FieldKey, FieldPath, SystemField};
use crate::text::grouped;
use crate::time::Zone;
use crate::types::type_title;
use crate::value::{Choice, Stage, Value};
use std::borrow::Cow;

impl Scope {
    /// The name of a field: «Бюджет»; its path when the account no longer has it.
    pub fn field_name(&self, path: FieldPath) -> String {
        self.describe(path)
            .map_or_else(|| path.to_string(), |field| field.name)
    }

    /// Record and name of a field: «Сделка: Бюджет».
    pub fn field_label(&self, path: FieldPath) -> String {
        self.describe(path)
            .map_or_else(|| path.to_string(), |field| field.label)
    }

    /// The name of a stage.
    pub fn stage_name(&self, kind: ConnectorKind, stage: Stage) -> Option<&str> {
        self.side(kind)?
            .1
            .stage(stage)
            .map(|(_, info)| info.name.as_str())
    }

    /// The name of a pipeline or project.
    pub fn pipeline_name(&self, kind: ConnectorKind, id: i64) -> Option<&str> {
        let (_, catalogue) = self.side(kind)?;
        catalogue
            .pipelines
            .iter()
            .find(|pipeline| pipeline.id == id)
            .map(|pipeline| pipeline.name.as_str())
    }

    /// The name of a user.
    pub fn user_name(&self, kind: ConnectorKind, id: i64) -> Option<&str> {
        self.side(kind)?.1.user(id).map(|user| user.name.as_str())
    }

    /// The name of an option: its own, or the catalogue's when only the id is known.
    pub fn option_name<'a>(&self, path: FieldPath, choice: &'a Choice) -> Cow<'a, str> {
        if !choice.name.is_empty() {
            return Cow::Borrowed(&choice.name);
        }
        let found = self
            .describe(path)
            .and_then(|field| field.options.into_iter().find(|option| option.id == choice.id));
        match (found, choice.id) {
            (Some(option), _) => Cow::Owned(option.name),
            (None, Some(id)) => Cow::Owned(id.to_string()),
            (None, None) => Cow::Borrowed(""),
        }
    }

    /// A value as plain text, for templates and for «В текст»: names instead of ids, nothing for empty.
    pub fn value_text(&self, path: Option<FieldPath>, value: &Value, zone: &Zone) -> String {
        let kind = path.and_then(|path| self.kind_of(path.record)).or(self.source());
        let name = |choice| match path {
            Some(path) => self.option_name(path, choice).into_owned(),
            None => choice.name.clone(),
        };
        match value {
            Value::Empty => String::new(),
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.normalize().to_string(),
            Value::Flag(true) => "да".to_owned(),
            Value::Flag(false) => "нет".to_owned(),
            Value::Instant(at) => {
                print("d.m.Y H:i", |format| format.print_instant(*at, zone)).unwrap_or_default()
            }
            Value::Day(day) => print("d.m.Y", |format| format.print_day(*day)).unwrap_or_default(),
            Value::Choice(choice) => name(choice),
            Value::Choices(list) => list.iter().map(name).collect::<Vec<_>>().join(", "),
            Value::User(id) => {
                let name = kind.and_then(|kind| self.user_name(kind, *id));
                name.map_or_else(|| id.to_string(), str::to_owned)
            }
            Value::Stage(stage) => {
                let name = kind.and_then(|kind| self.stage_name(kind, *stage));
                name.map_or_else(|| format!("{}/{}", stage.pipeline, stage.status), str::to_owned)
            }
            Value::Id(id) => {
                let is_pipeline = path.is_some_and(|path| path.key == FieldKey::from(SystemField::Pipeline));
                let name = kind
                    .filter(|_| is_pipeline)
                    .and_then(|kind| self.pipeline_name(kind, *id));
                name.map_or_else(|| id.to_string(), str::to_owned)
            }
            Value::Texts(list) => list.join(", "),
            Value::Json(json) => json.to_string(),
        }
    }

    /// A value as explanations show it: numbers in groups, texts in quotation marks, «пусто» for nothing, a
    /// stage with its pipeline.
    pub fn value_words(&self, path: Option<FieldPath>, value: &Value, zone: &Zone) -> String {
        if value.is_empty() {
            return "пусто".to_owned();
        }
        match value {
            Value::Number(number) => grouped(&number.normalize().to_string()),
            Value::Flag(_) | Value::Instant(_) | Value::Day(_) => self.value_text(path, value, zone),
            Value::Stage(stage) => {
                let kind = path.and_then(|path| self.kind_of(path.record)).or(self.source());
                match kind.and_then(|kind| self.pipeline_name(kind, stage.pipeline)) {
                    Some(pipeline) => format!("«{pipeline} → {}»", self.value_text(path, value, zone)),
                    None => format!("«{}»", self.value_text(path, value, zone)),
                }
            }
            Value::Choices(list) if list.len() > 1 => {
                let one = |choice: &Choice| self.value_words(path, &Value::Choice(choice.clone()), zone);
                list.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Value::Id(id) if path.is_none_or(|path| path.key != FieldKey::from(SystemField::Pipeline)) => {
                id.to_string()
            }
            _ => format!("«{}»", shortened(&self.value_text(path, value, zone))),
        }
    }

    /// The Russian name of a field's type; «поле» when the account no longer has it.
    pub fn type_name(&self, path: FieldPath) -> &'static str {
        self.field_type(path).map_or("поле", type_title)
    }
}

fn print(format: &str, with: impl FnOnce(&DateTimeFormat) -> Option<String>) -> Option<String> {
    DateTimeFormat::new(format).ok().and_then(|format| with(&format))
}

/// Long texts are cut for showing.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(120) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}
