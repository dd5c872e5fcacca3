//! Where a request came from. Behind a proxy that the operator trusts, its word counts; anybody else's header
//! is a lie that costs nothing, and is passed over.

use crate::config::Network;
use crate::http::app::App;
use actix_web::{HttpRequest, web};
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address, as text.
pub fn of(request: &HttpRequest) -> Option<String> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = request
        .app_data::<web::Data<App>>()
        .map(|app| &*app.trusted_proxies)
        .unwrap_or_default();
    let forwarded: Vec<&str> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    Some(client(peer, &forwarded, trusted).to_string())
}

/// Each proxy appends the address it was called from: the first from the end that is not a trusted proxy is the
/// client.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    for text in forwarded.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        let Ok(address) = text.parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let trusted = [Network::parse("10.0.0.0/8").unwrap()];
        let found = client(peer.parse().unwrap(), forwarded, &trusted);
        assert_eq!(found.to_string(), expected, "{peer} {forwarded:?}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("8.8.8.8", &["1.1.1.1"], "8.8.8.8");
        check("10.0.0.1", &["1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &["6.6.6.6", "1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &["1.1.1.1", "10.0.0.2"], "1.1.1.1");
        check("10.0.0.1", &["6.6.6.6", "nonsense"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }
}
