//! The ready rule that carries results into amoCRM: status, field and a note of the call with its recording.

use domain::action::{Action, ActionCard};
use domain::command::{Target, WriteMode};
use domain::condition::{Alike, Compare, Condition, Operand, Operator};
use domain::event::EventKind;
use domain::field::{FieldKey, FieldPath, SystemField};
use domain::id::ConnectionId;
use domain::mapping::{Expression, IfEmpty, MappingLine};
use domain::record::RecordKind;
use domain::rule::{Rule, Trigger};
use domain::value::{Choice, Stage, Value};

/// What the ready rule is to do.
#[derive(Clone, PartialEq, Debug)]
pub struct ReadyRule {
    /// Whose calls.
    pub source: ConnectionId,
    /// The amoCRM account of the deals.
    pub amocrm: ConnectionId,
    /// With one of these results; with any when empty.
    pub results: Vec<String>,
    /// The status that the deal is moved to.
    pub stage: Option<Stage>,
    /// The field of the deal that gets the result.
    pub field: Option<FieldKey>,
}

impl ReadyRule {
    /// The rule as it stands in the editor.
    pub fn document(&self) -> Rule {
        let target = Target::Linked;
        let result = FieldPath::now(RecordKind::Call, SystemField::Result);
        let moved = self.stage.map(|stage| Action::Move {
            target,
            stage,
            loss_reason: None,
        });
        let written = self.field.map(|field| Action::Update {
            target,
            mapping: vec![MappingLine {
                record: RecordKind::Deal,
                field,
                from: Expression::Field(result),
                convert: Vec::new(),
                mode: WriteMode::Replace,
                if_empty: IfEmpty::Leave,
            }],
        });
        let noted = Action::LogCall {
            target,
            phone: None,
            duration: None,
            recording: None,
            result: None,
        };
        let actions = moved.into_iter().chain(written).chain([noted]);
        let name = if self.results.is_empty() {
            "Результат прозвона → сделка в amoCRM".to_owned()
        } else {
            format!("Результат «{}» → сделка в amoCRM", self.results.join("», «"))
        };
        Rule {
            name: name.chars().take(150).collect(),
            description:
                "Записывает результат прозвона в связанную сделку: этап, поле и звонок с записью разговора"
                    .to_owned(),
            source: self.source,
            triggers: vec![Trigger::on(EventKind::CallResultReceived)],
            condition: Condition::Compare(Compare {
                field: result,
                operator: if self.results.is_empty() {
                    Operator::IsNotEmpty
                } else {
                    Operator::In
                },
                with: if self.results.is_empty() {
                    Operand::None
                } else {
                    let choice = |word: &String| Value::Choice(Choice::named(word.as_str()));
                    Operand::Values(self.results.iter().map(choice).collect())
                },
                alike: Alike::default(),
            }),
            actions: actions
                .map(|action| ActionCard {
                    connection: Some(self.amocrm),
                    enabled: true,
                    action,
                })
                .collect(),
            stop: false,
            quiet_secs: 0,
        }
    }
}
