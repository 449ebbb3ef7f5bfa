//! Rows into blobs: contiguous runs of inputs, so that one batch position says where to begin again.

use kpl::{Aggregator, Blobs, Limits, Pushed};

use crate::ports::PutEntry;
use crate::service::{BlobFormat, Service};
use crate::settings::MAX_ROWS_PER_BLOB;

/// The inputs whose documents lie in one blob: their positions in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InputSpan {
    first: usize,
    last: usize,
}

/// Packs documents into blobs of one kind.
pub(crate) struct Packer {
    kind: Kind,
    blob_bytes: usize,
    record_bytes: usize,
    /// The inputs of each closed blob.
    inputs: Vec<InputSpan>,
    /// The inputs of the open blob.
    open: Option<InputSpan>,
    rows: usize,
}

enum Kind {
    Kpl {
        aggregator: Box<Aggregator>,
        keys: PartitionKeys,
    },
    Json {
        bytes: Vec<u8>,
        ends: Vec<usize>,
        open_rows: usize,
    },
}

impl Packer {
    /// Blobs for this service. In the KPL format each has a partition key of its own; the seed decides them.
    pub(crate) fn new(service: Service, blob_bytes: usize, seed: u64) -> Packer {
        let record_bytes = service.limits().record_bytes;
        let kind = match service.format() {
            BlobFormat::Kpl => {
                let max_record_bytes = record_bytes.saturating_sub(PartitionKeys::LEN);
                let limits = Limits {
                    max_bytes: blob_bytes.min(max_record_bytes),
                    max_user_records: MAX_ROWS_PER_BLOB,
                    max_record_bytes,
                };
                Kind::Kpl {
                    aggregator: Box::new(Aggregator::new(limits)),
                    keys: PartitionKeys::new(seed),
                }
            }
            BlobFormat::Json => Kind::Json {
                bytes: Vec::new(),
                ends: Vec::new(),
                open_rows: 0,
            },
        };
        Packer {
            kind,
            blob_bytes: blob_bytes.min(record_bytes), // a cap above the outlet's own would be no cap
            record_bytes,
            inputs: Vec::new(),
            open: None,
            rows: 0,
        }
    }

    /// Makes room for so many bytes of blobs at once.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        match &mut self.kind {
            Kind::Kpl { aggregator, .. } => aggregator.reserve(bytes),
            Kind::Json { bytes: room, .. } => room.reserve(bytes),
        }
    }

    /// Whether a document of so many bytes may be a record of its own: any may have to be.
    pub(crate) fn has_place(&self, document_bytes: usize) -> bool {
        let key_bytes = match self.kind {
            Kind::Kpl { .. } => PartitionKeys::LEN,
            Kind::Json { .. } => 0,
        };
        document_bytes + key_bytes <= self.record_bytes
    }

    /// Adds one document of the input at this position. One that is larger than any record may be has no
    /// place, and then the account of rows does not balance. Positions never go down.
    pub(crate) fn push(&mut self, position: usize, document: &[u8]) {
        if !self.has_place(document.len()) {
            return;
        }
        if !self.fits_open(document) {
            self.close();
            if !self.fits_open(document) {
                return;
            }
        }
        let inputs = self.open.get_or_insert(InputSpan {
            first: position,
            last: position,
        });
        inputs.last = position;
        self.rows += 1;
    }

    /// Adds the document to the open blob if it fits there.
    fn fits_open(&mut self, document: &[u8]) -> bool {
        match &mut self.kind {
            Kind::Kpl { aggregator, keys } => {
                matches!(aggregator.push(keys.current(), None, document), Pushed::Added)
            }
            Kind::Json {
                bytes,
                ends,
                open_rows,
            } => {
                let start = ends.last().copied().unwrap_or(0);
                let open = bytes.len() - start;
                let fits = *open_rows == 0
                    || (*open_rows < MAX_ROWS_PER_BLOB && open + document.len() <= self.blob_bytes);
                if fits {
                    bytes.extend_from_slice(document);
                    *open_rows += 1;
                }
                fits
            }
        }
    }

    fn close(&mut self) {
        let Some(inputs) = self.open.take() else { return };
        self.inputs.push(inputs);
        match &mut self.kind {
            Kind::Kpl { aggregator, keys } => {
                aggregator.close();
                keys.turn();
            }
            Kind::Json {
                bytes,
                ends,
                open_rows,
            } => {
                ends.push(bytes.len());
                *open_rows = 0;
            }
        }
    }

    /// Closes the last blob and hands all of them over.
    pub(crate) fn finish(mut self) -> Packed {
        self.close();
        let contents = match self.kind {
            Kind::Kpl { aggregator, .. } => Contents::Kpl(aggregator.finish()),
            Kind::Json { bytes, ends, .. } => Contents::Json { bytes, ends },
        };
        Packed {
            contents,
            inputs: self.inputs,
            rows: self.rows,
        }
    }
}

/// Finished blobs, and which inputs each of them covers.
pub(crate) struct Packed {
    contents: Contents,
    inputs: Vec<InputSpan>,
    rows: usize,
}

enum Contents {
    Kpl(Blobs),
    Json { bytes: Vec<u8>, ends: Vec<usize> },
}

impl Packed {
    /// The blobs as entries of a put, in order.
    pub(crate) fn entries(&self) -> Vec<PutEntry<'_>> {
        match &self.contents {
            Contents::Kpl(blobs) => blobs
                .iter()
                .map(|blob| PutEntry {
                    data: blob.bytes,
                    partition_key: blob.partition_key,
                })
                .collect(),
            Contents::Json { bytes, ends } => documents(bytes, ends)
                .map(|data| PutEntry {
                    data,
                    partition_key: "",
                })
                .collect(),
        }
    }

    /// Number of blobs.
    pub(crate) fn blobs(&self) -> usize {
        match &self.contents {
            Contents::Kpl(blobs) => blobs.len(),
            Contents::Json { ends, .. } => ends.len(),
        }
    }

    /// Bytes of all blobs.
    pub(crate) fn blob_bytes(&self) -> usize {
        match &self.contents {
            Contents::Kpl(blobs) => blobs.total_bytes(),
            Contents::Json { bytes, .. } => bytes.len(),
        }
    }

    /// Position of the first input in the blob.
    pub(crate) fn first_position(&self, blob: usize) -> usize {
        self.inputs.get(blob).map_or(0, |inputs| inputs.first)
    }

    /// Rows in all blobs.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Rows in all blobs, counted from the blobs themselves where their format tells.
    pub(crate) fn rows_in_blobs(&self) -> usize {
        match &self.contents {
            Contents::Kpl(blobs) => blobs.iter().map(|blob| blob.user_records).sum(),
            Contents::Json { .. } => self.rows,
        }
    }

    /// Whether every input row has its blob: every blob has its inputs, in order.
    pub(crate) fn is_whole(&self) -> bool {
        let in_order = self.inputs.windows(2).all(|pair| match pair {
            [one, next] => one.last <= next.first,
            _ => false,
        });
        self.blobs() == self.inputs.len() && in_order && self.rows == self.rows_in_blobs()
    }
}

/// The documents that lie one behind the other and end there.
pub(crate) fn documents<'a>(bytes: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts
        .zip(ends)
        .map(|(start, &end)| bytes.get(start..end).unwrap_or_default())
}

/// Partition keys, one per blob, so that blobs spread over the shards whatever rows they hold.
struct PartitionKeys {
    state: u64,
    text: String,
}

impl PartitionKeys {
    /// Bytes of a key: eight hexadecimal digits.
    const LEN: usize = 8;

    fn new(seed: u64) -> PartitionKeys {
        let mut keys = PartitionKeys {
            state: seed,
            text: String::new(),
        };
        keys.turn();
        keys
    }

    fn current(&self) -> &str {
        &self.text
    }

    /// Takes the next key. Kinesis hashes it by MD5, so that counting spreads as well as chance does.
    fn turn(&mut self) {
        self.state = self.state.wrapping_add(1);
        self.text.clear();
        for digit in (0..PartitionKeys::LEN).rev() {
            let digit = (self.state >> (4 * digit)) & 0xf;
            let digit = u32::try_from(digit)
                .ok()
                .and_then(|digit| char::from_digit(digit, 16));
            self.text.extend(digit);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::service::PutLimits;

    /// Documents of the inputs at these positions, each in a blob of its own.
    pub(crate) fn packed(service: Service, positions: &[usize]) -> Packed {
        let mut packer = Packer::new(service, 1, 0);
        for &position in positions {
            packer.push(position, b"{}");
        }
        packer.finish()
    }

    #[test]
    fn what_is_larger_than_any_record_has_no_place() {
        // A Kinesis record counts with its key of eight bytes.
        for (service, most) in [(Service::KINESIS, 12), (Service::FIREHOSE, 20)] {
            let tight = PutLimits {
                record_bytes: 20,
                ..service.limits()
            };
            let mut packer = Packer::new(service.within(tight), 5_120, 0);
            packer.push(0, &vec![b'x'; most]);
            packer.push(1, &vec![b'x'; most + 1]);
            let packed = packer.finish();
            assert_eq!((packed.rows(), packed.blobs()), (1, 1));
        }
    }

    #[test]
    fn blobs_are_whole_with_their_inputs_in_order_and_all_their_rows() {
        for service in [Service::KINESIS, Service::FIREHOSE] {
            // An input may lie in several blobs, and one without documents in none.
            for positions in [&[][..], &[0], &[0, 0, 1, 4]] {
                assert!(packed(service, positions).is_whole(), "{positions:?}");
            }
            // A put that fails would send back to a position after what it lost.
            assert!(!packed(service, &[1, 0]).is_whole());
            assert!(!packed(service, &[0, 2, 1]).is_whole());

            let mut without_inputs = packed(service, &[0, 1]);
            without_inputs.inputs.pop();
            assert!(!without_inputs.is_whole());
        }
        // Only the KPL format tells how many rows a blob holds.
        let mut without_row = packed(Service::KINESIS, &[0, 1]);
        without_row.rows += 1;
        assert!(!without_row.is_whole());
    }
}
