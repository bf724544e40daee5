//! Requests of a run on their way: each is a file until the server has taken it, so a server that is away
//! holds nothing up, and what it missed is sent in order when it is back.
//!
//! Whether a request that got no answer was done nobody can tell, so it is sent again: points, parameters,
//! tags and files of the same content change nothing the second time, and a version is looked for before
//! it is made.

mod item;
mod kept;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Client;
use super::registry::Registered;
use crate::Error;
use crate::store::whole;

pub(crate) use item::Item;
pub use kept::{Sent, sync};

/// Time between two tries, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// Whose requests they are: `run.json` in the outbox's folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// Address that the run was begun at.
    pub server: String,
    /// The run.
    pub run_id: String,
}

/// The requests of one run, and the thread that sends them.
pub(crate) struct Outbox {
    folder: PathBuf,
    owner: Owner,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Tells `sync` that somebody is sending already.
    _lock: File,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: VecDeque<u64>,
    /// The server refused one; nothing is sent any more.
    refused: Option<Error>,
    registered: Option<Registered>,
    /// Nothing more will come.
    closed: bool,
    /// Nobody waits any longer.
    given_up: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Outbox {
    /// An empty outbox in `folder/RUN`, and the thread that empties it.
    pub fn open(folder: &Path, client: &Client, owner: Owner) -> Result<Outbox, Error> {
        let folder = folder.join(&owner.run_id);
        let file = folder.join("run.json");
        whole(&file, &serde_json::to_vec(&owner).unwrap_or_default())?;
        let lock = lock(&file)?;
        let shared = Arc::new(Shared::default());
        let (client, run_id) = (client.clone(), owner.run_id.clone());
        let thread = std::thread::spawn({
            let (shared, folder) = (shared.clone(), folder.clone());
            move || send_all(&shared, &folder, &client, &run_id)
        });
        Ok(Outbox { folder, owner, shared, thread: Mutex::new(Some(thread)), _lock: lock })
    }

    /// Puts a request behind those before; the error is one that the server gave to an earlier request.
    pub fn push(&self, item: &Item, bytes: Option<&[u8]>) -> Result<(), Error> {
        let mut state = self.shared.lock();
        if let Some(error) = state.refused.take() {
            return Err(error);
        }
        let number = state.next;
        state.next += 1;
        if let Some(bytes) = bytes {
            whole(&item::bytes(&self.folder, number), bytes)?;
        }
        whole(&item::file(&self.folder, number), &serde_json::to_vec(item).unwrap_or_default())?;
        state.waiting.push_back(number);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Waits until the server has taken all; for at most `patience` while it does not answer. Answers the
    /// registered version, when one was asked for.
    pub fn drain(&self, patience: Duration) -> Result<Option<Registered>, Error> {
        let mut last = (usize::MAX, Instant::now());
        let mut state = self.shared.lock();
        state.closed = true;
        self.shared.changed.notify_all();
        let done = loop {
            if let Some(error) = state.refused.take() {
                break Err(error);
            }
            let left = state.waiting.len();
            if left == 0 {
                break Ok(state.registered.take());
            }
            if left != last.0 {
                last = (left, Instant::now());
            } else if last.1.elapsed() >= patience {
                state.given_up = true;
                self.shared.changed.notify_all();
                break Err(Error::Kept {
                    server: self.owner.server.clone(),
                    run_id: self.owner.run_id.clone(),
                    requests: left,
                    folder: self.folder.parent().unwrap_or(&self.folder).to_owned(),
                });
            }
            state = match self.shared.changed.wait_timeout(state, Duration::from_millis(100)) {
                Ok((state, _)) => state,
                Err(broken) => broken.into_inner().0,
            };
        };
        drop(state);
        if !matches!(done, Err(Error::Kept { .. })) {
            // A thread that waits for an answer is left alone; one that is done is soon gone.
            if let Some(thread) = self.thread.lock().unwrap_or_else(|broken| broken.into_inner()).take() {
                thread.join().ok();
            }
            if done.is_ok() {
                fs::remove_dir_all(&self.folder).ok();
            }
        }
        done
    }
}

/// Sends one after the other until nothing more will come, the server refuses one, or nobody waits.
fn send_all(shared: &Shared, folder: &Path, client: &Client, run_id: &str) {
    let mut pause = PAUSES[0];
    let mut state = shared.lock();
    loop {
        if state.given_up {
            return;
        }
        let Some(number) = state.waiting.front().copied() else {
            if state.closed {
                return;
            }
            state = shared.changed.wait(state).unwrap_or_else(|broken| broken.into_inner());
            continue;
        };
        drop(state);
        let sent = item::send(folder, number, client, run_id);
        state = shared.lock();
        match sent {
            Ok(registered) => {
                pause = PAUSES[0];
                item::remove(folder, number);
                state.waiting.pop_front();
                state.registered = registered.or(state.registered.take());
                shared.changed.notify_all();
            }
            Err(error) if error.is_away() => {
                let until = Instant::now() + pause;
                pause = (pause * 2).min(PAUSES[1]);
                while !state.given_up && Instant::now() < until {
                    let left = until.saturating_duration_since(Instant::now());
                    state = match shared.changed.wait_timeout(state, left) {
                        Ok((state, _)) => state,
                        Err(broken) => broken.into_inner().0,
                    };
                }
            }
            Err(error) => {
                state.refused = Some(error);
                shared.changed.notify_all();
                return;
            }
        }
    }
}

/// Locks `run.json`, or says that another process has.
fn lock(file: &Path) -> Result<File, Error> {
    let wrong = |source| Error::File { action: "read", path: file.to_owned(), source, help: String::new() };
    let opened = File::open(file).map_err(wrong)?;
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Error::data(file.display().to_string(), "another process is sending these requests"))
        }
        Err(fs::TryLockError::Error(source)) => Err(wrong(source)),
    }
}
