//! The proxy's callbacks. Headers are read as bytes: the SDK's text variants panic on what is not UTF-8.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType};

use crate::linked::{self, Linked};
use crate::{BODY_BYTES, Config, Counting, Model, Response, Route, Service, route};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root(Rc::new(RefCell::new(State::default())))));
}}

/// The service, or why there is none; and whether headers are held back.
struct State {
    service: Result<Service<Linked>, String>,
    hold: bool,
}

impl Default for State {
    fn default() -> Self {
        State { service: Err("the plugin is not configured yet".to_owned()), hold: false }
    }
}

type Shared = Rc<RefCell<State>>;

struct Root(Shared);

impl Context for Root {
    fn on_done(&mut self) -> bool {
        if let Ok(service) = &mut self.0.borrow_mut().service {
            tell(service.counting.last(now_ms()));
        }
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, bytes: usize) -> bool {
        let read = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, bytes).ok().flatten().unwrap_or_default();
        let opened = Config::read(&read).and_then(|config| Ok((open(&config)?, config.hold)));
        let mut state = self.0.borrow_mut();
        match opened {
            Ok((service, hold)) => *state = State { service: Ok(service), hold },
            Err(reason) => {
                let line = format!("beira: /predict answers 503, other requests pass: {reason}");
                hostcalls::log(LogLevel::Error, &line).ok();
                state.service = Err(reason);
            }
        }
        true // refusing to start would take the site along
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { state: self.0.clone(), body: None }))
    }
}

fn open(config: &Config) -> Result<Service<Linked>, String> {
    let model = Model::open(linked::card()?, Linked)?;
    let card = model.card();
    let (sha256, profile) = (card.module_sha256.clone(), card.seal.profile.clone());
    let counting = Counting::new(linked::instance()?, sha256, profile, config.snapshot_rows);
    Ok(Service::new(model, counting, now_ns))
}

/// One request.
struct Stream {
    state: Shared,
    /// What came of the body of a request that is ours and not yet answered.
    body: Option<Vec<u8>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let header = |name| {
            let value = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten();
            value.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
        };
        match route(&header(":method"), &header(":path")) {
            Route::Pass => Action::Continue,
            Route::Method => self.send(Response::detail(405, "Use GET or POST")),
            Route::Query(query) => self.answer(|service| service.get(query)),
            Route::Body if end_of_stream => self.answer(|service| service.post(b"")),
            Route::Body if header("content-length").parse::<usize>().is_ok_and(|bytes| bytes > BODY_BYTES) => {
                self.answer(Service::too_long)
            }
            Route::Body => {
                self.body = Some(Vec::new());
                if self.state.borrow().hold { Action::Pause } else { Action::Continue }
            }
        }
    }

    /// Takes each chunk out of the proxy's buffer, so that the next callback sees the next one alone,
    /// whether the proxy pauses or not.
    fn on_http_request_body(&mut self, bytes: usize, end_of_stream: bool) -> Action {
        let Some(body) = &mut self.body else { return Action::Continue };
        if bytes > BODY_BYTES - body.len() {
            self.body = None;
            return self.answer(Service::too_long);
        }
        if bytes > 0 {
            let chunk = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, bytes).ok().flatten();
            body.extend(chunk.unwrap_or_default());
            hostcalls::set_buffer(BufferType::HttpRequestBody, 0, bytes, b"").ok();
        }
        if end_of_stream { self.complete() } else { Action::Pause }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if self.body.is_some() { self.complete() } else { Action::Continue }
    }
}

impl Stream {
    fn complete(&mut self) -> Action {
        let body = self.body.take().unwrap_or_default();
        self.answer(|service| service.post(&body))
    }

    fn answer(&self, answer: impl FnOnce(&mut Service<Linked>) -> Response) -> Action {
        let mut state = self.state.borrow_mut();
        let response = match &mut state.service {
            Ok(service) => {
                let response = answer(service);
                tell(service.counting.due(now_ms()));
                response
            }
            Err(reason) => Response::detail(503, &*reason),
        };
        self.send(response)
    }

    fn send(&self, response: Response) -> Action {
        let mut headers = vec![("content-type", "application/json"), ("cache-control", "no-store")];
        if response.status == 405 {
            headers.push(("allow", "GET, POST"));
        }
        hostcalls::send_http_response(response.status, headers, Some(response.body.as_bytes())).ok();
        Action::Pause
    }
}

fn tell(line: Option<String>) {
    if let Some(line) = line {
        hostcalls::log(LogLevel::Info, &line).ok();
    }
}

fn now_ns() -> u64 {
    let now = hostcalls::get_current_time().ok();
    now.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos() as u64)
}

fn now_ms() -> u64 {
    now_ns() / 1_000_000
}
