//! The protobuf encoding, as far as the format needs it.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

// A tag is the field's number and, in the lower three bits, its wire type.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const DELIMITED: u8 = 2;
const GROUP: u8 = 3;
const GROUP_END: u8 = 4;
const FIXED_32: u8 = 5;

pub(crate) const PARTITION_KEY_TABLE: u8 = 1 << 3 | DELIMITED;
pub(crate) const EXPLICIT_HASH_KEY_TABLE: u8 = 2 << 3 | DELIMITED;
pub(crate) const RECORDS: u8 = 3 << 3 | DELIMITED;
pub(crate) const PARTITION_KEY_INDEX: u8 = 1 << 3 | VARINT;
pub(crate) const EXPLICIT_HASH_KEY_INDEX: u8 = 2 << 3 | VARINT;
pub(crate) const DATA: u8 = 3 << 3 | DELIMITED;

/// Depth of groups in groups at which a message counts as malformed; protobuf's own readers stop at 100.
const MAX_GROUP_DEPTH: usize = 100;

/// Bytes of a varint.
pub(crate) fn varint_len(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Bytes of a field of `len` bytes, with its tag and length.
pub(crate) fn delimited_len(len: usize) -> usize {
    1 + varint_len(len) + len
}

/// Writes a varint in as few bytes as it takes.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let [low, ..] = value.to_le_bytes();
        if value < 0x80 {
            return out.push(low);
        }
        out.push(low | 0x80);
        value >>= 7;
    }
}

/// Writes a field of bytes with its tag and length.
pub(crate) fn put_delimited(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WireField<'a> {
    /// The field's number, at least 1.
    pub(crate) number: u32,
    pub(crate) value: WireValue<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireValue<'a> {
    Varint(u64),
    Delimited(&'a [u8]),
    /// A fixed number or a group. The format has none, so it is an unknown field and its content is skipped.
    Skipped,
}

/// The bytes are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the fields of one message in the order in which they are written. After [`Malformed`] the reader's
/// position means nothing: stop.
#[derive(Debug, Clone)]
pub(crate) struct WireFields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for WireFields<'a> {
    type Item = Result<WireField<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            None
        } else {
            Some(self.field())
        }
    }
}

impl<'a> WireFields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<WireField<'a>, Malformed> {
        let (number, wire_type) = self.tag()?;
        let value = if wire_type == GROUP {
            self.skip_group(number)?;
            WireValue::Skipped
        } else {
            self.value(wire_type)?
        };
        Ok(WireField { number, value })
    }

    /// A field's number and wire type.
    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let number = tag >> 3;
        if number == 0 {
            Err(Malformed)
        } else {
            Ok((number, (tag & 7) as u8))
        }
    }

    /// The value of any field but a group. A group's end without its beginning is none.
    fn value(&mut self, wire_type: u8) -> Result<WireValue<'a>, Malformed> {
        match wire_type {
            VARINT => self.varint().map(WireValue::Varint),
            DELIMITED => {
                let len = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                self.take(len).map(WireValue::Delimited)
            }
            FIXED_64 => self.take(8).map(|_| WireValue::Skipped),
            FIXED_32 => self.take(4).map(|_| WireValue::Skipped),
            _ => Err(Malformed),
        }
    }

    /// Skips to the end of a group. The groups that are open stand in a list of fixed length, not on the
    /// call stack: input must not be able to exhaust it.
    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let mut open = [0; MAX_GROUP_DEPTH];
        let mut depth = 0;
        let mut begun = Some(number);
        loop {
            if let Some(number) = begun.take() {
                *open.get_mut(depth).ok_or(Malformed)? = number;
                depth += 1;
            }
            let (number, wire_type) = self.tag()?;
            match wire_type {
                GROUP => begun = Some(number),
                GROUP_END => {
                    depth -= 1;
                    if open.get(depth) != Some(&number) {
                        return Err(Malformed);
                    }
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {
                    self.value(wire_type)?;
                }
            }
        }
    }

    /// A varint: at most ten bytes, needlessly long ones included. One that does not fit 64 bits is
    /// malformed rather than cut: a cut index would name another record's key.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8]) -> Result<Vec<WireField<'_>>, Malformed> {
        WireFields::of(message).collect()
    }

    fn varint(number: u32, value: u64) -> Vec<WireField<'static>> {
        vec![WireField {
            number,
            value: WireValue::Varint(value),
        }]
    }

    fn skipped(number: u32) -> Vec<WireField<'static>> {
        vec![WireField {
            number,
            value: WireValue::Skipped,
        }]
    }

    /// Values and bytes as in protobuf's own documents, and where the length changes.
    const VARINTS: &[(usize, &[u8])] = &[
        (0, &[0x00]),
        (1, &[0x01]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (150, &[0x96, 0x01]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
    ];

    #[test]
    fn a_varint_is_written_in_as_few_bytes_as_predicted() {
        for &(value, bytes) in VARINTS {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out, bytes);
            assert_eq!(varint_len(value), bytes.len());
            assert_eq!(read(&[&[0x08], bytes].concat()), Ok(varint(1, value as u64)));
        }
        assert_eq!(varint_len(usize::MAX), (usize::BITS as usize).div_ceil(7));
    }

    #[test]
    fn a_varint_takes_ten_bytes_and_64_bits_at_most() {
        let nine = [0xff; 9];
        assert_eq!(
            read(&[&[0x08], &nine[..], &[0x01]].concat()),
            Ok(varint(1, u64::MAX))
        );
        assert_eq!(
            read(&[&[0x08], &nine[..], &[0x02]].concat()),
            Err(Malformed),
            "bit 64"
        );
        assert_eq!(
            read(&[&[0x08], &nine[..], &[0x81, 0x00]].concat()),
            Err(Malformed),
            "11 bytes"
        );
        assert_eq!(read(&[0x08, 0x81, 0x80, 0x00]), Ok(varint(1, 1)), "padded");
        let padding = [0x80; 8];
        assert_eq!(
            read(&[&[0x08, 0x81], &padding[..], &[0x00]].concat()),
            Ok(varint(1, 1)),
            "padded to 10"
        );
        assert_eq!(read(&[0x08]), Err(Malformed), "no byte");
        assert_eq!(read(&[0x08, 0x80]), Err(Malformed), "cut");
    }

    #[test]
    fn a_tag_is_a_number_from_1_and_a_known_wire_type() {
        assert_eq!(read(&[0x00, 0x00]), Err(Malformed), "field 0");
        assert_eq!(read(&[0x0e, 0x00]), Err(Malformed), "wire type 6");
        assert_eq!(read(&[0x0f, 0x00]), Err(Malformed), "wire type 7");
        assert_eq!(
            read(&[0xf8, 0xff, 0xff, 0xff, 0x0f, 0x07]),
            Ok(varint(536_870_911, 7)),
            "the last field"
        );
        assert_eq!(
            read(&[0xf8, 0xff, 0xff, 0xff, 0x1f, 0x07]),
            Err(Malformed),
            "33 bits"
        );
        assert_eq!(read(&[0x88, 0x00, 0x07]), Ok(varint(1, 7)), "a padded tag");
    }

    #[test]
    fn a_length_past_the_end_is_malformed() {
        let field = WireField {
            number: 1,
            value: WireValue::Delimited(b"ab"),
        };
        assert_eq!(read(&[0x0a, 2, b'a', b'b']), Ok(vec![field]));
        assert_eq!(read(&[0x0a, 3, b'a', b'b']), Err(Malformed));
        assert_eq!(
            read(&[&[0x0a], &[0xff; 9][..], &[0x01]].concat()),
            Err(Malformed),
            "2^64 - 1 bytes"
        );
    }

    #[test]
    fn fixed_numbers_are_skipped() {
        assert_eq!(read(&[0x0d, 1, 2, 3, 4]), Ok(skipped(1)));
        assert_eq!(read(&[0x09, 1, 2, 3, 4, 5, 6, 7, 8]), Ok(skipped(1)));
        assert_eq!(read(&[0x0d, 1, 2, 3]), Err(Malformed));
        assert_eq!(read(&[0x09, 1, 2, 3, 4, 5, 6, 7]), Err(Malformed));
    }

    #[test]
    fn a_group_is_skipped_to_the_end_of_its_own_number() {
        assert_eq!(read(&[0x0b, 0x0c]), Ok(skipped(1)), "empty");
        assert_eq!(
            read(&[0x0b, 0x08, 1, 0x12, 1, 0x0c, 0x13, 0x14, 0x0c]),
            Ok(skipped(1)),
            "with content"
        );
        assert_eq!(read(&[0x0b, 0x14]), Err(Malformed), "another number's end");
        assert_eq!(read(&[0x0b, 0x13, 0x0c, 0x14]), Err(Malformed), "crossed");
        assert_eq!(read(&[0x0b, 0x08, 1]), Err(Malformed), "no end");
        assert_eq!(read(&[0x0c]), Err(Malformed), "an end without a beginning");
    }

    #[test]
    fn groups_in_groups_have_a_depth_at_which_reading_stops() {
        let nested = |depth: usize| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert_eq!(read(&nested(100)), Ok(skipped(1)));
        assert_eq!(read(&nested(101)), Err(Malformed));
        assert_eq!(read(&vec![0x0b; 1 << 20]), Err(Malformed));
    }
}
