//! Clues, appeals and reports: what they are, in both databases.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::sync::Arc;
use yumen_exchange::check::Received;
use yumen_hub::appeals::{self, Answer, AppealError};
use yumen_hub::clues::{self, Change, ClueError, NewClue, Source};
use yumen_hub::complaints::{self, Complaint, ComplaintError};
use yumen_hub::rulebook::Rulebook;
use yumen_hub::store::{By, ClueFilter, Days, Filter, RuleDraftRow, Store};

#[macro_use]
mod place;

use place::{Place, received};

on_both![
    a_clue_is_there_once_and_the_most_harmful_stands_first,
    what_members_see_becomes_a_clue_until_somebody_shares_it,
    a_clue_goes_its_way_and_nobody_overwrites_another,
    an_appeal_is_answered_in_time_or_is_overdue,
    bad_faith_waits_longer_and_behind_the_others,
    a_report_becomes_a_sighting_without_its_text,
    what_was_counted_is_found_by_day_name_and_verdict,
    a_rule_is_published_as_it_was_shown_or_not_at_all,
    an_upheld_appeal_halves_the_score_and_asks_for_one_more_member,
];

const NOW: u64 = 1_764_000_000_000;
const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;

fn new(kind: &str, value: &str, typology: &str) -> NewClue {
    NewClue {
        kind: kind.into(),
        value: value.into(),
        typology: typology.into(),
        source: Source::Import,
        origin: "feed".into(),
        confidence: 50,
    }
}

fn values(clues: &[yumen_hub::store::ClueRow]) -> Vec<&str> {
    clues.iter().map(|clue| &clue.value[..]).collect()
}

async fn actions(store: &Store) -> Vec<(String, String)> {
    let rows = store.audit_after(0, 100).await.unwrap();
    rows.into_iter().map(|row| (row.action, row.subject)).collect()
}

/// Sightings of one value by so many members.
fn seen(value: &str, typology: &str, members: u64, time_ms: u64) -> Vec<Received> {
    let by = |member: u64| {
        let mut one = received(time_ms % 9000 + member, |data| {
            data.typology = typology.into();
            data.indicators.truncate(1);
            data.indicators[0].kind = "domain".into();
            data.indicators[0].value = value.into();
        });
        let tail = value.bytes().fold(0u128, |sum, byte| sum * 31 + u128::from(byte)) & 0xFFFF_FFFF;
        one.envelope.id = uuid::Uuid::from_u128(one.envelope.id.as_u128() | (tail << 16));
        one.member = format!("bank-{member}").parse().unwrap();
        one.time_ms = time_ms;
        one
    };
    (0..members).map(by).collect()
}

async fn a_clue_is_there_once_and_the_most_harmful_stands_first(Place { store, .. }: Place) {
    let brought = [
        new("domain", "rights.example.com", "rights-agency"),
        new("domain", "fraud.example.com", "fraud"),
        new("domain", "fraud.example.com", "fraud"),
        new("text", "not a kind", "fraud"),
        new("domain", "", "fraud"),
        new("qq", "700001", "no-such-practice"),
    ];
    let opened = clues::open(&store, "li", "feed", &brought, NOW).await.unwrap();
    assert_eq!((opened.new, opened.known, opened.refused), (2, 1, 3));
    let again = clues::open(&store, "li", "feed", &brought, NOW + 1).await.unwrap();
    assert_eq!((again.new, again.known), (0, 3));
    assert_eq!(
        actions(&store).await,
        [("clue-opened".into(), "feed".into()), ("clue-opened".into(), "feed".into())]
    );
    let any = ClueFilter::default();
    assert_eq!(values(&store.clues(&any, 0).await.unwrap()), ["fraud.example.com", "rights.example.com"]);
    // What three members saw counts for more than a feed's word, and what nobody sees any more for less with each day.
    store.commit(&seen("rights.example.com", "rights-agency", 3, NOW), &[], NOW).await.unwrap();
    clues::gather(&store, None, NOW, NOW).await.unwrap();
    let first = store.clues(&any, 0).await.unwrap();
    assert_eq!(values(&first), ["rights.example.com", "fraud.example.com"]);
    assert_eq!((first[0].members, first[0].hits, first[0].last_ms), (3, 3, NOW));
    // 3 × (3 × 20 + 2 × 10 + 25), and 5 × 25.
    assert_eq!((first[0].harm, first[1].harm), (315, 125));
    clues::gather(&store, None, NOW, NOW + 4 * DAY).await.unwrap();
    let later = store.clues(&any, 0).await.unwrap();
    assert_eq!((later[0].harm, later[1].harm), (189, 75));
    let fraud = ClueFilter { typology: Some("fraud".into()), ..ClueFilter::default() };
    assert_eq!(values(&store.clues(&fraud, 0).await.unwrap()), ["fraud.example.com"]);
    assert!(store.clues(&any, 1).await.unwrap().is_empty());
}

async fn what_members_see_becomes_a_clue_until_somebody_shares_it(Place { store, .. }: Place) {
    for (value, members) in [("one.example.com", 1), ("two.example.com", 2), ("shared.example.com", 4)] {
        store.commit(&seen(value, "fraud", members, NOW), &[], NOW).await.unwrap();
    }
    let shared = yumen_hub::store::SharedRow {
        kind: "domain".into(),
        value: "shared.example.com".into(),
        typology: "fraud".into(),
    };
    store.share(&[shared], "enforced", NOW).await.unwrap();
    clues::gather(&store, None, 0, NOW).await.unwrap();
    let clues = store.clues(&ClueFilter::default(), 0).await.unwrap();
    assert_eq!(values(&clues), ["two.example.com", "one.example.com"]);
    assert!(clues.iter().all(|clue| clue.source == "seen" && clue.state == "open"));
    clues::gather(&store, None, NOW, NOW).await.unwrap();
    assert_eq!(store.clues_waiting().await.unwrap(), 2);
    // What was seen too long ago to count isn't brought up again.
    store.commit(&seen("old.example.com", "fraud", 1, NOW - 40 * DAY), &[], NOW - 40 * DAY).await.unwrap();
    clues::gather(&store, None, NOW, NOW).await.unwrap();
    assert_eq!(store.clues_waiting().await.unwrap(), 2);
}

async fn a_clue_goes_its_way_and_nobody_overwrites_another(Place { store, .. }: Place) {
    let brought = [new("qq", "700001", "fraud"), new("qq", "700002", "fraud"), new("qq", "700003", "fraud")];
    clues::open(&store, "li", "feed", &brought, NOW).await.unwrap();
    let id = async |value: &str| store.clue_of("qq", value).await.unwrap().unwrap().id;
    let (one, two, three) = (id("700001").await, id("700002").await, id("700003").await);
    let change = async |id: &str, change: Change| clues::change(&store, "li", id, &change, NOW + 5).await;
    change(&one, Change::Assign("li".into())).await.unwrap();
    let mine = ClueFilter { assignee: Some("li".into()), ..ClueFilter::default() };
    assert_eq!(values(&store.clues(&mine, 0).await.unwrap()), ["700001"]);
    change(&one, Change::Typology("stock-tips".into())).await.unwrap();
    assert!(matches!(change(&one, Change::Typology("x".into())).await, Err(ClueError::Indicator)));
    change(&one, Change::Comment(" 同一团伙 ".into())).await.unwrap();
    assert!(matches!(change(&one, Change::Comment("  ".into())).await, Err(ClueError::Text)));
    let said = store.remarks(&one).await.unwrap();
    assert_eq!((said.len(), &said[0].text[..], &said[0].author[..]), (1, "同一团伙", "li"));
    // Two into one, by way of another.
    assert!(matches!(change(&two, Change::Merge(two.clone())).await, Err(ClueError::Merge)));
    change(&three, Change::Merge(two.clone())).await.unwrap();
    change(&two, Change::Merge(one.clone())).await.unwrap();
    let merged = store.merged_into(&one).await.unwrap();
    assert_eq!(values(&merged), ["700002", "700003"]);
    assert!(matches!(change(&two, Change::Reject("x".into())).await, Err(ClueError::Changed)));
    // Without a reason nothing is rejected; with one it is out of the queue, and can come back.
    assert!(matches!(change(&one, Change::Reject(String::new())).await, Err(ClueError::Text)));
    let before = store.clue(&one).await.unwrap().unwrap();
    change(&one, Change::Reject("银行客服".into())).await.unwrap();
    assert_eq!(store.clues_waiting().await.unwrap(), 0);
    assert!(!store.put_clue(&before, &before).await.unwrap(), "somebody else was first");
    change(&one, Change::Reopen).await.unwrap();
    assert_eq!(store.clue(&one).await.unwrap().unwrap().state, "open");
    assert!(matches!(clues::accept(&store, None, "li", &one, NOW).await, Err(ClueError::NoShare)));
    assert!(matches!(change("no-such", Change::Reopen).await, Err(ClueError::Unknown)));
    let words: Vec<String> = actions(&store).await.into_iter().map(|(action, _)| action).collect();
    let expected = [
        "clue-opened",
        "clue-assigned",
        "clue-changed",
        "commented",
        "clue-merged",
        "clue-merged",
        "clue-rejected",
        "clue-reopened",
    ];
    assert_eq!(words, expected);
    yumen_hub::audit::verify(&store, None).await.unwrap();
}

async fn an_appeal_is_answered_in_time_or_is_overdue(Place { store, .. }: Place) {
    let given_out = "00112233445566778899aabbccddeeff";
    let mut blocked = received(1, |data| data.appeal = Some(given_out.into()));
    blocked.time_ms = NOW - HOUR;
    let passed = received(2, |data| data.verdict = "flag".into());
    store.commit(&[blocked.clone(), passed.clone()], &[], NOW).await.unwrap();
    let id = blocked.envelope.id;
    for quoted in [id.to_string(), format!(" {given_out} "), id.simple().to_string()] {
        assert_eq!(appeals::find(&store, &quoted).await.unwrap().id, id, "{quoted}");
    }
    // One answer for whatever isn't there: nobody learns what else there is.
    let unknown = uuid::Uuid::now_v7().to_string();
    for quoted in [&passed.envelope.id.to_string(), &unknown, "13900000001", "", "%", "pay.example.com"] {
        assert!(matches!(appeals::find(&store, quoted).await, Err(AppealError::Unknown)), "{quoted}");
    }
    let row = appeals::find(&store, given_out).await.unwrap();
    let open =
        async |statement: &str| appeals::open(&store, "public", &row, ("sender", statement), (24, NOW)).await;
    assert!(matches!(open(&"字".repeat(501)).await, Err(AppealError::Text)));
    let opened = open("我是商家，电话 13900000001").await.unwrap();
    assert_eq!(opened.statement, "我是商家，电话 13000000000", "nobody's number stays");
    assert_eq!((opened.due_ms, opened.standing), (NOW + 24 * HOUR, 0));
    assert!(matches!(open("again").await, Err(AppealError::Known)));
    assert_eq!(store.appeals(Some("bank-a"), true, 0).await.unwrap().len(), 1);
    assert!(store.appeals(Some("bank-b"), true, 0).await.unwrap().is_empty());
    assert_eq!(appeals::escalate(&store, NOW + 24 * HOUR).await.unwrap(), 0);
    assert_eq!(appeals::escalate(&store, NOW + 24 * HOUR + 1).await.unwrap(), 1);
    assert_eq!(appeals::escalate(&store, NOW + 24 * HOUR + 2).await.unwrap(), 0, "said once");
    let counts = store.appeal_counts(None, NOW + 25 * HOUR).await.unwrap();
    assert_eq!((counts.open, counts.overdue), (1, 1));

    let sender = row.data.indicators.iter().find(|one| one.origin == "originator").unwrap().clone();
    let answer = async |answer: Answer| {
        appeals::answer(&store, None, "li", &opened.id, &answer, NOW + 26 * HOUR).await
    };
    let upheld = Answer { upheld: true, text: "已放行，抱歉。".into(), ..Answer::default() };
    assert!(matches!(answer(Answer::default()).await, Err(AppealError::Text)));
    let foreign = Answer { rules: vec!["fraud/other".into()], ..upheld.clone() };
    assert!(matches!(answer(foreign).await, Err(AppealError::Foreign)));
    answer(upheld.clone()).await.unwrap();
    assert!(matches!(answer(upheld).await, Err(AppealError::Changed)));
    assert_eq!(store.disputes(&sender.kind, &sender.value, NOW).await.unwrap(), 1);
    let of = store.appeals_of(&id.to_string()).await.unwrap();
    assert_eq!((&of[0].state[..], &of[0].answer[..]), ("upheld", "已放行，抱歉。"));
    assert_eq!(store.appeal_counts(None, NOW).await.unwrap().open, 0);
    store.forget_statements(NOW + 27 * HOUR).await.unwrap();
    assert_eq!(store.appeal(&opened.id).await.unwrap().unwrap().statement, "");
    // So often and no oftener.
    open("two").await.unwrap();
    let last = store.appeals_of(&id.to_string()).await.unwrap()[0].id.clone();
    let no = Answer { text: "no".into(), ..Answer::default() };
    appeals::answer(&store, None, "li", &last, &no, NOW + 28 * HOUR).await.unwrap();
    open("three").await.unwrap();
    let last = store.appeals_of(&id.to_string()).await.unwrap()[0].id.clone();
    appeals::answer(&store, None, "li", &last, &no, NOW + 29 * HOUR).await.unwrap();
    assert!(matches!(open("four").await, Err(AppealError::Known)));
}

async fn bad_faith_waits_longer_and_behind_the_others(Place { store, .. }: Place) {
    let one = |number: u64, sender: &str| {
        let sender = sender.to_owned();
        received(number, |data| {
            data.indicators.truncate(1);
            data.indicators[0].value = sender;
            data.indicators[0].origin = "originator".into();
        })
    };
    let all = [one(1, "13900000001"), one(2, "13900000001"), one(3, "13900000002")];
    store.commit(&all, &[], NOW).await.unwrap();
    let open = async |at: usize, now_ms: u64| {
        let row = store.sighting(all[at].envelope.id).await.unwrap().unwrap();
        appeals::open(&store, "public", &row, ("sender", ""), (24, now_ms)).await.unwrap()
    };
    let first = open(0, NOW).await;
    let bad = Answer { text: "证据充分".into(), bad_faith: true, ..Answer::default() };
    appeals::answer(&store, None, "li", &first.id, &bad, NOW + 1).await.unwrap();
    let second = open(1, NOW + 2).await;
    assert_eq!((second.standing, second.due_ms), (1, NOW + 2 + 48 * HOUR));
    let honest = open(2, NOW + 3).await;
    assert_eq!(honest.standing, 0);
    let queue = store.appeals(None, true, 0).await.unwrap();
    let queue: Vec<&str> = queue.iter().map(|appeal| &appeal.id[..]).collect();
    assert_eq!(queue, [&honest.id[..], &second.id], "later, and before the other; both are answered");
    // It is forgotten.
    assert_eq!(store.bad_faith(&first.about, NOW + 2).await.unwrap(), 0);
}

async fn a_report_becomes_a_sighting_without_its_text(Place { store, address }: Place) {
    let rulebook = Arc::new(Rulebook::read(&[]));
    let text = "【测试】您好，加微信 yumen_test0000 领取补贴，或访问 pay-0000.example.com/q?u=13900000009 办理，本机 13900000009";
    let complaint = Complaint {
        member: "bank-a".into(),
        from: "+86 139 0000 0001".into(),
        own: "13900000009".into(),
        text: text.into(),
        typology: "fraud".into(),
        ..Complaint::default()
    };
    let take =
        async |complaint: Complaint| complaints::take(&store, &rulebook, None, "li", complaint, NOW).await;
    let id = take(complaint.clone()).await.unwrap();
    let row = store.sighting(id).await.unwrap().unwrap();
    assert_eq!((&row.member[..], &row.data.door[..], &row.data.verdict[..]), ("bank-a", "report", "flag"));
    assert_eq!(row.data.rules[0].id, "fraud/reported");
    let mut found: Vec<&str> = row.data.indicators.iter().map(|one| &one.value[..]).collect();
    found.sort_unstable();
    assert_eq!(found, ["13900000001", "pay-0000.example.com", "pay-0000.example.com/q", "yumen_test0000"]);
    assert!(row.data.template.is_some());
    // It counts as this member's word, and is in the queue.
    assert_eq!(store.observed(0).await.unwrap().len(), 4);
    let reported = ClueFilter { source: Some("report".into()), ..ClueFilter::default() };
    let clues = store.clues(&reported, 0).await.unwrap();
    assert_eq!(clues.len(), 4);
    assert!(clues.iter().all(|clue| clue.origin == "bank-a" && clue.members == 1));
    assert_eq!(store.page(&Filter::default(), None, 10).await.unwrap().len(), 1);
    for (change, error) in [
        (Complaint { member: "Bank A".into(), ..complaint.clone() }, "Member"),
        (Complaint { text: String::new(), from: String::new(), ..complaint.clone() }, "Empty"),
        (Complaint { text: "字".repeat(2000), ..complaint.clone() }, "Empty"),
        (Complaint { typology: "x".into(), ..complaint.clone() }, "Typology"),
        (Complaint { text: "今晚聚会".into(), from: String::new(), ..complaint.clone() }, "Nothing"),
    ] {
        let refused: ComplaintError = take(change).await.unwrap_err();
        assert_eq!(format!("{refused:?}"), error);
    }
    // Nothing of it stands anywhere: the file is looked through.
    if let Some(path) = address.exposed().strip_prefix("sqlite:") {
        let path = std::path::PathBuf::from(path.replace("%20", " ").replace("%23", "#").replace("%3F", "?"));
        let mut bytes = std::fs::read(&path).unwrap();
        let wal = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
        bytes.extend(std::fs::read(wal).unwrap_or_default());
        let has = |piece: &str| bytes.windows(piece.len()).any(|window| window == piece.as_bytes());
        assert!(has("yumen_test0000"), "looked in the right place");
        assert!(!has("领取补贴") && !has("13900000009") && !has("测试"));
    }
}

async fn what_was_counted_is_found_by_day_name_and_verdict(Place { store, .. }: Place) {
    let day = NOW / DAY;
    let mut batch = seen("one.example.com", "fraud", 2, NOW);
    batch.extend(seen("two.example.com", "stock-tips", 1, NOW - 2 * DAY));
    batch[0].envelope.data.verdict = "flag".into();
    store.commit(&batch, &[], NOW).await.unwrap();
    store.commit(&batch, &[], NOW).await.unwrap();
    let all = Days { first: day - 2, last: day, member: None };
    let tally = |rows: Vec<yumen_hub::store::Tally>| -> Vec<(String, String, u64)> {
        rows.into_iter().map(|row| (row.name, row.verdict, row.hits)).collect()
    };
    let row = |name: &str, verdict: &str, hits| (name.to_owned(), verdict.to_owned(), hits);
    let expected = [row("fraud", "flag", 1), row("fraud", "reject", 1), row("stock-tips", "reject", 1)];
    assert_eq!(tally(store.tally(By::Typology, &all).await.unwrap()), expected);
    let expected = [row("bank-0", "flag", 1), row("bank-0", "reject", 1), row("bank-1", "reject", 1)];
    assert_eq!(tally(store.tally(By::Member, &all).await.unwrap()), expected);
    let own = Days { member: Some("bank-1".into()), ..all.clone() };
    assert_eq!(tally(store.tally(By::Typology, &own).await.unwrap()), [row("fraud", "reject", 1)]);
    assert_eq!(store.hits_by_day(&all).await.unwrap(), [(day - 2, 1), (day, 2)]);
    assert_eq!(store.hits_by_day(&own).await.unwrap(), [(day, 1)]);
    assert_eq!(store.hits_by_hour(day * 24).await.unwrap(), [(NOW / HOUR, 2)]);
    let days = store.indicator_days("domain", "one.example.com", 0).await.unwrap();
    assert_eq!((days.len(), days[0].members, days[0].hits, days[0].last_ms), (1, 2, 2, NOW));
    assert_eq!(store.known_values("one.example.com").await.unwrap().len(), 1);
    assert_eq!(store.observed_page(0, 0).await.unwrap()[0].value, "one.example.com");
    assert_eq!(store.appeal_tally(&all).await.unwrap().opened, 0);
    let row = store.sighting(batch[1].envelope.id).await.unwrap().unwrap();
    appeals::open(&store, "public", &row, ("sender", ""), (24, NOW)).await.unwrap();
    assert_eq!(store.appeal_tally(&all).await.unwrap().opened, 1);
    let other = Days { member: Some("bank-0".into()), ..all };
    assert_eq!(store.appeal_tally(&other).await.unwrap().opened, 0);
    // They go with the counts.
    store.forget_counts(NOW + DAY).await.unwrap();
    assert!(store.hits_by_day(&Days { first: 0, last: day, member: None }).await.unwrap().is_empty());
}

async fn a_rule_is_published_as_it_was_shown_or_not_at_all(Place { store, .. }: Place) {
    let draft = RuleDraftRow {
        name: "one".into(),
        text: "[[rule]]".into(),
        author: "li".into(),
        shown: "digest:0".into(),
        changed_ms: NOW,
        ..RuleDraftRow::default()
    };
    assert!(store.save_rule(&draft).await.unwrap());
    assert_eq!(store.rule_draft("one").await.unwrap().unwrap(), draft);
    assert!(store.published_rules().await.unwrap().is_empty());
    let changed = RuleDraftRow { text: "[[rule]] # changed".into(), ..draft.clone() };
    assert!(!store.publish_rule(&changed, "li", NOW).await.unwrap());
    assert_eq!(store.rules_revision().await.unwrap(), 0);
    assert!(store.publish_rule(&draft, "li", NOW).await.unwrap());
    let published = store.published_rules().await.unwrap();
    assert_eq!((&published[0].published[..], &published[0].published_by[..]), ("[[rule]]", "li"));
    let revision = store.rules_revision().await.unwrap();
    assert!(revision > 0);
    // Written on, the packs have what was published.
    assert!(store.save_rule(&changed).await.unwrap());
    assert_eq!(store.published_rules().await.unwrap()[0].published, "[[rule]]");
    assert!(store.withdraw_rule("one").await.unwrap() && !store.withdraw_rule("one").await.unwrap());
    assert!(store.published_rules().await.unwrap().is_empty());
    assert!(store.rules_revision().await.unwrap() > revision);
}

async fn an_upheld_appeal_halves_the_score_and_asks_for_one_more_member(Place { store, .. }: Place) {
    store.commit(&seen("one.example.com", "fraud", 3, NOW), &[], NOW).await.unwrap();
    let row = store.page(&Filter::default(), None, 1).await.unwrap().remove(0);
    let opened = appeals::open(&store, "public", &row, ("sender", ""), (24, NOW)).await.unwrap();
    let answer = Answer {
        upheld: true,
        text: "ok".into(),
        indicators: vec!["domain:one.example.com".into()],
        ..Answer::default()
    };
    appeals::answer(&store, None, "li", &opened.id, &answer, NOW).await.unwrap();
    let seen = store.candidates(3, 0).await.unwrap();
    assert_eq!((seen[0].members, seen[0].disputes), (3, 1));
    let shared = yumen_hub::store::SharedRow {
        kind: "domain".into(),
        value: "one.example.com".into(),
        typology: "fraud".into(),
    };
    // What was upheld before it was shared again doesn't count against it twice.
    store.share(std::slice::from_ref(&shared), "enforced", NOW + 1).await.unwrap();
    assert_eq!(store.enforced().await.unwrap(), [(shared, NOW + 1, 0)]);
}
