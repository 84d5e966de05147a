//! Tests that every misuse of the macros is a compile error, exactly one, at the user's token.
//!
//! In `tests/ui/` each line with an error ends in `//~`, once for each error expected there (`//~^` for the line above).

use std::{collections::BTreeMap, fs, path::Path};

/// Compares the texts with those that the pinned compiler prints.
#[test]
fn each_error_has_the_expected_text() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// Compares the places: no error is reported twice, nor outside the marked lines.
#[test]
fn each_error_is_reported_once_at_its_line() {
    let directory = fs::read_dir("tests/ui").expect("tests run in the directory of their package");
    let files = directory.map(|entry| entry.expect("the directory can be read").path());
    let cases: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect();
    assert!(cases.len() > 20, "only {} cases were found", cases.len());
    let wrong: Vec<_> = cases.iter().filter(|case| reported(case) != marked(case)).collect();
    for case in &wrong {
        println!("{}: marked {:?}, reported {:?}", case.display(), marked(case), reported(case));
    }
    assert!(wrong.is_empty(), "{} cases do not report each error once", wrong.len());
}

/// Returns the number of errors that the source marks, by line.
fn marked(source: &Path) -> BTreeMap<usize, usize> {
    let text = fs::read_to_string(source).expect("a case can be read");
    let mut marks = BTreeMap::new();
    for (line, content) in (1..).zip(text.lines()) {
        for mark in content.split("//~").skip(1) {
            *marks.entry(if mark.starts_with('^') { line - 1 } else { line }).or_default() += 1;
        }
    }
    assert!(!marks.is_empty(), "{} marks no error", source.display());
    marks
}

/// Returns the number of errors that the compiler reports, by line.
fn reported(source: &Path) -> BTreeMap<usize, usize> {
    let text = fs::read_to_string(source.with_extension("stderr"))
        .expect("every case has its expected errors");
    let mut errors = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("error") {
            let place = lines.next().expect("an error has a place");
            assert!(place.contains(source.to_str().expect("a plain path")), "{line}\n{place}");
            let line = place.rsplit(':').nth(1).expect("a place has a line");
            *errors.entry(line.parse().expect("a number")).or_default() += 1;
        } else {
            assert!(!line.starts_with("warning"), "{}: {line}", source.display());
        }
    }
    errors
}
