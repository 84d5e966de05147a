//! Holds the source to ARCHITECTURE.md: every file stands in the ladder and uses only what stands above it, and what must
//! not be named where, is not. It reads text and must not know what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_file_stands_in_the_ladder_and_every_rung_is_a_file() {
    let ladder: BTreeSet<String> = ladder().into_iter().collect();
    assert_eq!(ladder.len(), self::ladder().len(), "a file stands in the ladder twice");
    let files: BTreeSet<String> =
        files().into_keys().filter(|file| !file.ends_with("mod.rs")).collect();
    let missing: Vec<_> = files.difference(&ladder).collect();
    let gone: Vec<_> = ladder.difference(&files).collect();
    assert!(missing.is_empty(), "not in the ladder of ARCHITECTURE.md: {missing:?}");
    assert!(gone.is_empty(), "in the ladder of ARCHITECTURE.md, but no file: {gone:?}");
}

#[test]
fn a_file_uses_only_what_stands_above_it() {
    let crate_ = Crate::read();
    let rungs: BTreeMap<String, usize> = ladder().into_iter().zip(0..).collect();
    let mut wrong = Vec::new();
    let mut uses = 0;
    for (file, text) in &crate_.files {
        // A `mod.rs` has nothing of its own: what it passes on counts as the file that it comes from.
        let Some(own) = rungs.get(file) else { continue };
        for path in paths(text) {
            let Some(target) = crate_.resolve(file, &path) else { continue };
            if target == *file {
                continue;
            }
            uses += 1;
            match rungs.get(&target) {
                Some(rung) if rung < own => {}
                _ => wrong.push(format!("{file} uses {} of {target}", path.join("::"))),
            }
        }
    }
    assert!(
        uses > 200,
        "only {uses} uses were found: this test no longer reads the source as it is written"
    );
    assert!(wrong.is_empty(), "down the ladder:\n{}", wrong.join("\n"));
}

#[test]
fn what_must_not_be_named_is_not() {
    for (file, text) in files() {
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
fn every_file_begins_by_saying_what_it_owns() {
    for entry in walk(&source()) {
        let text = fs::read_to_string(&entry).unwrap();
        assert!(
            text.starts_with("//! ") || !text.contains("fn "),
            "{} says nothing of itself",
            entry.display()
        );
    }
}

/// The files of the ladder, in order.
fn ladder() -> Vec<String> {
    let text = fs::read_to_string(source().join("../../ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## The ladder\n").nth(1).expect("ARCHITECTURE.md has the ladder");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells
        .map(|cell| cell.trim_matches('*').to_owned())
        .filter(|cell| cell.ends_with(".rs"))
        .collect()
}

/// The files of the crate by their path below `src`: their code, without comments and tests.
fn files() -> BTreeMap<String, String> {
    let source = source();
    let name =
        |path: &Path| path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
    let all = walk(&source)
        .into_iter()
        .map(|path| (name(&path), code(&fs::read_to_string(&path).unwrap())));
    all.filter(|(name, _)| !is_test(name)).collect()
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
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

/// Without comments; and without what follows the first `#[cfg(test)]` that stands before a module with a body, as
/// tests stand last.
fn code(text: &str) -> String {
    let tests =
        text.find("#[cfg(test)]\nmod tests {").or_else(|| text.find("#[cfg(test)]\n#[allow"));
    let text = &text[..tests.unwrap_or(text.len())];
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

struct Crate {
    files: BTreeMap<String, String>,
    /// What each module passes on: by its file, the path behind each name.
    passed_on: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Crate {
    fn read() -> Crate {
        let files = files();
        let passed_on = files
            .iter()
            .map(|(file, text)| {
                let uses =
                    statements(text).filter(|(public, _)| *public).flat_map(|(_, paths)| paths);
                let named = uses.filter_map(|path| Some((path.last()?.clone(), path)));
                (file.clone(), named.collect())
            })
            .collect();
        Crate { files, passed_on }
    }

    /// The file in which what a path names is defined, as seen from a file.
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
            return match self.passed_on.get(&file).and_then(|names| names.get(name)) {
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

/// All paths into the crate in a file: those that it imports, and those written out where they are used.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = statements(text).flat_map(|(_, paths)| paths).collect();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let within_a_name =
                text[..at].ends_with(|last: char| last.is_alphanumeric() || "_:$".contains(last));
            let end = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let path = &text[at..end.map_or(text.len(), |end| at + end)];
            // A path that goes on with a brace is that of a statement, which was read as a tree.
            if !within_a_name && !path.ends_with("::") {
                found.push(from_the_file(path.split("::").map(str::to_owned).collect(), text, at));
            }
        }
    }
    found
}

/// A path that stands in modules written out within a file, as the file's own module would write it.
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

/// The `use` statements of a file: whether each is public, and its paths.
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

/// The paths of a `use` tree.
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

/// What stands between the commas of the outermost level.
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
        branches.last_mut().expect("there is always one").push(character);
    }
    branches
}

#[test]
fn trees_of_imports_are_read_as_rust_reads_them() {
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
