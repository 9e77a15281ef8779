//! What subscribers report, entered by their institution.

use super::view::{Choice, typologies};
use super::words::{Lang, Words};
use super::{Me, Parameters, parameter, remembered, render, to, with_status};
use crate::accounts::Caller;
use crate::api::access::Form;
use crate::api::people::report;
use crate::api::{Hub, failed};
use crate::complaints::{Complaint, ComplaintError};
use crate::store::StoreError;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "complaint.html")]
struct ComplaintPage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    member: Option<String>,
    members: Vec<String>,
    typologies: Vec<Choice>,
    /// The sighting that it became.
    done: Option<String>,
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let done =
        parameter(&parameters, "done").filter(|id| id.parse::<uuid::Uuid>().is_ok()).map(str::to_owned);
    let page = page(&hub, &caller, lang.words(), String::new(), done).await;
    page.map_or_else(|error| failed(&error), |page| remembered(lang, &parameters, page))
}

async fn page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    problem: String,
    done: Option<String>,
) -> Result<Response, StoreError> {
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ComplaintPage {
        t,
        me: Some(Me::at(caller, t, "/complaints")),
        problem,
        member: caller.member.as_ref().map(ToString::to_string),
        members: hub.store.members().await?,
        typologies: typologies(None, t),
        done,
    };
    Ok(with_status(status, render(&page)))
}

pub(super) async fn complain(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let complaint = Complaint {
        member: caller.member.as_ref().map_or_else(|| form.field("member").to_owned(), ToString::to_string),
        call: form.field("channel") == "call",
        from: form.field("from").to_owned(),
        own: form.field("own").to_owned(),
        text: form.field("text").to_owned(),
        typology: form.field("typology").to_owned(),
    };
    match report(&hub, &caller, complaint).await {
        Ok(id) => to(&format!("/complaints?done={id}")),
        Err(ComplaintError::Store(error)) => failed(&error),
        Err(error) => {
            let page = page(&hub, &caller, t, error.to_string(), None).await;
            page.unwrap_or_else(|error| failed(&error))
        }
    }
}
