//! What pickers offer: fields, stages, users, options, as one kind of item whose value is what goes into the
//! document.

use domain::catalogue::Catalogue;
use domain::catalogues::{Catalogues, Scope};
use domain::connection::ConnectorKind;
use domain::field::{FieldPath, FieldType, Moment};
use domain::record::RecordKind;
use domain::types::{FieldDescription, type_title};
use serde_json::{Value, json};

use crate::text::lowercase;

/// One thing to choose.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// What is written into the document.
    pub value: Value,
    /// What it is called.
    pub title: String,
    /// What it stands under: the record, the funnel.
    pub group: String,
    /// A word beside it: the type.
    pub hint: &'static str,
    /// Colour of a stage as `#rrggbb`.
    pub color: Option<String>,
}

impl Item {
    fn plain(value: Value, title: impl Into<String>) -> Self {
        Self {
            value,
            title: title.into(),
            group: String::new(),
            hint: "",
            color: None,
        }
    }

    /// «Продажи › Новая» or the title alone.
    pub fn full_title(&self) -> String {
        if self.group.is_empty() {
            self.title.clone()
        } else {
            format!("{} › {}", self.group, self.title)
        }
    }
}

pub(crate) fn search_form(text: &str) -> String {
    lowercase(text.trim()).replace('ё', "е")
}

/// Items that hold every word of a search, those whose title begins with it first.
pub fn found(items: &[Item], wanted: &str) -> Vec<Item> {
    let wanted = search_form(wanted);
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let mut hits: Vec<(bool, &Item)> = items
        .iter()
        .filter_map(|item| {
            let text = search_form(&format!("{} {}", item.group, item.title));
            let fits = words.iter().all(|word| text.contains(word));
            fits.then(|| (!search_form(&item.title).starts_with(&wanted), item))
        })
        .collect();
    hits.sort_by_key(|(late, _)| *late);
    hits.into_iter().map(|(_, item)| item.clone()).collect()
}

/// Two values of the document that mean the same thing: a renamed option is still the option.
pub fn same(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| {
        let inner = value.get("value").unwrap_or(value);
        inner.get("id").filter(|id| !id.is_null()).cloned()
    };
    one == other || (one.get("type") == other.get("type") && id(one).is_some() && id(one) == id(other))
}

/// Fields that a condition or an expression may look at: those of the event's side first, former values last.
pub fn fields(scope: &Scope, with_former: bool) -> Vec<Item> {
    let all = scope.fields();
    let home = scope.source();
    let mut items: Vec<(u8, Item)> = all
        .iter()
        .map(|field| {
            let kind = domain::catalogues::home_of(field.path.record);
            let far = match kind {
                Some(kind) if Some(kind) == home => 0,
                None => 1,
                Some(_) => 2,
            };
            (far, field_item(field, field.path.record.title().to_owned()))
        })
        .collect();
    if with_former {
        let own = |field: &&FieldDescription| {
            domain::catalogues::home_of(field.path.record).is_some_and(|kind| Some(kind) == home)
        };
        items.extend(all.iter().filter(own).map(|field| {
            let former = FieldDescription {
                path: FieldPath {
                    moment: Moment::Before,
                    ..field.path
                },
                ..field.clone()
            };
            (
                3,
                field_item(&former, format!("{} (до изменения)", field.path.record.title())),
            )
        }));
    }
    items.sort_by_key(|(far, _)| *far);
    items.into_iter().map(|(_, item)| item).collect()
}

fn field_item(field: &FieldDescription, group: String) -> Item {
    Item {
        value: field.path.to_string().into(),
        title: field.name.clone(),
        group,
        hint: type_title(field.field_type),
        color: None,
    }
}

/// Fields that a mapping may write, with the record as `lead/name`.
pub fn targets(scope: &Scope, records: &[RecordKind]) -> Vec<Item> {
    let all = scope.fields();
    let of = |record: &RecordKind| {
        let record = *record;
        all.iter()
            .filter(move |field| field.writable && field.path.record == record)
            .map(move |field| Item {
                value: json!({ "record": record.as_str(), "field": field.path.key.to_string() }),
                ..field_item(field, record.title().to_owned())
            })
    };
    records.iter().flat_map(of).collect()
}

/// Stages as `{pipeline, status}`.
pub fn stages(catalogue: &Catalogue) -> Vec<Item> {
    let of = |pipeline: &domain::catalogue::Pipeline| {
        let (id, name) = (pipeline.id, pipeline.name.clone());
        let item = move |stage: &domain::catalogue::StageInfo| Item {
            value: json!({ "pipeline": id, "status": stage.id }),
            title: stage.name.clone(),
            group: name.clone(),
            hint: "",
            color: stage.color.clone(),
        };
        pipeline.stages.iter().map(item).collect::<Vec<_>>()
    };
    catalogue.pipelines.iter().flat_map(of).collect()
}

/// Funnels or projects by id.
pub fn pipelines(catalogue: &Catalogue) -> Vec<Item> {
    let all = catalogue.pipelines.iter();
    all.map(|one| Item::plain(one.id.into(), &one.name)).collect()
}

/// Users by id; those who left stand at the end.
pub fn users(catalogue: &Catalogue) -> Vec<Item> {
    let mut users: Vec<_> = catalogue.users.iter().collect();
    users.sort_by_key(|user| !user.is_active);
    let item = |user: &&domain::catalogue::UserInfo| Item {
        hint: if user.is_active {
            ""
        } else {
            "не работает"
        },
        ..Item::plain(user.id.into(), &user.name)
    };
    users.iter().map(item).collect()
}

/// Options of a list by id and name.
pub fn options(list: &[domain::value::Choice]) -> Vec<Item> {
    list.iter()
        .map(|choice| Item::plain(json!({ "id": choice.id, "name": choice.name }), &choice.name))
        .collect()
}

/// Tags of a kind of record.
pub fn tags(catalogue: &Catalogue, record: RecordKind) -> Vec<Item> {
    let of = catalogue.tags.iter().filter(|tag| tag.record == record);
    of.map(|tag| Item::plain(json!({ "id": tag.id, "name": tag.name }), &tag.name))
        .collect()
}

/// Connections of one CRM, or all.
pub fn connections(catalogues: &Catalogues, kind: Option<ConnectorKind>) -> Vec<Item> {
    let fits = |one: &domain::catalogues::ConnectionCatalogue| kind.is_none_or(|kind| one.kind == kind);
    let item = |(id, one): (domain::id::ConnectionId, &domain::catalogues::ConnectionCatalogue)| {
        let title = if one.name.is_empty() {
            one.kind.title().to_owned()
        } else {
            one.name.clone()
        };
        Item {
            hint: one.kind.title(),
            ..Item::plain(id.to_string().into(), title)
        }
    };
    catalogues.iter().filter(|(_, one)| fits(one)).map(item).collect()
}

/// What a value of a field may be chosen from, as values of the document; `None` where it is typed.
pub fn values(scope: &Scope, path: FieldPath, field_type: FieldType) -> Option<Vec<Item>> {
    let catalogue = scope.catalogue(path.record);
    let tagged = |kind: &str, items: Vec<Item>| {
        let wrap = |item: Item| Item {
            value: json!({ "type": kind, "value": item.value }),
            ..item
        };
        Some(items.into_iter().map(wrap).collect())
    };
    let of = |list: fn(&Catalogue) -> Vec<Item>| catalogue.map(list).unwrap_or_default();
    match field_type {
        FieldType::Stage => tagged("stage", of(stages)),
        FieldType::Pipeline => tagged("id", of(pipelines)),
        FieldType::User => tagged("user", of(users)),
        FieldType::Tags => tagged(
            "choice",
            catalogue.map(|one| tags(one, path.record)).unwrap_or_default(),
        ),
        FieldType::Select | FieldType::MultiSelect => {
            let described = scope.describe(path);
            tagged(
                "choice",
                described.map(|field| options(&field.options)).unwrap_or_default(),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::{AMO, catalogues};

    fn scope() -> Scope {
        Scope::any(&catalogues())
    }

    #[test]
    fn every_word_of_a_search_must_be_there() {
        let items = stages(catalogues().get(AMO).map(|one| &*one.catalogue).unwrap());
        let titles =
            |wanted: &str| -> Vec<String> { found(&items, wanted).iter().map(Item::full_title).collect() };
        assert_eq!(titles("прод усп"), ["Продажи › Успешно реализовано"]);
        assert_eq!(titles("НОВАЯ"), ["Продажи › Новая заявка"]);
        assert_eq!(titles("").len(), 2);
        assert!(titles("колл").is_empty());
    }

    #[test]
    fn fields_are_named_with_their_record_and_lead_into_the_document() {
        let items = fields(&scope(), false);
        let city = found(&items, "сделка город");
        assert_eq!(city.len(), 1);
        assert_eq!(city[0].value, "deal.cf.17");
        assert_eq!(city[0].hint, "список");
    }

    #[test]
    fn values_are_those_of_the_document() {
        let path: FieldPath = "deal.cf.17".parse().unwrap();
        let options = values(&scope(), path, FieldType::Select).unwrap();
        let value: domain::value::Value = crate::wire::from_tree(options[0].value.clone()).unwrap();
        assert_eq!(
            value,
            domain::value::Value::Choice(domain::value::Choice::new(3, "Казань"))
        );
        let path: FieldPath = "lead.stage".parse().unwrap();
        let steps = values(&scope(), path, FieldType::Stage).unwrap();
        assert_eq!(steps[0].full_title(), "Колл-центр › Обзвон");
        assert!(values(&scope(), path, FieldType::Text).is_none());
    }

    #[test]
    fn only_writable_fields_are_targets() {
        let items = targets(&scope(), &[RecordKind::Deal]);
        let names: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
        assert!(names.contains(&"Бюджет") && names.contains(&"Город"), "{names:?}");
        assert!(!names.contains(&"ID") && !names.contains(&"Создано"), "{names:?}");
    }
}
