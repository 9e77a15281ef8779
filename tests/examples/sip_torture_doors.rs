//! The torture messages of RFC 4475 at running agents, a redirect server and a proxy: `sip_torture_doors FOLDER`, a folder with one
//! file a message (`wsinv.dat`, …). Each is sent as a datagram; what comes back is held against what the RFC asks.

use anyhow::{Context, Result, ensure};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use yumen_tests::sip::Door;
use yumen_wire::sip::{Message, Name, Via};

/// File, and what a redirect server may answer; 0 is nothing.
const EXPECTED: &[(&str, &[u16])] = &[
    // It has a tag in To: a dialog that isn't there.
    ("wsinv", &[302, 481]),
    ("intmeth", &[405, 501]),
    ("esc01", &[302]),
    ("escnull", &[405]),
    ("esc02", &[405, 501]),
    ("lwsdisp", &[200]),
    ("longreq", &[302]),
    ("dblreq", &[405]),
    ("semiuri", &[200]),
    ("transports", &[200]),
    ("mpart01", &[405]),
    ("unreason", &[0]),
    ("noreason", &[0]),
    ("badinv01", &[400]),
    ("clerr", &[400]),
    ("ncl", &[400]),
    ("scalar02", &[400]),
    ("scalarlg", &[0]),
    ("quotbal", &[400]),
    ("ltgtruri", &[400]),
    ("lwsruri", &[400]),
    ("lwsstart", &[400]),
    ("trws", &[400]),
    ("escruri", &[400]),
    ("baddate", &[302, 400]),
    ("regbadct", &[400]),
    ("badaspec", &[400]),
    ("baddn", &[400]),
    ("badvers", &[505]),
    ("mismatch01", &[400]),
    ("mismatch02", &[400, 501]),
    ("bigcode", &[0]),
    ("badbranch", &[200, 400]),
    ("insuf", &[400]),
    ("unkscm", &[416]),
    ("novelsc", &[416]),
    ("unksm2", &[400, 405]),
    ("bext01", &[420]),
    ("invut", &[302, 415]),
    ("regaut01", &[405]),
    ("multi01", &[400]),
    ("mcl01", &[400]),
    ("bcast", &[0]),
    ("zeromf", &[200, 483]),
    ("cparam01", &[405]),
    ("cparam02", &[405]),
    ("regescrt", &[405]),
    ("sdp01", &[302]),
    ("inv2543", &[302]),
];

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("sip_torture_doors FOLDER")?);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "dat"));
    files.sort();
    let hop = UdpSocket::bind(("127.0.0.1", 0))?;
    hop.set_nonblocking(true)?;
    let next = format!("next_hops = [\"127.0.0.1:{}\"]", hop.local_addr()?.port());
    let mut redirect = Door::start(&next)?;
    let mut proxy = Door::start(&format!("mode = \"proxy\"\n{next}\nproxy = {{ keepalive_s = 0 }}"))?;
    let mut wrong = 0;
    println!("{:<12} {:>8} {:>12}  {:<18}", "message", "redirect", "RFC 4475", "proxy");
    for path in &files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let octets = std::fs::read(path)?;
        let answer = ask(redirect.port, &octets)?;
        let expected = EXPECTED.iter().find(|(of, _)| *of == name).map(|(_, expected)| *expected);
        let fits = expected.is_none_or(|expected| expected.contains(&answer));
        wrong += usize::from(!fits);
        let answered = ask(proxy.port, &octets)?;
        let mut sent_on = 0;
        let mut input = [0; 65_535];
        while let Ok(length) = hop.recv(&mut input) {
            sent_on += usize::from(is_about(&input[..length], &octets));
        }
        let shown = expected.map_or("any".to_owned(), |of| format!("{of:?}"));
        let what = if sent_on > 0 { "sent on".to_owned() } else { answered.to_string() };
        println!("{name:<12} {answer:>8} {shown:>12}  {what:<18}{}", if fits { "" } else { "  <-- wrong" });
    }
    ensure!(redirect.agent.is_running() && proxy.agent.is_running(), "an agent died");
    let alive = format!(
        "OPTIONS sip:127.0.0.1:{} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKz;rport\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:c@d>\r\nCall-ID: z\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\n\r\n",
        redirect.port
    );
    ensure!(
        ask(redirect.port, alive.as_bytes())? == 200 && ask(proxy.port, alive.as_bytes())? == 200,
        "no answer at the end"
    );
    println!("{} messages, {wrong} answered otherwise; both agents serve on", files.len());
    ensure!(wrong == 0, "{wrong} answered otherwise");
    Ok(())
}

/// Sends a datagram; the status of the last answer within a moment, 0 where there is none. Answers to whatever its Via says,
/// so the Via is made to ask for them here.
fn ask(port: u16, octets: &[u8]) -> Result<u16> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    let here = socket.local_addr()?.port();
    // Answers go to the port of the top Via; all else stays as it is.
    let other = UdpSocket::bind(("127.0.0.1", via_port(octets).unwrap_or(here)));
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    if let Ok(other) = &other {
        other.set_read_timeout(Some(Duration::from_millis(20)))?;
    }
    socket.send_to(octets, ("127.0.0.1", port))?;
    let started = Instant::now();
    let mut input = [0; 65_535];
    let mut last = 0;
    while started.elapsed() < Duration::from_millis(200) {
        for socket in [Some(&socket), other.as_ref().ok()].into_iter().flatten() {
            if let Ok(length) = socket.recv(&mut input) {
                if !is_about(&input[..length], octets) {
                    // An answer to another message, sent again.
                    continue;
                }
                let text = String::from_utf8_lossy(&input[..length]).into_owned();
                last = text.get(8..11).and_then(|status| status.parse().ok()).unwrap_or(last);
            }
        }
        if last >= 200 {
            break;
        }
    }
    Ok(last)
}

/// Whether both have the same Call-ID; of a message without one that can't be told.
fn is_about(answer: &[u8], message: &[u8]) -> bool {
    let of = |octets| {
        let message = Message::new_checked(octets).ok()?;
        Some(message.header(Name::CallId)?.value)
    };
    of(message).is_none_or(|id| of(answer) == Some(id))
}

/// Where RFC 3261 §18.2.2 sends the answer: sent-by's port, or 5060.
fn via_port(octets: &[u8]) -> Option<u16> {
    let message = Message::new_checked(octets).ok()?;
    let via = Via::parse_first(message.header(Name::Via)?.value)?;
    Some(via.port.unwrap_or(5060))
}
