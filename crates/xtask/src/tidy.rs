//! Rules of the house that neither rustfmt nor clippy knows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cmd, paths, say};

/// Above this many lines a file is mentioned.
const SOFT_LINES: usize = 400;
/// Above this many lines a file fails the check.
const HARD_LINES: usize = 600;
/// The longest handler in `crates/server/src/http/routes`.
const HANDLER_LINES: usize = 40;
/// Words that would be a second name for something that already has one (`docs/STYLE.md`).
const BANNED_TYPE_WORDS: &[&str] = &["Workflow", "Adapter", "Provider", "Integration", "FailedJob"];

/// `cargo xtask tidy`.
pub fn main() -> Result<()> {
    let step = say::start("Проверяю правила оформления");
    let mut faults = Vec::new();
    let mut long = Vec::new();
    for file in sources()? {
        // A file may be listed by git and already be deleted from the work tree.
        let Ok(text) = fs::read_to_string(paths::root().join(&file)) else {
            continue;
        };
        let path = file.to_string_lossy().replace('\\', "/");
        let lines = text.lines().count();
        if (SOFT_LINES + 1..=HARD_LINES).contains(&lines) {
            long.push(format!(
                "{path}: {lines} строк, лучше разделить (мягкий предел {SOFT_LINES})"
            ));
        }
        check(&path, &text, &mut faults);
    }
    for line in long {
        say::note(&line);
    }
    if !faults.is_empty() {
        bail!("нарушены правила оформления:\n  {}", faults.join("\n  "));
    }
    step.done();
    Ok(())
}

/// Our Rust and TypeScript files, as git lists them: tracked, or new and not ignored.
fn sources() -> Result<Vec<PathBuf>> {
    let listed = cmd::output(cmd::program("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        "*.rs",
        "*.ts",
    ]))
    .context("git нужен, чтобы перечислить исходные файлы")?;
    let mut files: Vec<PathBuf> = listed.lines().map(PathBuf::from).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

fn check(path: &str, text: &str, faults: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > HARD_LINES {
        faults.push(format!("{path}: {lines} строк, предел {HARD_LINES}"));
    }
    // The patterns of this very file would report themselves.
    if path == "crates/xtask/src/tidy.rs" {
        return;
    }
    let test_code_from = test_code_from(path, text);
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let mut fault = |what: &str| faults.push(format!("{path}:{number}: {what}"));
        let code = line.split("//").next().unwrap_or_default();
        if path.starts_with("crates/server/src/") && code.contains(".route(") {
            fault("обработчик, подключённый через .route(, не попадёт в OpenAPI: нужен .service(");
        }
        if index >= test_code_from && (calls(code, "sleep") || code.contains(".waitForTimeout(")) {
            fault("ожидание по времени в тесте: ждите условия с пределом");
        }
        if code.contains("#[ignore") || code.contains("test.skip(") || code.contains("test.only(") {
            fault("пропуск тестов запрещён");
        }
        if has_todo_without_issue(line) {
            fault("TODO без номера задачи: нужно TODO(#123)");
        }
        if path.starts_with("frontend/src/") && !is_ui(path) && mentions_thaw(code) {
            fault("thaw подключается только в frontend/src/ui");
        }
        if let Some(word) = banned_type_word(code).filter(|_| !speaks_a_crms_language(path)) {
            fault(&format!(
                "«{word}» — второе имя для уже названного (docs/STYLE.md)"
            ));
        }
    }
    if path.starts_with("crates/server/src/http/routes/") {
        for (number, length) in long_handlers(text) {
            faults.push(format!(
                "{path}:{number}: обработчик в {length} строк, предел {HANDLER_LINES}"
            ));
        }
    }
}

/// The index of the first line of test code; past the end when there is none.
fn test_code_from(path: &str, text: &str) -> usize {
    let whole_file = Path::new(path)
        .components()
        .any(|part| part.as_os_str() == "tests")
        || path.ends_with("/tests.rs")
        || path.starts_with("e2e/");
    if whole_file {
        return 0;
    }
    text.lines()
        .position(|line| line.trim() == "#[cfg(test)]")
        .unwrap_or(usize::MAX)
}

/// Whether `code` calls exactly this free function: not `oversleep(`, nor `clock.sleep(` of a test's own clock.
fn calls(code: &str, function: &str) -> bool {
    let call = format!("{function}(");
    code.match_indices(&call).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '.')
    })
}

fn has_todo_without_issue(line: &str) -> bool {
    ["TODO", "FIXME", "XXX"].iter().any(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + mark.len()..];
            let whole_word = !before.is_some_and(char::is_alphanumeric)
                && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            let issue = after
                .strip_prefix("(#")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            whole_word && !issue
        })
    })
}

fn is_ui(path: &str) -> bool {
    path.starts_with("frontend/src/ui/") || path == "frontend/src/ui.rs"
}

fn mentions_thaw(code: &str) -> bool {
    code.match_indices("thaw").any(|(at, word)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
            && (after.starts_with("::")
                || (code.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

/// A client or a fake of a CRM calls things what that CRM calls them.
fn speaks_a_crms_language(path: &str) -> bool {
    ["amocrm", "lptracker", "sandbox"]
        .iter()
        .any(|name| path.starts_with(&format!("crates/{name}/")))
}

fn banned_type_word(code: &str) -> Option<&'static str> {
    let mut words = code.split_whitespace();
    words.find(|word| ["struct", "enum", "trait", "type"].contains(word))?;
    let name = words.next()?;
    BANNED_TYPE_WORDS.iter().copied().find(|word| name.contains(word))
}

/// First lines and lengths of `async fn`s that are too long, in text formatted by rustfmt.
fn long_handlers(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if !(code.starts_with("async fn ")
            || code.starts_with("pub async fn ")
            || code.starts_with("pub(") && code.contains(" async fn "))
        {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let end = format!("{indent}}}");
        let length = lines[start..]
            .iter()
            .position(|line| *line == end)
            .map_or(1, |offset| offset + 1);
        if length > HANDLER_LINES {
            found.push((start + 1, length));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(path: &str, text: &str, expected: usize) {
        let mut faults = Vec::new();
        check(path, text, &mut faults);
        assert_eq!(faults.len(), expected, "{path}: {text:?} → {faults:?}");
    }

    #[test]
    fn size_is_bounded() {
        check_one("a.rs", &"x\n".repeat(HARD_LINES), 0);
        check_one("a.rs", &"x\n".repeat(HARD_LINES + 1), 1);
    }

    #[test]
    fn route_is_banned_in_server_only() {
        check_one("crates/server/src/http.rs", ".route(\"/x\")", 1);
        check_one("crates/server/src/http.rs", "// not .route(", 0);
        check_one("crates/sandbox/src/http.rs", ".route(\"/x\")", 0);
    }

    #[test]
    fn sleep_is_banned_in_tests_only() {
        check_one("crates/a/src/lib.rs", "tokio::time::sleep(x)", 0);
        check_one(
            "crates/a/src/lib.rs",
            "sleep(x)\n#[cfg(test)]\nmod tests {\nsleep(x)",
            1,
        );
        check_one("crates/a/tests/it/main.rs", "std::thread::sleep(x)", 1);
        check_one("crates/a/tests/it/main.rs", "oversleep(x)", 0);
        check_one("crates/a/tests/it/main.rs", "clock.sleep(x)", 0);
        check_one("e2e/tests/a.spec.ts", "await page.waitForTimeout(5)", 1);
    }

    #[test]
    fn todo_needs_an_issue() {
        check_one("a.rs", "// TODO later", 1);
        check_one("a.rs", "// TODO(#12) later", 0);
        check_one("a.rs", "let todos = TODOS;", 0);
        check_one("a.rs", "// FIXME", 1);
    }

    #[test]
    fn thaw_stays_in_ui() {
        check_one("frontend/src/pages/rule.rs", "use thaw::Button;", 1);
        check_one("frontend/src/pages/rule.rs", "    thaw::Button", 1);
        check_one("frontend/src/pages/rule.rs", "class=\"thaw-button\"", 0);
        check_one("frontend/src/ui/button.rs", "use thaw::Button;", 0);
        check_one("frontend/src/ui.rs", "use thaw::Button;", 0);
    }

    #[test]
    fn second_names_are_refused() {
        check_one("a.rs", "pub struct WorkflowRun {", 1);
        check_one("a.rs", "let adapter = 1;", 0);
        check_one("crates/amocrm/src/wire/oauth.rs", "pub struct Integration {", 0);
    }

    #[test]
    fn ignored_tests_are_refused() {
        check_one("crates/a/src/lib.rs", "#[ignore]", 1);
        check_one("crates/a/src/lib.rs", "#[ignore = \"slow\"]", 1);
    }

    #[test]
    fn long_handlers_are_refused() {
        let handler = |lines: usize| format!("pub async fn list() {{\n{}}}\n", "    x;\n".repeat(lines - 2));
        check_one(
            "crates/server/src/http/routes/rules.rs",
            &handler(HANDLER_LINES),
            0,
        );
        check_one(
            "crates/server/src/http/routes/rules.rs",
            &handler(HANDLER_LINES + 1),
            1,
        );
        check_one("crates/server/src/lib.rs", &handler(HANDLER_LINES + 1), 0);
    }
}
