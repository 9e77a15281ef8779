use super::*;

const DOCUMENTED: &str = include_str!("../../../docs/agent.toml");

fn problems(text: &str) -> Vec<Problem> {
    match Config::parse(text, Path::new("agent.toml")) {
        Err(ConfigError::Invalid { problems, .. }) => problems,
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn the_documented_file_is_valid_and_names_every_field() {
    let text: String = DOCUMENTED
        .lines()
        .map(|line| line.strip_prefix("#= ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    Config::parse(&text, Path::new("docs/agent.toml")).unwrap_or_else(|error| panic!("{error}"));
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let mut missing = Vec::new();
    let mut roots = vec![&schema];
    roots.extend(schema["$defs"].as_object().unwrap().values());
    for root in roots {
        for field in root["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
            let shown = text.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("{field} "))
                    || line.contains(&format!("{field}]"))
                    || line.contains(&format!("{field} ="))
            });
            if !shown {
                missing.push(field.clone());
            }
        }
    }
    assert!(missing.is_empty(), "docs/agent.toml doesn't show {missing:?}");
}

#[test]
fn an_unknown_field_is_pointed_at() {
    let text = DOCUMENTED.replace("data_dir", "datadir");
    let found = problems(&text);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("datadir"), "{found:?}");
    assert_eq!(found[0].source, text.lines().nth(found[0].line - 1).unwrap());
    assert!(found[0].source.starts_with("datadir"));
}

#[test]
fn every_problem_is_told_at_once() {
    let text = r#"
member = "bank-a"
agent = "gw1"
data_dir = "/tmp/x"
[pack]
file = "p"
trusted_keys = "k"
[mqtt]
host = "broker.example.com"
[[listener]]
name = "a"
protocol = "smpp"
bind = "127.0.0.1:1"
upstream = [{ address = "nowhere" }]
[[listener]]
name = "a"
protocol = "cmpp"
bind = "127.0.0.1:1"
upstream = []
policy = { block_status = 300, typology = { "loan" = "flag" } }
"#;
    let said = problems(text).into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("\n");
    for expected in [
        "'a' is taken",
        "127.0.0.1:1 is taken",
        "has no upstream",
        "isn't host:port",
        "there is no TLS",
        "no typology 'loan'",
        "block_status must be 1 to 255",
    ] {
        assert!(said.contains(expected), "{expected} not in:\n{said}");
    }
}

#[test]
fn a_problem_is_pointed_at_where_it_stands() {
    let text = r#"member = "bank-a"
agent = "gw1"
data_dir = "/tmp/x" # bytes_max, [mqtt]: words of a comment are no place
[pack]
file = "p"
trusted_keys = "k"
[mqtt]
host = "broker.example.com"
rate_max = 0
[spool]
bytes_max = 1
[[listener]]
name = "a"
protocol = "smpp"
bind = "127.0.0.1:1"
upstream = [{ address = "one:1" }, { address = "nowhere" }]
policy.typology.fraud = "flag"
policy.flag_at = 90
on_failure = { late = "open", deadline_ms = 0 }
[[sip]]
name = "trunk"
bind = "127.0.0.1:5060"
next_hops = ["10.0.0.5:5060", "pbx"]
policy.reject_at = 101
"#;
    let found = problems(text);
    let shown: Vec<String> = found
        .iter()
        .map(|problem| {
            let rest: String = problem.source.chars().skip(problem.column - 1).take(9).collect();
            format!("{}:{} {rest}", problem.line, problem.column)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "8:8 \"broker.e",
            "9:12 0",
            "11:13 1",
            "16:48 \"nowhere\"",
            "18:18 90",
            "19:45 0 }",
            "23:31 \"pbx\"]",
            "24:20 101",
        ],
        "{found:#?}"
    );
}

#[test]
fn doors_for_calls_are_pointed_at() {
    let text = r#"member = "bank-a"
agent = "gw1"
data_dir = "/tmp/x"
[pack]
file = "p"
trusted_keys = "k"
[[sip]]
name = "in"
bind = "0.0.0.0:5060"
mode = "proxy"
udp = false
next_hops = ["10.0.0.5:5060", "10.0.0.6:5061;transport=tls", "10.0.0.7", "0.0.0.0:5060"]
proxy = { advertise = "a b", domains = ["x", "y:1"], hop_timeout_ms = 0, hop_tls = { ca = "", cert = "c" } }
stir = { anchors = "/", wait_ms = 60000, freshness_s = 0 }
[[sip]]
name = "out"
bind = "0.0.0.0:5060"
mode = "proxy"
next_hops = []
tls = { bind = "127.0.0.1:5061", files = { cert = "", key = "k" } }
"#;
    let found = problems(text);
    let shown: Vec<String> = found
        .iter()
        .map(|problem| {
            let rest: String = problem.source.chars().skip(problem.column - 1).take(8).collect();
            format!("{} {rest}", problem.line)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "12 \"10.0.0.",
            "12 \"10.0.0.",
            "12 \"0.0.0.0",
            "12 \"0.0.0.0",
            "13 \"a b\", d",
            "13 \"y:1\"], ",
            "13 0, hop_t",
            "13 hop_tls ",
            "13 \"\", cert",
            "14 \"/\", wai",
            "14 60000, f",
            "14 0 }",
            "17 \"0.0.0.0",
            "17 \"0.0.0.0",
            "19 []",
            "20 \"\", key ",
        ],
        "{found:#?}"
    );
}

#[test]
fn the_message_shows_the_line_and_what_to_do() {
    let text = "member = \"Bank A\"\n";
    let error = Config::parse(text, Path::new("agent.toml")).unwrap_err().to_string();
    assert!(error.contains("agent.toml:1:10"), "{error}");
    assert!(error.contains("1 | member = \"Bank A\""), "{error}");
}
