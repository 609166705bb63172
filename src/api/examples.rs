//! Examples of what is Wasmtime's own and re-exported: its documentation is there, and these run here.

#![expect(dead_code, reason = "only the examples are of use")]

/// [`I31`](super::I31): small integers as references.
///
/// ```
/// use wasmtime_gc::{I31, Instance, Module, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let module = Module::new(
///     store.engine(),
///     r#"(module (func (export "next") (param (ref i31)) (result i31ref)
///         (ref.i31 (i32.add (i31.get_s (local.get 0)) (i32.const 1)))))"#,
/// )?;
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let next = instance.get_typed_func::<I31, Option<I31>>(&mut store, "next")?;
/// let result = next.call(&mut store, I31::wrapping_i32(41))?;
/// assert_eq!(result.map(|n| n.get_i32()), Some(42));
/// # Ok(())
/// # }
/// ```
struct Small;

/// `I31::new_u32`: only what fits into 31 bits.
///
/// ```
/// use wasmtime_gc::I31;
///
/// let most = (1 << 31) - 1;
/// assert_eq!(I31::new_u32(most).map(|n| n.get_u32()), Some(most));
/// assert!(I31::new_u32(most + 1).is_none());
/// ```
struct NewU32;

/// `I31::new_i32`: only what fits into 31 bits with a sign.
///
/// ```
/// use wasmtime_gc::I31;
///
/// let (least, most) = (-(1 << 30), (1 << 30) - 1);
/// assert!(I31::new_i32(least).is_some() && I31::new_i32(most).is_some());
/// assert!(I31::new_i32(least - 1).is_none() && I31::new_i32(most + 1).is_none());
/// ```
struct NewI32;

/// `I31::wrapping_u32`: the highest bit is lost.
///
/// ```
/// use wasmtime_gc::I31;
///
/// assert_eq!(I31::wrapping_u32(0x8000_0005).get_u32(), 5);
/// assert_eq!(I31::wrapping_u32(5), I31::wrapping_u32(0x8000_0005));
/// ```
struct WrappingU32;

/// `I31::wrapping_i32`: the sign is that of the 31st bit.
///
/// ```
/// use wasmtime_gc::I31;
///
/// assert_eq!(I31::wrapping_i32(-7).get_i32(), -7);
/// assert_eq!(I31::wrapping_i32(1 << 30).get_i32(), -(1 << 30));
/// ```
struct WrappingI32;

/// `I31::get_u32`: the bits as they are.
///
/// ```
/// use wasmtime_gc::I31;
///
/// assert_eq!(I31::wrapping_i32(-1).get_u32(), 0x7fff_ffff);
/// ```
struct GetU32;

/// `I31::get_i32`: the bits with their sign.
///
/// ```
/// use wasmtime_gc::I31;
///
/// assert_eq!(I31::wrapping_u32(0x7fff_ffff).get_i32(), -1);
/// ```
struct GetI32;
