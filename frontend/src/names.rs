//! Names for ids: what the catalogues call the stages, users, fields and options that values only number.

use std::sync::Arc;

use domain::catalogue::{Catalogue, FieldInfo, StageInfo};
use domain::catalogues::{Catalogues, home_of};
use domain::connection::ConnectorKind;
use domain::field::{FieldKey, FieldPath, FieldType, Moment, SystemField};
use domain::id::ConnectionId;
use domain::record::RecordKind;
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Stage, Value};

use crate::clock;
use crate::text::{decimal, shorten};

/// The longest value shown inside a sentence, in characters.
const LONG: usize = 160;

/// What is needed to say values in words: the catalogues of both sides and the time.
#[derive(Clone, Debug, Default)]
pub struct Names {
    amocrm: Option<Arc<Catalogue>>,
    lptracker: Option<Arc<Catalogue>>,
    home: Option<ConnectorKind>,
    zone: Zone,
    now: Timestamp,
}

impl Names {
    /// Names as one connection sees them. Records of the other CRM are named after the given other
    /// connections, else after the first connection there is.
    pub fn around(
        catalogues: &Catalogues,
        main: Option<ConnectionId>,
        others: &[ConnectionId],
        zone: Zone,
        now: Timestamp,
    ) -> Self {
        let pick = |kind: ConnectorKind| {
            main.iter()
                .chain(others)
                .filter_map(|id| catalogues.get(*id))
                .find(|connection| connection.kind == kind)
                .or_else(|| catalogues.of_kind(kind).next().map(|(_, connection)| connection))
                .map(|connection| Arc::clone(&connection.catalogue))
        };
        Self {
            amocrm: pick(ConnectorKind::Amocrm),
            lptracker: pick(ConnectorKind::Lptracker),
            home: main
                .and_then(|id| catalogues.get(id))
                .map(|connection| connection.kind),
            zone,
            now,
        }
    }

    /// The zone in which moments are written.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The moment that ages are counted to.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn catalogue(&self, record: RecordKind) -> Option<&Catalogue> {
        match home_of(record).or(self.home)? {
            ConnectorKind::Amocrm => self.amocrm.as_deref(),
            ConnectorKind::Lptracker => self.lptracker.as_deref(),
        }
    }

    fn info(&self, record: RecordKind, key: FieldKey) -> Option<&FieldInfo> {
        match key {
            FieldKey::Custom(id) => self.catalogue(record)?.field(record, id),
            FieldKey::System(_) => None,
        }
    }

    /// Name of a field without its record: «Бюджет», «Шаг», «поле № 17».
    pub fn field(&self, record: RecordKind, key: FieldKey) -> String {
        match key {
            FieldKey::System(field) => system_title(record, field).to_owned(),
            FieldKey::Custom(id) => self
                .info(record, key)
                .map_or_else(|| format!("поле № {id}"), |info| info.name.clone()),
        }
    }

    /// Name of a field with its record: «Сделка · Бюджет».
    pub fn path(&self, path: FieldPath) -> String {
        let field = self.field(path.record, path.key);
        match path.moment {
            Moment::Now => format!("{} · {field}", path.record.title()),
            Moment::Before => format!("{} · {field} (до изменения)", path.record.title()),
        }
    }

    /// A stage with its funnel: «Продажи › Новая заявка».
    pub fn stage(&self, record: RecordKind, stage: Stage) -> String {
        self.catalogue(record)
            .and_then(|catalogue| catalogue.stage(stage))
            .map_or_else(
                || format!("этап № {} воронки № {}", stage.status, stage.pipeline),
                |(pipeline, info)| format!("{} › {}", pipeline.name, info.name),
            )
    }

    /// What the catalogue tells of a stage.
    pub fn stage_info(&self, record: RecordKind, stage: Stage) -> Option<&StageInfo> {
        let (_, info) = self.catalogue(record)?.stage(stage)?;
        Some(info)
    }

    /// Name of a funnel or project.
    pub fn pipeline(&self, record: RecordKind, id: i64) -> String {
        self.catalogue(record)
            .and_then(|catalogue| catalogue.pipelines.iter().find(|pipeline| pipeline.id == id))
            .map_or_else(|| format!("№ {id}"), |pipeline| pipeline.name.clone())
    }

    /// Name of a user.
    pub fn user(&self, record: RecordKind, id: i64) -> String {
        match self.catalogue(record).and_then(|catalogue| catalogue.user(id)) {
            Some(user) => user.name.clone(),
            None if id == 0 => "система".to_owned(),
            None => format!("пользователь № {id}"),
        }
    }

    /// Name of a type of task.
    pub fn task_type(&self, record: RecordKind, id: i64) -> String {
        self.choice_in(record, id, |catalogue| &catalogue.task_types)
    }

    /// Name of a reason for losing.
    pub fn loss_reason(&self, record: RecordKind, id: i64) -> String {
        self.choice_in(record, id, |catalogue| &catalogue.loss_reasons)
    }

    fn choice_in(&self, record: RecordKind, id: i64, list: fn(&Catalogue) -> &Vec<Choice>) -> String {
        self.catalogue(record)
            .and_then(|catalogue| list(catalogue).iter().find(|choice| choice.id == Some(id)))
            .map_or_else(|| format!("№ {id}"), |choice| choice.name.clone())
    }

    fn choice(&self, record: RecordKind, key: Option<FieldKey>, choice: &Choice) -> String {
        if !choice.name.is_empty() {
            return choice.name.clone();
        }
        let Some(id) = choice.id else {
            return "без названия".to_owned();
        };
        if key == Some(FieldKey::System(SystemField::LossReason)) {
            return self.loss_reason(record, id);
        }
        key.and_then(|key| self.info(record, key))
            .and_then(|info| info.options.iter().find(|option| option.id == Some(id)))
            .map_or_else(|| format!("№ {id}"), |option| option.name.clone())
    }

    /// A value of a field in words. `key` is `None` where the field is not known.
    pub fn value(&self, record: RecordKind, key: Option<FieldKey>, value: &Value) -> String {
        match value {
            _ if value.is_empty() => "пусто".to_owned(),
            Value::Empty => "пусто".to_owned(),
            Value::Text(text) => shorten(text, LONG),
            Value::Number(number) => decimal(&number.to_string()),
            Value::Flag(true) => "да".to_owned(),
            Value::Flag(false) => "нет".to_owned(),
            Value::Instant(at) => clock::date_time(*at, self.now, &self.zone),
            Value::Day(day) => clock::day(*day),
            Value::Choice(choice) => self.choice(record, key, choice),
            Value::Choices(list) => join(list.iter().map(|choice| self.choice(record, key, choice))),
            Value::User(id) => self.user(record, *id),
            Value::Stage(stage) => self.stage(record, *stage),
            Value::Id(id) if key == Some(FieldKey::System(SystemField::Pipeline)) => {
                self.pipeline(record, *id)
            }
            Value::Id(id) => id.to_string(),
            Value::Texts(list) => join(list.iter().map(|text| shorten(text, LONG))),
            Value::Json(json) => shorten(&json.to_string(), LONG),
        }
    }

    /// A value inside a sentence: texts stand in quotes.
    pub fn quoted(&self, record: RecordKind, key: Option<FieldKey>, value: &Value) -> String {
        let text = self.value(record, key, value);
        match value {
            Value::Text(_) | Value::Choice(_) | Value::Stage(_) | Value::Texts(_) if !value.is_empty() => {
                format!("«{text}»")
            }
            _ => text,
        }
    }

    /// The type of a field, for its unit.
    pub fn field_type(&self, record: RecordKind, key: FieldKey) -> FieldType {
        match key {
            FieldKey::System(field) => field.field_type(),
            FieldKey::Custom(_) => self
                .info(record, key)
                .map_or(FieldType::Opaque, |info| info.field_type),
        }
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Name of a system field in the words of the CRM that the record lives in.
fn system_title(record: RecordKind, field: SystemField) -> &'static str {
    match (record, field) {
        (RecordKind::Lead, SystemField::Stage) => "Шаг",
        (RecordKind::Lead, SystemField::Pipeline) => "Проект",
        (RecordKind::Lead, SystemField::Responsible) => "Владелец",
        (RecordKind::Contact | RecordKind::LeadContact, SystemField::Name) => "Имя",
        _ => field.title(),
    }
}

/// A type of field in words.
pub const fn field_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "текст",
        FieldType::Number => "число",
        FieldType::Money => "сумма",
        FieldType::DateTime => "дата и время",
        FieldType::Date => "дата",
        FieldType::Flag => "флаг",
        FieldType::Select => "список",
        FieldType::MultiSelect => "мультисписок",
        FieldType::Tags => "теги",
        FieldType::User => "пользователь",
        FieldType::Phone => "телефон",
        FieldType::Email => "e-mail",
        FieldType::Stage => "этап",
        FieldType::Pipeline => "воронка",
        FieldType::Id => "номер",
        FieldType::Opaque => "особый",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::catalogue::{Pipeline, StageKind, UserInfo};
    use uuid::Uuid;

    pub(crate) const AMO: ConnectionId = ConnectionId(Uuid::from_u128(1));
    pub(crate) const LPT: ConnectionId = ConnectionId(Uuid::from_u128(2));

    /// Both sides of a small account.
    pub(crate) fn catalogues() -> Catalogues {
        let stage = |id, name: &str| StageInfo {
            id,
            name: name.to_owned(),
            color: None,
            kind: StageKind::Open,
        };
        let field = FieldInfo {
            record: RecordKind::Deal,
            id: 17,
            name: "Город".to_owned(),
            field_type: FieldType::Select,
            raw_type: "select".to_owned(),
            code: None,
            options: vec![Choice::new(3, "Казань")],
            read_only: false,
        };
        let user = |id, name: &str| UserInfo {
            id,
            name: name.to_owned(),
            is_active: true,
        };
        Catalogues::new()
            .with(
                AMO,
                ConnectorKind::Amocrm,
                Catalogue {
                    pipelines: vec![Pipeline {
                        id: 1,
                        name: "Продажи".to_owned(),
                        stages: vec![stage(10, "Новая заявка"), stage(142, "Успешно реализовано")],
                    }],
                    fields: vec![field],
                    users: vec![user(5, "Анна")],
                    ..Catalogue::default()
                },
            )
            .with(
                LPT,
                ConnectorKind::Lptracker,
                Catalogue {
                    pipelines: vec![Pipeline {
                        id: 9,
                        name: "Колл-центр".to_owned(),
                        stages: vec![stage(90, "Обзвон")],
                    }],
                    users: vec![user(0, "Главный")],
                    ..Catalogue::default()
                },
            )
    }

    /// Names as the amoCRM side sees them.
    pub(crate) fn names() -> Names {
        Names::around(
            &catalogues(),
            Some(AMO),
            &[],
            Zone::moscow(),
            Timestamp(1_795_426_865_250),
        )
    }

    #[test]
    fn ids_become_names_of_the_right_side() {
        let names = names();
        let stage = |pipeline, status| Stage { pipeline, status };
        assert_eq!(
            names.stage(RecordKind::Deal, stage(1, 10)),
            "Продажи › Новая заявка"
        );
        assert_eq!(names.stage(RecordKind::Lead, stage(9, 90)), "Колл-центр › Обзвон");
        assert_eq!(
            names.stage(RecordKind::Lead, stage(1, 10)),
            "этап № 10 воронки № 1"
        );
        assert_eq!(names.user(RecordKind::Deal, 5), "Анна");
        assert_eq!(names.user(RecordKind::Deal, 0), "система");
        assert_eq!(names.user(RecordKind::Lead, 0), "Главный");
        assert_eq!(names.pipeline(RecordKind::Lead, 9), "Колл-центр");
    }

    #[test]
    fn fields_are_called_as_their_crm_calls_them() {
        let names = names();
        let path = FieldPath::now(RecordKind::Lead, SystemField::Stage);
        assert_eq!(names.path(path), "Лид · Шаг");
        let path = FieldPath::before(RecordKind::Deal, FieldKey::Custom(17));
        assert_eq!(names.path(path), "Сделка · Город (до изменения)");
        assert_eq!(names.field(RecordKind::Deal, FieldKey::Custom(18)), "поле № 18");
    }

    #[test]
    fn values_are_said_in_words() {
        let names = names();
        let say = |value| names.value(RecordKind::Deal, Some(FieldKey::Custom(17)), &value);
        assert_eq!(say(Value::Empty), "пусто");
        assert_eq!(say(Value::Text("  ".to_owned())), "пусто");
        assert_eq!(say(Value::Number(90_000.into())), "90\u{a0}000");
        assert_eq!(say(Value::Flag(false)), "нет");
        assert_eq!(
            say(Value::Choice(Choice {
                id: Some(3),
                name: String::new()
            })),
            "Казань"
        );
        assert_eq!(
            say(Value::Choices(vec![
                Choice::named("vip"),
                Choice::named("срочно")
            ])),
            "vip, срочно"
        );
        assert_eq!(
            say(Value::Instant(Timestamp(1_795_426_865_250))),
            "сегодня, 12:41"
        );
        let pipeline = Some(FieldKey::System(SystemField::Pipeline));
        assert_eq!(names.value(RecordKind::Deal, pipeline, &Value::Id(1)), "Продажи");
        assert_eq!(names.quoted(RecordKind::Deal, None, &Value::text("да")), "«да»");
        assert_eq!(names.quoted(RecordKind::Deal, None, &Value::Empty), "пусто");
    }
}
