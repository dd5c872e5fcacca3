//! Files and results of calls: every row once, every call once.

use crate::house::{House, LEAD_ROBOT};
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::Value;
use engine::EngineError;
use engine::calls::Heard;
use engine::failpoint::Point;
use engine::imports::{Duplicates, Import, Place, Purpose, Wish};
use futures::TryStreamExt;
use std::time::{Duration, UNIX_EPOCH};
use storage::audit::Actor;
use storage::call_results::{self, CallFilter, Order};
use storage::import_rows::{self, RowState};
use storage::imports::ImportState;

async fn upload(house: &House, text: &str) -> Import {
    let imports = house.engine.imports();
    let path = imports.upload_path().await.unwrap();
    std::fs::write(&path, text).unwrap();
    imports
        .begin(house.workspace, "клиенты.csv", &path)
        .await
        .unwrap()
}

async fn checked(house: &House, id: domain::id::ImportId) -> Import {
    let imports = house.engine.imports();
    imports.check(house.workspace, id).await.unwrap();
    house.engine.step().await.unwrap();
    let import = imports.find(house.workspace, id).await.unwrap();
    assert_eq!(import.state, ImportState::Checked, "{:?}", import.error);
    import
}

async fn count(house: &House, import: &Import, state: RowState) -> i64 {
    let counts = import_rows::counts(house.engine.db(), house.workspace, import.id)
        .await
        .unwrap();
    counts.iter().find(|(it, _)| *it == state).map_or(0, |(_, n)| *n)
}

fn into_leads(house: &House) -> Wish {
    Wish {
        purpose: Purpose::Contacts,
        sheet: String::new(),
        connection: house.lpt,
        columns: None,
        place: Some(Place {
            stage: LEAD_ROBOT,
            responsible: None,
        }),
        duplicates: Duplicates::Skip,
    }
}

#[tokio::test]
async fn good_rows_become_leads_once_and_the_others_say_why_not() {
    House::each(async |house| {
        let imports = house.engine.imports();
        let text =
            "Телефон;Имя\n8 999 123-45-67;Анна\nнет;Борис\n+79991234567;Анна ещё раз\n+79991234568;=Вера\n";
        let import = upload(&house, text).await;
        imports
            .describe(house.workspace, import.id, into_leads(&house))
            .await
            .unwrap();
        let import = checked(&house, import.id).await;
        assert_eq!(count(&house, &import, RowState::Accepted).await, 2);
        assert_eq!(count(&house, &import, RowState::Duplicate).await, 1);
        assert_eq!(count(&house, &import, RowState::Failed).await, 1);
        assert_eq!(import.plan.stats.columns[0].n_errors, 1);
        assert_eq!(import.plan.stats.columns[0].examples[0].0, 3);

        imports
            .start(house.workspace, &Actor::system(), import.id)
            .await
            .unwrap();
        house.settle().await;
        let import = imports.find(house.workspace, import.id).await.unwrap();
        assert_eq!(import.state, ImportState::Done);
        assert_eq!(count(&house, &import, RowState::Done).await, 2);
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), 2);

        // The failed row comes back corrected; the good ones are known.
        let failed = imports.failed_rows(house.workspace, import.id).await.unwrap();
        let size = std::fs::metadata(&failed).unwrap().len();
        std::fs::remove_file(&failed).unwrap();
        assert!(size > 0);
        let again = upload(
            &house,
            "Телефон;Имя;Ошибка\n+79991234569;Борис;x\n+79991234567;Анна;\n",
        )
        .await;
        assert_eq!(
            again.plan.columns[0], import.plan.columns[0],
            "the mapping is remembered"
        );
        imports
            .describe(house.workspace, again.id, into_leads(&house))
            .await
            .unwrap();
        let again = checked(&house, again.id).await;
        assert_eq!(again.plan.stats.n_earlier, 1);
        let again = imports
            .start(house.workspace, &Actor::system(), again.id)
            .await
            .unwrap();
        assert_eq!(again.rule, import.rule, "imports into one place share a rule");
        house.settle().await;
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_import_hands_nothing_more_over() {
    House::each(async |house| {
        let imports = house.engine.imports();
        let import = upload(&house, "Телефон\n+79991234567\n").await;
        imports
            .describe(house.workspace, import.id, into_leads(&house))
            .await
            .unwrap();
        let import = checked(&house, import.id).await;
        imports
            .start(house.workspace, &Actor::system(), import.id)
            .await
            .unwrap();
        imports.pause(house.workspace, import.id).await.unwrap();
        house.settle().await;
        assert!(house.lptracker.records(RecordKind::Lead).is_empty());
        imports.cancel(house.workspace, import.id).await.unwrap();
        house.settle().await;
        assert!(house.lptracker.records(RecordKind::Lead).is_empty());
        assert_eq!(count(&house, &import, RowState::Skipped).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_import_can_be_given_up_while_it_is_read() {
    House::each(async |house| {
        let imports = house.engine.imports();
        let rows: String = (0..9_000).map(|n| format!("+7999{n:07};Клиент {n}\n")).collect();
        let import = upload(&house, &format!("Телефон;Имя\n{rows}")).await;
        let wish = into_leads(&house);
        imports.describe(house.workspace, import.id, wish).await.unwrap();
        imports.check(house.workspace, import.id).await.unwrap();
        let (read, given_up) = tokio::join!(house.engine.step(), imports.cancel(house.workspace, import.id));
        read.unwrap();
        assert_eq!(given_up.unwrap().state, ImportState::Cancelled);
        assert_eq!(count(&house, &import, RowState::Accepted).await, 0);
        let refused = imports.resume(house.workspace, import.id).await.unwrap_err();
        assert!(matches!(refused, EngineError::WrongMoment { .. }), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn an_import_without_its_connection_ends_and_holds_no_other_back() {
    House::each(async |house| {
        let imports = house.engine.imports();
        let orphan = upload(&house, "Телефон\n+79991234567\n").await;
        let wish = into_leads(&house);
        imports.describe(house.workspace, orphan.id, wish).await.unwrap();
        let orphan = checked(&house, orphan.id).await;
        let actor = Actor::system();
        imports.start(house.workspace, &actor, orphan.id).await.unwrap();
        house
            .engine
            .connections()
            .delete(house.workspace, &actor, house.lpt)
            .await
            .unwrap();

        let other = upload(&house, "Телефон\n+79991234568\n").await;
        let wish = Wish {
            connection: house.amo,
            place: None,
            ..into_leads(&house)
        };
        imports.describe(house.workspace, other.id, wish).await.unwrap();
        checked(&house, other.id).await;
        let orphan = imports.find(house.workspace, orphan.id).await.unwrap();
        assert_eq!(orphan.state, ImportState::Cancelled);
        assert!(
            orphan
                .error
                .is_some_and(|text| text.contains("Подключение удалено"))
        );
    })
    .await;
}

#[tokio::test]
async fn uploads_that_broke_off_are_taken_away_and_those_under_way_are_not() {
    House::each(async |house| {
        let imports = house.engine.imports();
        let (old, fresh) = (
            imports.upload_path().await.unwrap(),
            imports.upload_path().await.unwrap(),
        );
        for (path, minutes) in [(&old, 61), (&fresh, 59)] {
            let now = u64::try_from(house.engine.clock().now().0).unwrap();
            let at = UNIX_EPOCH + Duration::from_millis(now) - Duration::from_secs(60 * minutes);
            std::fs::File::create(path).unwrap().set_modified(at).unwrap();
        }
        let import = upload(&house, "Телефон\n+79991234567\n").await;
        imports.tidy().await.unwrap();
        assert!(!old.exists());
        assert!(fresh.exists());
        checked(&house, import.id).await;
        std::fs::remove_file(&fresh).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_call_that_arrives_by_webhook_polling_and_file_is_one_row() {
    House::each(async |house| {
        let at = Timestamp::from_secs(1_780_000_000);
        let call = Record::new(RecordKind::Call, "linked-1")
            .with(SystemField::At, Value::Instant(at))
            .with(SystemField::Duration, Value::Number(65.into()))
            .with(SystemField::Disposition, Value::text("NO ANSWER"))
            .with(SystemField::Phone, Value::Texts(vec!["+79991234567".to_owned()]));
        let lead = Record::new(RecordKind::Lead, "5");
        let fact = Fact {
            kind: EventKind::CallFinished,
            key: RecordKey::new(RecordKind::Call, "linked-1"),
            occurred_at: Some(at),
            record: call.clone(),
            related: vec![lead.clone()],
            before: Vec::new(),
            changed: None,
            author: None,
            dedupe: "call:5:linked-1".to_owned(),
        };
        house.tell(house.lpt, vec![fact]).await;
        let polled = Heard::of_records(house.lpt, "poll", &[call, lead], &Zone::moscow()).unwrap();
        assert!(
            !house
                .engine
                .calls()
                .add(house.workspace, polled)
                .await
                .unwrap()
                .is_new
        );

        // The file knows the minute, and brings the operator.
        let minute = domain::calendar::local(at, &Zone::moscow())
            .unwrap()
            .format("%d.%m.%Y %H:%M");
        let import = upload(
            &house,
            &format!("Телефон;Дата звонка;Длительность;Оператор\n89991234567;{minute};01:05;Иванова\n"),
        )
        .await;
        assert_eq!(import.purpose, "calls");
        let import = checked(&house, import.id).await;
        house
            .engine
            .imports()
            .start(house.workspace, &Actor::system(), import.id)
            .await
            .unwrap();
        house.settle().await;

        let (db, wanted) = (house.engine.db(), CallFilter::default());
        let rows = call_results::list(db, house.workspace, &wanted, Order::Newest, None, 10)
            .await
            .unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = &rows[0];
        assert_eq!(
            (row.source.as_str(), row.result.as_deref()),
            ("webhook", Some("Не отвечает"))
        );
        assert_eq!(row.operator.as_deref(), Some("Иванова"));
        assert_eq!(row.lead.as_ref().map(|id| id.0.as_str()), Some("5"));
        let (calls, zone) = (house.engine.calls(), Zone::moscow());
        let reader = calls.csv_reader(house.workspace);
        let pages: Vec<Vec<u8>> = reader
            .lines(wanted, Order::Newest, zone)
            .try_collect()
            .await
            .unwrap();
        let lines = String::from_utf8(pages.concat()).unwrap();
        assert!(lines.contains("+79991234567;;Не отвечает;65"), "{lines}");
    })
    .await;
}

/// Three deaths on the way of a file of several pieces and windows: read on, handed over, every row once.
#[tokio::test]
async fn an_import_killed_again_and_again_hands_every_row_over_once() {
    const ROWS: i64 = 4_500;
    House::each(async |house| {
        let rows: String = (0..ROWS).map(|n| format!("+7999{n:07};Клиент {n}\n")).collect();
        let import = upload(&house, &format!("Телефон;Имя\n{rows}")).await;
        let (imports, wish) = (
            house.engine.imports(),
            Wish {
                place: None,
                ..into_leads(&house)
            },
        );
        imports.describe(house.workspace, import.id, wish).await.unwrap();
        imports.check(house.workspace, import.id).await.unwrap();
        let mut positions = Vec::new();
        for point in [Point::ImportRead, Point::ImportRows, Point::ImportRead] {
            let lived = house.process(Some(point), async |engine| engine.step().await.unwrap());
            assert!(lived.is_none(), "{point:?}");
            positions.push(imports.find(house.workspace, import.id).await.unwrap().n_rows);
        }
        assert_eq!(
            positions,
            [2_000, 2_000, 4_000],
            "each goes on where the one before it died"
        );
        house.engine.step().await.unwrap();
        assert_eq!(count(&house, &import, RowState::Accepted).await, ROWS);

        imports
            .start(house.workspace, &Actor::system(), import.id)
            .await
            .unwrap();
        for point in [Point::ImportHanded, Point::ImportMarked, Point::ImportEvents] {
            let lived = house.process(Some(point), async |engine| {
                engine.settle(500).await.unwrap();
            });
            assert!(lived.is_none(), "{point:?}");
            house.clock.advance(60_000);
        }
        house.engine.settle(500).await.unwrap();
        let import = imports.find(house.workspace, import.id).await.unwrap();
        assert_eq!(import.state, ImportState::Done);
        // No rule takes such rows, which is said of each.
        assert_eq!(count(&house, &import, RowState::Skipped).await, ROWS);
        let mut events = std::collections::BTreeSet::new();
        let mut after = 0;
        while let Some(last) = {
            let db = house.engine.db();
            let rows = import_rows::list(db, house.workspace, import.id, None, after, 1000)
                .await
                .unwrap();
            events.extend(rows.iter().filter_map(|row| row.event));
            rows.last().map(|row| row.number)
        } {
            after = last;
        }
        assert_eq!(events.len() as i64, ROWS, "each row has an event of its own");
        let (mut n_stored, mut before) = (0, None);
        loop {
            let page = storage::PageOf { limit: 1000, before };
            let filter = storage::events::EventFilter::default();
            let stored = storage::events::list(house.engine.db(), house.workspace, &filter, page)
                .await
                .unwrap();
            let Some(last) = stored.last() else { break };
            before = Some(last.event.id.0);
            n_stored += stored.len() as i64;
        }
        assert_eq!(n_stored, ROWS, "no row was handed over twice");
    })
    .await;
}
