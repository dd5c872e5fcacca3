//! The HTTP edge: the route table and what stands around it.

pub mod access;
pub mod app;
pub mod client_address;
pub mod convert;
mod cross_site;
pub mod docs;
mod download;
pub mod edge;
pub mod extract;
mod once;
pub mod problem;
pub mod pulses;
pub mod routes;
pub mod session;
pub mod slow;
pub mod spa;
pub mod story;
mod upload;

use crate::http::problem::Problem;
use crate::http::routes::{
    account, api_keys, call_results, chronicle, connections, deliveries, events, health, hooks, imports,
    joining, links, metrics, oauth, recordings, retention, rule_cases, rule_travel, rules, sessions, stops,
    stream, sweeps, templates, trials, workspaces,
};
use crate::http::session::Sessions;
use crate::http::spa::Interface;
use crate::openapi;
use ::api::problem::ProblemType;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every operation of the API. Literal paths stand before those with an id in the same place.
pub fn api(config: &mut ServiceConfig<'_>) {
    config
        .service(sessions::get_session)
        .service(sessions::sign_in)
        .service(sessions::use_sign_in_link)
        .service(sessions::set_up)
        .service(sessions::sign_out)
        .service(joining::register)
        .service(joining::look_at_invitation)
        .service(joining::accept_invitation)
        .service(joining::forget_password)
        .service(joining::reset_password)
        .service(account::get_profile)
        .service(account::change_profile)
        .service(account::change_password)
        .service(account::delete_account)
        .service(account::export_account)
        .service(account::list_sessions)
        .service(account::end_session)
        .service(account::end_other_sessions)
        .service(account::begin_second_factor)
        .service(account::confirm_second_factor)
        .service(account::remove_second_factor)
        .service(joining::list_invitations)
        .service(joining::invite)
        .service(joining::withdraw_invitation)
        .service(joining::change_role)
        .service(joining::remove_member)
        .service(joining::leave_workspace)
        .service(workspaces::list_workspaces)
        .service(workspaces::get_workspace)
        .service(workspaces::list_members)
        .service(workspaces::list_audit_entries)
        .service(workspaces::export_audit)
        .service(workspaces::verify_audit)
        .service(workspaces::get_panel)
        .service(api_keys::list_api_keys)
        .service(api_keys::create_api_key)
        .service(api_keys::revoke_api_key)
        .service(connections::list_connections)
        .service(connections::create_connection)
        .service(connections::get_connection)
        .service(connections::update_connection)
        .service(connections::delete_connection)
        .service(connections::check_connection)
        .service(connections::reconcile_connection)
        .service(connections::stop_connection)
        .service(connections::start_connection)
        .service(connections::subscribe_connection)
        .service(connections::authorize_connection)
        .service(connections::get_catalogue)
        .service(connections::refresh_catalogue)
        .service(connections::list_catalogue_changes)
        .service(rules::list_rules)
        .service(rules::create_rule)
        .service(rules::reorder_rules)
        .service(rules::list_rule_cycles)
        .service(rules::validate_rule)
        .service(rules::dry_run_rule)
        .service(rules::compare_rules)
        .service(rule_travel::import_rule)
        .service(rules::get_rule)
        .service(rules::save_rule)
        .service(rules::delete_rule)
        .service(rules::enable_rule)
        .service(rules::disable_rule)
        .service(rules::publish_rule)
        .service(rules::list_rule_versions)
        .service(rules::get_rule_version)
        .service(rules::restore_rule_version)
        .service(rule_travel::copy_rule)
        .service(rule_travel::export_rule)
        .service(templates::list_templates)
        .service(templates::get_template)
        .service(templates::use_template)
        .service(rule_cases::list_rule_cases)
        .service(rule_cases::create_rule_case)
        .service(rule_cases::save_rule_case)
        .service(rule_cases::delete_rule_case)
        .service(sweeps::list_sweeps)
        .service(sweeps::cancel_sweep)
        .service(sweeps::preview_rule_start)
        .service(sweeps::start_rule_by_hand)
        .service(sweeps::get_rule_schedule)
        .service(trials::list_trial_events)
        .service(trials::read_trial_body)
        .service(trials::get_trial_event)
        .service(retention::get_retention)
        .service(retention::put_retention)
        .service(stops::list_stops)
        .service(stops::stop_workspace)
        .service(stops::start_workspace)
        .service(stops::stop_rule)
        .service(stops::start_rule)
        .service(stops::stop_installation)
        .service(stops::start_installation)
        .service(stream::follow_changes)
        .service(chronicle::get_chronicle)
        .service(events::list_events)
        .service(sweeps::replay_events)
        .service(events::get_event)
        .service(events::replay_event)
        .service(deliveries::list_deliveries)
        .service(deliveries::list_delivery_causes)
        .service(deliveries::replay_deliveries)
        .service(deliveries::get_delivery)
        .service(deliveries::replay_delivery)
        .service(deliveries::cancel_delivery)
        .service(links::list_links)
        .service(links::edit_link)
        .service(links::delete_link)
        .service(imports::list_imports)
        .service(imports::upload_files)
        .service(imports::get_import)
        .service(imports::describe_import)
        .service(imports::delete_import)
        .service(imports::check_import)
        .service(imports::start_import)
        .service(imports::pause_import)
        .service(imports::resume_import)
        .service(imports::cancel_import)
        .service(imports::list_import_rows)
        .service(imports::edit_import_row)
        .service(imports::download_failed_rows)
        .service(call_results::list_call_results)
        .service(call_results::add_call_result)
        .service(call_results::create_call_rule)
        .service(call_results::resend_call_results)
        .service(call_results::export_call_results)
        .service(call_results::count_call_results)
        .service(call_results::get_call_result)
        .service(call_results::set_call_result)
        .service(call_results::resend_call_result)
        .service(recordings::get_call_recording)
        .service(call_results::get_call_settings)
        .service(call_results::save_call_settings);
}

/// Everything that the document describes; without sessions only to read the table.
pub fn everything(config: &mut ServiceConfig<'_>, sessions: Option<&Sessions>) {
    config
        .service(health::live)
        .service(health::ready)
        .service(metrics::read_metrics)
        .service(hooks::receive_hook);
    let oauth = scope::scope("/oauth").service(oauth::amocrm_callback);
    let api = scope::scope("/api/v1").configure(api);
    match sessions {
        Some(sessions) => config.service(oauth.wrap(sessions.middleware())).service(
            api.wrap(sessions.middleware())
                .wrap(from_fn(cross_site::same_site_only)),
        ),
        None => config.service(oauth).service(api),
    };
}

/// What the table has no row for: the interface, a wrong method, or nothing.
pub async fn fallback(
    request: HttpRequest,
    interface: web::Data<Interface>,
) -> Result<HttpResponse, Problem> {
    let allowed = openapi::methods_of(request.path());
    if allowed.is_empty() {
        return interface.answer(&request);
    }
    let problem = Problem::new(
        ProblemType::MethodNotAllowed,
        format!("Здесь поддерживаются методы: {}", allowed.join(", ")),
    );
    let mut answer = HttpResponse::from_error(problem);
    if let Ok(value) = header::HeaderValue::from_str(&allowed.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    Ok(answer)
}
