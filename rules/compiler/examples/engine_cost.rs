//! Prints what judging a message costs: `cargo run --release -p yumen-compiler --example engine_cost [rounds]`.

use yumen_compiler::bench::{CountingAllocator, measure};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(200), |rounds| rounds.parse())?;
    let figures = measure(rounds)?;
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
