//! A broker cluster's worth of hubs on one PostgreSQL, and a disk that is full.

use crate::site::{MINUTE, Site};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use yumen_tests::postgres::Postgres;
use yumen_tests::program::{self, Program, eventually, free_port};

/// Mosquitto, PostgreSQL, and hubs that share both.
struct Cluster {
    site: Site,
    server: Postgres,
    url: String,
}

impl Cluster {
    fn new() -> Result<Self> {
        let server = Postgres::start(&[])?;
        let url = server.database("hub")?;
        Ok(Self { site: Site::new()?, server, url })
    }

    fn start_broker(&self) -> Result<Program> {
        self.site.start_mosquitto(&format!("listener {} 127.0.0.1\nallow_anonymous true", self.site.mqtt))
    }

    fn start_hub(&self, name: &str, http: u16) -> Result<Program> {
        let config = format!(
            "data_dir = {:?}\n[store]\nurl = \"{}\"\n[http]\nbind = \"127.0.0.1:{http}\"\n\
             [mqtt]\nhost = \"localhost\"\nport = {}\nclient_id = \"{name}\"\ngroup = \"hub\"\n",
            self.site.path(name),
            self.url,
            self.site.mqtt
        );
        let file = self.site.path(&format!("{name}.toml"));
        std::fs::write(&file, config)?;
        let mut command = Command::new(program::path("yumen-hub")?);
        command.args(["run", "--demo"]).arg("--config").arg(&file);
        let mut hub = Program::start(name, &mut command, &self.site.path(&format!("{name}.log")))?;
        hub.wait_http(&format!("http://127.0.0.1:{http}/readyz"))?;
        Ok(hub)
    }

    fn count(&self) -> Result<usize> {
        Ok(self.server.query("hub", "SELECT COUNT(*) FROM sighting")?.trim().parse()?)
    }

    fn arrive_more(&self, count: usize) -> Result<()> {
        let start = self.count()?;
        eventually(MINUTE, "sightings arrive", || Ok(self.count()? >= start + count))
    }

    /// Each table against the senders' logs.
    fn compare(&self) -> Result<usize> {
        let ids = self.server.query("hub", "SELECT id FROM sighting")?;
        let ids: Vec<String> = ids.lines().map(str::to_owned).collect();
        let count = self.site.compare(&ids, 0)?;
        for sum in [
            "SUM(hits) FROM tally",
            "SUM(hits) FROM observed",
            "SUM(hits) FROM known",
            "COUNT(*) FROM mention",
            "COUNT(DISTINCT arrival) FROM sighting",
        ] {
            let found: usize = self.server.query("hub", &format!("SELECT {sum}"))?.trim().parse()?;
            ensure!(found == count, "{found} by {sum}, {count} sightings");
        }
        Ok(count)
    }
}

/// How many sightings a hub committed since its start.
fn committed(http: u16) -> Result<u64> {
    let text = ureq::get(format!("http://127.0.0.1:{http}/metrics")).call()?.body_mut().read_to_string()?;
    let line = text.lines().find(|line| line.starts_with("yumen_hub_sightings_total "));
    Ok(line.and_then(|line| line.split(' ').nth(1)).context("no such metric")?.parse()?)
}

#[test]
fn broker_database_and_two_hubs_are_killed_in_turn_and_each_table_equals_the_senders_logs() -> Result<()> {
    let mut cluster = Cluster::new()?;
    let mut broker = cluster.start_broker()?;
    let (first_http, second_http) = (free_port()?, free_port()?);
    let mut first = cluster.start_hub("hub-1", first_http)?;
    let mut second = cluster.start_hub("hub-2", second_http)?;
    let mut agents = [cluster.site.start_agent_of("bank-a")?, cluster.site.start_agent_of("bank-b")?];
    cluster.arrive_more(500)?;
    ensure!(committed(first_http)? > 0 && committed(second_http)? > 0, "both hubs work");

    broker.kill()?;
    cluster.site.accept_more(300)?;
    broker = cluster.start_broker()?;
    cluster.arrive_more(300)?;

    // The other one goes on by itself.
    first.kill()?;
    cluster.arrive_more(300)?;
    first = cluster.start_hub("hub-1", first_http)?;

    cluster.server.kill()?;
    cluster.site.accept_more(300)?;
    cluster.server.restart()?;
    cluster.arrive_more(300)?;

    second.kill()?;
    cluster.arrive_more(300)?;
    second = cluster.start_hub("hub-2", second_http)?;
    cluster.arrive_more(300)?;
    eventually(MINUTE, "both hubs work again", || {
        Ok(committed(first_http)? > 0 && committed(second_http)? > 0)
    })?;

    let [one, other] = &mut agents;
    cluster.site.finish(&mut [one, other])?;
    let count = cluster.compare()?;
    ensure!(count > 2000, "{count}");
    ensure!(first.terminate()?.success() && second.terminate()?.success() && broker.is_running());
    Ok(())
}

#[test]
fn a_full_disk_holds_up_and_loses_nothing() -> Result<()> {
    let site = Site::new()?;
    std::fs::write(site.path("hub.toml"), &site.hub_config)?;
    // Files of the hub may have 1 MiB; the signal that would end it for that is ignored, as on a disk that is full.
    let mut command = Command::new("bash");
    command
        .args(["-c", "trap '' XFSZ; ulimit -S -f 1024; exec \"$@\"", "bash"])
        .arg(program::path("yumen-hub")?);
    command
        .args(["run", "--demo"])
        .arg("--config")
        .arg(site.path("hub.toml"))
        .arg("--data-dir")
        .arg(site.path("hub"));
    let mut hub = Program::start("yumen-hub", &mut command, &site.path("hub.log"))?;
    hub.wait_http(&site.url("/healthz"))?;
    let mut agent = site.start_agent()?;
    eventually(MINUTE, "the disk is full", || Ok(hub.log().contains("the database takes nothing")))?;
    let full = site.table()?.len();
    site.accept_more(500)?;
    ensure!(site.table()?.len() == full, "nothing goes in any more, and what is there can be read");
    let id = hub.id().to_string();
    program::done(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]))?;
    site.arrive_more(500)?;
    let count = site.check(&mut agent, 0)?;
    ensure!(count > full + 500, "{count}");
    ensure!(hub.terminate()?.success(), "{}", hub.log());
    Ok(())
}
