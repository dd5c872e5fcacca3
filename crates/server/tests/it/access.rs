//! The access table: every operation of the document, every kind of caller.

use crate::harness::{Caller, TestApp};
use crate::seeds::{Seeds, rule, seed};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use storage::accounts::{Role, Workspace};

/// Columns: anonymous, owner of another workspace, viewer, editor, owner, key with every scope of another
/// workspace, key to read, key to write rules, key to write events, key to manage.
///
/// `ok` is whatever is not a refusal of access; `-` stands for operations that need no workspace.
const TABLE: &str = "
    get_session             ok  -   -   -   -   -   -   -   -   -
    sign_in                 ok  -   -   -   -   -   -   -   -   -
    use_sign_in_link        ok  -   -   -   -   -   -   -   -   -
    set_up                  ok  -   -   -   -   -   -   -   -   -
    sign_out                ok  -   -   -   -   -   -   -   -   -
    live                    ok  -   -   -   -   -   -   -   -   -
    ready                   ok  -   -   -   -   -   -   -   -   -
    read_metrics            ok  -   -   -   -   -   -   -   -   -
    amocrm_callback         ok  -   -   -   -   -   -   -   -   -
    register                403 -   -   -   -   -   -   -   -   -
    look_at_invitation      ok  -   -   -   -   -   -   -   -   -
    accept_invitation       ok  -   -   -   -   -   -   -   -   -
    forget_password         ok  -   -   -   -   -   -   -   -   -
    reset_password          ok  -   -   -   -   -   -   -   -   -
    get_profile             401 ok  ok  ok  ok  403 403 403 403 403
    change_profile          401 ok  ok  ok  ok  403 403 403 403 403
    change_password         401 ok  ok  ok  ok  403 403 403 403 403
    delete_account          401 ok  ok  ok  ok  403 403 403 403 403
    export_account          401 ok  ok  ok  ok  403 403 403 403 403
    list_sessions           401 ok  ok  ok  ok  403 403 403 403 403
    end_session             401 404 404 404 404 403 403 403 403 403
    end_other_sessions      401 ok  ok  ok  ok  403 403 403 403 403
    begin_second_factor     401 ok  ok  ok  ok  403 403 403 403 403
    confirm_second_factor   401 ok  ok  ok  ok  403 403 403 403 403
    remove_second_factor    401 ok  ok  ok  ok  403 403 403 403 403
    list_invitations        401 404 403 403 ok  404 403 403 403 ok
    invite                  401 404 403 403 ok  404 403 403 403 ok
    withdraw_invitation     401 404 403 403 ok  404 403 403 403 ok
    change_role             401 404 403 403 ok  404 403 403 403 ok
    remove_member           401 404 403 403 ok  404 403 403 403 ok
    export_audit            401 404 ok  ok  ok  404 ok  403 403 403
    verify_audit            401 404 403 403 ok  404 403 403 403 ok
    receive_hook            404 -   -   -   -   -   -   -   -   -
    list_workspaces         401 ok  ok  ok  ok  ok  ok  ok  ok  ok
    get_workspace           401 404 ok  ok  ok  404 ok  403 403 403
    list_members            401 404 ok  ok  ok  404 ok  403 403 403
    list_audit_entries      401 404 ok  ok  ok  404 ok  403 403 403
    get_panel               401 404 ok  ok  ok  404 ok  403 403 403
    list_api_keys           401 404 403 403 ok  404 403 403 403 ok
    create_api_key          401 404 403 403 ok  404 403 403 403 ok
    revoke_api_key          401 404 403 403 ok  404 403 403 403 ok
    list_connections        401 404 ok  ok  ok  404 ok  403 403 403
    create_connection       401 404 403 403 ok  404 403 403 403 ok
    get_connection          401 404 ok  ok  ok  404 ok  403 403 403
    update_connection       401 404 403 403 ok  404 403 403 403 ok
    delete_connection       401 404 403 403 ok  404 403 403 403 ok
    check_connection        401 404 403 403 ok  404 403 403 403 ok
    reconcile_connection    401 404 403 403 ok  404 403 403 403 ok
    stop_connection         401 404 403 403 ok  404 403 403 403 ok
    start_connection        401 404 403 403 ok  404 403 403 403 ok
    subscribe_connection    401 404 403 403 ok  404 403 403 403 ok
    authorize_connection    401 404 403 403 ok  404 403 403 403 ok
    get_catalogue           401 404 ok  ok  ok  404 ok  403 403 403
    refresh_catalogue       401 404 403 403 ok  404 403 403 403 ok
    list_catalogue_changes  401 404 ok  ok  ok  404 ok  403 403 403
    list_rules              401 404 ok  ok  ok  404 ok  403 403 403
    create_rule             401 404 403 ok  ok  404 403 ok  403 403
    get_rule                401 404 ok  ok  ok  404 ok  403 403 403
    save_rule               401 404 403 ok  ok  404 403 ok  403 403
    delete_rule             401 404 403 ok  ok  404 403 ok  403 403
    enable_rule             401 404 403 ok  ok  404 403 ok  403 403
    disable_rule            401 404 403 ok  ok  404 403 ok  403 403
    reorder_rules           401 404 403 ok  ok  404 403 ok  403 403
    publish_rule            401 404 403 ok  ok  404 403 ok  403 403
    list_rule_cycles        401 404 ok  ok  ok  404 ok  403 403 403
    list_rule_versions      401 404 ok  ok  ok  404 ok  403 403 403
    get_rule_version        401 404 ok  ok  ok  404 ok  403 403 403
    restore_rule_version    401 404 403 ok  ok  404 403 ok  403 403
    copy_rule               401 404 403 ok  ok  404 403 ok  403 403
    export_rule             401 404 ok  ok  ok  404 ok  403 403 403
    import_rule             401 404 403 ok  ok  404 403 ok  403 403
    list_templates          401 404 ok  ok  ok  404 ok  403 403 403
    get_template            401 404 ok  ok  ok  404 ok  403 403 403
    use_template            401 404 403 ok  ok  404 403 ok  403 403
    list_sweeps             401 404 ok  ok  ok  404 ok  403 403 403
    cancel_sweep            401 404 403 ok  ok  404 403 403 ok  403
    preview_rule_start      401 404 403 ok  ok  404 403 403 ok  403
    start_rule_by_hand      401 404 403 ok  ok  404 403 403 ok  403
    get_rule_schedule       401 404 ok  ok  ok  404 ok  403 403 403
    replay_events           401 404 403 ok  ok  404 403 403 ok  403
    list_rule_cases         401 404 ok  ok  ok  404 ok  403 403 403
    create_rule_case        401 404 403 ok  ok  404 403 ok  403 403
    save_rule_case          401 404 403 ok  ok  404 403 ok  403 403
    delete_rule_case        401 404 403 ok  ok  404 403 ok  403 403
    validate_rule           401 404 ok  ok  ok  404 ok  403 403 403
    dry_run_rule            401 404 ok  ok  ok  404 ok  403 403 403
    compare_rules           401 404 ok  ok  ok  404 ok  403 403 403
    list_trial_events       401 404 ok  ok  ok  404 ok  403 403 403
    get_trial_event         401 404 ok  ok  ok  404 ok  403 403 403
    read_trial_body         401 404 ok  ok  ok  404 ok  403 403 403
    get_retention           401 404 ok  ok  ok  404 ok  403 403 403
    put_retention           401 404 403 403 ok  404 403 403 403 ok
    list_stops              401 404 ok  ok  ok  404 ok  403 403 403
    stop_workspace          401 404 403 403 ok  404 403 403 403 ok
    start_workspace         401 404 403 403 ok  404 403 403 403 ok
    stop_rule               401 404 403 ok  ok  404 403 ok  403 403
    start_rule              401 404 403 ok  ok  404 403 ok  403 403
    stop_installation       401 404 404 404 404 404 404 404 404 404
    start_installation      401 404 404 404 404 404 404 404 404 404
    get_chronicle           401 404 ok  ok  ok  404 ok  403 403 403
    follow_changes          401 404 ok  ok  ok  404 ok  403 403 403
    list_delivery_causes    401 404 ok  ok  ok  404 ok  403 403 403
    list_events             401 404 ok  ok  ok  404 ok  403 403 403
    get_event               401 404 ok  ok  ok  404 ok  403 403 403
    replay_event            401 404 403 ok  ok  404 403 403 ok  403
    list_deliveries         401 404 ok  ok  ok  404 ok  403 403 403
    replay_deliveries       401 404 403 ok  ok  404 403 403 ok  403
    get_delivery            401 404 ok  ok  ok  404 ok  403 403 403
    replay_delivery         401 404 403 ok  ok  404 403 403 ok  403
    cancel_delivery         401 404 403 ok  ok  404 403 403 ok  403
    list_links              401 404 ok  ok  ok  404 ok  403 403 403
    edit_link               401 404 403 ok  ok  404 403 403 ok  403
    delete_link             401 404 403 ok  ok  404 403 403 ok  403
    list_imports            401 404 ok  ok  ok  404 ok  403 403 403
    upload_files            401 404 403 ok  ok  404 403 403 403 403
    get_import              401 404 ok  ok  ok  404 ok  403 403 403
    describe_import         401 404 403 ok  ok  404 403 403 403 403
    delete_import           401 404 403 ok  ok  404 403 403 403 403
    check_import            401 404 403 ok  ok  404 403 403 403 403
    start_import            401 404 403 ok  ok  404 403 403 403 403
    pause_import            401 404 403 ok  ok  404 403 403 403 403
    resume_import           401 404 403 ok  ok  404 403 403 403 403
    cancel_import           401 404 403 ok  ok  404 403 403 403 403
    list_import_rows        401 404 ok  ok  ok  404 ok  403 403 403
    edit_import_row         401 404 403 ok  ok  404 403 403 403 403
    download_failed_rows    401 404 ok  ok  ok  404 ok  403 403 403
    list_call_results       401 404 ok  ok  ok  404 ok  403 403 403
    add_call_result         401 404 403 ok  ok  404 403 403 403 403
    get_call_result         401 404 ok  ok  ok  404 ok  403 403 403
    set_call_result         401 404 403 ok  ok  404 403 403 403 403
    resend_call_result      401 404 403 ok  ok  404 403 403 403 403
    resend_call_results     401 404 403 ok  ok  404 403 403 403 403
    export_call_results     401 404 ok  ok  ok  404 ok  403 403 403
    count_call_results      401 404 ok  ok  ok  404 ok  403 403 403
    create_call_rule        401 404 403 ok  ok  404 403 ok  403 403
    get_call_recording      401 404 ok  ok  ok  404 403 403 403 403
    get_call_settings       401 404 ok  ok  ok  404 ok  403 403 403
    save_call_settings      401 404 403 403 ok  404 403 403 403 ok
    leave_workspace         401 404 ok  ok  ok  404 403 403 403 403
";

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(server::openapi::text()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
            });
        }
    }
    all
}

fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    TABLE
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.collect())
        })
        .collect()
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let rows: BTreeSet<String> = table().iter().map(|(id, _)| (*id).to_owned()).collect();
    let known: BTreeSet<String> = operations().into_iter().map(|operation| operation.id).collect();
    assert_eq!(rows, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_holds() {
    let app = TestApp::empty().await;
    let ours = app.workspace("наш").await;
    let other = app.workspace("чужой").await;
    let mut stranger = app.member(&other, Role::Owner).await;
    stranger.workspace = Some(ours.id.to_string());
    let mut strange_key = app
        .script(&other, &["read", "rules", "events", "imports", "admin"])
        .await;
    strange_key.workspace = Some(ours.id.to_string());
    let callers = [
        app.anonymous(),
        stranger,
        app.member(&ours, Role::Viewer).await,
        app.member(&ours, Role::Editor).await,
        app.member(&ours, Role::Owner).await,
        strange_key,
        app.script(&ours, &["read"]).await,
        app.script(&ours, &["rules"]).await,
        app.script(&ours, &["events"]).await,
        app.script(&ours, &["admin"]).await,
    ];
    let operations = operations();
    let mut wrong = Vec::new();
    for (id, expected) in table() {
        let operation = operations.iter().find(|operation| operation.id == id).unwrap();
        assert_eq!(expected.len(), callers.len(), "{id}");
        for (at, (expected, caller)) in expected.iter().zip(&callers).enumerate() {
            if *expected == "-" {
                continue;
            }
            let got = call(&app, &ours, operation, caller).await;
            if got != *expected {
                wrong.push(format!("{id}, column {at}: {got} instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Another workspace's ids are as good as none, also for somebody with every right in their own.
#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_workspace_name_nothing() {
    let app = TestApp::empty().await;
    let ours = app.workspace("наш").await;
    let other = app.workspace("чужой").await;
    let owner = app.member(&other, Role::Owner).await;
    let mut wrong = Vec::new();
    for operation in operations()
        .iter()
        .filter(|operation| operation.path.contains('{'))
    {
        // Templates belong to no workspace.
        if operation.id == "receive_hook" || operation.path.contains("{template}") {
            continue;
        }
        let got = call(&app, &ours, operation, &owner).await;
        if got != "404" {
            wrong.push(format!("{}: {got}", operation.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Calls an operation on fresh rows of our workspace; says how access was decided.
async fn call(app: &TestApp, ours: &Workspace, operation: &Operation, caller: &Caller) -> String {
    let seeds = seed(app, ours).await;
    let path = operation
        .path
        .replace("{connection}", &seeds.connection.to_string())
        .replace("{rule}", &seeds.rule.to_string())
        .replace("{version}", &seeds.version.to_string())
        .replace("{case}", &seeds.case.to_string())
        .replace("{template}", "deal-to-calls")
        .replace("{sweep}", &seeds.sweep.to_string())
        .replace("{event}", &seeds.event.to_string())
        .replace("{delivery}", &seeds.delivery.to_string())
        .replace("{link}", &seeds.link.to_string())
        .replace("{api_key}", &seeds.api_key.to_string())
        .replace("{import}", &seeds.import.to_string())
        .replace("{row}", "2")
        .replace("{call}", &seeds.call.to_string())
        .replace("{invitation}", &seeds.invitation.to_string())
        .replace("{user}", &seeds.user.to_string())
        .replace("{session}", &seeds.event.to_string())
        .replace("{kind}", "amocrm")
        .replace("{secret}", "unknown");
    let path = if operation.id == "amocrm_callback" {
        format!("{path}?state=x")
    } else {
        path
    };
    let mut request = caller
        .request(operation.method.clone(), &path)
        .header("if-match", format!("\"{}\"", seeds.row_version));
    if let Some(body) = body(app, ours, &operation.id, &seeds).await {
        request = request.json(&body);
    }
    let answer = caller.send(request).await;
    match answer.status {
        401 if answer.problem() == "wrong-credentials" => "ok".to_owned(),
        status @ (401 | 403 | 404) => status.to_string(),
        status if status < 500 || answer.problem() == "crm-failed" => "ok".to_owned(),
        _ => format!("{answer:?}"),
    }
}

async fn body(app: &TestApp, ours: &Workspace, operation: &str, seeds: &Seeds) -> Option<Value> {
    let document = rule(seeds.connection);
    Some(match operation {
        "sign_in" => json!({ "email": "nobody@example.ru", "password": "неверный пароль" }),
        "use_sign_in_link" => json!({ "token": "x" }),
        "set_up" => json!({ "token": "x", "email": "a@example.ru", "name": "А", "password": "длинный пароль",
            "workspace": "К" }),
        "register" | "forget_password" => json!({ "email": "nobody@example.ru" }),
        "look_at_invitation" | "accept_invitation" => json!({ "token": "x" }),
        "reset_password" => json!({ "token": "x", "password": "длинный пароль" }),
        "change_profile" => json!({ "name": "Имя" }),
        "change_password" => json!({ "current": "x", "password": "длинный пароль" }),
        "delete_account" | "begin_second_factor" | "remove_second_factor" => json!({ "password": "x" }),
        "confirm_second_factor" => json!({ "code": "000000" }),
        "invite" => json!({ "email": format!("{}@example.ru", seeds.user), "role": "viewer" }),
        "change_role" => json!({ "role": "editor" }),
        "create_api_key" => json!({ "name": "ключ", "scopes": ["read"] }),
        "create_connection" => json!({ "kind": "amocrm", "domain": "not an account",
            "auth": { "method": "token", "token": "x" } }),
        "put_retention" => json!({ "bodies_days": 5 }),
        "update_connection" => json!({ "name": "новое имя" }),
        "create_rule" | "save_rule" | "validate_rule" => json!({ "draft": document }),
        "start_rule_by_hand" | "preview_rule_start" => json!({ "records": ["5"] }),
        "replay_events" => json!({}),
        "import_rule" => {
            let rules = app.engine().rules();
            json!(rules.export(ours.id, seeds.rule).await.unwrap())
        }
        "create_rule_case" | "save_rule_case" => crate::seeds::case_form(),
        "reorder_rules" => {
            let rules = storage::rules::list(app.engine().db(), ours.id).await.unwrap();
            json!({ "rules": rules.iter().map(|rule| rule.id).collect::<Vec<_>>() })
        }
        "dry_run_rule" => json!({ "rule": document, "event_id": seeds.event }),
        "compare_rules" => json!({ "before": document, "after": document }),
        "read_trial_body" => json!({ "connection_id": seeds.connection, "body": "leads[add][0][id]=1" }),
        "replay_event" | "stop_workspace" | "stop_rule" | "stop_installation" => json!({}),
        "replay_deliveries" => json!({ "ids": [seeds.delivery] }),
        "describe_import" => {
            json!({ "purpose": "calls", "connection_id": seeds.connection, "duplicates": "skip" })
        }
        "edit_import_row" => json!({ "cells": ["+79991234567"] }),
        "add_call_result" => json!({ "connection_id": seeds.connection, "phone": "+79991234567" }),
        "set_call_result" => json!({ "result": "Отказ" }),
        "create_call_rule" => json!({ "source_id": seeds.connection, "amocrm_id": seeds.connection }),
        "save_call_settings" => json!({ "results": ["Отказ"], "steps": [], "dispositions": [] }),
        "edit_link" => json!({ "deal_id": "7", "lead_id": seeds.link.to_string() }),
        _ => return None,
    })
}
