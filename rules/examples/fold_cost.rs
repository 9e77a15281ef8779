//! Prints what folding and extracting cost: `cargo run --release -p yumen-rules --example fold_cost [FILE]`.
//! The texts are the lines of FILE (the last column of a TSV), or a few messages made for the purpose.

use std::time::Instant;

use yumen_rules::extract::{Contact, extract};
use yumen_rules::fold::{fold, folded_len_max};

fn main() -> std::io::Result<()> {
    let file = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => MESSAGES.repeat(200),
    };
    let texts: Vec<&str> = file.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    let chars: usize = texts.iter().map(|text| text.chars().count()).sum();
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or_default();
    println!("{} texts, {} bytes each, {} characters", texts.len(), bytes / texts.len(), chars / texts.len());
    let mut out = vec![0; folded_len_max(longest)];
    let fold_ns = best_ns(|| texts.iter().map(|text| fold(text, &mut out).bytes().len()).sum());
    let mut contacts: [Contact; 16] = Default::default();
    let mut values = [0; 512];
    let both_ns = best_ns(|| {
        texts
            .iter()
            .map(|text| {
                let folded = fold(text, &mut out);
                extract(text, &folded, &mut contacts, &mut values).count()
            })
            .sum()
    });
    let each = |ns: f64| (ns / texts.len() as f64, ns / chars as f64);
    let (fold_text, fold_char) = each(fold_ns);
    let (both_text, both_char) = each(both_ns);
    println!("fold            {fold_text:7.1} ns a text {fold_char:6.2} ns a character");
    println!("fold + extract  {both_text:7.1} ns a text {both_char:6.2} ns a character");
    Ok(())
}

/// The shortest of a number of rounds.
fn best_ns(mut round: impl FnMut() -> usize) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..40 {
        let start = Instant::now();
        std::hint::black_box(round());
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
    }
    best
}

const MESSAGES: &str = "\
您的快递已到小区东门驿站，请凭取件码在今晚九点前领取，逾期将退回，如有疑问请联系驿站工作人员。
【示例银行】您尾号0000的账户于11月23日10:03支出人民币410.00元，余额1,688.20元，如非本人操作请致电95000。
尊敬的业主，因小区供水管道检修，明日上午八点至下午五点停水，请提前做好储水准备，给您带来的不便敬请谅解。
急用钱吗？无抵押无担保，当天放款，利息低至2.6%，详情点 tb.example.com/q7 或加薇芯 yumen0000，退订回T
妈，我晚上不回来吃饭了，公司聚餐，你们先吃，不用等我，路上注意安全，到家给你打电话。
";
