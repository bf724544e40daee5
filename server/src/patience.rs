//! A body that is not waited for forever: a client that sends a byte now and then would hold a connection for days.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// Time for any body, however short.
const LEAST: Duration = Duration::from_secs(60);
/// Bytes that must come in a second beyond it, on average: a tenth of the slowest line there is.
const SLOWEST: u64 = 1024;

/// A body with a time limit that grows with what comes.
pub struct Patient<B> {
    body: B,
    least: Duration,
    /// When it had to be waited for first; most bodies are there with their head.
    began: Option<Instant>,
    received: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Patient<B> {
    /// Its time begins when it is waited for.
    pub fn new(body: B) -> Patient<B> {
        Patient { body, least: LEAST, began: None, received: 0, timer: None }
    }
}

impl<B> HttpBody for Patient<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            if let Some(Ok(frame)) = &frame {
                self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until =
            *self.began.get_or_insert_with(Instant::now) + self.least + Duration::from_secs(self.received / SLOWEST);
        ready!(self.timer.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().poll(context));
        Poll::Ready(Some(Err("the body comes too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;

    /// A byte now and then is too little, a kilobyte is not.
    #[tokio::test]
    async fn who_drips_is_cut_off() {
        let check = async |size: usize, count: usize, complete: bool| {
            let parts = stream::unfold(0, move |sent| async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                (sent < count).then(|| (Ok::<_, BoxError>(Bytes::from(vec![0; size])), sent + 1))
            });
            let least = Duration::from_millis(400);
            let body = Patient { least, ..Patient::new(Body::from_stream(parts)) }.collect().await;
            assert_eq!(body.is_ok(), complete, "{count} times {size} bytes");
        };
        check(1, 5, true).await;
        check(1, 100, false).await;
        check(2048, 50, true).await;
    }
}
