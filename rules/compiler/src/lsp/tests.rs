//! Half-written files, cursors anywhere.

use super::{Document, check::Packs, complete, hover, place::Place};

const RULE: &str = "[[rule]]\nid = \"debt-collection/x\"\nmatch.threat = { any = [\"爆通讯录\", 'x'] }\nwhen = '''threat && caller.attempts(\"10m\") > 3'''\nhit = [{ events = [{ from = \"1\" }] }]\n";

#[test]
fn any_cursor_in_any_beginning_of_a_file_is_answered() {
    let packs = Packs::default();
    for (end, _) in RULE.char_indices() {
        let text = RULE.get(..end).unwrap_or_default();
        let document = Document { path: "/nowhere/a.toml".into(), text: text.to_owned() };
        for offset in [0, end / 2, end] {
            let offset = (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let place = Place::at(text, offset);
            let _ = complete::items(&place, &packs, &document);
            let _ = hover::hover(&place, &packs, &document);
        }
    }
}
