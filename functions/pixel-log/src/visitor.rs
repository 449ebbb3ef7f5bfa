//! The visitor's id of one day: a keyed hash that nobody can join with another day's.

use bumpalo::Bump;
use pixel_row::Day;

use crate::client_ip::ClientIp;

/// Bytes of the hash that make an id.
const ID_BYTES: usize = 16;

/// The long-lived key from which the salts of days are derived, of its text: 64 hexadecimal digits and nothing else.
#[must_use]
pub fn visitor_key(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        for &digit in digits {
            let digit = char::from(digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(key)
}

/// The secret of one UTC day. No `Debug`, no `Display`: it must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DaySalt([u8; 32]);

impl DaySalt {
    /// From 32 random bytes, or from a key's derivation for the day.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> DaySalt {
        DaySalt(bytes)
    }

    /// Derives the salt of a day from a long-lived key: BLAKE3, keyed, over the day's text.
    #[must_use]
    pub fn derive(key: &[u8; 32], day: Day) -> DaySalt {
        DaySalt(*blake3::keyed_hash(key, format!("pixlake day salt v1 {day}").as_bytes()).as_bytes())
    }

    /// The id: BLAKE3 keyed with the salt, over site, address and user agent, each behind its length in two
    /// bytes (little-endian), so that no two inputs run into each other; the first 16 bytes as hex.
    #[must_use]
    pub(crate) fn visitor_id<'a>(
        &self,
        site: &str,
        address: ClientIp,
        user_agent: &str,
        arena: &'a Bump,
    ) -> &'a str {
        let (address, address_len) = address.hash_bytes();
        let parts = [
            site.as_bytes(),
            address.get(..address_len).unwrap_or_default(),
            user_agent.as_bytes(),
        ];
        // In one piece: a hasher that takes parts costs more to set up than these bytes cost to hash. Each 64 of
        // them cost as much again, and with short lengths the usual browser fits into two such blocks.
        let len = parts.iter().map(|part| size_of::<u16>() + part.len()).sum();
        let text = arena.alloc_slice_fill_copy(len, 0);
        let mut rest = &mut *text;
        for part in parts {
            // Of a site that is longer, only the rest could be taken for another's; behind the agent comes nothing.
            let len = u16::try_from(part.len()).unwrap_or(u16::MAX);
            rest = put(rest, &len.to_le_bytes());
            rest = put(rest, part);
        }
        let hex = blake3::keyed_hash(&self.0, text).to_hex();
        arena.alloc_str(hex.get(..2 * ID_BYTES).unwrap_or_default())
    }
}

/// Writes bytes to the start of the room, and gives back what is left of it.
#[inline]
fn put<'r>(room: &'r mut [u8], bytes: &[u8]) -> &'r mut [u8] {
    match room.split_at_mut_checked(bytes.len()) {
        Some((room, rest)) => {
            room.copy_from_slice(bytes);
            rest
        }
        None => &mut [],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pixel_row::Timestamp;

    fn id(salt: &DaySalt, site: &str, ip: &str, agent: &str) -> String {
        salt.visitor_id(site, ClientIp::parse(ip).unwrap(), agent, &Bump::new())
            .to_owned()
    }

    #[test]
    fn each_part_changes_the_id_and_none_runs_into_another() {
        let salt = DaySalt::new([7; 32]);
        let base = id(&salt, "shop", "192.0.2.1", "agent");
        assert_eq!(base.len(), 32);
        assert!(base.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(base, id(&salt, "shop", "192.0.2.1", "agent"));
        for other in [
            id(&DaySalt::new([8; 32]), "shop", "192.0.2.1", "agent"),
            id(&salt, "shopa", "192.0.2.1", "gent"),
            id(&salt, "shop", "192.0.2.2", "agent"),
            id(&salt, "shop", "192.0.2.1", "agent2"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn an_id_is_the_keyed_hash_of_its_parts_each_behind_its_length() {
        let salt = DaySalt::new([7; 32]);
        for (ip, address) in [
            ("192.0.2.1", &[192, 0, 2, 1][..]),
            // The first half of the address.
            ("2001:db8:1:2::1", &[0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2]),
        ] {
            let mut hasher = blake3::Hasher::new_keyed(&[7; 32]);
            hasher.update(&[4, 0]).update(b"shop");
            hasher
                .update(&[u8::try_from(address.len()).unwrap(), 0])
                .update(address);
            // 300 bytes: the lower byte of the length stands first.
            hasher.update(&[0x2c, 1]).update(&[b'a'; 300]);
            let hash = hasher.finalize().to_hex();
            let found = id(&salt, "shop", ip, &"a".repeat(300));
            assert_eq!(Some(&*found), hash.get(..32), "{ip}");
        }
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_around_them() {
        let mut expected = [0xab; 32];
        expected[..2].copy_from_slice(&[0x01, 0xf0]);
        assert_eq!(visitor_key(&format!("01f0{}", "aB".repeat(30))), Some(expected));
        let (hex, short) = ("0f".repeat(32), format!("{}0", "0f".repeat(31)));
        for text in [
            "",
            &short,
            &format!("{hex}0"),
            &format!("{hex}\n"),
            &format!("{short}g"),
            &format!("+{short}"),
            &"ä".repeat(32),
        ] {
            assert!(visitor_key(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_day_has_its_own_salt() {
        let day = |ms| Timestamp::from_millis(ms).unwrap().day();
        let key = [1; 32];
        assert!(DaySalt::derive(&key, day(0)) != DaySalt::derive(&key, day(86_400_000)));
        assert!(DaySalt::derive(&key, day(0)) == DaySalt::derive(&key, day(86_399_999)));
    }
}
