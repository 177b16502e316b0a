//! Chromium without a window, driven through its debugging pipe: no port, no driver, no further crate.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What it may be called, the first that is there being taken.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The browser listens on descriptor 3 and answers on descriptor 4.
const ON_PIPES: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";
/// Only pages of this test are opened, so nothing is lost with the sandbox, which root cannot have.
const OPTIONS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];
/// How long an answer may take before something must be wrong: a page of megabytes on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    sent: u64,
    events: Vec<Value>,
    folder: TempDir,
}

/// How the page is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// Width of the window, CSS pixels.
    pub(crate) width: u32,
    /// Whether dark colours are preferred.
    pub(crate) dark: bool,
    /// Whether scripts run.
    pub(crate) script: bool,
    /// Whether as on paper.
    pub(crate) print: bool,
}

impl Look {
    /// A wide screen.
    pub(crate) const WIDE: Self = Self { width: 1600, dark: false, script: true, print: false };
    /// A telephone.
    pub(crate) const NARROW: Self = Self { width: 390, ..Self::WIDE };
    /// A4 within the margins that the page's style sets.
    pub(crate) const PAPER: Self = Self { width: 688, print: true, ..Self::WIDE };
}

/// A browser; `None` where there is none, which is an error in CI.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn start() -> Option<Browser> {
    let is_there = |name: &&&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    let Some(name) = NAMES.iter().find(is_there) else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "CI must have a Chromium: scripts/test-deps installs it"
        );
        eprintln!("skipped: there is no Chromium on this machine; scripts/test-deps installs it");
        return None;
    };
    let folder = TempDir::new().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", ON_PIPES, "sh", name])
        .args(OPTIONS)
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg("about:blank")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (to, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut browser = Browser { child, to, from: listen(out), session: None, sent: 0, events: Vec::new(), folder };
    let pages = browser.call("Target.getTargets", json!({}));
    let page = pages["targetInfos"].as_array().unwrap().iter().find(|target| target["type"] == "page").unwrap();
    let attached = browser.call("Target.attachToTarget", json!({ "targetId": page["targetId"], "flatten": true }));
    browser.session = attached["sessionId"].as_str().map(str::to_owned);
    for domain in ["Page", "Runtime", "Log", "Network"] {
        browser.call(&format!("{domain}.enable"), json!({}));
    }
    Some(browser)
}

/// Messages end with a zero byte.
fn listen(out: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut message = Vec::new();
        while out.read_until(0, &mut message).is_ok_and(|read| read > 0) {
            message.pop();
            let Ok(value) = serde_json::from_slice(&message) else { break };
            if sender.send(value).is_err() {
                break;
            }
            message.clear();
        }
    });
    receiver
}

impl Browser {
    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&mut self, page: &str, look: Look) {
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).unwrap();
        self.look(look);
        self.events.clear();
        self.call("Page.navigate", json!({ "url": format!("file://{}", path.display()) }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let message = self.receive();
            self.events.push(message);
        }
    }

    /// Changes how the page is looked at.
    pub(crate) fn look(&mut self, look: Look) {
        let Look { width, dark, script, print } = look;
        let mobile = width < 640;
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        let media = json!({ "media": if print { "print" } else { "" }, "features": [scheme] });
        self.call("Emulation.setEmulatedMedia", media);
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !script }));
    }

    /// What an expression is in the page; a promise is waited for.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            " " => (32, Some(" ")),
            other => panic!("{other} is not a key of these tests"),
        };
        for kind in [if text.is_some() { "keyDown" } else { "rawKeyDown" }, "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if let (Some(text), "keyDown") = (text, kind) {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The page as a PDF, base64.
    pub(crate) fn pdf(&mut self) -> String {
        let options =
            json!({ "preferCSSPageSize": true, "printBackground": true, "paperWidth": 8.27, "paperHeight": 11.69 });
        self.call("Page.printToPDF", options)["data"].as_str().unwrap().to_owned()
    }

    /// What the page said, threw or was refused since it was opened.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let told = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
        let told = |event: &&Value| told.iter().any(|method| event["method"] == *method);
        self.events.iter().filter(told).map(Value::to_string).collect()
    }

    /// What the page asked for since it was opened, itself included.
    pub(crate) fn requests(&self) -> Vec<String> {
        let asked = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        asked.map(|event| event["params"]["request"]["url"].to_string()).collect()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        self.to.flush().unwrap();
        loop {
            let mut message = self.receive();
            if message["id"] == self.sent {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn receive(&self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("the browser answers")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its own helpers end with it, because the pipes close.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
