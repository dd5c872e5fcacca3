//! Which addresses may be called: public ones over HTTPS, and hosts that the operator allows by name.

use crate::error::ConnectorError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// Refuses what can be refused before resolving: the scheme, and addresses written as numbers.
pub(super) fn check(url: &Url, allowed_hosts: &[String]) -> Result<(), ConnectorError> {
    let refuse = || ConnectorError::AddressRefused {
        host: url.host_str().unwrap_or_default().to_owned(),
    };
    let host = url.host().ok_or_else(refuse)?;
    let named = allowed_hosts
        .iter()
        .any(|allowed| allowed == url.host_str().unwrap_or_default());
    if named && matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(refuse());
    }
    match host {
        Host::Domain(_) => Ok(()),
        Host::Ipv4(address) if is_public(IpAddr::V4(address)) => Ok(()),
        Host::Ipv6(address) if is_public(IpAddr::V6(address)) => Ok(()),
        Host::Ipv4(_) | Host::Ipv6(_) => Err(refuse()),
    }
}

/// Resolves names and drops every address that is not public, so that a name cannot lead inside.
pub(super) struct PublicOnly {
    allowed_hosts: Arc<[String]>,
}

impl PublicOnly {
    pub(super) fn new(allowed_hosts: Vec<String>) -> Self {
        Self {
            allowed_hosts: allowed_hosts.into(),
        }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed_hosts = Arc::clone(&self.allowed_hosts);
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let named = allowed_hosts.contains(&host);
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> =
                found.filter(|address| named || is_public(address.ip())).collect();
            if addresses.is_empty() {
                return Err(format!("{host}: нет разрешённых адресов").into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a == 192 && b == 0 && address.octets()[2] == 0))
}

/// IPv4 carried inside IPv6: mapped, compatible, 6to4 and NAT64 forms.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let from = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] if high != 0 => Some(from(high, low)),
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        _ => None,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
        || (first == 0x2001 && address.segments()[1] == 0xdb8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(url: &str, allowed: bool) {
        let url: Url = url.parse().unwrap();
        assert_eq!(
            check(&url, &["sandbox.local".to_owned()]).is_ok(),
            allowed,
            "{url}"
        );
    }

    #[test]
    fn numbers_and_schemes() {
        check_one("https://example.amocrm.ru/api", true);
        check_one("http://example.amocrm.ru/api", false);
        check_one("http://sandbox.local:99/", true);
        check_one("ftp://sandbox.local/", false);
        check_one("https://127.0.0.1/", false);
        check_one("https://10.1.2.3/", false);
        check_one("https://169.254.169.254/latest", false);
        check_one("https://0x7f000001/", false);
        check_one("https://2130706433/", false);
        check_one("https://[::1]/", false);
        check_one("https://[::ffff:127.0.0.1]/", false);
        check_one("https://[64:ff9b::7f00:1]/", false);
        check_one("https://[2002:7f00:1::]/", false);
        check_one("https://[fd00::1]/", false);
        check_one("https://[fe80::1]/", false);
        check_one("https://100.64.1.1/", false);
        check_one("https://8.8.8.8/", true);
        check_one("https://[2606:4700::1111]/", true);
    }
}
