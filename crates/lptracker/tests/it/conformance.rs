//! What every connector promises the engine.

connector::conformance_suite!(crate::harness::fresh);
