//! The address of a viewer: never printed, never stored whole.

use std::fmt;
use std::net::IpAddr;

use bumpalo::Bump;
use bumpalo::collections::String as BumpString;

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
    pub(crate) fn prefix(self, arena: &Bump) -> &str {
        let mut text = BumpString::with_capacity_in(24, arena);
        match self.0 {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                for octet in [a, b, c] {
                    text.push_str(itoa::Buffer::new().format(octet));
                    text.push('.');
                }
                text.push_str("0/24");
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                // RFC 5952: the zeros at the end are the longest run, and take those before them along.
                let groups = match [a, b, c] {
                    [0, 0, 0] => 0,
                    [_, 0, 0] => 1,
                    [_, _, 0] => 2,
                    _ => 3,
                };
                for (index, group) in [a, b, c].into_iter().take(groups).enumerate() {
                    if index > 0 {
                        text.push(':');
                    }
                    push_hex(&mut text, group);
                }
                text.push_str("::/48");
            }
        }
        text.into_bump_str()
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

fn push_hex(text: &mut BumpString<'_>, group: u16) {
    let digits = (16 - (group | 1).leading_zeros()).div_ceil(4);
    for digit in (0..digits).rev() {
        text.extend(char::from_digit(u32::from(group >> (digit * 4) & 15), 16));
    }
}

impl fmt::Debug for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIp(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_prefix_leaves() {
        for (text, prefix, version) in [
            ("192.0.2.135", "192.0.2.0/24", 4),
            ("255.10.0.1", "255.10.0.0/24", 4),
            ("2001:db8:2328:7f60:fc5c:8867:7522:1bef", "2001:db8:2328::/48", 6),
            ("2001:db8:0:1::1", "2001:db8::/48", 6),
            ("2001:0:1::1", "2001:0:1::/48", 6),
            ("1:1:1::1", "1:1:1::/48", 6),
            ("::1", "::/48", 6),
            ("::ffff:192.0.2.1", "192.0.2.0/24", 4),
        ] {
            let ip = ClientIp::parse(text).unwrap();
            assert_eq!((ip.prefix(&Bump::new()), ip.version()), (prefix, version));
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

    proptest! {
        /// Against the text that the standard library gives the network's address.
        #[test]
        fn a_prefix_is_written_as_the_standard_library_does(groups: [u16; 3], zeros in 0..8_u8, host: [u16; 5]) {
            let [a, b, c] = std::array::from_fn(|at| if zeros >> at & 1 == 1 { 0 } else { groups[at] });
            let [d, e, f, g, h] = host;
            let address = Ipv6Addr::new(a, b, c, d, e, f, g, h);
            prop_assume!(address.to_ipv4_mapped().is_none());
            let network = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            let ip = ClientIp::parse(&address.to_string()).unwrap();
            let arena = Bump::new();
            prop_assert_eq!(ip.prefix(&arena), format!("{network}/48"));
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
