//! The services that records are put to: what a record looks like there, and what one call may carry.

/// A service that records are put to. There are two, and what a blob of rows looks like follows from where it
/// goes: a blob that its reader does not understand cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    format: BlobFormat,
    limits: PutLimits,
}

/// What a blob looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlobFormat {
    /// An aggregated record in the KPL format, which Firehose takes apart when it reads it from a stream.
    Kpl,
    /// JSON documents one behind the other.
    Json,
}

/// What one call may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutLimits {
    /// The most entries of a call.
    pub entries: usize,
    /// The most bytes of a call, partition keys included.
    pub request_bytes: usize,
    /// The most bytes of one entry, its partition key included.
    pub record_bytes: usize,
}

impl Service {
    /// A Kinesis stream that Firehose reads, by `PutRecords`: 500 records, 10 MiB with their keys; a record of
    /// 1 MiB unless the stream allows more.
    /// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>
    pub const KINESIS: Service = Service {
        format: BlobFormat::Kpl,
        limits: PutLimits {
            entries: 500,
            request_bytes: 10 << 20,
            record_bytes: 1 << 20,
        },
    };

    /// A Firehose stream, by `PutRecordBatch`: 500 records, 4 MiB; a record of 1,000 KiB before base64.
    /// Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
    pub const FIREHOSE: Service = Service {
        format: BlobFormat::Json,
        limits: PutLimits {
            entries: 500,
            request_bytes: 4 << 20,
            record_bytes: 1000 << 10,
        },
    };

    /// The same service behind limits of one's own. They can only be tighter: where one is wider, the
    /// service's holds.
    #[must_use]
    pub const fn within(self, limits: PutLimits) -> Service {
        const fn min(one: usize, other: usize) -> usize {
            if one < other { one } else { other }
        }
        Service {
            format: self.format,
            limits: PutLimits {
                entries: min(self.limits.entries, limits.entries),
                request_bytes: min(self.limits.request_bytes, limits.request_bytes),
                record_bytes: min(self.limits.record_bytes, limits.record_bytes),
            },
        }
    }

    pub(crate) const fn format(self) -> BlobFormat {
        self.format
    }

    pub(crate) const fn limits(self) -> PutLimits {
        self.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_those_that_the_apis_state() {
        let limits = |service: Service| {
            let limits = service.limits;
            (limits.entries, limits.request_bytes, limits.record_bytes)
        };
        // 10 MiB and 1 MiB; 4 MiB and 1,000 KiB.
        assert_eq!(limits(Service::KINESIS), (500, 10_485_760, 1_048_576));
        assert_eq!(limits(Service::FIREHOSE), (500, 4_194_304, 1_024_000));
    }

    #[test]
    fn limits_of_ones_own_are_never_wider_and_leave_the_format() {
        let wide = PutLimits {
            entries: usize::MAX,
            request_bytes: usize::MAX,
            record_bytes: usize::MAX,
        };
        let tight = PutLimits {
            entries: 1,
            request_bytes: 2,
            record_bytes: 3,
        };
        for service in [Service::KINESIS, Service::FIREHOSE] {
            assert_eq!(service.within(wide), service);
            assert_eq!(service.within(tight).limits, tight);
            assert_eq!(service.within(tight).within(wide).limits, tight);
            assert_eq!(service.within(tight).format, service.format);
        }
    }
}
