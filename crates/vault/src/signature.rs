//! Keyed hashes: checking what others signed, signing what we send.

use crate::token::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// HMAC-SHA256 in lower-case hexadecimal.
pub fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

/// Whether `signature` (hexadecimal, any case) is the HMAC-SHA256 of the message. Takes the same time whatever
/// the first wrong byte.
pub fn verify_hmac_sha256_hex(key: &[u8], message: &[u8], signature: &str) -> bool {
    let Some(bytes) = from_hex(signature) else {
        return false;
    };
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, &bytes).is_ok()
}

/// amoCRM's uninstall hook: `signature` is the HMAC-SHA256 of `client_id|account_id` under the integration's
/// secret (contract amocrm.md, §1).
pub fn verify_amocrm_uninstall(
    client_secret: &[u8],
    client_id: &str,
    account_id: &str,
    signature: &str,
) -> bool {
    verify_hmac_sha256_hex(
        client_secret,
        format!("{client_id}|{account_id}").as_bytes(),
        signature,
    )
}

/// Whether two texts are equal, in a time that tells nothing of where they differ.
pub fn same(left: &str, right: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"comparison");
    hmac::verify(&key, left.as_bytes(), hmac::sign(&key, right.as_bytes()).as_ref()).is_ok()
}

/// Prefix of a secret in the Standard Webhooks form.
const WEBHOOK_SECRET: &str = "whsec_";

/// A signed outgoing webhook: the three headers of the Standard Webhooks specification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookHeaders {
    /// `webhook-id`: the same for every try, so that the receiver can drop repeats.
    pub id: String,
    /// `webhook-timestamp`: Unix seconds.
    pub timestamp: String,
    /// `webhook-signature`: `v1,<base64>`, several separated by blanks while a secret is being replaced.
    pub signature: String,
}

/// Signs an outgoing body. `secrets`: newest first; `whsec_<base64>` or any other text taken as bytes.
pub fn sign_webhook(secrets: &[&str], id: &str, timestamp: i64, body: &[u8]) -> WebhookHeaders {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1,{}", STANDARD.encode(webhook_tag(secret, id, timestamp, body))))
        .collect();
    WebhookHeaders {
        id: id.to_owned(),
        timestamp: timestamp.to_string(),
        signature: signatures.join(" "),
    }
}

/// Checks a body signed that way. A timestamp further than `tolerance` seconds from `now` is refused.
pub fn verify_webhook(secret: &str, headers: &WebhookHeaders, body: &[u8], now: i64, tolerance: i64) -> bool {
    let Ok(timestamp) = headers.timestamp.parse::<i64>() else {
        return false;
    };
    if now.abs_diff(timestamp) > tolerance.unsigned_abs() {
        return false;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &webhook_key(secret));
    let message = webhook_message(&headers.id, timestamp, body);
    headers
        .signature
        .split(' ')
        .filter_map(|part| part.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok())
        .any(|tag| hmac::verify(&key, &message, &tag).is_ok())
}

fn webhook_tag(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &webhook_key(secret));
    hmac::sign(&key, &webhook_message(id, timestamp, body))
}

fn webhook_key(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix(WEBHOOK_SECRET)
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn webhook_message(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{id}.{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    message
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_rfc_4231() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(
            hmac_sha256_hex(b"Jefe", b"what do ya want for nothing?"),
            expected
        );
        assert!(verify_hmac_sha256_hex(
            b"Jefe",
            b"what do ya want for nothing?",
            &expected.to_uppercase()
        ));
        assert!(!verify_hmac_sha256_hex(
            b"Jefe",
            b"what do ya want for something?",
            expected
        ));
        assert!(!verify_hmac_sha256_hex(
            b"Jefe",
            b"what do ya want for nothing?",
            &expected[..62]
        ));
        assert!(!verify_hmac_sha256_hex(
            b"Jefe",
            b"what do ya want for nothing?",
            "жж"
        ));
    }

    /// The vector of the contract's fixture `oauth-uninstall-hook.txt`.
    #[test]
    fn uninstall_hook_names_client_and_account() {
        let client = "00000000-0000-4000-8000-000000000001";
        let signature = "1e10a7459843501cd8f35bd47118a4d30c870a92f48ea57ab7a5ef765a94b881";
        assert!(verify_amocrm_uninstall(
            b"SANDBOX_SECRET",
            client,
            "30000001",
            signature
        ));
        assert!(!verify_amocrm_uninstall(
            b"SANDBOX_SECRET",
            client,
            "30000002",
            signature
        ));
        assert!(!verify_amocrm_uninstall(
            b"OTHER_SECRET",
            client,
            "30000001",
            signature
        ));
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn webhook_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let headers = sign_webhook(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(
            headers.signature,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert!(verify_webhook(secret, &headers, body, 1_614_265_500, 300));
        assert!(!verify_webhook(secret, &headers, body, 1_614_266_000, 300));
        assert!(!verify_webhook(secret, &headers, b"{}", 1_614_265_330, 300));
    }

    #[test]
    fn both_secrets_verify_while_one_is_replaced() {
        let headers = sign_webhook(&["new secret", "old secret"], "m", 100, b"body");
        assert!(verify_webhook("new secret", &headers, b"body", 100, 5));
        assert!(verify_webhook("old secret", &headers, b"body", 100, 5));
        assert!(!verify_webhook("third", &headers, b"body", 100, 5));
    }

    #[test]
    fn same_compares_whole_texts() {
        assert!(same("", ""));
        assert!(same("token", "token"));
        assert!(!same("token", "toke"));
        assert!(!same("token", "tokem"));
    }
}
