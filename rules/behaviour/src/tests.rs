use super::*;
use yumen_rules::behave::{Behaviour as _, Measure};
use yumen_wire::event::Address;

const NOW_MS: u64 = 1_800_000_000_000;

fn call<'a>(caller: &'a str, callee: &'a str, time_ms: u64) -> Event<'a> {
    Event {
        channel: Channel::Call,
        originator: Address::new(caller),
        destination: Address::new(callee),
        time_ms,
        ..Event::text_only("")
    }
}

fn ask(behaviour: &Behaviour, event: &Event<'_>, subject: Subject, measure: Measure) -> i64 {
    behaviour.measure(event, Query { subject, measure, window_s: 600 })
}

#[test]
fn dialects_of_a_number_are_one_caller() {
    let behaviour = Behaviour::new(1024);
    for caller in ["+8613800000001", "008613800000001", "138-0000-0001"] {
        behaviour.attempt(&call(caller, "+8613900000002", NOW_MS));
    }
    let event = call("8613800000001", "13900000002", NOW_MS + 1000);
    assert_eq!(ask(&behaviour, &event, Subject::Caller, Measure::Attempts), 3);
    assert_eq!(ask(&behaviour, &event, Subject::Pair, Measure::Attempts), 3);
    assert_eq!(ask(&behaviour, &event, Subject::Callee, Measure::DistinctCallers), 1);
}

#[test]
fn outcomes_reach_every_subject() {
    let behaviour = Behaviour::new(1024);
    let event = call("13800000001", "13900000002", NOW_MS);
    behaviour.attempt(&event);
    let answered = CallOutcome::Answered { ring_ms: 4000 };
    behaviour.outcome("+8613800000001", "13900000002", answered, NOW_MS + 4000);
    for subject in [Subject::Caller, Subject::Callee, Subject::Pair, Subject::Prefix] {
        assert_eq!(ask(&behaviour, &event, subject, Measure::Answered), 1, "{subject:?}");
        assert_eq!(ask(&behaviour, &event, subject, Measure::Concurrent), 1, "{subject:?}");
    }
    let ended = CallOutcome::Ended { duration_ms: 2000 };
    behaviour.outcome("13800000001", "13900000002", ended, NOW_MS + 6000);
    assert_eq!(ask(&behaviour, &event, Subject::Caller, Measure::ShortCalls), 1);
    assert_eq!(ask(&behaviour, &event, Subject::Caller, Measure::Concurrent), 0);
}

#[test]
fn one_victim_of_many_honest_senders_is_seen() {
    let behaviour = Behaviour::new(1024);
    let senders: Vec<String> = (0..8).map(|sender| format!("1069000000{sender}")).collect();
    let mut last = Event::text_only("");
    for sender in &senders {
        last = Event {
            originator: Address::new(sender),
            destination: Address::new("13900000002"),
            time_ms: NOW_MS,
            ..Event::text_only("【某商城】您的验证码为482913，5分钟内有效，请勿告诉他人。")
        };
        behaviour.attempt(&last);
    }
    assert_eq!(ask(&behaviour, &last, Subject::Callee, Measure::Otps), 8);
    assert_eq!(ask(&behaviour, &last, Subject::Callee, Measure::DistinctCallers), 8);
    assert_eq!(ask(&behaviour, &last, Subject::Campaign, Measure::DistinctCallers), 8);
    let call = call("10690000001", "13900000002", NOW_MS);
    assert_eq!(ask(&behaviour, &call, Subject::Callee, Measure::Attempts), 0, "calls are counted apart");
}

#[test]
fn complaints_are_counted_for_calls_and_messages_alike() {
    let behaviour = Behaviour::new(1024);
    for callee in ["13900000002", "+8613900000003", "13900000003"] {
        behaviour.complaint("+8613800000001", callee, NOW_MS);
    }
    let event = call("13800000001", "13900000009", NOW_MS + 1000);
    let message = Event { channel: Channel::Sms, ..event };
    for event in [&event, &message] {
        assert_eq!(ask(&behaviour, event, Subject::Caller, Measure::Complaints), 3);
        assert_eq!(ask(&behaviour, event, Subject::Pair, Measure::Complaints), 0);
        assert_eq!(ask(&behaviour, event, Subject::Prefix, Measure::Complaints), 3);
        assert_eq!(ask(&behaviour, event, Subject::Caller, Measure::Attempts), 0, "nothing was attempted");
    }
    let pair = call("13800000001", "13900000003", NOW_MS + 1000);
    assert_eq!(ask(&behaviour, &pair, Subject::Pair, Measure::Complaints), 2);
    assert_eq!(ask(&behaviour, &pair, Subject::Callee, Measure::Complaints), 2);
}

#[test]
fn two_gateways_count_as_one() {
    let gateways = [1, 2].map(|_| Behaviour::with_secret(1024, 7).sharing());
    for nth in 0..20u64 {
        let event = call("13800000001", "13900000002", NOW_MS + nth * 1000);
        gateways[usize::from(nth % 2 == 1)].attempt(&event);
    }
    let now_ms = NOW_MS + 400_000;
    for (from, to) in [(0, 1), (1, 0)] {
        let batch = gateways[from].batch(1000).expect("some wait");
        let batch = Batch::from_bytes(&batch.to_bytes()).expect("a batch");
        gateways[to].receive(&batch, now_ms);
        gateways[to].receive(&batch, now_ms);
        // Its own come back to it: it knows them by its name.
        gateways[from].receive(&batch, now_ms);
        gateways[from].sent(&batch);
        assert!(gateways[from].batch(1000).is_none());
    }
    let event = call("13800000001", "13900000002", now_ms);
    for gateway in &gateways {
        assert_eq!(ask(gateway, &event, Subject::Pair, Measure::Attempts), 20);
        assert_eq!(gateway.stats().received, 10);
    }
}
