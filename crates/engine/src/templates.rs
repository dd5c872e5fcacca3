//! The gallery: rules to begin with, each with test cases. They are data files; adding one is adding its name here.

use domain::portable::Portable;
use serde::Deserialize;
use std::sync::LazyLock;

#[cfg(test)]
mod tests;

/// A rule to begin with.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    /// Stable word.
    pub id: &'static str,
    /// What it stands among in the gallery, in Russian.
    pub group: String,
    /// What it does, in a few Russian words.
    pub title: String,
    /// When it helps, in Russian.
    pub about: String,
    /// The rule with its names and cases.
    pub document: Portable,
}

#[derive(Deserialize)]
struct File {
    group: String,
    title: String,
    about: String,
    document: Portable,
}

macro_rules! files {
    ($($id:literal,)*) => {
        &[$(($id, include_str!(concat!("../templates/", $id, ".json")))),*]
    };
}

/// In the order of the gallery.
const FILES: &[(&str, &str)] = files![
    "deal-to-calls",
    "new-deal-to-calls",
    "big-deal-to-calls",
    "site-deal-to-calls",
    "working-hours-to-calls",
    "off-hours-task",
    "lead-to-deal",
    "interested-to-deal",
    "refused-to-deal",
    "callback-task",
    "step-to-field",
    "payment-to-deal",
    "won-to-lead",
    "lost-to-lead",
    "deleted-deal-comment",
    "call-to-deal",
    "missed-call-task",
    "short-call-note",
    "note-to-lead",
    "comment-to-deal",
    "task-done-to-lead",
    "contact-to-lead",
    "budget-to-lead",
    "responsible-to-lead",
    "no-phone-task",
    "foreign-phone-tag",
    "decision-reminder",
    "stepped-back-note",
    "idle-deal-task",
    "stale-lead-comment",
];

static ALL: LazyLock<Vec<Template>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(id, text)| {
            let file: File = serde_json::from_str(text).expect("every file of the gallery is read by a test");
            Template {
                id,
                group: file.group,
                title: file.title,
                about: file.about,
                document: file.document,
            }
        })
        .collect()
});

/// Every template in the order of the gallery.
pub fn all() -> &'static [Template] {
    &ALL
}

/// The template with this word.
pub fn find(id: &str) -> Option<&'static Template> {
    ALL.iter().find(|template| template.id == id)
}
