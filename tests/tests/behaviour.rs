//! How numbers behave, over restarts and over several gateways: agents killed and started again, and Debian's Redis stopped,
//! frozen and started again between two of them.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use yumen_tests::program::{Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

const TOKEN: &str = "0123456789abcdef0123";
/// The attempt towards the same callee that is refused.
const REFUSED_AT: u32 = 10;

const RULES: &str = r#"
[pack]
name = "test"
title = "Test"

[[rule]]
id = "calls/one-after-the-other"
typology = "fraud"
title = "反复呼叫"
title_en = "Calls again and again"
channel = ["call"]
score = 90
ladder = "enforce"
when = 'pair.attempts("10m") >= 10'
hit = [{ by = 10, events = [{ repeat = 12, every = "5s", from = "13800000001", to = "13900000002" }] }]
miss = [{ events = [{ repeat = 9, every = "5s", from = "13800000001", to = "13900000002" }] }]
"#;

/// A decision that waited for Redis would take its timeout of 2 s.
const UNDELAYED: Duration = Duration::from_millis(1500);

#[test]
fn a_bomber_between_two_gateways_is_caught_as_by_one() -> Result<()> {
    let bench = Bench::prepare()?;
    let redis_port = free_port()?;
    let mut redis = bench.start_redis(redis_port)?;
    let share = bench.share(redis_port)?;
    let gateways = [bench.start("gw1", &share)?, bench.start("gw2", &share)?];
    for gateway in &gateways {
        gateway.wait_metric("yumen_behaviour_share_connected", |connected| connected == 1)?;
    }

    let mut refused = None;
    for attempt in 1..=2 * REFUSED_AT {
        let gateway = &gateways[usize::from(attempt % 2 == 0)];
        if gateway.call("13800000001", "13900000002")? {
            refused = Some(attempt);
            break;
        }
        let other = &gateways[usize::from(attempt % 2 == 1)];
        other.wait_metric("yumen_behaviour_share_received_total", |deltas| {
            deltas >= i64::from(attempt.div_ceil(2))
        })?;
    }
    // The calls of one gateway alone would reach the limit at the nineteenth.
    ensure!(
        refused == Some(REFUSED_AT),
        "refused at {refused:?}, both together reach the limit at {REFUSED_AT}"
    );

    // Frozen: it takes connections and answers nothing.
    redis.signal(Signal::STOP)?;
    let slowest = slowest_of(&gateways, 60)?;
    ensure!(slowest < UNDELAYED, "a decision took {slowest:?} while Redis was frozen");

    // Gone, with all it knew.
    redis.kill()?;
    let before = [gateways[0].received()?, gateways[1].received()?];
    for attempt in 1..REFUSED_AT {
        let gateway = &gateways[usize::from(attempt % 2 == 0)];
        ensure!(!gateway.call("13800000003", "13900000004")?, "attempt {attempt} was refused by one alone");
    }
    let slowest = slowest_of(&gateways, 60)?;
    ensure!(slowest < UNDELAYED, "a decision took {slowest:?} while Redis was gone");
    for gateway in &gateways {
        gateway.wait_metric("yumen_behaviour_share_connected", |connected| connected == 0)?;
    }

    // Back, empty: what waited is sent, and both count again as one.
    let _redis = bench.start_redis(redis_port)?;
    for gateway in &gateways {
        gateway.wait_metric("yumen_behaviour_share_connected", |connected| connected == 1)?;
        gateway.wait_metric("yumen_behaviour_share_waiting", |waiting| waiting == 0)?;
    }
    for (gateway, before) in gateways.iter().zip(before) {
        // 30 of each round of decisions, and 4 or 5 of the caller's.
        let all = before.unwrap_or(0) + 30 + 30 + 4;
        gateway.wait_metric("yumen_behaviour_share_received_total", |deltas| deltas >= all)?;
    }
    for gateway in &gateways {
        ensure!(gateway.call("13800000003", "13900000004")?, "a gateway doesn't know the other's calls");
    }
    Ok(())
}

/// Three nodes of a cluster; one of them goes, and with it the whole: then it comes back.
#[test]
fn a_cluster_shares_as_one_server_does() -> Result<()> {
    let bench = Bench::prepare()?;
    let ports = [free_port()?, free_port()?, free_port()?];
    let mut nodes = ports.iter().map(|&port| bench.start_node(port)).collect::<Result<Vec<_>>>()?;
    join(&ports)?;
    let share = bench.share_cluster(&ports)?;
    let gateways = [bench.start("gw1", &share)?, bench.start("gw2", &share)?];
    for gateway in &gateways {
        gateway.wait_metric("yumen_behaviour_share_connected", |connected| connected == 1)?;
    }
    let refused = alternate(&gateways, "13800000001", "13900000002")?;
    ensure!(refused == Some(REFUSED_AT), "refused at {refused:?}");

    // Without one of its masters a cluster answers nobody.
    nodes.remove(0).kill()?;
    let slowest = slowest_of(&gateways, 40)?;
    ensure!(slowest < UNDELAYED, "a decision took {slowest:?} while a node was gone");
    nodes.push(bench.start_node(ports[0])?);
    eventually(Duration::from_secs(60), "the cluster is whole again", || is_whole(&ports))?;
    for gateway in &gateways {
        gateway.wait_metric("yumen_behaviour_share_connected", |connected| connected == 1)?;
        gateway.wait_metric("yumen_behaviour_share_waiting", |waiting| waiting == 0)?;
    }
    let refused = alternate(&gateways, "13800000005", "13900000006")?;
    ensure!(refused == Some(REFUSED_AT), "refused at {refused:?} after a node had gone");
    Ok(())
}

/// Calls that alternate between two gateways, each telling the other; the attempt that is refused.
fn alternate(gateways: &[Gateway; 2], from: &str, to: &str) -> Result<Option<u32>> {
    let received = |gateway: &Gateway| Ok::<_, anyhow::Error>(gateway.received()?.unwrap_or(0));
    let before = [received(&gateways[0])?, received(&gateways[1])?];
    for attempt in 1..=2 * REFUSED_AT {
        let (own, other) = (usize::from(attempt % 2 == 0), usize::from(attempt % 2 == 1));
        if gateways[own].call(from, to)? {
            return Ok(Some(attempt));
        }
        let expected = before[other] + i64::from(attempt.div_ceil(2));
        gateways[other].wait_metric("yumen_behaviour_share_received_total", |deltas| deltas >= expected)?;
    }
    Ok(None)
}

/// Makes a cluster of nodes.
fn join(ports: &[u16]) -> Result<()> {
    let mut command = Command::new("redis-cli");
    command.args(["--cluster", "create"]).args(ports.iter().map(|port| format!("127.0.0.1:{port}")));
    let output = command.args(["--cluster-replicas", "0", "--cluster-yes"]).output().context("redis-cli")?;
    ensure!(output.status.success(), "redis-cli: {}", String::from_utf8_lossy(&output.stdout));
    eventually(Duration::from_secs(60), "the cluster is whole", || is_whole(ports))
}

fn is_whole(ports: &[u16]) -> Result<bool> {
    for port in ports {
        let output = Command::new("redis-cli").args(["-p", &port.to_string(), "cluster", "info"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.contains("cluster_state:ok") || !text.contains("cluster_slots_ok:16384") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[test]
fn counters_survive_a_kill_and_a_damaged_snapshot() -> Result<()> {
    let bench = Bench::prepare()?;
    let config = "\n[behaviour]\nmemory_mib = 4\nsnapshot_every_s = 1\n";
    let mut gateway = bench.start("gw1", config)?;
    for attempt in 1..REFUSED_AT {
        ensure!(!gateway.call("13800000001", "13900000002")?, "attempt {attempt} was refused");
    }
    let tracked = gateway.metric("yumen_behaviour_tracked")?.context("a gauge")?;
    let snapshot = bench.dir.path().join("gw1/behaviour.snapshot");
    // The next one may have been begun before the last call; the one after it wasn't.
    for _ in 0..2 {
        let written = || std::fs::metadata(&snapshot).and_then(|file| file.modified()).ok();
        let before = written();
        eventually(Duration::from_secs(20), "a snapshot is written", || Ok(written() > before))?;
    }
    gateway.program.kill()?;

    let mut gateway = bench.start("gw1", config)?;
    ensure!(gateway.metric("yumen_behaviour_tracked")? == Some(tracked), "not the same numbers are tracked");
    ensure!(gateway.call("13800000001", "13900000002")?, "the calls before the kill are forgotten");
    gateway.program.kill()?;

    let mut bytes = std::fs::read(&snapshot)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&snapshot, bytes)?;
    let gateway = bench.start("gw1", config)?;
    ensure!(gateway.program.log().contains("BehaviourSnapshotRefused"), "nothing is said about the damage");
    ensure!(!gateway.call("13800000001", "13900000002")?, "damaged counters were used");
    Ok(())
}

/// The longest of so many decisions, about numbers of their own.
fn slowest_of(gateways: &[Gateway], decisions: u32) -> Result<Duration> {
    let mut slowest = Duration::ZERO;
    for nth in 0..decisions {
        let gateway = &gateways[usize::from(nth % 2 == 0)];
        let began = Instant::now();
        gateway.call(&format!("1380001{nth:04}"), "13900000009")?;
        slowest = slowest.max(began.elapsed());
    }
    Ok(slowest)
}

struct Bench {
    dir: TempDir,
}

struct Gateway {
    program: Program,
    api: u16,
    metrics: u16,
}

impl Bench {
    fn prepare() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let rules = dir.path().join("rules");
        std::fs::create_dir(&rules)?;
        std::fs::write(rules.join("test.toml"), RULES)?;
        Site { dir: dir.path().to_owned(), ports: Ports::free()? }.build_pack(&rules, 1)?;
        std::fs::write(dir.path().join("tokens"), format!("test {TOKEN}\n"))?;
        Ok(Self { dir })
    }

    fn share(&self, port: u16) -> Result<String> {
        let secret = self.dir.path().join("secret");
        std::fs::write(&secret, [7; 32])?;
        Ok(format!(
            "\n[behaviour]\nmemory_mib = 4\n\n[behaviour.share]\nnodes = [\"127.0.0.1:{port}\"]\nsecret_file = {secret:?}\n"
        ))
    }

    fn start(&self, name: &str, extra: &str) -> Result<Gateway> {
        let site = Site { dir: self.dir.path().to_owned(), ports: Ports::free()? };
        let api = free_port()?;
        let tokens = self.dir.path().join("tokens");
        let config = site.agent_config(
            name,
            &format!(
                "\n[api]\nbind = \"127.0.0.1:{api}\"\ntokens = {tokens:?}\nrate_max = 100000\n\
                 policy = {{ ladder = \"enforce\" }}\non_failure = {{ deadline_ms = 60000 }}\n{extra}"
            ),
        );
        let program = site.start_agent(name, &config)?;
        Ok(Gateway { program, api, metrics: site.ports.agent })
    }

    fn share_cluster(&self, ports: &[u16]) -> Result<String> {
        let nodes: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let one = self.share(ports[0])?;
        let single = format!("nodes = [{:?}]", nodes[0]);
        Ok(one.replace(&single, &format!("cluster = true\nnodes = {nodes:?}")))
    }

    /// A node of a cluster; started again, it knows its place.
    fn start_node(&self, port: u16) -> Result<Program> {
        let dir = self.dir.path().join(format!("node-{port}"));
        std::fs::create_dir_all(&dir)?;
        let mut command = Command::new("redis-server");
        command.current_dir(&dir).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--cluster-enabled", "yes"]);
        command.args(["--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"]);
        let mut node = Program::start("redis-server", &mut command, &dir.join("log"))?;
        node.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(node)
    }

    /// Debian's, which keeps nothing on disk.
    fn start_redis(&self, port: u16) -> Result<Program> {
        let dir: &Path = self.dir.path();
        let mut command = Command::new("redis-server");
        command.current_dir(dir).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no"]);
        let mut redis = Program::start("redis-server", &mut command, &dir.join("redis.log"))?;
        redis.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(redis)
    }
}

impl Gateway {
    /// Asks about a call attempt; whether it is refused.
    fn call(&self, from: &str, to: &str) -> Result<bool> {
        let answer: Value = ureq::post(&format!("http://127.0.0.1:{}/v1/decisions", self.api))
            .header("Authorization", &format!("Bearer {TOKEN}"))
            .send_json(json!({ "call": { "from": from, "to": to } }))?
            .body_mut()
            .read_json()?;
        answer["block"].as_bool().with_context(|| format!("no decision: {answer}"))
    }

    fn received(&self) -> Result<Option<i64>> {
        self.metric("yumen_behaviour_share_received_total")
    }

    fn metric(&self, name: &str) -> Result<Option<i64>> {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.map(str::parse).transpose()?)
    }

    fn wait_metric(&self, name: &str, wanted: impl Fn(i64) -> bool) -> Result<()> {
        eventually(Duration::from_secs(30), name, || Ok(self.metric(name)?.is_some_and(&wanted)))
    }
}
