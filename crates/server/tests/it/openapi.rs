//! The committed document is what the server says of itself, and says it well.

use serde_json::Value;
use std::collections::BTreeSet;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/openapi.json");

fn document() -> Value {
    serde_json::from_str(server::openapi::text()).unwrap()
}

fn each_operation(mut check: impl FnMut(&str, &str, &Value)) {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            check(path, method, operation);
        }
    }
}

#[test]
fn committed_document_equals_the_generated_one() {
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    let first = committed
        .lines()
        .zip(server::openapi::text().lines())
        .find(|(old, new)| old != new);
    assert!(
        committed == server::openapi::text(),
        "openapi/openapi.json is not up to date: run `cargo xtask openapi`; first difference: {first:?}"
    );
}

#[test]
fn every_operation_is_described() {
    let mut ids = BTreeSet::new();
    each_operation(|path, method, operation| {
        let place = format!("{method} {path}");
        for member in ["operationId", "summary", "description"] {
            assert!(
                operation[member].as_str().is_some_and(|text| !text.is_empty()),
                "{place} has no {member}"
            );
        }
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{place} needs one tag"
        );
        assert!(
            ids.insert(operation["operationId"].to_string()),
            "{place}: its operationId is taken"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let described = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(described, "{place}: {} has no description", parameter["name"]);
        }
    });
    assert!(ids.len() > 40, "{}", ids.len());
}

#[test]
fn every_operation_names_its_parameters_and_refusals() {
    each_operation(|path, method, operation| {
        let place = format!("{method} {path}");
        let wanted: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let named: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(wanted, named, "{place}");
        for range in ["4XX", "5XX"] {
            let schema =
                &operation["responses"][range]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{place}");
        }
    });
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| walk(member, document));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}
