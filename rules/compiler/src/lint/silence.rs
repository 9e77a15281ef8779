//! `# yumen: allow(W101, W103)`: on a line, for it; on a line of its own, for the next one, and before a section's header for the
//! section.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceMap;

pub(super) fn is_allowed(sources: &SourceMap, diagnostic: &Diagnostic) -> bool {
    let Some(span) = diagnostic.span.filter(|_| diagnostic.defect.severity() == Severity::Warning) else {
        return false;
    };
    let Some(file) = sources.file(span.file) else { return false };
    let (number, _) = file.position(span.start);
    let line = |number: usize| file.line(number).map(|(line, _)| line).unwrap_or_default();
    let code = diagnostic.defect.code();
    if allows(line(number), code) || allowed_before(line, number, code) {
        return true;
    }
    let header = (1..=number).rev().find(|&number| line(number).trim_start().starts_with("[["));
    header.is_some_and(|header| allows(line(header), code) || allowed_before(line, header, code))
}

/// Whether one of the comments right before a line allows a code.
fn allowed_before<'a>(line: impl Fn(usize) -> &'a str, number: usize, code: &str) -> bool {
    let before = (1..number).rev().map(line);
    before.take_while(|line| line.trim_start().starts_with('#')).any(|line| allows(line, code))
}

fn allows(line: &str, code: &str) -> bool {
    let Some((_, rest)) = line.split_once("# yumen: allow(") else { return false };
    let codes = rest.split(')').next().unwrap_or_default();
    codes.split(',').any(|allowed| allowed.trim() == code)
}
