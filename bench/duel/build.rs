//! Generates the Rust code of the Cap'n Proto contestant from the compiled schema, so that a build does not need the schema
//! compiler. After a change of `schema/duel.capnp`, compile it in that folder: `capnp compile -o- duel.capnp > duel.request`.
//!
//! It must not know the contents of the schema.

fn main() {
    let request = "schema/duel.request";
    println!("cargo::rerun-if-changed={request}");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    capnpc::codegen::CodeGenerationCommand::new()
        .output_directory(out)
        .run(std::fs::File::open(request).expect("the compiled schema is part of the source"))
        .expect("the compiled schema is valid");
}
