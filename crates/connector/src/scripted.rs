//! A connector that answers from a list, for tests of the engine.
