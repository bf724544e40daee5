//! What `beira deploy` writes is read from `dist/` while developing and embedded from it in a release;
//! the folders must be there when this is compiled, even while they are empty.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for folder in ["../dist/cloudflare", "../dist/proxy-wasm"] {
        if std::env::var("PROFILE").as_deref() == Ok("release") {
            println!("cargo:rerun-if-changed={folder}");
        }
        std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot create {folder}: {error}"));
    }
}
