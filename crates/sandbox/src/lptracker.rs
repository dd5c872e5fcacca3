//! The fake LPTracker: a second implementation of its Direct API, written from the vendor's documentation.
//!
//! [`State`] is plain memory with operations; it knows no HTTP and can be driven by itself. Every change goes through
//! the same operations whether it comes from the API ([`State::handle`]), from a person at the sandbox's page
//! ([`State::control`], `ui_*`) or from the call robot, and queues its webhooks. They go to the emitter when
//! the guard of [`crate::World::lptracker`] is dropped.
//!
//! Reading order: `model`, `state`, `router`, then the routes (`projects`, `contacts`, `lead_routes`), the operations
//! behind them (`leads`, `values`, `calls`), `hooks`, and at last `control`, `ui`, `http`.

mod auth;
mod calls;
mod contacts;
mod control;
mod demo;
mod error;
mod hooks;
mod http;
mod lead_routes;
mod leads;
pub mod model;
mod projects;
mod render;
mod router;
pub mod settings;
mod state;
mod text;
mod ui;
mod values;

pub use calls::{CallReason, PendingCall};
pub use error::ApiError;
pub use hooks::Action;
pub(crate) use http::run;
pub use http::{configure, control, is_write, with};
pub use router::{Incoming, Reply};
pub use settings::{CallOutcome, RateScope, Settings, UnknownCategory};
pub use state::{By, Origin, Outgoing, State};
pub use ui::NewLead;

use http::RECORDS_PATH;

/// Login of the demo account.
pub const DEMO_LPTRACKER_LOGIN: &str = "demo@example.ru";
/// Password of the demo account.
pub const DEMO_LPTRACKER_PASSWORD: &str = "demo-password";
/// Project «Обзвон заявок».
pub const DEMO_LPTRACKER_PROJECT: i64 = 117_402;
/// Project «Второй проект».
pub const DEMO_LPTRACKER_SECOND_PROJECT: i64 = 117_918;

/// Step «Новый лид».
pub const DEMO_LPTRACKER_STEP_NEW: i64 = 1_648_185;
/// Step «Обзвон роботом»: a lead put here is called by the robot.
pub const DEMO_LPTRACKER_STEP_ROBOT: i64 = 1_648_186;
/// Step «Интерес подтвержден».
pub const DEMO_LPTRACKER_STEP_INTEREST: i64 = 1_648_188;
/// Step «Недозвон».
pub const DEMO_LPTRACKER_STEP_NO_ANSWER: i64 = 1_648_187;
/// Step «Перезвонить».
pub const DEMO_LPTRACKER_STEP_CALL_BACK: i64 = 1_648_190;
/// Step «Отказ».
pub const DEMO_LPTRACKER_STEP_REFUSED: i64 = 1_648_184;
/// Step «Оплата»: needs a payment.
pub const DEMO_LPTRACKER_STEP_PAYMENT: i64 = 1_648_199;

/// System field «Владелец заявки».
pub const DEMO_LPTRACKER_FIELD_OWNER: i64 = 1_912_001;
/// System field «Шаг воронки».
pub const DEMO_LPTRACKER_FIELD_FUNNEL: i64 = 1_912_002;
/// Field «Дата шага» (funnel_date).
pub const DEMO_LPTRACKER_FIELD_STEP_DATE: i64 = 1_912_003;
/// Field «ID сделки amoCRM» (text).
pub const DEMO_LPTRACKER_FIELD_AMOCRM_ID: i64 = 1_912_004;
/// Field «Город» (text).
pub const DEMO_LPTRACKER_FIELD_CITY: i64 = 1_912_005;
/// Field «Бюджет» (text).
pub const DEMO_LPTRACKER_FIELD_BUDGET: i64 = 1_912_006;
/// Field «Источник» (cats, one choice).
pub const DEMO_LPTRACKER_FIELD_SOURCE: i64 = 1_912_007;
/// Field «Продукты» (cats, several choices).
pub const DEMO_LPTRACKER_FIELD_PRODUCTS: i64 = 1_912_008;
/// Field «Дата звонка» (date).
pub const DEMO_LPTRACKER_FIELD_CALL_DATE: i64 = 1_912_009;
/// Field «Договор» (file).
pub const DEMO_LPTRACKER_FIELD_FILE: i64 = 1_912_010;

/// Employee «Анна Смирнова».
pub const DEMO_LPTRACKER_STAFF_ANNA: i64 = 24_101;
/// Employee «Игорь Петров».
pub const DEMO_LPTRACKER_STAFF_IGOR: i64 = 24_102;

/// Where a successful call leads by default.
const STEP_INTEREST_NAME: &str = "Интерес подтвержден";
