//! Institutions, their agents' keys, invitations, certificates, and what was refused.

use super::{Store, StoreError, signed, unsigned};
use crate::limits::{CERTIFICATES_MAX, ENROLLED_MAX, REFUSALS_SHOWN_MAX};
use sqlx::Row as _;
use yumen_exchange::topic::Name;

/// An agent that was enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledRow {
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// Its signing key's public half, in hexadecimal.
    pub public_key: String,
    /// When, in milliseconds since the Unix epoch.
    pub enrolled_ms: u64,
    /// When it was revoked; 0 while it isn't.
    pub revoked_ms: u64,
}

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// When, in milliseconds since the Unix epoch.
    pub issued_ms: u64,
    /// Until when it counts, likewise.
    pub not_after_ms: u64,
    /// When it was revoked; 0 while it isn't.
    pub revoked_ms: u64,
}

/// Refused messages of one topic's sender for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalRow {
    /// In whose name they came; empty where the topic names nobody.
    pub member: String,
    /// Likewise.
    pub agent: String,
    /// Why they were refused.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first, in milliseconds since the Unix epoch.
    pub first_ms: u64,
    /// The last, likewise.
    pub last_ms: u64,
}

/// The name under which changes of trust are numbered.
const EPOCH: &str = "trust";

impl Store {
    /// Adds an institution; false where it is there already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_member(&self, member: &Name, now_ms: u64) -> Result<bool, StoreError> {
        let added =
            sqlx::query("INSERT INTO member (id, added_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
                .bind(member.as_str())
                .bind(signed(now_ms))
                .execute(&self.writer)
                .await?;
        Ok(added.rows_affected() > 0)
    }

    /// All institutions, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn members(&self) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query("SELECT id FROM member ORDER BY id LIMIT $1").bind(i64::from(ENROLLED_MAX));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Keeps an invitation, by its hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(
        &self,
        hash: &str,
        (member, agent): (&Name, &Name),
        expires_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO invitation (hash, member, agent, expires_ms, used_ms) VALUES ($1, $2, $3, $4, 0)",
        )
        .bind(hash)
        .bind(member.as_str())
        .bind(agent.as_str())
        .bind(signed(expires_ms))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Whom an invitation that can still be used is for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invitation(&self, hash: &str, now_ms: u64) -> Result<Option<(String, String)>, StoreError> {
        let query = sqlx::query(
            "SELECT member, agent FROM invitation WHERE hash = $1 AND used_ms = 0 AND expires_ms > $2",
        );
        let row = query.bind(hash).bind(signed(now_ms)).fetch_optional(&self.readers).await?;
        row.map(|row| Ok((row.try_get("member")?, row.try_get("agent")?))).transpose()
    }

    /// Uses an invitation and enrols its agent with a key and a certificate, all or nothing; false where the invitation
    /// was used meanwhile. An earlier key of the agent counts no more, and its certificates are revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enrol(
        &self,
        hash: &str,
        public_key: &str,
        certificate: &CertificateRow,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let used = sqlx::query(
            "UPDATE invitation SET used_ms = $1 WHERE hash = $2 AND used_ms = 0 AND expires_ms > $1",
        );
        let used = used.bind(signed(now_ms)).bind(hash).execute(&mut *transaction).await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        revoke_certificates(&mut transaction, &certificate.member, &certificate.agent, now_ms).await?;
        put_key(&mut transaction, &certificate.member, &certificate.agent, public_key, now_ms).await?;
        put_certificate(&mut transaction, certificate).await?;
        transaction.commit().await?;
        self.give_out(EPOCH, now_ms).await?;
        Ok(true)
    }

    /// Enrols an agent by its key alone, for a broker on the same machine: no invitation, no certificate.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trust_key(
        &self,
        member: &Name,
        agent: &Name,
        key: &str,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put_key(&mut transaction, member.as_str(), agent.as_str(), key, now_ms).await?;
        transaction.commit().await?;
        self.give_out(EPOCH, now_ms).await?;
        Ok(())
    }

    /// Keeps a renewed certificate; the one before it counts until it expires.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renewed(&self, certificate: &CertificateRow) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put_certificate(&mut transaction, certificate).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Revokes an agent's key and all of its certificates; false where no such agent is enrolled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke(&self, member: &Name, agent: &Name, now_ms: u64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE enrolled SET revoked_ms = $1 WHERE member = $2 AND agent = $3 AND revoked_ms = 0",
        )
        .bind(signed(now_ms))
        .bind(member.as_str())
        .bind(agent.as_str())
        .execute(&mut *transaction)
        .await?;
        revoke_certificates(&mut transaction, member.as_str(), agent.as_str(), now_ms).await?;
        transaction.commit().await?;
        self.give_out(EPOCH, now_ms).await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Rises with every change of what is trusted; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trust_epoch(&self) -> Result<i64, StoreError> {
        let query = sqlx::query("SELECT number FROM given_out WHERE name = $1").bind(EPOCH);
        let row = query.fetch_optional(&self.readers).await?;
        row.map_or(Ok(0), |row| Ok(row.try_get("number")?))
    }

    /// All enrolled agents, the revoked ones too, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enrolled(&self) -> Result<Vec<EnrolledRow>, StoreError> {
        let query = sqlx::query(
            "SELECT member, agent, public_key, enrolled_ms, revoked_ms FROM enrolled ORDER BY member, agent LIMIT $1",
        );
        let rows = query.bind(i64::from(ENROLLED_MAX)).fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(EnrolledRow {
                    member: row.try_get("member")?,
                    agent: row.try_get("agent")?,
                    public_key: row.try_get("public_key")?,
                    enrolled_ms: unsigned(row.try_get("enrolled_ms")?),
                    revoked_ms: unsigned(row.try_get("revoked_ms")?),
                })
            })
            .collect()
    }

    /// Certificates that haven't expired, the last issued first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn certificates(&self, now_ms: u64) -> Result<Vec<CertificateRow>, StoreError> {
        let query = sqlx::query(
            "SELECT serial, member, agent, issued_ms, not_after_ms, revoked_ms FROM certificate \
             WHERE not_after_ms > $1 ORDER BY issued_ms DESC, serial LIMIT $2",
        );
        let query = query.bind(signed(now_ms)).bind(i64::from(CERTIFICATES_MAX));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(CertificateRow {
                    serial: row.try_get("serial")?,
                    member: row.try_get("member")?,
                    agent: row.try_get("agent")?,
                    issued_ms: unsigned(row.try_get("issued_ms")?),
                    not_after_ms: unsigned(row.try_get("not_after_ms")?),
                    revoked_ms: unsigned(row.try_get("revoked_ms")?),
                })
            })
            .collect()
    }

    /// Adds refusals up.
    ///
    /// # Errors
    /// [`StoreError`]; some may have been added.
    pub async fn add_refusals(&self, refusals: &[RefusalRow]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for row in refusals {
            sqlx::query(
                "INSERT INTO refusal (member, agent, reason, count, first_ms, last_ms) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (member, agent, reason) DO UPDATE SET count = refusal.count + excluded.count, \
                 last_ms = excluded.last_ms",
            )
            .bind(&row.member)
            .bind(&row.agent)
            .bind(&row.reason)
            .bind(signed(row.count))
            .bind(signed(row.first_ms))
            .bind(signed(row.last_ms))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What was refused, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusals(&self) -> Result<Vec<RefusalRow>, StoreError> {
        let query = sqlx::query(
            "SELECT member, agent, reason, count, first_ms, last_ms FROM refusal ORDER BY last_ms DESC LIMIT $1",
        );
        let rows = query.bind(i64::from(REFUSALS_SHOWN_MAX)).fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(RefusalRow {
                    member: row.try_get("member")?,
                    agent: row.try_get("agent")?,
                    reason: row.try_get("reason")?,
                    count: unsigned(row.try_get("count")?),
                    first_ms: unsigned(row.try_get("first_ms")?),
                    last_ms: unsigned(row.try_get("last_ms")?),
                })
            })
            .collect()
    }
}

async fn put_key(
    connection: &mut sqlx::AnyConnection,
    member: &str,
    agent: &str,
    public_key: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO member (id, added_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(member)
        .bind(signed(now_ms))
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO enrolled (member, agent, public_key, enrolled_ms, revoked_ms) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (member, agent) DO UPDATE SET public_key = excluded.public_key, \
         enrolled_ms = excluded.enrolled_ms, revoked_ms = 0",
    )
    .bind(member)
    .bind(agent)
    .bind(public_key)
    .bind(signed(now_ms))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn put_certificate(
    connection: &mut sqlx::AnyConnection,
    certificate: &CertificateRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO certificate (serial, member, agent, issued_ms, not_after_ms, revoked_ms) \
         VALUES ($1, $2, $3, $4, $5, 0)",
    )
    .bind(&certificate.serial)
    .bind(&certificate.member)
    .bind(&certificate.agent)
    .bind(signed(certificate.issued_ms))
    .bind(signed(certificate.not_after_ms))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn revoke_certificates(
    connection: &mut sqlx::AnyConnection,
    member: &str,
    agent: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE certificate SET revoked_ms = $1 WHERE member = $2 AND agent = $3 AND revoked_ms = 0")
        .bind(signed(now_ms))
        .bind(member)
        .bind(agent)
        .execute(&mut *connection)
        .await?;
    Ok(())
}
