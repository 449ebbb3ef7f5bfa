//! The visitor's id of one day: a keyed hash that nobody can join with another day's.

use crate::client_ip::ClientIp;

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
    pub fn derive(key: &[u8; 32], day: crate::Day) -> DaySalt {
        DaySalt(*blake3::keyed_hash(key, format!("pixlake day salt v1 {day}").as_bytes()).as_bytes())
    }

    /// The id: BLAKE3 keyed with the salt, over site, address and user agent, each with its length before
    /// it, so that no two inputs run into each other; the first 16 bytes as hex.
    #[must_use]
    pub(crate) fn visitor_id(&self, site: &str, address: ClientIp, user_agent: &str) -> String {
        let (address, address_len) = address.hash_bytes();
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [
            site.as_bytes(),
            address.get(..address_len).unwrap_or_default(),
            user_agent.as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut id = hasher.finalize().to_hex().to_string();
        id.truncate(32);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn id(salt: &DaySalt, site: &str, ip: &str, agent: &str) -> String {
        salt.visitor_id(site, ClientIp::parse(ip).unwrap(), agent)
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
    fn every_day_has_its_own_salt() {
        let day = |ms| Timestamp::from_millis(ms).unwrap().day();
        let key = [1; 32];
        assert!(DaySalt::derive(&key, day(0)) != DaySalt::derive(&key, day(86_400_000)));
        assert!(DaySalt::derive(&key, day(0)) == DaySalt::derive(&key, day(86_399_999)));
    }
}
