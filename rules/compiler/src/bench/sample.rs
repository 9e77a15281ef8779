//! A pack and messages of the size that real ones have: words and expressions out of the project's own packs, messages that those
//! packs must let pass, and made up ones as services send them.

use yumen_rules::signal::{Field, View};
use yumen_rules::verdict::{Ladder, Typology};

use crate::draft::{Expr, GroupDraft, PackDraft, PatternDraft, RedressTexts, RuleDraft, SenderDraft};
use crate::embedded;

/// A pack of so many literals and regular expressions, in groups of ten, with a rule for every two groups.
#[must_use]
pub fn draft(literals: usize, regexes: usize) -> PackDraft {
    let own = embedded::report().draft.patterns;
    let of_view = |regex: bool| {
        own.iter().filter(move |pattern| pattern.view == View::Folded && pattern.regex == regex)
    };
    let words: Vec<&str> = of_view(false).map(|pattern| pattern.text.as_str()).collect();
    let step = (words.len() / literals.max(1)).max(1);
    let mut patterns: Vec<PatternDraft> =
        words.iter().step_by(step).take(literals).map(|word| pattern((*word).to_owned(), false)).collect();
    let plain = |word: &&&str| {
        word.chars().count() > 1 && word.chars().all(|char| !char.is_ascii() && char.is_alphanumeric())
    };
    let plain: Vec<&str> = words.iter().filter(plain).copied().collect();
    patterns.extend(
        (patterns.len()..literals).map(|index| pattern(format!("{}{index}", pick(&plain, index)), false)),
    );
    patterns.extend(of_view(true).take(regexes).cloned());
    let so_far = patterns.len() - literals;
    patterns.extend((so_far..regexes).map(|index| pattern(expression(&plain, index), true)));
    let members: Vec<usize> = (0..patterns.len()).collect();
    let groups: Vec<GroupDraft> = members
        .chunks(GROUP_LEN)
        .enumerate()
        .map(|(index, members)| GroupDraft {
            name: format!("group-{index}"),
            patterns: members.to_vec(),
            need: 1,
        })
        .collect();
    let rules = (0..groups.len() / 2).map(|index| rule(index, groups.len())).collect();
    PackDraft {
        name: "bench".to_owned(),
        channel: "bench".to_owned(),
        serial: 1,
        expires_s: u64::MAX,
        patterns,
        groups,
        rules,
        senders: (0..500).map(sender).collect(),
        ..PackDraft::default()
    }
}

/// Messages of the length that real ones have, each another one. One in fifty is of the kind that rules are for.
#[must_use]
pub fn messages(count: usize) -> Vec<String> {
    let rules = embedded::report().draft.rules;
    let misses = rules.into_iter().flat_map(|rule| rule.misses).filter(|text| LENGTHS.contains(&text.len()));
    let made = (0..count).map(|index| if index % 50 == 49 { bad(index) } else { honest(index) });
    misses.take(count / 2).chain(made).take(count).collect()
}

/// Bytes of UTF-8.
const LENGTHS: std::ops::RangeInclusive<usize> = 100..=260;
const GROUP_LEN: usize = 10;

fn pick<'a>(words: &[&'a str], index: usize) -> &'a str {
    words.get(index * 7_919 % words.len().max(1)).copied().unwrap_or("词语")
}

fn expression(words: &[&str], index: usize) -> String {
    let (before, after) = (pick(words, index), pick(words, index * 31 + 17));
    match index % 4 {
        0 => format!(
            r"(?:{before}|{}){{1,2}}\d{{1,3}}万?.{{0,{}}}{after}",
            pick(words, index + 5),
            index % 5 + 4
        ),
        1 => format!(r"{after}.{{0,{}}}\d{{1,2}}(?:天|小时)内?{before}", index % 7 + 2),
        _ => format!(r"{before}.{{0,{}}}{after}", index % 9 + 2),
    }
}

fn pattern(text: String, regex: bool) -> PatternDraft {
    PatternDraft { text, regex, view: View::Folded }
}

fn rule(index: usize, groups: usize) -> RuleDraft {
    let unregistered = Expr::Not(Box::new(Expr::Field(Field::SenderRegistered)));
    let other = Expr::Or(vec![Expr::Group((index * 2 + 2) % groups), Expr::Field(Field::ContactAny)]);
    RuleDraft {
        id: format!("bench/{index}"),
        typology: Typology::Fraud,
        title_zh: format!("规则{index}"),
        title_en: format!("Rule {index}"),
        sms: true,
        call: false,
        ladder: Ladder::Enforce,
        score: 80,
        overrides: Vec::new(),
        when: Expr::And(vec![
            Expr::Group(index * 2),
            Expr::Group((index * 2 + 1) % groups),
            other,
            unregistered,
        ]),
        hits: Vec::new(),
        misses: Vec::new(),
        redress: RedressTexts::default(),
    }
}

fn sender(index: usize) -> SenderDraft {
    SenderDraft {
        organisation: format!("机构{index}"),
        kind: "other".to_owned(),
        numbers: vec![format!("106980{index:04}*")],
        signatures: vec![format!("机构{index}")],
        domains: vec![format!("org{index}.example.com")],
    }
}

fn honest(index: usize) -> String {
    let (hour, minute, tail) = (index % 12 + 8, index * 7 % 60, index * 7_919 % 9_000 + 1_000);
    let place = PLACES.get(index % PLACES.len()).copied().unwrap_or_default();
    match index % 6 {
        0 => format!(
            "【测试速递】您的包裹已到{place}驿站，取件码{}-{}-{tail}，请于今日{}:00前凭码领取，如有疑问请联系站点工作人员。",
            index % 20 + 1,
            index % 9 + 1,
            hour + 4
        ),
        1 => format!(
            "【测试银行】您尾号{tail}的储蓄卡于{}月{}日{hour}:{minute:02}在{place}消费人民币{}.{:02}元，当前可用余额{}.50元。",
            index % 12 + 1,
            index % 28 + 1,
            index % 900 + 10,
            index % 100,
            index * 13 % 50_000
        ),
        2 => format!(
            "【{place}医院】温馨提示：您预约的{}月{}日{hour}:{minute:02}内科门诊已成功，请携带身份证和医保卡提前二十分钟到一楼取号就诊。",
            index % 12 + 1,
            index % 28 + 1
        ),
        3 => format!(
            "【测试出行】您的验证码是{}，十分钟内有效。请勿向任何人泄露，如非本人操作请忽略本短信，祝您在{place}旅途愉快。",
            tail * 83 % 1_000_000
        ),
        4 => format!(
            "妈，我今晚在{place}加班，大概{hour}点{minute:02}到家，饭不用等我了。冰箱里的水果你们先吃，周末我带孩子们回去看你和爸爸。"
        ),
        _ => format!(
            "【{place}供电】尊敬的客户，因线路检修，您所在的小区将于{}日{hour}:{minute:02}至{}:00停电，请提前做好准备，给您带来不便敬请谅解。",
            index % 28 + 1,
            hour + 5
        ),
    }
}

fn bad(index: usize) -> String {
    let place = PLACES.get(index % PLACES.len()).copied().unwrap_or_default();
    format!(
        "{place}专业代办低息贷款，无需抵押，征信花黑户也能当天下款，额度{}万起，加微信 test{index}x 或致电13800000{:03}咨询，名额有限。",
        index % 50 + 1,
        index % 1_000
    )
}

const PLACES: [&str; 12] =
    ["东湖", "南山", "西城", "北海", "滨江", "新区", "高新", "老街", "柳园", "石桥", "桂花", "金沙"];
