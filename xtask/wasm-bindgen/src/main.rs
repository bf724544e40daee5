//! `wasm-bindgen`, tied to Cargo.lock: Trunk and `cargo xtask` find it on their PATH.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os())
}
