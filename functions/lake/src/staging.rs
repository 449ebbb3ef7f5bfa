//! Files that are being written: in a folder of their run, out of every reader's sight, until they are whole.
//!
//! A run holds a lock on a file beside its folder for as long as it lives; the system lets go of it when the
//! process ends, however it ends. So a folder whose lock can be had is a leftover. One more lock, the gate, is
//! held for a moment while leftovers are removed and a run's folder is made, so that nobody takes a folder
//! that is just being made for a leftover.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::folder::LakeError;

/// The folder of all runs' files. Readers skip names with a dot in front, and it is in no table's folder.
pub(super) const STAGING: &str = ".staging";
const GATE: &str = "gate";
/// Held by the one compaction that may be at work.
const COMPACTION: &str = "compaction";
const LOCK_EXTENSION: &str = "lock";

/// One run's folder.
#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    folder: PathBuf,
    lock_path: PathBuf,
    /// Held until the run ends.
    _lock: File,
}

impl Staging {
    /// Removes what killed runs left and makes a folder for this one.
    pub(super) fn open(root: &Path) -> Result<Staging, LakeError> {
        let staging = root.join(STAGING);
        fs::create_dir_all(&staging).map_err(LakeError::io("create", &staging))?;
        let _gate = lock_gate(&staging)?;
        remove_leftovers(&staging)?;

        let folder = staging.join(Uuid::new_v4().to_string());
        let lock_path = folder.with_extension(LOCK_EXTENSION);
        let lock = File::create_new(&lock_path).map_err(LakeError::io("create", &lock_path))?;
        lock.lock().map_err(LakeError::io("lock", &lock_path))?;
        fs::create_dir(&folder).map_err(LakeError::io("create", &folder))?;
        Ok(Staging {
            root: root.to_path_buf(),
            folder,
            lock_path,
            _lock: lock,
        })
    }

    /// Writes an object and makes it appear in a folder of the lake, whole and synced, under a name that was not there.
    /// Gives its length. What fails leaves nothing behind.
    pub(super) fn publish(
        &self,
        folder: &Path,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), LakeError>,
    ) -> Result<u64, LakeError> {
        let staged = self.folder.join(name);
        let published = self.publish_staged(&staged, folder, name, write);
        if published.is_err() {
            drop(remove(&staged)); // the next run removes what cannot be removed now
        }
        published
    }

    fn publish_staged(
        &self,
        staged: &Path,
        folder: &Path,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), LakeError>,
    ) -> Result<u64, LakeError> {
        let mut file = File::create_new(staged).map_err(LakeError::io("create", staged))?;
        write(&mut file)?;
        file.sync_all().map_err(LakeError::io("write", staged))?;
        let len = file.metadata().map_err(LakeError::io("read", staged))?.len();
        drop(file);

        self.create_folder(folder)?;
        let published = folder.join(name);
        if published.exists() {
            let exists = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(LakeError::io("create", &published)(exists));
        }
        fs::rename(staged, &published).map_err(LakeError::io("create", &published))?;
        sync_folder(folder)?;
        Ok(len)
    }

    /// The lake's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a partition's folder and syncs those above it, so that a power cut cannot take the folder away.
    fn create_folder(&self, folder: &Path) -> Result<(), LakeError> {
        if folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(LakeError::io("create", folder))?;
        for above in folder
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(&self.root))
        {
            sync_folder(above)?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    /// Removes the run's folder. What cannot be removed now, the next run removes.
    fn drop(&mut self) {
        let removed = remove(&self.folder).and_then(|()| remove(&self.lock_path));
        drop(removed);
    }
}

/// Removes leftovers and keeps every other process out while the gate lives; refuses where one is at work.
pub(super) fn close_gate(root: &Path) -> Result<File, LakeError> {
    let staging = root.join(STAGING);
    fs::create_dir_all(&staging).map_err(LakeError::io("create", &staging))?;
    let gate = lock_gate(&staging)?;
    if remove_leftovers(&staging)? {
        Ok(gate)
    } else {
        Err(LakeError::InUse {
            path: root.to_path_buf(),
        })
    }
}

/// Keeps every other compaction out while it lives; refuses where one is at work.
pub(super) fn begin_compaction(root: &Path) -> Result<File, LakeError> {
    let path = root.join(STAGING).join(COMPACTION);
    let alone = open_lock(&path)?;
    match alone.try_lock() {
        Ok(()) => Ok(alone),
        Err(TryLockError::WouldBlock) => Err(LakeError::Compacting {
            path: root.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(LakeError::io("lock", &path)(error)),
    }
}

fn lock_gate(staging: &Path) -> Result<File, LakeError> {
    let path = staging.join(GATE);
    let gate = open_lock(&path)?;
    gate.lock().map_err(LakeError::io("lock", &path))?;
    Ok(gate)
}

fn open_lock(path: &Path) -> Result<File, LakeError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(LakeError::io("create", path))
}

/// Removes the folders of runs that are over; says whether none is left. The gate must be held.
fn remove_leftovers(staging: &Path) -> Result<bool, LakeError> {
    let mut none_left = true;
    let entries = fs::read_dir(staging).map_err(LakeError::io("read", staging))?;
    for entry in entries {
        let path = entry.map_err(LakeError::io("read", staging))?.path();
        if path
            .file_name()
            .is_none_or(|name| name == GATE || name == COMPACTION)
            || is_lock_of_folder(&path)
        {
            continue; // a lock goes with its folder
        }
        let lock_path = path.with_extension(LOCK_EXTENSION);
        match OpenOptions::new()
            .write(true)
            .open(&lock_path)
            .map(|lock| lock.try_lock())
        {
            Ok(Err(TryLockError::WouldBlock)) => {
                none_left = false;
                continue;
            }
            Ok(Err(TryLockError::Error(error))) => return Err(LakeError::io("lock", &lock_path)(error)),
            Ok(Ok(())) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LakeError::io("read", &lock_path)(error)),
        }
        remove(&path).map_err(LakeError::io("remove", &path))?;
        remove(&lock_path).map_err(LakeError::io("remove", &lock_path))?;
    }
    Ok(none_left)
}

fn is_lock_of_folder(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == LOCK_EXTENSION)
        && path.with_extension("").is_dir()
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<(), LakeError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(LakeError::io("sync", folder))
}

/// Other systems have no such call; a rename is in their journal.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<(), LakeError> {
    Ok(())
}
