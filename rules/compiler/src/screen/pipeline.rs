//! One reader, several workers, one writer: in the order of the input, with bounded memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use yumen_wire::event::{Address, Call, Channel, Event};

use super::cdr::Cdr;
use super::fields::{Fields, Layout};
use super::split::{Batch, Record, Records, Splitter};
use super::{Judge, Opinion, Options, Summary, answer};
use crate::limits::SCREEN_BATCHES_PER_WORKER;

/// Why a file wasn't screened to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The input can't be read.
    #[error("cannot read the input: {0}")]
    Read(#[source] io::Error),
    /// The output can't be written.
    #[error("cannot write the output: {0}")]
    Write(#[source] io::Error),
    /// A column that an option names isn't in the header.
    #[error("there is no column {0}")]
    NoSuchColumn(String),
    /// A worker ended before its work.
    #[error("a worker stopped")]
    WorkerLost,
}

/// Screens an input with one judge a worker, and calls `progress` with the number of records so far.
///
/// # Errors
/// See [`ScreenError`]; what was written until then stands.
pub fn screen<J: Judge>(
    options: &Options,
    judges: Vec<J>,
    mut input: impl BufRead + Send,
    mut output: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Summary, ScreenError> {
    let mut splitter: Box<dyn Records + Send + '_> = match &options.cdr {
        Some((map, file)) => Box::new(Cdr::new(&mut input, map, file)?),
        None => Box::new(Splitter::new(&mut input, options.format)),
    };
    let mut first = Batch::default();
    splitter.record(&mut first).map_err(ScreenError::Read)?;
    let head = first.records.first().map(|record| record.range.clone()).unwrap_or_default();
    let head = first.bytes.get(head).unwrap_or_default();
    let layout = &Layout::new(options, head).map_err(ScreenError::NoSuchColumn)?;
    if layout.header && !first.records.is_empty() {
        first.records.remove(0);
    }

    let in_flight = judges.len().saturating_mul(SCREEN_BATCHES_PER_WORKER).max(1);
    let (batches, work) = sync_channel::<Batch>(in_flight);
    let work = &Mutex::new(work);
    let (answers, answered) = sync_channel::<Option<Answered>>(in_flight);
    // A batch needs a permit to be read, and gives it back when it is written: that bounds what waits for its turn.
    let (permits, permitted) = sync_channel::<()>(in_flight);
    for _ in 0..in_flight {
        let _ = permits.send(());
    }
    thread::scope(|scope| {
        let reader = scope.spawn(move || read(splitter, first, &permitted, &batches));
        for mut judge in judges {
            let answers = answers.clone();
            scope.spawn(move || work_on(work, &answers, layout, options, &mut judge));
        }
        drop(answers);
        let written = write_in_order(&answered, &permits, &mut output, &mut progress);
        // Without answers or permits to wait for, workers and reader end by themselves.
        drop((answered, permits));
        let (summary, batches_written) = written?;
        let batches_read = reader.join().map_err(|_| ScreenError::WorkerLost)?.map_err(ScreenError::Read)?;
        output.flush().map_err(ScreenError::Write)?;
        if batches_written == batches_read { Ok(summary) } else { Err(ScreenError::WorkerLost) }
    })
}

/// A batch's output.
struct Answered {
    number: u64,
    text: String,
    summary: Summary,
}

/// Hands out batches; how many there were. `first` holds what was read to know the header.
fn read(
    mut splitter: Box<dyn Records + Send + '_>,
    first: Batch,
    permits: &Receiver<()>,
    batches: &SyncSender<Batch>,
) -> io::Result<u64> {
    let mut count = 0u64;
    let mut send = |mut batch: Batch| {
        batch.number = count;
        count = count.saturating_add(1);
        permits.recv().is_ok() && batches.send(batch).is_ok()
    };
    if !first.records.is_empty() && !send(first) {
        return Ok(count);
    }
    while let Some(batch) = splitter.batch()? {
        if !send(batch) {
            break;
        }
    }
    Ok(count)
}

fn work_on(
    work: &Mutex<Receiver<Batch>>,
    answers: &SyncSender<Option<Answered>>,
    layout: &Layout,
    options: &Options,
    judge: &mut impl Judge,
) {
    loop {
        let batch = match work.lock() {
            Ok(work) => work.recv(),
            Err(_) => return,
        };
        let Ok(batch) = batch else { return };
        let promise = Promise(answers);
        let answered = answer_batch(&batch, layout, options, judge);
        std::mem::forget(promise);
        if answers.send(Some(answered)).is_err() {
            return;
        }
    }
}

/// Tells the writer that a batch will never be answered, when a worker dies over it: it would wait for ever.
struct Promise<'a>(&'a SyncSender<Option<Answered>>);

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

fn answer_batch(batch: &Batch, layout: &Layout, options: &Options, judge: &mut impl Judge) -> Answered {
    let mut answered = Answered { number: batch.number, text: String::new(), summary: Summary::default() };
    for record in &batch.records {
        let bytes = batch.bytes.get(record.range.clone()).unwrap_or_default();
        let (fields, opinion, error) = opinion_of(record, bytes, layout, judge);
        let label = options.label.as_ref().map(|_| &*fields.label);
        answered.summary.count(label, &opinion, error.is_some());
        let shown = if fields.text.is_empty() && !fields.from.is_empty() {
            Cow::Owned(format!("{} → {}", fields.from, fields.to))
        } else {
            fields.text
        };
        answer::write(&mut answered.text, options.output, record.line, &shown, &opinion, error.as_deref());
    }
    answered
}

fn opinion_of<'a>(
    record: &Record,
    bytes: &'a [u8],
    layout: &Layout,
    judge: &mut impl Judge,
) -> (Fields<'a>, Opinion, Option<String>) {
    let malformed = |defect: &str| (Fields::default(), Opinion::default(), Some(defect.to_owned()));
    if let Some(defect) = &record.defect {
        return malformed(defect);
    }
    let fields = match layout.fields(bytes) {
        Ok(fields) => fields,
        Err(defect) => return malformed(defect),
    };
    let event = Event {
        channel: if fields.call.is_some() { Channel::Call } else { Channel::Sms },
        originator: Address::new(&fields.from),
        destination: Address::new(&fields.to),
        time_ms: fields.time_ms,
        call: fields.call.as_ref().map_or(Call::NONE, |record| record.call()),
        ..Event::text_only(&fields.text)
    };
    match judge.judge_record(&event, fields.call.as_ref().map(|record| record.ending)) {
        Ok(opinion) => (fields, opinion, None),
        Err(error) => (fields, Opinion::default(), Some(error)),
    }
}

/// Writes batches by their numbers; the summary of all, and how many there were.
fn write_in_order(
    answered: &Receiver<Option<Answered>>,
    permits: &SyncSender<()>,
    output: &mut impl Write,
    progress: &mut impl FnMut(u64),
) -> Result<(Summary, u64), ScreenError> {
    let mut waiting: BTreeMap<u64, Answered> = BTreeMap::new();
    let mut next = 0u64;
    let mut summary = Summary::default();
    for batch in answered {
        let batch = batch.ok_or(ScreenError::WorkerLost)?;
        waiting.insert(batch.number, batch);
        while let Some(batch) = waiting.remove(&next) {
            output.write_all(batch.text.as_bytes()).map_err(ScreenError::Write)?;
            summary.add(&batch.summary);
            progress(summary.total.records);
            next = next.saturating_add(1);
            // The reader is gone at the end of the input.
            let _ = permits.send(());
        }
    }
    Ok((summary, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Column, Format, Output};
    use yumen_rules::verdict::{Action, Typology};

    /// Rejects what holds `bad`, takes its time with some.
    struct Fake;

    impl Judge for Fake {
        fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String> {
            if event.text.len().is_multiple_of(7) {
                thread::yield_now();
            }
            let bad = event.text.contains("bad");
            Ok(Opinion {
                action: Some(if bad { Action::Reject } else { Action::Allow }),
                typology: bad.then_some(Typology::Fraud),
                score: if bad { 90 } else { 0 },
                rules: Vec::new(),
                reason: String::new(),
            })
        }
    }

    fn run(input: &str, format: Format, threads: usize) -> (String, Summary) {
        let options = Options {
            format,
            text: None,
            from: None,
            to: None,
            label: (format == Format::Tsv).then_some(Column::Number(1)),
            header: None,
            cdr: None,
            threads,
            output: Output::JsonLines,
        };
        let judges = (0..threads).map(|_| Fake).collect();
        let mut out = Vec::new();
        let summary = screen(&options, judges, input.as_bytes(), &mut out, |_| ()).expect("memory");
        (String::from_utf8(out).expect("JSON"), summary)
    }

    #[test]
    fn answers_stand_in_the_order_of_the_input() {
        use std::fmt::Write as _;
        let mut input = String::new();
        for number in 0..20_000 {
            let _ = writeln!(input, "{}\tmessage {number}", if number % 3 == 0 { "a" } else { "bad" });
        }
        let (out, summary) = run(&input.replace("bad\tm", "bad\tbad m"), Format::Tsv, 4);
        for (line, number) in out.lines().zip(1..) {
            let value: serde_json::Value = serde_json::from_str(line).expect("an object");
            assert_eq!(value["line"], number);
            assert_eq!(value["verdict"] == "reject", (number - 1) % 3 != 0, "{line}");
        }
        assert_eq!(out.lines().count(), 20_000);
        assert_eq!(summary.total.records, 20_000);
        assert_eq!(summary.labels["bad"].blocked, summary.total.blocked);
    }

    #[test]
    fn malformed_records_are_answered_too() {
        let (out, summary) =
            run("{\"text\":\"bad\"}\nnonsense\n\n{\"text\":\"good\"}\n", Format::JsonLines, 2);
        let verdicts: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(verdicts.len(), 4);
        assert_eq!(verdicts[0]["verdict"], "reject");
        assert_eq!((&verdicts[1]["verdict"], &verdicts[1]["error"]), (&"allow".into(), &"not JSON".into()));
        assert_eq!(verdicts[3]["line"], 4);
        assert_eq!(summary.total.malformed, 2);
    }

    /// Dies of a certain message.
    struct Mortal;

    impl Judge for Mortal {
        fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String> {
            assert!(!event.text.contains("deadly"), "as the test wants it");
            Ok(Opinion::default())
        }
    }

    #[test]
    fn a_dying_worker_ends_the_run() {
        let options = Options {
            format: Format::Tsv,
            text: None,
            from: None,
            to: None,
            label: None,
            header: None,
            cdr: None,
            threads: 2,
            output: Output::JsonLines,
        };
        let input = format!("deadly\n{}", "fine\n".repeat(50_000));
        let screened = std::panic::catch_unwind(|| {
            screen(&options, vec![Mortal, Mortal], input.as_bytes(), io::sink(), |_| ())
        });
        assert!(!matches!(screened, Ok(Ok(_))), "a lost batch went unnoticed");
    }

    #[test]
    fn a_header_is_not_answered() {
        let (out, _) = run("id,text\n1,bad\n", Format::Csv, 1);
        assert_eq!(out.lines().count(), 1);
        assert!(out.starts_with("{\"line\":2,\"verdict\":\"reject\""), "{out}");
        assert_eq!(run("", Format::Csv, 1).0, "");
    }
}
