//! The Leptos client.
fn main() {}
