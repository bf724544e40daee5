//! The dashboard and the web package are read from `dist/` while developing and embedded from it in a
//! release; the folders must be there when the server is compiled, even while they are empty.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for folder in ["../dist/dashboard", "../dist/npm"] {
        if std::env::var("PROFILE").as_deref() == Ok("release") {
            println!("cargo:rerun-if-changed={folder}");
        }
        std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot create {folder}: {error}"));
    }
}
