//! `yumen-hub member | agent | user | token | audit | ca | broker`: on the hub's machine, beside a running hub or without
//! one. Whoever can read the configuration and the database is the administrator here; each act stands in the audit log
//! with the system's name of who did it.

use super::fail;
use crate::accounts::{Accounts, Role, new_person};
use crate::audit::{self, Action};
use crate::broker::acl;
use crate::clock::now_ms;
use crate::config::Config;
use crate::enrol::Enrolment;
use crate::store::{Store, TokenRow};
use crate::{hub, secret};
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yumen_exchange::time;
use yumen_exchange::topic::Name;

/// Where the hub is.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The configuration; every field has a default
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Where the database is kept, in place of the configuration's
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum MemberCommand {
    /// Add an institution 添加机构
    Add {
        /// Its name in topics and certificates: a-z, 0-9, -
        id: Name,
        #[command(flatten)]
        place: Place,
    },
    /// List institutions 列出机构
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum AgentCommand {
    /// Print a token, once, with which `yumen enrol` enrols an agent 生成一次性邀请码
    Invite {
        /// The institution
        member: Name,
        /// The agent
        agent: Name,
        /// How long it counts
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=720))]
        hours: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Enrol an agent by its signing key alone, without a certificate 仅登记签名公钥
    Trust {
        /// The institution
        member: Name,
        /// The agent
        agent: Name,
        /// Its public key, 64 hexadecimal digits: what stands at the head of its agent.key
        key: String,
        #[command(flatten)]
        place: Place,
    },
    /// Shut an agent out at once 吊销网关
    Revoke {
        /// The institution
        member: Name,
        /// The agent
        agent: Name,
        #[command(flatten)]
        place: Place,
    },
    /// List agents with their keys and certificates 列出网关
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum UserCommand {
    /// Add a person; the password is asked for, or read from standard input, or made and printed 添加用户
    Add {
        /// What is typed at the log-in
        name: String,
        /// member-analyst, regulator, hub-analyst, administrator
        #[arg(long)]
        role: Role,
        /// The institution of a member's analyst
        #[arg(long)]
        member: Option<Name>,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// Give somebody a new password and take the second factor away 重置
    Reset {
        /// Their name
        name: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// Shut somebody out 停用
    Disable {
        /// Their name
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List people 列出用户
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Password {
    /// Read the password from standard input instead of making one 从标准输入读取口令
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum TokenCommand {
    /// Print a token, once, for a program that uses the API 生成程序令牌
    Add {
        /// What it is called in the audit log
        name: String,
        /// member-analyst, regulator, hub-analyst, administrator
        #[arg(long)]
        role: Role,
        /// The institution of a member-analyst
        #[arg(long)]
        member: Option<Name>,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a token 删除令牌
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List tokens 列出令牌
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Go through the whole chain 校验哈希链
    Verify {
        /// A row's number and hash that were noted elsewhere, as SEQ:HASH
        #[arg(long, value_parser = noted)]
        noted: Option<(u64, String)>,
        #[command(flatten)]
        place: Place,
    },
    /// Print all rows, one JSON object a line 导出
    Export {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum CaCommand {
    /// Print the authority's certificate, made where there is none 输出 CA 证书
    Show {
        #[command(flatten)]
        place: Place,
    },
    /// Write the list of revocations, as a running hub does, and say where 写出吊销列表
    Crl {
        #[command(flatten)]
        place: Place,
    },
    /// Write a certificate and key for a server: the hub's HTTPS, or a broker 签发服务器证书
    Server {
        /// Its names and addresses; the first is the common name
        #[arg(required = true)]
        names: Vec<String>,
        /// The folder for server.pem and server.key
        #[arg(long)]
        out: PathBuf,
        /// How long it counts
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=825))]
        days: u64,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum BrokerCommand {
    /// Print Mosquitto's acl_file, for use_identity_as_username 输出 Mosquitto 访问规则
    Acl {
        /// The common name of the hub's own certificate
        #[arg(long, default_value = "yumen-hub")]
        hub: String,
    },
}

/// Runs something with the store, and says what went wrong.
pub(super) fn with<T, E: Display>(
    place: &Place,
    act: impl AsyncFnOnce(&Config, &Store) -> Result<T, E>,
) -> Result<T, String> {
    let mut config = match place.config.as_deref().map(Config::load) {
        None => Config::default(),
        Some(loaded) => loaded.map_err(|error| error.to_string())?,
    };
    if let Some(data_dir) = &place.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| format!("data_dir {}: {error}", config.data_dir.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let store = hub::open(&config).await.map_err(|error| error.to_string())?;
        let done = act(&config, &store).await.map_err(|error| error.to_string());
        store.close().await;
        done
    })
}

fn with_enrolment<T>(
    place: &Place,
    act: impl AsyncFnOnce(&Enrolment) -> Result<T, crate::enrol::EnrolError>,
) -> Result<T, String> {
    with(place, async |config: &Config, store: &Store| {
        let enrolment = hub::enrolment(config, store).map_err(|error| error.to_string())?;
        act(&enrolment).await.map_err(|error| error.to_string())
    })
}

/// Who does it, for the audit log.
pub(super) fn actor() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    format!("shell {}", user.as_deref().unwrap_or("?"))
}

fn done(outcome: Result<(), String>) -> ExitCode {
    outcome.map_or_else(|error| fail(format!("error: {error}")), |()| ExitCode::SUCCESS)
}

pub(super) fn member(command: MemberCommand) -> ExitCode {
    done(match command {
        MemberCommand::Add { id, place } => {
            with_enrolment(&place, async |enrolment| enrolment.add_member(&actor(), &id, now_ms()).await)
        }
        MemberCommand::List { place } => {
            with(&place, async |_: &Config, store: &Store| store.members().await)
                .map(|members| members.iter().for_each(|member| println!("{member}")))
        }
    })
}

pub(super) fn agent(command: AgentCommand) -> ExitCode {
    done(match command {
        AgentCommand::Invite { member, agent, hours, place } => {
            let when = (now_ms(), hours * 3_600_000);
            with_enrolment(&place, async |enrolment| enrolment.invite(&actor(), &member, &agent, when).await)
                .map(|token| println!("{token}"))
        }
        AgentCommand::Trust { member, agent, key, place } => {
            if yumen_matcher::parse_key(&key).is_none() {
                return fail("error: the key isn't an Ed25519 public key in hexadecimal");
            }
            with(&place, async |_: &Config, store: &Store| {
                let subject = format!("{member}/{agent}");
                let detail = format!("key {}, no certificate", key.get(..16).unwrap_or_default());
                audit::add(store, &actor(), Action::Enrolled, &subject, &detail).await?;
                store.trust_key(&member, &agent, &key, now_ms()).await
            })
        }
        AgentCommand::Revoke { member, agent, place } => with_enrolment(&place, async |enrolment| {
            enrolment.revoke(&actor(), &member, &agent, now_ms()).await?;
            println!("{member}/{agent}: revoked 已吊销; {}", enrolment.crl_file().display());
            Ok(())
        }),
        AgentCommand::List { place } => with(&place, async |_: &Config, store: &Store| {
            let certificates = store.certificates(now_ms()).await?;
            for row in store.enrolled().await? {
                let of = |one: &&crate::store::CertificateRow| {
                    (&one.member, &one.agent) == (&row.member, &row.agent) && one.revoked_ms == 0
                };
                let until = certificates.iter().find(of).map(|one| time::format(one.not_after_ms));
                let state = if row.revoked_ms > 0 { "revoked" } else { "in force" };
                let until = until.as_deref().unwrap_or("-");
                println!(
                    "{}/{}  {state}  key {}  certificate until {until}",
                    row.member, row.agent, row.public_key
                );
            }
            Ok::<_, crate::store::StoreError>(())
        }),
    })
}

pub(super) fn user(command: UserCommand) -> ExitCode {
    done(match command {
        UserCommand::Add { name, role, member, password, place } => {
            let (password, is_made) = match password.get() {
                Ok(password) => password,
                Err(error) => return fail(error),
            };
            let member = member.map(String::from).unwrap_or_default();
            let person = new_person(&name, role, &member, now_ms());
            let added = with(&place, async |_: &Config, store: &Store| {
                Accounts::new(store.clone()).add(&actor(), person, &password).await
            });
            added.map(|()| tell(&password, is_made))
        }
        UserCommand::Reset { name, password, place } => {
            let (password, is_made) = match password.get() {
                Ok(password) => password,
                Err(error) => return fail(error),
            };
            let reset = with(&place, async |_: &Config, store: &Store| {
                Accounts::new(store.clone()).reset(&actor(), &name, &password).await
            });
            reset.map(|()| tell(&password, is_made))
        }
        UserCommand::Disable { name, place } => with(&place, async |_: &Config, store: &Store| {
            Accounts::new(store.clone()).disable(&actor(), &name, now_ms()).await
        }),
        UserCommand::List { place } => with(&place, async |_: &Config, store: &Store| store.people().await)
            .map(|people| {
                for person in people {
                    let second = if person.totp.is_empty() { "no second factor" } else { "second factor" };
                    let state = if person.disabled_ms > 0 { "disabled" } else { "in force" };
                    println!("{}  {}  {}  {second}  {state}", person.name, person.role, person.member);
                }
            }),
    })
}

impl Password {
    /// The password, and whether it was made here.
    fn get(&self) -> Result<(String, bool), String> {
        if !self.password_stdin {
            return Ok((secret::typed().map_err(|error| error.to_string())?, true));
        }
        if std::io::stdin().is_terminal() {
            eprint!("password 口令: ");
            let _ = std::io::stderr().flush();
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(|error| error.to_string())?;
        Ok((line.trim_end_matches(['\r', '\n']).to_owned(), false))
    }
}

fn tell(password: &str, is_made: bool) {
    if is_made {
        println!("{password}");
        eprintln!("(the password, shown this once 口令仅显示这一次)");
    }
}

pub(super) fn token(command: TokenCommand) -> ExitCode {
    done(match command {
        TokenCommand::Add { name, role, member, place } => {
            if (role == Role::MemberAnalyst) != member.is_some() {
                return fail("error: a member-analyst has a --member, and nobody else has");
            }
            let token = match secret::token() {
                Ok(token) => token,
                Err(error) => return fail(error),
            };
            let row = TokenRow {
                name,
                role: role.id().to_owned(),
                member: member.map(String::from).unwrap_or_default(),
                added_ms: now_ms(),
            };
            let added = with(&place, async |_: &Config, store: &Store| {
                let detail = format!("added as {} {}", row.role, row.member);
                audit::add(store, &actor(), Action::TokenChanged, &row.name, detail.trim_end()).await?;
                store.add_token(&secret::digest(&token), &row).await
            });
            match added {
                Ok(true) => {
                    println!("{token}");
                    Ok(())
                }
                Ok(false) => Err("the name is taken".to_owned()),
                Err(error) => Err(error),
            }
        }
        TokenCommand::Remove { name, place } => {
            let removed = with(&place, async |_: &Config, store: &Store| {
                audit::add(store, &actor(), Action::TokenChanged, &name, "removed").await?;
                store.remove_token(&name).await
            });
            removed
                .and_then(|removed| if removed { Ok(()) } else { Err("there is no such token".to_owned()) })
        }
        TokenCommand::List { place } => with(&place, async |_: &Config, store: &Store| store.tokens().await)
            .map(|tokens| {
                for token in tokens {
                    println!("{}  {}  {}", token.name, token.role, token.member);
                }
            }),
    })
}

pub(super) fn audit(command: AuditCommand) -> ExitCode {
    done(match command {
        AuditCommand::Verify { noted, place } => with(&place, async |_: &Config, store: &Store| {
            let noted = noted.as_ref().map(|(seq, hash)| (*seq, &hash[..]));
            audit::verify(store, noted).await
        })
        .map(|head| {
            println!("{} rows, unbroken 共 {} 条，完整: {}:{}", head.seq, head.seq, head.seq, head.hash)
        }),
        AuditCommand::Export { place } => with(&place, async |_: &Config, store: &Store| {
            audit::add(store, &actor(), Action::Exported, "audit", "").await?;
            let mut after = 0;
            loop {
                let rows = store.audit_after(after, 1000).await?;
                let Some(last) = rows.last() else { return Ok::<_, crate::store::StoreError>(()) };
                after = last.seq;
                for row in &rows {
                    let value = serde_json::json!({
                        "seq": row.seq, "at": time::format(row.at_ms), "at_ms": row.at_ms, "actor": row.actor,
                        "action": row.action, "subject": row.subject, "detail": row.detail, "hash": row.hash,
                    });
                    println!("{value}");
                }
            }
        }),
    })
}

fn noted(text: &str) -> Result<(u64, String), String> {
    let (seq, hash) = text.split_once(':').ok_or("SEQ:HASH is expected")?;
    Ok((seq.parse().map_err(|_| "SEQ is a number")?, hash.to_owned()))
}

pub(super) fn ca(command: CaCommand) -> ExitCode {
    done(match command {
        CaCommand::Show { place } => with_enrolment(&place, async |enrolment| {
            print!("{}", enrolment.authority().chain());
            Ok(())
        }),
        CaCommand::Crl { place } => with_enrolment(&place, async |enrolment| {
            enrolment.write_crl(now_ms()).await?;
            println!("{}", enrolment.crl_file().display());
            Ok(())
        }),
        CaCommand::Server { names, out, days, place } => {
            with(&place, async |config: &Config, store: &Store| {
                server(config, store, &names, &out, days).await.map_err(|error| error.to_string())
            })
        }
    })
}

async fn server(
    config: &Config,
    store: &Store,
    names: &[String],
    out: &Path,
    days: u64,
) -> Result<(), hub::HubError> {
    let enrolment = hub::enrolment(config, store)?;
    let issued = enrolment.authority().server(names, days, now_ms())?;
    let detail = format!("certificate {}", issued.row.serial);
    audit::add(store, &actor(), Action::Issued, &names.join(" "), &detail).await?;
    std::fs::create_dir_all(out).map_err(|source| hub::HubError::DataDir { path: out.to_owned(), source })?;
    crate::ca::write(&out.join("server.key"), &issued.key.unwrap_or_default(), true)?;
    crate::ca::write(&out.join("server.pem"), &issued.chain, false)?;
    crate::ca::write(&out.join("ca.pem"), enrolment.authority().chain(), false)?;
    println!("{}", out.join("server.pem").display());
    Ok(())
}

pub(super) fn broker(command: &BrokerCommand) -> ExitCode {
    let BrokerCommand::Acl { hub } = command;
    print!("{}", acl::mosquitto(hub));
    ExitCode::SUCCESS
}
