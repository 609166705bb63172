//! One body: instructions of the dialect in, operators that `wasmparser` validates as they are written out.
//!
//! The validator's operand stack is the only one. What is not an operator of today becomes a call of an intrinsic
//! whose signature says what it takes and gives; `let` becomes fresh locals; a branch on a property becomes an `if`.
//!
//! Functions are below `any` here, and are represented differently there. So wherever an operand may flow to `any`,
//! its type is looked at first, and it is converted if need be.

use super::session::{Session, invalid};
use super::universe::{SIGS, Universe};
use crate::fault::{Error, Result};
use crate::parse::Intrinsic;
use crate::rtt::ast::{Construct, Def, Expr, Heap, Op, Sig, Val};
use crate::types::ValType;
use std::collections::HashMap;
use std::sync::Arc;
use wasm_encoder as enc;
use wasm_encoder::Encode;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser as wp;
use wasmparser::{BlockType, FrameKind, FuncToValidate, FuncValidator, Operator};

/// A body may become so many bytes: branches that carry much write it all out.
const MAX_BODY: usize = 8 << 20;

/// What is known of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operand {
    /// Its type.
    Known(Val),
    /// Nothing: the code can not be reached.
    Any,
}

/// A body on its way.
pub(super) struct Body<'b, 'r, 'm> {
    pub s: &'b mut Session<'r, 'm>,
    pub validator: FuncValidator<Arc<Universe>>,
    /// Bytes of the operators.
    pub code: Vec<u8>,
    /// Locals behind the parameters.
    pub locals: Vec<Val>,
    params: u32,
    /// The locals of each open `let`, those of the function first, by number.
    scopes: Vec<Vec<u32>>,
    /// For each open construct: whether it is a `let`.
    lets: Vec<bool>,
    pool: HashMap<Val, Vec<u32>>,
    used: Vec<(Val, u32)>,
    /// Where the instruction is in the source.
    pub at: usize,
    /// A constant expression.
    pub is_const: bool,
}

impl<'b, 'r, 'm> Body<'b, 'r, 'm> {
    /// The body of a function with a type index.
    pub fn new(s: &'b mut Session<'r, 'm>, ty: u32, params: &[Val], at: usize) -> Body<'b, 'r, 'm> {
        let resources = s.universe.clone();
        let func = FuncToValidate { resources, index: 0, ty, features: s.features };
        let validator = func.into_validator(Default::default());
        let count = params.len() as u32;
        Body {
            s,
            validator,
            code: Vec::new(),
            locals: Vec::new(),
            params: count,
            scopes: vec![(0..count).collect()],
            lets: Vec::new(),
            pool: HashMap::new(),
            used: Vec::new(),
            at,
            is_const: false,
        }
    }

    /// The body of a constant expression.
    pub fn constant(s: &'b mut Session<'r, 'm>, ty: Val, at: usize) -> Body<'b, 'r, 'm> {
        let sig = s.add(Intrinsic::Refine(ValType::I32), &[], &[ty]);
        Body { is_const: true, ..Body::new(s, SIGS + sig, &[], at) }
    }

    /// Adds the locals that the function declares.
    pub fn declare(&mut self, locals: &[Val]) -> Result<()> {
        for &local in locals {
            let number = self.local(local)?;
            if let Some(scope) = self.scopes.first_mut() {
                scope.push(number);
            }
        }
        Ok(())
    }

    /// All instructions, and the end.
    pub fn run(&mut self, code: &Expr, end: usize) -> Result<()> {
        for instr in code {
            self.at = instr.at;
            self.instr(&instr.op)?;
            for (ty, local) in self.used.drain(..) {
                self.pool.entry(ty).or_default().push(local);
            }
        }
        self.at = end;
        self.coerce_label(0)?;
        self.emit(&enc::Instruction::End)
    }

    /// The body's bytes, with its locals.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        (self.locals.len() as u32).encode(&mut bytes);
        for &local in &self.locals {
            1u32.encode(&mut bytes);
            if let Ok(ty) = RoundtripReencoder.val_type(self.s.universe.named(local)) {
                ty.encode(&mut bytes);
            }
        }
        bytes.extend(self.code);
        bytes
    }

    /// A new local.
    fn local(&mut self, ty: Val) -> Result<u32> {
        let native = self.s.universe.named(ty);
        self.validator.define_locals(self.at, 1, native)?;
        self.locals.push(ty);
        Ok(self.params + self.locals.len() as u32 - 1)
    }

    /// A local for the length of an instruction.
    pub fn temp(&mut self, ty: Val) -> Result<u32> {
        let free = self.pool.get_mut(&ty).and_then(Vec::pop);
        let local = match free {
            Some(local) => local,
            None => self.local(ty)?,
        };
        self.used.push((ty, local));
        Ok(local)
    }

    /// Writes and validates an operator.
    pub fn emit(&mut self, instr: &enc::Instruction<'_>) -> Result<()> {
        let start = self.code.len();
        instr.encode(&mut self.code);
        // These two can not be decoded alone.
        let op = match instr {
            enc::Instruction::Else => Operator::Else,
            enc::Instruction::End => Operator::End,
            _ => {
                let bytes = self.code.get(start..).unwrap_or_default();
                let reader = wp::BinaryReader::new_features(bytes, 0, self.s.features);
                wp::OperatorsReader::new(reader).read().map_err(|err| Error::bug(err.to_string()))?
            }
        };
        if self.code.len() > MAX_BODY {
            return Err(Error::TooComplex { func: 0, what: "a body is too large; split it".to_string() });
        }
        if self.validator.control_stack_height() == 0 {
            return Err(invalid(self.at, "operators behind the end of the function"));
        }
        // The validator takes an end at offset 0 for a bug.
        self.validator.op(self.at.max(1), &op)?;
        Ok(())
    }

    /// Writes an operator that is not the one that is validated.
    pub fn emit_as(&mut self, validated: &enc::Instruction<'_>, written: &enc::Instruction<'_>) -> Result<()> {
        let start = self.code.len();
        self.emit(validated)?;
        self.code.truncate(start);
        written.encode(&mut self.code);
        Ok(())
    }

    pub fn set(&mut self, local: u32) -> Result<()> {
        self.emit(&enc::Instruction::LocalSet(local))
    }

    pub fn get(&mut self, local: u32) -> Result<()> {
        self.emit(&enc::Instruction::LocalGet(local))
    }

    /// An intrinsic, whose operands are converted if need be.
    pub fn intrinsic(&mut self, intrinsic: Intrinsic, params: &[Val], results: &[Val]) -> Result<()> {
        self.coerce(params)?;
        let index = self.s.intrinsic(intrinsic, params, results);
        self.emit(&enc::Instruction::Call(index))
    }

    /// The operand at a depth, if it is of the innermost construct.
    pub fn operand(&self, depth: usize) -> Result<Operand> {
        let frame = self.validator.get_control_frame(0).ok_or_else(|| invalid(self.at, "operators behind the end"))?;
        let here = self.validator.operand_stack_height() as usize - frame.height;
        if depth >= here {
            if frame.unreachable {
                return Ok(Operand::Any);
            }
            return Err(self.mismatch("a value", "nothing on the stack"));
        }
        Ok(match self.validator.get_operand_type(depth).flatten() {
            Some(ty) => Operand::Known(self.s.universe.val_of(ty)),
            None => Operand::Any,
        })
    }

    #[cold]
    pub fn mismatch(&self, expected: &str, found: &str) -> Error {
        invalid(self.at, format!("type mismatch: expected {expected}, found {found}"))
    }

    /// Results of code that can not be reached.
    pub fn dead(&mut self, results: &[Val]) -> Result<()> {
        self.emit(&enc::Instruction::Unreachable)?;
        if results.is_empty() {
            return Ok(());
        }
        let index = self.s.intrinsic(Intrinsic::Refine(ValType::I32), &[], results);
        self.emit(&enc::Instruction::Call(index))
    }

    pub fn is_func(&self, val: Val) -> bool {
        matches!(val, Val::Ref(_, heap) if self.s.universe.types.is_sub(heap, Heap::Func))
    }

    /// Whether a value of one type must be converted where another is expected.
    fn converts(&self, from: Val, to: Val) -> bool {
        matches!(to, Val::Ref(_, Heap::Any)) && (matches!(from, Val::Ref(_, Heap::Extern)) || self.is_func(from))
    }

    /// Makes a function or external reference on top of the stack one of any kind.
    pub fn make_any(&mut self, from: Val) -> Result<()> {
        let null = matches!(from, Val::Ref(true, _));
        let to = Val::Ref(null, Heap::Any);
        let ir = self.s.ir(to);
        let index = self.s.intrinsic(Intrinsic::ToAny(ir), &[from], &[to]);
        self.emit(&enc::Instruction::Call(index))
    }

    /// Converts the operands that are about to be taken as these types.
    pub fn coerce(&mut self, expected: &[Val]) -> Result<()> {
        let mut deepest = None;
        let mut operands = Vec::new();
        for (depth, &want) in expected.iter().rev().enumerate() {
            // What is wrong with the operands is for the validator to say.
            let Ok(Operand::Known(have)) = self.operand(depth) else { break };
            operands.push((have, want));
            if self.converts(have, want) {
                deepest = Some(depth);
            }
        }
        let Some(deepest) = deepest else { return Ok(()) };
        if deepest == 0 {
            return operands.first().map_or(Ok(()), |&(have, _)| self.make_any(have));
        }
        if self.is_const {
            return Err(invalid(self.at, "constant expression required: convert the function in a body"));
        }
        let mut temps = Vec::new();
        for &(have, _) in &operands[..=deepest] {
            let temp = self.temp(have)?;
            self.set(temp)?;
            temps.push(temp);
        }
        for (&(have, want), &temp) in operands[..=deepest].iter().zip(&temps).rev() {
            self.get(temp)?;
            if self.converts(have, want) {
                self.make_any(have)?;
            }
        }
        Ok(())
    }

    /// The types of a label.
    pub fn label(&self, depth: u32) -> Result<Vec<Val>> {
        let frame = self.validator.get_control_frame(depth as usize);
        let frame = frame.ok_or_else(|| invalid(self.at, format!("unknown label {depth}: branch depth too large")))?;
        let is_loop = frame.kind == FrameKind::Loop;
        Ok(match frame.block_type {
            BlockType::Empty => Vec::new(),
            BlockType::Type(_) if is_loop => Vec::new(),
            BlockType::Type(ty) => vec![self.s.universe.val_of(ty)],
            BlockType::FuncType(index) => {
                let sub = wp::WasmModuleResources::sub_type_at(&*self.s.universe, index);
                let Some(wp::CompositeInnerType::Func(sig)) = sub.map(|sub| &sub.composite_type.inner) else {
                    return Err(Error::bug("a block without signature"));
                };
                let types = if is_loop { sig.params() } else { sig.results() };
                types.iter().map(|&ty| self.s.universe.val_of(ty)).collect()
            }
        })
    }

    /// Before the end of a construct: its results.
    fn coerce_label(&mut self, depth: u32) -> Result<()> {
        let frame = self.validator.get_control_frame(depth as usize);
        let Some((block_type, kind)) = frame.map(|frame| (frame.block_type, frame.kind)) else { return Ok(()) };
        let types = match (kind, block_type) {
            // A loop's label is its start.
            (FrameKind::Loop, BlockType::Type(ty)) => vec![self.s.universe.val_of(ty)],
            (FrameKind::Loop, BlockType::FuncType(index)) => self.results_at(index),
            _ => self.label(depth)?,
        };
        self.coerce(&types)
    }

    fn results_at(&self, index: u32) -> Vec<Val> {
        let sub = wp::WasmModuleResources::sub_type_at(&*self.s.universe, index);
        match sub.map(|sub| &sub.composite_type.inner) {
            Some(wp::CompositeInnerType::Func(sig)) => {
                sig.results().iter().map(|&ty| self.s.universe.val_of(ty)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn instr(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Plain(op) => self.plain(op),
            Op::Open(construct, sig) => {
                let ty = self.block_type(sig, *construct == Construct::If)?;
                self.lets.push(false);
                self.emit(&match construct {
                    Construct::Block => enc::Instruction::Block(ty),
                    Construct::Loop => enc::Instruction::Loop(ty),
                    Construct::If => enc::Instruction::If(ty),
                })
            }
            Op::Let(sig, locals) => self.let_(sig, locals),
            Op::Else => {
                // The validator leaves this to the readers.
                let frame = self.validator.get_control_frame(0);
                if frame.is_none_or(|frame| frame.kind != FrameKind::If) {
                    return Err(invalid(self.at, "`else` found outside of an `if` block"));
                }
                self.coerce_label(0)?;
                self.emit(&enc::Instruction::Else)
            }
            Op::End => {
                self.coerce_label(0)?;
                if self.lets.pop().ok_or_else(|| invalid(self.at, "`end` of nothing"))? {
                    self.scopes.pop();
                }
                self.emit(&enc::Instruction::End)
            }
            Op::BrTable(labels, default) => {
                for &label in labels.iter().chain([default]) {
                    let mut types = self.label(label)?;
                    types.push(Val::I32);
                    self.coerce(&types)?;
                }
                self.emit(&enc::Instruction::BrTable(labels.into(), *default))
            }
            Op::Select(ty) => {
                let ty = self.s.val(*ty, self.at)?;
                self.coerce(&[ty, ty, Val::I32])?;
                let ty = encoded(self.s.universe.named(ty))?;
                self.emit(&enc::Instruction::TypedSelect(ty))
            }
            Op::RefNull(heap) => {
                let heap = self.s.heap(*heap, self.at)?;
                let heap = self.s.universe.heap(heap);
                let heap = RoundtripReencoder.heap_type(heap).map_err(|_| Error::bug("a type that has no code"))?;
                self.emit(&enc::Instruction::RefNull(heap))
            }
            op => self.special(op),
        }
    }

    fn block_type(&mut self, sig: &Sig, is_if: bool) -> Result<enc::BlockType> {
        let sig = self.s.sig(sig, self.at)?;
        let mut operands = sig.params.clone();
        // An `if` has its condition on top.
        operands.extend(is_if.then_some(Val::I32));
        self.coerce(&operands)?;
        Ok(match (&sig.params[..], &sig.results[..]) {
            ([], []) => enc::BlockType::Empty,
            ([], [ty]) => enc::BlockType::Result(encoded(self.s.universe.named(*ty))?),
            _ => enc::BlockType::FunctionType(self.s.sig_index(&sig)?),
        })
    }

    fn let_(&mut self, sig: &Sig, locals: &[Val]) -> Result<()> {
        let types = self.s.vals(locals, self.at)?;
        self.coerce(&types)?;
        let mut numbers = Vec::new();
        for &ty in &types {
            numbers.push(self.local(ty)?);
        }
        for &local in numbers.iter().rev() {
            self.set(local)?;
        }
        let ty = self.block_type(sig, false)?;
        self.lets.push(true);
        self.scopes.push(numbers);
        self.emit(&enc::Instruction::Block(ty))
    }

    /// The local that a number stands for.
    fn numbered(&self, mut index: u32) -> Result<u32> {
        let asked = index;
        for scope in self.scopes.iter().rev() {
            match scope.get(index as usize) {
                Some(&local) => return Ok(local),
                None => index -= scope.len() as u32,
            }
        }
        Err(invalid(self.at, format!("unknown local {asked}")))
    }

    /// An operator of the standard.
    fn plain(&mut self, op: &Operator<'static>) -> Result<()> {
        let mut op = op.clone();
        match &mut op {
            Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } => {
                *local_index = self.numbered(*local_index)?;
            }
            Operator::CallIndirect { type_index, .. } | Operator::ReturnCallIndirect { type_index, .. } => {
                let class = self.s.class(*type_index, self.at)?;
                *type_index = self.s.universe.index_of.get(class as usize).copied().unwrap_or(0);
            }
            Operator::GlobalGet { global_index } if self.is_const => self.constant_global(*global_index)?,
            _ => {}
        }
        if let Some(expected) = self.expected(&op)? {
            self.coerce(&expected)?;
        }
        let instr = RoundtripReencoder.instruction(op).map_err(|_| Error::bug("an operator that has no code"))?;
        self.emit(&instr)
    }

    fn constant_global(&self, index: u32) -> Result<()> {
        match self.s.ast.globals.get(index as usize) {
            Some(global) if global.mutable => Err(invalid(self.at, "constant expression required: a mutable global")),
            _ => Ok(()),
        }
    }

    /// The types of the operands that may be of any kind.
    fn expected(&self, op: &Operator<'_>) -> Result<Option<Vec<Val>>> {
        let universe = &self.s.universe;
        let params = |index: u32| -> Vec<Val> {
            let sub = wp::WasmModuleResources::sub_type_at(&**universe, index);
            match sub.map(|sub| &sub.composite_type.inner) {
                Some(wp::CompositeInnerType::Func(sig)) => sig.params().iter().map(|&ty| universe.val_of(ty)).collect(),
                _ => Vec::new(),
            }
        };
        let elem = |table: u32| universe.tables.get(table as usize).map(|t| universe.val_of(t.element_type.into()));
        Ok(Some(match *op {
            Operator::Br { relative_depth } => self.label(relative_depth)?,
            Operator::BrIf { relative_depth } => {
                let mut types = self.label(relative_depth)?;
                types.push(Val::I32);
                types
            }
            Operator::BrOnNull { relative_depth } => {
                let mut types = self.label(relative_depth)?;
                if let Operand::Known(top) = self.operand(0)? {
                    types.push(top);
                }
                types
            }
            Operator::BrOnNonNull { relative_depth } => self.label(relative_depth)?,
            Operator::Return => {
                let outermost = self.validator.control_stack_height().saturating_sub(1);
                self.label(outermost)?
            }
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                params(universe.funcs.get(function_index as usize).copied().unwrap_or(u32::MAX))
            }
            Operator::CallIndirect { type_index, .. } | Operator::ReturnCallIndirect { type_index, .. } => {
                let mut types = params(type_index);
                types.push(Val::I32);
                types
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                self.validator.get_local_type(local_index).map(|ty| universe.val_of(ty)).into_iter().collect()
            }
            Operator::GlobalSet { global_index } => {
                let global = universe.globals.get(global_index as usize);
                global.map(|global| universe.val_of(global.content_type)).into_iter().collect()
            }
            Operator::TableSet { table } => [Val::I32].into_iter().chain(elem(table)).collect(),
            Operator::TableGrow { table } => elem(table).into_iter().chain([Val::I32]).collect(),
            Operator::TableFill { table } => [Val::I32].into_iter().chain(elem(table)).chain([Val::I32]).collect(),
            _ => return Ok(None),
        }))
    }

    /// The definition that a type index of the source has.
    pub fn def(&self, ty: u32) -> Result<(u32, Def)> {
        let class = self.s.class(ty, self.at)?;
        let def = self.s.def(class).cloned().ok_or_else(|| Error::bug("a class without definition"))?;
        Ok((class, def))
    }
}

pub(super) fn encoded(ty: wp::ValType) -> Result<enc::ValType> {
    RoundtripReencoder.val_type(ty).map_err(|_| Error::bug("a type that has no code"))
}
