//! HMAC-SHA256 (RFC 2104), for ids and webhooks. By hand: the crate for it would switch on a feature
//! of sha2's foundation that half the dependencies are then built anew for.

use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// The MAC of `message`, given in parts.
pub fn hmac_sha256(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new_with_prefix(block.map(|byte| byte ^ 0x36));
    message.iter().for_each(|part| inner.update(part));
    Sha256::new_with_prefix(block.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize()).finalize().into()
}

/// Whether two byte strings are the same, in a time that does not tell where they differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use contract::hex;

    use super::*;

    #[test]
    fn vectors_of_rfc_4231() {
        let check = |key: &[u8], message: &str, expected: &str| {
            let (head, tail) = message.as_bytes().split_at(message.len() / 2);
            assert_eq!(hex::encode(&hmac_sha256(key, &[head, tail])), expected);
        };
        check(&[0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        check(
            b"Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(
            &[0xaa; 131],
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        );
        assert!(equal(b"ab", b"ab") && !equal(b"ab", b"aa") && !equal(b"ab", b"abc"));
    }
}
