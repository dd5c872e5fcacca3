//! Who may depend on whom: the table of `docs/ARCHITECTURE.md` as data, compared with `cargo metadata`.
//!
//! A new arrow needs an ADR and a line here.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cmd, say};

/// Our crates with what each may use of ours, and what only its tests may use besides.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &[]),
    ("vault", &[], &[]),
    ("migrations", &[], &[]),
    ("sandbox", &[], &[]),
    ("xtask", &[], &[]),
    ("api", &["domain"], &[]),
    ("connector", &["domain"], &[]),
    ("importer", &["domain"], &[]),
    ("storage", &["domain", "migrations"], &["test-db"]),
    ("test-db", &["migrations"], &[]),
    ("amocrm", &["connector", "domain"], &["sandbox"]),
    ("lptracker", &["connector", "domain"], &["sandbox"]),
    (
        "engine",
        &["domain", "connector", "storage", "importer", "vault"],
        // Itself, with its failpoints.
        &["test-db", "engine"],
    ),
    ("frontend", &["api", "domain"], &[]),
    (
        "server",
        &[
            "domain",
            "api",
            "connector",
            "amocrm",
            "lptracker",
            "storage",
            "engine",
            "vault",
        ],
        &["sandbox", "test-db"],
    ),
];

/// All that `domain` may use from outside: it has no IO, no async, no clock and no randomness.
const DOMAIN_ALLOWED: &[&str] = &["chrono", "rust_decimal", "serde", "serde_json", "uuid"];

/// Packages that mark a layer, with the only crates that may use them outside tests.
const HOLDERS: &[(&str, &[&str])] = &[
    ("sea-orm", &["storage", "test-db"]),
    ("sea-orm-migration", &["migrations", "storage", "test-db"]),
    ("actix-web", &["server", "sandbox"]),
    ("actix-session", &["server"]),
    ("utoipa", &["api", "server"]),
    ("calamine", &["importer"]),
    ("reqwest", &["connector", "sandbox"]),
    ("leptos", &["frontend"]),
    ("leptos_router", &["frontend"]),
    ("thaw", &["frontend"]),
    ("wasm-bindgen", &["frontend"]),
];

/// `cargo xtask arrows`.
pub fn main() -> Result<()> {
    let step = say::start("Проверяю зависимости между крейтами");
    let text = cmd::output(cmd::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata = serde_json::from_str(&text).context("cargo metadata вернул не JSON")?;
    let faults = faults(&metadata);
    if !faults.is_empty() {
        bail!("недопустимые зависимости:\n  {}", faults.join("\n  "));
    }
    step.done();
    Ok(())
}

fn faults(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut faults = Vec::new();
    for (known, _, _) in ARROWS {
        if !packages.iter().any(|package| package["name"] == *known) {
            faults.push(format!("крейта {known} нет в рабочем пространстве"));
        }
    }
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, normal, tests)) = ARROWS.iter().find(|(known, _, _)| *known == name) else {
            faults.push(format!(
                "крейт {name} не внесён в таблицу зависимостей (crates/xtask/src/arrows.rs)"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"] == "dev";
            let ours = ARROWS.iter().any(|(known, _, _)| *known == used);
            let allowed = if ours {
                normal.contains(&used) || in_tests && tests.contains(&used)
            } else {
                in_tests || outside_is_allowed(name, used)
            };
            if !allowed {
                let whose = if in_tests { " (в тестах)" } else { "" };
                faults.push(format!("{name} → {used}{whose}"));
            }
        }
    }
    faults
}

fn outside_is_allowed(crate_name: &str, used: &str) -> bool {
    if crate_name == "domain" {
        return DOMAIN_ALLOWED.contains(&used);
    }
    HOLDERS
        .iter()
        .find(|(package, _)| *package == used)
        .is_none_or(|(_, holders)| holders.contains(&crate_name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The workspace as it should be, with one more dependency in one crate.
    fn with(crate_name: &str, used: &str, kind: Option<&str>) -> Vec<String> {
        let packages: Vec<Value> = ARROWS
            .iter()
            .map(|(name, normal, tests)| {
                let mut dependencies: Vec<Value> = normal
                    .iter()
                    .map(|used| json!({"name": used, "kind": null}))
                    .collect();
                dependencies.extend(tests.iter().map(|used| json!({"name": used, "kind": "dev"})));
                if *name == crate_name {
                    dependencies.push(json!({"name": used, "kind": kind}));
                }
                json!({"name": name, "dependencies": dependencies})
            })
            .collect();
        faults(&json!({ "packages": packages }))
    }

    #[test]
    fn drawn_arrows_pass() {
        assert_eq!(with("server", "tokio", None), Vec::<String>::new());
        assert_eq!(with("domain", "proptest", Some("dev")), Vec::<String>::new());
    }

    #[test]
    fn other_arrows_are_refused() {
        assert_eq!(with("engine", "amocrm", None), ["engine → amocrm"]);
        assert_eq!(
            with("sandbox", "lptracker", Some("dev")),
            ["sandbox → lptracker (в тестах)"]
        );
        assert_eq!(with("amocrm", "sandbox", None), ["amocrm → sandbox"]);
        assert_eq!(with("domain", "tokio", None), ["domain → tokio"]);
        assert_eq!(with("engine", "actix-web", None), ["engine → actix-web"]);
        assert_eq!(with("domain", "tokio", Some("build")), ["domain → tokio"]);
    }

    #[test]
    fn unknown_crate_is_refused() {
        let metadata = json!({"packages": [{"name": "helpers", "dependencies": []}]});
        assert!(
            faults(&metadata)
                .iter()
                .any(|fault| fault.starts_with("крейт helpers не внесён"))
        );
    }
}
