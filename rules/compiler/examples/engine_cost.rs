//! Prints what judging a message costs:
//! `cargo run --release -p yumen-compiler --example engine_cost [rounds [messages.txt [pack folder …]]]`.
//!
//! Without more than rounds it measures a pack and messages made up for it; a file of messages has one a line, its last column
//! where it has tabs.

use std::path::PathBuf;

use yumen_compiler::bench::{CountingAllocator, draft, measure, measure_with};
use yumen_compiler::check_paths;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(200), |rounds| rounds.parse())?;
    let figures = match arguments.next() {
        None => measure(rounds)?,
        Some(file) => {
            let lines = std::fs::read_to_string(file)?;
            let text = |line: &str| line.rsplit('\t').next().unwrap_or_default().to_owned();
            let messages: Vec<String> = lines.lines().map(text).take(MESSAGES_MAX).collect();
            let folders: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
            let draft = if folders.is_empty() { draft(2_000, 200) } else { check_paths(&folders).draft };
            measure_with(&draft, &messages, rounds)?
        }
    };
    println!(
        "{} messages of {:.0} bytes, {} literals, {} expressions, {}",
        figures.messages, figures.bytes_mean, figures.literals, figures.regexes, figures.engine
    );
    println!("decode              {:8.0} ns", figures.decode_ns);
    println!("fold                {:8.0} ns", figures.fold_ns);
    println!("raw scan            {:8.0} ns", figures.scan_ns);
    println!("whole judgement     {:8.0} ns", figures.judge_ns);
    println!("ratio to raw scan   {:8.2}", figures.ratio_to_hs_scan);
    println!("allocations/message {:8.3}", figures.allocations_per_message.unwrap_or(f64::NAN));
    println!("allowed             {:8}", figures.allowed);
    Ok(())
}

const MESSAGES_MAX: usize = 2_000;
