//! The database, as both: each case on a file, and all of them on a PostgreSQL of the test's own.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use sqlx::Connection as _;
use uuid::Uuid;
use yumen_exchange::check::{self, Received};
use yumen_exchange::status::Status;
use yumen_exchange::topic::Name;
use yumen_hub::accounts::{Accounts, Attempt, Role, new_person};
use yumen_hub::audit::{self, Action, AuditError};
use yumen_hub::store::{
    Address, CertificateRow, Filter, Kind, Named, PackRow, Place as PagePlace, RefusalRow, Row, SHARED_RULE,
    SharedEntry, SharedRow, StatusReceived, Store, StoreError,
};

#[macro_use]
mod place;

use place::{Place, received};

on_both![
    a_sighting_is_there_once_however_often_it_comes,
    what_was_committed_is_there_after_reopening,
    a_database_of_a_newer_program_is_left_alone,
    filters_find_what_they_name_and_nothing_else,
    pages_follow_one_another_while_more_comes_in,
    an_agents_last_word_stands,
    typologies_are_counted_by_the_hour,
    indicators_are_added_up_over_members_and_days,
    what_is_shared_and_taken_back,
    what_others_are_given_comes_in_the_order_of_its_changes,
    numbers_given_out_only_rise,
    packs_are_kept_and_an_earlier_one_can_be_found,
    sightings_go_when_their_time_is_over_and_what_was_added_up_stays,
    a_copy_is_whole_and_a_server_has_its_own_tools,
    one_leads_and_the_next_follows,
    an_invitation_enrols_once_and_the_earlier_key_counts_no_more,
    the_audit_log_is_only_added_to_and_what_was_changed_beneath_it_shows,
    refusals_are_added_up,
    somebody_logs_in_and_out,
];

fn ids(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| u64::try_from(row.id.as_u128() & 0xFFFF).unwrap()).collect()
}

async fn a_sighting_is_there_once_however_often_it_comes(Place { store, .. }: Place) {
    let batch = [received(1, |_| {}), received(2, |_| {}), received(1, |_| {})];
    assert_eq!(store.commit(&batch, &[], 5).await.unwrap(), 2);
    assert_eq!(store.commit(&batch, &[], 9).await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap(), 2);
    let row = store.sighting(batch[0].envelope.id).await.unwrap().unwrap();
    assert_eq!((row.received_ms, row.time_ms, &row.data), (5, 1_000_001, &batch[0].envelope.data));
    assert_eq!((&row.member[..], &row.agent[..]), ("bank-a", "gw1"));
    assert_eq!(store.sighting(Uuid::nil()).await.unwrap(), None);
}

async fn what_was_committed_is_there_after_reopening(Place { store, address }: Place) {
    store.commit(&[received(1, |_| {})], &[], 5).await.unwrap();
    // Not closed, as after kill -9.
    let again = Store::open(&address).await.unwrap();
    assert_eq!(again.count().await.unwrap(), 1);
}

async fn a_database_of_a_newer_program_is_left_alone(Place { store, address }: Place) {
    let later = "UPDATE _sqlx_migrations SET version = 99 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    let mut connection = sqlx::AnyConnection::connect(&address.exposed()).await.unwrap();
    sqlx::query(later).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    store.close().await;
    let refused = Store::open(&address).await;
    assert!(matches!(refused, Err(StoreError::Newer { found: 99, .. })));
}

async fn filters_find_what_they_name_and_nothing_else(Place { store, .. }: Place) {
    let mut batch = vec![
        received(1, |data| data.typology = "fraud".into()),
        received(2, |data| data.verdict = "flag".into()),
        received(3, |data| data.indicators[1].value = "x'; DROP TABLE sighting; --".into()),
        received(4, |data| data.indicators.clear()),
    ];
    batch[3].member = "bank-b".parse().unwrap();
    store.commit(&batch, &[], 5).await.unwrap();
    let cases: Vec<(Filter, Vec<u64>)> = vec![
        (Filter::default(), vec![4, 3, 2, 1]),
        (Filter { typology: Some("fraud".into()), ..Filter::default() }, vec![1]),
        (Filter { verdict: Some("flag".into()), ..Filter::default() }, vec![2]),
        (Filter { member: Some("bank-b".into()), ..Filter::default() }, vec![4]),
        (
            Filter { agent: Some("gw1".into()), member: Some("bank-a".into()), ..Filter::default() },
            vec![3, 2, 1],
        ),
        (Filter { indicator: Some("x'; DROP TABLE sighting; --".into()), ..Filter::default() }, vec![3]),
        (Filter { indicator: Some("+8613800000001".into()), ..Filter::default() }, vec![3, 2, 1]),
        (Filter { indicator: Some("%".into()), ..Filter::default() }, vec![]),
        (Filter { since_ms: Some(1_000_003), ..Filter::default() }, vec![4, 3]),
        (Filter { until_ms: Some(1_000_003), ..Filter::default() }, vec![2, 1]),
        (Filter { since_ms: Some(u64::MAX), ..Filter::default() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&store.page(&filter, None, 10).await.unwrap()), expected, "{filter:?}");
        let mut arrived = ids(&store.arrived_after(&filter, 0, 10).await.unwrap());
        arrived.reverse();
        assert_eq!(arrived, expected, "{filter:?}");
    }
}

async fn pages_follow_one_another_while_more_comes_in(Place { store, .. }: Place) {
    let batch: Vec<_> = (1..=5).map(|number| received(number * 10, |_| {})).collect();
    store.commit(&batch, &[], 5).await.unwrap();
    let any = Filter::default();
    let first = store.page(&any, None, 2).await.unwrap();
    assert_eq!(ids(&first), [50, 40]);
    // A late one, older than those seen, and a new one.
    store.commit(&[received(35, |_| {}), received(60, |_| {})], &[], 6).await.unwrap();
    let second = store.page(&any, Some(first[1].id), 3).await.unwrap();
    assert_eq!(ids(&second), [35, 30, 20]);
    let after = store.arrived_after(&any, first[0].arrival, 10).await.unwrap();
    assert_eq!(ids(&after), [35, 60], "a live stream gets what arrives, however old");
    assert_eq!(store.last_arrival().await.unwrap(), after[1].arrival);
}

async fn an_agents_last_word_stands(Place { store, .. }: Place) {
    let golden = include_bytes!("../../exchange/tests/golden/status_of_a_running_agent.json");
    let (member, agent, status) = check::status("yumen/v1/bank-a/gw1/status", golden).unwrap();
    let said = |blocked| StatusReceived {
        member: member.clone(),
        agent: agent.clone(),
        status: Status { blocked, ..status.clone() },
    };
    store.commit(&[], &[said(1), said(2)], 5).await.unwrap();
    store.commit(&[], &[said(3)], 6).await.unwrap();
    let agents = store.agents().await.unwrap();
    assert_eq!(agents.len(), 1);
    assert_eq!((agents[0].status.blocked, agents[0].received_ms), (3, 6));
}

async fn typologies_are_counted_by_the_hour(Place { store, .. }: Place) {
    const HOUR: u64 = 3_600_000;
    let at = |number, time_ms, typology: &str| {
        let typology = typology.to_owned();
        Received { time_ms, ..received(number, |data| data.typology = typology) }
    };
    let now = 1000 * HOUR;
    let batch = [
        at(1, now - 2 * HOUR, "fraud"),
        at(2, now - HOUR, "fraud"),
        at(3, now - HOUR, "stock-tips"),
        at(4, u64::MAX, "fraud"),
    ];
    store.commit(&batch, &[], now).await.unwrap();
    store.commit(&batch, &[], now).await.unwrap();
    let counts = store.typologies_since(now - HOUR + 5).await.unwrap();
    assert_eq!(counts, [("fraud".to_owned(), 2), ("stock-tips".to_owned(), 1)]);
    assert_eq!(store.typologies_since(0).await.unwrap()[0], ("fraud".to_owned(), 3));
    assert_eq!(
        store.typologies_since(now).await.unwrap(),
        [("fraud".to_owned(), 1)],
        "a clock that is ahead"
    );
}

async fn indicators_are_added_up_over_members_and_days(Place { store, .. }: Place) {
    const DAY: u64 = 86_400_000;
    let by = |number, member: &str| {
        let mut received = received(number, |data| {
            data.indicators.truncate(1);
            // From the originator and from the text: one sighting of it.
            let mut again = data.indicators[0].clone();
            again.origin = "text".into();
            data.indicators.push(again);
        });
        received.member = member.parse().unwrap();
        received
    };
    let only = |store: Store| async move {
        let mut known = store.observed(0).await.unwrap();
        assert_eq!(known.len(), 1);
        known.remove(0)
    };
    let first = [by(1, "bank-a"), by(2, "bank-a"), by(3, "bank-b"), by(1, "bank-a")];
    store.commit(&first, &[], 20 * DAY).await.unwrap();
    let known = only(store.clone()).await;
    assert_eq!((known.members, known.hits, known.last_ms), (2, 3, 20 * DAY));
    store.commit(&[by(1, "bank-a"), by(4, "bank-c")], &[], 25 * DAY).await.unwrap();
    let known = only(store.clone()).await;
    assert_eq!((known.members, known.hits, known.last_ms), (3, 4, 25 * DAY));
    // Members that saw it longer ago than its lifetime count no more.
    store.commit(&[by(5, "bank-c")], &[], 35 * DAY - 1).await.unwrap();
    let known = only(store.clone()).await;
    assert_eq!((known.members, known.hits), (1, 5));
    // One that only a shared indicator stopped is no evidence.
    let mut shared = by(6, "bank-d");
    shared.envelope.data.rules.truncate(1);
    shared.envelope.data.rules[0].id = format!("fraud/{SHARED_RULE}");
    assert_eq!(store.commit(&[shared], &[], 36 * DAY).await.unwrap(), 1);
    assert_eq!(only(store.clone()).await.hits, 5);
    assert!(store.observed(36 * DAY).await.unwrap().is_empty());
}

async fn what_is_shared_and_taken_back(Place { store, .. }: Place) {
    let row =
        |value: &str| SharedRow { kind: "number".into(), value: value.into(), typology: "fraud".into() };
    for (value, state, now) in [("1", "enforced", 5), ("2", "enforced", 6), ("1", "retracted", 7)] {
        store.share(&[row(value)], state, now).await.unwrap();
    }
    store.share(&[SharedRow { typology: String::new(), ..row("2") }], "enforced", 8).await.unwrap();
    assert_eq!(store.enforced().await.unwrap(), [(row("2"), 8, 0)]);
    store.retract_rule("fraud/x", 9).await.unwrap();
    store.retract_rule("fraud/x", 10).await.unwrap();
    let expected = (vec!["fraud/x".to_owned()], vec!["number:1".to_owned()]);
    assert_eq!(store.retracted(5).await.unwrap(), expected);
}

async fn what_others_are_given_comes_in_the_order_of_its_changes(Place { store, .. }: Place) {
    let row = |value: &str| SharedRow { kind: "qq".into(), value: value.into(), typology: "fraud".into() };
    store.share(&[row("10002"), row("10001"), row("10003")], "enforced", 1000).await.unwrap();
    store.share(&[row("10002")], "retracted", 2000).await.unwrap();
    let values = |rows: &[SharedEntry]| rows.iter().map(|row| row.value.clone()).collect::<Vec<_>>();
    let whole = store.shared_from(&PagePlace::default(), 10).await.unwrap();
    assert_eq!(values(&whole), ["10001", "10003", "10002"]);
    assert_eq!((whole[2].created_ms, whole[2].changed_ms, &whole[2].state[..]), (1000, 2000, "retracted"));
    let from = PagePlace { at_ms: 1000, kind: "qq".into(), value: "10003".into(), typology: String::new() };
    assert_eq!(values(&store.shared_from(&from, 1).await.unwrap()), ["10003"], "inclusive");
    assert_eq!(store.shared_entry("qq", "10002").await.unwrap().as_ref(), Some(&whole[2]));
    assert_eq!(store.shared_entry("qq", "1").await.unwrap(), None);

    store.commit(&[received(1, |_| {})], &[], 5000).await.unwrap();
    store.commit(&[received(2, |_| {})], &[], 6000).await.unwrap();
    let known = store.known_from(&PagePlace::default(), 10).await.unwrap();
    assert!(
        !known.is_empty() && known.iter().all(|row| (row.hits, row.first_ms, row.last_ms) == (2, 5000, 6000))
    );
    let one = &known[known.len() - 1];
    let from = PagePlace {
        at_ms: one.last_ms,
        kind: one.kind.clone(),
        value: one.value.clone(),
        typology: one.typology.clone(),
    };
    assert_eq!(store.known_from(&from, 10).await.unwrap(), std::slice::from_ref(one));
    assert_eq!(store.known_entry(&one.kind, &one.value, &one.typology).await.unwrap().as_ref(), Some(one));

    let named = |id: &str, value: &str| Named {
        id: id.into(),
        family: "shared".into(),
        kind: "qq".into(),
        value: value.into(),
        typology: String::new(),
    };
    store.name_objects(&[named("a", "1"), named("b", "2")], 1000).await.unwrap();
    store.name_objects(&[named("a", "3"), named("c", "4")], 2000).await.unwrap();
    for (id, value) in [("a", "1"), ("b", "2"), ("c", "4")] {
        assert_eq!(store.named_object(id).await.unwrap(), Some(named(id, value)), "the first stands");
    }
    store.forget_counts(1500).await.unwrap();
    assert_eq!(store.named_object("a").await.unwrap(), None);
    assert!(store.named_object("c").await.unwrap().is_some());

    store.keep_status(("s1", "bank"), "{}", 1000, 0).await.unwrap();
    assert_eq!(store.status("s1", "bank").await.unwrap().as_deref(), Some("{}"));
    assert_eq!(store.status("s1", "another").await.unwrap(), None);
    store.keep_status(("s2", "bank"), "{}", 9000, 5000).await.unwrap();
    assert_eq!(store.status("s1", "bank").await.unwrap(), None);
}

async fn numbers_given_out_only_rise(Place { store, .. }: Place) {
    let mut last = 0;
    for floor in [5, 5, 4, 100, 7] {
        let number = store.give_out("serial", floor).await.unwrap();
        assert!(number > last && number >= floor, "{number} after {last}");
        last = number;
    }
    assert_eq!(store.give_out("retract", 1).await.unwrap(), 1);
}

async fn packs_are_kept_and_an_earlier_one_can_be_found(Place { store, .. }: Place) {
    let pack = |serial: u64, base: &str| PackRow {
        channel: "stable".into(),
        serial,
        created_ms: serial,
        base: base.into(),
        withdrawn: false,
        share: 10_000,
        length: 3,
    };
    store.keep_pack(&pack(1, "old"), b"one").await.unwrap();
    store.keep_pack(&PackRow { channel: "canary".into(), ..pack(1, "old") }, b"two").await.unwrap();
    for serial in 2..20 {
        store.keep_pack(&pack(serial, "new"), b"new").await.unwrap();
    }
    let before = store.revision().await.unwrap();
    store.set_share("stable", 19, 100).await.unwrap();
    store.withdraw_base("stable", "new").await.unwrap();
    assert!(store.revision().await.unwrap() > before);
    let kept = store.packs("stable").await.unwrap();
    let serials: Vec<u64> = kept.iter().map(|pack| pack.serial).collect();
    assert_eq!(serials, [19, 18, 17, 16, 15, 14, 13, 12, 1], "the last with other rules is there still");
    assert_eq!(kept[0], PackRow { share: 100, withdrawn: true, ..pack(19, "new") });
    assert_eq!(kept[8], pack(1, "old"));
    assert_eq!(store.pack_bytes("stable", 1).await.unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(store.pack_bytes("stable", 2).await.unwrap(), None);
    assert_eq!(store.pack_bytes("canary", 1).await.unwrap().as_deref(), Some(&b"two"[..]));
}

async fn sightings_go_when_their_time_is_over_and_what_was_added_up_stays(Place { store, .. }: Place) {
    const DAY: u64 = 86_400_000;
    for number in 1..=5 {
        store.commit(&[received(number, |_| {})], &[], number * DAY).await.unwrap();
    }
    assert_eq!(store.forget_sightings(4 * DAY, 2).await.unwrap(), 2);
    assert_eq!(store.forget_sightings(4 * DAY, 2).await.unwrap(), 1);
    assert_eq!(store.forget_sightings(4 * DAY, 2).await.unwrap(), 0);
    assert_eq!(ids(&store.page(&Filter::default(), None, 10).await.unwrap()), [5, 4]);
    let by = Filter { indicator: Some("+8613800000001".into()), ..Filter::default() };
    assert_eq!(ids(&store.page(&by, None, 10).await.unwrap()), [5, 4]);
    let hits = |known: Vec<yumen_hub::store::Observed>| known.iter().map(|row| row.hits).max();
    assert_eq!(hits(store.observed(0).await.unwrap()), Some(5));
    store.forget_counts(5 * DAY).await.unwrap();
    assert_eq!(hits(store.observed(0).await.unwrap()), Some(5), "it was seen since");
    store.forget_counts(6 * DAY).await.unwrap();
    assert!(store.observed(0).await.unwrap().is_empty());
}

async fn a_copy_is_whole_and_a_server_has_its_own_tools(Place { store, address }: Place) {
    store.commit(&[received(1, |_| {}), received(2, |_| {})], &[], 5).await.unwrap();
    assert!(matches!(Store::schema(&address).await, Ok((found, known)) if found == known && found > 0));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("copy.sqlite");
    let copied = Store::backup(&address, &file).await;
    if store.kind() == Kind::Postgres {
        assert!(matches!(copied, Err(StoreError::Server)));
        return;
    }
    copied.unwrap();
    assert!(Store::backup(&address, &file).await.is_err(), "nothing is written over");
    let copy = Store::open(&Address::file(&file).unwrap()).await.unwrap();
    assert_eq!(copy.count().await.unwrap(), 2);
}

async fn one_leads_and_the_next_follows(Place { store, address }: Place) {
    let mut first = store.lead().await.unwrap();
    if store.kind() == Kind::Sqlite {
        return;
    }
    let other = Store::open(&address).await.unwrap();
    let next = tokio::spawn(async move { other.lead().await });
    let soon = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(soon, first.lost()).await.is_err() && !next.is_finished());
    drop(first);
    let second = tokio::time::timeout(soon * 30, next).await;
    assert!(second.unwrap().unwrap().is_ok());
}

fn certificate(serial: &str) -> CertificateRow {
    CertificateRow {
        serial: serial.into(),
        member: "bank-a".into(),
        agent: "gw1".into(),
        issued_ms: 10,
        not_after_ms: 1_000,
        revoked_ms: 0,
    }
}

async fn an_invitation_enrols_once_and_the_earlier_key_counts_no_more(Place { store, .. }: Place) {
    let (member, agent): (Name, Name) = ("bank-a".parse().unwrap(), "gw1".parse().unwrap());
    for (hash, expires) in [("one", 100), ("two", 100), ("old", 5)] {
        store.invite(hash, (&member, &agent), expires).await.unwrap();
    }
    assert!(store.invitation("one", 10).await.unwrap().is_some());
    assert!(store.invitation("old", 10).await.unwrap().is_none());
    assert!(!store.enrol("old", "k0", &certificate("s0"), 10).await.unwrap());
    let before = store.trust_epoch().await.unwrap();
    assert!(store.enrol("one", "k1", &certificate("s1"), 10).await.unwrap());
    assert!(store.trust_epoch().await.unwrap() > before);
    assert!(!store.enrol("one", "k2", &certificate("s2"), 10).await.unwrap(), "used");
    assert!(store.enrol("two", "k3", &certificate("s3"), 11).await.unwrap());
    let enrolled = store.enrolled().await.unwrap();
    assert_eq!((enrolled.len(), &enrolled[0].public_key[..]), (1, "k3"));
    let mut certificates = store.certificates(12).await.unwrap();
    certificates.sort_by(|one, other| one.serial.cmp(&other.serial));
    let states: Vec<(&str, u64)> = certificates.iter().map(|row| (&row.serial[..], row.revoked_ms)).collect();
    assert_eq!(states, [("s1", 11), ("s3", 0)]);
    assert!(store.revoke(&member, &agent, 20).await.unwrap());
    assert!(!store.revoke(&member, &agent, 21).await.unwrap());
    assert!(store.certificates(22).await.unwrap().iter().all(|row| row.revoked_ms > 0));
    assert_eq!(store.enrolled().await.unwrap()[0].revoked_ms, 20);
    assert_eq!(store.members().await.unwrap(), ["bank-a"]);
}

async fn the_audit_log_is_only_added_to_and_what_was_changed_beneath_it_shows(
    Place { store, address }: Place,
) {
    let adding = (0..5).map(|number| {
        let store = store.clone();
        tokio::spawn(
            async move { audit::add(&store, "li", Action::Promote, &format!("qq:{number}"), "").await },
        )
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.unwrap().unwrap();
    }
    let head = audit::verify(&store, None).await.unwrap();
    assert_eq!(head.seq, 5, "five at a time are one chain");
    let mut raw = sqlx::AnyConnection::connect(&address.exposed()).await.unwrap();
    let guarded = ["UPDATE audit SET actor = 'wang'", "DELETE FROM audit WHERE seq = 5", "DELETE FROM audit"];
    for sql in guarded {
        let refused = sqlx::query(sql).execute(&mut raw).await.unwrap_err().to_string();
        assert!(refused.contains("only added to"), "{refused}");
    }
    assert_eq!(audit::verify(&store, Some((5, &head.hash))).await.unwrap(), head);
    // Who owns the database can take the guard away, and the chain tells.
    let unguard: &[&'static str] = match store.kind() {
        Kind::Sqlite => &["DROP TRIGGER audit_not_changed", "DROP TRIGGER audit_not_deleted"],
        Kind::Postgres => &["DROP TRIGGER audit_not_changed ON audit"],
    };
    for sql in unguard {
        sqlx::query(*sql).execute(&mut raw).await.unwrap();
    }
    sqlx::query("DELETE FROM audit WHERE seq = 5").execute(&mut raw).await.unwrap();
    assert_eq!(
        audit::verify(&store, None).await.unwrap().seq,
        4,
        "a cut end shows only against a noted hash"
    );
    let cut = audit::verify(&store, Some((5, &head.hash))).await;
    assert!(matches!(cut, Err(AuditError::Other(5))));
    sqlx::query("UPDATE audit SET subject = 'qq:9' WHERE seq = 2").execute(&mut raw).await.unwrap();
    assert!(matches!(audit::verify(&store, None).await, Err(AuditError::Changed(2))));
    sqlx::query("DELETE FROM audit WHERE seq = 2").execute(&mut raw).await.unwrap();
    assert!(matches!(audit::verify(&store, None).await, Err(AuditError::Missing(2))));
}

async fn refusals_are_added_up(Place { store, .. }: Place) {
    let row = |count, at_ms| RefusalRow {
        member: "bank-a".into(),
        agent: "gw1".into(),
        reason: "signature".into(),
        count,
        first_ms: at_ms,
        last_ms: at_ms,
    };
    store.add_refusals(&[row(2, 5)]).await.unwrap();
    store.add_refusals(&[row(3, 9)]).await.unwrap();
    assert_eq!(
        store.refusals().await.unwrap(),
        [RefusalRow { count: 5, first_ms: 5, last_ms: 9, ..row(0, 0) }]
    );
}

async fn somebody_logs_in_and_out(Place { store, .. }: Place) {
    let accounts = Accounts::new(store.clone());
    let password = "correct horse battery";
    let person = || new_person("li", Role::Regulator, "", 1);
    accounts.add("test", person(), password).await.unwrap();
    assert!(accounts.add("test", person(), password).await.is_err(), "the name is taken");
    let attempt = || Attempt { name: "li".into(), password: password.into(), code: String::new() };
    let token = accounts.log_in(attempt(), 1_000_000).await.unwrap();
    let caller = accounts.by_cookie(&token, 1_100_000).await.unwrap().unwrap();
    assert_eq!((&caller.name[..], caller.role), ("li", Role::Regulator));
    accounts.log_out(&caller).await.unwrap();
    assert!(accounts.by_cookie(&token, 1_100_000).await.unwrap().is_none());
    let token = accounts.log_in(attempt(), 1_000_000).await.unwrap();
    accounts.disable("test", "li", 5).await.unwrap();
    assert!(accounts.by_cookie(&token, 1_000_000).await.unwrap().is_none());
    // Added, added in vain, in, out, in, disabled.
    assert_eq!(audit::verify(&store, None).await.unwrap().seq, 6);
}
