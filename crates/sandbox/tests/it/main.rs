//! The sandbox against both fidelity checklists.

mod amocrm_identity;
mod amocrm_protocol;
mod amocrm_smoke;
mod lab;
mod lptracker_auth;
mod lptracker_calls;
mod lptracker_contacts;
mod lptracker_control;
mod lptracker_extras;
mod lptracker_kit;
mod lptracker_leads;
mod lptracker_lists;
mod lptracker_webhooks;
mod skeleton;
