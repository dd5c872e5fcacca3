//! What the actions of a rule write, and which events that causes.

use super::state::{Known, Place, State};
use crate::check::is_same;
use crate::command::{IfFound, IfNone, MatchBy, Search, Target, WriteMode};
use crate::compile::{CompiledExpression, CompiledLine, CompiledRule, Work};
use crate::connection::ConnectorKind;
use crate::event::EventKind;
use crate::field::{FieldKey, SystemField};
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::value::{Choice, Value};

/// An event that follows from a write.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    /// Place of the action in the document.
    pub(super) action: usize,
    pub(super) connection: ConnectionId,
    /// The record it happens to.
    pub(super) record: RecordKind,
    pub(super) kind: EventKind,
    /// It follows whatever the records hold.
    pub(super) is_sure: bool,
    /// Fields that certainly changed.
    pub(super) changed: Vec<FieldKey>,
    /// Fields that may have changed.
    pub(super) maybe: Vec<FieldKey>,
    /// Former values, where they are known.
    pub(super) before: Vec<(FieldKey, Value)>,
    /// Its record then has a counterpart.
    pub(super) is_linked: bool,
}

/// What a rule does when it is woken.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    pub(super) happenings: Vec<Happening>,
    /// Every field that is written.
    pub(super) written: Vec<Place>,
}

/// Carries the actions of a rule out over what is known.
pub(super) fn carry_out(rule: &CompiledRule, woken_by: EventKind, state: &mut State) -> Effects {
    let mut worker = Worker {
        rule,
        woken_by,
        state,
        out: Effects::default(),
    };
    for action in &rule.actions {
        if matches!(action.work, Work::Stop { .. }) {
            break;
        }
        if let Some(connection) = action.connection {
            worker.act(action.index, connection, &action.work);
        }
    }
    let Effects {
        mut happenings,
        written,
    } = worker.out;
    // Later writes of the rule may be there already when the event is looked at.
    for happening in &mut happenings {
        let own = |place: &&Place| (place.0, place.1) == (happening.connection, happening.record);
        let more: Vec<FieldKey> = written.iter().filter(own).map(|place| place.2).collect();
        happening.maybe.extend(more);
    }
    Effects { happenings, written }
}

struct Worker<'a> {
    rule: &'a CompiledRule,
    woken_by: EventKind,
    state: &'a mut State,
    out: Effects,
}

/// One field of a write and what became of it.
struct Change {
    key: FieldKey,
    is_sure: bool,
    before: Option<Value>,
}

impl Worker<'_> {
    fn act(&mut self, action: usize, connection: ConnectionId, work: &Work) {
        match work {
            Work::Upsert {
                kind,
                search,
                lines,
                stage,
                responsible,
                tags,
            } => {
                let mut extra = Vec::new();
                extra.extend(stage.map(|stage| (SystemField::Stage, Value::Stage(stage))));
                extra.extend(responsible.map(|user| (SystemField::Responsible, Value::User(user))));
                self.upsert(action, connection, *kind, search, lines, &extra, tags);
            }
            Work::Update { target, kind, lines } => {
                let changes = self.lines(connection, *kind, lines);
                self.tell(action, connection, *kind, &changes, self.linked(*target), true);
            }
            Work::Move { target, stage, .. } => {
                let record = main_record(connection_kind(self.rule, connection));
                let known = Known::Value(Value::Stage(*stage));
                let change = self.write(connection, record, SystemField::Stage.into(), known);
                self.tell(action, connection, record, &change, self.linked(*target), true);
            }
            Work::SetResponsible { target, user } => {
                let record = self.record_of(*target, connection);
                let scope = self.rule.scope();
                if let Some(known) = self.state.evaluated(user, &[], false, scope) {
                    let change = self.write(connection, record, SystemField::Responsible.into(), known);
                    self.tell(action, connection, record, &change, self.linked(*target), true);
                }
            }
            Work::ChangeTags { target, add, remove } => {
                let record = self.record_of(*target, connection);
                let mut changes = Vec::new();
                for (list, present) in [(add, true), (remove, false)] {
                    for tag in list {
                        changes.extend(self.tag(connection, record, &tag_of(tag), present));
                    }
                }
                self.tell(action, connection, record, &changes, self.linked(*target), true);
            }
            Work::AddNote { target, text } => {
                let is_sure = is_never_blank(text);
                if connection_kind(self.rule, connection) == Some(ConnectorKind::Amocrm) {
                    self.add(action, connection, EventKind::NoteAdded, is_sure, *target);
                }
            }
            Work::AddTask { target, text, .. } => {
                self.add(
                    action,
                    connection,
                    EventKind::TaskCreated,
                    is_never_blank(text),
                    *target,
                );
            }
            Work::LogCall { target, .. } => {
                self.add(action, connection, EventKind::NoteAdded, false, *target);
            }
            Work::AddPayment { target, .. } => {
                self.add(action, connection, EventKind::LeadPaymentAdded, false, *target);
                self.add(action, connection, EventKind::LeadUpdated, false, *target);
            }
            Work::StartCall { target } => {
                self.add(action, connection, EventKind::CallFinished, false, *target);
            }
            // These stay in the hub or leave it for good.
            Work::SaveCallResult { .. }
            | Work::SendWebhook { .. }
            | Work::Notify { .. }
            | Work::Stop { .. } => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one card")]
    fn upsert(
        &mut self,
        action: usize,
        connection: ConnectionId,
        kind: RecordKind,
        search: &Search,
        lines: &[CompiledLine],
        extra: &[(SystemField, Value)],
        tags: &[Choice],
    ) {
        let by_link = search.order.contains(&MatchBy::Link);
        let may_create = search.if_none == IfNone::Create && !(by_link && self.state.is_linked);
        let surely_creates = may_create && search.order.is_empty();
        let contact = if kind == RecordKind::Deal {
            RecordKind::Contact
        } else {
            RecordKind::LeadContact
        };
        // What is compared is the record that is there; what is known afterwards may be of a new one.
        let before = self.state.clone();
        let updates = surely_creates || search.if_found == IfFound::Update;
        let mut own = self.lines(connection, kind, lines);
        for (field, value) in extra {
            own.extend(self.write(connection, kind, (*field).into(), Known::Value(value.clone())));
        }
        for tag in tags {
            own.extend(self.tag(connection, kind, &tag.name, true));
        }
        let theirs = self.lines(connection, contact, lines);
        if may_create {
            let written = self.state.clone();
            for record in [kind, contact] {
                self.state.forget(connection, record);
            }
            if updates {
                for place in self.out.written.clone() {
                    if let Some(known) = written.get(place) {
                        self.state.set(place, known.clone());
                    }
                }
            }
            let created = if kind == RecordKind::Deal {
                EventKind::DealCreated
            } else {
                EventKind::LeadCreated
            };
            self.created(action, connection, kind, created, surely_creates);
            if kind == RecordKind::Deal && !lines.iter().all(|line| line.target.record == kind) {
                self.created(
                    action,
                    connection,
                    RecordKind::Contact,
                    EventKind::ContactCreated,
                    false,
                );
            }
        }
        if !surely_creates && search.if_found == IfFound::Update {
            let is_certain = !may_create;
            self.tell(action, connection, kind, &own, true, is_certain);
            self.tell(action, connection, contact, &theirs, true, is_certain);
        } else if !may_create {
            // It is only linked.
            let is_linked = self.state.is_linked;
            *self.state = before;
            self.state.is_linked = is_linked;
        }
    }

    fn created(
        &mut self,
        action: usize,
        connection: ConnectionId,
        record: RecordKind,
        kind: EventKind,
        is_sure: bool,
    ) {
        self.out.happenings.push(Happening {
            action,
            connection,
            record,
            kind,
            is_sure,
            changed: Vec::new(),
            maybe: Vec::new(),
            before: Vec::new(),
            is_linked: true,
        });
    }

    /// Something that is added to a record: it happens every time.
    fn add(
        &mut self,
        action: usize,
        connection: ConnectionId,
        kind: EventKind,
        is_sure: bool,
        target: Target,
    ) {
        let record = kind.record().unwrap_or(RecordKind::Note);
        let is_linked = self.linked(target);
        self.out.happenings.push(Happening {
            action,
            connection,
            record,
            kind,
            is_sure,
            changed: Vec::new(),
            maybe: Vec::new(),
            before: Vec::new(),
            is_linked,
        });
    }

    fn linked(&self, target: Target) -> bool {
        target == Target::Linked || self.state.is_linked
    }

    /// The record that an action without mapping works on.
    fn record_of(&self, target: Target, connection: ConnectionId) -> RecordKind {
        match (target, self.woken_by.record()) {
            (Target::Trigger, Some(record @ (RecordKind::Contact | RecordKind::Company))) => record,
            _ => main_record(connection_kind(self.rule, connection)),
        }
    }

    /// The lines that write into one kind of record.
    fn lines(&mut self, connection: ConnectionId, record: RecordKind, lines: &[CompiledLine]) -> Vec<Change> {
        let mut changes = Vec::new();
        for line in lines.iter().filter(|line| line.target.record == record) {
            let place = (connection, record, line.target.key);
            let known = self.state.value_of(line, self.rule.scope());
            self.out.written.push(place);
            let Some(known) = known else { continue };
            let old = self.state.get(place).cloned();
            match line.mode {
                WriteMode::Replace => changes.extend(self.write(connection, record, place.2, known)),
                WriteMode::FillEmpty => {
                    if old.as_ref().is_some_and(|old| self.state.is_filled(old)) {
                        continue;
                    }
                    let is_sure = old == Some(Known::Value(Value::Empty)) && self.state.is_filled(&known);
                    self.state.fill(place);
                    changes.push(Change {
                        key: place.2,
                        is_sure,
                        before: is_sure.then_some(Value::Empty),
                    });
                }
                WriteMode::Append => {
                    if self.state.part(place, format!("{known:?}"), true) {
                        changes.push(unsure(place.2));
                    }
                }
            }
        }
        changes
    }

    /// Writes one field; nothing when it holds that already.
    fn write(
        &mut self,
        connection: ConnectionId,
        record: RecordKind,
        key: FieldKey,
        known: Known,
    ) -> Option<Change> {
        let place = (connection, record, key);
        self.out.written.push(place);
        let change = match (self.state.get(place), &known) {
            (Some(Known::Value(old)), Known::Value(new)) if is_same(old, new) => return None,
            (Some(old), new) if old == new => return None,
            (Some(Known::Value(old)), Known::Value(_)) => Change {
                key,
                is_sure: true,
                before: Some(old.clone()),
            },
            _ => unsure(key),
        };
        self.state.set(place, known);
        Some(change)
    }

    fn tag(
        &mut self,
        connection: ConnectionId,
        record: RecordKind,
        tag: &str,
        present: bool,
    ) -> Option<Change> {
        let key = FieldKey::from(SystemField::Tags);
        self.out.written.push((connection, record, key));
        self.state
            .part((connection, record, key), tag.to_lowercase(), present)
            .then(|| unsure(key))
    }

    /// The events of a changed record.
    fn tell(
        &mut self,
        action: usize,
        connection: ConnectionId,
        record: RecordKind,
        changes: impl IntoChanges,
        is_linked: bool,
        is_certain: bool,
    ) {
        let changes = changes.list();
        if changes.is_empty() {
            return;
        }
        let keys = |sure: bool| -> Vec<FieldKey> {
            changes
                .iter()
                .filter(|change| change.is_sure == sure)
                .map(|change| change.key)
                .collect()
        };
        let of = |field: SystemField| changes.iter().find(|change| change.key == field.into());
        let any_sure = changes.iter().any(|change| change.is_sure);
        let mut kinds = Vec::new();
        let (moved, given) = match record {
            RecordKind::Deal => (EventKind::DealStageChanged, EventKind::DealResponsibleChanged),
            _ => (EventKind::LeadStageChanged, EventKind::LeadOwnerChanged),
        };
        if matches!(record, RecordKind::Deal | RecordKind::Lead) {
            kinds.extend(of(SystemField::Stage).map(|change| (moved, change.is_sure)));
            kinds.extend(of(SystemField::Responsible).map(|change| (given, change.is_sure)));
        }
        // LPTracker tells a moved lead by its step alone, or twice; its contact possibly not at all.
        let is_told = match record {
            RecordKind::Lead => kinds.is_empty(),
            RecordKind::LeadContact => false,
            _ => true,
        };
        kinds.extend(updated(record).map(|kind| (kind, any_sure && is_told)));
        let record = if record == RecordKind::LeadContact {
            RecordKind::Lead
        } else {
            record
        };
        for (kind, is_sure) in kinds {
            self.out.happenings.push(Happening {
                action,
                connection,
                record,
                kind,
                is_sure: is_sure && is_certain,
                changed: if is_certain { keys(true) } else { Vec::new() },
                maybe: if is_certain {
                    keys(false)
                } else {
                    changes.iter().map(|change| change.key).collect()
                },
                before: changes
                    .iter()
                    .filter_map(|change| Some((change.key, change.before.clone()?)))
                    .collect(),
                is_linked,
            });
        }
    }
}

/// One change or several.
trait IntoChanges {
    fn list(&self) -> &[Change];
}

impl IntoChanges for &Vec<Change> {
    fn list(&self) -> &[Change] {
        self
    }
}

impl IntoChanges for &Option<Change> {
    fn list(&self) -> &[Change] {
        self.as_slice()
    }
}

const fn unsure(key: FieldKey) -> Change {
    Change {
        key,
        is_sure: false,
        before: None,
    }
}

const fn updated(record: RecordKind) -> Option<EventKind> {
    Some(match record {
        RecordKind::Deal => EventKind::DealUpdated,
        RecordKind::Contact => EventKind::ContactUpdated,
        RecordKind::Company => EventKind::CompanyUpdated,
        RecordKind::Lead | RecordKind::LeadContact => EventKind::LeadUpdated,
        _ => return None,
    })
}

/// The CRM of a connection, as far as the rule speaks of it.
pub(super) fn connection_kind(rule: &CompiledRule, connection: ConnectionId) -> Option<ConnectorKind> {
    [ConnectorKind::Amocrm, ConnectorKind::Lptracker]
        .into_iter()
        .find(|kind| rule.scope().side(*kind).is_some_and(|(id, _)| id == connection))
}

const fn main_record(kind: Option<ConnectorKind>) -> RecordKind {
    match kind {
        Some(ConnectorKind::Lptracker) => RecordKind::Lead,
        _ => RecordKind::Deal,
    }
}

fn tag_of(expression: &CompiledExpression) -> String {
    match expression {
        CompiledExpression::Constant(Value::Text(text)) => text.clone(),
        CompiledExpression::Constant(Value::Choice(choice)) => choice.name.clone(),
        other => format!("{other:?}"),
    }
}

fn is_never_blank(text: &CompiledExpression) -> bool {
    match text {
        CompiledExpression::Constant(value) => !value.is_empty(),
        CompiledExpression::Template(template) => template.is_never_blank(),
        _ => false,
    }
}
