//! Tests that the sources keep to ARCHITECTURE.md: every file is in the list of its crate, imports only from files
//! above it and is not too long, and names that a layer must not use do not occur in it.
//!
//! It reads text, and must not know what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The maximum number of lines of a file for which ARCHITECTURE.md gives no reason.
const MOST_LINES: usize = 450;

#[test]
fn the_ladder_lists_every_file_once() {
    for crate_ in crates() {
        let ladder: BTreeSet<_> = crate_.ladder.iter().collect();
        assert_eq!(ladder.len(), crate_.ladder.len(), "a file is twice in {}", crate_.heading);
        let files: BTreeSet<_> =
            crate_.files.keys().filter(|file| !file.ends_with("mod.rs")).collect();
        let missing: Vec<_> = files.difference(&ladder).collect();
        let gone: Vec<_> = ladder.difference(&files).collect();
        assert!(missing.is_empty(), "not in {}: {missing:?}", crate_.heading);
        assert!(gone.is_empty(), "in {}, but there is no such file: {gone:?}", crate_.heading);
    }
}

#[test]
fn a_file_imports_only_from_files_above_it() {
    for crate_ in crates() {
        let rungs: BTreeMap<_, _> = crate_.ladder.iter().zip(0..).collect();
        let mut wrong = Vec::new();
        let mut imports = 0;
        for (file, text) in &crate_.files {
            // A `mod.rs` has no items of its own: a name that it exports counts as the file that defines it.
            let Some(own) = rungs.get(file) else { continue };
            for path in paths(text).into_iter().chain(submodules(text)) {
                let Some(target) = crate_.resolve(file, &path) else { continue };
                let is_declared_folder = path[0] == "self" && target.ends_with("/mod.rs");
                if target == *file || is_declared_folder {
                    continue;
                }
                imports += 1;
                match rungs.get(&target) {
                    Some(rung) if rung < own => {}
                    _ => wrong.push(format!("{file} imports {} of {target}", path.join("::"))),
                }
            }
        }
        assert!(
            imports > 2 * crate_.files.len(),
            "only {imports} imports were found in {}: this test no longer reads the sources as they are written",
            crate_.name
        );
        assert!(wrong.is_empty(), "imports from below in {}:\n{}", crate_.name, wrong.join("\n"));
    }
}

#[test]
fn a_long_file_has_a_reason() {
    let section = section("## Long files");
    let excused: BTreeSet<_> = cells(&section).collect();
    let long = crates().flat_map(|crate_| {
        let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
        let long = crate_.paths.into_iter().filter(move |(_, path)| lines(path) > MOST_LINES);
        long.map(move |(file, _)| format!("{}/src/{file}", crate_.name))
    });
    assert_eq!(
        excused,
        long.collect(),
        "left: the files with a reason in ARCHITECTURE.md, right: those of more than {MOST_LINES} lines"
    );
}

#[test]
fn forbidden_names_do_not_occur() {
    for (file, text) in &crates().next().unwrap().files {
        let mut forbidden = vec!["SystemTime"];
        if file.starts_with("session/") || file.starts_with("wire/") {
            forbidden.extend(["tokio", "Instant::now", "async fn", "thread::"]);
        }
        if file != "wire/codec.rs" {
            forbidden.push("bincode");
        }
        for name in forbidden {
            assert!(!text.contains(name), "{file} names `{name}`");
        }
    }
}

#[test]
fn every_file_begins_with_a_description() {
    for path in crates().flat_map(|crate_| crate_.paths.into_values()) {
        let text = fs::read_to_string(&path).unwrap();
        let described = text.starts_with("//! ") || !text.contains("fn ");
        assert!(described, "{} does not begin with `//! `", path.display());
    }
}

/// Returns the crates that have such a list.
fn crates() -> impl Iterator<Item = Crate> {
    [("remote-core", "## The ladder"), ("remote-derive", "## The ladder of `remote-derive`")]
        .into_iter()
        .map(|(name, heading)| Crate::read(name, heading))
}

/// Returns the text below a heading of ARCHITECTURE.md.
fn section(heading: &str) -> String {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let section = text.split(&format!("\n{heading}\n")).nth(1);
    let section = section.unwrap_or_else(|| panic!("ARCHITECTURE.md has no `{heading}`"));
    section.split("\n## ").next().unwrap_or_default().to_owned()
}

/// Returns the files that the first column of a table names, in their order.
fn cells(section: &str) -> impl Iterator<Item = String> + '_ {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.map(|cell| cell.trim_matches('*').to_owned()).filter(|cell| cell.ends_with(".rs"))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Returns the text without comments, and without tests: what follows the first `#[cfg(test)]` before a module with a body,
/// as tests stand last.
fn code(text: &str) -> String {
    let tests =
        text.find("#[cfg(test)]\nmod tests {").or_else(|| text.find("#[cfg(test)]\n#[allow"));
    let text = &text[..tests.unwrap_or(text.len())];
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

struct Crate {
    name: &'static str,
    /// The heading of its ladder.
    heading: &'static str,
    /// The files of the ladder, in their order.
    ladder: Vec<String>,
    /// All files by their path below `src`.
    paths: BTreeMap<String, PathBuf>,
    /// The code of the files that are no tests, without comments and tests.
    files: BTreeMap<String, String>,
    /// The names that a file exports from others, with the path behind each.
    exports: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Crate {
    fn read(name: &'static str, heading: &'static str) -> Crate {
        let source = workspace().join(name).join("src");
        let file =
            |path: &Path| path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
        let paths: BTreeMap<_, _> =
            walk(&source).into_iter().map(|path| (file(&path), path)).collect();
        let files: BTreeMap<_, _> = paths
            .iter()
            .filter(|(file, _)| !is_test(file))
            .map(|(file, path)| (file.clone(), code(&fs::read_to_string(path).unwrap())))
            .collect();
        let exports = files
            .iter()
            .map(|(file, text)| {
                let uses =
                    statements(text).filter(|(public, _)| *public).flat_map(|(_, paths)| paths);
                let named = uses.filter_map(|path| Some((path.last()?.clone(), path)));
                (file.clone(), named.collect())
            })
            .collect();
        let ladder = cells(&section(heading)).collect();
        Crate { name, heading, ladder, paths, files, exports }
    }

    /// Returns the file that defines what a path names, as seen from the file `from`.
    fn resolve(&self, from: &str, path: &[String]) -> Option<String> {
        let mut rest = path.iter().map(String::as_str);
        let mut module = match rest.next()? {
            "crate" => Vec::new(),
            "super" => parent(&module_of(from)),
            "self" => module_of(from),
            // A module of its own, as in `pub use machine::Session`.
            name => {
                let inner = [module_of(from), vec![name.to_owned()]].concat();
                self.file_of(&inner)?;
                inner
            }
        };
        for name in rest {
            if name == "super" {
                module = parent(&module);
                continue;
            }
            let inner = [module.clone(), vec![name.to_owned()]].concat();
            if self.file_of(&inner).is_some() {
                module = inner;
                continue;
            }
            let file = self.file_of(&module)?;
            return match self.exports.get(&file).and_then(|names| names.get(name)) {
                Some(path) if file != from => self.resolve(&file, path),
                _ => Some(file),
            };
        }
        self.file_of(&module)
    }

    fn file_of(&self, module: &[String]) -> Option<String> {
        let candidates = if module.is_empty() {
            vec!["lib.rs".to_owned()]
        } else {
            vec![format!("{}.rs", module.join("/")), format!("{}/mod.rs", module.join("/"))]
        };
        candidates.into_iter().find(|file| self.files.contains_key(file))
    }
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Returns the paths of the submodules that a file declares: it uses them without an import.
fn submodules(text: &str) -> Vec<Vec<String>> {
    let names = text.lines().filter_map(|line| line.strip_suffix(';')?.split_once("mod "));
    names.map(|(_, name)| vec!["self".to_owned(), name.to_owned()]).collect()
}

/// Returns all paths into the crate in a file: those that it imports, and those written in full where they are used.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = statements(text).flat_map(|(_, paths)| paths).collect();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let within_a_name =
                text[..at].ends_with(|last: char| last.is_alphanumeric() || "_:$".contains(last));
            let end = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let path = &text[at..end.map_or(text.len(), |end| at + end)];
            // A path before a brace belongs to a `use` statement, which was read above.
            if !within_a_name && !path.ends_with("::") {
                found.push(from_the_file(path.split("::").map(str::to_owned).collect(), text, at));
            }
        }
    }
    found
}

/// Returns a path as the file's own module would write it, if it stands in an inline module.
fn from_the_file(mut path: Vec<String>, text: &str, at: usize) -> Vec<String> {
    let mut open = Vec::new();
    for (brace, _) in text[..at].match_indices(['{', '}']) {
        if text[brace..].starts_with('}') {
            open.pop();
        } else {
            open.push(text[..brace].split_whitespace().rev().nth(1) == Some("mod"));
        }
    }
    for _ in open.into_iter().filter(|is_module| *is_module) {
        if path.first().is_some_and(|name| name == "super") {
            path.remove(0);
        }
    }
    if path.len() > 1 || path == ["crate"] {
        path
    } else {
        [vec!["self".to_owned()], path].concat()
    }
}

/// Returns the `use` statements of a file: true if the statement is public, and its paths.
fn statements(text: &str) -> impl Iterator<Item = (bool, Vec<Vec<String>>)> + '_ {
    text.match_indices("use ").filter_map(|(at, _)| {
        let before = text[..at].rsplit(['\n', ';', '{', '}']).next().unwrap_or_default().trim();
        let is_statement = before.is_empty() || before.starts_with("pub");
        let tree = text[at + "use ".len()..].split(';').next()?;
        let tree = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        let paths =
            || expand(&tree).into_iter().map(|path| from_the_file(path, text, at)).collect();
        is_statement.then(|| (before.starts_with("pub"), paths()))
    })
}

/// Returns the paths of a `use` tree.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![
            path.split("::")
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        ];
    };
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let prefix: Vec<String> = prefix
        .split("::")
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let branches = branches(inner).into_iter().filter(|branch| !branch.trim().is_empty());
    branches
        .flat_map(|branch| expand(&branch))
        .map(|path| {
            let path = if path == ["self"] { Vec::new() } else { path };
            [prefix.clone(), path].concat()
        })
        .collect()
}

/// Splits at the commas that are in no brace.
fn branches(text: &str) -> Vec<String> {
    let (mut depth, mut branches) = (0, vec![String::new()]);
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(String::new());
                continue;
            }
            _ => {}
        }
        branches.last_mut().expect("it is never empty").push(character);
    }
    branches
}

#[test]
fn imports_are_read_as_rust_reads_them() {
    let joined = |tree: &str| expand(tree).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(joined("crate::a::B"), ["crate::a::B"]);
    assert_eq!(joined("crate::{a::{self, B as C}, d}"), ["crate::a", "crate::a::B", "crate::d"]);
    let found = paths(
        "pub(crate) use super::x::{Y, Z};\nmod m {\n    use super::super::h::I;\n}\nfn f() -> crate::e::F { not_crate::g() }\n",
    );
    assert!(found.contains(&vec!["super".into(), "h".into(), "I".into()]));
    assert!(found.contains(&vec!["super".into(), "x".into(), "Z".into()]));
    assert!(found.contains(&vec!["crate".into(), "e".into(), "F".into()]));
    assert!(!found.iter().any(|path| path.contains(&"g".to_owned())));
}
