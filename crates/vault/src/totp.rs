//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, steps of thirty seconds, which is what every
//! authenticator understands.

use crate::error::VaultError;
use crate::signature;
use crate::token;
use ring::hmac;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

const STEP_SECS: i64 = 30;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Steps before and after now whose code is taken: clocks of telephones differ.
const SKEW: i64 = 1;

/// A new secret of 160 bits in base32.
pub fn new_secret() -> Result<SecretString, VaultError> {
    let mut bytes = Zeroizing::new([0; 20]);
    token::fill(&mut *bytes)?;
    Ok(SecretString::from(base32(&*bytes)))
}

/// The address that authenticators open.
pub fn uri(issuer: &str, account: &str, secret: &SecretString) -> SecretString {
    let (issuer, account) = (percent(issuer), percent(account));
    let secret = secret.expose_secret();
    SecretString::from(format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}"
    ))
}

/// The time step of a code, when it is the right one around a moment (Unix seconds).
pub fn verify(secret: &SecretString, code: &str, at_secs: i64) -> Option<i64> {
    let key = from_base32(secret.expose_secret())?;
    let now = at_secs.div_euclid(STEP_SECS);
    // Every step is looked at, so that the time does not tell which one fits.
    (now - SKEW..=now + SKEW).rfind(|step| signature::same(&code_at(&key, *step), code))
}

/// The code of a moment (Unix seconds), for tools and tests.
pub fn code(secret: &SecretString, at_secs: i64) -> Option<String> {
    let key = from_base32(secret.expose_secret())?;
    Some(code_at(&key, at_secs.div_euclid(STEP_SECS)))
}

fn code_at(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut bits = [0_u8; 8];
        bits[3..3 + group.len()].copy_from_slice(group);
        let number = u64::from_be_bytes(bits);
        let n_letters = (group.len() * 8).div_ceil(5);
        for letter in 0..n_letters {
            let index = (number >> (35 - 5 * letter)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

fn from_base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    let (mut number, mut n_bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        number = (number << 5 | u32::try_from(value).ok()?) & 0xffff;
        n_bits += 5;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push(u8::try_from(number >> n_bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&token::hex(&[byte]).to_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_of_the_standard() {
        let secret = SecretString::from(base32(b"12345678901234567890"));
        for (at, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(&secret, at).as_deref(), Some(expected), "{at}");
            assert_eq!(verify(&secret, expected, at), Some(at / 30));
            assert_eq!(verify(&secret, expected, at + 30), Some(at / 30), "a slow clock");
            assert_eq!(verify(&secret, expected, at + 90), None, "too late");
        }
        assert_eq!(verify(&secret, "", 59), None);
        assert_eq!(verify(&secret, "287082 ", 59), None);
    }

    #[test]
    fn base32_goes_there_and_back() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        for n in 0..24_u8 {
            let bytes: Vec<u8> = (0..n).map(|at| at.wrapping_mul(37) ^ n).collect();
            assert_eq!(from_base32(&base32(&bytes)).unwrap().as_slice(), bytes);
        }
        assert!(from_base32("1").is_none());
        let secret = new_secret().unwrap();
        assert_eq!(secret.expose_secret().len(), 32);
        let uri = uri("Имя", "a@b.ru", &secret);
        assert!(
            uri.expose_secret()
                .starts_with("otpauth://totp/%D0%98%D0%BC%D1%8F:a%40b.ru?secret=")
        );
    }
}
