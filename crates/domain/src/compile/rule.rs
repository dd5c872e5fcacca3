//! Name, source, triggers and schedule.

use super::Thing;
use super::checker::Checker;
use crate::calendar::Cron;
use crate::connection::ConnectorKind;
use crate::event::EventKind;
use crate::record::RecordKind;
use crate::rule::{Rule, Trigger};

/// Checks everything but condition and actions.
pub(super) fn check(checker: &mut Checker<'_>, rule: &Rule) {
    checker.at("name", |checker| {
        if rule.name.trim().is_empty() {
            checker.error("no_name", "у правила нет названия; придумайте его");
        } else if rule.name.chars().count() > 200 {
            checker.error("too_long", "название длиннее 200 знаков; сократите его");
        }
    });
    if rule.description.chars().count() > 5_000 {
        checker.at("description", |checker| {
            checker.error("too_long", "описание длиннее 5000 знаков; сократите его")
        });
    }
    if rule.quiet_secs > 60 {
        checker.at("quiet_secs", |checker| {
            checker.error(
                "quiet_limit",
                "тишина перед запуском — не больше 60 секунд; уменьшите её",
            );
        });
    }
    let kind = checker.at("source", |checker| {
        checker.refer(rule.source, Thing::Connection);
        let kind = checker
            .catalogues
            .get(rule.source)
            .map(|connection| connection.kind);
        if kind.is_none() {
            checker.error(
                "gone_connection",
                "подключения-источника нет или его каталог ещё не загружен; выберите другое",
            );
        }
        kind
    });
    checker.at("triggers", |checker| {
        if rule.triggers.is_empty() {
            checker.error(
                "no_triggers",
                "не выбрано ни одного события; правило никогда не запустится",
            );
        }
        for (at, trigger) in rule.triggers.iter().enumerate() {
            checker.at(at, |checker| {
                if rule.triggers[..at].contains(trigger) {
                    checker.warn("duplicate_trigger", "это событие выбрано дважды; уберите повтор");
                }
                trigger_checked(checker, rule, trigger, kind);
            });
        }
    });
}

fn trigger_checked(checker: &mut Checker<'_>, rule: &Rule, trigger: &Trigger, kind: Option<ConnectorKind>) {
    if let (Some(home), Some(kind)) = (trigger.kind.home(), kind)
        && home != kind
    {
        checker.at("kind", |checker| {
            checker.error(
                "trigger_source",
                format!(
                    "событие «{}» бывает только в {}, а источник — {}; выберите другое событие или источник",
                    trigger.kind.title(),
                    home.title(),
                    kind.title()
                ),
            );
        });
    }
    let is_timer = trigger.kind == EventKind::Scheduled;
    match &trigger.schedule {
        None if is_timer => checker.error("no_schedule", "не указано, когда запускать; заполните расписание"),
        Some(_) if !is_timer => {
            checker.at("schedule", |checker| {
                checker.warn(
                    "needless_schedule",
                    "расписание действует только для события «По расписанию»; уберите его",
                )
            });
        }
        Some(schedule) => checker.at("schedule", |checker| {
            match &schedule.cron {
                Some(cron) => {
                    if let Err(text) = Cron::parse(cron) {
                        checker.at("cron", |checker| checker.error("cron", text));
                    }
                }
                None if schedule.every_minutes == 0 => checker.at("every_minutes", |checker| {
                    checker.error(
                        "no_schedule",
                        "не указано, как часто запускать; укажите минуты или расписание",
                    );
                }),
                None if schedule.every_minutes > 31 * 24 * 60 => checker.at("every_minutes", |checker| {
                    checker.error(
                        "schedule_limit",
                        "реже раза в месяц запускать нельзя; уменьшите промежуток",
                    );
                }),
                None => {}
            }
            if schedule.idle_days > 3_650 {
                checker.at("idle_days", |checker| {
                    checker.error("schedule_limit", "дольше десяти лет ждать нельзя; уменьшите число дней");
                });
            }
            if schedule.stages.is_empty() && schedule.idle_days == 0 {
                checker.at("stages", |checker| {
                    checker.error(
                        "no_stages",
                        "не выбрано, какие записи искать; выберите этапы или укажите, сколько дней запись не менялась",
                    );
                });
            }
            for (at, stage) in schedule.stages.iter().enumerate() {
                checker.at(format_args!("stages/{at}"), |checker| {
                    checker.stage(rule.source, *stage)
                });
            }
        }),
        None => {}
    }
}

impl EventKind {
    /// The CRM in which it happens; `None` for what both know and for the hub's own events.
    pub const fn home(self) -> Option<ConnectorKind> {
        match self {
            Self::DealCreated
            | Self::DealUpdated
            | Self::DealStageChanged
            | Self::DealResponsibleChanged
            | Self::DealDeleted
            | Self::DealRestored
            | Self::ContactCreated
            | Self::ContactUpdated
            | Self::ContactDeleted
            | Self::CompanyCreated
            | Self::CompanyUpdated
            | Self::CompanyDeleted
            | Self::TaskCreated
            | Self::TaskUpdated
            | Self::TaskCompleted
            | Self::TaskDeleted
            | Self::UnsortedAdded
            | Self::UnsortedAccepted
            | Self::UnsortedDeclined => Some(ConnectorKind::Amocrm),
            Self::LeadCreated
            | Self::LeadUpdated
            | Self::LeadStageChanged
            | Self::LeadOwnerChanged
            | Self::LeadPaymentAdded
            | Self::LeadDeleted => Some(ConnectorKind::Lptracker),
            Self::NoteAdded
            | Self::CallFinished
            | Self::CallResultReceived
            | Self::ImportRowAccepted
            | Self::Scheduled
            | Self::Manual
            | Self::StructureChanged => None,
        }
    }

    /// The record it happens to; `None` where that depends (a timer, a row, a person's start).
    pub const fn record(self) -> Option<RecordKind> {
        match self {
            Self::DealCreated
            | Self::DealUpdated
            | Self::DealStageChanged
            | Self::DealResponsibleChanged
            | Self::DealDeleted
            | Self::DealRestored => Some(RecordKind::Deal),
            Self::ContactCreated | Self::ContactUpdated | Self::ContactDeleted => Some(RecordKind::Contact),
            Self::CompanyCreated | Self::CompanyUpdated | Self::CompanyDeleted => Some(RecordKind::Company),
            Self::NoteAdded => Some(RecordKind::Note),
            Self::TaskCreated | Self::TaskUpdated | Self::TaskCompleted | Self::TaskDeleted => {
                Some(RecordKind::Task)
            }
            Self::UnsortedAdded | Self::UnsortedAccepted | Self::UnsortedDeclined => {
                Some(RecordKind::Unsorted)
            }
            Self::LeadCreated
            | Self::LeadUpdated
            | Self::LeadStageChanged
            | Self::LeadOwnerChanged
            | Self::LeadPaymentAdded
            | Self::LeadDeleted => Some(RecordKind::Lead),
            Self::CallFinished | Self::CallResultReceived => Some(RecordKind::Call),
            Self::StructureChanged => Some(RecordKind::Structure),
            Self::ImportRowAccepted | Self::Scheduled | Self::Manual => None,
        }
    }
}

/// The kinds of records that can be known around an event: itself, what it belongs to, and the counterpart by
/// the stored link. A rule that looks at another one can never be told.
pub const fn known_records(kind: EventKind) -> &'static [RecordKind] {
    use RecordKind as R;
    match kind.record() {
        Some(R::Deal | R::Contact | R::Company | R::Lead) => {
            &[R::Deal, R::Contact, R::Company, R::Lead, R::LeadContact, R::Event]
        }
        Some(R::Task) => &[
            R::Task,
            R::Deal,
            R::Contact,
            R::Company,
            R::Lead,
            R::LeadContact,
            R::Event,
        ],
        Some(R::Note) => &[
            R::Note,
            R::Deal,
            R::Contact,
            R::Company,
            R::Lead,
            R::LeadContact,
            R::Event,
        ],
        Some(R::Unsorted) => &[R::Unsorted, R::Deal, R::Contact, R::Company, R::Event],
        Some(R::Call) => &[
            R::Call,
            R::Deal,
            R::Contact,
            R::Company,
            R::Lead,
            R::LeadContact,
            R::Event,
        ],
        Some(R::Structure) => &[R::Structure, R::Event],
        _ => &RecordKind::ALL,
    }
}
