use super::*;

/// Features of "贷款": two characters and their pair.
const KNOWN: usize = 3;
const LEN: usize = HEADER_LEN + KNOWN * FEATURE_LEN;

/// A model in which the text "贷款" speaks for loan mediation, with a weight of 100 a feature.
fn model(bytes: &mut [u8; LEN]) -> Model<'_> {
    bytes[0] = 3;
    for typology in 0..Typology::COUNT {
        let at = 8 + typology * 8;
        bytes[at..at + 4].copy_from_slice(&(-2 * 65_536i32).to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&2_000i32.to_le_bytes());
    }
    let (mut hashes, mut len) = ([0u32; KNOWN], 0);
    features("贷款".as_bytes(), Signals::default(), |feature| {
        hashes[len] = feature.hash;
        len += 1;
    });
    hashes.sort_unstable();
    for (at, hash) in hashes.iter().enumerate() {
        bytes[HEADER_LEN + at * 4..][..4].copy_from_slice(&hash.to_le_bytes());
        bytes[HEADER_LEN + KNOWN * 4 + at * 8 + Typology::LoanMediation as usize] = 100;
    }
    Model::new_checked(bytes).unwrap()
}

#[test]
fn a_text_of_weighty_features_scores() {
    let mut bytes = [0; LEN];
    let model = model(&mut bytes);
    let scores = model.scores("贷款".as_bytes(), Signals::default());
    // sum 300, three features: −2 + 300 · 2000/65536 / √3 = 3.29
    assert_eq!(scores[Typology::LoanMediation as usize], 96);
    assert_eq!(scores[Typology::Fraud as usize], 11);
    assert_eq!(model.scores(b"", Signals::default()), [11; 8]);
}

#[test]
fn reasons_are_features_of_the_text_strongest_first() {
    let mut bytes = [0; LEN];
    let model = model(&mut bytes);
    let mut out = [Reason::default(); 2];
    let text = "要贷款吗";
    assert_eq!(
        model.scores("天气".as_bytes(), Signals::default()),
        [11; 8],
        "unknown features weigh nothing"
    );
    let len = model.reasons(text.as_bytes(), Signals::default(), Typology::LoanMediation, &mut out);
    assert_eq!(len, 2);
    assert!(out.iter().all(|reason| {
        let span = reason.feature.start as usize..reason.feature.end as usize;
        reason.weight == 100 && text.get(span).is_some()
    }));
}

#[test]
fn features_are_frozen() {
    let mut found = [(0, 0, 0); 16];
    let mut len = 0;
    features("借12345 ok%".as_bytes(), Signals(0b101), |feature| {
        found[len] = (feature.hash, feature.start, feature.end);
        len += 1;
    });
    // Four tokens: 4 + 3 + 2 + 2 features, and two signals.
    assert_eq!(len, 13);
    assert_eq!(found[0].1..found[0].2, 0..3);
    assert_eq!(found[1].1..found[1].2, 3..8);
    assert_eq!((found[11].1, found[11].2, found[12].1), (0, 0, 2));
    let mut other = 0;
    features("借54321 ok%".as_bytes(), Signals(0b101), |feature| {
        assert_eq!(feature.hash, found[other].0, "digits count by how many they are");
        other += 1;
    });
}

#[test]
fn what_is_said_twice_counts_once() {
    let count = |text: &str| {
        let mut count = 0;
        features(text.as_bytes(), Signals(1), |_| count += 1);
        count
    };
    assert_eq!(count("好"), 2);
    // 好, 好好, 好好好, 好_好 and the signal, however long it goes on.
    assert_eq!((count("好好好"), count("好好好好好好")), (5, 5));
}

#[test]
fn whatever_the_bytes_nothing_panics() {
    let mut bytes = [0xff; LEN];
    assert!(Model::new_checked(&bytes).is_none());
    assert!(Model::new_checked(&[]).is_none());
    bytes[..HEADER_LEN].fill(0);
    let model = model(&mut bytes);
    for text in [&[0xe4][..], &[0xff; 40], &[0x80, b'a', 0xf0, 0x9f], b"\0\x7f%%%"] {
        let _ = model.scores(text, Signals(u16::MAX));
    }
    assert!(Model::new_checked(&bytes[..LEN - 1]).is_none());
    bytes[HEADER_LEN..HEADER_LEN + 4].fill(0xff);
    assert!(Model::new_checked(&bytes).is_none(), "hashes ascend");
}

#[test]
fn a_directory_changes_no_score_and_a_wrong_one_is_refused() {
    const BITS: u8 = 3;
    const ENTRIES: usize = (1 << BITS) + 1;
    let mut plain = [0; LEN];
    let scores = model(&mut plain).scores("要贷款吗".as_bytes(), Signals::default());
    let mut bytes = [0; LEN + 4 * ENTRIES];
    bytes[..HEADER_LEN].copy_from_slice(&plain[..HEADER_LEN]);
    bytes[HEADER_LEN + 4 * ENTRIES..].copy_from_slice(&plain[HEADER_LEN..]);
    bytes[2] = BITS;
    assert!(Model::new_checked(&bytes).is_none(), "it says that no hash is below any");
    for entry in 0..ENTRIES {
        let hashes = plain[HEADER_LEN..].as_chunks::<4>().0.iter().take(KNOWN);
        let below = hashes.filter(|hash| ((u32::from_le_bytes(**hash) >> 29) as usize) < entry).count();
        bytes[HEADER_LEN + 4 * entry] = u8::try_from(below).unwrap();
    }
    let model = Model::new_checked(&bytes).unwrap();
    assert_eq!(model.scores("要贷款吗".as_bytes(), Signals::default()), scores);
    assert!(Model::new_checked(&bytes[..bytes.len() - 1]).is_none());
    bytes[2] = DIRECTORY_BITS_MAX + 1;
    assert!(Model::new_checked(&bytes).is_none());
}

#[test]
fn percents_rise_with_logits() {
    assert_eq!([percent(i64::MIN), percent(-1), percent(0), percent(i64::MAX)], [0, 49, 50, 99]);
    assert!(LOGITS.is_sorted());
}
