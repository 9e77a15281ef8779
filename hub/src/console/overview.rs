//! The overview and the statistics: what was counted.

use super::chart::{Chart, day_name, day_of, hour_name};
use super::view::{AgentView, Share, escaped, grouped};
use super::words::{Lang, Words};
use super::{Me, Parameters, parameter, remembered, render};
use crate::accounts::{Access, Caller};
use crate::agents;
use crate::api::{Hub, failed};
use crate::audit::{self, Action};
use crate::clock::now_ms;
use crate::store::{AppealCounts, AppealTally, By, Days, StoreError, Tally};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use yumen_exchange::topic::Name;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 86_400_000;
/// Longest period of a report, in days: what was added up is kept for no longer.
const PERIOD_MAX: u64 = 400;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    t: &'static Words,
    me: Option<Me>,
    charts: Vec<Chart>,
    typologies: Vec<Share>,
    members: Vec<Share>,
    agents: Vec<AgentView<'a>>,
    clues: Option<String>,
    appeals: AppealCounts,
    enforced: String,
}

pub(super) async fn overview(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    match overview_page(&hub, &caller, lang.words()).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn overview_page(hub: &Hub, caller: &Caller, t: &'static Words) -> Result<Response, StoreError> {
    let now_ms = now_ms();
    let today = now_ms / DAY_MS;
    let member = caller.member.as_ref().map(ToString::to_string);
    let last =
        |days: u64| Days { first: today.saturating_sub(days - 1), last: today, member: member.clone() };
    let mut charts = Vec::new();
    // Hours are counted over all members, which isn't for one of them.
    if member.is_none() {
        let (first, hour) = ((now_ms / HOUR_MS).saturating_sub(47), now_ms / HOUR_MS);
        let points = hub.store.hits_by_hour(first).await?;
        charts.push(Chart::new((t.w.hits_by_hour, t.w.hour), &points, (first, hour), hour_name));
    }
    let month = last(30);
    let points = hub.store.hits_by_day(&month).await?;
    charts.push(Chart::new((t.w.hits_by_day, t.w.day), &points, (month.first, month.last), day_name));
    let week = last(7);
    let typologies = summed(&hub.store.tally(By::Typology, &week).await?);
    let members = summed(&hub.store.tally(By::Member, &week).await?);
    let agents = agents::seen_by(caller, &hub.store, now_ms).await?;
    let clues = match caller.may(Access::Reader) {
        true => Some(grouped(hub.store.clues_waiting().await?)),
        false => None,
    };
    let page = OverviewPage {
        t,
        me: Some(Me::at(caller, t, "/overview")),
        charts,
        typologies: Share::of(&typologies, |id| {
            (t.term(id).to_owned(), format!("/?typology={}&range=7d", escaped(id)))
        }),
        members: Share::of(&members, |id| (id.to_owned(), format!("/?member={}&range=7d", escaped(id)))),
        agents: agents.iter().map(|agent| AgentView::new(agent, now_ms, t)).collect(),
        clues,
        appeals: hub.store.appeal_counts(member.as_deref(), now_ms).await?,
        enforced: grouped(hub.store.enforced_count().await?),
    };
    Ok(render(&page))
}

/// By name, most first.
fn summed(tallies: &[Tally]) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for tally in tallies {
        *sums.entry(&tally.name).or_default() += tally.hits;
    }
    let mut sums: Vec<(String, u64)> = sums.into_iter().map(|(name, sum)| (name.to_owned(), sum)).collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    sums.truncate(20);
    sums
}

/// A line of the report.
struct Line {
    name: String,
    blocked: u64,
    flagged: u64,
    shadowed: u64,
}

impl Line {
    const fn all(&self) -> u64 {
        self.blocked + self.flagged + self.shadowed
    }
}

#[derive(Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    t: &'static Words,
    me: Option<Me>,
    problem: &'static str,
    from: String,
    to: String,
    member: String,
    members: Vec<String>,
    typologies: Vec<Line>,
    by_member: Vec<Line>,
    sum: Line,
    appeals: AppealTally,
    csv: String,
}

/// What a report is about, and whether it was understood.
fn period(parameters: &Parameters, caller: &Caller) -> (Days, bool) {
    let today = now_ms() / DAY_MS;
    let day = |name| match parameter(parameters, name).filter(|text| !text.is_empty()) {
        Some(text) => day_of(text).ok_or(()).map(Some),
        None => Ok(None),
    };
    let own = caller.member.as_ref().map(Name::as_str);
    let chosen = parameter(parameters, "member").filter(|name| !name.is_empty());
    // A member's analyst sees the member's, whatever they ask for.
    let member = own.or(chosen).map(str::to_owned);
    let default = Days { first: today.saturating_sub(29), last: today, member: member.clone() };
    match (day("from"), day("to")) {
        (Ok(first), Ok(last)) => {
            let last = last.unwrap_or(today);
            let first = first.unwrap_or_else(|| last.saturating_sub(29));
            let good = first <= last && last - first <= PERIOD_MAX;
            if good { (Days { first, last, member }, true) } else { (default, false) }
        }
        _ => (default, false),
    }
}

struct Figures {
    typologies: Vec<Line>,
    members: Vec<Line>,
    appeals: AppealTally,
}

async fn figures(hub: &Hub, days: &Days) -> Result<Figures, StoreError> {
    Ok(Figures {
        typologies: lines(&hub.store.tally(By::Typology, days).await?),
        members: lines(&hub.store.tally(By::Member, days).await?),
        appeals: hub.store.appeal_tally(days).await?,
    })
}

fn lines(tallies: &[Tally]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for tally in tallies {
        if lines.last().is_none_or(|line| line.name != tally.name) {
            lines.push(Line { name: tally.name.clone(), blocked: 0, flagged: 0, shadowed: 0 });
        }
        let Some(line) = lines.last_mut() else { continue };
        match &tally.verdict[..] {
            "flag" => line.flagged += tally.hits,
            "shadow" => line.shadowed += tally.hits,
            _ => line.blocked += tally.hits,
        }
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.all()));
    lines
}

pub(super) async fn statistics(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    let (days, understood) = period(&parameters, &caller);
    let (found, members) = match (figures(&hub, &days).await, hub.store.members().await) {
        (Ok(found), Ok(members)) => (found, members),
        (Err(error), _) | (_, Err(error)) => return failed(&error),
    };
    let sum = |of: fn(&Line) -> u64| found.typologies.iter().map(of).sum();
    let sum = Line {
        name: t.w.all.to_owned(),
        blocked: sum(|line| line.blocked),
        flagged: sum(|line| line.flagged),
        shadowed: sum(|line| line.shadowed),
    };
    let mut typologies = found.typologies;
    for line in &mut typologies {
        line.name = t.term(&line.name).to_owned();
    }
    let (from, to) = (day_name(days.first), day_name(days.last));
    let member = days.member.unwrap_or_default();
    let page = StatisticsPage {
        t,
        me: Some(Me::at(&caller, t, "/statistics")),
        problem: if understood { "" } else { t.w.bad_period },
        csv: format!("/statistics.csv?from={from}&to={to}&member={}", escaped(&member)),
        from,
        to,
        member,
        members: if caller.member.is_none() { members } else { Vec::new() },
        typologies,
        by_member: found.members,
        sum,
        appeals: found.appeals,
    };
    remembered(lang, &parameters, render(&page))
}

pub(super) async fn csv(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Response {
    let (days, _) = period(&parameters, &caller);
    let subject = format!("{}/{}", day_name(days.first), day_name(days.last));
    let detail = days.member.as_deref().unwrap_or("*");
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::Exported, &subject, detail).await {
        return failed(&error);
    }
    let found = match figures(&hub, &days).await {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    // Excel takes it for UTF-8 with this mark only.
    let mut csv = String::from("\u{feff}section,name,blocked,flagged,shadow,all\r\n");
    for (section, lines) in [("typology", &found.typologies), ("member", &found.members)] {
        for line in lines {
            let (blocked, flagged, shadow, all) = (line.blocked, line.flagged, line.shadowed, line.all());
            // Names have letters, digits and '-' only. Writing to a String can't fail.
            let _ = write!(csv, "{section},{},{blocked},{flagged},{shadow},{all}\r\n", line.name);
        }
    }
    let AppealTally { opened, upheld, rejected, late } = found.appeals;
    for (name, count) in [("opened", opened), ("upheld", upheld), ("rejected", rejected), ("overdue", late)] {
        let _ = write!(csv, "appeals,{name},,,,{count}\r\n");
    }
    let name = format!("attachment; filename=\"yumen-{}-{}.csv\"", day_name(days.first), day_name(days.last));
    let kind = "text/csv; charset=utf-8".to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], csv).into_response()
}
