//! What modules import and export.

use super::composite::{FuncType, Mutability};
use super::val::{RefType, ValType};
use crate::api::Engine;
use crate::types as t;
use wasmtime::MemoryType;

/// The type of a global.
#[derive(Debug, Clone)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// A global that holds `content`.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType { content, mutability }
    }

    /// What it holds.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Whether it may be written.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }
}

/// The type of a table.
#[derive(Debug, Clone)]
pub struct TableType {
    element: RefType,
    minimum: u64,
    maximum: Option<u64>,
    is_64: bool,
}

impl TableType {
    /// A table with 32-bit indices.
    pub fn new(element: RefType, min: u32, max: Option<u32>) -> TableType {
        TableType { element, minimum: min.into(), maximum: max.map(u64::from), is_64: false }
    }

    /// A table with 64-bit indices.
    pub fn new64(element: RefType, min: u64, max: Option<u64>) -> TableType {
        TableType { element, minimum: min, maximum: max, is_64: true }
    }

    /// Whether indices are 64-bit.
    pub fn is_64(&self) -> bool {
        self.is_64
    }

    /// The type of its elements.
    pub fn element(&self) -> &RefType {
        &self.element
    }

    /// Elements that it has at least.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// Elements that it may have at most.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    pub(crate) fn from_meta(engine: &Engine, meta: crate::lower::output::TableMeta) -> TableType {
        TableType {
            element: RefType::from_canon(engine, meta.elem),
            minimum: meta.min,
            maximum: meta.max,
            is_64: meta.table64,
        }
    }

    pub(crate) fn to_meta(&self) -> crate::lower::output::TableMeta {
        crate::lower::output::TableMeta {
            elem: self.element.to_canon(),
            min: self.minimum,
            max: self.maximum,
            table64: self.is_64,
        }
    }
}

/// The type of an exception tag.
#[derive(Debug, Clone)]
pub struct TagType {
    ty: FuncType,
}

impl TagType {
    /// A tag whose exceptions carry the parameters of `ty`.
    pub fn new(ty: FuncType) -> TagType {
        TagType { ty }
    }

    /// The signature.
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }
}

/// The type of something that is imported or exported.
#[derive(Debug, Clone)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A tag.
    Tag(TagType),
}

impl ExternType {
    /// The function type, if this is one.
    pub fn func(&self) -> Option<&FuncType> {
        match self {
            ExternType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The global type, if this is one.
    pub fn global(&self) -> Option<&GlobalType> {
        match self {
            ExternType::Global(ty) => Some(ty),
            _ => None,
        }
    }

    /// The table type, if this is one.
    pub fn table(&self) -> Option<&TableType> {
        match self {
            ExternType::Table(ty) => Some(ty),
            _ => None,
        }
    }

    /// The memory type, if this is one.
    pub fn memory(&self) -> Option<&MemoryType> {
        match self {
            ExternType::Memory(ty) => Some(ty),
            _ => None,
        }
    }

    /// The tag type, if this is one.
    pub fn tag(&self) -> Option<&TagType> {
        match self {
            ExternType::Tag(ty) => Some(ty),
            _ => None,
        }
    }

    /// `native` is the type of the same entity in the lowered module; memories have no other.
    pub(crate) fn from_meta(
        engine: &Engine,
        meta: &crate::lower::output::EntityMeta,
        native: Option<wasmtime::ExternType>,
    ) -> Option<ExternType> {
        use crate::lower::output::EntityMeta as M;
        let global = |ty: t::ValType, mutable| {
            ExternType::Global(GlobalType::new(ValType::from_canon(engine, ty), Mutability::of(mutable)))
        };
        Some(match meta {
            M::Func { id, .. } => ExternType::Func(FuncType::of(engine, *id)),
            M::Global { ty, mutable } => global(*ty, *mutable),
            M::RefGlobal { ty, mutable, .. } => global(t::ValType::Ref(*ty), *mutable),
            M::Table(ty) | M::RefTable { ty, .. } => ExternType::Table(TableType::from_meta(engine, *ty)),
            M::Memory => ExternType::Memory(native?.memory()?.clone()),
            M::Tag { id, .. } => ExternType::Tag(TagType::new(FuncType::of(engine, *id))),
        })
    }

    /// The original type of something that was not lowered.
    pub(crate) fn from_native(engine: &Engine, ty: wasmtime::ExternType) -> Option<ExternType> {
        let state = engine.state();
        let of = |ty: wasmtime::ValType| Some(ValType::from_canon(engine, state.canon_val(&ty)?));
        Some(match ty {
            wasmtime::ExternType::Func(ty) => ExternType::Func(FuncType::of(engine, state.canon_func(&ty)?)),
            wasmtime::ExternType::Global(ty) => ExternType::Global(GlobalType::new(
                of(ty.content().clone())?,
                Mutability::of(ty.mutability() == wasmtime::Mutability::Var),
            )),
            wasmtime::ExternType::Table(ty) => ExternType::Table(TableType {
                element: match of(wasmtime::ValType::Ref(ty.element().clone()))? {
                    ValType::Ref(element) => element,
                    _ => return None,
                },
                minimum: ty.minimum(),
                maximum: ty.maximum(),
                is_64: ty.is_64(),
            }),
            wasmtime::ExternType::Memory(ty) => ExternType::Memory(ty),
            wasmtime::ExternType::Tag(ty) => {
                ExternType::Tag(TagType::new(FuncType::of(engine, state.canon_func(ty.ty())?)))
            }
        })
    }
}

macro_rules! unwraps {
    ($($unwrap:ident $get:ident $ty:ident $text:literal;)*) => {
        impl ExternType {
            $(
                #[doc = concat!("The ", $text, " type.")]
                ///
                /// # Panics
                ///
                /// When this is another type.
                #[track_caller]
                pub fn $unwrap(&self) -> &$ty {
                    self.$get().expect(concat!("expected ", $text))
                }
            )*
        }
    };
}

unwraps! {
    unwrap_func func FuncType "func";
    unwrap_global global GlobalType "global";
    unwrap_table table TableType "table";
    unwrap_memory memory MemoryType "memory";
    unwrap_tag tag TagType "tag";
}

impl From<TagType> for ExternType {
    fn from(ty: TagType) -> ExternType {
        ExternType::Tag(ty)
    }
}

impl From<FuncType> for ExternType {
    fn from(ty: FuncType) -> ExternType {
        ExternType::Func(ty)
    }
}

impl From<GlobalType> for ExternType {
    fn from(ty: GlobalType) -> ExternType {
        ExternType::Global(ty)
    }
}

impl From<TableType> for ExternType {
    fn from(ty: TableType) -> ExternType {
        ExternType::Table(ty)
    }
}

impl From<MemoryType> for ExternType {
    fn from(ty: MemoryType) -> ExternType {
        ExternType::Memory(ty)
    }
}

/// An import of a module.
#[derive(Debug, Clone)]
pub struct ImportType<'module> {
    pub(crate) module: &'module str,
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

impl<'module> ImportType<'module> {
    /// The module that it is expected from.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// The name that it is expected under.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// What is expected.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

/// An export of a module.
#[derive(Debug, Clone)]
pub struct ExportType<'module> {
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

impl<'module> ExportType<'module> {
    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// What is exported.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}
