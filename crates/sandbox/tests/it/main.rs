//! The sandbox against both fidelity checklists.

mod skeleton;
