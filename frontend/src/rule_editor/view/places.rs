//! Who follows which place of the document: a letter typed at one place must not wake the sixty others.

use std::collections::HashMap;

use leptos::prelude::*;

use crate::rule_editor::draft::Touched;

/// The followed places of a document. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Followers(StoredValue<HashMap<String, ArcTrigger>>);

impl Followers {
    /// Nobody follows anything yet.
    pub fn new() -> Self {
        Self(StoredValue::new(HashMap::new()))
    }

    /// Whoever reads now is told when something changes at a place, above it or below it.
    pub fn follow(self, pointer: &str) {
        let known = self.0.try_with_value(|all| all.get(pointer).cloned()).flatten();
        let trigger = known.unwrap_or_else(|| {
            let made = ArcTrigger::new();
            self.0
                .try_update_value(|all| all.insert(pointer.to_owned(), made.clone()));
            made
        });
        trigger.track();
    }

    /// Tells those whom a change concerns.
    pub fn tell(self, touched: &Touched) {
        let concerned = self.0.try_with_value(|all| {
            let hit = all.iter().filter(|(pointer, _)| touched.concerns(pointer));
            hit.map(|(_, trigger)| trigger.clone()).collect::<Vec<_>>()
        });
        // Outside the look at the list: whoever is told may begin to follow another place.
        for trigger in concerned.unwrap_or_default() {
            trigger.notify();
        }
    }
}
