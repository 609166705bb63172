//! Objects: one header word, then fields, or a length and elements.
//!
//! The header is the address of the object's RTT record (see `rtt.rs`); mark and age bits are in the
//! collector's side tables. Objects are 4-aligned and a multiple of 4 bytes long; wider fields need
//! no more than 4-alignment, so a struct of `n` references takes `4 + 4 n` bytes. Fields stand in
//! declaration order: then a subtype's layout begins with its supertype's, by construction, and
//! padding only appears between packed fields and wider ones.

use super::rtt::DESCRIPTOR_FIELDS;
use crate::types::{CompositeType, FieldType, StorageType, SubType, ValType};

/// Bytes of the header.
pub const HEADER_BYTES: u32 = 4;
/// Offset of an array's length from its header.
pub const ARRAY_LENGTH: u32 = 4;
/// Offset of an array's first element from its header.
pub const ARRAY_ELEMENTS: u32 = 8;
/// Alignment of objects, and the unit of their size.
pub const OBJECT_ALIGN: u32 = 4;
/// Objects of this size or more are never allocated in the nursery.
pub const LARGE_OBJECT_BYTES: u32 = 8192;

/// How a field or element is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Width {
    /// One byte, packed.
    I8,
    /// Two bytes, packed.
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
    /// A reference that the collector traces.
    Ref,
    /// A handle of the store's function table: an index, or [`FUNC_NULL`].
    FuncHandle,
}

/// The handle of the null function reference. It is no valid table index.
pub const FUNC_NULL: u32 = 0xFFFF_FFFF;

impl Width {
    /// How a storage type is kept in the heap.
    pub fn of(storage: StorageType) -> Width {
        match storage {
            StorageType::I8 => Width::I8,
            StorageType::I16 => Width::I16,
            StorageType::Val(ValType::I32) => Width::I32,
            StorageType::Val(ValType::I64) => Width::I64,
            StorageType::Val(ValType::F32) => Width::F32,
            StorageType::Val(ValType::F64) => Width::F64,
            StorageType::Val(ValType::V128) => Width::V128,
            StorageType::Val(ValType::Ref(r)) if r.is_func() => Width::FuncHandle,
            StorageType::Val(ValType::Ref(_)) => Width::Ref,
        }
    }

    /// Bytes that a value takes: 1, 2, 4, 8 or 16.
    pub const fn bytes(self) -> u32 {
        match self {
            Width::I8 => 1,
            Width::I16 => 2,
            Width::I32 | Width::F32 | Width::Ref | Width::FuncHandle => 4,
            Width::I64 | Width::F64 => 8,
            Width::V128 => 16,
        }
    }
}

/// Where a field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldLayout {
    /// Offset from the header, in bytes.
    pub offset: u32,
    /// How it is stored.
    pub width: Width,
}

/// The layout of a struct type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StructLayout {
    /// Size with header, a multiple of [`OBJECT_ALIGN`].
    pub bytes: u32,
    /// The fields, in declaration order.
    pub fields: Box<[FieldLayout]>,
    /// Offsets from the header of the fields that the collector traces, ascending.
    pub refs: Box<[u32]>,
}

/// The layout of an array type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArrayLayout {
    /// How an element is stored.
    pub element: Width,
}

impl ArrayLayout {
    /// Size of an array object of `len` elements, in bytes.
    pub const fn bytes(self, len: u32) -> u64 {
        let raw = ARRAY_ELEMENTS as u64 + len as u64 * self.element.bytes() as u64;
        (raw + OBJECT_ALIGN as u64 - 1) & !(OBJECT_ALIGN as u64 - 1)
    }

    /// The longest array that is not a large object.
    pub const fn max_small_len(self) -> u32 {
        (LARGE_OBJECT_BYTES - OBJECT_ALIGN - ARRAY_ELEMENTS) / self.element.bytes()
    }
}

/// The layout of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectLayout {
    /// A struct, or any other object of fixed size.
    Struct(StructLayout),
    /// An array.
    Array(ArrayLayout),
}

impl ObjectLayout {
    /// The layout of objects of a type; `None` for function types, which have no objects.
    pub fn of(ty: &SubType) -> Option<ObjectLayout> {
        match &ty.composite {
            CompositeType::Struct(fields) => {
                // What describes is an RTT record first.
                let start = if ty.describes.is_some() { DESCRIPTOR_FIELDS } else { HEADER_BYTES };
                Some(ObjectLayout::Struct(StructLayout::new(fields, start)))
            }
            CompositeType::Array(field) => Some(ObjectLayout::Array(ArrayLayout { element: Width::of(field.storage) })),
            CompositeType::Func(_) => None,
        }
    }
}

impl StructLayout {
    /// Lays out fields in declaration order, from an offset on.
    pub fn new(fields: &[FieldType], start: u32) -> StructLayout {
        let mut end = start;
        let mut refs = Vec::new();
        let fields = fields
            .iter()
            .map(|field| {
                let width = Width::of(field.storage);
                let align = width.bytes().min(OBJECT_ALIGN);
                let offset = end.next_multiple_of(align);
                end = offset + width.bytes();
                if width == Width::Ref {
                    refs.push(offset);
                }
                FieldLayout { offset, width }
            })
            .collect();
        StructLayout { bytes: end.next_multiple_of(OBJECT_ALIGN), fields, refs: refs.into() }
    }
}

const _: () = {
    assert!(ARRAY_LENGTH == HEADER_BYTES && ARRAY_ELEMENTS == ARRAY_LENGTH + 4);
    let bytes = ArrayLayout { element: Width::I8 };
    assert!(bytes.bytes(0) == 8 && bytes.bytes(1) == 12 && bytes.bytes(u32::MAX) == 0x1_0000_0008);
    assert!(bytes.bytes(bytes.max_small_len()) < LARGE_OBJECT_BYTES as u64);
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{HeapType, RefType};

    fn field(storage: StorageType) -> FieldType {
        FieldType { storage, mutable: true }
    }

    #[test]
    fn a_pair_of_references_takes_twelve_bytes() {
        let any = StorageType::Val(ValType::Ref(RefType::new(true, HeapType::Any)));
        let layout = StructLayout::new(&[field(any), field(any)], HEADER_BYTES);
        assert_eq!((layout.bytes, &*layout.refs), (12, &[4, 8][..]));
    }

    #[test]
    fn packed_fields_share_a_word_and_subtypes_keep_the_prefix() {
        let base = [field(StorageType::I8), field(StorageType::I16), field(StorageType::Val(ValType::F64))];
        let sub = [base[0], base[1], base[2], field(StorageType::I8)];
        let (b, s) = (StructLayout::new(&base, HEADER_BYTES), StructLayout::new(&sub, HEADER_BYTES));
        assert_eq!(b.fields.iter().map(|f| f.offset).collect::<Vec<_>>(), [4, 6, 8]);
        assert_eq!(b.fields[..], s.fields[..3]);
        assert_eq!((b.bytes, s.bytes), (16, 20));
    }
}
