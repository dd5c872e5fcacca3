use ::migrations::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;
use storage::Db;
use test_db::{Kind, TestDb};

async fn texts(raw: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(raw.get_database_backend(), sql);
    let rows = raw.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

/// Tables, columns and indexes, one line each, without the table of the migrations themselves.
async fn schema(own: &TestDb, raw: &DatabaseConnection) -> Vec<String> {
    let sql = match own.kind() {
        Kind::Sqlite => {
            "SELECT COALESCE(sql, name) AS line FROM sqlite_master WHERE tbl_name <> 'seaql_migrations' ORDER BY line"
        }
        Kind::Postgres => {
            "SELECT CAST(table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS text) AS line \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' \
             UNION ALL SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public' \
             AND tablename <> 'seaql_migrations' ORDER BY line"
        }
    };
    texts(raw, sql).await
}

#[tokio::test]
async fn migrations_go_down_to_nothing_and_up_to_the_same_schema() {
    test_db::each_database(async |own| {
        let raw = own.connect().await;
        let before = schema(&own, &raw).await;
        assert!(
            before.iter().any(|line| line.contains("ix_delivery_lane")),
            "{before:#?}"
        );

        Migrator::down(&raw, None).await.unwrap();
        assert_eq!(schema(&own, &raw).await, [""; 0]);

        Migrator::up(&raw, None).await.unwrap();
        assert_eq!(schema(&own, &raw).await, before);
    })
    .await;
}

#[tokio::test]
async fn each_migration_can_be_taken_back_alone() {
    test_db::each_database(async |own| {
        let raw = own.connect().await;
        let whole = schema(&own, &raw).await;
        let n = u32::try_from(Migrator::migrations().len()).unwrap();
        let mut steps = Vec::new();
        for _ in 0..n {
            steps.push(schema(&own, &raw).await);
            Migrator::down(&raw, Some(1)).await.unwrap();
        }
        while let Some(expected) = steps.pop() {
            Migrator::up(&raw, Some(1)).await.unwrap();
            assert_eq!(schema(&own, &raw).await, expected);
        }
        assert_eq!(schema(&own, &raw).await, whole);
    })
    .await;
}

#[tokio::test]
async fn a_new_database_is_brought_up_to_date_once() {
    test_db::each_database(async |own| {
        let raw = own.connect().await;
        let whole = schema(&own, &raw).await;
        Migrator::down(&raw, None).await.unwrap();

        let (one, two) = (
            Db::connect(own.url(), 2).await.unwrap(),
            Db::connect(own.url(), 2).await.unwrap(),
        );
        one.ping().await.unwrap();
        if own.kind() == Kind::Postgres {
            // Several processes may start at once.
            let (first, second) = tokio::join!(one.migrate(), two.migrate());
            first.unwrap();
            second.unwrap();
        } else {
            one.migrate().await.unwrap();
            two.migrate().await.unwrap();
        }
        assert_eq!(schema(&own, &raw).await, whole);
        one.close().await.unwrap();
    })
    .await;
}
