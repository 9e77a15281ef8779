//! Verifies the Identity headers of sipp scenarios: `stir_scenarios FOLDER`. Where a scenario has sipp sign
//! (`[identity x5u=… attest=…]`) this signs, with a certificate made here; where it holds a token it is verified as it stands.
//! The table shows what a door with `reject = true` would answer beside what the scenario awaits.

use data_encoding::BASE64URL_NOPAD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use yumen_agent::stir::{Check, Claim, Settings, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("stir_scenarios FOLDER")?);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|of| of.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "xml"));
    files.sort();
    let bench = Bench::new()?;
    println!("{:<42} {:>7}  verified", "scenario", "awaited");
    for file in files {
        bench.show(&file)?;
    }
    Ok(())
}

struct Bench {
    anchor: Vec<u8>,
    good: (String, KeyPair),
    expired: (String, KeyPair),
    now_s: u64,
}

impl Bench {
    fn new() -> Result<Self, Box<dyn Error>> {
        let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let anchor = ca.self_signed(&ca_key)?.der().to_vec();
        let issuer = Issuer::new(ca, ca_key);
        let signer = |expired: bool| -> Result<_, Box<dyn Error>> {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let mut leaf = CertificateParams::default();
            if expired {
                leaf.not_after = rcgen::date_time_ymd(2020, 1, 1);
            }
            Ok((leaf.signed_by(&key, &issuer)?.pem(), key))
        };
        Ok(Self { anchor, good: signer(false)?, expired: signer(true)?, now_s: yumen_agent::clock::now_s() })
    }

    fn show(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let text = std::fs::read_to_string(file)?;
        let awaited: Vec<&str> = text
            .split("<recv response=\"")
            .skip(1)
            .filter(|rest| !rest.split('>').next().unwrap_or_default().contains("optional"))
            .filter_map(|rest| rest.get(..3))
            .collect();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let line = text.lines().map(str::trim).find(|line| {
            line.starts_with("Identity:")
                || line.starts_with("[identity")
                || line.starts_with("[custom_identity")
        });
        let (identity, made) = match line {
            Some(line) if line.starts_with("Identity:") => {
                (line.trim_start_matches("Identity:").trim().to_owned(), "as it stands")
            }
            Some(line) => (self.sign(&name, line)?, "signed here"),
            None => (String::new(), "none"),
        };
        let anchor = webpki::anchor_from_trusted_cert(&rustls::pki_types::CertificateDer::from(
            self.anchor.as_slice(),
        ))?
        .to_owned();
        let mut verifier = Verifier::new(vec![anchor], &settings());
        for url in [GOOD, EXPIRED] {
            let pem = if url == EXPIRED { &self.expired.0 } else { &self.good.0 };
            verifier.learnt(url, pem.as_bytes(), None, self.now_s * 1000);
        }
        let headers = [identity.as_bytes()];
        let claim = Claim { identities: &headers, caller: CALLER, callee: CALLEE, date_s: None };
        let shown = match verifier.check(&claim, self.now_s * 1000) {
            Check::Done(finding) => {
                let status = finding.defect.map_or("goes on", yumen_agent::stir::Defect::status);
                format!("{status} ({:?}, {:?})", finding.verstat, finding.attestation)
            }
            Check::Waits | Check::Ask(_) => "waits for a certificate".to_owned(),
        };
        println!("{name:<42} {:>7}  {shown}, {made}", awaited.last().unwrap_or(&"?"));
        Ok(())
    }

    /// What the scenario's name says is left out.
    fn sign(&self, name: &str, line: &str) -> Result<String, Box<dyn Error>> {
        let x5u = if line.contains("x5u=\"\"") || name.contains("x5u-empty") {
            ""
        } else if line.contains("expired") {
            EXPIRED
        } else {
            GOOD
        };
        let key = if x5u == EXPIRED { &self.expired.1 } else { &self.good.1 };
        let leave = |what: &str| name.contains(what);
        let attest = if leave("attest-missing") { "" } else { "\"attest\":\"B\"," };
        let iat = if leave("iat-missing") { String::new() } else { format!("\"iat\":{},", self.now_s) };
        let orig = if leave("origtn-missing") { String::new() } else { format!("\"tn\":\"{CALLER}\"") };
        let payload = format!(
            "{{{attest}\"dest\":{{\"tn\":[\"{CALLEE}\"]}},{iat}\"orig\":{{{orig}}},\"origid\":\"x\"}}"
        );
        let head = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{x5u}"}}"#);
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(head.as_bytes()),
            BASE64URL_NOPAD.encode(payload.as_bytes())
        );
        let signature = fixed(&key.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{};info=<{x5u}>;alg=ES256;ppt=\"shaken\"", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// `r` and `s` of 32 bytes each, out of DER.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = der.get(2..).unwrap_or_default();
    let mut out = Vec::new();
    while let Some((&[_, length], behind)) = rest.split_first_chunk::<2>() {
        let (number, behind) = behind.split_at_checked(usize::from(length)).unwrap_or((behind, &[]));
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        let number = number.get(zeros..).unwrap_or_default();
        out.extend(std::iter::repeat_n(0, 32_usize.saturating_sub(number.len())));
        out.extend_from_slice(number);
        rest = behind;
    }
    out
}

fn settings() -> Settings {
    Settings {
        anchors: PathBuf::new(),
        https_ca: PathBuf::new(),
        repositories: Vec::new(),
        wait: Duration::from_secs(1),
        freshness_s: 60,
        cache: Duration::from_secs(3600),
        reject: true,
    }
}

const CALLER: &str = "8613800000001";
const CALLEE: &str = "8675500000001";
const GOOD: &str = "https://cr.example.com/cert.pem";
const EXPIRED: &str = "https://cr.example.com/expired.pem";
