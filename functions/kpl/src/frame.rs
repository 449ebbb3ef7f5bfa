//! The frame of a blob: what stands around its protobuf.

/// The four bytes that begin a blob.
pub const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// Bytes of the digest that ends a blob.
pub const DIGEST_LEN: usize = 16;

/// Bytes of a blob around its protobuf: magic number and digest.
pub const FRAME_LEN: usize = MAGIC.len() + DIGEST_LEN;
