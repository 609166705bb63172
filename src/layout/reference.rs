//! The bits of a reference, an `i32` in lowered code.
//!
//! ```text
//! ...vvvv vvv0   an i31: the value, shifted left by one
//! ...aaaa aa01   an object: the address of its header, minus 3
//! 1hhh hhhh hh11 a function, by its handle, where a value of any kind may be (the dialect of explicit RTTs)
//! 1111 1111 1..1 null
//! ```
//!
//! Why minus 3 and not plus 1: a Wasm memory access has an unsigned offset, so the header must lie
//! at a non-negative distance from the reference. With this bias the header is at offset 3, the
//! first field at 7, and so on, and the low bits still tell objects, numbers and what is none of these apart.
//!
//! Null is the largest address there is. Every access through it has an effective address of 4 GiB
//! or more, beyond any 32-bit memory, and so faults; no null check is needed where an access follows
//! anyway.

/// The null reference of every hierarchy but `func`.
pub const NULL: u32 = 0xFFFF_FFFF;

/// Distance from a reference to the header of the object that it refers to.
pub const BIAS: u32 = 3;

/// Low bits that tell an object from an i31 and from null.
pub const TAG_MASK: u32 = 0b11;

/// `reference & TAG_MASK` of a reference to an object.
pub const TAG_OBJECT: u32 = 0b01;

/// The bit that is clear in every i31, and set in null and in every reference to an object.
pub const NOT_I31: u32 = 0b1;

/// The low bits of a function; null has them too.
pub const TAG_FUNC: u32 = 0b11;

/// What is set in every function besides its handle: above the boundary that barriers ask for, unless a collection
/// marks in steps; then it is remembered for nothing.
pub const FUNC_BITS: u32 = 0x8000_0000 | TAG_FUNC;

/// How far a function's handle is shifted.
pub const FUNC_SHIFT: u32 = 2;

/// Handles of functions are below this: the highest bit of a shifted one must be free.
pub const MAX_FUNC_HANDLES: u32 = 1 << 28;

/// The reference for a function handle, as a value of any kind. The null handle, all ones, becomes null.
pub const fn from_func(handle: u32) -> u32 {
    handle << FUNC_SHIFT | FUNC_BITS
}

/// The function handle in a reference that is a function or null.
pub const fn func_handle(reference: u32) -> u32 {
    (((reference << 1) as i32) >> (FUNC_SHIFT + 1)) as u32
}

/// Whether a reference is a function (and not null).
pub const fn is_func(reference: u32) -> bool {
    reference & TAG_MASK == TAG_FUNC && reference != NULL
}

/// How far an i31's value is shifted.
pub const I31_SHIFT: u32 = 1;

/// The reference to the object whose header is at `header`.
pub const fn from_header(header: u32) -> u32 {
    header.wrapping_sub(BIAS)
}

/// The address of the header of the object that `reference` refers to.
pub const fn header(reference: u32) -> u32 {
    reference.wrapping_add(BIAS)
}

/// Whether a reference refers to an object (and is neither null nor an i31).
pub const fn is_object(reference: u32) -> bool {
    reference & TAG_MASK == TAG_OBJECT
}

/// Whether a reference is an i31.
pub const fn is_i31(reference: u32) -> bool {
    reference & NOT_I31 == 0
}

/// The reference for an i31, from the low 31 bits of a value.
pub const fn i31(value: u32) -> u32 {
    value << I31_SHIFT
}

/// The value of an i31, zero-extended.
pub const fn i31_u(reference: u32) -> u32 {
    reference >> I31_SHIFT
}

/// The value of an i31, sign-extended.
pub const fn i31_s(reference: u32) -> i32 {
    (reference as i32) >> I31_SHIFT
}

const _: () = {
    assert!(is_object(from_header(4096)) && header(from_header(4096)) == 4096);
    assert!(!is_object(NULL) && !is_i31(NULL));
    assert!(is_i31(i31(5)) && i31_u(i31(0x7FFF_FFFF)) == 0x7FFF_FFFF);
    assert!(i31_s(i31(0x7FFF_FFFF)) == -1);
    assert!(from_func(u32::MAX) == NULL && func_handle(NULL) == u32::MAX && !is_func(NULL));
    assert!(is_func(from_func(7)) && func_handle(from_func(7)) == 7);
    assert!(func_handle(from_func(MAX_FUNC_HANDLES - 1)) == MAX_FUNC_HANDLES - 1);
    // The smallest access through null is out of every memory's bounds.
    assert!(NULL as u64 + BIAS as u64 > u32::MAX as u64);
};
