//! What a file is, decided by its content, and whether it may be read at all.

use crate::error::ImportError;
use calamine::{Ods, Reader, SheetVisible, Xls, Xlsx, open_workbook};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// What is accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes after unpacking.
    pub unpacked: u64,
    /// Rows of a sheet, its header included.
    pub rows: u64,
    /// Columns of a sheet.
    pub columns: usize,
}

impl Default for Limits {
    /// 50 MB, 1 GB unpacked, 500,000 rows, 200 columns.
    fn default() -> Self {
        Self {
            bytes: 50 << 20,
            unpacked: 1 << 30,
            rows: 500_000,
            columns: 200,
        }
    }
}

/// How the bytes are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "format")]
pub enum Format {
    /// Excel since 2007.
    Xlsx,
    /// Excel before.
    Xls,
    /// LibreOffice.
    Ods,
    /// Text with a delimiter.
    Csv {
        /// Written in Windows-1251 instead of UTF-8.
        is_cp1251: bool,
        /// `;`, `,`, tab or `|`.
        delimiter: char,
    },
}

/// A sheet of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SheetInfo {
    /// Its name; of a CSV, empty.
    pub name: String,
    /// Hidden in Excel.
    pub is_hidden: bool,
}

/// What a look at a file tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Inspection {
    /// How to read it.
    #[serde(flatten)]
    pub format: Format,
    /// Its sheets in order.
    pub sheets: Vec<SheetInfo>,
}

/// Looks at a file and refuses what cannot be read, before anything is unpacked for good.
pub fn inspect(path: &Path, limits: Limits) -> Result<Inspection, ImportError> {
    let size = std::fs::metadata(path)?.len();
    if size == 0 {
        return Err(ImportError::Empty);
    }
    if size > limits.bytes {
        return Err(ImportError::TooLarge {
            limit_mb: limits.bytes >> 20,
        });
    }
    let mut head = Vec::with_capacity(8192);
    File::open(path)?.take(8192).read_to_end(&mut head)?;
    if head.starts_with(b"PK\x03\x04") {
        return zipped(path, limits);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let book: Xls<_> = open_workbook(path).map_err(old_excel)?;
        return Ok(Inspection {
            format: Format::Xls,
            sheets: sheets(&book),
        });
    }
    let format = text_format(path, &head)?;
    Ok(Inspection {
        format,
        sheets: vec![SheetInfo {
            name: String::new(),
            is_hidden: false,
        }],
    })
}

fn old_excel(error: calamine::XlsError) -> ImportError {
    // A protected .xlsx is an old container around the encrypted new one.
    match error {
        calamine::XlsError::Password => ImportError::Encrypted,
        other if other.to_string().contains("Workbook") => ImportError::Encrypted,
        other => ImportError::Damaged(Box::new(other)),
    }
}

fn zipped(path: &Path, limits: Limits) -> Result<Inspection, ImportError> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))
        .map_err(|error| ImportError::Damaged(Box::new(error)))?;
    let too_much = || ImportError::Unpacks {
        limit_mb: limits.unpacked >> 20,
    };
    let (mut declared, mut is_xlsx, mut is_ods) = (0u64, false, false);
    for at in 0..archive.len() {
        let entry = archive
            .by_index_raw(at)
            .map_err(|error| ImportError::Damaged(Box::new(error)))?;
        declared = declared.saturating_add(entry.size());
        let name = entry
            .name()
            .map_err(|error| ImportError::Damaged(Box::new(error)))?;
        is_xlsx |= name.eq_ignore_ascii_case("xl/workbook.xml");
        is_ods |= name == "content.xml";
    }
    if declared > limits.unpacked || archive.len() > 10_000 {
        return Err(too_much());
    }
    // The declared sizes may lie: each part is run through once, no further than it says.
    for at in 0..archive.len() {
        let mut entry = archive
            .by_index(at)
            .map_err(|error| ImportError::Damaged(Box::new(error)))?;
        let size = entry.size();
        let n_read = std::io::copy(
            &mut (&mut entry).take(size.saturating_add(1)),
            &mut std::io::sink(),
        )
        .map_err(|error| ImportError::Damaged(Box::new(error)))?;
        if n_read > size {
            return Err(too_much());
        }
    }
    if is_xlsx {
        let book: Xlsx<_> = open_workbook(path).map_err(|error| match error {
            calamine::XlsxError::Password => ImportError::Encrypted,
            other => ImportError::Damaged(Box::new(other)),
        })?;
        Ok(Inspection {
            format: Format::Xlsx,
            sheets: sheets(&book),
        })
    } else if is_ods {
        let book: Ods<_> = open_workbook(path).map_err(|error| match error {
            calamine::OdsError::Password => ImportError::Encrypted,
            other => ImportError::Damaged(Box::new(other)),
        })?;
        Ok(Inspection {
            format: Format::Ods,
            sheets: sheets(&book),
        })
    } else {
        Err(ImportError::Unsupported(
            "Это архив или документ другого вида. Загрузите таблицу: XLSX, XLS, ODS или CSV",
        ))
    }
}

fn sheets<R: Reader<BufReader<File>>>(book: &R) -> Vec<SheetInfo> {
    book.sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == calamine::SheetType::WorkSheet)
        .map(|sheet| SheetInfo {
            name: sheet.name.clone(),
            is_hidden: sheet.visible != SheetVisible::Visible,
        })
        .collect()
}

fn text_format(path: &Path, head: &[u8]) -> Result<Format, ImportError> {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(ImportError::Unsupported(
            "Текст сохранён в кодировке UTF-16. Сохраните файл как «CSV UTF-8» или XLSX",
        ));
    }
    if head.starts_with(b"%PDF") {
        return Err(ImportError::Unsupported(
            "Это PDF. Загрузите таблицу: XLSX, XLS, ODS или CSV",
        ));
    }
    let lower = String::from_utf8_lossy(head).to_ascii_lowercase();
    if ["<html", "<!doctype html", "<table", "<?xml"].iter().any(|mark| {
        lower
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with(mark)
    }) {
        return Err(ImportError::Unsupported(
            "Внутри файла веб-страница или XML, а не таблица. Откройте его в Excel и сохраните как XLSX",
        ));
    }
    if head.contains(&0) {
        return Err(ImportError::Unsupported(
            "Это не таблица. Загрузите XLSX, XLS, ODS или CSV",
        ));
    }
    let is_cp1251 = !is_utf8(path)?;
    let text = if is_cp1251 {
        encoding_rs::WINDOWS_1251
            .decode_without_bom_handling(head)
            .0
            .into_owned()
    } else {
        String::from_utf8_lossy(head).into_owned()
    };
    if text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .is_empty()
    {
        return Err(ImportError::Empty);
    }
    Ok(Format::Csv {
        is_cp1251,
        delimiter: delimiter(&text),
    })
}

fn is_utf8(path: &Path) -> Result<bool, ImportError> {
    let mut file = File::open(path)?;
    let (mut buffer, mut kept) = (vec![0u8; 64 * 1024], 0);
    loop {
        let n_read = file.read(&mut buffer[kept..])?;
        if n_read == 0 {
            return Ok(kept == 0);
        }
        let filled = kept + n_read;
        match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => kept = 0,
            // Cut in the middle of a character: it goes on in the next piece.
            Err(error) if error.error_len().is_none() => {
                let valid = error.valid_up_to();
                buffer.copy_within(valid..filled, 0);
                kept = filled - valid;
            }
            Err(_) => return Ok(false),
        }
    }
}

/// The sign that divides most of the first lines into the same number of parts, more than one.
fn delimiter(text: &str) -> char {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(sign) = text.strip_prefix("sep=").and_then(|rest| rest.chars().next()) {
        return sign;
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(20)
        .collect();
    let score = |sign: char| {
        let counts: Vec<usize> = lines.iter().map(|line| parts(line, sign)).collect();
        let most = counts.iter().copied().max().unwrap_or_default();
        if most == 0 {
            return (0, 0);
        }
        (counts.iter().filter(|count| **count == most).count(), most)
    };
    [';', '\t', ',', '|']
        .into_iter()
        .rev()
        .max_by_key(|sign| score(*sign))
        .unwrap_or(';')
}

fn parts(line: &str, sign: char) -> usize {
    let mut is_quoted = false;
    line.chars()
        .filter(|c| {
            is_quoted ^= *c == '"';
            *c == sign && !is_quoted
        })
        .count()
}
