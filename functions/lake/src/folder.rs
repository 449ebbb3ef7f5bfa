//! The folder of a lake: made, recognised, and emptied only if it is ours.

use std::error::Error;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use pixel_row::Day;

use super::parquet_file;
use super::staging;
use super::table::{EVENTS, TABLES};

/// The file that says that pixlake made the folder.
const MARKER: &str = ".pixlake";
/// What the marker says to who opens it.
const MARKER_TEXT: &str = "pixlake made this folder and may empty it\n";
/// The folder of what did not convert.
pub(super) const ERRORS: &str = "errors";

/// A lake on a disk.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
}

/// Why the lake cannot be opened or written. Only storage fails here: bad rows go to the errors folder.
#[derive(Debug)]
#[non_exhaustive]
pub enum LakeError {
    /// The folder holds things and no sign that pixlake made it.
    Foreign {
        /// That folder.
        path: PathBuf,
    },
    /// The folder holds nothing that could be a lake, or there is none.
    NoLake {
        /// That folder.
        path: PathBuf,
    },
    /// The lake's rows would be removed, and are not those of whoever asks.
    OthersRows {
        /// The lake's folder.
        path: PathBuf,
    },
    /// Another compaction of the lake is at work.
    Compacting {
        /// Its folder.
        path: PathBuf,
    },
    /// Another process writes to the lake.
    InUse {
        /// Its folder.
        path: PathBuf,
    },
    /// The file system failed.
    Io {
        /// What was being done: `create`, `write` …
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What it answered.
        source: io::Error,
    },
    /// A file is not Parquet, or rows cannot become it.
    Parquet {
        /// What was being done: `read` or `write`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the library answered.
        source: ParquetError,
    },
    /// A file has a column that the table lacks.
    UnknownColumn {
        /// That file.
        path: PathBuf,
        /// Its column.
        column: String,
    },
}

impl Lake {
    /// Opens a lake; makes the folder, with those above it, where there is none.
    ///
    /// A folder with other things in it is refused: it would become one that pixlake may empty.
    pub fn open(path: impl AsRef<Path>) -> Result<Lake, LakeError> {
        let root = path.as_ref().to_path_buf();
        fs::create_dir_all(&root).map_err(LakeError::io("create", &root))?;
        let marker = root.join(MARKER);
        if marker.is_file() {
            return Ok(Lake { root });
        }
        // Another process may have made it a lake meanwhile.
        if !is_empty(&root)? && !marker.is_file() {
            return Err(LakeError::Foreign { path: root });
        }
        // Two processes may come here together; either's marker will do.
        OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&marker)
            .and_then(|mut file| file.write_all(MARKER_TEXT.as_bytes()))
            .map_err(LakeError::io("write", &marker))?;
        Ok(Lake { root })
    }

    /// Opens a lake that is there already; a copy of one in S3, which has no sign of pixlake, is one too.
    pub fn find(path: impl AsRef<Path>) -> Result<Lake, LakeError> {
        let root = path.as_ref().to_path_buf();
        let mut is_lake = root.join(MARKER).is_file();
        for table in TABLES {
            is_lake |= !partitions(&root.join(table.folder), "dt=")?.is_empty();
        }
        if is_lake {
            return Ok(Lake { root });
        }
        Err(LakeError::NoLake { path: root })
    }

    /// Opens a lake and removes all its rows. What else lies in the folder stays.
    ///
    /// Refused where pixlake did not make the folder, where another process writes to it, and where it holds
    /// rows without this file, which says whose they are.
    pub fn create_afresh(path: impl AsRef<Path>, owner: &str) -> Result<Lake, LakeError> {
        let lake = Lake::open(path)?;
        let _gate = staging::close_gate(&lake.root)?;
        let has_rows = TABLES.iter().any(|table| lake.root.join(table.folder).exists());
        if has_rows && !lake.root.join(owner).is_file() {
            return Err(LakeError::OthersRows { path: lake.root });
        }
        for folder in TABLES.map(|table| table.folder).into_iter().chain([ERRORS]) {
            let folder = lake.root.join(folder);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(LakeError::io("remove", &folder)(error));
                }
                _ => {}
            }
        }
        Ok(lake)
    }

    /// The days and hours of the partitions that hold events, in order.
    pub fn event_hours(&self) -> Result<Vec<(Day, String)>, LakeError> {
        let events = self.root.join(EVENTS.folder);
        let mut hours = Vec::new();
        for (day, folder) in partitions(&events, "dt=")? {
            let Some(day) = Day::parse(&day) else { continue };
            hours.extend(
                partitions(&folder, "hour=")?
                    .into_iter()
                    .map(|(hour, _)| (day, hour)),
            );
        }
        hours.sort_unstable();
        Ok(hours)
    }

    /// The first object of the tables that is damaged, or holds a value that does not fit its column. Reads all of them
    /// up to that one.
    pub fn first_damaged(&self) -> Option<PathBuf> {
        TABLES
            .iter()
            .find_map(|table| parquet_file::first_damaged(&self.root.join(table.folder), table))
    }

    /// The first object of the tables that some readers pass over and others do not: an empty one, and one whose name
    /// begins with a dot or an underscore.
    pub fn first_ambiguous(&self) -> Option<PathBuf> {
        let folders = TABLES.map(|table| self.root.join(table.folder));
        folders
            .iter()
            .find_map(|folder| parquet_file::first_ambiguous(folder))
    }

    /// The lake's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl LakeError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LakeError {
        move |source| LakeError::Io {
            doing,
            path: path.to_path_buf(),
            source,
        }
    }

    /// As [`LakeError::io`]; a full disk is one, whoever met it.
    pub(super) fn parquet(doing: &'static str, path: &Path) -> impl FnOnce(ParquetError) -> LakeError {
        move |source| match source {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => LakeError::io(doing, path)(*source),
                Err(source) => LakeError::parquet_error(doing, path, ParquetError::External(source)),
            },
            source => LakeError::parquet_error(doing, path, source),
        }
    }

    fn parquet_error(doing: &'static str, path: &Path, source: ParquetError) -> LakeError {
        LakeError::Parquet {
            doing,
            path: path.to_path_buf(),
            source,
        }
    }
}

impl fmt::Display for LakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LakeError::Foreign { path } => {
                write!(
                    f,
                    "{} is not empty and was not made by pixlake; name another folder",
                    path.display()
                )
            }
            LakeError::NoLake { path } => {
                let path = path.display();
                write!(f, "{path}: there is no lake; `pixlake ingest` makes one")
            }
            LakeError::OthersRows { path } => {
                let path = path.display();
                write!(
                    f,
                    "{path} holds rows that would be lost; name another folder, or remove it"
                )
            }
            LakeError::InUse { path } => {
                write!(
                    f,
                    "another process is writing to the lake {}; wait for its end",
                    path.display()
                )
            }
            LakeError::Compacting { path } => {
                write!(
                    f,
                    "another `pixlake compact` is at work in {}; wait for its end",
                    path.display()
                )
            }
            LakeError::Io { doing, path, source } => {
                write!(f, "cannot {doing} {}: {source}", path.display())?;
                match source.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        f.write_str("; make room and do the same again: what landed is counted once")
                    }
                    _ => Ok(()),
                }
            }
            LakeError::Parquet { doing, path, source } => {
                write!(f, "cannot {doing} {} as Parquet: {source}", path.display())
            }
            LakeError::UnknownColumn { path, column } => write!(
                f,
                "{} has a column `{column}` that the table lacks; take a newer pixlake",
                path.display()
            ),
        }
    }
}

impl Error for LakeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LakeError::Io { source, .. } => Some(source),
            LakeError::Parquet { source, .. } => Some(source),
            LakeError::UnknownColumn { .. }
            | LakeError::Foreign { .. }
            | LakeError::NoLake { .. }
            | LakeError::OthersRows { .. }
            | LakeError::Compacting { .. }
            | LakeError::InUse { .. } => None,
        }
    }
}

/// The values of a partition column in a folder, each with the folder of its rows; none where there is no folder.
pub(super) fn partitions(folder: &Path, column: &str) -> Result<Vec<(String, PathBuf)>, LakeError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(LakeError::io("read", folder))?,
    };
    let mut values = Vec::new();
    for entry in entries {
        let entry = entry.map_err(LakeError::io("read", folder))?;
        let name = entry.file_name();
        let value = name.to_str().and_then(|name| name.strip_prefix(column));
        values.extend(value.map(|value| (value.to_owned(), entry.path())));
    }
    Ok(values)
}

/// Whether nothing is in a folder; the marker of a lake that is being made at this moment is nothing.
fn is_empty(folder: &Path) -> Result<bool, LakeError> {
    for entry in fs::read_dir(folder).map_err(LakeError::io("read", folder))? {
        if entry.map_err(LakeError::io("read", folder))?.file_name() != MARKER {
            return Ok(false);
        }
    }
    Ok(true)
}
