//! tshark's PDML → the protocols that Yumen lists.

use anyhow::{Context, Result, bail};
use roxmltree::{Document, Node};
use std::path::Path;
use std::process::Command;

/// The protocols of a frame that are compared.
const PROTOCOLS: [&str; 5] = ["sip", "smpp", "tcap", "gsm_map", "gsm_sms"];

/// One protocol's part of a frame.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) frame: u64,
    pub(super) protocol: String,
    /// The octets of the whole part, as far as tshark says: what tells a repetition.
    pub(super) octets: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// tshark couldn't read all of it.
    pub(super) is_broken: bool,
    /// The MAP operation of a component.
    pub(super) operation: Option<i32>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// As tshark prints it.
    show: String,
    /// Its octets, in hexadecimal digits.
    value: String,
    /// What it is, in words.
    label: String,
    /// A second name of what has one already.
    pub(super) hidden: bool,
}

impl Field {
    pub(super) fn shown(&self) -> String {
        self.show.clone()
    }

    pub(super) fn show(&self) -> &str {
        &self.show
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The octets as a text, without what ends a C string.
    pub(super) fn text(&self) -> Option<String> {
        let octets = crate::foreign::from_hex(&self.value).ok()?;
        let octets = octets.strip_suffix(&[0]).unwrap_or(&octets);
        Some(String::from_utf8_lossy(octets).into_owned())
    }
}

/// Whether tshark can be run, and which one it is.
///
/// # Errors
/// It can't.
pub fn installed() -> Result<String> {
    let output = Command::new("tshark").arg("--version").output();
    let output = output.context("tshark isn't installed: run `cargo xtask test`, which installs it")?;
    let said = String::from_utf8(output.stdout)?;
    Ok(said.lines().next().unwrap_or_default().to_owned())
}

/// Everything that it decodes of a file.
pub(super) fn blocks(file: &Path) -> Result<Vec<Block>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-T", "pdml", "-Y", "sip or smpp or tcap"]);
    let output = command.output().context("tshark")?;
    if !output.status.success() {
        bail!("tshark -r {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let document = Document::parse(&text).context("tshark's PDML")?;
    let mut blocks = Vec::new();
    for packet in document.descendants().filter(|node| node.has_tag_name("packet")) {
        let number = packet.descendants().find(|node| node.attribute("name") == Some("frame.number"));
        let frame = number.and_then(|node| node.attribute("show")?.parse().ok()).context("no number")?;
        for protocol in packet.descendants().filter(|node| node.has_tag_name("proto")) {
            if protocol.attribute("name").is_some_and(|name| PROTOCOLS.contains(&name)) {
                blocks.push(block(frame, protocol));
            }
        }
    }
    Ok(blocks)
}

fn block(frame: u64, protocol: Node<'_, '_>) -> Block {
    let mut block = Block {
        frame,
        protocol: protocol.attribute("name").unwrap_or_default().to_owned(),
        octets: Vec::new(),
        fields: Vec::new(),
        operation: None,
        is_broken: false,
    };
    collect(protocol, &mut block);
    block
}

/// Fields of the protocol, not those of protocols within it.
fn collect(node: Node<'_, '_>, block: &mut Block) {
    for child in node.children().filter(|child| child.has_tag_name("field")) {
        let text = |name| child.attribute(name).unwrap_or_default().to_owned();
        let field = Field {
            name: text("name"),
            show: text("show"),
            value: text("value"),
            label: text("showname"),
            hidden: child.attribute("hide") == Some("yes"),
        };
        block.is_broken |= is_error(&field.name);
        if field.name.ends_with("localValue") {
            block.operation = field.show.parse().ok();
        }
        block.octets.push(field.value.clone());
        let is_listed = !field.name.is_empty();
        // A body has a protocol of its own.
        let is_other = ["sdp.", "_ws."].iter().any(|other| field.name.starts_with(other));
        if is_listed && !is_other {
            block.fields.push(field);
        }
        if is_other {
            let inner = child.descendants().filter_map(|node| node.attribute("name"));
            block.is_broken |= inner.into_iter().any(is_error);
        } else {
            collect(child, block);
        }
    }
}

/// tshark's words for what it can't read.
fn is_error(name: &str) -> bool {
    name.starts_with("ber.error") || name.starts_with("_ws.malformed")
}
