//! Deaths of a process while it reads a file or hands its rows over.

use super::{Scene, dies, play};
use crate::house::House;
use domain::record::RecordKind;

/// Rows of the file of these scenes.
const ROWS: usize = 24;

async fn import_of_leads(house: &House) -> domain::id::ImportId {
    let imports = house.engine.imports();
    let path = imports.upload_path().await.unwrap();
    let rows: String = (0..ROWS)
        .map(|n| format!("+7999000{n:04};Клиент {n}\n"))
        .collect();
    std::fs::write(&path, format!("Телефон;Имя\n{rows}")).unwrap();
    let import = imports
        .begin(house.workspace, "клиенты.csv", &path)
        .await
        .unwrap();
    let wish = engine::imports::Wish {
        purpose: engine::imports::Purpose::Contacts,
        sheet: String::new(),
        connection: house.lpt,
        columns: None,
        place: Some(engine::imports::Place {
            stage: crate::house::LEAD_ROBOT,
            responsible: None,
        }),
        duplicates: engine::imports::Duplicates::Skip,
    };
    imports.describe(house.workspace, import.id, wish).await.unwrap();
    imports.check(house.workspace, import.id).await.unwrap();
    import.id
}

/// Every row is one lead, and the import knows it.
async fn every_row_once(house: &House, id: domain::id::ImportId) {
    for _ in 0..20 {
        house.settle().await;
        house.clock.advance(5_000);
    }
    let import = house.engine.imports().find(house.workspace, id).await.unwrap();
    assert_eq!(import.state, storage::imports::ImportState::Done);
    let counts = house.engine.imports().counts(&import).await.unwrap();
    assert_eq!(counts, [(storage::import_rows::RowState::Done, ROWS as i64)]);
    assert_eq!(house.lptracker.records(RecordKind::Lead).len(), ROWS);
    assert_eq!(house.lptracker.records(RecordKind::LeadContact).len(), ROWS);
}

#[tokio::test]
async fn a_file_whose_reader_dies_is_read_on_and_no_row_twice() {
    play(Scene::Checking, async |house, point| {
        let id = import_of_leads(house).await;
        dies(house, point);
        house.engine.step().await.unwrap();
        let import = house.engine.imports().find(house.workspace, id).await.unwrap();
        assert_eq!(
            (import.state, import.n_rows),
            (storage::imports::ImportState::Checked, ROWS as i64)
        );
        house
            .engine
            .imports()
            .start(house.workspace, &storage::audit::Actor::system(), id)
            .await
            .unwrap();
        every_row_once(house, id).await;
    })
    .await;
}

#[tokio::test]
async fn rows_handed_over_by_a_dying_process_are_handed_over_once() {
    play(Scene::Importing, async |house, point| {
        let id = import_of_leads(house).await;
        house.engine.step().await.unwrap();
        house
            .engine
            .imports()
            .start(house.workspace, &storage::audit::Actor::system(), id)
            .await
            .unwrap();
        dies(house, point);
        every_row_once(house, id).await;
    })
    .await;
}
