//! The sandbox against both fidelity checklists.

mod amocrm_fields;
mod amocrm_hooks;
mod amocrm_identity;
mod amocrm_limits;
mod amocrm_manager;
mod amocrm_protocol;
mod amocrm_relations;
mod amocrm_smoke;
mod amocrm_wire;
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
