//! Results of calls.

use api::Page;
use api::call::{
    AddedCallResult, CallFigure, CallQuery, CallResultView, CallSettingsView, CreateCallRule,
    CreatedCallRule, NewCallResult, ResentCallResults, SetCallResult,
};
use domain::id::CallResultId;

use super::client::{Request, get, patch, post, put};
use crate::call_filter::address;

/// Results by filter.
pub fn list_call_results(wanted: &CallQuery) -> Request<Page<CallResultView>> {
    get(format!("/call-results{}", address(wanted))).answers()
}

/// Writes a call down.
pub fn add_call_result(form: &NewCallResult) -> Request<AddedCallResult> {
    post("/call-results").json(form).once().answers()
}

/// Gives a call its result.
pub fn set_call_result(id: CallResultId, form: &SetCallResult) -> Request<CallResultView> {
    patch(format!("/call-results/{id}")).json(form).answers()
}

/// Sends one result again.
pub fn resend_call_result(id: CallResultId) -> Request<CallResultView> {
    post(format!("/call-results/{id}/resend")).answers()
}

/// Sends everything under a filter again that has not arrived.
pub fn resend_call_results(wanted: &CallQuery) -> Request<ResentCallResults> {
    post(format!("/call-results/resend{}", address(wanted))).answers()
}

/// Figures for the chart.
pub fn count_call_results(wanted: &CallQuery) -> Request<Vec<CallFigure>> {
    get(format!("/call-results/figures{}", address(wanted))).answers()
}

/// How calls become results.
pub fn get_call_settings() -> Request<CallSettingsView> {
    get("/call-settings").answers()
}

/// Changes how calls become results.
pub fn save_call_settings(form: &CallSettingsView) -> Request<CallSettingsView> {
    put("/call-settings").json(form).answers()
}

/// Makes the ready rule.
pub fn create_call_rule(form: &CreateCallRule) -> Request<CreatedCallRule> {
    post("/call-results/rule").json(form).once().answers()
}
