//! Which connection an action works on.

use crate::action::{Action, ActionCard};
use crate::command::Target;
use crate::compile::Thing;
use crate::compile::checker::Checker;
use crate::connection::ConnectorKind;
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::rule::Rule;

/// Where an action works.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) connection: Option<ConnectionId>,
    pub(super) kind: Option<ConnectorKind>,
}

/// The connection an action works on: the source for «эта запись», the other one for «связанная».
pub(super) fn place(checker: &mut Checker<'_>, rule: &Rule, card: &ActionCard) -> Place {
    let source = checker.scope.source();
    let wanted = match &card.action {
        Action::Upsert {
            kind: RecordKind::Deal,
            ..
        } => Some(ConnectorKind::Amocrm),
        Action::Upsert {
            kind: RecordKind::Lead,
            ..
        } => Some(ConnectorKind::Lptracker),
        Action::Upsert { .. } => {
            checker.at("kind", |checker| {
                checker.error(
                    "wrong_record",
                    "найти или создать можно сделку или лид; выберите одно из двух",
                );
            });
            None
        }
        action => match action.target() {
            None => {
                return Place {
                    connection: None,
                    kind: None,
                };
            }
            Some(Target::Trigger) => {
                if card
                    .connection
                    .is_some_and(|connection| connection != rule.source)
                {
                    checker.at("connection", |checker| {
                        checker.error("target_connection", "сама запись события живёт в подключении-источнике; выберите его или «связанную запись»");
                    });
                }
                if source.is_some() {
                    checker.refer(rule.source, Thing::Connection);
                }
                return Place {
                    connection: source.map(|_| rule.source),
                    kind: source,
                };
            }
            Some(Target::Linked) => source.map(|kind| match kind {
                ConnectorKind::Amocrm => ConnectorKind::Lptracker,
                ConnectorKind::Lptracker => ConnectorKind::Amocrm,
            }),
        },
    };
    let Some(wanted) = wanted else {
        return Place {
            connection: None,
            kind: None,
        };
    };
    let none = Place {
        connection: None,
        kind: Some(wanted),
    };
    let Some(connection) = card
        .connection
        .or_else(|| checker.scope.side(wanted).map(|(id, _)| id))
    else {
        checker.at("connection", |checker| {
            checker.error(
                "no_connection",
                format!(
                    "не выбрано подключение {}; выберите его или подключите на странице «Подключения»",
                    wanted.title()
                ),
            );
        });
        return none;
    };
    checker.at("connection", |checker| {
        checker.refer(connection, Thing::Connection);
        match checker.catalogues.get(connection).map(|one| one.kind) {
            None => {
                checker.error(
                    "gone_connection",
                    "этого подключения нет или его каталог ещё не загружен; выберите другое",
                );
                none
            }
            Some(kind) if kind != wanted => {
                checker.error(
                    "target_connection",
                    format!(
                        "действию нужно подключение {}, а выбрано {}; выберите другое",
                        wanted.title(),
                        kind.title()
                    ),
                );
                none
            }
            Some(kind) => Place {
                connection: Some(connection),
                kind: Some(kind),
            },
        }
    })
}
