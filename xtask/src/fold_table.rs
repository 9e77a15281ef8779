//! `cargo xtask fold-table`: makes the tables of folding anew.

use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::process::Command;

const TABLES: [&str; 2] = ["table.rs", "sound_table.rs"];

/// Runs the generator (a workspace of its own, since it needs dictionaries that nothing else does). With `--check`
/// the tables stay, and it is an error if they would change.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?;
    let folder = root.join("rules/src/fold");
    match args {
        [] => generate(root, &folder),
        [check] if check == "--check" => {
            let fresh = root.join("target/fold-tables");
            std::fs::create_dir_all(&fresh)?;
            generate(root, &fresh)?;
            TABLES.iter().try_for_each(|name| same(&folder.join(name), &fresh.join(name)))
        }
        _ => bail!("usage: cargo xtask fold-table [--check]"),
    }
}

fn generate(root: &Path, out: &Path) -> Result<()> {
    let manifest = root.join("rules/fold-tables/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(root.join("target/fold-tables-build"))
        .arg("--")
        .arg(out)
        .status()
        .context("cargo")?;
    ensure!(status.success(), "the generator failed");
    Ok(())
}

fn same(committed: &Path, fresh: &Path) -> Result<()> {
    let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    ensure!(
        read(committed)? == read(fresh)?,
        "{} isn't what rules/fold-tables makes: run `cargo xtask fold-table` and commit it",
        committed.display()
    );
    Ok(())
}
