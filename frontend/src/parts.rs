//! Pieces that several pages share: a rule in words, reasons, commands, deliveries, records.

mod command;
mod connection_card;
mod delivery;
mod exchange;
mod fact;
mod link;
mod reason;
mod record;
mod rule;
mod rule_stop;

pub use command::CommandView;
pub use connection_card::ConnectionCard;
pub use delivery::{DeliveryActions, DeliveryStory};
pub use fact::FactView;
pub use link::LinkRow;
pub use reason::ReasonView;
pub use record::{NamedRecord, RecordLink, RecordRow};
pub use rule::{DiagnosticList, RuleText, rule_in_names};
pub use rule_stop::RuleStop;
