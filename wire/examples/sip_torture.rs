//! What [`Request::check`] says of every message in a folder: `cargo run -p yumen-wire --example sip_torture -- DIR`.
use std::fs;
use yumen_wire::sip::{Message, Request, StartLine};

fn main() -> std::io::Result<()> {
    let Some(dir) = std::env::args().nth(1) else {
        return Err(std::io::Error::other("which folder?"));
    };
    let mut paths: Vec<_> =
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let octets = fs::read(&path)?;
        let said = match Message::new_checked(&octets) {
            Err(defect) => format!("drop: {defect}"),
            Ok(message) => match (message.start(), Request::check(&message)) {
                (StartLine::Response { status, .. }, _) => format!("response {status}"),
                (_, Ok(request)) => format!("ok, {:?} hops left", request.max_forwards),
                (_, Err(defect)) => format!("{} {defect}", defect.status()),
            },
        };
        println!("{:<16} {said}", path.file_stem().unwrap_or_default().to_string_lossy());
    }
    Ok(())
}
