//! What must never become an indicator, whoever says so: organisations of the rules' registry, and names that millions use.

use std::collections::HashSet;
use std::sync::OnceLock;
use yumen_rules::engine::number_matches;

/// Numbers and domains that are known good, beside what the configuration of `[share]` has.
#[derive(Debug, Default)]
pub struct KnownGood {
    numbers: Vec<String>,
    domains: HashSet<String>,
}

static BUILTIN: OnceLock<KnownGood> = OnceLock::new();

impl KnownGood {
    /// What the rules that this program carries name. The first call reads the rules, and takes a while.
    #[must_use]
    pub fn builtin() -> &'static Self {
        BUILTIN.get_or_init(|| {
            let mut known = Self::default();
            for sender in yumen_compiler::embedded::report().draft.senders {
                known.numbers.extend(sender.numbers);
                known.domains.extend(sender.domains);
            }
            let lists = yumen_compiler::embedded::files();
            let listed = lists.iter().filter(|(path, _)| path.ends_with("well-known-domains.txt"));
            for line in listed.flat_map(|(_, text)| text.lines()).map(str::trim) {
                if !line.is_empty() && !line.starts_with('#') {
                    known.domains.insert(line.to_owned());
                }
            }
            known
        })
    }

    /// Adds the organisations that rules in these folders name.
    pub fn add_rules(&mut self, rules: &[std::path::PathBuf]) {
        for sender in yumen_compiler::check_paths(rules).draft.senders {
            self.numbers.extend(sender.numbers);
            self.domains.extend(sender.domains);
        }
    }

    /// Whether an indicator belongs to one of them.
    #[must_use]
    pub fn has(&self, kind: &str, value: &str) -> bool {
        match kind {
            "number" => self.numbers.iter().any(|own| number_matches(own, value)),
            "domain" | "url" => {
                let host = value.split(['/', ':', '?', '#']).next().unwrap_or_default();
                // Its own name, or that of a domain above it.
                let above = host.match_indices('.').map(|(at, _)| host.get(at + 1..).unwrap_or_default());
                std::iter::once(host).chain(above).any(|name| self.domains.contains(name))
            }
            "email" => value.rsplit_once('@').is_some_and(|(_, host)| self.is_registered(host)),
            _ => false,
        }
    }

    /// A mailbox at a provider that millions use is somebody's own; one at an organisation of the registry is its.
    fn is_registered(&self, host: &str) -> bool {
        !FREE_MAIL.contains(&host) && self.has("domain", host)
    }
}

/// Providers where anybody gets a mailbox.
const FREE_MAIL: [&str; 10] = [
    "qq.com",
    "163.com",
    "126.com",
    "139.com",
    "189.cn",
    "sina.com",
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_and_names_of_millions_are_known_good() {
        let known = KnownGood::builtin();
        for (kind, value) in
            [("domain", "10086.cn"), ("domain", "wap.10086.cn"), ("url", "10086.cn/x"), ("number", "95588")]
        {
            assert!(known.has(kind, value), "{kind}:{value}");
        }
        for (kind, value) in [
            ("domain", "10086.cn.evil.example"),
            ("domain", "evil10086.cn"),
            ("url", "evil.example/10086.cn"),
            ("number", "13900000009"),
            ("email", "somebody@qq.com"),
            ("qq", "95588"),
        ] {
            assert!(!known.has(kind, value), "{kind}:{value}");
        }
    }
}
