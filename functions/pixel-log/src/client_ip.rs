//! The address of a viewer: never printed, never stored whole.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A viewer's address. `Debug` is redacted and there is no `Display`; only the truncated prefix leaves it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(IpAddr);

impl ClientIp {
    /// Reads an address as `CloudFront` writes it. An IPv4 address mapped into IPv6 is the IPv4 address.
    #[must_use]
    pub fn parse(text: &str) -> Option<ClientIp> {
        Some(ClientIp(text.parse::<IpAddr>().ok()?.to_canonical()))
    }

    /// 4 or 6.
    #[must_use]
    pub fn version(self) -> i32 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    /// The network that a row may hold: `/24` of IPv4, `/48` of IPv6.
    #[must_use]
    pub fn prefix(self) -> String {
        match self.0 {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }

    /// The bytes that stand for one viewer in a hash: the IPv4 address, or the `/64` of IPv6, since a
    /// device changes the lower half by itself.
    pub(crate) fn hash_bytes(self) -> ([u8; 8], usize) {
        let mut bytes = [0_u8; 8];
        match self.0 {
            IpAddr::V4(ip) => {
                for (to, from) in bytes.iter_mut().zip(ip.octets()) {
                    *to = from;
                }
                (bytes, 4)
            }
            IpAddr::V6(ip) => {
                for (to, from) in bytes.iter_mut().zip(ip.octets()) {
                    *to = from;
                }
                (bytes, 8)
            }
        }
    }
}

impl fmt::Debug for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIp(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_leaves() {
        for (text, prefix, version) in [
            ("192.0.2.135", "192.0.2.0/24", 4),
            ("2001:db8:2328:7f60:fc5c:8867:7522:1bef", "2001:db8:2328::/48", 6),
            ("::ffff:192.0.2.1", "192.0.2.0/24", 4),
        ] {
            let ip = ClientIp::parse(text).unwrap();
            assert_eq!((ip.prefix().as_str(), ip.version()), (prefix, version));
            assert_eq!(format!("{ip:?}"), "ClientIp(redacted)");
        }
        for bad in [
            "",
            "unknown",
            "192.0.2.256",
            "010.0.0.1",
            "fe80::1%eth0",
            "192.0.2.1, 192.0.2.2",
        ] {
            assert!(ClientIp::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_viewer() {
        let bytes = |text| ClientIp::parse(text).unwrap().hash_bytes();
        assert_eq!(bytes("2001:db8:1:2::1"), bytes("2001:db8:1:2:ffff::9"));
        assert_ne!(bytes("2001:db8:1:2::1"), bytes("2001:db8:1:3::1"));
        assert_ne!(bytes("192.0.2.1"), bytes("192.0.2.2"));
    }
}
