//! Lists in HAL: items under `_embedded`, more of them behind `_links.next`.

use crate::wire::tolerant;
use connector::ConnectorError;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// Most items a page may have.
pub const PER_PAGE: u32 = 250;

/// Reads one object.
pub fn object<T: DeserializeOwned>(json: Json) -> Result<T, ConnectorError> {
    serde_json::from_value(json).map_err(|error| ConnectorError::Protocol {
        message: error.to_string(),
    })
}

/// Reads the items of a list; an answer without `_embedded` is an empty list.
pub fn list<T: DeserializeOwned>(json: &Json, key: &str) -> Result<Vec<T>, ConnectorError> {
    let items = json
        .get("_embedded")
        .and_then(|embedded| embedded.get(key))
        .cloned();
    tolerant::items(items.unwrap_or_default())
        .into_iter()
        .map(object)
        .collect()
}

/// Whether another page follows.
pub fn has_next(json: &Json) -> bool {
    json.get("_links")
        .and_then(|links| links.get("next"))
        .and_then(|next| next.get("href"))
        .is_some_and(Json::is_string)
}
