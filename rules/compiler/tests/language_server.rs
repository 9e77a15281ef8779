//! The language server in a conversation as an editor has it.

#![expect(clippy::unwrap_used, reason = "a conversation that breaks off fails the test")]

use std::fs;
use std::thread;

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use yumen_compiler::lsp;

const GROUPS: &str = "[[group]]\nid = \"debt_words\"\nany = [\"逾期\", \"欠款\"]\n";
const RULE: &str = "[[rule]]\nid = \"debt-collection/x\"\ntitle = \"测试\"\nscore = 80\nmatch.threat = { any = [\"爆通讯录\"] }\nwhen = \"threat && debt_word\"\nhit = [\"逾期就爆通讯录\"]\nmiss = [\"好\"]\nladder = \"\"\n";

struct Editor {
    connection: Connection,
    next: i32,
    uri: String,
}

impl Editor {
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = RequestId::from(self.next);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.connection.sender.send(Message::Request(request)).unwrap();
        loop {
            match self.connection.receiver.recv().unwrap() {
                Message::Response(Response { id: answered, response_result, .. })
                    if answered == id.clone() =>
                {
                    return response_result.unwrap();
                }
                _ => {}
            }
        }
    }

    fn notify(&self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.connection.sender.send(Message::Notification(notification)).unwrap();
    }

    fn diagnostics(&self) -> Vec<Value> {
        loop {
            if let Message::Notification(notification) = self.connection.receiver.recv().unwrap()
                && notification.method == "textDocument/publishDiagnostics"
                && notification.params["uri"] == self.uri.as_str()
            {
                return notification.params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    /// Asks at the first place of `needle` in the rule, `into` characters further on.
    fn at(&mut self, method: &str, text: &str, needle: &str, into: usize) -> Value {
        let at = text.find(needle).unwrap() + into;
        let line = text[..at].matches('\n').count();
        let column = text[..at].rsplit('\n').next().unwrap().encode_utf16().count();
        let params =
            json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": column } });
        self.request(method, params)
    }

    fn labels(&mut self, text: &str, needle: &str, into: usize) -> Vec<String> {
        let found = self.at("textDocument/completion", text, needle, into);
        let items = found["items"].as_array().unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn an_editor_is_told_what_is_wrong_and_what_can_stand_where() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("packs/debt 催收");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pack.toml"), "[pack]\nname = \"d\"\n[defaults]\ntypology = \"debt-collection\"\n")
        .unwrap();
    fs::write(folder.join("groups.toml"), GROUPS).unwrap();
    let path = folder.join("rule.toml");
    fs::write(&path, "").unwrap();
    let (server, connection) = Connection::memory();
    let serving = thread::spawn(move || lsp::serve(&server).map_err(|error| error.to_string()));
    let uri = format!("file://{}", path.display()).replace(' ', "%20");
    let mut editor = Editor { connection, next: 0, uri: uri.clone() };
    let ready = editor.request("initialize", json!({ "capabilities": {} }));
    assert_eq!(ready["capabilities"]["hoverProvider"], true);
    editor.notify("initialized", json!({}));
    let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": RULE });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));

    // The misspelt group is underlined where it stands, and the pack's other files are known.
    let found = editor.diagnostics();
    let unknown = found.iter().find(|found| found["code"] == "E032").expect("a misspelt name");
    assert_eq!(unknown["range"]["start"], json!({ "line": 5, "character": 18 }));
    assert_eq!(unknown["range"]["end"], json!({ "line": 5, "character": 27 }));
    let message = unknown["message"].as_str().unwrap();
    assert!(message.contains("未知的名字") && message.contains("did you mean `debt_words`"), "{message}");

    // Completion by place: names of a condition, fields of a section, words of a field.
    let names = editor.labels(RULE, "debt_word\"", 9);
    for name in ["threat", "debt_words", "sender.registered", "caller.attempts(\"10m\")", "startsWith"] {
        assert!(names.iter().any(|known| known == name), "{name} isn't among {names:?}");
    }
    assert_eq!(editor.labels(RULE, "ladder = \"\"", 10), ["shadow", "flag", "enforce"]);
    assert!(editor.labels(RULE, "score", 1).contains(&"redress".to_owned()));
    assert!(editor.labels(RULE, "any = [", 1).contains(&"need".to_owned()));

    // Hover: a match with its members, a section and a field in both languages.
    let hover = editor.at("textDocument/hover", RULE, "threat &&", 2);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("爆通讯录"), "{hover}");
    let hover = editor.at("textDocument/hover", RULE, "score", 2);
    let words = hover["contents"]["value"].as_str().unwrap();
    assert!(words.contains("把握") && words.contains("blocked from 70"), "{words}");
    let hover = editor.at("textDocument/hover", RULE, "rule]]", 1);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("one practice"), "{hover}");

    // What is typed is checked, without being saved; and formatted.
    let mended =
        RULE.replace("debt_word\"", "debt_words && !sender.registered\"").replace("ladder = \"\"\n", "");
    let change =
        json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": mended }] });
    editor.notify("textDocument/didChange", change);
    assert_eq!(editor.diagnostics(), Vec::<Value>::new());
    let hover = editor.at("textDocument/hover", &mended, "debt_words", 3);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("欠款"), "{hover}");
    let hover = editor.at("textDocument/hover", &mended, "sender.registered", 3);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("registry"), "{hover}");
    let edits = editor.request("textDocument/formatting", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(edits, json!([]), "it is formatted already");
    assert_eq!(editor.request("shutdown", Value::Null), Value::Null);
    editor.notify("exit", Value::Null);
    serving.join().unwrap().unwrap();
}
