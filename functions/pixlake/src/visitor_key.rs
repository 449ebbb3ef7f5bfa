//! The key under which a local lake counts visitors.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use lake::Lake;
use uuid::Uuid;

/// File of the key in the lake's folder: 64 hexadecimal digits.
const FILE: &str = ".visitor-key";

/// Whether a lake has events and no key: they were counted under one that nobody has any more.
pub(crate) fn is_lost(lake: &Lake) -> bool {
    !lake.root().join(FILE).exists() && lake.event_hours().is_ok_and(|hours| !hours.is_empty())
}

/// Reads the lake's key, or makes one: random, readable by its owner alone, and the same from then on, so
/// that reading a log file again gives the same visitors.
pub(crate) fn of_lake(root: &Path) -> io::Result<[u8; 32]> {
    let path = root.join(FILE);
    if !path.exists() {
        let made = root.join(format!("{FILE}.{}", Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let mut file = options.open(&made)?;
        for byte in key {
            write!(file, "{byte:02x}")?;
        }
        file.sync_all()?; // rows that were counted under it survive a power cut, so it has to
        // A link does not replace: of two runs that begin at once, one makes the key.
        let linked = fs::hard_link(&made, &path);
        fs::remove_file(&made)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        #[cfg(unix)]
        fs::File::open(root)?.sync_all()?;
    }
    pixel_log::visitor_key(fs::read_to_string(&path)?.trim())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "expected 64 hexadecimal digits; without the file a new key is made, and who came today counts once more"))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lake_keeps_its_key() {
        let lake = tempfile::tempdir().unwrap();
        let key = of_lake(lake.path()).unwrap();
        assert_eq!(of_lake(lake.path()).unwrap(), key);
        assert_ne!(of_lake(tempfile::tempdir().unwrap().path()).unwrap(), key);
        assert_eq!(fs::read_dir(lake.path()).unwrap().count(), 1);
        fs::write(lake.path().join(FILE), "short").unwrap();
        assert!(
            of_lake(lake.path())
                .unwrap_err()
                .to_string()
                .contains("expected 64 hexadecimal digits")
        );
    }
}
