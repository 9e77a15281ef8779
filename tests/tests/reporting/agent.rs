//! The agent's side: the real spool and link, in a process of its own.

use anyhow::Result;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use yumen_agent::mqtt::{Acknowledge, Facts, Link, Options, Tls};
use yumen_agent::spool::{self, Spool};
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::Name;

/// Not a test by itself: the agent of the tests below, run as another process. Without its environment it does nothing.
#[test]
fn agent_process() -> Result<()> {
    let Some(dir) = std::env::var_os("YUMEN_TEST_AGENT_DIR").map(PathBuf::from) else { return Ok(()) };
    let port: u16 = std::env::var("YUMEN_TEST_AGENT_PORT")?.parse()?;
    let tls = std::env::var_os("YUMEN_TEST_AGENT_TLS").map(PathBuf::from);
    let member = std::env::var("YUMEN_TEST_AGENT_MEMBER")?.parse()?;
    tokio::runtime::Runtime::new()?.block_on(agent(&dir, member, port, tls.as_deref()))
}

async fn agent(dir: &Path, member: Name, port: u16, tls: Option<&Path>) -> Result<()> {
    let agent: Name = "gw1".parse()?;
    let spool_options = spool::Options { segment_bytes: 64 * 1024, ..spool::Options::new(dir.join("spool")) };
    let (spool, _) = Spool::open(spool_options)?;
    let mut options = Options::new(member.clone(), agent.clone(), "localhost", port);
    options.backoff = (Duration::from_millis(50), Duration::from_millis(500));
    options.resend_after = Duration::from_secs(1);
    options.status_interval = Duration::from_millis(500);
    options.acknowledge = Acknowledge::Hub;
    if let Some(tls) = tls {
        let (cert, key) = (tls.join("agent.pem"), tls.join("agent.key"));
        options.tls = Some(Tls::load(&tls.join("ca.pem"), Some((&cert, &key)), None)?);
    }
    let facts = Facts {
        pack: Some(PackRef { name: "yumen".into(), serial: 3 }),
        judged: 9,
        blocked: 4,
        refused: Vec::new(),
    };
    let link = Link::start(options, spool.clone(), Arc::new(move || facts.clone()));
    let mut accepted = File::options().create(true).append(true).open(dir.join("accepted"))?;
    let mut number = 0;
    while !dir.join("../stop").exists() {
        for _ in 0..10 {
            number += 1;
            let id = Uuid::now_v7();
            let envelope = Envelope::new(id, &member, &agent, 1_763_920_920_123, sighting(number));
            spool.append(&serde_json::to_vec(&envelope)?)?;
            writeln!(accepted, "{id}")?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while spool.stats().records > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    link.stop().await;
    Ok(())
}

fn sighting(number: u32) -> Sighting {
    Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "sms".into(),
        verdict: "reject".into(),
        typology: "fraud".into(),
        score: 90,
        pack: PackRef { name: "yumen".into(), serial: 3 },
        rules: vec![RuleHit { id: "fraud/test".into(), score: 90, spans: vec![(0, 4)] }],
        lists: Vec::new(),
        indicators: vec![Indicator {
            kind: "domain".into(),
            value: format!("n{number}.example.com"),
            origin: "text".into(),
        }],
        victim: None,
        destinations: 1,
        template: None,
        appeal: None,
        text_chars: 40,
        segments: (1, 1),
    }
}
