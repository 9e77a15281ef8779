//! Logging in, and what a person does with the own account. Without HTTP.

use super::{Caller, PasswordError, Role, Via, password, scope, second};
use crate::audit::{self, Action};
use crate::secret::{self, NoRandomness};
use crate::store::{PersonRow, Store, StoreError};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A session that isn't used ends after this.
pub const SESSION_IDLE_MS: u64 = 30 * 60_000;
/// A session ends after this in any case.
pub const SESSION_MS: u64 = 12 * 3_600_000;
/// How exactly it is known when a session was last used.
const SEEN_MS: u64 = 60_000;
/// So many wrong attempts in a row are free; each further one doubles the wait, up to a quarter of an hour.
const FREE_FAILURES: u64 = 5;
const LOCK_MS: (u64, u64) = (30_000, 900_000);
/// Passwords tried at a time: each takes 19 MiB.
const HASHES_MAX: usize = 4;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Which of them isn't told.
    #[error("the name, the password or the code isn't right")]
    Wrong,
    /// Too many wrong attempts.
    #[error("too many wrong attempts: wait a while")]
    Locked,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A task of the runtime ended.
    #[error("the password could not be tried")]
    Task,
}

/// Why a person can't be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The name has other characters, is empty or too long.
    #[error("a name has 1 to {NAME_CHARS_MAX} letters, digits, '.', '-', '_' or '@'")]
    Name,
    /// The name is taken.
    #[error("there is a person of this name already")]
    Known,
    /// There is nobody of this name.
    #[error("there is nobody of this name")]
    Nobody,
    /// A member's analyst without a member, or another role with one.
    #[error("a member's analyst has a member, and nobody else has")]
    Member,
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The present password, or the code, isn't right.
    #[error("the present password or the code isn't right")]
    Wrong,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A task of the runtime ended.
    #[error("the password could not be hashed")]
    Task,
}

/// What somebody typed. Never printed.
pub struct Attempt {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The code of the second factor, or a recovery code; empty where none is set up.
    pub code: String,
}

/// A second factor that is being set up.
pub struct SecondSetUp {
    /// The secret, to be typed.
    pub secret: String,
    /// The same for a picture.
    pub address: String,
}

/// People, programs, sessions.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    hashing: Arc<Semaphore>,
}

impl Accounts {
    /// Over a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, hashing: Arc::new(Semaphore::new(HASHES_MAX)) }
    }

    /// Logs somebody in; gives what the browser is to hold.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn log_in(&self, attempt: Attempt, now_ms: u64) -> Result<String, LoginError> {
        let Attempt { name, password, code } = attempt;
        let person = self.store.person(&name).await?.filter(|person| person.disabled_ms == 0);
        if person.as_ref().is_some_and(|person| person.locked_ms > now_ms) {
            return Err(LoginError::Locked);
        }
        let kept = person.as_ref().map(|person| person.password.clone());
        let is_right = self.is_right(password, kept).await.ok_or(LoginError::Task)?;
        let Some(mut person) = person else {
            return Err(LoginError::Wrong);
        };
        if !is_right || !self.takes_code(&person, &code, now_ms).await? {
            person.failures = person.failures.saturating_add(1);
            person.locked_ms = now_ms.saturating_add(lock_ms(person.failures));
            audit::add(&self.store, &person.name, Action::LoginRefused, &person.name, "").await?;
            self.note_failures(&person).await?;
            return Err(LoginError::Wrong);
        }
        audit::add(&self.store, &person.name, Action::Login, &person.name, "").await?;
        (person.failures, person.locked_ms) = (0, 0);
        self.note_failures(&person).await?;
        let token = secret::token()?;
        let expired_ms = now_ms.saturating_sub(SESSION_MS);
        self.store.begin_session(&secret::digest(&token), &person.name, now_ms, expired_ms).await?;
        Ok(token)
    }

    /// Only these two: a recovery code that was taken meanwhile stays taken.
    async fn note_failures(&self, person: &PersonRow) -> Result<(), StoreError> {
        let Some(now) = self.store.person(&person.name).await? else { return Ok(()) };
        let noted = PersonRow { failures: person.failures, locked_ms: person.locked_ms, ..now };
        self.store.put_person(&noted).await
    }

    /// Whether it is the code of the moment or a recovery code, where a second factor is set up; and takes it.
    async fn takes_code(&self, person: &PersonRow, code: &str, now_ms: u64) -> Result<bool, StoreError> {
        if person.totp.is_empty() {
            return Ok(true);
        }
        if let Some(step) = second::step(&person.totp, code, now_ms) {
            return self.store.take_step(&person.name, step).await;
        }
        match second::without(&person.recovery, code) {
            Some(left) => self.store.take_recovery(&person.name, &person.recovery, &left).await,
            None => Ok(false),
        }
    }

    async fn is_right(&self, password: String, kept: Option<String>) -> Option<bool> {
        let _turn = self.hashing.acquire().await.ok()?;
        let tried = tokio::task::spawn_blocking(move || password::is_right(&password, kept.as_deref()));
        tried.await.ok()
    }

    async fn hash(&self, name: &str, password: &str) -> Result<String, PersonError> {
        let _turn = self.hashing.acquire().await.map_err(|_| PersonError::Task)?;
        let (name, password) = (name.to_owned(), password.to_owned());
        let hashed = tokio::task::spawn_blocking(move || password::hash(&name, &password));
        Ok(hashed.await.map_err(|_| PersonError::Task)??)
    }

    /// Who holds this cookie.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_cookie(&self, token: &str, now_ms: u64) -> Result<Option<Caller>, StoreError> {
        let hash = secret::digest(token);
        let since = (now_ms.saturating_sub(SESSION_MS), now_ms.saturating_sub(SESSION_IDLE_MS));
        let Some((person, seen_ms)) = self.store.session(&hash, since.0, since.1).await? else {
            return Ok(None);
        };
        if now_ms.saturating_sub(seen_ms) > SEEN_MS {
            self.store.see_session(&hash, now_ms).await?;
        }
        Ok(scope(&person.role, &person.member).map(|(role, member)| Caller {
            name: person.name,
            role,
            member,
            has_second: !person.totp.is_empty(),
            via: Via::Session { hash, csrf: secret::derived(token, "csrf") },
        }))
    }

    /// Which program has this token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_token(&self, token: &str) -> Result<Option<Caller>, StoreError> {
        let Some(row) = self.store.token(&secret::digest(token)).await? else { return Ok(None) };
        Ok(scope(&row.role, &row.member).map(|(role, member)| Caller {
            name: row.name,
            role,
            member,
            has_second: true,
            via: Via::Token,
        }))
    }

    /// Ends a caller's session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_out(&self, caller: &Caller) -> Result<(), StoreError> {
        if let Via::Session { hash, .. } = &caller.via {
            audit::add(&self.store, &caller.name, Action::Logout, &caller.name, "").await?;
            self.store.end_session(hash).await?;
        }
        Ok(())
    }

    /// Adds a person.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn add(&self, actor: &str, person: PersonRow, password: &str) -> Result<(), PersonError> {
        let legal = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_' | '@');
        if !(1..=NAME_CHARS_MAX).contains(&person.name.chars().count()) || !person.name.chars().all(legal) {
            return Err(PersonError::Name);
        }
        match scope(&person.role, &person.member) {
            Some((Role::MemberAnalyst, _)) => {}
            Some(_) if person.member.is_empty() => {}
            _ => return Err(PersonError::Member),
        }
        let hash = self.hash(&person.name, password).await?;
        let detail = format!("added as {} {}", person.role, person.member);
        audit::add(&self.store, actor, Action::PersonChanged, &person.name, detail.trim_end()).await?;
        let added = self.store.add_person(&PersonRow { password: hash, ..person }).await?;
        if added { Ok(()) } else { Err(PersonError::Known) }
    }

    /// Gives somebody a new password, and takes the second factor away: for who lost both. Ends their sessions.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn reset(&self, actor: &str, name: &str, password: &str) -> Result<(), PersonError> {
        let person = self.store.person(name).await?.ok_or(PersonError::Nobody)?;
        let password = self.hash(name, password).await?;
        audit::add(&self.store, actor, Action::PersonChanged, name, "password and second factor reset")
            .await?;
        let (totp, recovery) = (String::new(), String::new());
        let reset =
            PersonRow { password, totp, recovery, failures: 0, locked_ms: 0, disabled_ms: 0, ..person };
        self.store.put_person(&reset).await?;
        Ok(self.store.end_sessions(name, "").await?)
    }

    /// Shuts somebody out, and ends their sessions.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn disable(&self, actor: &str, name: &str, now_ms: u64) -> Result<(), PersonError> {
        let person = self.store.person(name).await?.ok_or(PersonError::Nobody)?;
        audit::add(&self.store, actor, Action::PersonChanged, name, "disabled").await?;
        self.store.put_person(&PersonRow { disabled_ms: now_ms, ..person }).await?;
        Ok(self.store.end_sessions(name, "").await?)
    }

    /// Changes the own password; the other sessions end.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn change(&self, caller: &Caller, present: &str, new: &str) -> Result<(), PersonError> {
        let person = self.store.person(&caller.name).await?.ok_or(PersonError::Nobody)?;
        let right = self.is_right(present.to_owned(), Some(person.password.clone())).await;
        if !right.ok_or(PersonError::Task)? {
            return Err(PersonError::Wrong);
        }
        let password = self.hash(&caller.name, new).await?;
        audit::add(&self.store, &caller.name, Action::PersonChanged, &caller.name, "password changed")
            .await?;
        self.store.put_person(&PersonRow { password, ..person }).await?;
        let own = if let Via::Session { hash, .. } = &caller.via { hash } else { "" };
        Ok(self.store.end_sessions(&caller.name, own).await?)
    }

    /// A secret for a second factor that isn't in force before [`Self::set_second`].
    ///
    /// # Errors
    /// [`PersonError`].
    pub fn offer_second(&self, caller: &Caller) -> Result<SecondSetUp, PersonError> {
        let secret = second::secret()?;
        let address = second::address(&caller.name, &secret);
        Ok(SecondSetUp { secret, address })
    }

    /// Puts a second factor in force whose code is right; gives the recovery codes, which are shown once.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn set_second(
        &self,
        caller: &Caller,
        secret: &str,
        code: &str,
        now_ms: u64,
    ) -> Result<Vec<String>, PersonError> {
        let person = self.store.person(&caller.name).await?.ok_or(PersonError::Nobody)?;
        // One that is there is only replaced after it was taken away with the password, or by an administrator.
        let step = second::step(secret, code, now_ms).filter(|_| person.totp.is_empty());
        let step = step.ok_or(PersonError::Wrong)?;
        let (codes, recovery) = second::recovery()?;
        audit::add(&self.store, &caller.name, Action::PersonChanged, &caller.name, "second factor set up")
            .await?;
        self.store.put_person(&PersonRow { totp: secret.to_owned(), recovery, ..person }).await?;
        self.store.take_step(&caller.name, step).await?;
        Ok(codes)
    }

    /// Takes the own second factor away.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn remove_second(&self, caller: &Caller, present: &str) -> Result<(), PersonError> {
        let person = self.store.person(&caller.name).await?.ok_or(PersonError::Nobody)?;
        let right = self.is_right(present.to_owned(), Some(person.password.clone())).await;
        if !right.ok_or(PersonError::Task)? {
            return Err(PersonError::Wrong);
        }
        audit::add(&self.store, &caller.name, Action::PersonChanged, &caller.name, "second factor removed")
            .await?;
        let (totp, recovery) = (String::new(), String::new());
        Ok(self.store.put_person(&PersonRow { totp, recovery, ..person }).await?)
    }
}

/// A person's row without a password yet.
#[must_use]
pub fn new_person(name: &str, role: Role, member: &str, now_ms: u64) -> PersonRow {
    PersonRow {
        name: name.to_owned(),
        role: role.id().to_owned(),
        member: member.to_owned(),
        password: String::new(),
        totp: String::new(),
        totp_step: 0,
        recovery: String::new(),
        added_ms: now_ms,
        disabled_ms: 0,
        failures: 0,
        locked_ms: 0,
    }
}

fn lock_ms(failures: u64) -> u64 {
    match failures.checked_sub(FREE_FAILURES) {
        None => 0,
        Some(further) => LOCK_MS.0.saturating_mul(1 << further.min(10)).min(LOCK_MS.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Address;

    const PASSWORD: &str = "correct horse battery";

    async fn accounts() -> (tempfile::TempDir, Accounts) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Address::file(&dir.path().join("hub.sqlite")).unwrap()).await.unwrap();
        let accounts = Accounts::new(store);
        let li = new_person("li", Role::HubAnalyst, "", 1);
        accounts.add("test", li, PASSWORD).await.unwrap();
        (dir, accounts)
    }

    fn attempt(password: &str, code: &str) -> Attempt {
        Attempt { name: "li".into(), password: password.into(), code: code.into() }
    }

    #[tokio::test]
    async fn a_session_ends_by_itself_and_when_told() {
        let (_dir, accounts) = accounts().await;
        let now = 1_764_000_000_000;
        let token = accounts.log_in(attempt(PASSWORD, ""), now).await.unwrap();
        let caller = accounts.by_cookie(&token, now + 1).await.unwrap().unwrap();
        assert_eq!((caller.role, &caller.name[..]), (Role::HubAnalyst, "li"));
        assert!(!caller.csrf().is_empty() && !caller.csrf().contains(&token));
        assert_eq!(accounts.by_cookie(caller.csrf(), now).await.unwrap(), None);
        // Used now and then it goes on, up to the end.
        let mut at = now;
        while at < now + SESSION_MS {
            assert!(accounts.by_cookie(&token, at).await.unwrap().is_some(), "{}", at - now);
            at += SESSION_IDLE_MS - 1;
        }
        assert!(accounts.by_cookie(&token, now + SESSION_MS).await.unwrap().is_none());
        let idle = accounts.log_in(attempt(PASSWORD, ""), now).await.unwrap();
        assert!(accounts.by_cookie(&idle, now + SESSION_IDLE_MS).await.unwrap().is_none());
        let told = accounts.log_in(attempt(PASSWORD, ""), now).await.unwrap();
        let caller = accounts.by_cookie(&told, now).await.unwrap().unwrap();
        accounts.log_out(&caller).await.unwrap();
        assert!(accounts.by_cookie(&told, now).await.unwrap().is_none());
        let shut = accounts.log_in(attempt(PASSWORD, ""), now).await.unwrap();
        accounts.disable("test", "li", now).await.unwrap();
        assert!(accounts.by_cookie(&shut, now).await.unwrap().is_none());
        assert!(matches!(accounts.log_in(attempt(PASSWORD, ""), now).await, Err(LoginError::Wrong)));
    }

    #[tokio::test]
    async fn wrong_passwords_lock_for_a_while() {
        let (_dir, accounts) = accounts().await;
        let now = 1_764_000_000_000;
        for _ in 0..FREE_FAILURES {
            assert!(matches!(accounts.log_in(attempt("wrong", ""), now).await, Err(LoginError::Wrong)));
        }
        assert!(matches!(accounts.log_in(attempt(PASSWORD, ""), now + 1).await, Err(LoginError::Locked)));
        assert!(accounts.log_in(attempt(PASSWORD, ""), now + LOCK_MS.0).await.is_ok());
        assert!(
            lock_ms(4) == 0 && lock_ms(5) == 30_000 && lock_ms(6) == 60_000 && lock_ms(u64::MAX) == 900_000
        );
        let nobody = Attempt { name: "wang".into(), password: PASSWORD.into(), code: String::new() };
        assert!(matches!(accounts.log_in(nobody, now).await, Err(LoginError::Wrong)));
    }

    #[tokio::test]
    async fn with_a_second_factor_the_password_is_not_enough_and_no_code_is_taken_twice() {
        let (_dir, accounts) = accounts().await;
        let now = 1_764_000_000_000;
        let token = accounts.log_in(attempt(PASSWORD, ""), now).await.unwrap();
        let caller = accounts.by_cookie(&token, now).await.unwrap().unwrap();
        let offer = accounts.offer_second(&caller).unwrap();
        assert!(accounts.set_second(&caller, &offer.secret, "000", now).await.is_err());
        let code = |at| second::code(&offer.secret, at);
        let codes = accounts.set_second(&caller, &offer.secret, &code(now), now).await.unwrap();
        assert!(accounts.log_in(attempt(PASSWORD, ""), now).await.is_err());
        assert!(
            accounts.log_in(attempt(PASSWORD, &code(now)), now).await.is_err(),
            "used when it was set up"
        );
        let later = now + 30_000;
        assert!(accounts.log_in(attempt(PASSWORD, &code(later)), later).await.is_ok());
        assert!(accounts.log_in(attempt(PASSWORD, &code(later)), later).await.is_err());
        assert!(accounts.log_in(attempt("wrong", &codes[0]), later).await.is_err());
        assert!(accounts.log_in(attempt(PASSWORD, &codes[0]), later).await.is_ok());
        assert!(accounts.log_in(attempt(PASSWORD, &codes[0]), later).await.is_err());
        let again = accounts.offer_second(&caller).unwrap();
        let other = second::code(&again.secret, later);
        assert!(accounts.set_second(&caller, &again.secret, &other, later).await.is_err(), "one is there");
        assert!(accounts.remove_second(&caller, "wrong").await.is_err());
        accounts.remove_second(&caller, PASSWORD).await.unwrap();
        assert!(accounts.log_in(attempt(PASSWORD, ""), later).await.is_ok());
        accounts.change(&caller, PASSWORD, "another good password").await.unwrap();
        assert!(accounts.log_in(attempt(PASSWORD, ""), later).await.is_err());
        assert!(accounts.by_cookie(&token, later).await.unwrap().is_some(), "the own session goes on");
    }
}
