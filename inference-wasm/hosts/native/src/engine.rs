//! The one wasmtime engine of the process, and the clock that stops runs that do not end.

use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::Error;

/// Most linear memory of one module.
pub const MEMORY_MAX: usize = 1 << 30;
/// Time after which a call is stopped: between this and one tick more.
pub const DEADLINE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(500);

/// Ticks of [`DEADLINE`], for `Store::set_epoch_deadline`.
pub const DEADLINE_TICKS: u64 = (DEADLINE.as_millis() / TICK.as_millis()) as u64 + 1;

/// The engine; compiled code of all modules belongs to it.
pub fn engine() -> Result<&'static Engine, Error> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).map_err(|error| error.to_string())?;
        let clock = engine.clone();
        std::thread::Builder::new()
            .name("beira-deadline".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(TICK);
                    clock.increment_epoch();
                }
            })
            .map_err(|error| error.to_string())?;
        Ok(engine)
    });
    engine.as_ref().map_err(|error| Error::Engine(error.clone()))
}
