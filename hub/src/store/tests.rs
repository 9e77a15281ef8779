use super::*;
use yumen_exchange::check;

fn received(number: u64, change: impl FnOnce(&mut Sighting)) -> Received {
    let golden = include_bytes!("../../../exchange/tests/golden/sighting_of_a_rejected_message.json");
    let mut received = check::sighting("yumen/v1/bank-a/gw1/sighting", golden).unwrap();
    let base = 0x019a_8c6e_7f00_7a11_8b22_0000_0000_0000u128;
    received.envelope.id = Uuid::from_u128(base + u128::from(number));
    received.time_ms = 1_000_000 + number;
    change(&mut received.envelope.data);
    received
}

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("hub.sqlite")).await.unwrap();
    (dir, store)
}

fn ids(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| u64::try_from(row.id.as_u128() & 0xFFFF).unwrap()).collect()
}

#[tokio::test]
async fn a_sighting_is_there_once_however_often_it_comes() {
    let (_dir, store) = store().await;
    let batch = [received(1, |_| {}), received(2, |_| {}), received(1, |_| {})];
    assert_eq!(store.commit(&batch, &[], 5).await.unwrap(), 2);
    assert_eq!(store.commit(&batch, &[], 9).await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap(), 2);
    let row = store.sighting(batch[0].envelope.id).await.unwrap().unwrap();
    assert_eq!((row.received_ms, row.time_ms, &row.data), (5, 1_000_001, &batch[0].envelope.data));
    assert_eq!((&row.member[..], &row.agent[..]), ("bank-a", "gw1"));
    assert_eq!(store.sighting(Uuid::nil()).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let (dir, store) = store().await;
    store.commit(&[received(1, |_| {})], &[], 5).await.unwrap();
    // Not closed, as after kill -9.
    let again = Store::open(&dir.path().join("hub.sqlite")).await.unwrap();
    assert_eq!(again.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let (dir, store) = store().await;
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)").execute(&store.writer).await.unwrap();
    store.close().await;
    let refused = Store::open(&dir.path().join("hub.sqlite")).await;
    assert!(matches!(refused, Err(StoreError::Newer { found: 99, known: 2 })));
}

#[tokio::test]
async fn filters_find_what_they_name_and_nothing_else() {
    let (_dir, store) = store().await;
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

#[tokio::test]
async fn pages_follow_one_another_while_more_comes_in() {
    let (_dir, store) = store().await;
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

#[tokio::test]
async fn an_agents_last_word_stands() {
    let (_dir, store) = store().await;
    let golden = include_bytes!("../../../exchange/tests/golden/status_of_a_running_agent.json");
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

#[tokio::test]
async fn typologies_are_counted_since_an_instant() {
    let (_dir, store) = store().await;
    let batch = [
        received(1, |data| data.typology = "fraud".into()),
        received(2, |data| data.typology = "fraud".into()),
        received(3, |data| data.typology = "stock-tips".into()),
    ];
    store.commit(&batch, &[], 5).await.unwrap();
    let counts = store.typologies_since(1_000_002).await.unwrap();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 2);
    let counts = store.typologies_since(0).await.unwrap();
    assert_eq!(counts, [("fraud".to_owned(), 2), ("stock-tips".to_owned(), 1)]);
}
