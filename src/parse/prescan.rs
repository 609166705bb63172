//! One pass over a body before it is translated: does it need IR at all, and if so, which locals does
//! each block assign, and which blocks does a branch leave?
//!
//! SSA construction needs both when a block *opens*. The body is not validated yet: nothing here
//! trusts an index, and what the answer is for an invalid body does not matter, since translation
//! validates each operator before it looks at an answer.
//!
//! Code that can not be reached assigns nothing and branches nowhere; reachability is the same
//! structured notion that translation uses.

use super::budget::Budget;
use super::module::Module;
use super::types::{has_gc, is_gc, is_gc_heap};
use super::unsupported::{Class, Feature, class};
use crate::fault::Result;
use crate::types::{CompositeType, ValType};
use std::ops::Range;
use wasmparser::{BlockType, Catch, FunctionBody, Operator};

/// What is known about a body before its translation.
pub(super) struct Prescan {
    /// It has an operator or a type that must be lowered.
    pub needs_ir: bool,
    /// Something in it throws, or calls what may.
    pub throws: bool,
    /// The first operator that is refused, and where.
    pub refused: Option<(Feature, usize)>,
    /// How many operators it has.
    pub ops: u64,
    /// Blocks in the order in which they open.
    blocks: Vec<Block>,
    /// Pool of the blocks' assigned locals.
    assigned: Vec<u32>,
}

/// A block, loop or `if`.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// A branch from reachable code leads to its label, or it is an `if` or catches exceptions: it must
    /// exist in the IR.
    pub kept: bool,
    /// Which locals are assigned in it, as a range of the pool; only for blocks that are kept.
    assigned: Range<usize>,
}

impl Prescan {
    /// The `n`th block in order of opening.
    pub(super) fn block(&self, n: usize) -> Block {
        self.blocks.get(n).cloned().unwrap_or_default()
    }

    /// The locals that a kept block assigns, ascending.
    pub(super) fn assigned(&self, block: &Block) -> &[u32] {
        self.assigned.get(block.assigned.clone()).unwrap_or_default()
    }
}

/// Scans the body of a function with a type index.
///
/// # Errors
///
/// When the body can not be decoded, or when its blocks assign too many locals.
pub(super) fn prescan(body: &FunctionBody<'_>, module: &Module<'_>, func: u32, ty: u32) -> Result<Prescan> {
    let mut scan = Scan {
        module,
        budget: Budget::new(func),
        out: Prescan {
            needs_ir: module.debug || !module.intrinsics.is_empty() || sig_has_gc(module, ty),
            throws: false,
            refused: None,
            ops: 0,
            blocks: Vec::new(),
            assigned: Vec::new(),
        },
        open: vec![Open {
            block: None,
            kind: Kind::Block,
            targeted: false,
            born_dead: false,
            dead: false,
            assigned: Vec::new(),
        }],
        locals: u32::MAX,
    };
    scan.locals(body, ty)?;
    let mut ops = body.get_operators_reader()?;
    while !ops.eof() {
        let (op, offset) = ops.read_with_offset()?;
        scan.out.ops += 1;
        match class(&op) {
            Class::Gc | Class::Exn => scan.out.needs_ir = true,
            Class::Refused(feature) => {
                scan.out.refused = Some((feature, offset));
                return Ok(scan.out);
            }
            Class::Core => {}
        }
        scan.op(&op)?;
    }
    // What is known of a block is complete only if it ends.
    ops.finish()?;
    Ok(scan.out)
}

/// Whether a body must be lowered because of the operators in it: a scan without the bookkeeping.
/// Says `true` of a body that can not be decoded.
pub(super) fn needs_ir(body: &FunctionBody<'_>, module: &Module<'_>) -> bool {
    let Ok(locals) = body.get_locals_reader() else { return true };
    if locals.into_iter().any(|local| local.map_or(true, |(_, ty)| is_gc(&module.types, ty))) {
        return true;
    }
    let Ok(ops) = body.get_operators_reader() else { return true };
    let lowered = |op: &Operator<'_>| class(op) != Class::Core || op_has_gc(module, op) || module.throws.by(module, op);
    ops.into_iter().any(|op| op.map_or(true, |op| lowered(&op)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    If,
    /// A `try_table` or `try`, in any of its parts.
    Try,
    /// An `if` in its second arm, and whether the end of the first is unreachable.
    Else {
        then_dead: bool,
    },
}

struct Open {
    block: Option<usize>,
    kind: Kind,
    targeted: bool,
    born_dead: bool,
    dead: bool,
    assigned: Vec<u32>,
}

struct Scan<'m, 'a> {
    module: &'m Module<'a>,
    budget: Budget,
    out: Prescan,
    open: Vec<Open>,
    locals: u32,
}

impl Scan<'_, '_> {
    fn locals(&mut self, body: &FunctionBody<'_>, ty: u32) -> Result<()> {
        let params = sig(self.module, ty).map_or(0, |sig| sig.params.len() as u32);
        let mut total = params;
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            total = total.saturating_add(count);
            self.out.needs_ir |= is_gc(&self.module.types, ty);
        }
        self.locals = total;
        Ok(())
    }

    fn op(&mut self, op: &Operator<'_>) -> Result<()> {
        if !self.out.needs_ir {
            self.out.needs_ir = op_has_gc(self.module, op);
        }
        if self.module.throws.by(self.module, op) {
            self.out.throws = true;
            self.out.needs_ir = true;
        }
        match op {
            Operator::Block { .. } => self.enter(Kind::Block),
            Operator::Loop { .. } => self.enter(Kind::Loop),
            Operator::If { .. } => self.enter(Kind::If),
            Operator::Else => self.else_(),
            Operator::TryTable { try_table } => {
                // The labels of its clauses are those around it.
                for catch in &try_table.catches {
                    self.target(catch_label(catch));
                }
                self.enter(Kind::Try);
            }
            Operator::Try { .. } => self.enter(Kind::Try),
            Operator::Catch { .. } | Operator::CatchAll => {
                if let Some(top) = self.open.last_mut() {
                    top.dead = top.born_dead;
                }
            }
            Operator::End | Operator::Delegate { .. } => self.end()?,
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => self.assign(*local_index),
            Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. }
            | Operator::BrOnCastDescEq { relative_depth, .. }
            | Operator::BrOnCastDescEqFail { relative_depth, .. } => self.target(*relative_depth),
            Operator::Br { relative_depth } => {
                self.target(*relative_depth);
                self.diverge();
            }
            Operator::BrTable { targets } => {
                for depth in targets.targets() {
                    self.target(depth?);
                }
                self.target(targets.default());
                self.diverge();
            }
            Operator::Unreachable
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. }
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. } => self.diverge(),
            _ => {}
        }
        Ok(())
    }

    fn is_dead(&self) -> bool {
        self.open.last().is_none_or(|top| top.dead)
    }

    fn diverge(&mut self) {
        if let Some(top) = self.open.last_mut() {
            top.dead = true;
        }
    }

    fn enter(&mut self, kind: Kind) {
        let dead = self.is_dead();
        self.open.push(Open {
            block: Some(self.out.blocks.len()),
            kind,
            targeted: false,
            born_dead: dead,
            dead,
            assigned: Vec::new(),
        });
        self.out.blocks.push(Block::default());
    }

    fn else_(&mut self) {
        if let Some(top) = self.open.last_mut() {
            top.kind = Kind::Else { then_dead: top.dead };
            top.dead = top.born_dead;
        }
    }

    fn end(&mut self) -> Result<()> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let Some(parent) = self.open.last_mut() else { return Ok(()) };
        if open.born_dead {
            return Ok(());
        }
        let kept = open.targeted || matches!(open.kind, Kind::If | Kind::Else { .. } | Kind::Try);
        let diverged = match open.kind {
            Kind::Block => open.dead && !open.targeted,
            Kind::Loop => open.dead,
            Kind::If | Kind::Try => false,
            Kind::Else { then_dead } => open.dead && then_dead && !open.targeted,
        };
        parent.dead |= diverged;
        if kept {
            open.assigned.sort_unstable();
            open.assigned.dedup();
            self.budget.spend(open.assigned.len(), 0, self.out.ops)?;
            let start = self.out.assigned.len();
            self.out.assigned.extend_from_slice(&open.assigned);
            let assigned = start..self.out.assigned.len();
            if let Some(block) = open.block.and_then(|n| self.out.blocks.get_mut(n)) {
                *block = Block { kept, assigned };
            }
        }
        // Small to large, so that deep nesting costs no more than a sort does.
        if parent.assigned.len() < open.assigned.len() {
            std::mem::swap(&mut parent.assigned, &mut open.assigned);
        }
        parent.assigned.append(&mut open.assigned);
        Ok(())
    }

    fn assign(&mut self, local: u32) {
        if local >= self.locals {
            return;
        }
        if let Some(top) = self.open.last_mut()
            && !top.dead
        {
            top.assigned.push(local);
        }
    }

    fn target(&mut self, depth: u32) {
        if self.is_dead() {
            return;
        }
        let at = self.open.len().checked_sub(1).and_then(|top| top.checked_sub(depth as usize));
        if let Some(open) = at.and_then(|at| self.open.get_mut(at)) {
            open.targeted = true;
        }
    }
}

/// The label of a clause of `try_table`.
pub(super) fn catch_label(catch: &Catch) -> u32 {
    match *catch {
        Catch::One { label, .. } | Catch::OneRef { label, .. } | Catch::All { label } | Catch::AllRef { label } => {
            label
        }
    }
}

/// Whether an operator of the core, or one that works on references of any kind, works on references
/// outside the `func` hierarchy here.
fn op_has_gc(module: &Module<'_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    let table =
        |index: u32| module.tables.get(index as usize).is_some_and(|table| ValType::Ref(table.elem).is_lowered());
    let elem = |index: u32| module.elems.get(index as usize).is_some_and(|elem| ValType::Ref(elem.ty).is_lowered());
    match op {
        Block { blockty } | Loop { blockty } | If { blockty } | Try { blockty } => match *blockty {
            BlockType::Empty => false,
            BlockType::Type(ty) => is_gc(&module.types, ty),
            BlockType::FuncType(ty) => sig_has_gc(module, ty),
        },
        Call { function_index } | ReturnCall { function_index } => {
            module.funcs.get(*function_index as usize).is_some_and(|func| sig_has_gc(module, func.ty))
        }
        CallIndirect { type_index, .. }
        | ReturnCallIndirect { type_index, .. }
        | CallRef { type_index }
        | ReturnCallRef { type_index } => sig_has_gc(module, *type_index),
        TypedSelect { ty } => is_gc(&module.types, *ty),
        RefNull { hty } => is_gc_heap(&module.types, *hty),
        GlobalGet { global_index } | GlobalSet { global_index } => {
            module.globals.get(*global_index as usize).is_some_and(|global| global.ty.is_lowered())
        }
        TableGet { table: t } | TableSet { table: t } | TableSize { table: t } => table(*t),
        TableGrow { table: t } | TableFill { table: t } => table(*t),
        TableCopy { dst_table, src_table } => table(*dst_table) || table(*src_table),
        TableInit { elem_index, table: t } => elem(*elem_index) || table(*t),
        // An array may have been made from any segment, and lowering keeps those in the heap.
        ElemDrop { elem_index } => module.has_gc_types || elem(*elem_index),
        _ => false,
    }
}

fn sig<'m>(module: &'m Module<'_>, ty: u32) -> Option<&'m crate::types::FuncType> {
    let id = module.types.ids().get(ty as usize)?;
    match &module.types.def(*id).sub.composite {
        CompositeType::Func(sig) => Some(sig),
        _ => None,
    }
}

fn sig_has_gc(module: &Module<'_>, ty: u32) -> bool {
    sig(module, ty).is_some_and(has_gc)
}
