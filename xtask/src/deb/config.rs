//! The configuration files of the packages: the documented examples with every field commented out that isn't needed.

use anyhow::{Result, bail};

/// What stays in force: table (empty for the top), field, value where it differs from the example's.
type Kept = (&'static str, &'static str, Option<&'static str>);

const AGENT: &[Kept] = &[
    ("", "member", Some("\"example\"")),
    ("", "agent", None),
    ("", "data_dir", Some("\"/var/lib/yumen\"")),
    ("http", "bind", None),
    ("pack", "file", Some("\"/usr/share/yumen/yumen.pack\"")),
    ("pack", "trusted_keys", Some("\"/etc/yumen/trusted-keys\"")),
];

const HUB: &[Kept] = &[
    ("", "data_dir", Some("\"/var/lib/yumen-hub\"")),
    ("http", "bind", None),
    ("broker", "bind", None),
    ("console", "rules", Some("[\"/usr/share/yumen/packs\"]")),
];

/// The gateway's: it runs, has a pack and its health, and no door yet.
pub(super) fn agent(example: &str) -> Result<String> {
    let head = "\
# The gateway's configuration. To put it to work: set member and agent, uncomment a [[listener]], a [[sip]] or the [api],
# and `systemctl restart yumen`. New doors begin in shadow: they judge and report, and block nothing.
# 网关配置：设置 member 与 agent，启用一个 [[listener]]、[[sip]] 或 [api]，然后重启服务。
# Signing packs of your own: docs/packaging.md in /usr/share/doc/yumen.
#
";
    Ok(head.to_owned() + &commented(example, AGENT)?)
}

/// The hub's: everything on loopback.
pub(super) fn hub(example: &str) -> Result<String> {
    let head = "\
# The hub's configuration. It listens on this machine only; the first administrator is made by
#     sudo -u yumen-hub yumen-hub user add NAME --role administrator --config /etc/yumen-hub/hub.toml
# 枢纽配置：默认只在本机监听，用上面的命令创建首个管理员。
#
";
    Ok(head.to_owned() + &commented(example, HUB)?)
}

/// Puts `#= ` before every line that sets what isn't kept.
fn commented(example: &str, kept: &[Kept]) -> Result<String> {
    let mut out = String::new();
    let mut table = "";
    let mut found = 0;
    for line in example.lines() {
        let line = line.trim_end();
        let uncommented = line.strip_prefix("#= ").unwrap_or(line);
        let header = uncommented.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_prose = uncommented.is_empty() || uncommented.starts_with('#');
        if is_prose {
            out += line;
        } else if let Some(name) = header {
            table = name;
            if kept.iter().any(|(of, ..)| *of == name) {
                out += uncommented
            } else {
                out += &format!("#= {uncommented}")
            }
        } else {
            let field = uncommented.split('=').next().unwrap_or("").trim();
            match kept.iter().find(|(of, name, _)| *of == table && *name == field) {
                Some((.., None)) => out += uncommented,
                Some((.., Some(value))) => out += &format!("{field} = {value}"),
                None => out += &format!("#= {uncommented}"),
            }
            found += usize::from(kept.iter().any(|(of, name, _)| *of == table && *name == field));
        }
        out.push('\n');
    }
    if found != kept.len() {
        bail!("the example has {found} of the {} fields that the package sets", kept.len());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_becomes_a_comment_and_what_was_one_is_kept_once() {
        let example =
            "# Head\na = 1\nb = 2\n\n[t]\n# Why\n#= c = 3\nd = 4\n\n[[l]]\nc = 5\n[l.m]\nx = \"[y]\"\n";
        let kept = [("", "a", None), ("t", "c", Some("9"))];
        let expected = "# Head\na = 1\n#= b = 2\n\n[t]\n# Why\nc = 9\n#= d = 4\n\n#= [[l]]\n#= c = 5\n#= [l.m]\n#= x = \"[y]\"\n";
        assert_eq!(commented(example, &kept).unwrap(), expected);
        assert!(commented(example, &[("t", "gone", None)]).is_err());
    }

    #[test]
    fn the_documented_examples_have_what_the_packages_set() {
        let agent = agent(&crate::deb::read("docs/agent.toml").unwrap()).unwrap();
        let in_force: Vec<&str> =
            agent.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        assert_eq!(
            in_force,
            [
                "member = \"example\"",
                "agent = \"gw1\"",
                "data_dir = \"/var/lib/yumen\"",
                "[http]",
                "bind = \"127.0.0.1:9464\"",
                "[pack]",
                "file = \"/usr/share/yumen/yumen.pack\"",
                "trusted_keys = \"/etc/yumen/trusted-keys\"",
            ]
        );
        hub(&crate::deb::read("docs/hub.toml").unwrap()).unwrap();
    }
}
