//! The description of a module: what its sections say, with types made canonical.

use super::hints::Hints;
use super::resources::Resources;
use super::throws::MayThrow;
use crate::types::{RefType, TypeId, TypeTable, ValType};
use crate::workers::Workers;
use std::collections::{BTreeSet, HashMap};
use wasmparser::{FuncToValidate, FunctionBody, MemoryType, Operator};

/// A decoded, validated module. Bodies are validated when they are translated.
pub struct Module<'a> {
    /// Its name, from the name section.
    pub name: Option<String>,
    /// Its type section.
    pub types: TypeTable,
    /// Where the section of types is, in bytes from the start of the module; 0 without one.
    pub types_at: usize,
    /// Its imports, in order.
    pub imports: Vec<Import<'a>>,
    /// All functions, imported ones first.
    pub funcs: Vec<FuncDecl>,
    /// All tables, imported ones first.
    pub tables: Vec<TableDecl<'a>>,
    /// All memories, imported ones first.
    pub memories: Vec<MemoryDecl>,
    /// All globals, imported ones first.
    pub globals: Vec<GlobalDecl<'a>>,
    /// All tags, imported ones first, by the type index of their signature.
    pub tags: Vec<u32>,
    /// How many of them are imported.
    pub imported_tags: u32,
    /// For each tag: the type of the objects that its exceptions are.
    pub tag_types: Vec<TypeId>,
    /// Exports, in order.
    pub exports: Vec<Export<'a>>,
    /// The start function.
    pub start: Option<u32>,
    /// Element segments.
    pub elems: Vec<Elem<'a>>,
    /// Data segments.
    pub data: Vec<Data<'a>>,
    /// Whether the module has a data count section.
    pub has_data_count: bool,
    /// Bodies of the defined functions.
    pub bodies: Vec<Body<'a>>,
    /// Function names, from the name section.
    pub func_names: HashMap<u32, String>,
    /// Custom sections that are neither names nor understood: name and contents.
    pub customs: Vec<(&'a str, &'a [u8])>,
    /// Whether anything in the module but function bodies mentions a reference outside the `func`
    /// hierarchy, or defines a struct or array, or a tag.
    pub has_gc_types: bool,
    /// Who works on its functions: the calling thread alone, if they are little.
    pub workers: Workers,
    /// Which calls may throw.
    pub throws: MayThrow,
    /// What calls of functions that do not exist mean, from [`super::INTRINSICS`] on: the dialect of explicit RTTs.
    pub intrinsics: Vec<super::Intrinsic>,
    /// Types whose RTTs are values, besides those that have objects.
    pub rtt_types: Vec<TypeId>,
    /// Whether functions may be where any reference is.
    pub has_func_words: bool,
    /// Types of globals and tables as other modules see them, where they are not those above.
    pub shown: HashMap<Entity, RefType>,
    /// What its custom sections say of how it runs.
    pub hints: Hints,
    /// Whether code is to be made for debuggers.
    pub debug: bool,
}

/// What is imported or exported, by index in its index space.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Entity {
    /// A function.
    Func(u32),
    /// A table.
    Table(u32),
    /// A memory.
    Memory(u32),
    /// A global.
    Global(u32),
    /// A tag.
    Tag(u32),
}

/// An import.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// Module name.
    pub module: &'a str,
    /// Field name.
    pub name: &'a str,
    /// What it becomes in this module.
    pub entity: Entity,
}

/// An export.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is exported.
    pub entity: Entity,
}

/// A function's declaration.
#[derive(Clone, Copy, Debug)]
pub struct FuncDecl {
    /// Type index of its signature.
    pub ty: u32,
    /// Whether it is imported.
    pub imported: bool,
    /// Whether it is of this very type, not of a subtype.
    pub exact: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct TableDecl<'a> {
    /// Type of the elements.
    pub elem: RefType,
    /// Initial size.
    pub min: u64,
    /// Largest size.
    pub max: Option<u64>,
    /// Indices are `i64`.
    pub table64: bool,
    /// What every element starts as; `None` for null.
    pub init: Option<ConstExpr<'a>>,
    /// Whether it is imported.
    pub imported: bool,
}

/// A memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryDecl {
    /// Its type.
    pub ty: MemoryType,
    /// Whether it is imported.
    pub imported: bool,
}

/// A global.
#[derive(Clone, Debug)]
pub struct GlobalDecl<'a> {
    /// Type of its value.
    pub ty: ValType,
    /// Whether it can be written.
    pub mutable: bool,
    /// Its initial value; `None` when it is imported.
    pub init: Option<ConstExpr<'a>>,
}

/// A constant expression: its operators without the final `end`, each with its offset in the module.
pub type ConstExpr<'a> = Vec<(Operator<'a>, u32)>;

/// When and where a segment is copied.
#[derive(Clone, Debug)]
pub enum SegmentMode<'a> {
    /// On instantiation, to a table or memory.
    Active {
        /// Table or memory index.
        index: u32,
        /// Where to.
        offset: ConstExpr<'a>,
    },
    /// On demand.
    Passive,
    /// Never; it only declares function references.
    Declared,
}

/// An element segment.
#[derive(Clone, Debug)]
pub struct Elem<'a> {
    /// Mode.
    pub mode: SegmentMode<'a>,
    /// Type of the elements.
    pub ty: RefType,
    /// The elements.
    pub items: ElemItems<'a>,
}

/// The elements of a segment.
#[derive(Clone, Debug)]
pub enum ElemItems<'a> {
    /// Function indices.
    Funcs(Vec<u32>),
    /// Constant expressions.
    Exprs(Vec<ConstExpr<'a>>),
}

impl ElemItems<'_> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            ElemItems::Funcs(f) => f.len(),
            ElemItems::Exprs(e) => e.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A data segment.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    /// Mode; never `Declared`.
    pub mode: SegmentMode<'a>,
    /// Contents.
    pub bytes: &'a [u8],
}

/// The body of a defined function, not yet validated.
pub struct Body<'a> {
    /// Its bytes.
    pub body: FunctionBody<'a>,
    /// What validates it.
    pub validator: FuncToValidate<Resources>,
}

impl Module<'_> {
    /// How many functions are imported.
    pub fn imported_funcs(&self) -> u32 {
        self.funcs.iter().take_while(|f| f.imported).count() as u32
    }

    /// The length of all bodies together.
    pub fn code_bytes(&self) -> usize {
        self.bodies.iter().map(|body| body.body.range().len()).sum()
    }

    /// Every function that validation lets `ref.func` name, and so whose reference can be taken: those
    /// in element segments, globals and exports.
    pub fn referable(&self) -> BTreeSet<u32> {
        let mut taken = BTreeSet::new();
        let mut scan = |expr: &ConstExpr<'_>| {
            taken.extend(expr.iter().filter_map(|(op, _)| match op {
                Operator::RefFunc { function_index } => Some(*function_index),
                _ => None,
            }));
        };
        self.globals.iter().filter_map(|g| g.init.as_ref()).for_each(&mut scan);
        self.tables.iter().filter_map(|t| t.init.as_ref()).for_each(&mut scan);
        for elem in &self.elems {
            if let ElemItems::Exprs(exprs) = &elem.items {
                exprs.iter().for_each(&mut scan);
            }
        }
        for elem in &self.elems {
            if let ElemItems::Funcs(funcs) = &elem.items {
                taken.extend(funcs);
            }
        }
        taken.extend(self.exports.iter().filter_map(|export| match export.entity {
            Entity::Func(f) => Some(f),
            _ => None,
        }));
        taken
    }

    /// The signature of a function.
    pub fn func_type(&self, func: u32) -> Option<&crate::types::FuncType> {
        self.type_func(self.funcs.get(func as usize)?.ty)
    }

    /// The signature at a type index, if it is one.
    pub fn type_func(&self, ty: u32) -> Option<&crate::types::FuncType> {
        match &self.types.at(ty).sub.composite {
            crate::types::CompositeType::Func(f) => Some(f),
            _ => None,
        }
    }
}
