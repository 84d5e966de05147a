//! Generates Rust from the compiled schema, so that the schema compiler is not needed. After a change of
//! `schema/peer.capnp`, compile it anew, in that directory: `capnp compile -o- peer.capnp > peer.request`.

fn main() {
    let request = "schema/peer.request";
    println!("cargo::rerun-if-changed={request}");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
    capnpc::codegen::CodeGenerationCommand::new()
        .output_directory(out)
        .run(std::fs::File::open(request).expect("it is part of the source"))
        .expect("it is the output of the schema compiler");
}
