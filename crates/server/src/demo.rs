//! The demo: a workspace connected to the sandbox CRMs, with four rules that a sales team would want.
//!
//! Everything is looked up in the catalogues by name, as a manager would choose it in the editor.

use crate::config::Demo;
use crate::connecting::{Wanted, connect_trusted};
use crate::connectors::Secretless;
use domain::action::{Action, ActionCard};
use domain::catalogue::{Catalogue, StageKind};
use domain::command::{IfFound, IfNone, MatchBy, Pick, Target};
use domain::condition::{Compare, Condition, Operand, Operator};
use domain::event::EventKind;
use domain::field::{FieldKey, FieldPath, SystemField};
use domain::id::{ConnectionId, UserId, WorkspaceId};
use domain::mapping::{Conversion, Expression, IfEmpty, MappingLine};
use domain::record::RecordKind;
use domain::rule::{Rule, Trigger};
use domain::value::{Stage, Value};
use engine::accounts::FirstSetUp;
use engine::rules::Consent;
use engine::{Engine, EngineError, Secret};
use secrecy::ExposeSecret;
use storage::audit::Actor;
use storage::connections;

const EMAIL: &str = "demo@example.ru";

/// Makes the demo workspace when the database is empty. Gives the person to sign in as, if there is one.
pub async fn ensure(engine: &Engine, wanted: &Demo) -> Result<Option<UserId>, EngineError> {
    let people = engine.accounts();
    let Some(token) = people.set_up_token().await? else {
        return Ok(people.by_email(EMAIL).await?.map(|user| user.id));
    };
    let (user, workspace) = people
        .set_up(FirstSetUp {
            token,
            email: EMAIL.to_owned(),
            name: "Демо".to_owned(),
            password_hash: None,
            workspace: "Демо".to_owned(),
        })
        .await?;
    if let Err(error) = fill(engine, workspace.id, wanted).await {
        // The sandbox may be down: the workspace is there all the same, and the connections can be made by hand.
        tracing::error!(error.chain = %crate::telemetry::chain(&error), "демонстрационный кабинет заполнен не полностью");
    }
    Ok(Some(user.id))
}

async fn fill(engine: &Engine, workspace: WorkspaceId, wanted: &Demo) -> Result<(), EngineError> {
    let amocrm = Wanted {
        name: "amoCRM (песочница)".to_owned(),
        settings: Secretless::Amocrm {
            base_url: wanted.amocrm_url.to_string(),
            client_id: None,
        },
        secret: Secret::Token {
            access: wanted.amocrm_token.expose_secret().to_owned(),
        },
    };
    let lptracker = Wanted {
        name: "LPTracker (песочница)".to_owned(),
        settings: Secretless::Lptracker {
            base_url: Some(wanted.lptracker_url.to_string()),
            login: wanted.lptracker_login.clone(),
            project: wanted.lptracker_project,
        },
        secret: Secret::Login {
            login: wanted.lptracker_login.clone(),
            password: wanted.lptracker_password.expose_secret().to_owned(),
            access: None,
        },
    };
    // Both at once: each waits mostly for its CRM's request budget.
    let (amocrm, lptracker) = futures::join!(
        amocrm_side(engine, workspace, amocrm),
        connect_trusted(engine, workspace, lptracker),
    );
    let lptracker = lptracker?;
    let sides = Sides {
        amocrm: Side::read(engine, workspace, amocrm?.id).await?,
        lptracker: Side::read(engine, workspace, lptracker.id).await?,
        project: wanted.lptracker_project,
    };
    let rules = engine.rules();
    let actor = Actor::system();
    for rule in sides.rules()? {
        let made = rules.create(workspace, &actor, &rule).await?;
        rules
            .publish(workspace, &actor, made.id, made.version, Consent::Withheld)
            .await?;
    }
    tracing::info!(workspace.id = %workspace, "демонстрационный кабинет готов");
    // Its request budget is used up for the next second, and nobody waits for its card.
    let connections = engine.connections();
    tokio::spawn(async move {
        if let Err(error) = connections.check(workspace, lptracker.id).await {
            tracing::warn!(%error, "подключение к песочнице LPTracker не проверено");
        }
    });
    Ok(())
}

/// The account id that the check tells is what webhooks are matched with.
async fn amocrm_side(
    engine: &Engine,
    workspace: WorkspaceId,
    wanted: Wanted,
) -> Result<connections::Connection, EngineError> {
    let connection = connect_trusted(engine, workspace, wanted).await?;
    engine.connections().check(workspace, connection.id).await?;
    Ok(connection)
}

/// A connection with what it offers.
struct Side {
    id: ConnectionId,
    catalogue: Catalogue,
}

impl Side {
    async fn read(engine: &Engine, workspace: WorkspaceId, id: ConnectionId) -> Result<Self, EngineError> {
        let catalogue = connections::catalogue(engine.db(), workspace, id)
            .await?
            .unwrap_or_default();
        Ok(Self { id, catalogue })
    }

    fn field(&self, record: RecordKind, name: &str) -> Result<FieldKey, EngineError> {
        let found = self
            .catalogue
            .fields
            .iter()
            .find(|field| field.record == record && field.name == name);
        found
            .map(|field| FieldKey::Custom(field.id))
            .ok_or_else(|| missing("поля", name))
    }

    fn stage(&self, pipeline: impl Fn(i64, &str) -> bool, name: &str) -> Result<Stage, EngineError> {
        self.find_stage(pipeline, |info| info.name == name)
            .ok_or_else(|| missing("этапа", name))
    }

    fn find_stage(
        &self,
        pipeline: impl Fn(i64, &str) -> bool,
        wanted: impl Fn(&domain::catalogue::StageInfo) -> bool,
    ) -> Option<Stage> {
        let pipeline = self
            .catalogue
            .pipelines
            .iter()
            .find(|known| pipeline(known.id, &known.name))?;
        let stage = pipeline.stages.iter().find(|stage| wanted(stage))?;
        Some(Stage {
            pipeline: pipeline.id,
            status: stage.id,
        })
    }
}

fn missing(what: &str, name: &str) -> EngineError {
    EngineError::Invalid {
        pointer: "",
        text: format!("в песочнице нет {what} «{name}»"),
    }
}

/// Both sides of the demo.
struct Sides {
    amocrm: Side,
    lptracker: Side,
    project: i64,
}

const PIPELINE: &str = "Продажи";

impl Sides {
    fn deal_stage(&self, name: &str) -> Result<Stage, EngineError> {
        self.amocrm.stage(|_, pipeline| pipeline == PIPELINE, name)
    }

    fn lead_step(&self, name: &str) -> Result<Stage, EngineError> {
        self.lptracker.stage(|id, _| id == self.project, name)
    }

    fn rules(&self) -> Result<Vec<Rule>, EngineError> {
        Ok(vec![
            self.deal_to_call()?,
            self.interest()?,
            self.no_answer()?,
            self.refusal()?,
        ])
    }

    /// A deal handed over to the call team becomes a lead.
    fn deal_to_call(&self) -> Result<Rule, EngineError> {
        use SystemField::{Email, Id, Name, Phone, Price};
        let deal = |field| FieldPath::now(RecordKind::Deal, field);
        let contact = |field: SystemField| FieldPath::now(RecordKind::Contact, field);
        let lead_field = |name| self.lptracker.field(RecordKind::Lead, name);
        let city = FieldPath::now(RecordKind::Deal, self.amocrm.field(RecordKind::Deal, "Город")?);
        let as_text = || vec![Conversion::Text];
        let mapping = vec![
            line(RecordKind::Lead, Name.into(), deal(Name), Vec::new()),
            line(
                RecordKind::Lead,
                lead_field("ID сделки amoCRM")?,
                deal(Id),
                as_text(),
            ),
            line(RecordKind::Lead, lead_field("Бюджет")?, deal(Price), as_text()),
            line(RecordKind::Lead, lead_field("Город")?, city, Vec::new()),
            line(RecordKind::LeadContact, Name.into(), contact(Name), Vec::new()),
            line(
                RecordKind::LeadContact,
                Phone.into(),
                contact(Phone),
                vec![Conversion::Phone],
            ),
            line(RecordKind::LeadContact, Email.into(), contact(Email), Vec::new()),
        ];
        let find_or_create = Action::Upsert {
            kind: RecordKind::Lead,
            order: vec![MatchBy::Link, MatchBy::Phone, MatchBy::Email],
            pick: Pick::NewestOpen,
            if_none: IfNone::Create,
            if_found: IfFound::Update,
            mapping,
            stage: Some(self.lead_step("Новый лид")?),
            responsible: None,
            tags: Vec::new(),
        };
        Ok(Rule {
            name: "Сделка передана в обзвон → лид в LPTracker".to_owned(),
            description:
                "Когда менеджер переводит сделку на этап «Передано в обзвон», лид находится по связи, \
                          телефону или e-mail либо создаётся."
                    .to_owned(),
            source: self.amocrm.id,
            triggers: vec![
                Trigger::on(EventKind::DealCreated),
                Trigger::on(EventKind::DealStageChanged),
            ],
            condition: on_stage(RecordKind::Deal, self.deal_stage("Передано в обзвон")?),
            actions: vec![card(self.lptracker.id, find_or_create)],
            stop: false,
            quiet_secs: 0,
        })
    }

    /// Interest that the call team confirmed moves the deal on.
    fn interest(&self) -> Result<Rule, EngineError> {
        let moved = Action::Move {
            target: Target::Linked,
            stage: self.deal_stage("Подтверждён")?,
            loss_reason: None,
        };
        let note = note("LPTracker: интерес подтверждён по лиду «{{lead.name}}»");
        self.lead_rule(
            "Интерес подтверждён → сделка «Подтверждён»",
            "Интерес подтвержден",
            vec![moved, note],
        )
    }

    /// Nobody answered: the deal waits, and the manager is told to call.
    fn no_answer(&self) -> Result<Rule, EngineError> {
        let moved = Action::Move {
            target: Target::Linked,
            stage: self.deal_stage("Недозвон")?,
            loss_reason: None,
        };
        let task = Action::AddTask {
            target: Target::Linked,
            text: Expression::Template("Перезвонить: {{lead.name}} — до клиента не дозвонились".to_owned()),
            task_type: self.amocrm.catalogue.task_types.first().and_then(|kind| kind.id),
            due_in_minutes: 24 * 60,
            responsible: None,
        };
        self.lead_rule("Недозвон → задача менеджеру", "Недозвон", vec![moved, task])
    }

    /// A refusal closes the deal.
    fn refusal(&self) -> Result<Rule, EngineError> {
        let lost = self
            .amocrm
            .find_stage(|_, name| name == PIPELINE, |stage| stage.kind == StageKind::Lost)
            .ok_or_else(|| missing("этапа", "Закрыто и не реализовано"))?;
        let moved = Action::Move {
            target: Target::Linked,
            stage: lost,
            loss_reason: self
                .amocrm
                .catalogue
                .loss_reasons
                .last()
                .and_then(|reason| reason.id),
        };
        let note = note("LPTracker: клиент отказался (лид «{{lead.name}}»)");
        self.lead_rule("Отказ → сделка закрыта", "Отказ", vec![moved, note])
    }

    fn lead_rule(&self, name: &str, step: &str, actions: Vec<Action>) -> Result<Rule, EngineError> {
        Ok(Rule {
            name: name.to_owned(),
            description: String::new(),
            source: self.lptracker.id,
            triggers: vec![Trigger::on(EventKind::LeadStageChanged)],
            condition: on_stage(RecordKind::Lead, self.lead_step(step)?),
            actions: actions
                .into_iter()
                .map(|action| card(self.amocrm.id, action))
                .collect(),
            stop: false,
            quiet_secs: 0,
        })
    }
}

fn on_stage(record: RecordKind, stage: Stage) -> Condition {
    Condition::All(vec![Condition::Compare(Compare {
        field: FieldPath::now(record, SystemField::Stage),
        operator: Operator::Equals,
        with: Operand::Value(Value::Stage(stage)),
        alike: domain::condition::Alike::default(),
    })])
}

fn card(connection: ConnectionId, action: Action) -> ActionCard {
    ActionCard {
        connection: Some(connection),
        enabled: true,
        action,
    }
}

fn note(text: &str) -> Action {
    Action::AddNote {
        target: Target::Linked,
        text: Expression::Template(text.to_owned()),
    }
}

fn line(record: RecordKind, field: FieldKey, from: FieldPath, convert: Vec<Conversion>) -> MappingLine {
    MappingLine {
        record,
        field,
        from: Expression::Field(from),
        convert,
        mode: domain::command::WriteMode::Replace,
        if_empty: IfEmpty::Leave,
    }
}
