//! The port that any CRM must offer: calls, errors, throttling, intake.
