//! Writes the Rust of the Cap'n Proto contestant from its compiled schema, so that nobody needs the schema compiler. It
//! must not know what the schema says. Who changes `schema/duel.capnp` compiles it anew, in that folder:
//! `capnp compile -o- duel.capnp > duel.request`.

fn main() {
    let request = "schema/duel.request";
    println!("cargo::rerun-if-changed={request}");
    let out = std::env::var_os("OUT_DIR").expect("cargo names the place");
    capnpc::codegen::CodeGenerationCommand::new()
        .output_directory(out)
        .run(std::fs::File::open(request).expect("it is part of the source"))
        .expect("it is what the schema compiler made");
}
