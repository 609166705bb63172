//! Side tables for embedders: an instance of the intrinsic in a store.
//!
//! The guest imports the operations, so each use is a call between instances. `wasmtime-gc link` and
//! [`intrinsics::link`](crate::intrinsics::link) put them into the program itself.

use super::store::{AsContextMut, StoreContextMut};
use super::types::{HeapType, RefType};
use super::values::{Ref, Val};
use super::{Error, Func, Instance, Linker, Module, Result};
use crate::intrinsics;

/// A table of references of a store, in which numbers stand for them.
///
/// ```
/// use wasmtime_gc::{Engine, ExternRef, Linker, Module, Ref, RefType, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let mut linker = Linker::new(&engine);
/// let table = linker.side_table(&mut store, "wasmtime-gc:side-table", RefType::EXTERNREF)?;
/// let module = Module::new(&engine, r#"(module
///     (import "wasmtime-gc:side-table" "intern" (func $intern (param externref) (result i32)))
///     (memory (export "memory") 1)
///     (func (export "keep") (param externref)
///         (i32.store (i32.const 16) (call $intern (local.get 0)))))"#)?;
/// let instance = linker.instantiate(&mut store, &module)?;
/// let value = ExternRef::new(&mut store, "a host value")?;
/// let keep = instance.get_func(&mut store, "keep").unwrap();
/// keep.call(&mut store, &[Some(value).into()], &mut [])?;
/// let memory = instance.get_memory(&mut store, "memory").unwrap();
/// let handle = i32::from_le_bytes(memory.data(&store)[16..20].try_into().unwrap());
/// assert!(table.get(&mut store, handle)?.is_non_null());
/// table.release(&mut store, handle)?;
/// assert_eq!(table.size(&mut store)?, 0);
/// assert!(table.get(&mut store, handle).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SideTable {
    instance: Instance,
    intern: Func,
    get: Func,
    release: Func,
    size: Func,
    capacity: Func,
}

impl SideTable {
    /// An empty table whose handles are checked: those that are not valid trap.
    ///
    /// # Errors
    ///
    /// When the type is not nullable, or one that a module defines.
    pub fn new(store: impl AsContextMut, ty: RefType) -> Result<SideTable> {
        SideTable::build(store, &ty, true)
    }

    /// An empty table whose handles are not checked. What an invalid one does is in `docs/handles.md`.
    ///
    /// # Errors
    ///
    /// As [`SideTable::new`].
    pub fn new_unchecked(store: impl AsContextMut, ty: RefType) -> Result<SideTable> {
        SideTable::build(store, &ty, false)
    }

    fn build(mut store: impl AsContextMut, ty: &RefType, checked: bool) -> Result<SideTable> {
        let mut cx = store.as_context_mut();
        let wasm = intrinsics::side_table(name(ty)?, checked).map_err(Error::new)?;
        let module = Module::from_binary(cx.engine(), &wasm)?;
        let instance = Instance::new(&mut cx, &module, &[])?;
        let mut func = |name: &str| {
            let func = instance.get_func(&mut cx, name);
            func.ok_or_else(|| Error::new(crate::fault::Error::bug("an operation is not exported")))
        };
        Ok(SideTable {
            intern: func("intern")?,
            get: func("get")?,
            release: func("release")?,
            size: func("size")?,
            capacity: func("capacity")?,
            instance,
        })
    }

    /// The instance, whose exports are the operations.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// A handle for a reference; -1 for null.
    ///
    /// # Errors
    ///
    /// When the value is not of the table's type, or the table can not grow.
    pub fn intern(&self, mut store: impl AsContextMut, value: Ref) -> Result<i32> {
        number(&mut store.as_context_mut(), &self.intern, &[value.into()])
    }

    /// The reference of a handle; null for -1.
    ///
    /// # Errors
    ///
    /// A trap, when the handle is not live.
    pub fn get(&self, mut store: impl AsContextMut, handle: i32) -> Result<Ref> {
        let mut result = [Val::I32(0)];
        self.get.call(&mut store.as_context_mut(), &[Val::I32(handle)], &mut result)?;
        let [result] = result;
        result.ref_().ok_or_else(|| Error::new(crate::fault::Error::bug("`get` gave no reference")))
    }

    /// Gives a handle back.
    ///
    /// # Errors
    ///
    /// A trap, when the handle is not live.
    pub fn release(&self, mut store: impl AsContextMut, handle: i32) -> Result<()> {
        self.release.call(&mut store.as_context_mut(), &[Val::I32(handle)], &mut [])
    }

    /// How many handles are live.
    ///
    /// # Errors
    ///
    /// When the store can not run, for example without fuel.
    pub fn size(&self, mut store: impl AsContextMut) -> Result<i32> {
        number(&mut store.as_context_mut(), &self.size, &[])
    }

    /// How many slots there are.
    ///
    /// # Errors
    ///
    /// As [`SideTable::size`].
    pub fn capacity(&self, mut store: impl AsContextMut) -> Result<i32> {
        number(&mut store.as_context_mut(), &self.capacity, &[])
    }
}

fn number<T: 'static>(cx: &mut StoreContextMut<'_, T>, func: &Func, args: &[Val]) -> Result<i32> {
    let mut result = [Val::I32(0)];
    func.call(cx, args, &mut result)?;
    Ok(result[0].i32().unwrap_or(-1))
}

/// The name of a type in the text format.
fn name(ty: &RefType) -> Result<&'static str> {
    if !ty.is_nullable() {
        return Err(Error::msg(format!(
            "a side table can not hold `{ty}`: its free slots are null, so the type has to be nullable"
        )));
    }
    Ok(match ty.heap_type() {
        HeapType::Extern => "extern",
        HeapType::Func => "func",
        HeapType::Any => "any",
        HeapType::Eq => "eq",
        HeapType::I31 => "i31",
        HeapType::Array => "array",
        HeapType::Struct => "struct",
        HeapType::Exn => "exn",
        other => {
            return Err(Error::msg(format!(
                "a side table in the store can not hold `{other}`: use a type above it, or link the table into the \
                 module that has the type"
            )));
        }
    })
}

impl<T: 'static> Linker<T> {
    /// Makes a [`SideTable`] in a store and defines its operations under a module name, such as
    /// `wasmtime-gc:side-table`.
    ///
    /// # Errors
    ///
    /// As [`SideTable::new`], or when a name is taken.
    pub fn side_table(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        ty: RefType,
    ) -> Result<SideTable> {
        let table = SideTable::new(&mut store, ty)?;
        self.instance(&mut store, module_name, table.instance())?;
        Ok(table)
    }
}
