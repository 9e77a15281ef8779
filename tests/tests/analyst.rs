//! An analyst's way, as docs/analyst.md tells it: a new scam appears, is found as a miss, a rule is suggested, reworded, tested,
//! compared, signed, and live. `YUMEN_RECORD=FILE` writes down what was typed and what came.

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use yumen_tests::peer::smpp::{Centre, Esme};
use yumen_tests::program;
use yumen_tests::site::{Ports, Site, rules_dir};

/// What subscribers reported this morning.
const REPORTED: &str = "\
fraud\t银龄鹤卡本周开放认领，先存三百占座，下月起每月返一千二，名额找站长登记
fraud\t阿姨，鹤卡认领就差您一位了，占座费三百交给站长，返现按月到账
fraud\t银龄站通知：鹤卡占座今晚截止，占座费可微信转给站长，返现不封顶
fraud\t老张也认领鹤卡了，占座三百，上月已返一千二，您也找站长占一个吧
fraud\t银龄鹤卡二期认领开始，站长处交占座费，返现直接打到存折
fraud\t认领鹤卡送体检，占座费三百，返现一千二起，站长上门办理
";
/// What people and institutions write with some of the same words.
const HONEST: &str = "\
ham\t阿姨，社区站的老年餐今天是红烧鱼，给您留一份
ham\t银行提醒您：存折业务请到柜台办理，请勿向他人转账
ham\t站长说明天停水，记得存点水
ham\t图书馆占座系统升级，请重新登记
ham\t您认领的快递已到驿站，请凭取件码领取
ham\t老张，你上月垫的三百我今天转你
ham\t体检报告已出，请登录医院公众号查看
ham\t本月话费返现已到账，感谢您的支持
";
/// The draft, reworded: what the practice can't do without, not what these six say.
const RULE: &str = "\
[[rule]]
id = \"local/place-fee\"
typology = \"fraud\"
title = \"以认领名额、按月返现为名收占座费\"
title_en = \"A fee for a place that is said to pay back every month\"
ladder = \"enforce\"
score = 85
match.place = { any = [\"占座\", \"认领\"] }
match.fee = { any = [\"占座费\", \"先存\", \"占座三百\", \"交给站长\"] }
match.returns = { any = [\"返现\", \"月返\", \"已返\", \"按月到账\"] }
when = \"place && fee && returns && !sender.registered\"
hit = [\"福寿卡开放认领，占座费五百，按月到账八百\", \"先存二百占座，每月返现不封顶\"]
miss = [\"图书馆占座系统升级，请重新登记\", \"本月话费返现已到账，感谢您的支持\"]
";
/// None of the six, and the same practice.
const NEXT: &str = "福寿卡认领最后一天，占座费八百交给站长，下月起返现";
/// How long a swap may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_report_to_a_rule_in_force() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site::prepare(dir.path(), Ports::free()?)?;
    copy(&rules_dir(), &dir.path().join("packs"))?;
    let centre = Centre::start(("127.0.0.1", site.ports.smsc)).await?;
    let _agent = site.start_agent("gateway", &site.agent_config("gateway", ""))?;
    let esme = Esme::bind(("127.0.0.1", site.ports.smpp), "sender").await?;
    let mut way = Recording { dir: dir.path(), text: String::new() };

    way.says("A scam that no rule knows goes through.");
    way.file("reported.tsv", REPORTED)?;
    way.file("honest.tsv", HONEST)?;
    ensure!(submit(&esme, NEXT).await?, "it is caught already: another text is wanted");
    let screened = way.types(&["screen", "reported.tsv", "--json", "--pack", "yumen.pack"])?;
    let missed = screened.lines().filter(|line| line.contains("\"verdict\":\"allow\"")).count();
    ensure!(missed == 6, "{missed} of 6 are missed: {screened}");

    way.says("What do they have that honest messages haven't?");
    let missed =
        ["--typology", "fraud", "--missed", "reported.tsv", "--ham", "honest.tsv", "--id", "local/place-fee"];
    let draft = way.types(&[&["rules", "suggest"], missed.as_slice()].concat())?;
    ensure!(draft.contains("id = \"local/place-fee\"") && draft.contains("占座费"), "{draft}");

    way.says("The draft is reworded: a place, a fee for it, and money that comes back.");
    way.file("packs/local/place-fee.toml", RULE)?;
    let tested = way.types(&["rules", "test", "packs", "--lang", "en"])?;
    ensure!(tested.contains("0 failed"), "{tested}");

    way.says("What would it block that wasn't blocked, and what of it is honest?");
    let all = [REPORTED, HONEST].concat();
    way.file("all.tsv", &all)?;
    let compared = way.types(&["rules", "diff", "yumen.pack", "packs", "all.tsv"])?;
    ensure!(compared.contains("newly blocked: 6") && compared.contains("ham: 8, 0 → 0"), "{compared}");

    way.says("Built, signed with the institution's key, verified as a gateway would, and put in its place.");
    way.types(&[
        "rules", "build", "packs", "--serial", "2", "--key", "dev.key", "--output", "new.pack", "--lang",
        "en",
    ])?;
    way.types(&["rules", "verify", "new.pack", "--keyring", "dev.key.pub"])?;
    std::fs::rename(dir.path().join("new.pack"), site.pack())?;
    way.says("$ mv new.pack yumen.pack");

    let began = Instant::now();
    while submit(&esme, NEXT).await? {
        ensure!(began.elapsed() < PATIENCE, "the rule doesn't come into force");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let before = centre.count();
    for line in REPORTED.lines() {
        let text = line.split('\t').nth(1).context("no text")?;
        ensure!(!submit(&esme, text).await?, "{text} goes through");
    }
    ensure!(centre.count() == before, "a blocked message reached the centre");
    for line in HONEST.lines() {
        let text = line.split('\t').nth(1).context("no text")?;
        ensure!(submit(&esme, text).await?, "{text} is blocked");
    }
    way.says("Live: the gateway that was running all the time refuses the six, and another one of the kind.");
    way.types(&["rules", "explain", "--pack", "yumen.pack", NEXT])?;
    match std::env::var_os("YUMEN_RECORD") {
        Some(file) => Ok(std::fs::write(file, way.text)?),
        None => Ok(()),
    }
}

/// Whether a message gets through.
async fn submit(esme: &Esme, text: &str) -> Result<bool> {
    let answers = esme.submit("8613900001234", "8613900000001", text).await?;
    Ok(answers.iter().all(yumen_tests::peer::smpp::Submitted::is_ok))
}

/// What was typed, and what came.
struct Recording<'d> {
    dir: &'d Path,
    text: String,
}

impl Recording<'_> {
    fn says(&mut self, line: &str) {
        // Writing to a String doesn't fail.
        let _written = writeln!(self.text, "{}{line}\n", if line.starts_with('$') { "" } else { "# " });
    }

    fn file(&mut self, name: &str, text: &str) -> Result<()> {
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
        let _written = writeln!(self.text, "$ cat {name}\n{text}");
        Ok(())
    }

    /// Runs `yumen` where the files are; gives its standard output.
    fn types(&mut self, args: &[&str]) -> Result<String> {
        let began = Instant::now();
        let output = program::done(Command::new(program::path("yumen")?).current_dir(self.dir).args(args))?;
        let line: Vec<String> = args
            .iter()
            .map(|arg| if arg.is_ascii() { (*arg).to_owned() } else { format!("'{arg}'") })
            .collect();
        let seconds = began.elapsed().as_secs_f64();
        let _written = writeln!(self.text, "$ yumen {}\n{output}({seconds:.1} s)\n", line.join(" "));
        Ok(output)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
