//! The main path: create, read, move, hear about it.

use serde_json::json;

use crate::lab::{Lab, Receiver};

#[tokio::test]
async fn deal_with_contact_is_created_moved_and_told_of() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    lab.subscribe(
        &receiver,
        &["add_lead", "update_lead", "status_lead", "add_contact"],
    )
    .await;
    let body = json!([{
        "name": "Заявка", "price": 100, "status_id": sandbox::STATUS_NEW, "pipeline_id": sandbox::PIPELINE_SALES,
        "_embedded": {"contacts": [{"first_name": "Иван", "custom_fields_values": [
            {"field_code": "PHONE", "values": [{"value": "+79000000001", "enum_code": "WORK"}]}]}]},
    }]);
    let made = lab.post("leads/complex", body).await.ok();
    let id = made[0]["id"].as_i64().expect("an id");
    let lead = lab.get(&format!("leads/{id}?with=contacts")).await.ok();
    assert_eq!(lead["_embedded"]["contacts"][0]["id"], made[0]["contact_id"]);
    lab.patch(
        &format!("leads/{id}"),
        json!({"status_id": sandbox::STATUS_TO_CALL}),
    )
    .await
    .ok();
    lab.idle().await;
    assert_eq!(
        receiver.facts(),
        ["contacts[add]", "leads[add]", "leads[status]", "leads[update]"]
    );
    let account = lab.get("account?with=users_groups,task_types").await.ok();
    assert_eq!(account["id"], sandbox::DEMO_AMOCRM_ACCOUNT);
    for path in [
        "users",
        "leads/pipelines",
        "leads/custom_fields",
        "contacts?query=Ивановa",
        "leads?with=contacts",
    ] {
        let reply = lab.get(path).await;
        assert!(matches!(reply.status, 200 | 204), "{path}: {reply:?}");
    }
    let board = lab
        .request("GET", "/_sandbox/amocrm/board")
        .send()
        .await
        .expect("a board");
    assert_eq!(board.status(), 200);
}
