//! Files and results of calls through the HTTP API.

use crate::harness::{Caller, TestApp, Wanted};
use crate::seeds::seed;
use serde_json::{Value, json};
use storage::accounts::{Role, Workspace};

struct Stage {
    app: TestApp,
    workspace: Workspace,
    editor: Caller,
    connection: String,
}

async fn stage(file: &str) -> Stage {
    let wanted = Wanted {
        file: file.to_owned(),
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let workspace = app.workspace("наш").await;
    let connection = seed(&app, &workspace).await.connection.to_string();
    let editor = app.member(&workspace, Role::Editor).await;
    Stage {
        app,
        workspace,
        editor,
        connection,
    }
}

impl Stage {
    async fn upload(&self, name: &str, content: &str) -> Value {
        let answer = self
            .editor
            .upload("/api/v1/imports", &[(name, content.as_bytes())])
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["items"][0]["import"].clone()
    }

    async fn post(&self, path: &str) -> Value {
        let answer = self.editor.post(path, &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

const CALLS: &str = "Телефон;Дата звонка;Длительность;Результат;Оператор\n\
    8 999 123-45-01;24.11.2025 10:00;65;Заинтересован;Иванова\n\
    нет;24.11.2025 10:05;12;Отказ;Иванова\n\
    +79991234502;25.11.2025 11:00;5;Недозвон;Петров\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_from_upload_to_its_failed_rows() {
    let it = stage("").await;
    let import = it.upload("звонки.csv", CALLS).await;
    let address = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    assert_eq!(import["purpose"], "calls");
    assert_eq!(import["format"], "CSV, UTF-8");
    assert_eq!(import["columns"][0]["field"], "call.phone");
    assert_eq!(import["columns"][0]["samples"][0], "8 999 123-45-01");

    // A mistake in the columns is told with its place.
    let columns = [
        "call.phone",
        "call.at",
        "call.nothing",
        "call.result",
        "call.operator",
    ];
    let form = |columns: &[&str]| json!({ "purpose": "calls", "connection_id": it.connection, "columns": columns, "duplicates": "skip" });
    let request = it.editor.request(reqwest::Method::PUT, &address);
    let refused = it.editor.send(request.json(&form(&columns))).await;
    assert_eq!(refused.problem(), "invalid");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/columns/2");
    let columns = [
        "call.phone",
        "call.at",
        "call.duration",
        "call.result",
        "call.operator",
    ];
    let request = it.editor.request(reqwest::Method::PUT, &address);
    let described = it.editor.send(request.json(&form(&columns))).await;
    assert_eq!(described.status, 200, "{described:?}");

    it.post(&format!("{address}/check")).await;
    it.app.engine().settle(20).await.unwrap();
    let checked = it.editor.get(&address).await.json();
    assert_eq!(checked["state"], "checked");
    assert_eq!(checked["columns"][0]["n_errors"], 1);
    assert_eq!(checked["columns"][0]["examples"][0]["row"], 3);
    let failed = it
        .editor
        .get(&format!("{address}/rows?state=failed"))
        .await
        .json();
    assert_eq!(failed["items"][0]["number"], 3);

    // A correction is followed by the report, for the better and for the worse.
    for (phone, n_errors) in [("+79991234503", 0), ("нет", 1)] {
        let cells = json!({ "cells": [phone, "24.11.2025 10:05", "12", "Отказ", "Иванова"] });
        let request = it
            .editor
            .request(reqwest::Method::PUT, &format!("{address}/rows/3"));
        assert_eq!(it.editor.send(request.json(&cells)).await.status, 200);
        let column = it.editor.get(&address).await.json()["columns"][0].clone();
        assert_eq!(column["n_errors"], n_errors);
        assert_eq!(column["examples"].as_array().unwrap().len(), n_errors);
    }

    it.post(&format!("{address}/start")).await;
    it.app.engine().settle(20).await.unwrap();
    let done = it.editor.get(&address).await.json();
    assert_eq!(done["state"], "done");
    assert_eq!(
        (&done["counts"]["n_done"], &done["counts"]["n_failed"]),
        (&json!(2), &json!(1))
    );

    for action in ["check", "start", "pause", "resume", "cancel"] {
        let refused = it.editor.post(&format!("{address}/{action}"), &json!({})).await;
        assert_eq!((refused.status, refused.problem().as_str()), (409, "conflict"));
        let said = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.contains("уже завершена"), "{action}: {said}");
    }

    let file = it
        .editor
        .send_bytes(
            it.editor
                .request(reqwest::Method::GET, &format!("{address}/failed-rows")),
        )
        .await;
    assert!(file.starts_with(b"PK"), "a workbook");
    let answer = it
        .editor
        .upload("/api/v1/imports", &[("ошибки.xlsx", &file)])
        .await;
    let again = answer.json()["items"][0]["import"].clone();
    assert_eq!(again["format"], "XLSX", "{answer:?}");
    assert_eq!(
        again["columns"][0]["field"], "call.phone",
        "the mapping is remembered"
    );
    assert_eq!(again["columns"][5]["name"], "Ошибка");
    assert_eq!(again["columns"][5].get("field"), None);
    let list = it.editor.get("/api/v1/imports").await.json();
    assert_eq!(list["items"][1]["counts"]["n_done"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_are_refused_in_words_and_leave_nothing_behind() {
    let it = stage("[files]\nmax_file_mb = 1\n").await;
    let path = "/api/v1/imports";
    let both = it
        .editor
        .upload(path, &[("пусто.xlsx", b""), ("звонки.csv", CALLS.as_bytes())])
        .await;
    assert_eq!(both.status, 201, "{both:?}");
    assert!(
        both.json()["items"][0]["error"]
            .as_str()
            .unwrap()
            .contains("пуст")
    );
    let pdf = it.editor.upload(path, &[("книга.xlsx", b"%PDF-1.7 ...")]).await;
    assert_eq!(pdf.problem(), "invalid");
    assert!(
        pdf.json()["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("PDF")
    );
    let big = it
        .editor
        .upload(path, &[("большой.csv", &vec![b'1'; (1 << 20) + 1])])
        .await;
    assert_eq!(big.problem(), "too-large");
    let none = it.editor.upload(path, &[]).await;
    assert!(["invalid", "bad-request"].contains(&none.problem().as_str()));
    let json = it.editor.post(path, &json!({})).await;
    assert_eq!(json.problem(), "unsupported-media-type");
    let folder = it.app.engine().imports().upload_path().await.unwrap();
    let left = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().path().extension().is_some());
    assert_eq!(left.count(), 0, "nothing half written stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_repeated_with_its_key_is_one_import() {
    let it = stage("").await;
    let before = it.editor.get("/api/v1/imports").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{CALLS}\r\n--frontier--\r\n"
        );
        let request = it
            .editor
            .request(reqwest::Method::POST, "/api/v1/imports")
            .header("content-type", "multipart/form-data; boundary=frontier")
            .header("idempotency-key", "one")
            .body(body);
        ids.push(it.editor.send(request).await.json()["items"][0]["import"]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    let after = it.editor.get("/api/v1/imports").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(after, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_added_filtered_exported_and_counted() {
    let it = stage("").await;
    let script = it.app.script(&it.workspace, &["imports"]).await;
    let path = "/api/v1/call-results";
    let call = |n: i64, result: &str| {
        json!({ "connection_id": it.connection, "call_id": format!("c{n}"), "phone": format!("8999000000{n}"),
            "at": 1_764_000_000_000_i64 + n * 86_400_000, "duration": n * 10, "result": result, "comment": "=1+1" })
    };
    for (n, result) in [(1, "Отказ"), (2, "Заинтересован"), (3, "Отказ")] {
        let added = script.post(path, &call(n, result)).await;
        assert_eq!(added.status, 201, "{added:?}");
        assert_eq!(added.json()["is_new"], true);
        assert_eq!(added.json()["result"]["source"], "api");
    }
    let again = script.post(path, &call(1, "Отказ")).await.json();
    assert_eq!(again["is_new"], false);
    let unknown = script.post(path, &call(4, "Невиданное")).await;
    assert_eq!(unknown.json()["errors"][0]["pointer"], "/result");
    let nobody = script
        .post(
            path,
            &json!({ "connection_id": it.connection, "result": "Отказ" }),
        )
        .await;
    assert_eq!(nobody.json()["errors"][0]["pointer"], "/phone");

    let first = it
        .editor
        .get(&format!("{path}?result=Отказ&order=longest&limit=1"))
        .await
        .json();
    assert_eq!(first["items"][0]["duration"], 30);
    let next = first["next"].as_str().unwrap();
    let second = it
        .editor
        .get(&format!(
            "{path}?result=Отказ&order=longest&limit=1&cursor={next}"
        ))
        .await
        .json();
    assert_eq!(second["items"][0]["duration"], 10);
    assert_eq!(second.get("next"), None);
    let found = it
        .editor
        .get(&format!("{path}?text=8(999)000-00-02"))
        .await
        .json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");

    // A download is a plain address, which names its workspace.
    let mut browser = it.app.member(&it.workspace, Role::Viewer).await;
    let workspace = browser.workspace.take().unwrap();
    let csv = browser
        .get(&format!(
            "{path}/export?format=csv&result=Отказ&workspace={workspace}"
        ))
        .await;
    assert!(
        csv.header("content-disposition").starts_with("attachment"),
        "{csv:?}"
    );
    let lines: Vec<&str> = csv.text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].contains("'=1+1"), "no formula: {}", lines[1]);
    let xlsx = it
        .editor
        .request(reqwest::Method::GET, &format!("{path}/export?result=Отказ"));
    assert!(it.editor.send_bytes(xlsx).await.starts_with(b"PK"));

    let figures = it
        .editor
        .get(&format!("{path}/figures?result=Отказ"))
        .await
        .json();
    let days: Vec<&str> = figures
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["day"].as_str().unwrap())
        .collect();
    assert_eq!(days, ["2025-11-25", "2025-11-27"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_results_are_the_owners_and_checked() {
    let it = stage("").await;
    let owner = it.app.member(&it.workspace, Role::Owner).await;
    let mut settings = owner.get("/api/v1/call-settings").await.json();
    assert_eq!(settings["results"].as_array().unwrap().len(), 6);
    settings["results"]
        .as_array_mut()
        .unwrap()
        .push(json!("Автоответчик"));
    settings["steps"] = json!([{ "stage": { "pipeline": 1, "status": 2 }, "result": "Автоответчик" }]);
    let put = |body: &Value| {
        owner
            .request(reqwest::Method::PUT, "/api/v1/call-settings")
            .json(body)
    };
    assert_eq!(owner.send(put(&settings)).await.status, 200);
    assert_eq!(owner.get("/api/v1/call-settings").await.json(), settings);
    settings["steps"][0]["result"] = json!("Нет такого");
    let refused = owner.send(put(&settings)).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_streamed_to_people_only_and_from_allowed_hosts_only() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let sandbox = app.sandbox.as_ref().unwrap();
    let client = reqwest::Client::new();
    let control = |path: &str| format!("{}/_sandbox/{path}", sandbox.lptracker_url.trim_end_matches('/'));
    let board: Value = client
        .get(control("lptracker/board"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let lead = board["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|step| step["leads"].get(0))
        .expect("a lead in the demo");
    let outcome = json!({ "lead_id": lead["id"], "disposition": "ANSWER", "duration": 65, "record": true });
    let called = client
        .post(control("lptracker/ui/call-outcome"))
        .json(&outcome)
        .send()
        .await
        .unwrap();
    assert!(called.status().is_success());
    client
        .post(control("webhooks/idle"))
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    app.engine().settle(50).await.unwrap();

    let rows = person.get("/api/v1/call-results").await.json();
    let row = &rows["items"][0];
    assert_eq!(row["has_recording"], true, "{rows}");
    assert!(
        !rows.to_string().contains("records/"),
        "the address is never shown: {rows}"
    );
    let path = format!("/api/v1/call-results/{}/recording", row["id"].as_str().unwrap());
    let whole = person
        .send_bytes(person.request(reqwest::Method::GET, &path))
        .await;
    assert!(whole.starts_with(b"RIFF"));
    let part = person
        .request(reqwest::Method::GET, &path)
        .header("range", "bytes=4-7");
    let answer = part.try_clone().unwrap().send().await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "audio/wav");
    assert_eq!(
        answer.headers()["content-range"],
        format!("bytes 4-7/{}", whole.len())
    );
    assert_eq!(person.send_bytes(part).await, whole[4..8]);
    let beyond = person
        .request(reqwest::Method::GET, &path)
        .header("range", "bytes=999999999-");
    assert_eq!(person.send(beyond).await.problem(), "bad-request");

    let made = person
        .post("/api/v1/api-keys", &json!({ "name": "к", "scopes": ["read"] }))
        .await
        .json();
    let mut script = app.anonymous();
    script.key = Some(made["secret"].as_str().unwrap().to_owned());
    assert_eq!(script.get(&path).await.problem(), "forbidden");
    assert_eq!(app.anonymous().get(&path).await.status, 401);

    for address in ["https://evil.example/1.mp3", "https://169.254.169.254/latest"] {
        let form = json!({ "phone": "+79990000001", "call_id": address, "recording": address });
        let added = person.post("/api/v1/call-results", &form).await.json();
        let path = format!(
            "/api/v1/call-results/{}/recording",
            added["result"]["id"].as_str().unwrap()
        );
        assert_eq!(person.get(&path).await.problem(), "conflict", "{address}");
    }
}
