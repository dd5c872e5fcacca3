//! Switches of the fake LPTracker, changed at run time through the control API.

use serde::{Deserialize, Serialize};

/// Every switch, with the values the contract gives as usual behaviour.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The step inside `custom` is text (`"123"`, as documented) instead of a number (as in production).
    pub step_as_string: bool,
    /// `GET /lead/{project}/list` answers with a bare array, as documented.
    pub raw_array_list: bool,
    /// `POST /custom/{project}/create` answers with a bare object, as documented.
    pub bare_field_create: bool,
    /// Over the rate limit the HTTP status is 503 too, not only the code in the body.
    pub http_503: bool,
    /// Every answer takes at least this long, milliseconds of real time (the service: 750).
    pub latency_min_ms: u64,
    /// Every answer takes at most this long, milliseconds of real time (the service: 1,600).
    pub latency_max_ms: u64,
    /// Requests per second for one key; 0 switches the limit off.
    pub rate_limit_per_second: usize,
    /// What a rate key is.
    pub rate_scope: RateScope,
    /// Hours a token lives without use.
    pub token_hours: i64,
    /// A login from an address where another login is signed in kills the other's tokens.
    pub one_login_per_ip: bool,
    /// Seconds a new lead stays unknown to `POST /lead/{id}/comment`.
    pub comment_visibility_seconds: i64,
    /// `POST comment` and `DELETE lead` answer `result: null`.
    pub null_results: bool,
    /// `GET /contact/{id}/leads` leaves out `custom`, `view` and `contact`.
    pub slim_contact_leads: bool,
    /// `GET /lead/{id}` carries `calls_records`.
    pub calls_records_in_lead: bool,
    /// The step «Оплата» is refused on a step change without payments (creation always refuses).
    pub payment_step_needs_payment: bool,
    /// A lead created without the key `callback` is called.
    pub callback_when_omitted: bool,
    /// What happens to a `cats` value that is not a category.
    pub unknown_category: UnknownCategory,
    /// Page size of the lead list without `limit`.
    pub list_default_limit: usize,
    /// Largest page of the lead list.
    pub list_max_limit: usize,
    /// Changes made through the API fire webhooks.
    pub emit_for_api_writes: bool,
    /// New comments fire webhooks.
    pub emit_for_comments: bool,
    /// `action_update_fields` is an array instead of text.
    pub update_fields_as_array: bool,
    /// Attempts after a failed webhook; how the real service behaves is not known.
    pub webhook_retries: u32,
    /// Pause before each repeated attempt, milliseconds.
    pub webhook_retry_pause_ms: u64,
    /// How long a webhook waits for its answer, milliseconds.
    pub webhook_timeout_ms: u64,
    /// Milliseconds from a call request (`/call`, `callback: true`) to its end.
    pub call_delay_ms: i64,
    /// Milliseconds from arriving on a robot step to the end of the robot's call.
    pub robot_delay_ms: i64,
    /// How calls end when nothing is scripted.
    pub default_outcome: CallOutcome,
    /// Zone of textual dates, hours east of UTC.
    pub utc_offset_hours: i32,
}

/// What one rate limiter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateScope {
    /// All tokens of a login together.
    Login,
    /// Every token by itself.
    Token,
}

/// Treatment of an unknown category name on write; the real behaviour is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownCategory {
    /// Code 400.
    Reject,
    /// The name is dropped.
    Ignore,
    /// The category is added.
    Create,
}

/// How a call ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallOutcome {
    /// The exchange's word.
    pub disposition: String,
    /// Seconds of talk.
    pub duration: i64,
    /// `outgoing` or `incoming`.
    pub direction: String,
    /// A recording exists.
    pub record: bool,
    /// Employee who talked; nobody for a robot.
    pub owner_id: Option<i64>,
    /// Name of the step the lead is moved to.
    pub step: Option<String>,
    /// Id of the step the lead is moved to; wins over `step`.
    pub step_id: Option<i64>,
    /// Comment left on the lead.
    pub comment: Option<String>,
    /// Applies only to a lead with this phone.
    pub phone: Option<String>,
}

impl Default for CallOutcome {
    fn default() -> CallOutcome {
        CallOutcome {
            disposition: "ANSWER".to_owned(),
            duration: 42,
            direction: "outgoing".to_owned(),
            record: true,
            owner_id: None,
            step: None,
            step_id: None,
            comment: None,
            phone: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            step_as_string: false,
            raw_array_list: false,
            bare_field_create: false,
            http_503: false,
            latency_min_ms: 0,
            latency_max_ms: 0,
            rate_limit_per_second: 3,
            rate_scope: RateScope::Login,
            token_hours: 24,
            one_login_per_ip: false,
            comment_visibility_seconds: 0,
            null_results: false,
            slim_contact_leads: false,
            calls_records_in_lead: false,
            payment_step_needs_payment: true,
            callback_when_omitted: false,
            unknown_category: UnknownCategory::Reject,
            list_default_limit: 100,
            list_max_limit: 200,
            emit_for_api_writes: true,
            emit_for_comments: true,
            update_fields_as_array: false,
            webhook_retries: 0,
            webhook_retry_pause_ms: 5_000,
            webhook_timeout_ms: 10_000,
            call_delay_ms: 3_000,
            robot_delay_ms: 3_000,
            default_outcome: CallOutcome {
                step: Some(super::STEP_INTEREST_NAME.to_owned()),
                ..CallOutcome::default()
            },
            utc_offset_hours: 3,
        }
    }
}
