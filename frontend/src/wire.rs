//! Reading JSON without a parser for every type.
//!
//! Serde makes the code that reads a type once for every kind of source. Types with a tag or a flattened part
//! are read from serde's own intermediate form in any case; here everything is, so the browser carries that
//! code and not the JSON parser's as well. It made the interface a fifth smaller.

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Whole<T> {
    #[serde(flatten)]
    it: T,
}

/// Reads a JSON object. Errors of the data, unlike those of the syntax, do not know their line.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str::<Whole<T>>(text).map(|whole| whole.it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::blank;
    use crate::names::tests::{AMO, catalogues};
    use api::Page;
    use api::connection::CatalogueView;
    use domain::catalogue::Catalogue;
    use domain::connection::ConnectorKind;
    use domain::rule::Rule;
    use domain::value::Value;

    fn check<T: serde::Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&read::<T>(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn what_the_server_writes_is_read() {
        check(&blank(AMO, ConnectorKind::Amocrm));
        let known = catalogues().get(AMO).unwrap().catalogue.clone();
        check(&CatalogueView {
            connection_id: AMO,
            catalogue: Catalogue::clone(&known),
        });
        check(&Page::<Value> {
            items: vec![
                Value::Empty,
                Value::Number("12.50".parse().unwrap()),
                Value::Json(serde_json::json!({ "a": [1, null, "б"] })),
            ],
            next: Some("дальше".to_owned()),
        });
    }

    #[test]
    fn syntax_errors_know_their_line() {
        let error = read::<Rule>("{\n  \"name\": ,\n}").unwrap_err();
        assert_eq!(error.line(), 2);
    }
}
