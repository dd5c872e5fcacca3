//! Rules that travel: exports, imports, the gallery of templates.

use crate::rule::RuleView;
use domain::catalogues::Catalogues;
use domain::connection::ConnectorKind;
use domain::rule::Rule as RuleDocument;
use serde::{Deserialize, Serialize};

/// A rule that came from elsewhere.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedRule {
    /// The rule, as a draft that nobody has published.
    pub rule: RuleView,
    /// What could not be found by name in this workspace, in Russian; the places are marked by `diagnostics`.
    pub unbound: Vec<String>,
}

/// A template in the gallery.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateSummary {
    /// Stable word.
    pub id: String,
    /// What it stands among, in Russian.
    pub group: String,
    /// What it does.
    pub title: String,
    /// When it helps.
    pub about: String,
    /// The CRM whose events it looks at.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub source: ConnectorKind,
    /// How many test cases it brings.
    pub n_cases: usize,
}

/// A template with its rule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateView {
    /// What the gallery shows.
    #[serde(flatten)]
    pub summary: TemplateSummary,
    /// The rule, in the names of `catalogues`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub rule: RuleDocument,
    /// The connections of the template, by id, with the names that the rule refers to.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub catalogues: Catalogues,
    /// What of it this workspace lacks and a person would have to choose, in Russian.
    pub unbound: Vec<String>,
}
