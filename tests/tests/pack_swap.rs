//! Packs change under traffic, by SIGHUP and because the file changed: each message is judged by the old pack or by the new
//! one, and a pack that is refused changes nothing.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};
use yumen_tests::peer::smpp::{Centre, Esme};
use yumen_tests::program::Program;
use yumen_tests::site::{Ports, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_swapped_by_sighup_and_a_bad_one_refused() -> Result<()> {
    let bench = Bench::start(0).await?;
    bench.expect(OLD).await?;

    bench.build("new", 2)?;
    bench.agent.signal(Signal::HUP)?;
    bench.follow(OLD, NEW).await?;

    // Cut, foreign, older: each is refused with its reason, and what was in force stays so.
    let good = std::fs::read(bench.site.pack())?;
    std::fs::write(bench.site.pack(), &good[..good.len() - 100])?;
    bench.refused(1).await?;
    let mut changed = good.clone();
    let last = changed.last_mut().context("an empty pack")?;
    *last ^= 1;
    std::fs::write(bench.site.pack(), &changed)?;
    bench.refused(2).await?;
    bench.build("old", 1)?;
    bench.refused(3).await?;
    bench.expect(NEW).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_swapped_when_its_file_changes() -> Result<()> {
    let bench = Bench::start(1).await?;
    bench.expect(OLD).await?;
    bench.build("new", 2)?;
    bench.follow(OLD, NEW).await?;
    bench.build("old", 3)?;
    bench.follow(NEW, OLD).await
}

/// Which of [`TEXTS`] are blocked.
type Blocked = [bool; 3];

/// Only an old pack, only a new one, both.
const TEXTS: [&str; 3] = ["旧规则所指的暗语甲", "新规则所指的暗语乙", "两个规则包都拦的暗语丙"];
const OLD: Blocked = [true, false, true];
const NEW: Blocked = [false, true, true];
/// How long a swap may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    site: Site,
    agent: Program,
    esme: Esme,
    centre: Centre,
    dir: tempfile::TempDir,
}

impl Bench {
    async fn start(watch_s: u64) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        for (name, word) in [("old", "暗语甲"), ("new", "暗语乙")] {
            write_rules(&dir.path().join(name).join("swap"), word)?;
        }
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        site.build_pack(&dir.path().join("old"), 1)?;
        let centre = Centre::start(("127.0.0.1", site.ports.smsc)).await?;
        let config = site
            .agent_config("gateway", "")
            .replace("watch_s = 1", &format!("watch_s = {watch_s}"))
            // A busy machine isn't what is tested here.
            .replace(
                "policy = { ladder = \"enforce\" }",
                "policy = { ladder = \"enforce\" }\non_failure = { deadline_ms = 60000, no_pack = \"closed\" }",
            );
        let agent = site.start_agent("gateway", &config)?;
        let esme = Esme::bind(("127.0.0.1", site.ports.smpp), "swap").await?;
        Ok(Self { site, agent, esme, centre, dir })
    }

    fn build(&self, name: &str, serial: u64) -> Result<()> {
        self.site.build_pack(&self.dir.path().join(name), serial)
    }

    /// Sends each text once: which were blocked.
    async fn round(&self) -> Result<Blocked> {
        let mut blocked = [false; 3];
        for (text, blocked) in TEXTS.into_iter().zip(&mut blocked) {
            let before = self.centre.count();
            let answers = self.esme.submit("106900000001", "8613900000001", text).await?;
            *blocked = answers.iter().any(|answer| !answer.is_ok());
            let arrived = self.centre.count() - before;
            ensure!((arrived == 0) == *blocked, "{text}: blocked {blocked}, and {arrived} arrived");
        }
        Ok(blocked)
    }

    async fn expect(&self, wanted: Blocked) -> Result<()> {
        let found = self.round().await?;
        ensure!(found == wanted, "blocked {found:?}, wanted {wanted:?}");
        Ok(())
    }

    /// Sends until the new pack is in force. What both packs block is blocked in every round, and once a text is judged by
    /// the new pack, none is judged by the old one.
    async fn follow(&self, old: Blocked, new: Blocked) -> Result<()> {
        let began = Instant::now();
        loop {
            let mut swapped = false;
            for (place, blocked) in self.round().await?.into_iter().enumerate() {
                let (before, after) = (old[place], new[place]);
                ensure!(blocked == before || blocked == after, "{} was judged by no pack", TEXTS[place]);
                if before != after {
                    ensure!(!swapped || blocked == after, "the old pack came back");
                    swapped = blocked == after;
                }
            }
            if swapped {
                return self.expect(new).await;
            }
            ensure!(began.elapsed() < PATIENCE, "no swap: {}", self.agent.log());
        }
    }

    /// Asks for a reload, and waits until that many packs were refused.
    async fn refused(&self, count: u64) -> Result<()> {
        self.agent.signal(Signal::HUP)?;
        let began = Instant::now();
        while self.refusals()? < count {
            ensure!(began.elapsed() < PATIENCE, "it was taken: {}", self.agent.log());
            self.expect(NEW).await?;
        }
        self.expect(NEW).await
    }

    /// Refused packs, whatever the reason.
    fn refusals(&self) -> Result<u64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.site.ports.agent);
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        let values = text.lines().filter(|line| line.starts_with("yumen_pack_refusals_total"));
        values.map(|line| Ok(line.rsplit(' ').next().context("no value")?.parse::<u64>()?)).sum()
    }
}

fn write_rules(dir: &Path, word: &str) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(
        dir.join("pack.toml"),
        "[pack]\nname = \"swap\"\ntitle = \"替换\"\ntitle_en = \"Swap\"\n\n\
         [defaults]\ntypology = \"fraud\"\nladder = \"enforce\"\nchannel = [\"sms\"]\n",
    )?;
    let rules = [("one", word), ("both", "暗语丙")].map(|(id, word)| {
        format!(
            "[[rule]]\nid = \"swap/{id}\"\ntitle = \"暗语\"\ntitle_en = \"A word\"\nscore = 95\n\
             match.word = {{ any = [\"{word}\"] }}\nwhen = \"word\"\nhit = [\"这里有{word}\"]\nmiss = [\"暗语\"]\n"
        )
    });
    Ok(std::fs::write(dir.join("rules.toml"), rules.concat())?)
}
