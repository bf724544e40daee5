//! A request in, a response out: what the plugin says, without a proxy in sight.

use contract::Fault;
use contract::fault::Faults;
use host_rows::records::Request;
use host_rows::{Batch, query};
use serde::Serialize;
use serde_json::{Value, json};

use crate::counting::Counting;
use crate::model::{Engine, Model};

/// Longest body taken: what a VM of 16 MiB has for each of a thousand streams.
pub const BODY_BYTES: usize = 16 << 10;
/// Longest answer: Google's edge takes 128 KiB.
const ANSWER_BYTES: usize = 120 << 10;

/// A response of the plugin's own; its body is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u32,
    /// JSON.
    pub body: String,
}

impl Response {
    /// `{"detail": sentence}`.
    pub fn detail(status: u32, sentence: impl Serialize) -> Response {
        Response { status, body: json!({"detail": sentence}).to_string() }
    }

    fn faults(detail: Vec<Fault>) -> Response {
        Response { status: 422, body: serde_json::to_string(&Faults { detail }).unwrap_or_default() }
    }
}

/// The model at work, and its counters.
pub struct Service<E> {
    model: Model<E>,
    /// What was counted.
    pub counting: Counting,
    /// Nanoseconds since some time; may stand still.
    clock: fn() -> u64,
}

impl<E: Engine> Service<E> {
    /// Ready for requests.
    pub fn new(model: Model<E>, counting: Counting, clock: fn() -> u64) -> Service<E> {
        Service { model, counting, clock }
    }

    /// `GET /predict?feature=value&…`: one row.
    pub fn get(&mut self, text: &str) -> Response {
        self.answer(|model| {
            let batch = query::read(model.manifest(), text).map_err(Response::faults)?;
            Ok(Request { batch, many: false })
        })
    }

    /// `POST /predict`: an object or an array, answered in kind.
    pub fn post(&mut self, body: &[u8]) -> Response {
        self.answer(|model| {
            let body = serde_json::from_slice(body).map_err(|error| {
                let place = format!("line {}, column {}", error.line(), error.column());
                fault("json_invalid", format!("The body is not JSON: {place}"))
            })?;
            let most = model.card().request_rows_max;
            match &body {
                Value::Array(rows) if rows.len() > most => {
                    Err(fault("too_long", format!("{} rows in one request, at most {most} are taken", rows.len())))
                }
                _ => Request::read(model.manifest(), body).map_err(Response::faults),
            }
        })
    }

    /// A body longer than [`BODY_BYTES`].
    pub fn too_long(&mut self) -> Response {
        self.counting.error();
        Response::detail(413, format!("The body is longer than {BODY_BYTES} bytes"))
    }

    fn answer(&mut self, read: impl FnOnce(&Model<E>) -> Result<Request, Response>) -> Response {
        match self.predict(read) {
            Ok(response) => response,
            Err(response) => {
                self.counting.error();
                response
            }
        }
    }

    fn predict(&mut self, read: impl FnOnce(&Model<E>) -> Result<Request, Response>) -> Result<Response, Response> {
        let request = read(&self.model)?;
        let start = (self.clock)();
        let outputs = self.run(&request.batch)?;
        let ns = (self.clock)().saturating_sub(start);
        let body = request.answer(self.model.manifest(), &outputs).to_string();
        if body.len() > ANSWER_BYTES {
            return Err(Response::detail(
                413,
                format!("The answer is longer than {ANSWER_BYTES} bytes; send fewer rows"),
            ));
        }
        self.counting.rows(self.model.manifest(), &request.batch, &outputs, ns);
        Ok(Response { status: 200, body })
    }

    fn run(&self, batch: &Batch) -> Result<Vec<Vec<u8>>, Response> {
        self.model.run(batch).map_err(|code| Response::detail(500, format!("the model stopped with code {code}")))
    }
}

fn fault(kind: &str, text: String) -> Response {
    Response::faults(vec![Fault::new(kind, vec!["body".into()], text)])
}
