//! Agents become a member's, keep their certificates fresh, and are shut out again. Without HTTP.

use crate::audit::{self, Action};
use crate::ca::{Authority, CaError, Issued, folder};
use crate::secret::{self, NoRandomness};
use crate::store::{Store, StoreError};
use std::path::{Path, PathBuf};
use yumen_exchange::enrol::{BrokerAddress, Enrol, Enrolled, Renew, Token, proof};
use yumen_exchange::topic::{Name, RESERVED};
use yumen_matcher::{Keyring, parse_key};

/// How long an invitation counts, where nothing is said.
pub const INVITATION_MS: u64 = 24 * 3_600_000;

/// Why nobody is enrolled or revoked.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority, or the request for a certificate.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The token was never given out, was used, or is too old. Which one isn't told.
    #[error("the invitation isn't known, was used, or has expired")]
    Invitation,
    /// The signing key isn't one, or whoever sent it hasn't got it.
    #[error("the signing key isn't one, or isn't the one that signed the proof")]
    Proof,
    /// There is no such institution.
    #[error("there is no member '{0}': add it first")]
    NoMember(Name),
    /// There is no such agent.
    #[error("no agent '{0}/{1}' is enrolled")]
    NoAgent(Name, Name),
    /// It is a word of the topics.
    #[error("'{0}' is a word of the topics, and can't be a member's name")]
    Reserved(Name),
    /// It is there already.
    #[error("there is a member '{0}' already")]
    MemberKnown(Name),
    /// The certificate shown isn't one that counts.
    #[error("the certificate isn't an enrolled agent's, or is revoked")]
    Certificate,
}

/// What the hub tells agents beside their certificates.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Where the broker is.
    pub broker: Option<BrokerAddress>,
    /// The key that signs packs.
    pub pack_key: Option<String>,
    /// The channel of packs.
    pub channel: Option<String>,
}

/// Enrols agents.
pub struct Enrolment {
    store: Store,
    authority: Authority,
    told: Told,
    crl: PathBuf,
}

impl Enrolment {
    /// With an authority; what it publishes goes into the data directory.
    #[must_use]
    pub fn new(store: Store, authority: Authority, told: Told, data_dir: &Path) -> Self {
        Self { store, authority, told, crl: folder(data_dir).join("crl.pem") }
    }

    /// The authority.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where the list of revocations is written.
    #[must_use]
    pub fn crl_file(&self) -> &Path {
        &self.crl
    }

    /// Adds an institution.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn add_member(&self, actor: &str, member: &Name, now_ms: u64) -> Result<(), EnrolError> {
        if RESERVED.contains(&member.as_str()) {
            return Err(EnrolError::Reserved(member.clone()));
        }
        audit::add(&self.store, actor, Action::MemberAdded, member.as_str(), "").await?;
        let added = self.store.add_member(member, now_ms).await?;
        if added { Ok(()) } else { Err(EnrolError::MemberKnown(member.clone())) }
    }

    /// Makes an invitation, which can be used once until it expires. An agent of the same name goes on until it is used.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn invite(
        &self,
        actor: &str,
        member: &Name,
        agent: &Name,
        (now_ms, lifetime_ms): (u64, u64),
    ) -> Result<Token, EnrolError> {
        if !self.store.members().await?.iter().any(|known| known == member.as_str()) {
            return Err(EnrolError::NoMember(member.clone()));
        }
        if member.as_str().len() + 1 + agent.as_str().len() > crate::ca::COMMON_NAME_MAX {
            return Err(CaError::Names.into());
        }
        audit::add(&self.store, actor, Action::Invited, &format!("{member}/{agent}"), "").await?;
        let secret = secret::token()?;
        let expires_ms = now_ms.saturating_add(lifetime_ms);
        self.store.invite(&secret::digest(&secret), (member, agent), expires_ms).await?;
        Ok(Token { secret, fingerprint: self.authority.fingerprint().to_owned() })
    }

    /// Takes an invitation up.
    ///
    /// # Errors
    /// [`EnrolError`]; the invitation can still be used, unless it is the reason.
    pub async fn enrol(&self, request: &Enrol, now_ms: u64) -> Result<Enrolled, EnrolError> {
        let hash = secret::digest(&request.secret);
        let invited = self.store.invitation(&hash, now_ms).await?.ok_or(EnrolError::Invitation)?;
        let (member, agent) = names(&invited).ok_or(EnrolError::Invitation)?;
        let key = parse_key(&request.signing_key).ok_or(EnrolError::Proof)?;
        let id = request.signing_key.get(..16).unwrap_or_default();
        if !Keyring::new([key]).vouches(id, &proof(&request.secret, &request.csr), &request.proof) {
            return Err(EnrolError::Proof);
        }
        let issued = self.authority.agent(&member, &agent, &request.csr, now_ms)?;
        let subject = format!("{member}/{agent}");
        let detail = format!("key {id}, certificate {}", issued.row.serial);
        audit::add(&self.store, &subject, Action::Enrolled, &subject, &detail).await?;
        if !self.store.enrol(&hash, &request.signing_key, &issued.row, now_ms).await? {
            return Err(EnrolError::Invitation);
        }
        self.write_crl(now_ms).await?;
        Ok(self.answer(&member, &agent, &issued))
    }

    /// Renews the certificate of an agent that showed one; `serial` is that one's.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn renew(&self, serial: &str, request: &Renew, now_ms: u64) -> Result<Enrolled, EnrolError> {
        let certificates = self.store.certificates(now_ms).await?;
        let present = certificates.iter().find(|row| row.serial == serial && row.revoked_ms == 0);
        let present = present.ok_or(EnrolError::Certificate)?;
        let names = names(&(present.member.clone(), present.agent.clone()));
        let (member, agent) = names.ok_or(EnrolError::Certificate)?;
        let issued = self.authority.agent(&member, &agent, &request.csr, now_ms)?;
        let subject = format!("{member}/{agent}");
        let detail = format!("certificate {} after {serial}", issued.row.serial);
        audit::add(&self.store, &subject, Action::Renewed, &subject, &detail).await?;
        self.store.renewed(&issued.row).await?;
        Ok(self.answer(&member, &agent, &issued))
    }

    /// Shuts an agent out: the hub takes nothing of it from now on, and its certificates go onto the list.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn revoke(
        &self,
        actor: &str,
        member: &Name,
        agent: &Name,
        now_ms: u64,
    ) -> Result<(), EnrolError> {
        audit::add(&self.store, actor, Action::Revoked, &format!("{member}/{agent}"), "").await?;
        let revoked = self.store.revoke(member, agent, now_ms).await?;
        self.write_crl(now_ms).await?;
        if revoked { Ok(()) } else { Err(EnrolError::NoAgent(member.clone(), agent.clone())) }
    }

    /// Writes the list of revocations.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn write_crl(&self, now_ms: u64) -> Result<(), EnrolError> {
        let pem = self.authority.crl(&self.store.certificates(now_ms).await?, now_ms)?;
        Ok(crate::ca::write(&self.crl, &pem, false)?)
    }

    fn answer(&self, member: &Name, agent: &Name, issued: &Issued) -> Enrolled {
        let Told { broker, pack_key, channel } = self.told.clone();
        Enrolled {
            member: member.to_string(),
            agent: agent.to_string(),
            certificate: issued.chain.clone(),
            ca: self.authority.chain().to_owned(),
            not_after_ms: issued.row.not_after_ms,
            broker,
            pack_key,
            channel,
        }
    }
}

fn names((member, agent): &(String, String)) -> Option<(Name, Name)> {
    member.parse().ok().zip(agent.parse().ok())
}
