//! Sealing and opening secrets, key rotation, constant-time checks.
