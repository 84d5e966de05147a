//! Runs every example as a process of its own and holds it to its output. It must not know how an example does it.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn hello() {
    assert_eq!(output_of("hello"), "hello, world\n");
}

#[test]
fn by_reference() {
    let told = "ada was told: a lamp is at 20\nbob leads, and is the original object\n";
    assert_eq!(output_of("by_reference"), told);
}

#[test]
fn errors() {
    let output = output_of("errors");
    let kinds: Vec<&str> =
        output.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(kinds, ["a panic", "a deadline", "an error of another call", "a wrong name"]);
    for part in ["we do not sell cake", "deadline passed", "no more grain", "`butcher`"] {
        assert!(output.contains(part), "{part} is not in:\n{output}");
    }
}

#[test]
fn pipelining() {
    let output = output_of("pipelining");
    assert!(output.starts_with("ten calls deep: /a/b/c/d/e/f/g/h/i\n"), "{output}");
    assert!(output.contains("/a has nothing without a name"), "{output}");
}

#[test]
fn polymorphic() {
    assert_eq!(output_of("polymorphic"), "a wheel costs 56\na bicycle costs 117, here and there\n");
}

#[test]
fn library_class() {
    let output = output_of("library_class");
    assert!(
        output.starts_with("where the library is linked: a circle of area 12.566\n"),
        "{output}"
    );
    assert!(output.contains("`Circle`") && output.contains("use that_crate as _;"), "{output}");
}

#[test]
fn every_example_is_run_here_and_listed_in_the_readme() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let this =
        std::fs::read_to_string(folder.join(file!().trim_start_matches("examples/"))).unwrap();
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut examples = 0;
    for entry in std::fs::read_dir(folder.join("examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        assert!(
            readme.contains(&format!("(examples/{name}.rs)")),
            "README.md does not list {name}"
        );
        // The two that `library_class` starts run with it.
        let runs_by_itself = !name.starts_with("library_class_");
        assert!(
            !runs_by_itself || this.contains(&format!("output_of(\"{name}\")")),
            "{name} is not run"
        );
        examples += 1;
    }
    assert!(examples >= 8);
}

/// What an example prints; it must end well and complain about nothing.
fn output_of(name: &str) -> String {
    // Examples are built beside the tests of their package.
    let built = std::env::current_exe().unwrap();
    let program = built
        .parent()
        .unwrap()
        .with_file_name("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: `cargo build -p examples --examples`",
        program.display()
    );
    let output = Command::new(program).output().unwrap();
    let (text, complaints) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} failed:\n{text}{complaints}");
    text
}
