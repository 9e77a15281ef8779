//! A browser, driven by W3C WebDriver over HTTP: what the tests need of it. A client from crates.io would bring some thirty
//! crates for these few requests.
//!
//! Section numbers are of <https://www.w3.org/TR/webdriver2/>.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Where the driver names an element (§12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys (§17.4.2).
pub mod keys {
    /// Tab.
    pub const TAB: &str = "\u{e004}";
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// The space bar.
    pub const SPACE: &str = " ";
}

/// A session: one browser. It ends when dropped.
#[derive(Debug)]
pub struct Session(Place);

/// Where requests go: the driver, or a session of it.
#[derive(Debug)]
struct Place {
    http: ureq::Agent,
    root: String,
}

/// An element of the page.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Session {
    /// Starts a browser at the driver that listens on this port of loopback, with Chromium's own options (§8.1).
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start(port: u16, options: &Value) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let http = ureq::Agent::new_with_config(config);
        let driver = Place { http, root: format!("http://127.0.0.1:{port}") };
        let capabilities = json!({ "alwaysMatch": { "goog:chromeOptions": options } });
        let made = driver.post("/session", &json!({ "capabilities": capabilities }))?;
        let id = made["sessionId"].as_str().context("no session")?;
        Ok(Self(Place { root: format!("{}/session/{id}", driver.root), ..driver }))
    }

    /// Opens an address (§10.1).
    ///
    /// # Errors
    /// It can't be loaded.
    pub fn open(&self, url: &str) -> Result<()> {
        self.0.post("/url", &json!({ "url": url })).map(|_| ())
    }

    /// The page's address (§10.2).
    ///
    /// # Errors
    /// The browser is gone.
    pub fn url(&self) -> Result<String> {
        text(self.0.get("/url")?)
    }

    /// The page's source as it is now (§13.1).
    ///
    /// # Errors
    /// The browser is gone.
    pub fn source(&self) -> Result<String> {
        text(self.0.get("/source")?)
    }

    /// The first element that a CSS selector finds (§12.3.2).
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, css: &str) -> Result<Element> {
        element(&self.0.post("/element", &json!({ "using": "css selector", "value": css }))?)
    }

    /// Waits for it.
    ///
    /// # Errors
    /// There is none after `limit`; the message holds the page's text.
    pub fn wait_for(&self, css: &str, limit: Duration) -> Result<Element> {
        let began = Instant::now();
        loop {
            match self.find(css) {
                Ok(found) => return Ok(found),
                Err(error) if began.elapsed() > limit => {
                    bail!("{css} isn't on {}: {error}\n{}", self.url()?, self.text()?)
                }
                Err(_) => crate::program::pause(),
            }
        }
    }

    /// What has the focus (§12.3.6).
    ///
    /// # Errors
    /// Nothing has.
    pub fn active(&self) -> Result<Element> {
        element(&self.0.get("/element/active")?)
    }

    /// Clicks in the middle of an element, as with a mouse (§12.5.1).
    ///
    /// # Errors
    /// Something else lies there, or it can't be seen.
    pub fn click(&self, element: &Element) -> Result<()> {
        self.0.post(&format!("/element/{}/click", element.0), &json!({})).map(|_| ())
    }

    /// Empties a field (§12.5.2).
    ///
    /// # Errors
    /// It isn't one.
    pub fn clear(&self, element: &Element) -> Result<()> {
        self.0.post(&format!("/element/{}/clear", element.0), &json!({})).map(|_| ())
    }

    /// Types (§12.5.3).
    ///
    /// # Errors
    /// The element takes no keys.
    pub fn keys(&self, element: &Element, keys: &str) -> Result<()> {
        self.0.post(&format!("/element/{}/value", element.0), &json!({ "text": keys })).map(|_| ())
    }

    /// What an element has, such as the `value` of a field (§12.4.3).
    ///
    /// # Errors
    /// It is gone.
    pub fn property(&self, element: &Element, name: &str) -> Result<String> {
        text(self.0.get(&format!("/element/{}/property/{name}", element.0))?)
    }

    /// Runs a script's body with `arguments` (§13.2.1).
    ///
    /// # Errors
    /// It throws.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.0.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same for one that calls its last argument with what it gives (§13.2.2).
    ///
    /// # Errors
    /// It throws, or doesn't call it.
    pub fn run_async(&self, script: &str) -> Result<Value> {
        self.0.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The page's text as it is shown.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn text(&self) -> Result<String> {
        text(self.run("return document.body.innerText", &[])?)
    }

    /// The window as a PNG (§17.1).
    ///
    /// # Errors
    /// The browser is gone.
    pub fn screenshot(&self) -> Result<Vec<u8>> {
        let encoded = text(self.0.get("/screenshot")?)?;
        Ok(data_encoding::BASE64.decode(encoded.as_bytes())?)
    }
}

impl Place {
    fn get(&self, path: &str) -> Result<Value> {
        value(self.http.get(format!("{}{path}", self.root)).call()?)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        value(self.http.post(format!("{}{path}", self.root)).send_json(body)?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Where it is gone already there is nothing to end.
        let _ended = self.0.http.delete(&self.0.root).call();
    }
}

/// What an answer holds, or its error (§6.6).
fn value(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let good = answer.status().is_success();
    let mut body: Value = answer.body_mut().with_config().limit(64 << 20).read_json()?;
    let value = body["value"].take();
    if !good {
        bail!("{}: {}", value["error"], value["message"]);
    }
    Ok(value)
}

fn text(value: Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("not a text")
}

fn element(value: &Value) -> Result<Element> {
    value[ELEMENT].as_str().map(|id| Element(id.to_owned())).context("not an element")
}
