//! Rules that are written in the console.

use super::indicators::{REVISION, give_out};
use super::{Store, StoreError, signed, unsigned};
use crate::limits::RULE_DRAFTS_MAX;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A rule's source that is written in the console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleDraftRow {
    /// Its file name without the ending.
    pub name: String,
    /// The channel it is for; empty for all.
    pub channel: String,
    /// As it was last saved.
    pub text: String,
    /// Who saved it.
    pub author: String,
    /// The clue it comes from; empty otherwise.
    pub clue: String,
    /// When it was saved, in milliseconds since the Unix epoch.
    pub changed_ms: u64,
    /// What was last shown, see [`crate::drafting`]; empty before.
    pub shown: String,
    /// What every pack has; empty while it isn't published.
    pub published: String,
    /// Who published it.
    pub published_by: String,
    /// When, in milliseconds since the Unix epoch.
    pub published_ms: u64,
}

/// The name under which changes of published rules are numbered.
const RULES: &str = "rules";

const COLUMNS: &str = "SELECT name, channel, text, author, clue, changed_ms, shown, published, published_by, published_ms \
     FROM rule_draft ";

impl Store {
    /// All of them, the last changed first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rule_drafts(&self) -> Result<Vec<RuleDraftRow>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY changed_ms DESC, name LIMIT $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(RULE_DRAFTS_MAX));
        query.fetch_all(&self.readers).await?.iter().map(draft).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rule_draft(&self, name: &str) -> Result<Option<RuleDraftRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE name = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name);
        query.fetch_optional(&self.readers).await?.as_ref().map(draft).transpose()
    }

    /// Those that every pack has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn published_rules(&self) -> Result<Vec<RuleDraftRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE published <> '' ORDER BY name LIMIT $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(RULE_DRAFTS_MAX));
        query.fetch_all(&self.readers).await?.iter().map(draft).collect()
    }

    /// Saves what was written; false where there are too many. What is published stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_rule(&self, draft: &RuleDraftRow) -> Result<bool, StoreError> {
        let saved = sqlx::query(
            "INSERT INTO rule_draft (name, channel, text, author, clue, changed_ms, shown, published, published_by, \
             published_ms) SELECT $1, $2, $3, $4, $5, $6, $7, '', '', 0 WHERE (SELECT COUNT(*) FROM rule_draft) < $8 \
             OR EXISTS (SELECT 1 FROM rule_draft WHERE name = $1) ON CONFLICT (name) DO UPDATE SET \
             channel = excluded.channel, text = excluded.text, author = excluded.author, clue = excluded.clue, \
             changed_ms = excluded.changed_ms, shown = excluded.shown",
        )
        .bind(&draft.name)
        .bind(&draft.channel)
        .bind(&draft.text)
        .bind(&draft.author)
        .bind(&draft.clue)
        .bind(signed(draft.changed_ms))
        .bind(&draft.shown)
        .bind(i64::from(RULE_DRAFTS_MAX))
        .execute(&self.writer)
        .await?;
        Ok(saved.rows_affected() > 0)
    }

    /// Publishes a rule as it was saved, if it still is what was shown; false otherwise.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn publish_rule(
        &self,
        draft: &RuleDraftRow,
        by: &str,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let published = sqlx::query(
            "UPDATE rule_draft SET published = text, published_by = $1, published_ms = $2 \
             WHERE name = $3 AND text = $4 AND shown = $5",
        )
        .bind(by)
        .bind(signed(now_ms))
        .bind(&draft.name)
        .bind(&draft.text)
        .bind(&draft.shown)
        .execute(&mut *transaction)
        .await?;
        if published.rows_affected() != 1 {
            return Ok(false);
        }
        give_out(&mut transaction, RULES, 1).await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes a rule out of the packs; false where it isn't in them.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn withdraw_rule(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let withdrawn =
            sqlx::query("UPDATE rule_draft SET published = '' WHERE name = $1 AND published <> ''")
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        give_out(&mut transaction, RULES, 1).await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(withdrawn.rows_affected() > 0)
    }

    /// Rises with every change of the published rules.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rules_revision(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT number FROM given_out WHERE name = $1").bind(RULES);
        let row = row.fetch_optional(&self.readers).await?;
        row.map_or(Ok(0), |row| Ok(unsigned(row.try_get("number")?)))
    }
}

fn draft(row: &AnyRow) -> Result<RuleDraftRow, StoreError> {
    Ok(RuleDraftRow {
        name: row.try_get("name")?,
        channel: row.try_get("channel")?,
        text: row.try_get("text")?,
        author: row.try_get("author")?,
        clue: row.try_get("clue")?,
        changed_ms: unsigned(row.try_get("changed_ms")?),
        shown: row.try_get("shown")?,
        published: row.try_get("published")?,
        published_by: row.try_get("published_by")?,
        published_ms: unsigned(row.try_get("published_ms")?),
    })
}
