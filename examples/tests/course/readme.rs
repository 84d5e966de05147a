//! Reads the steps of README.md and their code blocks.
//!
//! It must not run anything itself.

use std::path::PathBuf;

use crate::transcript;

/// One step of the course.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    language: String,
    lines: Vec<String>,
}

/// Returns the folder of the package.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the steps in order. A step is the text under a `###` heading, which is the name of an example.
pub(crate) fn sections() -> Vec<Section> {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(block), None) => block.lines.push(line.to_owned()),
            (Some(_), Some(_)) => {
                let section = sections.last_mut().expect("no code block precedes the first step");
                section.blocks.extend(open.take());
            }
            (None, Some(language)) => {
                open = Some(Block { language: language.to_owned(), lines: Vec::new() });
            }
            (None, None) => {
                if let Some(name) = line.strip_prefix("### ") {
                    sections.push(Section { name: name.to_owned(), blocks: Vec::new() });
                }
            }
        }
    }
    assert!(open.is_none(), "a code block in README.md is not closed");
    sections
}

impl Section {
    pub(crate) fn of(name: &str) -> Section {
        sections()
            .into_iter()
            .find(|section| section.name == name)
            .unwrap_or_else(|| panic!("README.md has no step `{name}`"))
    }

    /// Plays its transcripts. At least one of them must run the example.
    pub(crate) fn play(&self) {
        let call = format!("{}{}", transcript::CARGO, self.name);
        assert!(
            self.fenced("console").any(|lines| lines.iter().any(|line| line.contains(&call))),
            "no transcript of {} runs it",
            self.name
        );
        for lines in self.fenced("console") {
            transcript::play(&self.name, lines);
        }
    }

    /// Checks that each Rust block is in the example, apart from indentation. `// ...` stands for omitted lines.
    pub(crate) fn check_fragments(&self) {
        let path = folder().join("examples").join(format!("{}.rs", self.name));
        let source = std::fs::read_to_string(path).unwrap();
        let source: Vec<&str> = source.lines().map(str::trim).collect();
        for lines in self.fenced("rust") {
            let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
            let mut rest = &source[..];
            for piece in lines.split(|line| *line == "// ...").filter(|piece| !piece.is_empty()) {
                let place = rest.windows(piece.len()).position(|window| window == piece);
                let place = place.unwrap_or_else(|| {
                    panic!(
                        "{}.rs does not contain, in this order:\n{}",
                        self.name,
                        piece.join("\n")
                    )
                });
                rest = &rest[place + piece.len()..];
            }
        }
    }

    fn fenced(&self, language: &str) -> impl Iterator<Item = &[String]> {
        self.blocks
            .iter()
            .filter(move |block| block.language == language)
            .map(|block| &block.lines[..])
    }
}
