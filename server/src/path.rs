//! What stands in a path, and an error of MLflow's form where it is something else.

use axum::extract::{FromRequestParts, Path as Plain};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The parameters of a path.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Error> {
        match Plain::from_request_parts(parts, state).await {
            Ok(Plain(values)) => Ok(Path(values)),
            Err(_) => Err(Error::bad_request("A part of the path is not of the kind that belongs there.")),
        }
    }
}
