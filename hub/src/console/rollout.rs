//! What was published on each channel, how far it has gone, and the way back.

use super::view::grouped;
use super::words::{Lang, Words};
use super::{Me, Parameters, problem_page, remembered, render, to};
use crate::accounts::Caller;
use crate::api::access::Form;
use crate::api::{Hub, failed};
use crate::audit::{self, Action};
use crate::clock::now_ms;
use crate::share::{Overview, ShareError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use yumen_exchange::rollout::ALL;
use yumen_exchange::time;

struct PackView {
    serial: u64,
    created: String,
    rules: String,
    percent: u32,
    running: u64,
    bytes: String,
    withdrawn: bool,
}

struct ChannelView {
    name: String,
    packs: Vec<PackView>,
    lagging: Vec<(String, u64)>,
    may_go_back: bool,
}

#[derive(Template)]
#[template(path = "rollout.html")]
struct RolloutPage {
    t: &'static Words,
    me: Option<Me>,
    shares: bool,
    channels: Vec<ChannelView>,
}

impl ChannelView {
    fn new(channel: Overview) -> Self {
        let packs = channel.packs.iter().map(|pack| PackView {
            serial: pack.serial,
            created: time::format(pack.created_ms),
            rules: pack.base.get(..12).unwrap_or_default().to_owned(),
            percent: u32::from(pack.share) * 100 / u32::from(ALL),
            running: channel.agents.get(&pack.serial).copied().unwrap_or(0),
            bytes: grouped(pack.length),
            withdrawn: pack.withdrawn,
        });
        let newest = channel.packs.first();
        let may_go_back = newest.is_some_and(|newest| {
            channel.packs.iter().any(|pack| pack.base != newest.base && !pack.withdrawn)
        });
        Self { packs: packs.collect(), name: channel.channel, lagging: channel.lagging, may_go_back }
    }
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    let channels = match &hub.sharer {
        Some(sharer) => match sharer.overview(now_ms()).await {
            Ok(channels) => channels,
            Err(error) => {
                return problem_page(t, &caller, StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
            }
        },
        None => Vec::new(),
    };
    let page = RolloutPage {
        t,
        me: Some(Me::at(&caller, t, "/rollout")),
        shares: hub.sharer.is_some(),
        channels: channels.into_iter().map(ChannelView::new).collect(),
    };
    remembered(lang, &parameters, render(&page))
}

pub(super) async fn act(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let channel = form.field("channel");
    let Some(sharer) = &hub.sharer else {
        return problem_page(t, &caller, StatusCode::CONFLICT, t.w.no_share);
    };
    let back = form.field("act") == "back";
    let percent = form.field("percent").parse::<u8>().ok().filter(|percent| *percent <= 100);
    let percent = if form.field("act") == "halt" { Some(0) } else { percent };
    let (action, detail) = match (back, percent) {
        (true, _) => (Action::RolledBack, String::new()),
        (false, Some(percent)) => (Action::RolledOut, format!("{percent} %")),
        (false, None) => return to("/rollout"),
    };
    if let Err(error) = audit::add(&hub.store, &caller.name, action, channel, &detail).await {
        return failed(&error);
    }
    let done = if back {
        sharer.roll_back(channel, now_ms()).await.map(|_| ())
    } else {
        sharer.roll_out(channel, percent.unwrap_or(0), now_ms()).await
    };
    match done {
        Ok(()) => to("/rollout"),
        Err(ShareError::Store(error)) => failed(&error),
        Err(error) => problem_page(t, &caller, StatusCode::CONFLICT, &error.to_string()),
    }
}
