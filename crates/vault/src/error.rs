//! What can go wrong. No variant carries key material, plain text or sealed text.

use thiserror::Error;

/// Why something was not sealed or opened.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum VaultError {
    /// The text is not one that this crate made.
    #[error("запечатанный текст повреждён: {part}")]
    Malformed {
        /// Which part could not be read.
        part: &'static str,
    },
    /// Sealed by a key that is not in the ring (any more).
    #[error("нет ключа «{id}», которым запечатан секрет")]
    UnknownKey {
        /// Id of the missing key.
        id: String,
    },
    /// Another key, other associated data, or changed bytes: they cannot be told apart.
    #[error("секрет не открывается: другой ключ, другой владелец или изменённые данные")]
    NotOpened,
    /// Opened, but not text.
    #[error("открытый секрет не является текстом")]
    NotText,
    /// The operating system gave no random bytes.
    #[error("система не дала случайных чисел")]
    NoRandomness,
}

/// Why a configured key is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeyError {
    /// There must be one to seal with.
    #[error("не задан ни один ключ запечатывания; создайте его: openssl rand -base64 32")]
    NoKeys,
    /// An id that would not fit into the sealed form.
    #[error("недопустимое имя ключа: от 1 до 32 латинских букв, цифр, «-» и «_»")]
    BadId,
    /// The same id twice.
    #[error("ключ «{id}» задан дважды")]
    Repeated {
        /// The id.
        id: String,
    },
    /// Neither base64 nor hexadecimal.
    #[error(
        "ключ «{id}» записан не в base64 и не в шестнадцатеричном виде; создайте новый: openssl rand -base64 32"
    )]
    NotEncoded {
        /// The id.
        id: String,
    },
    /// Not 32 bytes.
    #[error(
        "ключ «{id}» должен содержать ровно 32 байта, а содержит {bytes}; создайте новый: openssl rand -base64 32"
    )]
    WrongLength {
        /// The id.
        id: String,
        /// Length found, in bytes.
        bytes: usize,
    },
    /// Typed by hand, taken from an example or of one repeated byte.
    #[error("ключ «{id}» не случаен (пример, фраза или повтор); создайте новый: openssl rand -base64 32")]
    Guessable {
        /// The id.
        id: String,
    },
}
