//! The integrator binary: configuration, HTTP, sessions, static files, wiring.
