//! Lists the repository's packs, so that the binary carries their sources.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../packs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    if root.is_dir() {
        list(&root, &mut files)?;
    }
    files.sort();
    let mut out = String::from("const FILES: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = Path::new("packs").join(file.strip_prefix(&root).unwrap_or(file));
        let full = file.canonicalize()?;
        let _ = writeln!(
            out,
            "    ({:?}, include_str!({:?})),",
            name.display().to_string(),
            full.display().to_string()
        );
    }
    out.push_str("];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("packs.rs"), out)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    // A folder is watched too, so that a new file is noticed.
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml" || extension == "txt") {
            files.push(path);
        }
    }
    Ok(())
}
