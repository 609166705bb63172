//! A cursor over bytes. Nothing is trusted: every count is held against the bytes that are left.

use crate::fault::{Error, Result};
use wasmparser::{BinaryReader, WasmFeatures};

/// A cursor over the bytes of a module, or of one section.
pub(super) struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub end: usize,
    pub features: WasmFeatures,
    /// Parameters and results of the blocks so far.
    pub block_types: usize,
}

impl<'a> Reader<'a> {
    /// An error here.
    #[cold]
    pub fn error(&self, message: &str) -> Error {
        Error::Invalid { offset: self.at, message: message.to_string() }
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.end);
        let end = end.ok_or_else(|| self.error("unexpected end"))?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    /// The next byte, which stays.
    pub fn peek(&self) -> Result<u8> {
        self.bytes.get(self.at).copied().filter(|_| self.at < self.end).ok_or_else(|| self.error("unexpected end"))
    }

    /// Something that `wasmparser` reads.
    pub fn by<T>(&mut self, read: impl FnOnce(&mut BinaryReader<'a>) -> wasmparser::Result<T>) -> Result<T> {
        let bytes = self.bytes.get(self.at..self.end).unwrap_or_default();
        let mut reader = BinaryReader::new_features(bytes, self.at, self.features);
        let value = read(&mut reader)?;
        self.at = reader.original_position();
        Ok(value)
    }

    /// A number.
    pub fn u32(&mut self) -> Result<u32> {
        self.by(|reader| reader.read_var_u32())
    }

    /// A large number.
    pub fn u64(&mut self) -> Result<u64> {
        self.by(|reader| reader.read_var_u64())
    }

    /// Bytes with their count in front.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.u32()? as usize;
        self.take(count)
    }

    /// A name.
    pub fn name(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.error("malformed UTF-8 encoding"))
    }

    /// A list. Each entry takes a byte at least, so that a count can not be larger than what is left.
    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.u32()? as usize;
        if count > self.end - self.at {
            return Err(self.error("unexpected end: a list is longer than the section"));
        }
        (0..count).map(|_| each(self)).collect()
    }
}
