//! Errors: of starting the server, and of a request in MLflow's form, `{"error_code", "message"}`.

#[cfg(feature = "store")]
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::mlflow::ErrorBody;

#[cfg(feature = "store")]
use crate::store::trouble::Trouble;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is open to others and nothing guards it.
    #[error(
        "{0} can be reached from other machines and beira infer knows no tokens; serve on 127.0.0.1, or say --auth none \
         when something in front (a proxy, Cloud Run's IAM) guards it"
    )]
    OffLoopback(String),
    /// The host is neither an address nor a name that resolves.
    #[error("--host {0} is no address of this machine")]
    Host(String),
    /// The port cannot be had.
    #[error("cannot listen on {address}; is a server running there already? --port takes another one")]
    Listen {
        /// Host and port.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[cfg(feature = "store")]
    #[error("cannot open the database {database}")]
    Database {
        /// The file, or the server without user and password.
        database: String,
        /// Why.
        source: Trouble,
    },
    /// The artifacts' folder or bucket cannot be used.
    #[cfg(feature = "store")]
    #[error("cannot use {path} for artifacts: {what}")]
    Artifacts {
        /// The folder or the bucket's address.
        path: String,
        /// Why.
        what: String,
    },
    /// A request to the store failed while starting.
    #[cfg(feature = "store")]
    #[error("cannot prepare the store: {0}")]
    Prepare(Error),
    /// There is no model to predict with.
    #[error("{0}")]
    Model(String),
    /// The listener broke.
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
}

/// Result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request fails. Only [`Error::Client`] texts reach the client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The client can do something about it.
    #[error("{1}")]
    Client(Code, String),
    /// Our fault or the machine's: logged, answered with a general sentence.
    #[error("{0}")]
    Internal(String),
    /// What the database said: logged too.
    #[cfg(feature = "store")]
    #[error("store: {0}")]
    Store(Arc<Trouble>),
}

/// MLflow's error codes that this server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Code {
    InvalidParameterValue,
    BadRequest,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    ResourceConflict,
    PermissionDenied,
    Unauthenticated,
    TooOften,
    TookTooLong,
    InvalidState,
    NotImplemented,
    EndpointNotFound,
    TooLarge,
}

impl Code {
    /// Name on the wire and HTTP status.
    pub fn wire(self) -> (&'static str, StatusCode) {
        match self {
            Code::InvalidParameterValue => ("INVALID_PARAMETER_VALUE", StatusCode::BAD_REQUEST),
            Code::BadRequest => ("BAD_REQUEST", StatusCode::BAD_REQUEST),
            Code::ResourceAlreadyExists => ("RESOURCE_ALREADY_EXISTS", StatusCode::BAD_REQUEST),
            Code::ResourceDoesNotExist => ("RESOURCE_DOES_NOT_EXIST", StatusCode::NOT_FOUND),
            Code::ResourceConflict => ("RESOURCE_CONFLICT", StatusCode::CONFLICT),
            Code::PermissionDenied => ("PERMISSION_DENIED", StatusCode::FORBIDDEN),
            Code::Unauthenticated => ("UNAUTHENTICATED", StatusCode::UNAUTHORIZED),
            Code::TooOften => ("REQUEST_LIMIT_EXCEEDED", StatusCode::TOO_MANY_REQUESTS),
            Code::TookTooLong => ("TEMPORARILY_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE),
            Code::InvalidState => ("INVALID_STATE", StatusCode::INTERNAL_SERVER_ERROR),
            Code::NotImplemented => ("NOT_IMPLEMENTED", StatusCode::NOT_IMPLEMENTED),
            Code::EndpointNotFound => ("ENDPOINT_NOT_FOUND", StatusCode::NOT_FOUND),
            Code::TooLarge => ("BAD_REQUEST", StatusCode::PAYLOAD_TOO_LARGE),
        }
    }
}

impl Error {
    /// `INVALID_PARAMETER_VALUE`, 400.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::Client(Code::InvalidParameterValue, message.into())
    }

    /// `BAD_REQUEST`, 400.
    pub fn bad_request(message: impl Into<String>) -> Error {
        Error::Client(Code::BadRequest, message.into())
    }

    /// `RESOURCE_DOES_NOT_EXIST`, 404.
    pub fn missing(message: impl Into<String>) -> Error {
        Error::Client(Code::ResourceDoesNotExist, message.into())
    }

    /// `RESOURCE_ALREADY_EXISTS`, 400.
    pub fn exists(message: impl Into<String>) -> Error {
        Error::Client(Code::ResourceAlreadyExists, message.into())
    }

    /// `INVALID_STATE`, 500: what MLflow answers for the wrong moment.
    pub fn state(message: impl Into<String>) -> Error {
        Error::Client(Code::InvalidState, message.into())
    }

    /// For the log alone.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::Internal(message.into())
    }

    /// Writes down what the client is not told.
    pub fn log(&self, what: &str) {
        if !matches!(self, Error::Client(..)) {
            tracing::error!(error = %self, "{what}");
        }
    }

    /// Status and the sentence for the client.
    pub fn parts(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Error::Client(code, message) => {
                let (name, status) = code.wire();
                (status, name, message)
            }
            #[cfg(feature = "store")]
            Error::Store(error) if error.is_away() => (
                StatusCode::SERVICE_UNAVAILABLE,
                "TEMPORARILY_UNAVAILABLE",
                "The server's database cannot be reached at the moment; try again.",
            ),
            #[cfg(feature = "store")]
            Error::Store(error) if error.is_nul() => (
                StatusCode::BAD_REQUEST,
                "INVALID_PARAMETER_VALUE",
                "A text of the request holds the character NUL, which the database does not keep.",
            ),
            #[cfg(feature = "store")]
            Error::Store(error) if error.is_full() => (
                StatusCode::INSUFFICIENT_STORAGE,
                "INTERNAL_ERROR",
                "The disk of the server's database is full; nothing of the request was kept.",
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                "The server could not finish the request; its log says why.",
            ),
        }
    }
}

#[cfg(feature = "store")]
impl From<Trouble> for Error {
    fn from(error: Trouble) -> Self {
        Error::Store(Arc::new(error))
    }
}

#[cfg(feature = "store")]
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Trouble::from(error).into()
    }
}

#[cfg(feature = "store")]
impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Error::Internal(format!("artifacts: {error}"))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log("request failed");
        let (status, code, message) = self.parts();
        let body = Json(ErrorBody { error_code: code.to_owned(), message: message.to_owned() });
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        match status {
            // Not Basic: browsers would ask for a password.
            StatusCode::UNAUTHORIZED => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            StatusCode::TOO_MANY_REQUESTS => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        response
    }
}
