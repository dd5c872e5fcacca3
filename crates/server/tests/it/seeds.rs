//! One row of everything, for tests that only want something to be there.

use crate::harness::TestApp;
use domain::command::{Command, Operation, Target};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::id::{
    ApiKeyId, CallResultId, ConnectionId, DeliveryId, EventId, ImportId, InvitationId, LinkId, RuleId,
    RuleVersionId, RunId, SweepId, TestCaseId, UserId,
};
use domain::record::{Record, RecordKey, RecordKind};
use domain::rule::{Rule, Trigger};
use engine::connections::NewConnection;
use engine::rules::Consent;
use engine::{Secret, new_id};
use serde_json::json;
use storage::accounts::{self, Role, User, Workspace};
use storage::audit::Actor;
use storage::deliveries::Delivery;
use storage::events::NewEvent;
use storage::invitations::{self, Invitation};
use storage::links::Link;

/// Ids of what was made.
pub struct Seeds {
    pub connection: ConnectionId,
    pub rule: RuleId,
    pub version: RuleVersionId,
    pub row_version: i64,
    pub case: TestCaseId,
    pub sweep: SweepId,
    pub event: EventId,
    pub delivery: DeliveryId,
    pub link: LinkId,
    pub api_key: ApiKeyId,
    pub import: ImportId,
    pub call: CallResultId,
    pub user: UserId,
    pub invitation: InvitationId,
}

/// A rule that compiles without any catalogue: it matches every deal that changes and does nothing.
pub fn rule(source: ConnectionId) -> Rule {
    Rule {
        name: "Правило".to_owned(),
        description: String::new(),
        source,
        triggers: vec![Trigger::on(EventKind::DealUpdated)],
        condition: domain::condition::Condition::default(),
        actions: vec![domain::action::ActionCard {
            connection: None,
            enabled: true,
            action: domain::action::Action::Stop {
                reason: "только для проверки".to_owned(),
            },
        }],
        stop: false,
        quiet_secs: 0,
    }
}

/// A test case that the rule meets.
pub fn case_form() -> serde_json::Value {
    json!({
        "name": "любая сделка",
        "facts": { "kind": "deal_updated", "key": { "kind": "deal", "id": "5" }, "records": [], "now": 1_764_000_000_000_i64 },
        "expected": { "matches": true },
    })
}

/// Makes one of everything in a workspace.
pub async fn seed(app: &TestApp, workspace: &Workspace) -> Seeds {
    let engine = app.engine();
    let db = engine.db();
    let now = engine.clock().now();
    let new = NewConnection {
        kind: ConnectorKind::Amocrm,
        name: "amoCRM".to_owned(),
        // Nobody listens there, and it is not allowed: no test reaches anybody by accident.
        settings: json!({ "base_url": "http://127.0.0.1:9/", "client_id": null }),
        secret: Some(Secret::Token {
            access: "token".to_owned(),
        }),
        expires_at: None,
    };
    let connection = engine
        .connections()
        .create(workspace.id, &Actor::system(), new)
        .await
        .unwrap()
        .id;
    // A rule may only be published against a catalogue that has been read.
    let catalogue = domain::catalogue::Catalogue {
        read_at: now,
        ..domain::catalogue::Catalogue::default()
    };
    storage::connections::set_catalogue(db, workspace.id, connection, &catalogue, None)
        .await
        .unwrap();
    let actor = Actor::system();
    let made = engine
        .rules()
        .create(workspace.id, &actor, &rule(connection))
        .await
        .unwrap();
    let published = engine
        .rules()
        .publish(workspace.id, &actor, made.id, made.version, Consent::Withheld)
        .await
        .unwrap();
    let case = serde_json::from_value(case_form()).unwrap();
    let case = engine
        .rules()
        .add_case(workspace.id, &actor, made.id, &case)
        .await
        .unwrap()
        .id;
    let replay = engine::sweeps::EventsChosen::default();
    let sweep = engine
        .sweeps()
        .replay(workspace.id, &actor, replay)
        .await
        .unwrap()
        .id;
    let event = EventId(new_id());
    let key = RecordKey::new(RecordKind::Deal, 5);
    let fact = Fact {
        kind: EventKind::DealUpdated,
        key: key.clone(),
        occurred_at: None,
        record: Record::new(RecordKind::Deal, 5),
        related: Vec::new(),
        before: Vec::new(),
        changed: None,
        author: None,
        dedupe: event.to_string(),
    };
    let new = NewEvent {
        event: Event {
            id: event,
            workspace: workspace.id,
            connection,
            origin: Origin::Webhook,
            received_at: now,
            chain: 0,
            fact,
        },
        key: event.to_string(),
        inbound: None,
        replay_of: None,
        only_rule: None,
        as_then: false,
        due_at: now,
    };
    storage::events::insert(db, &[new]).await.unwrap();
    let delivery = DeliveryId(new_id());
    let dead = Delivery {
        workspace: workspace.id,
        id: delivery,
        run: RunId(new_id()),
        event,
        rule: made.id,
        connection: Some(connection),
        lane: delivery.to_string(),
        command: Command {
            action: 0,
            connection: Some(connection),
            operation: Operation::AddNote {
                target: Target::Trigger,
                text: "текст".to_owned(),
            },
        },
        state: DeliveryState::Dead,
        progress: json!({}),
        record: Some(key),
        error_code: None,
        error: None,
        replay_of: None,
        chain: 0,
        n_attempts: 1,
        created_at: now,
        first_at: None,
        due_at: now,
        finished_at: None,
    };
    storage::deliveries::insert(db, &[dead]).await.unwrap();
    let link = LinkId(new_id());
    let pair = Link {
        workspace: workspace.id,
        id: link,
        amocrm: connection,
        lptracker: connection,
        deal: Some(link.to_string().as_str().into()),
        contact: None,
        lead: Some(link.to_string().as_str().into()),
        lead_contact: None,
        lane: link.to_string(),
        created_at: now,
        updated_at: now,
    };
    storage::links::save(db, &pair).await.unwrap();
    let wanted = engine::accounts::NewApiKey {
        name: "ключ".to_owned(),
        scopes: vec!["read".to_owned()],
        expires_in_days: None,
    };
    let (api_key, _) = engine
        .accounts()
        .create_api_key(workspace.id, &actor, wanted)
        .await
        .unwrap();
    let calls = engine.calls();
    let heard = engine::calls::Heard {
        connection,
        key: None,
        at: now,
        phone: Some("+79991234567".to_owned()),
        contact: None,
        result: None,
        duration: None,
        direction: None,
        disposition: None,
        comment: None,
        operator: None,
        // Nobody may be asked for it.
        recording: Some("https://recordings.example/1.mp3".to_owned()),
        source: "manual",
        lead: None,
        chain: 0,
    };
    let call = calls.add(workspace.id, heard).await.unwrap().result.id;
    let path = engine.imports().upload_path().await.unwrap();
    std::fs::write(&path, "Телефон\n+79991234567\n").unwrap();
    let imports = engine.imports();
    let import = imports
        .begin(workspace.id, "клиенты.csv", &path)
        .await
        .unwrap()
        .id;
    let user = UserId(new_id());
    let person = User {
        id: user,
        email: format!("{user}@example.ru"),
        name: "Участник".to_owned(),
        password_hash: None,
        is_superuser: false,
        disabled_at: None,
        created_at: now,
    };
    accounts::insert_user(db, &person).await.unwrap();
    accounts::insert_membership(db, workspace.id, user, Role::Viewer, now)
        .await
        .unwrap();
    let invitation = Invitation {
        id: new_id(),
        into: Some((workspace.id, Role::Viewer)),
        email: "invited@example.ru".to_owned(),
        invited_by: None,
        created_at: now,
        expires_at: now.plus_ms(1_000_000),
    };
    invitations::insert(db, &invitation, &invitation.id.to_string())
        .await
        .unwrap();
    Seeds {
        user,
        invitation: InvitationId(invitation.id),
        connection,
        rule: made.id,
        version: published.published.expect("a version in force").id,
        row_version: published.version,
        case,
        sweep,
        event,
        delivery,
        link,
        api_key: api_key.id,
        import,
        call,
    }
}
