//! Which calls may throw, over the whole module, before any body is translated.
//!
//! A function may throw when it contains a throw that no `catch_all` of a `try_table` around it catches, or
//! calls a function that may throw. What is in a `try` may leave it by `delegate`, past all that is around.
//! An imported function may. A call through a reference or a table may call
//! every function of its type whose reference can be taken; and when references can come in from
//! outside, anything at all.
//!
//! Only calls that may throw are followed by a check (`exceptions.rs`), so this decides what
//! exceptions cost where there are none. What it is not: a proof about tags. A clause that names a tag
//! is taken to catch nothing.
//!
//! The bodies are not validated yet; of what can not be decoded the answer does not matter.

use super::intrinsic::{INTRINSICS, Intrinsic};
use super::module::{Body, Entity, Module};
use super::prescan::needs_ir;
use crate::ir::reach;
use crate::types::{CompositeType, TypeId, ValType};
use std::collections::HashMap;
use wasmparser::{BinaryReaderError, Catch, Operator};

/// Which calls may throw.
#[derive(Debug, Default)]
pub struct MayThrow {
    /// By function index; nothing throws when it is empty.
    funcs: Vec<bool>,
    /// By the type that a call through a reference names.
    types: HashMap<TypeId, bool>,
}

/// What an exception may come through into a module that has none of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Through {
    /// Nothing: there are no exceptions.
    Nothing,
    /// Function references that come in from outside.
    References,
    /// Those, and imported functions.
    Imports,
}

/// What matters of a body.
#[derive(Default)]
struct Summary {
    /// It throws out of itself.
    throws: bool,
    /// It must be lowered for what is in it. Only asked where the module's sections do not say so.
    lowered: bool,
    /// Functions that it calls where no `catch_all` is around.
    callees: Vec<u32>,
    /// Type indices of the calls through references there.
    types: Vec<u32>,
}

impl MayThrow {
    /// Whether an operator throws or calls what may throw, so that something behind it must ask. Tail
    /// calls do not: their caller asks.
    pub(super) fn by(&self, module: &Module<'_>, op: &Operator<'_>) -> bool {
        match *op {
            Operator::Call { function_index } => self.func(function_index),
            Operator::CallIndirect { type_index, .. } | Operator::CallRef { type_index } => {
                let id = module.types.ids().get(type_index as usize);
                id.is_some_and(|id| self.types.get(id).copied().unwrap_or(false))
            }
            Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => true,
            _ => false,
        }
    }

    /// Whether a function may throw.
    pub fn func(&self, index: u32) -> bool {
        self.funcs.get(index as usize).copied().unwrap_or(false)
    }

    /// Answers for a module whose sections are read. In one where nothing needs lowering nothing is taken
    /// to throw, unless `through` says otherwise: see "Modules that are left alone" in `docs/lowering.md`.
    pub(super) fn of(module: &Module<'_>, through: Through) -> MayThrow {
        let imports = module.imported_funcs();
        let open = is_open(module);
        if imports == 0 && !open && module.tags.is_empty() {
            return MayThrow::default();
        }
        let bodies: Vec<Summary> = module.workers.map(&module.bodies, |body| summary(module, body).unwrap_or_default());
        let touched = module.has_gc_types || bodies.iter().any(|body| body.lowered);
        let asks = match through {
            Through::Nothing => false,
            Through::References => open && bodies.iter().any(|body| !body.types.is_empty()),
            Through::Imports => true,
        };
        if !touched && !asks {
            return MayThrow::default();
        }
        let throws = MayThrow::solve(module, &bodies, imports as usize, open);
        // What leaves with an exception, the embedder may change, function references included.
        if !open && throws.leaks(module) { MayThrow::solve(module, &bodies, imports as usize, true) } else { throws }
    }

    /// Whether references can leave a module as what its exceptions hold.
    fn leaks(&self, module: &Module<'_>) -> bool {
        let callable = module.exports.iter().filter_map(|export| match export.entity {
            Entity::Func(func) => Some(func),
            _ => None,
        });
        module.tags.iter().any(|&tag| has_refs(module, tag)) && callable.chain(module.start).any(|func| self.func(func))
    }

    fn solve(module: &Module<'_>, bodies: &[Summary], imports: usize, open: bool) -> MayThrow {
        // Nodes: functions, then function types.
        let mut nodes: HashMap<TypeId, usize> = HashMap::new();
        let mut marked: Vec<bool> = module.funcs.iter().map(|func| func.imported).collect();
        for (f, body) in (imports..).zip(bodies) {
            if let Some(throws) = marked.get_mut(f) {
                *throws = body.throws;
            }
        }
        for &id in module.types.ids() {
            if let CompositeType::Func(_) = module.types.def(id).sub.composite {
                let next = marked.len();
                if *nodes.entry(id).or_insert(next) == next {
                    marked.push(open);
                }
            }
        }
        // A type's node leads to every function that a reference of that type may be to.
        let mut targets = Vec::new();
        for func in module.referable() {
            let Some(decl) = module.funcs.get(func as usize) else { continue };
            let Some(&id) = module.types.ids().get(decl.ty as usize) else { continue };
            let supers = module.types.def(id).display.iter().filter_map(|id| nodes.get(id));
            targets.extend(supers.map(|&node| (node, func as usize)));
        }
        let node = |ty: u32| module.types.ids().get(ty as usize).and_then(|id| nodes.get(id)).copied();
        let edges = || {
            let calls = (imports..).zip(bodies).flat_map(|(f, body)| {
                let direct = body.callees.iter().map(move |&callee| (f, callee as usize));
                direct.chain(body.types.iter().filter_map(move |&ty| Some((f, node(ty)?))))
            });
            calls.chain(targets.iter().copied())
        };
        let throws = reach::backward(marked, edges);
        let types = nodes.iter().map(|(&id, &node)| (id, throws.get(node).copied().unwrap_or(true))).collect();
        MayThrow { funcs: throws, types }
    }
}

/// Whether the type of a function or tag has references.
fn has_refs(module: &Module<'_>, ty: u32) -> bool {
    let sig = module.type_func(ty);
    sig.is_none_or(|sig| sig.params.iter().chain(&sig.results).any(|ty| matches!(ty, ValType::Ref(_))))
}

/// Whether a reference can come in from outside, or an object that the module made can be changed there: anything that leads
/// to an object or a function, and exceptions that hold references and leave the module.
pub fn is_open(module: &Module<'_>) -> bool {
    let speaks = |entity: Entity| match entity {
        Entity::Func(f) => module.funcs.get(f as usize).is_none_or(|func| has_refs(module, func.ty)),
        Entity::Tag(t) => module.tags.get(t as usize).is_none_or(|&ty| has_refs(module, ty)),
        Entity::Global(g) => module.globals.get(g as usize).is_none_or(|global| matches!(global.ty, ValType::Ref(_))),
        Entity::Table(_) => true,
        Entity::Memory(_) => false,
    };
    // A closure calls what it was made of, which its type does not tell.
    let binds = |intrinsic: &Intrinsic| matches!(intrinsic, Intrinsic::Bind(..));
    module.intrinsics.iter().any(binds)
        || module.imports.iter().any(|import| speaks(import.entity))
        || module.exports.iter().any(|e| speaks(e.entity))
        || module.throws.leaks(module)
}

fn summary(module: &Module<'_>, body: &Body<'_>) -> Result<Summary, BinaryReaderError> {
    let lowered = !module.has_gc_types && needs_ir(&body.body, module);
    let mut out = Summary { lowered, ..Summary::default() };
    // For each open construct: whether everything that is thrown in it is caught.
    let mut open: Vec<Construct> = Vec::new();
    let mut caught = 0usize;
    let mut reader = body.body.get_operators_reader()?;
    while !reader.eof() {
        let op = reader.read()?;
        match &op {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(Construct::Plain),
            Operator::TryTable { try_table } => {
                let all = try_table.catches.iter().any(|c| matches!(c, Catch::All { .. } | Catch::AllRef { .. }));
                open.push(if all { Construct::CatchesAll } else { Construct::Plain });
                caught += usize::from(all);
            }
            // Whether it has a `catch_all` is not known here, nor whether a `delegate` at its end leads past
            // the constructs around it.
            Operator::Try { .. } => {
                open.push(Construct::Try { caught });
                caught = 0;
            }
            Operator::End | Operator::Delegate { .. } => match open.pop() {
                Some(Construct::CatchesAll) => caught -= 1,
                Some(Construct::Try { caught: around }) => caught = around,
                Some(Construct::Plain) | None => {}
            },
            // A tail call leaves the handlers behind.
            Operator::Call { function_index } if *function_index >= INTRINSICS => {}
            Operator::ReturnCall { function_index } => out.callees.push(*function_index),
            Operator::ReturnCallIndirect { type_index, .. } | Operator::ReturnCallRef { type_index } => {
                out.types.push(*type_index);
            }
            _ if caught > 0 => {}
            Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => out.throws = true,
            Operator::Call { function_index } => out.callees.push(*function_index),
            Operator::CallIndirect { type_index, .. } | Operator::CallRef { type_index } => {
                out.types.push(*type_index);
            }
            _ => {}
        }
    }
    Ok(out)
}

enum Construct {
    Plain,
    CatchesAll,
    /// How many constructs around it catch all.
    Try {
        caught: usize,
    },
}
