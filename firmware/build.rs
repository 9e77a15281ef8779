//! Puts the board's memory map where the linker looks for it.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    for name in ["YUMEN_EDGE_PACK", "YUMEN_EDGE_KEY"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if env::var_os("CARGO_FEATURE_MPS2_AN386").is_none() {
        return;
    }
    if let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) {
        match fs::copy("memory.x", out.join("memory.x")) {
            Ok(_) => println!("cargo::rustc-link-search={}", out.display()),
            Err(error) => println!("cargo::error=memory.x: {error}"),
        }
    }
}
