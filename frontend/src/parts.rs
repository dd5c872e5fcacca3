//! Pieces that several pages share: a rule in words, reasons, commands, deliveries, records.

mod command;
mod connection_card;
mod delivery;
mod exchange;
mod fact;
mod reason;
mod record;
mod rule;

pub use command::CommandView;
pub use connection_card::ConnectionCard;
pub use delivery::{DeliveryActions, DeliveryStory};
pub use fact::FactView;
pub use reason::ReasonView;
pub use record::{RecordLink, RecordRow};
pub use rule::{DiagnosticList, RuleText, rule_in_names};
