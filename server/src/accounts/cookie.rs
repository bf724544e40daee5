//! The cookies of people who sign in: no script reads them, and no other site sends them along with what changes.

use axum::http::{HeaderMap, HeaderValue, header};

/// The name and the attributes of the cookies of one server.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    secure: bool,
}

/// One of the two.
#[derive(Clone, Copy, Debug)]
pub enum Cookie {
    /// Who is signed in.
    Session,
    /// A sign-in under way.
    Attempt,
}

impl Cookies {
    /// `https`: browsers reach the server so, and then never send them otherwise.
    pub fn new(https: bool) -> Cookies {
        Cookies { secure: https }
    }

    /// The prefix keeps other hosts of the same domain from setting it.
    fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.secure) {
            (Cookie::Session, true) => "__Host-beira_session",
            (Cookie::Session, false) => "beira_session",
            (Cookie::Attempt, true) => "__Host-beira_signin",
            (Cookie::Attempt, false) => "beira_signin",
        }
    }

    /// What the browser sent.
    pub fn of(self, headers: &HeaderMap, cookie: Cookie) -> Option<String> {
        let name = self.name(cookie);
        let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// What the browser keeps for so many seconds; none ends it.
    pub fn set(self, cookie: Cookie, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        // Lax: the issuer sends people back here with their cookie.
        let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.name(cookie));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_and_what_is_read() {
        let check = |https: bool, sent: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, sent.parse().unwrap());
            assert_eq!(Cookies::new(https).of(&headers, Cookie::Session).as_deref(), expected, "{sent}");
        };
        check(false, "a=b; beira_session=x; c=d", Some("x"));
        check(false, "beira_session2=x", None);
        check(true, "beira_session=x", None);
        check(true, "beira_session=evil; __Host-beira_session=x", Some("x"));
        assert_eq!(
            Cookies::new(true).set(Cookie::Session, "x", 5),
            "__Host-beira_session=x; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookies::new(false).set(Cookie::Attempt, "", 0),
            "beira_signin=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
