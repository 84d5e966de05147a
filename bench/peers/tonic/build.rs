//! Generates the client and the server of the service from its description here, so that `protoc` is not needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let service = Service::builder()
        .name("Peer")
        .package("bench")
        .method(method("add", "Add", "Amount", "Sum"))
        .method(method("echo", "Echo", "Vector", "Vector"))
        .method(method("echo_bytes", "EchoBytes", "ByteString", "ByteString"))
        .build();
    Builder::new().compile(&[service]);
}

fn method(name: &str, route: &str, request: &str, reply: &str) -> Method {
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(format!("crate::service::{request}"))
        .output_type(format!("crate::service::{reply}"))
        .codec_path("tonic_prost::ProstCodec")
        .build()
}
