//! What a token looks like, and the only thing of it that is kept.
//!
//! Its secret has 256 random bits, so nobody tries them all, and a keyed hash is as good as a slow one.

use std::fmt;

use contract::hex;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};

/// Tokens begin so, that they are found where they should not be.
const PREFIX: &str = "beira_";

/// `beira_ID_SECRET`; `Display` shows all of it.
pub struct Token {
    /// Sixteen hex digits, no secret.
    pub id: String,
    secret: String,
}

impl Token {
    /// A new one.
    pub fn mint() -> Result<Token> {
        let mut random = [0; 40];
        SystemRandom::new().fill(&mut random).map_err(|_| Error::internal("the system has no random numbers"))?;
        let (id, secret) = random.split_at(8);
        Ok(Token { id: hex::encode(id), secret: hex::encode(secret) })
    }

    /// The token that a client sent, if it looks like one.
    pub fn read(text: &str) -> Option<Token> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let plain = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (plain(id, 16) && plain(secret, 64)).then(|| Token { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// What is kept. It belongs to the id, so it fits no other row.
    pub fn mac(&self) -> String {
        hex::encode(hmac::sign(&self.key(), self.id.as_bytes()).as_ref())
    }

    /// Whether `mac` is this token's; takes as long for each wrong one.
    pub fn has(&self, mac: &str) -> bool {
        hex::decode(mac).is_some_and(|mac| hmac::verify(&self.key(), self.id.as_bytes(), &mac).is_ok())
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}", self.id, self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_mac_alone() {
        let (one, other) = (Token::mint().unwrap(), Token::mint().unwrap());
        let read = Token::read(&one.to_string()).unwrap();
        assert!(read.has(&one.mac()));
        assert!(!read.has(&other.mac()) && !read.has("") && !read.has("xyz"));
        assert!(!one.mac().contains(&one.secret));
        let moved = Token { id: other.id.clone(), secret: one.secret.clone() };
        assert!(!moved.has(&one.mac()));
        for wrong in ["", "beira_", "beira_0123456789abcdef_", &one.to_string()[1..], &format!("{one}0")] {
            assert!(Token::read(wrong).is_none(), "{wrong}");
        }
    }
}
