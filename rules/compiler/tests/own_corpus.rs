//! The project's packs on the project's own texts (`rules/corpus`): what stays caught, and what stays let through. The classifier
//! has learnt from these texts, so this guards against losing ground; how well unseen texts are caught is measured elsewhere.

#![expect(clippy::expect_used, reason = "a test that can't build its pack fails")]

use std::path::Path;
use std::sync::Arc;

use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_wire::event::Event;

fn worker() -> Worker {
    let bytes = yumen_compiler::embedded::pack().expect("right sources");
    let pack = LoadedPack::load(&bytes, &LoadOptions::ANYTHING).expect("a pack");
    Worker::new(Arc::new(pack)).expect("a worker")
}

fn blocks(worker: &mut Worker, text: &str) -> bool {
    let judgement = worker.judge(&Site::DEFAULT, &Event::text_only(text)).expect("a judgement");
    Policy::enforcing().decide(&judgement).action.blocks()
}

#[test]
fn practices_are_blocked_and_honest_texts_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut worker = worker();
    let (mut caught, mut practices, mut honest) = (0u32, 0u32, 0u32);
    let mut missed = Vec::new();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let content = std::fs::read_to_string(entry.expect("an entry").path()).expect("a text file");
        for line in content.lines().filter(|line| !line.starts_with('#')) {
            let Some((label, text)) = line.split_once('\t') else { continue };
            let blocked = blocks(&mut worker, text);
            if label == "ham" {
                honest += 1;
                wrong.extend(blocked.then(|| text.to_owned()));
            } else {
                practices += 1;
                caught += u32::from(blocked);
                missed.extend((!blocked).then(|| text.to_owned()));
            }
        }
    }
    assert!(practices > 1_000 && honest > 600, "{practices} {honest}");
    assert!(caught * 100 >= practices * 94, "{caught} of {practices}: {missed:#?}");
    assert!(wrong.len() * 100 <= honest as usize, "{wrong:#?}");
}

#[test]
fn no_one_time_password_is_blocked_whatever_it_is_for() {
    let mut worker = worker();
    let purposes = [
        "申请贷款",
        "借款提现",
        "办理退保",
        "查询征信",
        "股票开户",
        "信用卡分期",
        "还款协商",
        "登录账户",
        "绑定银行卡",
        "修改密码",
        "解冻账户",
        "申请理赔",
        "积分兑换",
        "注销账户",
        "代扣签约",
        "放款确认",
        "逾期还款",
        "账户认证",
    ];
    for (at, purpose) in purposes.iter().enumerate() {
        let code = 100_203 + at * 31_337;
        for text in [
            format!("【某某平台】验证码{code}，您正在{purpose}，5分钟内有效，请勿告诉任何人，包括客服"),
            format!("{code}（{purpose}验证码），如非本人操作请忽略，切勿转发"),
            format!("【某银行】您正在{purpose}，动态密码为{code}，工作人员不会索取，谨防诈骗"),
            format!("您的校验码是{code}，用于{purpose}，请在页面中输入，泄露可能导致资金损失"),
        ] {
            assert!(!blocks(&mut worker, &text), "{text}");
        }
    }
}
