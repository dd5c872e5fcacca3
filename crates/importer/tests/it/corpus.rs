//! The same sheet, written by openpyxl, LibreOffice, SheetJS and ourselves: the same rows come out of each.

use importer::{Cell, Format, Header, Limits};
use rust_xlsxwriter::{Format as Look, Workbook};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const HEADER: [&str; 6] = [
    "Телефон",
    "Имя",
    "Дата звонка",
    "Длительность",
    "Сумма",
    "Комментарий",
];

fn expected() -> Vec<Vec<&'static str>> {
    vec![
        HEADER.to_vec(),
        vec![
            "79991234567",
            "Анна",
            "24.11.2026 10:00",
            "00:01:05",
            "1500.5",
            "звонила сама",
        ],
        vec![
            "+7 999 123-45-68",
            "Борис\nвторая строка",
            "25.11.2026 11:30",
            "00:12",
            "",
            "",
        ],
        vec![
            "89991234569",
            "Вера",
            "26.11.2026",
            "01:00:00",
            "0.3",
            "перезвонить",
        ],
    ]
}

/// The rows from the header on, as people see them.
fn rows(path: &Path, sheet: &str) -> Vec<Vec<String>> {
    let limits = Limits::default();
    let found = importer::inspect(path, limits).unwrap();
    let mut rows = Vec::new();
    importer::read(path, found.format, sheet, limits, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })
    .unwrap();
    let header = Header::find(&rows).expect("a header");
    let from_header = rows.iter().filter(|row| row.number >= header.row);
    from_header
        .map(|row| {
            let mut cells: Vec<String> = row.cells.iter().map(Cell::show).collect();
            cells.resize(HEADER.len(), String::new());
            cells
        })
        .collect()
}

fn corpus(name: &str) -> PathBuf {
    let crate_root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_root.join("tests/corpus").join(name)
}

fn check(name: &str, format: Format) {
    let path = corpus(name);
    let found = importer::inspect(&path, Limits::default()).unwrap();
    assert_eq!(found.format, format, "{name}");
    let sheets: Vec<(&str, bool)> = found
        .sheets
        .iter()
        .map(|it| (it.name.as_str(), it.is_hidden))
        .collect();
    assert_eq!(
        sheets,
        [("Черновик", true), ("Клиенты", false), ("Пусто", false)],
        "{name}"
    );
    assert_eq!(rows(&path, "Клиенты"), expected(), "{name}");
}

#[test]
fn openpyxl_writes_the_same_rows() {
    check("openpyxl.xlsx", Format::Xlsx);
}

#[test]
fn libreoffice_writes_the_same_rows() {
    check("libreoffice.xlsx", Format::Xlsx);
    check("libreoffice.xls", Format::Xls);
    check("libreoffice.ods", Format::Ods);
}

#[test]
fn sheetjs_writes_the_same_rows() {
    check("sheetjs.xlsx", Format::Xlsx);
    check("sheetjs.xls", Format::Xls);
}

/// Its ODS has blanks between cells, which the reader does not take: the file is refused in words, not misread.
#[test]
fn sheetjs_writes_ods_that_has_to_be_saved_anew() {
    let refused = importer::inspect(&corpus("sheetjs.ods"), Limits::default()).unwrap_err();
    assert!(refused.to_string().contains("сохраните снова"), "{refused}");
}

#[test]
fn our_own_writer_writes_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.xlsx");
    let mut book = Workbook::new();
    book.add_worksheet()
        .set_name("Черновик")
        .unwrap()
        .set_hidden(true);
    let sheet = book.add_worksheet().set_name("Клиенты").unwrap();
    sheet
        .merge_range(0, 0, 0, 5, "Выгрузка за ноябрь", &Look::new())
        .unwrap();
    sheet.write_row(1, 0, HEADER).unwrap();
    let look = |format: &str| Look::new().set_num_format(format);
    sheet.write_number(2, 0, 79_991_234_567.0).unwrap();
    sheet.write_string(2, 1, "Анна").unwrap();
    sheet
        .write_number_with_format(2, 2, 46_350.0 + 10.0 / 24.0, &look("dd.mm.yyyy hh:mm"))
        .unwrap();
    sheet
        .write_number_with_format(2, 3, 65.0 / 86_400.0, &look("[h]:mm:ss"))
        .unwrap();
    sheet.write_number(2, 4, 1500.5).unwrap();
    sheet.write_string(2, 5, "звонила сама").unwrap();
    let second = [
        "'+7 999 123-45-68",
        "Борис\nвторая строка",
        "25.11.2026 11:30",
        "00:12",
    ];
    sheet.write_row(3, 0, second).unwrap();
    sheet
        .write_number_with_format(4, 0, 89_991_234_569.0, &look("0.00E+00"))
        .unwrap();
    sheet.write_string(4, 1, "Вера").unwrap();
    sheet
        .write_number_with_format(4, 2, 46_352.0, &look("dd.mm.yyyy"))
        .unwrap();
    sheet
        .write_number_with_format(4, 3, 1.0 / 24.0, &look("[h]:mm:ss"))
        .unwrap();
    sheet.write_number(4, 4, 0.1 + 0.2).unwrap();
    sheet.write_string(4, 5, "перезвонить").unwrap();
    sheet.set_active(true);
    book.save(&path).unwrap();
    assert_eq!(rows(&path, "Клиенты"), expected());
}

#[test]
fn text_in_four_spellings_is_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |delimiter: &str| -> String {
        let quoted = expected().into_iter().map(|row| {
            let cells: Vec<String> = row.iter().map(|cell| format!("\"{cell}\"")).collect();
            cells.join(delimiter) + "\r\n"
        });
        quoted.collect()
    };
    let bom = |text: String| ["\u{feff}".as_bytes(), text.as_bytes()].concat();
    let old = |text: String| encoding_rs::WINDOWS_1251.encode(&text).0.into_owned();
    for (name, bytes) in [
        ("semicolon", lines(";").into_bytes()),
        ("comma with a mark", bom(lines(","))),
        ("tab", lines("\t").into_bytes()),
        ("semicolon in Windows-1251", old(lines(";"))),
    ] {
        let path = folder.path().join("clients.xlsx");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(rows(&path, ""), expected(), "{name}");
    }
}
