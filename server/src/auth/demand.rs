//! What a route demands, as a type: a permission, and what its requests are about.
//!
//! A route that says neither does not compile, and one that answers with a list of everybody's things does not
//! compile unless its handler takes the [`Caller`], to cut the list to what is theirs.

use super::Permission;
use super::caller::Caller;

/// What the requests of a route are about, and where they say it. Names are fields of the query string or of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Nothing that belongs to anybody.
    Nothing,
    /// The server as a whole.
    Everything,
    /// An experiment by its id in a field; run creation takes `0` for granted.
    Experiment(&'static str),
    /// Experiments by their ids in a list.
    Experiments(&'static str),
    /// An experiment by its name in a field.
    ExperimentNamed(&'static str),
    /// A run by `run_id` (or `run_uuid`), and the logged models and traces that are named beside it.
    Run,
    /// Runs by their ids in a list.
    Runs(&'static str),
    /// A run by a field of the query string of a request with a body.
    RunInQuery(&'static str),
    /// A new logged model: its experiment, and the run it comes from.
    NewLoggedModel,
    /// A logged model by the path's `model_id`.
    LoggedModel,
    /// A run or a logged model by field.
    RunOrLoggedModel,
    /// Registered models by their names in fields.
    Model(&'static [&'static str]),
    /// A registered model by the path's `name`.
    ModelInPath,
    /// A new version: its model, and where its files, its run and its logged model come from.
    NewVersion,
    /// A file or a folder behind the artifact proxy, by the path's last parameter.
    Artifact,
    /// A folder behind the artifact proxy, by the field `path`.
    ArtifactFolder,
    /// A trace that is told whole: its experiment, and the trace when it is there.
    NewTrace,
    /// A trace by its id in a field.
    Trace(&'static str),
    /// Traces by their ids in a list.
    Traces(&'static str),
    /// A trace by the path's `trace_id`.
    TraceInPath,
    /// Experiments as `locations` of traces.
    Locations,
    /// The model that counters are of, by `module_sha256`; the token may stand in the body.
    Counters,
}

/// What belongs to many is read or written: the handler cuts it to what the caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed;

/// A permission on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs<R> {
    permission: Permission,
    about: R,
}

impl Permission {
    /// This permission on what a request names.
    pub const fn of(self, resource: Resource) -> Needs<Resource> {
        Needs { permission: self, about: resource }
    }

    /// This permission on a list.
    pub const fn listed(self) -> Needs<Listed> {
        Needs { permission: self, about: Listed }
    }
}

/// What a handler with the arguments `T` can be declared with.
pub trait Demand<T>: Copy {
    /// The permission, and what it is on; `None` for a list.
    fn parts(self) -> (Permission, Option<Resource>);
}

impl<T> Demand<T> for Needs<Resource> {
    fn parts(self) -> (Permission, Option<Resource>) {
        (self.permission, Some(self.about))
    }
}

impl<M, A> Demand<(M, Caller, A)> for Needs<Listed> {
    fn parts(self) -> (Permission, Option<Resource>) {
        (self.permission, None)
    }
}

impl<M, A, B> Demand<(M, Caller, A, B)> for Needs<Listed> {
    fn parts(self) -> (Permission, Option<Resource>) {
        (self.permission, None)
    }
}
