//! Fake amoCRM and fake LPTracker with faults and a journal.
