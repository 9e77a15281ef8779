//! People, their sessions, and programs with a token.

use super::{Store, StoreError, signed, unsigned};
use crate::limits::PEOPLE_MAX;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A person.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The name that is typed at the log-in.
    pub name: String,
    /// [`crate::accounts::Role::id`].
    pub role: String,
    /// The institution of a member's analyst; empty else.
    pub member: String,
    /// Argon2id in PHC's form.
    pub password: String,
    /// Base32; empty without a second factor.
    pub totp: String,
    /// The last step whose code was taken.
    pub totp_step: u64,
    /// Hashes of the recovery codes that are left, joined by spaces.
    pub recovery: String,
    /// When added, in milliseconds since the Unix epoch.
    pub added_ms: u64,
    /// When disabled; 0 while it isn't.
    pub disabled_ms: u64,
    /// Wrong passwords and codes since the last right ones.
    pub failures: u64,
    /// Until when nobody may log in as it.
    pub locked_ms: u64,
}

/// Without what is secret.
impl std::fmt::Debug for PersonRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRow")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A program with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// As of a person.
    pub role: String,
    /// As of a person.
    pub member: String,
    /// When, in milliseconds since the Unix epoch.
    pub added_ms: u64,
}

const PERSON: &str = "SELECT name, role, member, password, totp, totp_step, recovery, added_ms, disabled_ms, failures, \
                      locked_ms FROM person";

impl Store {
    /// Adds a person; false where the name is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_person(&self, person: &PersonRow) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO person (name, role, member, password, totp, totp_step, recovery, added_ms, disabled_ms, failures, \
             locked_ms) VALUES ($1, $2, $3, $4, '', 0, '', $5, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&person.name)
        .bind(&person.role)
        .bind(&person.member)
        .bind(&person.password)
        .bind(signed(person.added_ms))
        .execute(&self.writer)
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// Whether there is anybody at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_people(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM person").fetch_one(&self.readers).await?;
        Ok(row.try_get::<i64, _>("count")? > 0)
    }

    /// A person by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, name: &str) -> Result<Option<PersonRow>, StoreError> {
        let sql = format!("{PERSON} WHERE name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(&self.readers).await?;
        row.as_ref().map(person).transpose()
    }

    /// All people, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        let sql = format!("{PERSON} ORDER BY name LIMIT $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(PEOPLE_MAX));
        query.fetch_all(&self.readers).await?.iter().map(person).collect()
    }

    /// Writes everything of a person that can change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_person(&self, person: &PersonRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE person SET role = $2, member = $3, password = $4, totp = $5, recovery = $6, \
             disabled_ms = $7, failures = $8, locked_ms = $9 WHERE name = $1",
        )
        .bind(&person.name)
        .bind(&person.role)
        .bind(&person.member)
        .bind(&person.password)
        .bind(&person.totp)
        .bind(&person.recovery)
        .bind(signed(person.disabled_ms))
        .bind(signed(person.failures))
        .bind(signed(person.locked_ms))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Takes the code of a step; false where one of it, or of a later one, was taken already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_step(&self, name: &str, step: u64) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE person SET totp_step = $1 WHERE name = $2 AND totp_step < $1");
        let taken = query.bind(signed(step)).bind(name).execute(&self.writer).await?;
        Ok(taken.rows_affected() > 0)
    }

    /// Replaces the recovery codes by fewer; false where somebody else did so meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_recovery(&self, name: &str, before: &str, after: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE person SET recovery = $1 WHERE name = $2 AND recovery = $3");
        let taken = query.bind(after).bind(name).bind(before).execute(&self.writer).await?;
        Ok(taken.rows_affected() > 0)
    }

    /// Begins a session, and forgets those that began before `expired_ms`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_session(
        &self,
        hash: &str,
        person: &str,
        now_ms: u64,
        expired_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM session WHERE started_ms < $1")
            .bind(signed(expired_ms))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO session (hash, person, started_ms, seen_ms) VALUES ($1, $2, $3, $3)")
            .bind(hash)
            .bind(person)
            .bind(signed(now_ms))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The person of a session that began, and was last seen, after these instants; and when it was last seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(
        &self,
        hash: &str,
        started_after_ms: u64,
        seen_after_ms: u64,
    ) -> Result<Option<(PersonRow, u64)>, StoreError> {
        let query = sqlx::query(
            "SELECT p.name, p.role, p.member, p.password, p.totp, p.totp_step, p.recovery, p.added_ms, p.disabled_ms, \
             p.failures, p.locked_ms, s.seen_ms FROM session s JOIN person p ON p.name = s.person \
             WHERE s.hash = $1 AND s.started_ms > $2 AND s.seen_ms > $3 AND p.disabled_ms = 0",
        );
        let query = query.bind(hash).bind(signed(started_after_ms)).bind(signed(seen_after_ms));
        let row = query.fetch_optional(&self.readers).await?;
        row.map(|row| Ok((person(&row)?, unsigned(row.try_get("seen_ms")?)))).transpose()
    }

    /// Says that a session was seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn see_session(&self, hash: &str, now_ms: u64) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE session SET seen_ms = $1 WHERE hash = $2");
        query.bind(signed(now_ms)).bind(hash).execute(&self.writer).await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session WHERE hash = $1").bind(hash).execute(&self.writer).await?;
        Ok(())
    }

    /// Ends all sessions of a person, but for one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions(&self, person: &str, but: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM session WHERE person = $1 AND hash <> $2");
        query.bind(person).bind(but).execute(&self.writer).await?;
        Ok(())
    }

    /// Adds a program's token, by its hash; false where the name is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_token(&self, hash: &str, token: &TokenRow) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO access_token (hash, name, role, member, added_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(hash)
        .bind(&token.name)
        .bind(&token.role)
        .bind(&token.member)
        .bind(signed(token.added_ms))
        .execute(&self.writer)
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// The program of a token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let query = sqlx::query("SELECT name, role, member, added_ms FROM access_token WHERE hash = $1");
        let row = query.bind(hash).fetch_optional(&self.readers).await?;
        row.as_ref().map(token).transpose()
    }

    /// All programs with a token, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let query =
            sqlx::query("SELECT name, role, member, added_ms FROM access_token ORDER BY name LIMIT $1");
        query.bind(i64::from(PEOPLE_MAX)).fetch_all(&self.readers).await?.iter().map(token).collect()
    }

    /// Removes a program's token; false where there is none of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_token(&self, name: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM access_token WHERE name = $1").bind(name);
        Ok(query.execute(&self.writer).await?.rows_affected() > 0)
    }
}

fn person(row: &AnyRow) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        member: row.try_get("member")?,
        password: row.try_get("password")?,
        totp: row.try_get("totp")?,
        totp_step: unsigned(row.try_get("totp_step")?),
        recovery: row.try_get("recovery")?,
        added_ms: unsigned(row.try_get("added_ms")?),
        disabled_ms: unsigned(row.try_get("disabled_ms")?),
        failures: unsigned(row.try_get("failures")?),
        locked_ms: unsigned(row.try_get("locked_ms")?),
    })
}

fn token(row: &AnyRow) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        member: row.try_get("member")?,
        added_ms: unsigned(row.try_get("added_ms")?),
    })
}
