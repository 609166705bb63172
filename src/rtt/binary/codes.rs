//! Codes of types and operators. Those of `own` are of no document.

/// Types, as bytes of one-byte negative numbers.
pub mod ty {
    pub const I32: u8 = 0x7f;
    pub const I64: u8 = 0x7e;
    pub const F32: u8 = 0x7d;
    pub const F64: u8 = 0x7c;
    pub const V128: u8 = 0x7b;
    pub const I8: u8 = 0x7a;
    pub const I16: u8 = 0x79;
    pub const FUNC: u8 = 0x70;
    pub const EXTERN: u8 = 0x6f;
    pub const ANY: u8 = 0x6e;
    pub const EQ: u8 = 0x6d;
    pub const REF_NULL: u8 = 0x6c;
    pub const REF: u8 = 0x6b;
    pub const I31: u8 = 0x6a;
    pub const RTT_N: u8 = 0x69;
    pub const RTT: u8 = 0x68;
    pub const DATA: u8 = 0x67;
    pub const DEF_FUNC: u8 = 0x60;
    pub const DEF_STRUCT: u8 = 0x5f;
    pub const DEF_ARRAY: u8 = 0x5e;
    pub const EMPTY: u8 = 0x40;
}

/// One-byte operators that differ from today's.
pub mod op {
    pub const CALL_REF: u8 = 0x14;
    pub const RETURN_CALL_REF: u8 = 0x15;
    pub const FUNC_BIND: u8 = 0x16;
    pub const LET: u8 = 0x17;
    pub const REF_NULL: u8 = 0xd0;
    pub const REF_IS_NULL: u8 = 0xd1;
    pub const REF_FUNC: u8 = 0xd2;
    pub const REF_AS_NON_NULL: u8 = 0xd3;
    pub const BR_ON_NULL: u8 = 0xd4;
    pub const REF_EQ: u8 = 0xd5;
    pub const BR_ON_NON_NULL: u8 = 0xd6;
    pub const PREFIX: u8 = 0xfb;
}

/// Operators behind the prefix.
pub mod gc {
    pub const STRUCT_NEW: u32 = 0x00;
    pub const STRUCT_NEW_WITH_RTT: u32 = 0x01;
    pub const STRUCT_NEW_DEFAULT_WITH_RTT: u32 = 0x02;
    pub const STRUCT_GET: u32 = 0x03;
    pub const STRUCT_GET_S: u32 = 0x04;
    pub const STRUCT_GET_U: u32 = 0x05;
    pub const STRUCT_SET: u32 = 0x06;
    pub const ARRAY_NEW_WITH_RTT: u32 = 0x11;
    pub const ARRAY_NEW_DEFAULT_WITH_RTT: u32 = 0x12;
    pub const ARRAY_GET: u32 = 0x13;
    pub const ARRAY_GET_S: u32 = 0x14;
    pub const ARRAY_GET_U: u32 = 0x15;
    pub const ARRAY_SET: u32 = 0x16;
    pub const ARRAY_LEN: u32 = 0x17;
    pub const I31_NEW: u32 = 0x20;
    pub const I31_GET_S: u32 = 0x21;
    pub const I31_GET_U: u32 = 0x22;
    pub const RTT_CANON: u32 = 0x30;
    pub const RTT_SUB: u32 = 0x31;
    pub const REF_TEST: u32 = 0x40;
    pub const REF_CAST: u32 = 0x41;
    pub const BR_ON_CAST: u32 = 0x42;
    pub const BR_ON_CAST_FAIL: u32 = 0x43;
    /// `ref.is_func`; `data` and `i31` follow, as everywhere below.
    pub const REF_IS: u32 = 0x50;
    pub const REF_AS: u32 = 0x58;
    pub const BR_ON: u32 = 0x60;
    pub const BR_ON_NON: u32 = 0x63;
}

/// What no document has a code for.
pub mod own {
    /// `struct.new_default` without saying whether with an RTT; `struct.new` is [`super::gc::STRUCT_NEW`].
    pub const STRUCT_NEW_DEFAULT: u32 = 0x80;
    /// The same of arrays.
    pub const ARRAY_NEW: u32 = 0x81;
    pub const ARRAY_NEW_DEFAULT: u32 = 0x82;
    /// `array.len` without a type.
    pub const ARRAY_LEN: u32 = 0x83;
    /// `rtt.anyref`
    pub const RTT_ANY: u32 = 0x84;
    /// In a type section: an imported type that is not behind all defined ones. Module, name, bound.
    pub const DEF_IMPORT: u8 = 0x5d;
    /// The type of `(rtt any)`.
    pub const ANY_TYPE: u32 = u32::MAX;
}

/// The kind of an imported or exported type.
pub const KIND_TYPE: u8 = 5;
