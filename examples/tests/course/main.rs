//! Plays the transcripts of README.md and compares them with what the examples print.
//!
//! It must not know how an example is implemented.

mod chat;
mod netcat;
mod readme;
mod terminal;
mod transcript;

use readme::Section;

/// Defines one test for each step of the course.
macro_rules! steps {
    ($($name:ident),* $(,)?) => {
        const STEPS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                let step = Section::of(stringify!($name));
                step.check_fragments();
                step.play();
            }
        )*
    };
}

steps!(
    socket_client,
    socket_server,
    two_inspectors,
    concurrent_server,
    micro_blog,
    copying,
    hello,
    remote_transcript,
    polymorphic,
    library_class,
    micro_blog_objects,
    by_reference,
    errors,
    datagrams,
    pipelining,
    garbage,
    echo_actors,
    chat_room,
);

#[test]
fn every_example_is_a_step_and_every_step_is_tested() {
    let sections: Vec<String> =
        readme::sections().into_iter().map(|section| section.name).collect();
    assert_eq!(sections, STEPS, "the steps of README.md in order, and those tested here");
    let mut examples: Vec<String> = std::fs::read_dir(readme::folder().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|file| file.trim_end_matches(".rs").to_owned())
        .filter(|name| !name.starts_with("library_class_")) // the programs that `library_class` starts
        .collect();
    examples.sort_unstable();
    let readme = std::fs::read_to_string(readme::folder().join("README.md")).unwrap();
    for name in &examples {
        assert!(
            readme.contains(&format!("(examples/{name}.rs)")),
            "README.md has no link to {name}"
        );
    }
    let mut steps = sections;
    steps.sort_unstable();
    assert_eq!(examples, steps, "the files in examples/, and the steps of README.md");
}
