//! Honest and bad messages, mixed, for a gateway to tell apart. Each goes to a number of its own: whatever arrives anywhere
//! can be told to its message.

use crate::demo::texts::{BAD, BAD_LONG, HONEST, Sample};
use crate::peer::segments;
use crate::program::{Program, eventually};
use crate::site::Site;
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::time::Duration;

/// A message, and what must become of it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who sends.
    pub from: &'static str,
    /// To whom; no other message of its traffic goes there.
    pub to: String,
    /// The text; empty where there is none.
    pub text: &'static str,
    /// It must be blocked.
    pub is_bad: bool,
    /// What is submitted for it.
    pub submits: Vec<Submit>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    /// The user data begins with a header.
    pub has_udh: bool,
    /// `data_coding` of SMPP, `Msg_Fmt` of CMPP: the numbers used here mean the same in both.
    pub coding: u8,
    /// Header and text.
    pub user_data: Vec<u8>,
}

impl Submit {
    /// `esm_class` of SMPP.
    #[must_use]
    pub const fn esm_class(&self) -> u8 {
        if self.has_udh { 0x40 } else { 0 }
    }
}

/// How a submit was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response's status; 0 is success.
    pub status: u32,
    /// The centre's id.
    pub id: String,
}

/// As many messages as make `submits` parts: seven in ten are honest. They go to `139 0000 0000` and up.
#[must_use]
pub fn mixed(submits: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut left = submits;
    for number in 0_usize.. {
        if left == 0 {
            break;
        }
        let mut message = nth(number);
        if message.submits.len() > left {
            message = text(number, HONEST_SHORT, false);
        }
        left -= message.submits.len();
        messages.push(message);
    }
    messages
}

/// All parts of all messages, in order, each with its message.
pub fn submits(messages: &[Message]) -> impl Iterator<Item = (&Message, &Submit)> {
    messages.iter().flat_map(|message| message.submits.iter().map(move |submit| (message, submit)))
}

/// Judges the answers to all parts, in order: honest messages must have been taken, bad ones refused with `blocked` from
/// some part on. Returns which parts were taken.
///
/// # Errors
/// The first message whose answers are others.
pub fn check_answers(messages: &[Message], answers: &[Answer], blocked: u32) -> Result<Vec<bool>> {
    let mut rest = answers;
    for message in messages {
        let (these, others) = rest.split_at_checked(message.submits.len()).context("answers are missing")?;
        rest = others;
        let statuses: Vec<u32> = these.iter().map(|answer| answer.status).collect();
        let taken = statuses.iter().take_while(|status| **status == 0).count();
        let refused = statuses.iter().skip(taken).all(|status| *status == blocked);
        let right = if message.is_bad { taken < statuses.len() && refused } else { taken == statuses.len() };
        ensure!(right, "answers {statuses:x?} to {message:?}");
    }
    ensure!(rest.is_empty(), "{} answers too many", rest.len());
    Ok(answers.iter().map(|answer| answer.status == 0).collect())
}

/// Each id that was given out must be in a receipt, once, and no other.
///
/// # Errors
/// What is missing, or too many.
pub fn check_receipts<'a>(answers: &[Answer], receipts: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let mut expected: Vec<&String> =
        answers.iter().filter(|answer| answer.status == 0).map(|answer| &answer.id).collect();
    let mut receipts: Vec<&String> = receipts.into_iter().collect();
    expected.sort();
    receipts.sort();
    ensure!(expected == receipts, "{} receipts for {} messages", receipts.len(), expected.len());
    Ok(())
}

/// Waits until the hub has a sighting for each of `count` blocked messages, then makes sure that there is one each: all ids
/// are different, none is of anything that passed, and so many different `victims` were to get them.
///
/// # Errors
/// What isn't so.
pub fn check_sightings(site: &Site, agent: &mut Program, count: usize, victims: usize) -> Result<()> {
    let counted = |site: &Site| Ok::<_, anyhow::Error>(site.sightings()?.len());
    eventually(HUB_PATIENCE, "every blocked message is in the hub's table", || Ok(counted(site)? >= count))
        .with_context(|| format!("{:?} of {count}", counted(site)))?;
    // The agent drains its spool before it ends: after that no more can come.
    agent.terminate()?;
    let sightings = site.sightings()?;
    let ids: HashSet<&str> = sightings.iter().filter_map(|row| row["id"].as_str()).collect();
    let seen: HashSet<&str> = sightings.iter().filter_map(|row| row["data"]["victim"].as_str()).collect();
    let rejected = sightings.iter().filter(|row| row["data"]["verdict"] == "reject").count();
    ensure!(
        [sightings.len(), ids.len(), rejected] == [count; 3] && seen.len() == victims,
        "{count} messages were blocked; {} sightings, {} ids, {} victims, {rejected} of verdict reject",
        sightings.len(),
        ids.len(),
        seen.len()
    );
    Ok(())
}

/// How many messages are bad.
#[must_use]
pub fn bad(messages: &[Message]) -> usize {
    messages.iter().filter(|message| message.is_bad).count()
}

/// How many submits all tests of a protocol make together: `YUMEN_TEST_SUBMITS`, or 10,000.
///
/// # Errors
/// It isn't a number.
pub fn submits_wanted() -> Result<usize> {
    match std::env::var("YUMEN_TEST_SUBMITS") {
        Ok(text) => text.parse().context("YUMEN_TEST_SUBMITS isn't a number"),
        Err(_) => Ok(10_000),
    }
}

fn nth(number: usize) -> Message {
    let round = number / 10;
    match number % 10 {
        2 => text(number, pick(BAD, round), true),
        5 if round.is_multiple_of(3) => text(number, BAD_LONG, true),
        5 => text(number, pick(BAD, round + 5), true),
        8 => text(number, pick(BAD, round + 9), true),
        3 if round.is_multiple_of(4) => text(number, HONEST_LONG, false),
        6 => seven_bit(number),
        9 if round.is_multiple_of(5) => binary(number),
        slot => text(number, pick(HONEST, round + slot), false),
    }
}

fn pick(samples: &[Sample], at: usize) -> Sample {
    samples.get(at % samples.len().max(1)).copied().unwrap_or(HONEST_SHORT)
}

fn text(number: usize, sample: Sample, is_bad: bool) -> Message {
    let reference = u8::try_from(number % 256).unwrap_or_default();
    let submits = segments(sample.text, reference)
        .into_iter()
        .map(|(has_udh, user_data)| Submit { has_udh, coding: 8, user_data })
        .collect();
    Message { from: sample.from, to: recipient(number), text: sample.text, is_bad, submits }
}

/// Not UCS-2: letters and digits alone, which stand for themselves in the default alphabet and in ASCII.
fn seven_bit(number: usize) -> Message {
    let user_data = format!("Parcel {number} is at the station. Code {}", 100_000 + number).into_bytes();
    let submits = vec![Submit { has_udh: false, coding: 0, user_data }];
    Message { from: "106900000001", to: recipient(number), text: "", is_bad: false, submits }
}

/// No text at all: a gateway must leave alone what it can't read.
fn binary(number: usize) -> Message {
    let user_data = (0..140_u8).map(|octet| octet.wrapping_mul(37) ^ number.to_le_bytes()[0]).collect();
    let submits = vec![Submit { has_udh: false, coding: 4, user_data }];
    Message { from: "106900000001", to: recipient(number), text: "", is_bad: false, submits }
}

fn recipient(number: usize) -> String {
    format!("{}", 13_900_000_000 + number)
}

/// How long the last sighting may take to arrive after the last message was answered.
const HUB_PATIENCE: Duration = Duration::from_secs(60);

const HONEST_SHORT: Sample = Sample {
    from: "106900000001",
    text: "【某某快递】您的包裹已到菜鸟驿站，请于今日20点前领取。",
};

const HONEST_LONG: Sample = Sample {
    from: "106900000002",
    text: "【某某小学】各位家长：学校定于下周三上午八点在操场举行秋季运动会，请提前为孩子准备运动服、运动鞋和水杯，七点五十前到校集合。\
           如遇下雨，活动顺延至下周五，届时班主任会在班级群里另行通知。当天中午食堂照常供餐，下午两点放学，请安排好接送时间，\
           家长入校请走东门并登记。感谢您的支持与配合！",
};
