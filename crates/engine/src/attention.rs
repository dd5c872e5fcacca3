//! Published rules that refer to something their CRM no longer has.

use crate::dispatcher::alarm;
use crate::error::EngineError;
use crate::rulebook;
use domain::compile::compile;
use domain::id::WorkspaceId;
use std::collections::HashMap;
use storage::{Conn, published, rules};

/// Texts named at most; the editor shows all of them.
const MAX_TEXTS: usize = 3;

/// Compiles the published rules of a workspace against its catalogues as they are now, and stores for each what
/// is gone; what has come back is taken away. Part of the transaction that stored a catalogue.
pub(crate) async fn mark(conn: &impl Conn, workspace: WorkspaceId) -> Result<(), EngineError> {
    let known: HashMap<_, _> = rules::list(conn, workspace)
        .await?
        .into_iter()
        .map(|rule| (rule.id, rule.attention))
        .collect();
    let catalogues = rulebook::catalogues(conn, workspace).await?;
    // One that does not parse is told by whoever carries rules out.
    for rule in published::published(conn, workspace).await?.into_iter().flatten() {
        let (_, diagnostics) = compile(&rule.document, &catalogues);
        let mut texts: Vec<String> = Vec::new();
        for gone in diagnostics.into_iter().filter(|found| found.is_gone()) {
            if !texts.contains(&gone.text) {
                texts.push(gone.text);
            }
        }
        let more = texts.len().saturating_sub(MAX_TEXTS);
        texts.truncate(MAX_TEXTS);
        let mut text = texts.join("; ");
        if more > 0 {
            text.push_str(&format!(" и ещё {more}"));
        }
        let attention = (!text.is_empty()).then_some(text);
        let known = known.get(&rule.rule);
        // A loop that was stopped is told until the rule is published anew.
        let is_loop = known.is_some_and(|known| known.as_deref().is_some_and(alarm::is_loop));
        if known != Some(&attention) && !(is_loop && attention.is_none()) {
            rules::set_attention(conn, workspace, rule.rule, attention.as_deref()).await?;
        }
    }
    Ok(())
}
