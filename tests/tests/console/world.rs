//! A hub with people and sightings, and a browser that nobody here wrote.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use uuid::Uuid;
use yumen_exchange::check::Received;
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::Name;
use yumen_hub::store::{Address, StatusReceived, Store};
use yumen_tests::program::{self, Program, free_port};
use yumen_tests::site::{Ports, Site};
use yumen_tests::webdriver::{Element, Session, keys};

/// Longer than any page takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
const DAY_MS: u64 = 86_400_000;

/// Seen by three members today: it is enforced.
pub(crate) const ENFORCED: &str = "pay-0001.example.com";
/// Seen by two: it is a clue.
pub(crate) const CLUE: &str = "loan-0002.example.com";

const RULES: &str = r#"
[[rule]]
id       = "fraud/safe-account"
typology = "fraud"
title    = "要求转账到“安全账户”"
title_en = "Asks for a transfer to a \"safe account\""
channel  = ["sms"]
score    = 90
ladder   = "enforce"
match.safe = { any = ["安全账户"] }
when = "safe"
hit  = ["请把钱转到安全账户保管"]
miss = ["请把钱存好", "点 loan-0002.example.com 查看会员积分"]

[[redress]]
typology = "fraud"
zh = "因疑似冒充公检法的诈骗内容，已被拦截。"
zh_hant = "因疑似冒充公檢法的詐騙內容，已被攔截。"
en = "Stopped because it looks like somebody posing as an authority."
"#;

/// How the browser shows pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) phone: bool,
    pub(crate) dark: bool,
}

pub(crate) const DESKTOP: Look = Look { phone: false, dark: false };

impl Look {
    pub(crate) fn name(self) -> String {
        let (width, light) =
            (if self.phone { "phone" } else { "desktop" }, if self.dark { "dark" } else { "light" });
        format!("{width}-{light}")
    }
}

pub(crate) struct World {
    site: Site,
    _dir: tempfile::TempDir,
    _hub: Program,
    _driver: Program,
    driver_port: u16,
    /// A program that may do everything.
    token: String,
    /// The blocked message that is freed, and the appeal id that was given out for it.
    pub(crate) blocked: (Uuid, String),
    passwords: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        let rules = dir.path().join("rules");
        std::fs::create_dir(&rules)?;
        std::fs::write(rules.join("fraud.toml"), RULES)?;
        site.build_pack(&rules, 1)?;
        let file = |name: &str| dir.path().join(name);
        let config = format!(
            "data_dir = {data:?}\n[http]\nbind = \"127.0.0.1:{http}\"\nsecond_factor = false\n\
             [broker]\nbind = \"127.0.0.1:{mqtt}\"\n[console]\nrules = [{rules:?}]\n\
             [share]\nrules = [{rules:?}]\nsigning_key = {key:?}\n",
            data = file("hub"),
            http = site.ports.console,
            mqtt = site.ports.mqtt,
            key = file("dev.key"),
        );
        std::fs::write(file("hub.toml"), config)?;
        std::fs::create_dir(file("hub"))?;
        let address = Address::file(&file("hub/hub.sqlite"))?;
        let blocked = tokio::runtime::Runtime::new()?.block_on(async {
            let store = Store::open(&address).await?;
            let blocked = seed(&store).await;
            store.close().await;
            blocked
        })?;
        let token = site.hub_command(&["token", "add", "test", "--role", "administrator"])?.trim().to_owned();
        let mut passwords = Vec::new();
        for (name, role, member) in [
            ("admin", "administrator", ""),
            ("liming", "hub-analyst", ""),
            ("wang", "member-analyst", "bank-a"),
        ] {
            let mut args = vec!["user", "add", name, "--role", role];
            if !member.is_empty() {
                args.extend(["--member", member]);
            }
            passwords.push((name, site.hub_command(&args)?.trim().to_owned()));
        }
        let mut command = Command::new(program::path("yumen-hub")?);
        command.arg("run").arg("--config").arg(file("hub.toml"));
        let mut hub = Program::start("yumen-hub", &mut command, &file("hub.log"))?;
        hub.wait_http(&format!("http://127.0.0.1:{}/healthz", site.ports.console))?;
        let driver_port = free_port()?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={driver_port}"));
        let mut driver = Program::start("chromedriver", &mut command, &file("driver.log"))?;
        driver.wait_http(&format!("http://127.0.0.1:{driver_port}/status"))?;
        Ok(Self { site, _dir: dir, _hub: hub, _driver: driver, driver_port, token, blocked, passwords })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.site.ports.console)
    }

    /// What the API says.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let request = ureq::get(self.url(path)).header("authorization", format!("Bearer {}", self.token));
        Ok(request.call()?.body_mut().read_json()?)
    }

    /// The newest pack.
    pub(crate) fn pack(&self) -> Result<Vec<u8>> {
        Ok(ureq::get(self.url("/api/v1/packs/stable")).call()?.body_mut().read_to_vec()?)
    }

    pub(crate) fn browser(&self, look: Look) -> Result<Browser> {
        let mut args = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        args.push("--window-size=1360,900");
        args.push("--lang=zh-CN");
        if look.dark {
            args.push("--force-dark-mode");
            args.push("--blink-settings=preferredColorScheme=0");
        }
        let mut options = json!({ "args": args });
        if look.phone {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0 } });
        }
        let session = Session::start(self.driver_port, &options)?;
        Ok(Browser { session, root: self.url(""), look })
    }

    /// A browser in which somebody has logged in, by the keyboard alone.
    pub(crate) fn log_in(&self, name: &str, look: Look) -> Result<Browser> {
        let browser = self.browser(look)?;
        let (_, password) =
            self.passwords.iter().find(|(known, _)| *known == name).context("no such person")?;
        browser.open("/login")?;
        browser.keys(name)?;
        browser.keys(keys::TAB)?;
        browser.keys(password)?;
        browser.keys(keys::ENTER)?;
        browser.shows("nav.main")?;
        Ok(browser)
    }
}

pub(crate) struct Browser {
    pub(crate) session: Session,
    root: String,
    pub(crate) look: Look,
}

impl Browser {
    pub(crate) fn open(&self, path: &str) -> Result<()> {
        self.session.open(&format!("{}{path}", self.root))
    }

    /// Waits until the page has it.
    pub(crate) fn shows(&self, css: &str) -> Result<Element> {
        self.session.wait_for(css, LIMIT)
    }

    /// Types into whatever has the focus.
    pub(crate) fn keys(&self, keys: &str) -> Result<()> {
        self.session.keys(&self.session.active()?, keys)
    }

    /// Types into a field.
    pub(crate) fn write(&self, css: &str, text: &str) -> Result<()> {
        let field = self.shows(css)?;
        self.session.clear(&field)?;
        self.session.keys(&field, text)
    }

    /// Tabs on until what has the focus matches; nothing is clicked.
    pub(crate) fn tab_to(&self, css: &str) -> Result<()> {
        for _ in 0..150 {
            let script = "return document.activeElement.matches(arguments[0])";
            if self.session.run(script, &[json!(css)])? == json!(true) {
                return Ok(());
            }
            self.keys(keys::TAB)?;
        }
        anyhow::bail!("{css} isn't reached by the keyboard:\n{}", self.session.text()?)
    }

    pub(crate) fn click(&self, css: &str) -> Result<()> {
        self.session.click(&self.shows(css)?)
    }

    /// What axe-core finds that is serious or critical.
    pub(crate) fn violations(&self, axe: &str) -> Result<Vec<String>> {
        self.session.run(axe, &[])?;
        let run = "const done = arguments[arguments.length - 1]; axe.run(document, { resultTypes: ['violations'] })\
                   .then((found) => done(found.violations), (error) => done([{ impact: 'critical', id: String(error), nodes: [] }]))";
        let found = self.session.run_async(run)?;
        let serious = found.as_array().context("axe says nothing")?.iter();
        let serious = serious.filter(|one| matches!(one["impact"].as_str(), Some("serious" | "critical")));
        Ok(serious.map(|one| format!("{} {}", one["id"], one["nodes"][0]["html"])).collect())
    }

    /// Into the folder that `YUMEN_SCREENSHOTS` names, if any.
    pub(crate) fn picture(&self, name: &str) -> Result<()> {
        let Some(dir) = std::env::var_os("YUMEN_SCREENSHOTS").map(PathBuf::from) else { return Ok(()) };
        std::fs::create_dir_all(&dir)?;
        Ok(std::fs::write(dir.join(format!("{name}-{}.png", self.look.name())), self.session.screenshot()?)?)
    }
}

fn name(text: &str) -> Result<Name> {
    Ok(text.parse()?)
}

/// A blocked message of a member, that names a domain.
fn sighting(member: &str, typology: &str, domain: &str, time_ms: u64, random: u64) -> Result<Received> {
    let (member, agent) = (name(member)?, name("gw1")?);
    let indicator = |kind: &str, value: &str, origin: &str| Indicator {
        kind: kind.into(),
        value: value.into(),
        origin: origin.into(),
    };
    let bytes: Vec<u8> = random.to_be_bytes().into_iter().chain([0; 2]).collect();
    let bytes: [u8; 10] = bytes.try_into().ok().context("ten bytes")?;
    let id = uuid::Builder::from_unix_timestamp_millis(time_ms, &bytes).into_uuid();
    let data = Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "sms".into(),
        verdict: if random % 7 == 3 { "flag" } else { "reject" }.into(),
        typology: typology.into(),
        score: 90,
        pack: PackRef { name: "yumen".into(), serial: 1 },
        rules: vec![RuleHit { id: "fraud/safe-account".into(), score: 90, spans: vec![(4, 8), (20, 26)] }],
        indicators: vec![
            indicator("number", &format!("139{:08}", 10 + random % 40), "originator"),
            indicator("domain", domain, "text"),
        ],
        victim: Some(format!("v1:2026-11:{random:032x}")),
        destinations: 1,
        template: Some("s1:00112233445566aa".into()),
        appeal: None,
        lists: Vec::new(),
        text_chars: 42,
        segments: (1, 1),
    };
    let envelope = Envelope::new(id, &member, &agent, time_ms, data);
    Ok(Received { member, agent, time_ms, envelope })
}

/// A month of five members' sightings.
async fn seed(store: &Store) -> Result<(Uuid, String)> {
    let now_ms = yumen_hub::clock::now_ms();
    let typologies = ["fraud", "loan-mediation", "debt-collection", "stock-tips", "credit-repair"];
    let mut random = 7u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 24
    };
    for day in (1..30u64).rev() {
        let time_ms = now_ms - day * DAY_MS;
        let mut batch = Vec::new();
        for _ in 0..(6 + next() % 20) {
            let draw = next();
            let member = format!("bank-{}", ["a", "b", "c", "d", "e"][usize::try_from(draw % 5)?]);
            let typology = typologies[usize::try_from(draw / 5 % 5)?];
            batch.push(sighting(
                &member,
                typology,
                &format!("n{}.example.com", draw / 25 % 60),
                time_ms + draw % DAY_MS,
                draw,
            )?);
        }
        store.commit(&batch, &[], time_ms).await?;
    }
    let mut batch = Vec::new();
    for hour in 1..40u64 {
        let draw = next();
        batch.push(sighting(
            "bank-d",
            "fraud",
            &format!("m{}.example.com", draw % 9),
            now_ms - hour * 3_600_000,
            draw,
        )?);
    }
    for member in ["bank-b", "bank-c"] {
        batch.push(sighting(member, "fraud", ENFORCED, now_ms - 60_000, next())?);
        batch.push(sighting(member, "loan-mediation", CLUE, now_ms - 50_000, next())?);
    }
    let mut blocked = sighting("bank-a", "fraud", ENFORCED, now_ms - 1000, 4)?;
    let appeal = "00112233445566778899aabbccddeeff".to_owned();
    blocked.envelope.data.appeal = Some(appeal.clone());
    blocked.envelope.data.indicators[0].value = "13900000001".into();
    let id = blocked.envelope.id;
    batch.push(blocked);
    let mut statuses = Vec::new();
    for (member, online) in [("bank-a", true), ("bank-b", true), ("bank-c", false)] {
        let golden = include_bytes!("../../../exchange/tests/golden/status_of_a_running_agent.json");
        let status = serde_json::from_slice(golden)?;
        let status = yumen_exchange::status::Status { online, ..status };
        statuses.push(StatusReceived { member: name(member)?, agent: name("gw1")?, status });
        store.add_member(&name(member)?, now_ms).await?;
    }
    store.commit(&batch, &statuses, now_ms).await?;
    ensure!(store.count().await? > 200, "too little to look at");
    Ok((id, appeal))
}
