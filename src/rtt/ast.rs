//! A module of the dialect, with all names resolved: what both front ends make and the printer shows.
//!
//! What it is not: checked. Indices may be out of range and types wrong; `check/` finds that out.

use wasmparser::{MemoryType, Operator};

/// The signatures of all blocks of a module have at most so many parameters and results.
pub const MAX_BLOCK_TYPES: usize = 4_000_000;

/// Where the slides and the snapshot of 2021 disagree about null.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Nulls {
    /// The snapshot: null passes `ref.cast`, whose result is nullable if its operand is; `i31ref` is nullable.
    #[default]
    Snapshot,
    /// The slides: `ref.cast` of null is a trap and its result is not null; `i31ref` is not nullable.
    Slides,
}

/// A heap type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Heap {
    /// `any`
    Any,
    /// `eq`
    Eq,
    /// `i31`
    I31,
    /// `data`: structs and arrays.
    Data,
    /// `func`
    Func,
    /// `extern`
    Extern,
    /// A type of the module.
    Type(u32),
    /// `(rtt n? $t)`: RTTs of a type, or of `any`, that have so many RTTs above them.
    Rtt(Option<u32>, Option<u32>),
}

/// A value type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Val {
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
    /// `(ref null? heap)`
    Ref(bool, Heap),
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Storage {
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// A value.
    Val(Val),
}

/// A field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    /// What it holds.
    pub storage: Storage,
    /// Whether it can be written.
    pub mutable: bool,
}

/// A signature.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sig {
    /// Parameters.
    pub params: Vec<Val>,
    /// Results.
    pub results: Vec<Val>,
}

/// A type definition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Def {
    /// `(struct field*)`
    Struct(Vec<Field>),
    /// `(array field)`
    Array(Field),
    /// `(func …)`
    Func(Sig),
    /// An import: some type below, or equal to, a bound.
    Import {
        /// Module name.
        module: String,
        /// Field name.
        name: String,
        /// `eq`, not `sub`.
        exact: bool,
        /// The bound.
        bound: Heap,
    },
}

/// How a packed field is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// It is not packed.
    None,
    /// Sign-extended.
    Signed,
    /// Zero-extended.
    Unsigned,
}

/// What `ref.is_…` and its kin ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `func`
    Func,
    /// `data`
    Data,
    /// `i31`
    I31,
}

/// The constructs that hold instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Construct {
    /// `block`
    Block,
    /// `loop`
    Loop,
    /// `if`
    If,
}

/// An instruction.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// One that the standard has, without types of the dialect in it. Locals are numbered as the dialect does, those
    /// of the innermost `let` first.
    Plain(Operator<'static>),
    /// `block`, `loop`, `if`
    Open(Construct, Sig),
    /// `let`, with the locals that it binds
    Let(Sig, Vec<Val>),
    /// `else`
    Else,
    /// `end`
    End,
    /// `br_table`
    BrTable(Vec<u32>, u32),
    /// `select` with a type
    Select(Val),
    /// `ref.null`
    RefNull(Heap),
    /// `ref.func`
    RefFunc(u32),
    /// `call_ref`, or if so `return_call_ref`
    CallRef(bool),
    /// `func.bind`
    FuncBind(u32),
    /// `ref.is_…`
    Is(Kind),
    /// `ref.as_…`
    As(Kind),
    /// `br_on_…`, or if so `br_on_non_…`
    BrOn(Kind, bool, u32),
    /// `ref.test`
    RefTest,
    /// `ref.cast`
    RefCast,
    /// `br_on_cast`, or if so `br_on_cast_fail`
    BrOnCast(bool, u32),
    /// `rtt.canon`, of a type or of `any`
    RttCanon(Option<u32>),
    /// `rtt.sub`, `rtt.new`
    RttSub(u32),
    /// `struct.new…`: with default fields; with an RTT, if the name says so
    StructNew(u32, bool, Option<bool>),
    /// `struct.get…`
    StructGet(u32, u32, Sign),
    /// `struct.set`
    StructSet(u32, u32),
    /// `array.new…`
    ArrayNew(u32, bool, Option<bool>),
    /// `array.get…`
    ArrayGet(u32, Sign),
    /// `array.set`
    ArraySet(u32),
    /// `array.len`
    ArrayLen(Option<u32>),
}

/// An instruction, and where it is in the source.
#[derive(Clone, PartialEq, Debug)]
pub struct Instr {
    /// The instruction.
    pub op: Op,
    /// Byte offset.
    pub at: usize,
}

/// An expression, without the final `end`.
pub type Expr = Vec<Instr>;

/// Where an import comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct From {
    /// Module name.
    pub module: String,
    /// Field name.
    pub name: String,
}

/// A function.
#[derive(Clone, PartialEq, Debug)]
pub struct Func {
    /// Its name in the text.
    pub name: Option<String>,
    /// Type index.
    pub ty: u32,
    /// Its origin, or its body.
    pub body: Result<Body, From>,
    /// Where it is in the source.
    pub at: usize,
}

/// The body of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    /// Types of its locals.
    pub locals: Vec<Val>,
    /// Its instructions.
    pub code: Expr,
    /// Where it ends in the source.
    pub end: usize,
}

/// A table.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Type of its elements.
    pub elem: Val,
    /// Initial size.
    pub min: u32,
    /// Largest size.
    pub max: Option<u32>,
    /// Where it comes from.
    pub import: Option<From>,
    /// Where it is in the source.
    pub at: usize,
}

/// A memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Memory {
    /// Its type.
    pub ty: MemoryType,
    /// Where it comes from.
    pub import: Option<From>,
}

/// A global.
#[derive(Clone, PartialEq, Debug)]
pub struct Global {
    /// Type of its value.
    pub ty: Val,
    /// Whether it can be written.
    pub mutable: bool,
    /// Its origin, or its initial value.
    pub init: Result<Expr, From>,
    /// Where it is in the source.
    pub at: usize,
}

/// What is imported or exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// A function.
    Func(u32),
    /// A table.
    Table(u32),
    /// A memory.
    Memory(u32),
    /// A global.
    Global(u32),
    /// A type.
    Type(Heap),
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What is exported.
    pub item: Item,
    /// Where it is in the source.
    pub at: usize,
}

/// When and where a segment is copied.
#[derive(Clone, PartialEq, Debug)]
pub enum Mode {
    /// On instantiation, to a table or memory, at an offset.
    Active(u32, Expr),
    /// On demand.
    Passive,
    /// Never.
    Declared,
}

/// An element segment.
#[derive(Clone, PartialEq, Debug)]
pub struct Elem {
    /// Mode.
    pub mode: Mode,
    /// Type of the elements.
    pub ty: Val,
    /// The elements.
    pub items: Vec<Expr>,
    /// Where it is in the source.
    pub at: usize,
}

/// A data segment.
#[derive(Clone, PartialEq, Debug)]
pub struct Data {
    /// Mode, never `Declared`.
    pub mode: Mode,
    /// Contents.
    pub bytes: Vec<u8>,
    /// Where it is in the source.
    pub at: usize,
}

/// A module.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// Its name.
    pub name: Option<String>,
    /// What casts make of null.
    pub nulls: Nulls,
    /// Types, imported ones among them.
    pub types: Vec<(Def, usize)>,
    /// Functions, imported ones first, as in all spaces.
    pub funcs: Vec<Func>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Memories.
    pub memories: Vec<Memory>,
    /// Globals.
    pub globals: Vec<Global>,
    /// Imports of what is no type, in order.
    pub imports: Vec<Item>,
    /// Exports.
    pub exports: Vec<Export>,
    /// The start function.
    pub start: Option<(u32, usize)>,
    /// Element segments.
    pub elems: Vec<Elem>,
    /// Data segments.
    pub data: Vec<Data>,
}
