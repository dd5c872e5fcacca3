//! Refusals, each a sentence that says what to do.

use thiserror::Error;

/// Why a file or a sheet cannot be read.
#[derive(Debug, Error)]
pub enum ImportError {
    /// There is nothing in it.
    #[error("Файл пуст. Проверьте, тот ли файл выбран")]
    Empty,
    /// More bytes than accepted.
    #[error("Файл больше {limit_mb} МБ. Разделите его на части и загрузите по очереди")]
    TooLarge {
        /// Accepted size in megabytes.
        limit_mb: u64,
    },
    /// Unpacks to more than accepted: a zip bomb, or a workbook full of formats.
    #[error(
        "После распаковки файл занимает больше {limit_mb} МБ. Сохраните только нужный лист в новый файл или в CSV"
    )]
    Unpacks {
        /// Accepted size in megabytes.
        limit_mb: u64,
    },
    /// More rows than accepted.
    #[error("В листе больше {limit} строк. Разделите файл на части и загрузите по очереди")]
    TooManyRows {
        /// Accepted rows.
        limit: u64,
    },
    /// More columns than accepted.
    #[error("В листе больше {limit} столбцов. Удалите лишние столбцы справа и сохраните файл снова")]
    TooManyColumns {
        /// Accepted columns.
        limit: usize,
    },
    /// Not a format that can be read.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A password is needed.
    #[error("Файл защищён паролем. Снимите защиту в Excel и сохраните файл снова")]
    Encrypted,
    /// The format is known, the content is broken.
    #[error("Файл повреждён и не читается. Откройте его в Excel или LibreOffice и сохраните снова")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No such sheet.
    #[error("В файле нет листа «{0}». Выберите другой лист")]
    NoSheet(String),
    /// No row that could be a header.
    #[error("В листе нет строк. Выберите другой лист или файл")]
    NoRows,
    /// The disk failed.
    #[error("Файл не прочитан с диска, попробуйте ещё раз")]
    Io(#[from] std::io::Error),
}
