//! Rows of imports: `import_rows`.

use crate::support::*;
use domain::id::ImportId;
use storage::import_rows::{self, ImportRow, RowState};
use uuid::Uuid;

const FIRST: ImportId = ImportId(Uuid::from_u128(0xF1));
const SECOND: ImportId = ImportId(Uuid::from_u128(0xF2));

fn row(number: i64, state: RowState, key: Option<String>) -> ImportRow {
    ImportRow {
        number,
        state,
        key,
        cells: vec!["Анна".to_owned()],
        error: None,
        event: None,
    }
}

#[tokio::test]
async fn a_key_is_known_by_every_row_that_was_not_refused() {
    on_each(async |base| {
        let rows: Vec<ImportRow> = (1..)
            .zip(RowState::ALL)
            .map(|(number, state)| row(number, state, Some(state.as_str().to_owned())))
            .collect();
        import_rows::insert(&base.db, OURS, FIRST, &rows).await.unwrap();
        let without = row(9, RowState::Accepted, None);
        import_rows::insert(&base.db, OURS, FIRST, &[without])
            .await
            .unwrap();
        let again = row(7, RowState::Done, Some("done".to_owned()));
        import_rows::insert(&base.db, OURS, SECOND, &[again])
            .await
            .unwrap();
        let of_others = row(1, RowState::Done, Some("only theirs".to_owned()));
        import_rows::insert(&base.db, THEIRS, FIRST, &[of_others])
            .await
            .unwrap();

        let mut asked: Vec<&str> = RowState::ALL.iter().map(|state| state.as_str()).collect();
        // One asked for twice is told once.
        asked.extend(["done", "only theirs", "of nobody"]);
        let mut known = import_rows::known_keys(&base.db, OURS, &asked).await.unwrap();
        known.sort_by(|a, b| (&a.0, a.2).cmp(&(&b.0, b.2)));
        let expected = [
            ("accepted", FIRST, 1),
            ("done", FIRST, 4),
            ("done", SECOND, 7),
            ("queued", FIRST, 3),
            ("skipped", FIRST, 5),
        ];
        assert_eq!(
            known,
            expected.map(|(key, import, number)| (key.to_owned(), import, number))
        );
        assert_eq!(import_rows::known_keys(&base.db, OURS, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn more_keys_than_one_statement_carries_are_all_found() {
    on_each(async |base| {
        let keys: Vec<String> = (0..1201).map(|n| format!("7{n:010}")).collect();
        let rows: Vec<ImportRow> = (1..)
            .zip(&keys)
            .map(|(number, key)| row(number, RowState::Accepted, Some(key.clone())))
            .collect();
        import_rows::insert(&base.db, OURS, FIRST, &rows).await.unwrap();
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let known = import_rows::known_keys(&base.db, OURS, &asked).await.unwrap();
        assert_eq!(known.len(), keys.len());
    })
    .await;
}
