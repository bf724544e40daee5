//! The body of a request, with a limit.

use axum::body::Bytes;
use axum::extract::Request;

use crate::error::{Code, Error, Result};

/// The body, at most `most` bytes of it.
pub async fn read(request: Request, most: usize) -> Result<Bytes> {
    axum::body::to_bytes(request.into_body(), most).await.map_err(|error| {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(e) = source {
            if e.is::<http_body_util::LengthLimitError>() {
                return Error::Client(Code::TooLarge, format!("The body is longer than {most} bytes."));
            }
            source = e.source();
        }
        Error::bad_request("The body ended before it was complete.")
    })
}
