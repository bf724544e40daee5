//! The body of a request, with a limit.

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::error::{Code, Error, Result};

/// The body, at most `most` bytes of it.
pub async fn read<B>(body: B, most: usize) -> Result<Bytes>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Error::Client(Code::TooLarge, format!("The body is longer than {most} bytes.")))
        }
        Err(_) => Err(Error::bad_request("The body ended before it was complete.")),
    }
}
