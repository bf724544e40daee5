//! ID tokens: their signature and what they must say (OpenID Connect Core, 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How far the issuer's clock may be ahead or behind, in seconds.
const SKEW: i64 = 60;

/// A key of the issuer, as its JWKS has it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What an ID token must say.
pub struct Expected<'a> {
    /// Who made it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which attempt to sign in.
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Why an ID token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    /// None of the keys made it; the issuer may have new ones.
    Key,
    /// Anything else.
    Token(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// The claims of a token that one of `keys` signed and that says what it must.
pub fn verified(token: &str, keys: &[Key], expected: &Expected) -> Result<Map<String, Value>, Wrong> {
    let malformed = Wrong::Token("it is no token");
    let [head, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { return Err(malformed) };
    let signed = &token[..head.len() + 1 + payload.len()];
    let header: Header = part(head).ok_or(Wrong::Token("its head cannot be read"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed)?;
    let named = |key: &&Key| header.kid.is_none() || key.kid.is_none() || key.kid == header.kid;
    let fit = |key: &&Key| key.usage.as_deref().is_none_or(|usage| usage == "sig");
    let mut candidates = keys.iter().filter(named).filter(fit);
    if !candidates.any(|key| key.signed(&header.alg, signed.as_bytes(), &signature)) {
        return Err(Wrong::Key);
    }
    let claims: Map<String, Value> = part(payload).ok_or(Wrong::Token("its claims cannot be read"))?;
    check(&claims, expected).map_err(Wrong::Token)?;
    Ok(claims)
}

fn check(claims: &Map<String, Value>, expected: &Expected) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // A claim of another type is no claim.
    let time =
        |name: &str| claims.get(name).and_then(|value| value.as_i64().or(value.as_f64().map(|time| time as i64)));
    if text("iss") != Some(expected.issuer) {
        return Err("another issuer made it");
    }
    let several = match claims.get("aud") {
        Some(Value::String(one)) if one == expected.client_id => false,
        Some(Value::Array(all)) if all.iter().any(|one| one == expected.client_id) => all.len() > 1,
        _ => return Err("it is for another client"),
    };
    match text("azp") {
        Some(party) if party != expected.client_id => return Err("it is for another client"),
        None if several => return Err("it is for several clients and does not say which asked"),
        _ => {}
    }
    if time("exp").is_none_or(|end| end + SKEW <= expected.now) {
        return Err("it has expired");
    }
    if time("iat").is_some_and(|made| made - SKEW > expected.now) {
        return Err("it was made tomorrow");
    }
    if expected.nonce.is_empty() || text("nonce") != Some(expected.nonce) {
        return Err("it answers another attempt to sign in");
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err("it does not say who it is of");
    }
    Ok(())
}

impl Key {
    /// Whether this key made the signature. The algorithm belongs to the key's kind; `none` belongs to none.
    fn signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let bytes = |field: &Option<String>| URL_SAFE_NO_PAD.decode(field.as_deref()?).ok();
        match (self.kty.as_str(), algorithm) {
            ("RSA", "RS256") => {
                let (Some(n), Some(e)) = (bytes(&self.n), bytes(&self.e)) else { return false };
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            ("EC", "ES256") if self.crv.as_deref() == Some("P-256") => {
                let (Some(x), Some(y)) = (bytes(&self.x), bytes(&self.y)) else { return false };
                let point = [&[4], &x[..], &y[..]].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXPECTED: Expected = Expected { issuer: "https://id.example", client_id: "beira", nonce: "n", now: 1000 };

    #[test]
    fn what_a_token_must_say() {
        let good =
            json!({"iss": "https://id.example", "aud": "beira", "exp": 2000, "iat": 990, "nonce": "n", "sub": "ada"});
        let told = |change: Value| {
            let mut claims = good.as_object().unwrap().clone();
            for (name, value) in change.as_object().unwrap() {
                claims.insert(name.clone(), value.clone());
            }
            check(&claims, &EXPECTED)
        };
        for fine in [
            json!({}),
            json!({"aud": ["beira"]}),
            json!({"aud": ["a", "beira"], "azp": "beira"}),
            json!({"exp": 2000.5}),
        ] {
            assert_eq!(told(fine.clone()), Ok(()), "{fine}");
        }
        for (change, expected) in [
            (json!({"iss": "https://id.example.evil"}), "another issuer made it"),
            (json!({"aud": "other"}), "it is for another client"),
            (json!({"aud": ["a", "b"]}), "it is for another client"),
            (json!({"aud": ["a", "beira"]}), "it is for several clients and does not say which asked"),
            (json!({"azp": "other"}), "it is for another client"),
            (json!({"exp": 900}), "it has expired"),
            (json!({"exp": "2000"}), "it has expired"),
            (json!({"exp": null}), "it has expired"),
            (json!({"iat": 1100}), "it was made tomorrow"),
            (json!({"nonce": "m"}), "it answers another attempt to sign in"),
            (json!({"nonce": null}), "it answers another attempt to sign in"),
            (json!({"sub": ""}), "it does not say who it is of"),
        ] {
            assert_eq!(told(change.clone()), Err(expected), "{change}");
        }
    }

    /// Made with Python's `cryptography`; its private key is gone.
    #[test]
    fn a_signature_by_rsa() {
        let key: Key = serde_json::from_str(RSA_KEY).unwrap();
        let keys = [Key::default(), key.clone()];
        assert_eq!(verified(RSA_TOKEN, &keys, &EXPECTED).unwrap()["sub"], "ada");
        assert_eq!(verified(RSA_TOKEN, &[], &EXPECTED), Err(Wrong::Key));
        let changed = RSA_TOKEN.replacen("eyJ", "eyI", 1);
        assert!(verified(&changed, &keys, &EXPECTED).is_err());
        let (head, rest) = RSA_TOKEN.split_once('.').unwrap();
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), rest.split_once('.').unwrap().0);
        assert_eq!(verified(&unsigned, &keys, &EXPECTED), Err(Wrong::Key));
        for wrong in ["", "..", head, &format!("{head}.{head}")] {
            assert!(verified(wrong, &keys, &EXPECTED).is_err(), "{wrong}");
        }
    }

    const RSA_KEY: &str = concat!(
        r#"{"kty":"RSA","use":"sig","kid":"1","e":"AQAB","n":"6uBUi0iyDRrUDWBvW3mdlPqdLbdms_X36vQ17C0xGu22vvlcs"#,
        r#"0J5bXoxv5Offx83grPM2Z9KtSXbaLbhHbfsPX_Fgjiq_TgLljz1okSutoAFsiqLSkFbpxZ98Jw3cIYy9pd5kgv-rpIj1GdSeauGf"#,
        r#"tp60-noK1dfWIW_LHJnXKTp6Zgo03uSExIXjO63QjjoiGNMTqTnB8aETgBV0WsntcllJ6qBTOQA-DOs5paInuUUCriyMiA4Ox9CI"#,
        r#"pMuDmyOeaoDjhNovs1YJQnJBmr9xecDwOE9XfDNZL8vKRTvOfoYEMueZypEIGQSm564a058sYmLlrwEa1K9Z1rxrPKz4Q"}"#,
    );
    const RSA_TOKEN: &str = concat!(
        r#"eyJhbGciOiAiUlMyNTYiLCAia2lkIjogIjEifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF1ZCI6ICJiZWlyYSIsI"#,
        r#"CJleHAiOiAyMDAwLCAiaWF0IjogOTkwLCAibm9uY2UiOiAibiIsICJzdWIiOiAiYWRhIn0.CpbsY9c2F1gMw5F33_qfYKfS7-2Na"#,
        r#"i6xmOXAqEvgrkpDsMqBUm9ob5x5aqCBN96CrW-ddfBmQFpj99DdHqJl2Hub7_WZMOxtqJMITKh69Llut19woLwTWCvx9tYaET1Il"#,
        r#"S0xg8GIekwb5nh_3R2CacNk3WOjbyv6xdIhK9WWjWPLcREzuP-tIL_iXe1tpAOnXkeUhJgJvyShHssWRpQGRG412sfaqiTwOGEbj"#,
        r#"uL97P9jRYQsF2ZNlYlf3GcLz7GE2qHBfDRVbACP6gh2QZIYiS1enX235WwF4iHbvWygoj_Phfg19_kIzNxcuIeDy4tRCowlkZ5DW"#,
        r#"pqxib-QFlptfA"#,
    );
}
