//! The members' certificates: a small authority of the hub's own, or one that is brought along.
//!
//! The key stands in a file that only its owner can read, never in the database. A certificate's common name is
//! `member/agent`: what a broker with `use_identity_as_username` puts into its access rules.

use crate::config;
use crate::secret;
use crate::store::CertificateRow;
use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use yumen_exchange::topic::Name;

const DAY_MS: u64 = 86_400_000;
/// How long the authority itself counts.
const AUTHORITY_DAYS: u64 = 3650;
/// A clock that is a little behind still takes a new certificate.
const BACKDATED_MS: u64 = 300_000;
/// How long a list of revocations counts; a running hub writes a new one much sooner.
const CRL_DAYS: u64 = 7;
/// RFC 5280: the longest common name.
pub const COMMON_NAME_MAX: usize = 64;

/// Why there is no authority, or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the key.
    #[error("{}: others than its owner can read it; chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// What the files or a request say can't be used.
    #[error("certificates: {0}")]
    Rcgen(#[from] rcgen::Error),
    /// The authority's file has no certificate in it.
    #[error("{}: no certificate in it", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The names don't fit.
    #[error("member and agent together have at most {} characters", COMMON_NAME_MAX - 1)]
    Names,
    /// An instant beyond what a certificate can say.
    #[error("a date is out of range")]
    Date,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] secret::NoRandomness),
}

/// The authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// PEM of its certificate, with those it was issued by, if any.
    chain: String,
    fingerprint: String,
    days: u64,
}

/// A new certificate.
#[derive(Debug)]
pub struct Issued {
    /// PEM: the certificate, then the authority's.
    pub chain: String,
    /// PEM of the private key, where it was made here.
    pub key: Option<String>,
    /// What is kept of it.
    pub row: CertificateRow,
}

impl Authority {
    /// Reads the authority; without files in the configuration, the one in the data directory, which is made where it isn't
    /// there.
    ///
    /// # Errors
    /// [`CaError`].
    pub fn open(config: &config::Ca, data_dir: &Path, now_ms: u64) -> Result<Self, CaError> {
        let (cert, key) = match (&config.cert, &config.key) {
            (Some(cert), Some(key)) => (cert.clone(), key.clone()),
            _ => {
                let folder = folder(data_dir);
                let files = (folder.join("ca.pem"), folder.join("ca.key"));
                if !files.1.exists() {
                    make(&folder, &files, now_ms)?;
                }
                files
            }
        };
        let open = |path: &Path| {
            fs::metadata(path).map(|meta| meta.permissions().mode() & 0o077 != 0).map_err(failed(path))
        };
        if open(&key)? {
            return Err(CaError::Open { path: key });
        }
        let chain = fs::read_to_string(&cert).map_err(failed(&cert))?;
        let secret = fs::read_to_string(&key).map_err(failed(&key))?;
        let der = CertificateDer::from_pem_slice(chain.as_bytes())
            .map_err(|_| CaError::NoCertificate { path: cert.clone() })?;
        let fingerprint = HEXLOWER.encode(&Sha256::digest(&der));
        let issuer = Issuer::from_ca_cert_der(&der, KeyPair::from_pem(&secret)?)?;
        Ok(Self { issuer, chain, fingerprint, days: config.days })
    }

    /// PEM of what members trust.
    #[must_use]
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// SHA-256 of the authority's certificate: what an invitation carries, so that an agent knows whom it talks to.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A client certificate for an agent, for the key of its request. Nothing else of the request counts.
    ///
    /// # Errors
    /// [`CaError`]: the request isn't one, or isn't signed by its own key.
    pub fn agent(&self, member: &Name, agent: &Name, request: &str, now_ms: u64) -> Result<Issued, CaError> {
        let name = format!("{member}/{agent}");
        if name.len() > COMMON_NAME_MAX {
            return Err(CaError::Names);
        }
        let mut request = CertificateSigningRequestParams::from_pem(request)?;
        let days = self.days;
        let (mut params, row) = params(&name, days, now_ms)?;
        params.subject_alt_names = vec![SanType::URI(format!("urn:yumen:{member}:{agent}").try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        let row = CertificateRow { member: member.to_string(), agent: agent.to_string(), ..row };
        Ok(Issued { chain: format!("{}{}", certificate.pem(), self.chain), key: None, row })
    }

    /// A certificate and key for a server with these names or addresses; it may show it as a client too.
    ///
    /// # Errors
    /// [`CaError`].
    pub fn server(&self, names: &[String], days: u64, now_ms: u64) -> Result<Issued, CaError> {
        let first = names.first().map_or("yumen-hub", |name| &name[..]);
        let (mut params, row) = params(first, days, now_ms)?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = format!("{}{}", certificate.pem(), self.chain);
        Ok(Issued { chain, key: Some(key.serialize_pem()), row })
    }

    /// PEM of the list of what is revoked and hasn't expired.
    ///
    /// # Errors
    /// [`CaError`].
    pub fn crl(&self, certificates: &[CertificateRow], now_ms: u64) -> Result<String, CaError> {
        let revoked = certificates.iter().filter(|row| row.revoked_ms > 0);
        let revoked = revoked.filter_map(|row| Some((row, HEXLOWER.decode(row.serial.as_bytes()).ok()?)));
        let revoked_certs = revoked
            .map(|(row, serial)| {
                Ok(RevokedCertParams {
                    serial_number: serial.into(),
                    revocation_time: date(row.revoked_ms)?,
                    reason_code: Some(RevocationReason::CessationOfOperation),
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, CaError>>()?;
        let params = CertificateRevocationListParams {
            this_update: date(now_ms.saturating_sub(BACKDATED_MS))?,
            next_update: date(now_ms.saturating_add(CRL_DAYS * DAY_MS))?,
            crl_number: SerialNumber::from(now_ms),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }
}

/// Where the authority, and what it publishes, is kept.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("ca")
}

/// Replaces a file at once; `secret` for its owner's eyes only.
///
/// # Errors
/// [`CaError::File`].
pub fn write(path: &Path, text: &str, secret: bool) -> Result<(), CaError> {
    let new = path.with_extension("new");
    let written = || {
        let mode = if secret { 0o600 } else { 0o644 };
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(failed(path))
}

/// Everything that all certificates have alike.
fn params(name: &str, days: u64, now_ms: u64) -> Result<(CertificateParams, CertificateRow), CaError> {
    // RFC 5280 §4.1.2.2: positive, at most 20 bytes.
    let mut serial = secret::bytes::<16>()?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    let not_after_ms = now_ms.saturating_add(days.saturating_mul(DAY_MS));
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = date(now_ms.saturating_sub(BACKDATED_MS))?;
    params.not_after = date(not_after_ms)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let row = CertificateRow {
        serial: HEXLOWER.encode(&serial),
        member: String::new(),
        agent: String::new(),
        issued_ms: now_ms,
        not_after_ms,
        revoked_ms: 0,
    };
    Ok((params, row))
}

fn make(folder: &Path, (cert, key): &(PathBuf, PathBuf), now_ms: u64) -> Result<(), CaError> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let (mut params, _) = params("Yumen hub members", AUTHORITY_DAYS, now_ms)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = false;
    let pair = KeyPair::generate()?;
    let pem = params.self_signed(&pair)?.pem();
    write(cert, &pem, false)?;
    write(key, &pair.serialize_pem(), true)
}

fn date(ms: u64) -> Result<OffsetDateTime, CaError> {
    let seconds = i64::try_from(ms / 1000).map_err(|_| CaError::Date)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| CaError::Date)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CaError + use<'_> {
    move |source| CaError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::FromDer;
    use x509_parser::revocation_list::CertificateRevocationList;

    const NOW: u64 = 1_764_000_000_000;

    #[test]
    fn an_authority_is_made_once_and_its_key_is_for_one_owner() {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::open(&config::Ca::default(), dir.path(), NOW).unwrap();
        let again = Authority::open(&config::Ca::default(), dir.path(), NOW + 9).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        let key = folder(dir.path()).join("ca.key");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Authority::open(&config::Ca::default(), dir.path(), NOW);
        assert!(matches!(refused, Err(CaError::Open { .. })));
    }

    #[test]
    fn a_certificate_says_what_the_hub_says_and_not_what_the_request_asks() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(&config::Ca::default(), dir.path(), NOW).unwrap();
        let (member, agent): (Name, Name) = ("bank-a".parse().unwrap(), "gw1".parse().unwrap());
        let mut wish = CertificateParams::new(vec!["hub.example.com".to_owned()]).unwrap();
        wish.distinguished_name.push(DnType::CommonName, "bank-b/gw1");
        wish.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let request = wish.serialize_request(&key).unwrap().pem().unwrap();
        let issued = authority.agent(&member, &agent, &request, NOW).unwrap();
        let der = CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        let names: Vec<&str> =
            parsed.subject().iter_common_name().filter_map(|cn| cn.as_str().ok()).collect();
        assert_eq!(names, ["bank-a/gw1"]);
        assert!(!parsed.is_ca());
        assert_eq!(HEXLOWER.encode(parsed.raw_serial()), issued.row.serial);
        assert_eq!(issued.row.not_after_ms, NOW + 30 * DAY_MS);
        assert!(authority.agent(&member, &agent, "not a request", NOW).is_err());
        let long: Name = "a".repeat(64).parse().unwrap();
        assert!(matches!(authority.agent(&long, &agent, &request, NOW), Err(CaError::Names)));
    }

    #[test]
    fn the_list_names_what_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(&config::Ca::default(), dir.path(), NOW).unwrap();
        let row = |serial: &str, revoked_ms| CertificateRow {
            serial: serial.into(),
            member: "a".into(),
            agent: "b".into(),
            issued_ms: NOW,
            not_after_ms: NOW + DAY_MS,
            revoked_ms,
        };
        let pem = authority.crl(&[row("4001", NOW), row("4002", 0)], NOW).unwrap();
        let der = rustls::pki_types::CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap();
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        let serials: Vec<String> =
            list.iter_revoked_certificates().map(|entry| HEXLOWER.encode(entry.raw_serial())).collect();
        assert_eq!(serials, ["4001"]);
    }
}
