//! The rule constructor. What decides is plain: [`draft`] (the state machine), [`tree`] (pointers), [`operands`]
//! (right sides of comparisons), [`choices`] (what pickers offer), [`forms`] (fields of action cards),
//! [`complete`] (places in templates), [`marks`] (an evaluation laid over the tree).

pub mod choices;
pub mod complete;
pub mod draft;
pub mod forms;
pub mod marks;
pub mod operands;
pub mod tree;

#[cfg(target_arch = "wasm32")]
mod keep;
#[cfg(target_arch = "wasm32")]
pub(crate) mod view;
