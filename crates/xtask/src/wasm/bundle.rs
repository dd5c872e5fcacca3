//! From the compiled client to the files that a browser loads.
//!
//! ```text
//! cargo's wasm → [wasm-split → main and parts loaded on demand] → wasm-bindgen → [wasm-opt] ┐
//! index.html's links → one style sheet, the icon ───────────────────────────────────────────┴→ app-<hash>/, index.html
//! ```
//!
//! Everything but the page lies in one folder named by the hash of its contents: files refer to each other by
//! plain names, and the server may let browsers keep them for ever.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Kind, files};
use crate::{cmd, paths};

/// Starts the client. A file of its own, since a strict content policy forbids scripts inside the page.
const START: &str = "import init from './main.js';\nawait init();\n";
/// What the links for the build tool in `frontend/index.html` are recognised by.
const MARK: &str = "data-trunk";

/// Fills `dir` with the page and the folder of the application.
pub fn bundle(kind: Kind, compiled: &Path, dir: &Path) -> Result<()> {
    let app = dir.join("app");
    fs::create_dir_all(&app).with_context(|| format!("не удалось создать {}", app.display()))?;
    let main = if kind == Kind::Release {
        split(compiled, &app)?
    } else {
        compiled.to_path_buf()
    };
    bind(kind, &main, &app)?;
    if kind == Kind::Release {
        fs::remove_file(&main)?;
        for wasm in files(&app)?.iter().filter(|file| has_extension(file, "wasm")) {
            optimise(wasm)?;
        }
    }
    fs::write(app.join("start.js"), START)?;

    let sources = paths::root().join("frontend");
    let page = fs::read_to_string(sources.join("index.html")).context("нет frontend/index.html")?;
    let links = Links::of(&page)?;
    let mut styles = String::new();
    for sheet in &links.styles {
        styles +=
            &fs::read_to_string(sources.join(sheet)).with_context(|| format!("нет frontend/{sheet}"))?;
    }
    fs::write(app.join("styles.css"), styles)?;
    for icon in &links.icons {
        fs::copy(sources.join(icon), app.join(icon)).with_context(|| format!("нет frontend/{icon}"))?;
    }

    let name = format!("app-{:016x}", contents(&app)?);
    fs::rename(&app, dir.join(&name))?;
    fs::write(dir.join("index.html"), links.page(&page, &name))?;
    Ok(())
}

/// Cuts the wasm at the functions marked lazy. Returns the main part, which wasm-bindgen still has to see.
fn split(compiled: &Path, app: &Path) -> Result<PathBuf> {
    let mut command = cmd::program(paths::tools().join("bin/wasm-split-cli"));
    command
        .args(["--target", "web", "--out-name", "main"])
        .arg(compiled)
        .arg(app);
    cmd::run_logged(&mut command, "wasm-split")?;
    Ok(app.join("main.wasm"))
}

fn bind(kind: Kind, wasm: &Path, app: &Path) -> Result<()> {
    let mut command = cmd::program(paths::tools().join("bin/wasm-bindgen"));
    command
        .arg(wasm)
        .args(["--target", "web", "--no-typescript", "--out-name", "main"])
        .arg("--out-dir")
        .arg(app);
    if kind == Kind::Release {
        // The parts find stack, memory and table of the main one by these names.
        command.arg("--keep-lld-exports");
    }
    cmd::run_logged(&mut command, "wasm-bindgen")
}

fn optimise(wasm: &Path) -> Result<()> {
    let mut command = cmd::program("wasm-opt");
    command.arg("-Oz").arg(wasm).arg("-o").arg(wasm);
    cmd::run_logged(&mut command, "wasm-opt")
}

/// The lines of the page that speak to the build tool.
#[derive(Debug, PartialEq, Eq)]
struct Links {
    styles: Vec<String>,
    icons: Vec<String>,
}

impl Links {
    fn of(page: &str) -> Result<Self> {
        let mut links = Self {
            styles: Vec::new(),
            icons: Vec::new(),
        };
        for line in page.lines().filter(|line| line.contains(MARK)) {
            let rel = attribute(line, "rel").context("в index.html ссылка data-trunk без rel")?;
            let href = attribute(line, "href").map(str::to_owned);
            match (rel, href) {
                ("css", Some(href)) => links.styles.push(href),
                ("icon", Some(href)) => links.icons.push(href),
                ("rust", _) => {}
                (other, _) => bail!("в index.html непонятная ссылка data-trunk: rel=\"{other}\""),
            }
        }
        Ok(links)
    }

    /// The page with links to the built files instead.
    fn page(&self, page: &str, app: &str) -> String {
        let mut head = String::new();
        for icon in &self.icons {
            head += &format!("    <link rel=\"icon\" href=\"/{app}/{icon}\">\n");
        }
        head += &format!("    <link rel=\"stylesheet\" href=\"/{app}/styles.css\">\n");
        head += &format!("    <link rel=\"modulepreload\" href=\"/{app}/main.js\">\n");
        head += &format!(
            "    <link rel=\"preload\" href=\"/{app}/main_bg.wasm\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n"
        );
        head += &format!("    <script type=\"module\" src=\"/{app}/start.js\"></script>\n");
        let kept: String = page
            .lines()
            .filter(|line| !line.contains(MARK))
            .map(|line| format!("{line}\n"))
            .collect();
        kept.replacen("  </head>", &format!("{head}  </head>"), 1)
    }
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let start = line.find(&format!("{name}=\""))? + name.len() + 2;
    let length = line[start..].find('"')?;
    Some(&line[start..start + length])
}

fn contents(dir: &Path) -> Result<u64> {
    let mut all = files(dir)?;
    all.sort();
    let mut hasher = DefaultHasher::new();
    for file in all {
        file.strip_prefix(dir).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<head>\n  <link data-trunk rel=\"icon\" href=\"icon.svg\">\n  <link data-trunk rel=\"css\" href=\"css/a.css\">\n  <link data-trunk rel=\"rust\">\n  </head>\n";

    #[test]
    fn links_for_the_build_are_found_in_order() {
        let links = Links::of(PAGE).unwrap();
        assert_eq!(links.styles, ["css/a.css"]);
        assert_eq!(links.icons, ["icon.svg"]);
    }

    #[test]
    fn page_refers_to_the_built_files_only() {
        let page = Links::of(PAGE).unwrap().page(PAGE, "app-1");
        assert!(!page.contains(MARK));
        for wanted in [
            "/app-1/icon.svg",
            "/app-1/styles.css",
            "/app-1/main_bg.wasm",
            "/app-1/start.js",
        ] {
            assert!(page.contains(wanted), "{wanted} is missing in {page}");
        }
    }

    #[test]
    fn unknown_link_is_an_error() {
        assert!(Links::of("<link data-trunk rel=\"sass\" href=\"a\">").is_err());
        assert!(Links::of("<link data-trunk href=\"a\">").is_err());
    }
}
