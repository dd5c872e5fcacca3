//! Effects happen once: every action of both CRMs, with its answer lost after the write was applied and before, against
//! the fakes over HTTP. What was done is read from the fakes' journal, not from what the hub believes.

use crate::harness::{TestApp, Wanted};
use domain::command::{
    Command, FieldWrite, NewCall, NewPayment, NewTask, Operation, Search, Target, Upsert, WriteMode,
};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::field::SystemField;
use domain::id::{DeliveryId, EventId, RuleId, RunId, WorkspaceId};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};
use sandbox::{EntryKind, Fault, FaultKind, Modes, Sandbox, Side};
use std::cell::Cell;
use storage::connections::{self, Connection};
use storage::deliveries::{self, Delivery};
use storage::events::{self, NewEvent};

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// It was applied and the answer is lost.
    Applied,
    /// It never arrived, which looks just the same from outside.
    NotApplied,
}

struct Scene<'a> {
    app: &'a TestApp,
    sandbox: &'a Sandbox,
    workspace: WorkspaceId,
    amocrm: Connection,
    lptracker: Connection,
    n_events: Cell<u64>,
}

impl Scene<'_> {
    fn now(&self) -> Timestamp {
        self.app.engine().clock().now()
    }

    fn of(&self, kind: ConnectorKind) -> (&Connection, Side) {
        match kind {
            ConnectorKind::Amocrm => (&self.amocrm, Side::Amocrm),
            ConnectorKind::Lptracker => (&self.lptracker, Side::Lptracker),
        }
    }

    /// Plants a delivery for an event of a record in `from`, as a rule would have planned it.
    async fn plant(
        &self,
        from: ConnectorKind,
        key: RecordKey,
        on: ConnectorKind,
        operation: Operation,
    ) -> DeliveryId {
        self.n_events.set(self.n_events.get() + 1);
        let (db, now) = (self.app.engine().db(), self.now());
        let event = Event {
            id: EventId(engine::new_id()),
            workspace: self.workspace,
            connection: self.of(from).0.id,
            origin: Origin::Webhook,
            received_at: now,
            chain: 0,
            fact: Fact {
                kind: EventKind::DealUpdated,
                key: key.clone(),
                occurred_at: Some(now),
                record: Record::new(key.kind, key.id.clone()),
                related: Vec::new(),
                before: Vec::new(),
                changed: None,
                author: None,
                dedupe: self.n_events.get().to_string(),
            },
        };
        let new = NewEvent {
            key: format!("planted {}", self.n_events.get()),
            inbound: None,
            replay_of: None,
            only_rule: None,
            as_then: false,
            // No rule looks at it: what it leads to is planted.
            due_at: Timestamp(i64::MAX),
            event,
        };
        events::insert(db, &[&new]).await.unwrap();
        let connection = Some(self.of(on).0.id);
        let delivery = Delivery {
            workspace: self.workspace,
            id: DeliveryId(engine::new_id()),
            run: RunId(engine::new_id()),
            event: new.event.id,
            rule: RuleId(engine::new_id()),
            connection,
            lane: new.key.clone(),
            command: Command {
                action: 0,
                connection,
                operation,
            },
            state: DeliveryState::Pending,
            progress: serde_json::json!({}),
            record: None,
            error_code: None,
            error: None,
            replay_of: None,
            chain: 0,
            n_attempts: 0,
            created_at: now,
            first_at: None,
            due_at: now,
            finished_at: None,
        };
        deliveries::insert(db, &[&delivery]).await.unwrap();
        delivery.id
    }

    /// Works on until the delivery is at its end.
    async fn end(&self, id: DeliveryId) -> Delivery {
        for _ in 0..200 {
            self.app.engine().step().await.unwrap();
            let delivery = deliveries::find(self.app.engine().db(), self.workspace, id)
                .await
                .unwrap();
            if delivery.state.is_final() || delivery.state == DeliveryState::Dead {
                return delivery;
            }
            self.app.clock.as_ref().unwrap().advance(2_000);
        }
        panic!("доставка не кончается");
    }

    /// Writes that took effect in a CRM since the journal was cleared.
    fn n_effects(&self, side: Side) -> usize {
        let entries = self.sandbox.world.journal.entries();
        let writes = entries
            .iter()
            .filter(|entry| entry.side == side && entry.kind == EntryKind::Request && entry.write);
        writes
            .filter(|entry| match entry.status {
                Some(200..300) => true,
                // Cut: only one of both faults lets it through.
                Some(0) => entry
                    .fault
                    .as_deref()
                    .is_some_and(|fault| fault.contains("After")),
                _ => false,
            })
            .count()
    }

    /// Carries an operation out with the answer of its n-th write lost, and counts what it did.
    async fn check(
        &self,
        what: &str,
        (from, key): (ConnectorKind, RecordKey),
        on: ConnectorKind,
        operation: Operation,
        (n, of): (u32, usize),
        lost: Lost,
    ) -> Delivery {
        let side = self.of(on).1;
        self.sandbox.world.faults.clear();
        self.sandbox.world.journal.clear();
        for method in ["POST", "PUT", "PATCH"] {
            let kind = match lost {
                Lost::Applied => FaultKind::CutAfterApply,
                Lost::NotApplied => FaultKind::CutBeforeApply,
            };
            self.sandbox
                .world
                .faults
                .add(Fault::once(side, kind).method(method).skip(n));
        }
        let id = self.plant(from, key, on, operation).await;
        let delivery = self.end(id).await;
        let told = format!("{what}, запись {n}, {lost:?}: {delivery:?}");
        assert_eq!(delivery.state, DeliveryState::Delivered, "{told}");
        let hit = self
            .sandbox
            .world
            .journal
            .entries()
            .iter()
            .any(|it| it.status == Some(0));
        assert!(hit, "обрыва не было: {told}");
        assert_eq!(self.n_effects(side), of, "{told}");
        delivery
    }
}

fn text(field: SystemField, text: &str) -> FieldWrite {
    FieldWrite {
        key: field.into(),
        value: Value::text(text),
        mode: WriteMode::Replace,
    }
}

fn creation(kind: RecordKind, stage: Stage, phone: &str) -> Operation {
    Operation::Upsert(Upsert {
        kind,
        search: Search::default(),
        fields: vec![text(SystemField::Name, &format!("Заявка {phone}"))],
        contact: vec![
            text(SystemField::Name, "Пётр Ёлкин"),
            text(SystemField::Phone, phone),
        ],
        stage: Some(stage),
        responsible: None,
        tags: Vec::new(),
    })
}

/// The actions on an existing record, each with what it is called.
fn actions(
    on: ConnectorKind,
    kind: RecordKind,
    stages: &[Stage],
    users: &[i64],
    n: usize,
) -> Vec<(&'static str, Operation)> {
    let target = Target::Trigger;
    let mut actions = vec![
        (
            "поля",
            Operation::Update {
                target,
                kind,
                fields: vec![text(SystemField::Name, &format!("Новое имя {n}"))],
            },
        ),
        (
            "переход",
            Operation::Move {
                target,
                stage: stages[1 + n % 2],
                loss_reason: None,
            },
        ),
        (
            "примечание",
            Operation::AddNote {
                target,
                text: format!("Проверено {n}"),
            },
        ),
    ];
    // A new record belongs to the first.
    if let [_, user, ..] = users {
        actions.push(("ответственный", Operation::SetResponsible { target, user: *user }));
    }
    match on {
        ConnectorKind::Amocrm => {
            let tag = Choice {
                id: None,
                name: format!("тег {n}"),
            };
            actions.push((
                "теги",
                Operation::ChangeTags {
                    target,
                    add: vec![tag],
                    remove: Vec::new(),
                },
            ));
            let task = NewTask {
                text: format!("Перезвонить {n}"),
                task_type: Some(1),
                deadline: Timestamp::from_secs(1_900_000_000),
                responsible: None,
            };
            actions.push(("задача", Operation::AddTask { target, task }));
            let call = NewCall {
                incoming: true,
                phone: "79995550000".to_owned(),
                duration: 61,
                recording: None,
                result: Some("Ответил".to_owned()),
                unique: Some(format!("call-{n}")),
                at: None,
            };
            actions.push(("звонок", Operation::LogCall { target, call }));
        }
        ConnectorKind::Lptracker => {
            let payment = NewPayment {
                category: "Предоплата".to_owned(),
                purpose: format!("Аванс {n}"),
                sum: (1_000 + n as i64).into(),
            };
            actions.push(("оплата", Operation::AddPayment { target, payment }));
        }
    }
    actions
}

async fn scene(app: &TestApp) -> Scene<'_> {
    let db = app.engine().db();
    let sandbox = app.sandbox.as_ref().unwrap();
    for side in [Side::Amocrm, Side::Lptracker] {
        let lost = Modes {
            drop: true,
            ..Modes::default()
        };
        sandbox.world.emitter.set_modes(side, lost, 0);
    }
    let workspace = storage::accounts::workspaces(db).await.unwrap().remove(0).id;
    let all = connections::list(db, workspace).await.unwrap();
    let of = |kind| all.iter().find(|it| it.kind == kind).unwrap().clone();
    Scene {
        app,
        sandbox,
        workspace,
        amocrm: of(ConnectorKind::Amocrm),
        lptracker: of(ConnectorKind::Lptracker),
        n_events: Cell::new(0),
    }
}

async fn every_action_once(on: ConnectorKind, from: ConnectorKind, kind: RecordKind, foreign: RecordKind) {
    let wanted = Wanted {
        demo: true,
        manual_clock: true,
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let scene = scene(&app).await;
    let catalogue = connections::catalogue(app.engine().db(), scene.workspace, scene.of(on).0.id)
        .await
        .unwrap()
        .unwrap();
    let pipeline = &catalogue.pipelines[0];
    let open = pipeline
        .stages
        .iter()
        .filter(|it| it.kind == domain::catalogue::StageKind::Open);
    let stages: Vec<Stage> = open
        .map(|it| Stage {
            pipeline: pipeline.id,
            status: it.id,
        })
        .collect();
    let users: Vec<i64> = catalogue.users.iter().map(|it| it.id).collect();
    let mut made = None;
    for (at, lost) in [Lost::Applied, Lost::NotApplied].into_iter().enumerate() {
        for n in 0..2 {
            let phone = format!("+7999555{}{at}{n}0", kind.as_str().len());
            let source = (
                from,
                RecordKey::new(foreign, 90_000 + (at * 10) as i64 + i64::from(n)),
            );
            let operation = creation(kind, stages[0], &phone);
            let delivery = scene.check("создание", source, on, operation, (n, 2), lost).await;
            made = delivery.record;
        }
        let key = made.clone().unwrap();
        for (what, operation) in actions(on, kind, &stages, &users, at) {
            scene
                .check(what, (on, key.clone()), on, operation, (0, 1), lost)
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_in_amocrm_has_its_one_effect() {
    use ConnectorKind::{Amocrm, Lptracker};
    every_action_once(Amocrm, Lptracker, RecordKind::Deal, RecordKind::Lead).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_in_lptracker_has_its_one_effect() {
    use ConnectorKind::{Amocrm, Lptracker};
    every_action_once(Lptracker, Amocrm, RecordKind::Lead, RecordKind::Deal).await;
}
