//! A client of the language server protocol, as small as these tests need it: messages over the pipes of a process.
//! Knows the protocol; must not know what is in the documents.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the server may take for anything, on a slow machine that builds the dependencies first.
const PATIENCE: Duration = Duration::from_secs(600);

/// The server asks for the same request again when a document has changed meanwhile.
const CONTENT_MODIFIED: i64 = -32_801;

/// A running language server.
pub(crate) struct Client {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    requests: i64,
    versions: VecDeque<(String, i64)>,
    is_quiet: bool,
}

impl Client {
    /// Starts the server in this folder, with its own settings, and tells it who is there.
    pub(crate) fn start(mut server: Command, folder: &Path, settings: &Value) -> Client {
        let mut process = server
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{server:?} cannot be started: {error}"));
        let input = process.stdin.take().expect("the server's input is a pipe");
        let output = process.stdout.take().expect("the server's output is a pipe");
        let (sender, messages) = channel();
        std::thread::spawn(move || read_messages(BufReader::new(output), &sender));
        let mut client =
            Client { process, input, messages, requests: 0, versions: VecDeque::new(), is_quiet: false };
        client.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": uri(folder),
                "workspaceFolders": [{ "uri": uri(folder), "name": "tests" }],
                "initializationOptions": settings,
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": {
                        "diagnostic": {},
                        "hover": { "contentFormat": ["markdown"] },
                        "completion": { "completionItem": { "snippetSupport": false } },
                    },
                },
            }),
        );
        client.notify("initialized", &json!({}));
        client
    }

    /// Waits until the server has nothing left to load.
    pub(crate) fn wait_until_quiet(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_quiet {
            self.receive(deadline, "the server to have loaded the project");
        }
    }

    /// Shows the server this text in place of the file's.
    pub(crate) fn show(&mut self, file: &Path, text: &str) {
        let uri = uri(file);
        match self.versions.iter_mut().find(|(known, _)| *known == uri) {
            Some((_, version)) => {
                *version += 1;
                let document = json!({ "uri": uri, "version": *version });
                let change = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
                self.notify("textDocument/didChange", &change);
            }
            None => {
                let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
                self.versions.push_back((uri, 1));
                self.notify("textDocument/didOpen", &json!({ "textDocument": document }));
            }
        }
    }

    /// Asks about a place in a document.
    pub(crate) fn ask(&mut self, what: &str, file: &Path, more: Value) -> Value {
        let mut parameters = json!({ "textDocument": { "uri": uri(file) } });
        let (Value::Object(all), Value::Object(more)) = (&mut parameters, more) else {
            panic!("parameters have names");
        };
        all.extend(more);
        self.request(&format!("textDocument/{what}"), &parameters)
    }

    fn request(&mut self, method: &str, parameters: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
            let mut answer = loop {
                let message = self.receive(deadline, method);
                if message["id"] == id && message.get("method").is_none() {
                    break message;
                }
            };
            match answer.get("error") {
                None => return answer["result"].take(),
                Some(error) if error["code"] == CONTENT_MODIFIED => {}
                Some(error) => panic!("{method}: {error}"),
            }
        }
    }

    fn notify(&mut self, method: &str, parameters: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": parameters }));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let sent = write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len());
        sent.and_then(|()| self.input.flush()).expect("the server reads its input");
    }

    /// The next message; what the server asks of its client is answered on the way.
    fn receive(&mut self, deadline: Instant, waiting_for: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = match self.messages.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {waiting_for}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the server ended ({:?}) before {waiting_for}", self.process.wait())
            }
        };
        match message["method"].as_str() {
            Some("experimental/serverStatus") => {
                let status = &message["params"];
                assert!(status["health"] != "error", "the server cannot work: {status}");
                self.is_quiet = status["quiescent"] == true;
            }
            Some(method) if message.get("id").is_some() => {
                // Nothing is configured but what it was started with.
                let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                let result = if method == "workspace/configuration" {
                    json!(vec![Value::Null; items])
                } else {
                    Value::Null
                };
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }));
            }
            _ => {}
        }
        message
    }
}

/// The address of a file.
pub(crate) fn uri(path: &Path) -> String {
    let path = path.to_str().expect("the target folder has a name in Unicode").replace('\\', "/");
    format!("file://{}{}", if path.starts_with('/') { "" } else { "/" }, path.replace(' ', "%20"))
}

/// Hands on what the server says until it says no more.
fn read_messages(mut output: BufReader<ChildStdout>, messages: &Sender<Value>) {
    while let Some(message) = read_message(&mut output) {
        if messages.send(message).is_err() {
            return;
        }
    }
}

fn read_message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("Content-Length") => {
                length = value.parse().ok()?
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
