//! What the loop guard stops, and that a person is told.

use crate::house::House;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::Record;
use domain::run::RunOutcome;
use domain::value::Value;
use storage::audit::{self, AuditFilter, Entry};
use storage::{PageOf, rules, runs};

const HOUR_MS: i64 = 3_600_000;

/// Names the deal by its price.
pub(crate) fn by_price() -> serde_json::Value {
    serde_json::json!({
        "name": "Назвать по цене", "source": "AMO", "triggers": [{"kind": "deal_updated"}],
        "condition": {"all": []},
        "actions": [{"connection": "AMO", "do": "update", "target": "trigger", "mapping": [
            {"record": "deal", "field": "name", "from": {"template": "Цена {{deal.price}}"}}
        ]}]
    })
}

/// The deal as a robot of the CRM leaves it, which answers every naming with another price.
pub(crate) fn named(deal: &Record, price: i64) -> Record {
    deal.clone()
        .with(SystemField::Name, Value::text(format!("Цена {}", price - 1)))
        .with(SystemField::Price, Value::Number(price.into()))
}

/// Both keep at it.
pub(crate) async fn goes_round(house: &House, deal: &Record, prices: std::ops::Range<i64>) {
    for price in prices {
        house.changed(EventKind::DealUpdated, named(deal, price)).await;
        house.settle().await;
    }
}

async fn told(house: &House) -> Vec<Entry> {
    let all = AuditFilter::default();
    let entries = audit::list(house.engine.db(), house.workspace, &all, PageOf::default())
        .await
        .unwrap();
    entries
        .into_iter()
        .filter(|entry| entry.action == "rule.loop_stopped")
        .collect()
}

#[tokio::test]
async fn a_chain_that_is_too_long_is_stopped_and_told_of_once_an_hour() {
    House::each(async |house| {
        house.publish(by_price()).await;
        let max = i64::from(house.engine.context().settings.max_chain);
        let deal = house.deal(7, 70, "+79991234567");
        goes_round(&house, &deal, 0..max + 1).await;
        assert!(told(&house).await.is_empty(), "так далеко ещё можно");
        let rule = rules::list(house.engine.db(), house.workspace)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(rule.attention, None);

        goes_round(&house, &deal, max + 1..max + 4).await;
        let last = house.events().await.pop().unwrap().event.id;
        let runs = runs::of_event(house.engine.db(), house.workspace, last)
            .await
            .unwrap();
        assert_eq!(runs[0].outcome, RunOutcome::LoopGuard);
        assert_eq!(house.amocrm.applied().len() as i64, max + 1);
        let entries = told(&house).await;
        assert_eq!(entries.len(), 1, "трижды остановлено, сказано один раз");
        assert_eq!(entries[0].subject_id, rule.id.to_string());
        let rule = rules::find(house.engine.db(), house.workspace, rule.id)
            .await
            .unwrap();
        assert!(rule.attention.unwrap().contains("зацикливания"));

        // Reading the catalogue anew does not take the mark away.
        let connections = house.engine.connections();
        connections
            .refresh_catalogue(house.workspace, house.amo)
            .await
            .unwrap();
        let marked = rules::find(house.engine.db(), house.workspace, rule.id)
            .await
            .unwrap();
        assert!(marked.attention.is_some());

        // After an hour it is told anew.
        house.clock.advance(HOUR_MS);
        goes_round(&house, &deal, 100..100 + max + 2).await;
        assert_eq!(told(&house).await.len(), 2);
    })
    .await;
}
