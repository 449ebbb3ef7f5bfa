//! Many small files of a partition become one, and copies of a row go.
//!
//! The new file appears whole before the old ones are removed, so at every moment a row is in the folder: after a kill in
//! between it is there twice in the landing table and once in the view, and the next compaction removes the copies. Who
//! listed the folder before and reads its files after may find that one is gone, and has to read again.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use arrow::compute::filter_record_batch;
use pixel_row::Day;

use super::copies::Copies;
use super::folder::{Lake, LakeError, partitions};
use super::object_name::object_name;
use super::parquet_file;
use super::staging::{self, Staging};
use super::table::{TABLES, Table};

/// What a compaction did.
#[derive(Debug, Default)]
pub struct Compaction {
    /// Partitions that have one file now.
    pub partitions: u64,
    /// Files that were merged, and their bytes.
    pub merged: Size,
    /// Files that took their place, and their bytes.
    pub written: Size,
    /// Rows that were copies of others.
    pub copies: u64,
    /// Why other partitions stayed as they are.
    pub failures: Vec<LakeError>,
}

/// Files and their bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

impl Size {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Lake {
    /// Merges the files of each partition of these days, both ends included, into one, without copies of a row.
    ///
    /// Others may write to the lake meanwhile; only a second compaction is refused. A partition that cannot be read
    /// stays as it is, and the others go on.
    pub fn compact(&self, days: &RangeInclusive<Day>) -> Result<Compaction, LakeError> {
        let staging = Staging::open(self.root())?;
        let _alone = staging::begin_compaction(self.root())?;
        let mut compaction = Compaction::default();
        for table in TABLES {
            for folder in folders(self.root(), table, days)? {
                if let Err(error) = compaction.merge(table, &folder, &staging) {
                    compaction.failures.push(error);
                }
            }
        }
        Ok(compaction)
    }
}

/// The folders of a table's partitions on these days, in order.
fn folders(root: &Path, table: &Table, days: &RangeInclusive<Day>) -> Result<Vec<PathBuf>, LakeError> {
    let mut folders: Vec<PathBuf> = partitions(&root.join(table.folder), "dt=")?
        .into_iter()
        .filter(|(day, _)| Day::parse(day).is_some_and(|day| days.contains(&day)))
        .map(|(_, folder)| folder)
        .collect();
    for column in table.partitioning.columns().iter().skip(1) {
        let mut below = Vec::new();
        for folder in folders {
            let values = partitions(&folder, &format!("{column}="))?;
            below.extend(values.into_iter().map(|(_, folder)| folder));
        }
        folders = below;
    }
    folders.sort_unstable();
    Ok(folders)
}

impl Compaction {
    fn merge(&mut self, table: &Table, folder: &Path, staging: &Staging) -> Result<(), LakeError> {
        let objects = objects(folder)?;
        let copies = Copies::find(table, &objects)?;
        if objects.len() < 2 && copies.count == 0 {
            return Ok(());
        }
        let name = object_name(table.stream, copies.first_ingested, ".parquet");
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let mut kept = copies.kept.into_iter();
        let written = staging.publish(folder, &name, |file| {
            let failed = || LakeError::parquet("write", folder);
            let mut writer = parquet_file::writer(file, table).map_err(failed())?;
            for object in &objects {
                for batch in parquet_file::read(object, table, &columns)? {
                    let batch = batch.map_err(LakeError::parquet("read", object))?;
                    let kept: Vec<bool> = kept.by_ref().take(batch.num_rows()).collect();
                    let batch = filter_record_batch(&batch, &kept.into());
                    let batch = batch.map_err(|error| failed()(error.into()))?;
                    writer.write(&batch).map_err(failed())?;
                }
            }
            writer.close().map_err(failed())?;
            Ok(())
        })?;
        self.written.add(written);
        for object in &objects {
            let bytes = object.metadata().map_err(LakeError::io("read", object))?.len();
            fs::remove_file(object).map_err(LakeError::io("remove", object))?;
            self.merged.add(bytes);
        }
        staging::sync_folder(folder)?;
        self.partitions += 1;
        self.copies += copies.count;
        Ok(())
    }
}

/// The objects in a partition's folder, in the order of their names, which is the one of arrival.
fn objects(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder).map_err(LakeError::io("read", folder))? {
        let path = entry.map_err(LakeError::io("read", folder))?.path();
        if parquet_file::is_object(&path) {
            objects.push(path);
        }
    }
    objects.sort_unstable();
    Ok(objects)
}
