//! The databases that other tests are given: migrated, of their own, and gone afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use migrations::Migrator;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::MigratorTrait;
use test_db::{Kind, TestDb};

/// One column of one row.
async fn text(db: &TestDb, sql: &str) -> String {
    let connection = db.connect().await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection
        .query_one_raw(statement)
        .await
        .unwrap()
        .expect("one row");
    let value = row.try_get_by_index(0).unwrap();
    connection.close().await.unwrap();
    value
}

async fn execute(db: &TestDb, sql: &str) {
    let connection = db.connect().await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn database_is_migrated_to_the_newest_version() {
    test_db::each_database(|db| async move {
        let connection = db.connect().await;
        assert_eq!(
            Migrator::get_pending_migrations(&connection).await.unwrap().len(),
            0
        );
        assert_eq!(
            Migrator::get_applied_migrations(&connection).await.unwrap().len(),
            Migrator::migrations().len()
        );
    })
    .await;
}

#[tokio::test]
async fn databases_do_not_see_each_other() {
    test_db::each_database(|first| async move {
        let second = match first.kind() {
            Kind::Sqlite => test_db::sqlite().await,
            Kind::Postgres => test_db::postgres().await,
        };
        assert_ne!(first.url(), second.url());
        execute(&first, "CREATE TABLE only_here (id INTEGER)").await;
        execute(&second, "CREATE TABLE only_here (id INTEGER)").await;
    })
    .await;
}

#[tokio::test]
async fn sqlite_is_in_write_ahead_mode_and_its_file_is_deleted() {
    let db = test_db::sqlite().await;
    assert_eq!(text(&db, "PRAGMA journal_mode").await, "wal");
    let file = db
        .url()
        .trim_start_matches("sqlite://")
        .trim_end_matches("?mode=rwc")
        .to_owned();
    assert!(std::path::Path::new(&file).is_file());
    drop(db);
    assert!(!std::path::Path::new(&file).exists());
}

#[tokio::test]
async fn postgres_database_is_dropped_even_with_open_connections() {
    if std::env::var(test_db::SQLITE_ONLY_VARIABLE).is_ok_and(|value| value == "1") {
        return;
    }
    let observer = test_db::postgres().await;
    let db = test_db::postgres().await;
    let name = text(&db, "SELECT current_database()::text").await;
    let open = db.connect().await;
    let count = format!("SELECT count(*)::text FROM pg_database WHERE datname = '{name}'");
    assert_eq!(text(&observer, &count).await, "1");
    drop(db);
    assert_eq!(text(&observer, &count).await, "0");
    drop(open);
}
