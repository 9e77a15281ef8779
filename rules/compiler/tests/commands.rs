//! `yumen rules …` and `yumen screen` as they are typed.

#![expect(clippy::expect_used, reason = "a test that can't write its files fails")]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use yumen_compiler::cli::{self, RulesCommand, ScreenArgs};

#[derive(Parser)]
enum Typed {
    #[command(subcommand)]
    Rules(RulesCommand),
    Screen(ScreenArgs),
}

const RULE: &str = r#"
[[rule]]
id = "fraud/test"
typology = "fraud"
title = "测试"
score = 80
match.word = { any = ["刷单返利"] }
when = "word"
hit = ["刷单返利日结"]
miss = ["今天下雨"]
"#;

#[test]
fn command_lines_are_well_formed() {
    Typed::command().debug_assert();
}

#[test]
fn a_pack_is_built_signed_and_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("rule.toml"), RULE).expect("written");
    assert!(succeeds(&["rules", "keygen", &at("key")]));
    assert!(!succeeds(&["rules", "keygen", &at("key")]), "a key that is there was replaced");
    assert!(succeeds(&["rules", "keygen", &at("other")]));
    assert!(succeeds(&["rules", "build", &at("rule.toml"), "-o", &at("pack"), "--key", &at("key")]));
    assert!(succeeds(&["rules", "verify", &at("pack"), "--keyring", &at("key.pub")]));
    assert!(
        !succeeds(&["rules", "verify", &at("pack"), "--keyring", &at("other.pub")]),
        "a foreign key was trusted"
    );

    assert!(succeeds(&["rules", "build", &at("rule.toml"), "-o", &at("bare"), "--unsigned"]));
    assert!(
        !succeeds(&["rules", "verify", &at("bare"), "--keyring", &at("key.pub")]),
        "an unsigned pack was taken"
    );
    assert!(succeeds(&["rules", "sign", &at("bare"), "--key", &at("other"), "-o", &at("signed")]));
    assert!(succeeds(&["rules", "verify", &at("signed"), "--keyring", &at("other.pub")]));

    let mut damaged = fs::read(at("pack")).expect("read");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(at("damaged"), damaged).expect("written");
    assert!(
        !succeeds(&["rules", "verify", &at("damaged"), "--keyring", &at("key.pub")]),
        "damage went unnoticed"
    );

    assert!(succeeds(&["rules", "explain", "刷单返利", "--pack", &at("pack")]));
    fs::write(at("in.tsv"), "a\t刷单返利\nb\t你好\n").expect("written");
    assert!(succeeds(&["screen", &at("in.tsv"), "--pack", &at("pack"), "--json"]));
    assert!(!succeeds(&["screen", &at("absent.tsv"), "--pack", &at("pack")]));
    assert!(!succeeds(&["screen", &at("in.tsv"), "--pack", &at("pack"), "--column", "nothing"]));
}

#[test]
fn packs_are_evaluated_and_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("old.toml"), RULE).expect("written");
    fs::write(at("new.toml"), RULE.replace("刷单返利", "兼职日结")).expect("written");
    fs::write(at("in.tsv"), "fraud\t刷单返利\nham\t兼职日结\n").expect("written");
    let old = at("old.toml");
    let (page, missed) = (at("out.html"), at("missed.tsv"));
    assert!(succeeds(&[
        "rules",
        "eval",
        &at("in.tsv"),
        "--pack",
        &old,
        "--html",
        &page,
        "--missed",
        &missed
    ]));
    assert!(fs::read_to_string(&page).expect("written").ends_with("</html>\n"));
    assert_eq!(fs::read_to_string(&missed).expect("written"), "");
    assert!(succeeds(&[
        "rules",
        "eval",
        &at("in.tsv"),
        "--pack",
        &at("new.toml"),
        "--missed",
        &missed,
        "--json"
    ]));
    assert_eq!(fs::read_to_string(&missed).expect("written"), "fraud\t刷单返利\n");
    assert!(!succeeds(&["rules", "eval", &at("absent.tsv"), "--pack", &old]));
    assert!(!succeeds(&["rules", "eval", &at("in.tsv"), "--pack", &old, "--text-column", "nothing"]));
    assert!(succeeds(&["rules", "diff", &old, &at("new.toml"), &at("in.tsv")]));
    assert!(!succeeds(&["rules", "diff", &old, &at("new.toml"), &at("in.tsv"), "--strict"]));
    assert!(succeeds(&["rules", "diff", &at("new.toml"), &old, &at("in.tsv"), "--strict", "--json"]));
}

#[test]
fn a_draft_is_suggested_and_looked_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("missed.tsv"), "fraud\t虚拟墓园认购火热\nfraud\t虚拟墓园回报高\n").expect("written");
    fs::write(at("ham.tsv"), "ham\t墓园停车位有限\nham\t认购已确认\nspam\t虚拟墓园\n").expect("written");
    let (missed, ham, draft) = (at("missed.tsv"), at("ham.tsv"), at("draft.toml"));
    let suggest = ["rules", "suggest", "--missed", &missed, "--ham", &ham, "-o", &draft];
    assert!(succeeds(&suggest));
    assert!(!succeeds(&suggest), "a file that is there was replaced");
    assert!(succeeds(&["rules", "test", &draft]));
    assert!(succeeds(&["rules", "lint", &draft]));
    assert!(succeeds(&["rules", "lint", &draft, "--corpus", &missed]));
    fs::write(at("gap.toml"), RULE.replace("{ any = [\"刷单返利\"] }", "{ regex = '刷单.*返利' }"))
        .expect("written");
    assert!(!succeeds(&["rules", "lint", &at("gap.toml")]));
}

#[test]
fn a_new_rule_lacks_only_what_its_author_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new.toml").display().to_string();
    assert!(succeeds(&["rules", "new", "fraud/fake-refund", "-o", &file]));
    assert!(!succeeds(&["rules", "new", "fraud/other", "-o", &file]), "a file that is there was replaced");
    assert!(!succeeds(&["rules", "new", "nothing/other"]), "a folder that is no typology");
    assert!(!succeeds(&["rules", "new", "Fraud/Other"]));
    let report = yumen_compiler::check_paths(&[file.into()]);
    let mut codes: Vec<_> = report.diagnostics.sorted().iter().map(|found| found.defect.code()).collect();
    codes.dedup();
    assert_eq!(codes, ["E050", "W004", "E016"], "{}", report.render(Default::default()));
}

#[test]
fn conditions_are_profiled() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("rule.toml"), RULE).expect("written");
    fs::write(at("in.tsv"), "刷单返利\n你好\n").expect("written");
    assert!(succeeds(&["rules", "profile", &at("in.tsv"), "--pack", &at("rule.toml")]));
    assert!(succeeds(&[
        "rules",
        "profile",
        &at("in.tsv"),
        "--pack",
        &at("rule.toml"),
        "--json",
        "--top",
        "1"
    ]));
}

#[test]
#[cfg(unix)]
fn secret_keys_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    assert!(succeeds(&["rules", "keygen", &key.display().to_string()]));
    assert_eq!(fs::metadata(&key).expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_fails_its_tests_is_not_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("rule.toml"), RULE.replace("今天下雨", "刷单返利")).expect("written");
    assert!(succeeds(&["rules", "check", &at("rule.toml")]));
    assert!(!succeeds(&["rules", "test", &at("rule.toml")]));
    assert!(!succeeds(&["rules", "build", &at("rule.toml"), "-o", &at("pack"), "--unsigned"]));
    assert!(!Path::new(&at("pack")).exists(), "a pack that fails was written");
    assert!(!succeeds(&["rules", "check", &at("nowhere")]));
}

fn succeeds(arguments: &[&str]) -> bool {
    let typed = Typed::try_parse_from(std::iter::once(&"yumen").chain(arguments)).expect("well formed");
    let code = match typed {
        Typed::Rules(command) => cli::run(command),
        Typed::Screen(args) => cli::screen(&args),
    };
    code == ExitCode::SUCCESS
}
