//! Real peers for the end-to-end tests: nobody here wrote them.

use crate::machine::{Need, file, install, program};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Peers from Debian, and what fetches the others.
const NEEDS: &[Need] = &[
    Need { what: "Mosquitto, an MQTT broker", package: "mosquitto", present: || program("mosquitto") },
    Need { what: "Kannel, an SMPP ESME", package: "kannel", present: || program("bearerbox") },
    Need { what: "sipp, a SIP caller and callee", package: "sip-tester", present: || program("sipp") },
    Need { what: "Kamailio, a SIP proxy", package: "kamailio", present: || program("kamailio") },
    Need { what: "Kamailio's HTTP client", package: "kamailio-utils-modules", present: http_client },
    Need { what: "Kamailio's TLS", package: "kamailio-tls-modules", present: kamailio_tls },
    Need {
        what: "Redis, which gateways share counters through",
        package: "redis-server",
        present: || program("redis-server"),
    },
    Need { what: "PostgreSQL, a database", package: "postgresql", present: postgres },
    Need { what: "tshark, a second reader of captures", package: "tshark", present: || program("tshark") },
    Need { what: "curl, an HTTP client", package: "curl", present: || program("curl") },
    Need { what: "Python 3", package: "python3", present: || program("python3") },
    Need { what: "pip and venv for Python", package: "python3-venv", present: venv },
    Need { what: "Node.js", package: "nodejs", present: || program("node") },
    Need { what: "npm", package: "npm", present: || program("npm") },
    Need { what: "Chromium, a browser", package: "chromium", present: || program("chromium") },
    Need { what: "its driver", package: "chromium-driver", present: || program("chromedriver") },
    Need { what: "a font with Chinese characters", package: "fonts-wqy-microhei", present: chinese_font },
];

/// Peers from PyPI.
const PYTHON: &[&str] = &["smpplib==2.2.4", "schemathesis==4.32.5", "jasmin==0.11.1"];
/// Those that speak with other platforms: in an environment of their own, since they want other versions of the same things.
const PLATFORMS: &[&str] =
    &["taxii2-client==2.3.0", "stix2==3.0.2", "stix2-validator==3.3.2", "pymisp==2.5.34.4"];
/// Peers from npm: an ESME, the check of a description, and the accessibility check of the console's pages.
const NPM: &[&str] = &["smpp@0.5.1", "@asyncapi/parser@3.6.6", "axe-core@4.11.0"];

/// Installs all peers; returns the folder that holds those from PyPI and npm.
pub(crate) fn prepare() -> Result<PathBuf> {
    install(NEEDS)?;
    let dir = crate::target_dir().join("peers");
    std::fs::create_dir_all(&dir)?;
    python(&dir.join("python"), PYTHON)?;
    python(&dir.join("platforms"), PLATFORMS)?;
    node(&dir)?;
    Ok(dir)
}

fn python(venv: &Path, packages: &[&str]) -> Result<()> {
    let stamp = venv.join(packages.join(","));
    if stamp.exists() {
        return Ok(());
    }
    println!("installing 正在安装: {} (PyPI)", packages.join(", "));
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(venv);
    crate::run(make)?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
    crate::run(pip)?;
    Ok(std::fs::write(stamp, "")?)
}

fn node(dir: &Path) -> Result<()> {
    let home = dir.join("node");
    let stamp = home.join(NPM.join(",").replace('/', "-"));
    if stamp.exists() {
        return Ok(());
    }
    println!("installing 正在安装: {} (npm)", NPM.join(", "));
    std::fs::create_dir_all(&home)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&home).args(NPM);
    crate::run(npm)?;
    Ok(std::fs::write(stamp, "")?)
}

fn chinese_font() -> bool {
    ["truetype/wqy/wqy-microhei.ttc", "opentype/noto/NotoSansCJK-Regular.ttc"]
        .iter()
        .any(|font| file(&format!("/usr/share/fonts/{font}")))
}

fn http_client() -> bool {
    kamailio_module("http_client.so")
}

fn kamailio_tls() -> bool {
    kamailio_module("tls.so")
}

fn kamailio_module(name: &str) -> bool {
    std::fs::read_dir("/usr/lib").is_ok_and(|mut dirs| {
        dirs.any(|dir| dir.is_ok_and(|dir| dir.path().join("kamailio/modules").join(name).exists()))
    })
}

/// Debian keeps each version's programs in a folder of its own.
fn postgres() -> bool {
    std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| {
        versions.any(|version| version.is_ok_and(|version| version.path().join("bin/initdb").exists()))
    })
}

/// Debian splits `ensurepip` off; an interpreter from elsewhere has it.
fn venv() -> bool {
    file("/usr/share/doc/python3-venv")
        || Command::new("python3")
            .args(["-c", "import ensurepip"])
            .output()
            .is_ok_and(|output| output.status.success())
}
