//! What is odd is read, what means harm is refused in words.

use domain::field::{FieldKey, FieldType, SystemField};
use domain::time::Zone;
use domain::value::Value;
use importer::value::{Wanted, typed};
use importer::{Cell, Format, ImportError, Limits, Row};
use proptest::prelude::*;
use rust_xlsxwriter::{Formula, Workbook};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

fn read(path: &Path, sheet: &str, limits: Limits) -> Result<Vec<Row>, ImportError> {
    let found = importer::inspect(path, limits)?;
    let mut rows = Vec::new();
    importer::read(path, found.format, sheet, limits, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn written(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("книга.xlsx");
    let mut book = Workbook::new();
    fill(book.add_worksheet().set_name("Лист").unwrap());
    book.save(&path).unwrap();
    (folder, path)
}

#[test]
fn a_broken_formula_is_named_in_its_cell() {
    let (_folder, path) = written(|sheet| {
        sheet.write_string(0, 0, "Телефон").unwrap();
        sheet
            .write_formula(1, 0, Formula::new("=1/0").set_result("#DIV/0!"))
            .unwrap();
        sheet
            .write_formula(2, 0, Formula::new("=1+1").set_result("79991234567"))
            .unwrap();
    });
    let rows = read(&path, "Лист", Limits::default()).unwrap();
    let shown: Vec<String> = rows.iter().map(|row| row.cells[0].show()).collect();
    assert_eq!(shown, ["Телефон", "#ДЕЛ/0!", "79991234567"]);
    let phone = Wanted {
        key: FieldKey::System(SystemField::Phone),
        of_type: FieldType::Phone,
    };
    assert!(typed(&shown[1], phone, &Zone::moscow()).is_err());
}

#[test]
fn phones_in_scientific_form_are_read_or_told_to_be_cut() {
    let phone = Wanted {
        key: FieldKey::System(SystemField::Phone),
        of_type: FieldType::Phone,
    };
    let whole = typed("7,9991234567E+10", phone, &Zone::moscow()).unwrap();
    assert_eq!(whole, Some(Value::Texts(vec!["+79991234567".to_owned()])));
    let cut = typed("7,9991E+10", phone, &Zone::moscow()).unwrap_err();
    assert!(!cut.is_empty());
}

#[test]
fn an_empty_sheet_and_a_missing_one_are_told_apart() {
    let (_folder, path) = written(|_| {});
    assert!(read(&path, "Лист", Limits::default()).unwrap().is_empty());
    let missing = read(&path, "Другой", Limits::default());
    assert!(matches!(missing, Err(ImportError::NoSheet(name)) if name == "Другой"));
}

#[test]
fn too_many_columns_and_rows_are_refused() {
    let (_folder, path) = written(|sheet| {
        sheet.write_string(0, 16_383, "далеко").unwrap();
    });
    let wide = read(&path, "Лист", Limits::default());
    assert!(matches!(wide, Err(ImportError::TooManyColumns { limit: 200 })));
    let (_folder, path) = written(|sheet| {
        for row in 0..20 {
            sheet.write_string(row, 0, "строка").unwrap();
        }
    });
    let limits = Limits {
        rows: 10,
        ..Limits::default()
    };
    assert!(matches!(
        read(&path, "Лист", limits),
        Err(ImportError::TooManyRows { limit: 10 })
    ));
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("бомба.xlsx");
    let mut bomb = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let packed = zip::write::SimpleFileOptions::default();
    bomb.start_file("xl/workbook.xml", packed).unwrap();
    for _ in 0..32 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    bomb.finish().unwrap();
    assert!(
        std::fs::metadata(&path).unwrap().len() < 1 << 20,
        "it looks harmless"
    );
    let limits = Limits {
        unpacked: 16 << 20,
        ..Limits::default()
    };
    assert!(matches!(
        importer::inspect(&path, limits),
        Err(ImportError::Unpacks { limit_mb: 16 })
    ));
}

#[test]
fn what_a_file_is_stands_in_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("таблица.xls");
    std::fs::write(&path, "Телефон;Имя\n+79991234567;Анна\n").unwrap();
    let found = importer::inspect(&path, Limits::default()).unwrap();
    assert_eq!(
        found.format,
        Format::Csv {
            is_cp1251: false,
            delimiter: ';'
        }
    );
    for bytes in [
        &b"%PDF-1.7"[..],
        b"<html><table></table></html>",
        b"\xff\xfeT\x00",
        b"PK\x03\x04 cut off",
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(importer::inspect(&path, Limits::default()).is_err(), "{bytes:?}");
    }
    assert_eq!(Cell::text("\u{feff} '+7 999 "), Cell::Text("+7 999".to_owned()));
}

proptest! {
    #[test]
    fn any_bytes_give_rows_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..600), head in 0..4usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("любой");
        let start: &[u8] = [&b""[..], b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Телефон;Имя\n".as_bytes()][head];
        std::fs::write(&path, [start, &bytes].concat()).unwrap();
        let limits = Limits::default();
        if let Ok(found) = importer::inspect(&path, limits) {
            for sheet in &found.sheets {
                let _either = importer::read(&path, found.format, &sheet.name, limits, &mut |_| ControlFlow::Continue(()));
            }
        }
    }
}
