//! Generates the client from the schema, below target/, each time the schema changes.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Path::new("../../dist-schema/proto");
    println!("cargo::rerun-if-changed={}", schema.display());
    let files = ["gitpod/v1/identity.proto", "gitpod/v1/organization.proto"];
    let descriptors = protox::compile(files, [schema])?;
    tonic_prost_build::configure().build_server(false).compile_fds(descriptors)?;
    Ok(())
}
