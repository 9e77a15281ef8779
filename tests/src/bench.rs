//! A site whose SMPP door stands before npm's centre, and how what arrived there is told from what was sent.

use crate::foreign::NpmCentre;
use crate::program::Program;
use crate::site::{Ports, Site};
use crate::traffic::{Message, Submit};
use anyhow::{Result, ensure};
use tempfile::TempDir;
use yumen_wire::smpp::Sm;

/// What the site answers a blocked message with. ESME_RINVSRCADR: a permanent refusal, and not the default of the gateway.
pub const BLOCK_STATUS: u32 = 0x0a;

/// The site, running.
#[derive(Debug)]
pub struct Bench {
    /// The site.
    pub site: Site,
    /// Its gateway.
    pub agent: Program,
    /// The centre.
    pub centre: NpmCentre,
    _hub: Program,
    /// All files. Last: the programs above have theirs in it.
    pub dir: TempDir,
}

impl Bench {
    /// Starts all of it.
    ///
    /// # Errors
    /// Something isn't installed, or doesn't start.
    pub fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let site = Site::prepare(dir.path(), Ports::free()?)?;
        let centre = NpmCentre::start(dir.path(), site.ports.smsc)?;
        let hub = site.start_hub()?;
        let agent = site.start_agent("gateway", &config(&site))?;
        Ok(Self { site, agent, centre, _hub: hub, dir })
    }

    /// The centre must have got these and nothing else, in this order.
    ///
    /// # Errors
    /// The first that differs.
    pub fn check_arrivals(&self, sent: &[Fields]) -> Result<()> {
        let arrivals = self.centre.arrivals()?;
        for (number, (sent, arrival)) in sent.iter().zip(&arrivals).enumerate() {
            let arrived = Fields::arrived(&arrival.message()?);
            ensure!(*sent == arrived, "number {number}: sent {sent:?}, arrived {arrived:?}");
        }
        ensure!(sent.len() == arrivals.len(), "{} were taken, {} arrived", sent.len(), arrivals.len());
        Ok(())
    }
}

/// The site's configuration with a status of this test's own, and no verdict ever too late: a busy machine isn't what is
/// tested here.
fn config(site: &Site) -> String {
    site.agent_config("gateway", "").replace(
        "policy = { ladder = \"enforce\" }",
        &format!(
            "policy = {{ ladder = \"enforce\", block_status = {BLOCK_STATUS} }}\non_failure = {{ deadline_ms = 60000 }}"
        ),
    )
}

/// What must come out as it went in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Digits of the sender.
    pub from: Vec<u8>,
    /// Digits of the recipient.
    pub to: Vec<u8>,
    /// Mode, type, UDHI.
    pub esm_class: u8,
    /// How the text is coded.
    pub data_coding: u8,
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// Header and text.
    pub user_data: Vec<u8>,
}

impl Fields {
    /// Of what a client was told to send.
    #[must_use]
    pub fn sent(message: &Message, submit: &Submit) -> Self {
        Self {
            from: message.from.into(),
            to: message.to.clone().into(),
            esm_class: submit.esm_class(),
            data_coding: submit.coding,
            registered_delivery: 1,
            user_data: submit.user_data.clone(),
        }
    }

    /// Of what the centre got.
    #[must_use]
    pub fn arrived(sm: &Sm<'_>) -> Self {
        Self {
            from: sm.source.octets.into(),
            to: sm.destination.octets.into(),
            esm_class: sm.esm_class.0,
            data_coding: sm.data_coding,
            registered_delivery: sm.registered_delivery,
            user_data: sm.short_message.into(),
        }
    }
}
