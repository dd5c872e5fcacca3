//! The rule that puts the rows of a file into a CRM. It stands among the others, so that everybody can see what
//! an import does; imports into the same place with the same columns share one.

use super::plan::kinds;
use super::{Duplicates, Import};
use crate::context::Context;
use crate::error::EngineError;
use crate::rules::{Consent, Rules};
use domain::action::{Action, ActionCard};
use domain::command::{IfFound, IfNone, MatchBy, Pick, WriteMode};
use domain::condition::{Alike, Compare, Condition, Operand, Operator};
use domain::event::EventKind;
use domain::field::{FieldPath, SystemField};
use domain::id::RuleId;
use domain::mapping::{Expression, IfEmpty, MappingLine};
use domain::record::RecordKind;
use domain::rule::{Rule, Trigger};
use domain::value::Value;
use std::sync::Arc;
use storage::audit::Actor;
use storage::connections::{self, Connection};
use storage::rules;

/// Finds or makes the rule, and gives the import the label that the rule looks for.
pub(super) async fn rule(
    context: &Arc<Context>,
    actor: &Actor,
    import: &mut Import,
    connection: &Connection,
) -> Result<RuleId, EngineError> {
    let title = title(context, import, connection).await?;
    let all = rules::list(&context.db, import.workspace).await?;
    for number in 1..1000 {
        let name = if number == 1 {
            title.clone()
        } else {
            format!("{title} ({number})")
        };
        let wanted = document(import, connection, &name);
        let known = all.iter().find(|rule| rule.draft.name == name);
        match known {
            Some(rule) if rule.enabled && rule.published.is_some() && rule.draft == wanted => {
                import.plan.label = Some(name);
                return Ok(rule.id);
            }
            Some(_) => {}
            None => {
                let works = Rules::new(Arc::clone(context));
                let made = works.create(import.workspace, actor, &wanted).await?;
                let made = works
                    .publish(import.workspace, actor, made.id, made.version, Consent::Withheld)
                    .await?;
                import.plan.label = Some(name);
                return Ok(made.id);
            }
        }
    }
    Err(EngineError::Invalid {
        pointer: "/place",
        text: "Слишком много правил загрузки в это место: удалите лишние в конструкторе".to_owned(),
    })
}

async fn title(context: &Context, import: &Import, connection: &Connection) -> Result<String, EngineError> {
    let catalogue = connections::catalogue(&context.db, import.workspace, connection.id).await?;
    let place = import.plan.place.and_then(|place| {
        let (pipeline, stage) = catalogue.as_ref()?.stage(place.stage)?;
        Some(format!("{} / {}", pipeline.name, stage.name))
    });
    Ok(match place {
        Some(place) => format!("Загрузка файлов → {}: {place}", connection.name),
        None => format!("Загрузка файлов → {}", connection.name),
    })
}

fn document(import: &Import, connection: &Connection, name: &str) -> Rule {
    let plan = &import.plan;
    let mode = if plan.duplicates == Duplicates::Merge {
        WriteMode::FillEmpty
    } else {
        WriteMode::Replace
    };
    let mut fields: Vec<FieldPath> = plan.columns.iter().flatten().copied().collect();
    fields.sort_unstable();
    let line = |path: FieldPath| MappingLine {
        record: path.record,
        field: path.key,
        from: Expression::Field(path),
        convert: Vec::new(),
        mode,
        if_empty: IfEmpty::Leave,
    };
    let order = match plan.duplicates {
        Duplicates::Create => Vec::new(),
        _ => vec![MatchBy::Phone, MatchBy::Email],
    };
    let action = Action::Upsert {
        kind: kinds(connection.kind).0,
        order,
        pick: Pick::NewestOpen,
        if_none: IfNone::Create,
        if_found: if plan.duplicates == Duplicates::Skip {
            IfFound::Keep
        } else {
            IfFound::Update
        },
        mapping: fields.into_iter().map(line).collect(),
        stage: plan.place.map(|place| place.stage),
        responsible: plan.place.and_then(|place| place.responsible),
        tags: Vec::new(),
    };
    Rule {
        name: name.to_owned(),
        description: "Сделано загрузкой файлов: сюда попадают только её строки".to_owned(),
        source: connection.id,
        triggers: vec![Trigger::on(EventKind::ImportRowAccepted)],
        condition: Condition::Compare(Compare {
            field: FieldPath::now(RecordKind::Event, SystemField::Source),
            operator: Operator::Equals,
            with: Operand::Value(Value::text(name)),
            alike: Alike::default(),
        }),
        actions: vec![ActionCard {
            connection: Some(connection.id),
            enabled: true,
            action,
        }],
        stop: false,
        quiet_secs: 0,
    }
}
