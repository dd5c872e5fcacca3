//! Intake, dispatch and delivery: the only place with loops.
