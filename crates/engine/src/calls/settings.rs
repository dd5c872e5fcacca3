//! How steps and dispositions become results in a workspace.

use crate::error::EngineError;
use domain::id::WorkspaceId;
use domain::value::Stage;
use serde::{Deserialize, Serialize};
use storage::{Conn, StorageError};

/// A step whose calls have a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResultOf<T> {
    /// The step or disposition.
    pub from: T,
    /// The result.
    pub result: String,
}

/// How calls become results.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallSettings {
    /// Words of results, in the order of the lists.
    pub results: Vec<String>,
    /// Steps: a lead that is put there gives its last call this result.
    pub steps: Vec<ResultOf<Stage>>,
    /// Dispositions of the exchange, compared without case and blanks.
    pub dispositions: Vec<ResultOf<String>>,
}

impl Default for CallSettings {
    /// The six results of the first version; Asterisk's words for calls that nobody took.
    fn default() -> Self {
        let six = [
            "Заинтересован",
            "Не интересует",
            "Не отвечает",
            "Недозвон",
            "Отказ",
            "Перезвонить позже",
        ];
        let words = [
            ("NOANSWER", "Не отвечает"),
            ("BUSY", "Недозвон"),
            ("CANCEL", "Недозвон"),
            ("FAILED", "Недозвон"),
            ("CONGESTION", "Недозвон"),
            ("CHANUNAVAIL", "Недозвон"),
        ];
        Self {
            results: six.map(str::to_owned).to_vec(),
            steps: Vec::new(),
            dispositions: words
                .map(|(from, result)| ResultOf {
                    from: from.to_owned(),
                    result: result.to_owned(),
                })
                .to_vec(),
        }
    }
}

impl CallSettings {
    /// The result of a step.
    pub fn of_step(&self, stage: Stage) -> Option<&str> {
        let found = self.steps.iter().find(|step| step.from == stage)?;
        Some(&found.result)
    }

    /// The result of a disposition.
    pub fn of_disposition(&self, word: &str) -> Option<&str> {
        let found = self
            .dispositions
            .iter()
            .find(|it| plain(&it.from) == plain(word))?;
        Some(&found.result)
    }

    /// Every result named is one of the list.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let wrong = |pointer, text: String| Err(EngineError::Invalid { pointer, text });
        if self.results.is_empty() || self.results.len() > 50 {
            return wrong(
                "/results",
                "Нужен хотя бы один результат и не больше 50".to_owned(),
            );
        }
        for (at, word) in self.results.iter().enumerate() {
            if word.trim() != word || word.is_empty() || word.chars().count() > 60 {
                return wrong(
                    "/results",
                    format!("Результат «{word}»: от 1 до 60 символов без пробелов по краям"),
                );
            }
            if self.results[..at].contains(word) {
                return wrong("/results", format!("Результат «{word}» указан дважды"));
            }
        }
        let steps = self.steps.iter().map(|it| ("/steps", &it.result));
        let words = self.dispositions.iter().map(|it| ("/dispositions", &it.result));
        for (pointer, result) in steps.chain(words) {
            if !self.results.contains(result) {
                return wrong(pointer, format!("Результата «{result}» нет в списке результатов"));
            }
        }
        Ok(())
    }
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

/// The settings of a workspace.
pub(crate) async fn settings(conn: &impl Conn, workspace: WorkspaceId) -> Result<CallSettings, StorageError> {
    let stored = storage::call_settings::find(conn, workspace).await?;
    Ok(stored.unwrap_or_default())
}
