//! A pack and messages of the size that real ones have, made up.

use yumen_rules::signal::{Field, View};
use yumen_rules::verdict::{Ladder, Typology};

use crate::draft::{Expr, GroupDraft, PackDraft, PatternDraft, RuleDraft, SenderDraft};

/// A pack of so many literals and regular expressions, in groups of ten, with a rule for every two groups.
#[must_use]
pub fn draft(literals: usize, regexes: usize) -> PackDraft {
    let words = (0..literals).map(|index| pattern(literal(index), false));
    let expressions = (0..regexes).map(|index| pattern(expression(index), true));
    let patterns: Vec<PatternDraft> = words.chain(expressions).collect();
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

/// Messages as services send them, each another one. One in fifty is of the kind that rules are for.
#[must_use]
pub fn messages(count: usize) -> Vec<String> {
    (0..count).map(|index| if index % 50 == 49 { bad(index) } else { honest(index) }).collect()
}

const GROUP_LEN: usize = 10;

const BEFORE: [&str; 50] = [
    "内部", "专业", "快速", "无需", "低息", "当天", "全额", "秒批", "黑户", "包过", "代办", "强制", "立即",
    "私下", "高额", "免费", "限时", "独家", "保证", "稳赚", "跟单", "带单", "导师", "群内", "加急", "特殊",
    "渠道", "协商", "停息", "挂账", "反催", "退保", "洗白", "修复", "铲单", "消除", "上门", "曝光", "起诉",
    "冻结", "拘留", "联系", "通知", "欠款", "逾期", "垫付", "返利", "刷单", "安全", "涉案",
];

const AFTER: [&str; 40] = [
    "放款",
    "下款",
    "额度",
    "贷款",
    "借款",
    "办理",
    "征信",
    "记录",
    "逾期",
    "退费",
    "退保",
    "全款",
    "理赔",
    "牛股",
    "涨停",
    "翻倍",
    "收益",
    "盈利",
    "进群",
    "荐股",
    "内幕",
    "催收",
    "家人",
    "单位",
    "通讯录",
    "法务",
    "上门",
    "执行",
    "账户",
    "转账",
    "验证",
    "客服",
    "保证金",
    "解冻",
    "任务",
    "佣金",
    "返现",
    "投诉",
    "维权",
    "代理",
];

fn literal(index: usize) -> String {
    let before = BEFORE.get(index % BEFORE.len()).copied().unwrap_or_default();
    let after = AFTER.get(index / BEFORE.len() % AFTER.len()).copied().unwrap_or_default();
    format!("{before}{after}")
}

fn expression(index: usize) -> String {
    let before = BEFORE.get(index * 7 % BEFORE.len()).copied().unwrap_or_default();
    let after = AFTER.get((index * 3 + index / AFTER.len()) % AFTER.len()).copied().unwrap_or_default();
    match index % 4 {
        0 => format!(r"(?:{before}|马上){{1,2}}\d{{1,3}}万.{{0,{}}}{after}", index % 5 + 4),
        1 => format!(r"{after}.{{0,{}}}\d{{1,2}}(?:天|小时)内?{before}", index % 7 + 2),
        _ => format!(r"{before}.{{0,{}}}{after}", index % 9 + 2),
    }
}

fn pattern(text: String, regex: bool) -> PatternDraft {
    PatternDraft { text, regex, view: View::Folded }
}

fn rule(index: usize, groups: usize) -> RuleDraft {
    let unregistered = Expr::Not(Box::new(Expr::Field(Field::SenderRegistered)));
    let other = Expr::Or(vec![Expr::Group((index * 2 + 1) % groups), Expr::Field(Field::ContactAny)]);
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
        when: Expr::And(vec![Expr::Group(index * 2), other, unregistered]),
        hits: Vec::new(),
        misses: Vec::new(),
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
        "{place}专业代办，{}{}，无需抵押黑户也能当天下款，额度{}万起，加微信 test{index}x 或致电13800000{:03}咨询，名额有限先到先得。",
        BEFORE.get(index % BEFORE.len()).copied().unwrap_or_default(),
        AFTER.get(index / 50 % AFTER.len()).copied().unwrap_or_default(),
        index % 50 + 1,
        index % 1_000
    )
}

const PLACES: [&str; 12] =
    ["东湖", "南山", "西城", "北海", "滨江", "新区", "高新", "老街", "柳园", "石桥", "桂花", "金沙"];
