//! Starts the client in the browser.

#[cfg(target_arch = "wasm32")]
fn main() {
    frontend::app::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("Эта программа работает в браузере: cargo xtask wasm соберёт её, cargo xtask run покажет.");
}
