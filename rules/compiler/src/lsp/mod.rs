//! A language server for rule files: an editor underlines what is wrong, completes what can stand where the cursor is, explains what it
//! stands on, and formats.
//!
//! ```text
//! editor → messages (lsp-server) → documents → whole pack checked once the editor pauses (check) → diagnostics
//!                                            → place of the cursor (place) → completion, hover (words)
//! ```

mod check;
mod complete;
mod hover;
mod place;
mod reference;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use serde_json::{Value, json};

use crate::limits::{LSP_DOCUMENTS_MAX, SOURCE_BYTES_MAX};
use check::Packs;

/// Serves an editor until it says goodbye.
///
/// # Errors
/// The editor doesn't keep to the protocol, or is gone.
pub fn serve(connection: &Connection) -> Result<(), Box<dyn Error + Send + Sync>> {
    let capabilities = json!({
        "textDocumentSync": { "openClose": true, "change": 1 },
        "completionProvider": { "triggerCharacters": [".", "\"", "[", "&", "|", "(", "!"] },
        "hoverProvider": true,
        "documentFormattingProvider": true,
    });
    connection.initialize(capabilities)?;
    let mut server =
        Server { connection, documents: HashMap::new(), packs: Packs::default(), changed: false };
    server.run()
}

/// A file that is open in the editor, by what the editor calls it.
struct Document {
    path: PathBuf,
    text: String,
}

struct Server<'c> {
    connection: &'c Connection,
    documents: HashMap<String, Document>,
    packs: Packs,
    changed: bool,
}

impl Server<'_> {
    fn run(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        loop {
            // What was typed meanwhile comes first: checking it once is enough.
            if self.changed && self.connection.receiver.is_empty() {
                self.changed = false;
                self.publish()?;
            }
            let Ok(message) = self.connection.receiver.recv() else { return Ok(()) };
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let response = self.answer(request);
                    self.connection.sender.send(Message::Response(response))?;
                }
                Message::Notification(notification) => self.notice(&notification),
                Message::Response(_) => {}
            }
        }
    }

    fn notice(&mut self, notification: &Notification) {
        let document = notification.params.get("textDocument");
        let Some(uri) = document.and_then(|document| document.get("uri")).and_then(Value::as_str) else {
            return;
        };
        let text = match notification.method.as_str() {
            "textDocument/didOpen" => document.and_then(|document| document.get("text")),
            "textDocument/didChange" => {
                let changes = notification.params.get("contentChanges").and_then(Value::as_array);
                changes.and_then(|changes| changes.last()).and_then(|change| change.get("text"))
            }
            "textDocument/didSave" => {
                self.changed = true;
                return;
            }
            "textDocument/didClose" => {
                self.documents.remove(uri);
                self.changed = true;
                return;
            }
            _ => return,
        };
        let (Some(text), Some(path)) = (text.and_then(Value::as_str), text::path_of(uri)) else { return };
        let known = self.documents.contains_key(uri);
        let fits =
            text.len() as u64 <= SOURCE_BYTES_MAX && (known || self.documents.len() < LSP_DOCUMENTS_MAX);
        if fits {
            self.documents.insert(uri.to_owned(), Document { path, text: text.to_owned() });
            self.changed = true;
        }
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        match method.as_str() {
            "textDocument/completion" => Response::new_ok(id, self.at(&params, complete::items)),
            "textDocument/hover" => Response::new_ok(id, self.at(&params, hover::hover)),
            "textDocument/formatting" => Response::new_ok(id, self.formatted(&params)),
            _ => Response::new_err(id, ErrorCode::MethodNotFound as i32, method),
        }
    }

    /// What `look` says of the place that `params` name; null where there is nothing to say.
    fn at(&mut self, params: &Value, look: fn(&place::Place, &Packs, &Document) -> Value) -> Value {
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| params.pointer(name).and_then(Value::as_u64).unwrap_or(0);
        let (line, character) = (number("/position/line"), number("/position/character"));
        let Some(document) = self.documents.get(uri) else { return Value::Null };
        if self.packs.is_new(&document.path) {
            self.packs.check(self.documents.values());
        }
        let offset = text::offset(&document.text, line, character);
        look(&place::Place::at(&document.text, offset), &self.packs, document)
    }

    fn formatted(&self, params: &Value) -> Value {
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str).unwrap_or_default();
        let Some(document) = self.documents.get(uri) else { return Value::Null };
        match crate::format::format(&document.text) {
            Ok(text) if text == document.text => json!([]),
            Ok(text) => {
                json!([{ "range": text::range(&document.text, 0, document.text.len()), "newText": text }])
            }
            Err(_) => Value::Null,
        }
    }

    /// Checks everything that is open, and tells the editor.
    fn publish(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.packs.check(self.documents.values());
        for (uri, document) in &self.documents {
            let diagnostics = self.packs.diagnostics(&document.path);
            let params = json!({ "uri": uri, "diagnostics": diagnostics });
            let method = "textDocument/publishDiagnostics".to_owned();
            self.connection.sender.send(Message::Notification(Notification::new(method, params)))?;
        }
        Ok(())
    }
}
