//! The driver: walks the operators of a body, validates each, and hands it to who translates it.
//!
//! The validator runs one operator ahead of the translation, so that behind it operands, labels and
//! indices are known to be right. Where they are not after all, that is a defect of this crate and
//! reported as one, never a panic.

use super::budget::Budget;
use super::control::{Frame, refine};
use super::debug::Tracker;
use super::emit::{Emit, func_signature, meet};
use super::intrinsic::{self, INTRINSICS};
use super::locals::Locals;
use super::module::{Body, Module};
use super::prescan::{Prescan, needs_ir, prescan};
use super::prune::prune;
use super::resources::Resources;
use super::types::val_type;
use super::unsupported::{Class, class};
use super::{gc, plain, validate};
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Cursor, Func, Op, RefOp, Region, SrcLoc, TrapCode, Value};
use crate::types::{RefType, ValType};
use cranelift_entity::packed_option::PackedOption;
use wasmparser::{FuncToValidate, FuncValidator, FuncValidatorAllocations, Operator};

/// A function's body after validation.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each function, and most are of the large kind")]
pub enum Translated<'a> {
    /// It works on no reference outside the `func` hierarchy, and has no operator of the GC proposal:
    /// it can be encoded as it is, but for its indices.
    Plain,
    /// Anything else.
    Ir(Func<'a>),
}

impl<'a> Translated<'a> {
    /// The IR, if it is that.
    pub fn ir(&self) -> Option<&Func<'a>> {
        if let Translated::Ir(func) = self { Some(func) } else { None }
    }

    /// The same, to be changed.
    pub fn ir_mut(&mut self) -> Option<&mut Func<'a>> {
        if let Translated::Ir(func) = self { Some(func) } else { None }
    }
}

impl<'a> Module<'a> {
    /// Whether anything in the module must be lowered. Scans bodies until one must be; does not
    /// validate them.
    pub fn needs_lowering(&self) -> bool {
        self.has_gc_types || self.bodies.iter().any(|body| needs_ir(&body.body, self))
    }
}

impl<'a> Body<'a> {
    /// Validates the body of the `defined_index`th defined function of its module, and translates it
    /// if it must be lowered. `allocations` can be used again for the next body.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is not valid, `Unsupported` for what is but can not be compiled,
    /// `TooComplex` when the IR would be too large.
    pub fn translate(
        &self,
        module: &Module<'a>,
        defined_index: usize,
        allocations: &mut FuncValidatorAllocations,
    ) -> Result<Translated<'a>, Error> {
        let index = self.validator.index;
        let scan = prescan(&self.body, module, index, self.validator.ty)?;
        if scan.needs_ir || scan.refused.is_some() {
            return Ok(Translated::Ir(self.build(module, defined_index, scan, allocations)?));
        }
        let mut validator = self.validator(allocations);
        validator.validate(&self.body)?;
        *allocations = validator.into_allocations();
        Ok(Translated::Plain)
    }

    /// The same for a body that is wanted as IR, though it could stay as it is.
    ///
    /// # Errors
    ///
    /// Those of [`Body::translate`].
    pub fn to_ir(
        &self,
        module: &Module<'a>,
        defined_index: usize,
        allocations: &mut FuncValidatorAllocations,
    ) -> Result<Func<'a>, Error> {
        let scan = prescan(&self.body, module, self.validator.index, self.validator.ty)?;
        self.build(module, defined_index, scan, allocations)
    }

    fn build(
        &self,
        module: &Module<'a>,
        defined_index: usize,
        scan: Prescan,
        allocations: &mut FuncValidatorAllocations,
    ) -> Result<Func<'a>> {
        let index = self.validator.index;
        debug_assert_eq!(index as usize, module.imported_funcs() as usize + defined_index);
        let mut validator = self.validator(allocations);
        if let Some((feature, offset)) = scan.refused {
            validate::body(&mut validator, &self.body)?;
            return Err(feature.at(offset));
        }
        let mut translator = Translator::new(module, index, validator, scan)?;
        translator.run(self)?;
        let (func, validator) = translator.finish();
        *allocations = validator.into_allocations();
        Ok(func)
    }

    fn validator(&self, allocations: &mut FuncValidatorAllocations) -> FuncValidator<Resources> {
        let FuncToValidate { resources, index, ty, features } = &self.validator;
        let func = FuncToValidate { resources: resources.clone(), index: *index, ty: *ty, features: *features };
        func.into_validator(std::mem::take(allocations))
    }
}

/// For no more instructions than so many there is room before they come.
const MOST_EXPECTED: usize = 1 << 14;

/// A function under construction.
pub(super) struct Translator<'m, 'a> {
    pub module: &'m Module<'a>,
    pub func: Func<'a>,
    pub validator: FuncValidator<Resources>,
    pub scan: Prescan,
    pub budget: Budget,
    /// The operand stack.
    pub stack: Vec<Value>,
    pub locals: Locals,
    /// The control stack, without the frames of unreachable code.
    pub frames: Vec<Frame>,
    /// Pool of the locals that open frames carry.
    pub carried: Vec<u32>,
    /// Pool of what the locals that an `if` assigns were before.
    pub saved: Vec<PackedOption<Value>>,
    /// How many blocks opened so far.
    pub opened: usize,
    /// How many open blocks were opened in unreachable code.
    pub dead: usize,
    pub reachable: bool,
    /// While a `delegate` ends its construct: below which height of the control stack its exceptions
    /// find their handler.
    pub delegated: Option<usize>,
    /// Where instructions go.
    pub region: Region,
    /// Where the operator is, in bytes from the start of the module.
    pub offset: usize,
    pub loc: SrcLoc,
    /// In code for debuggers: what is noted for them.
    pub debug: Option<Box<Tracker>>,
}

impl<'m, 'a> Translator<'m, 'a> {
    fn new(
        module: &'m Module<'a>,
        index: u32,
        validator: FuncValidator<Resources>,
        scan: Prescan,
    ) -> Result<Translator<'m, 'a>> {
        let sig = func_signature(module, index)?;
        let ty = module.types.id(module.funcs[index as usize].ty);
        let func = Func::new(index, &sig.params, &module.types.results_without_nofunc(ty));
        let mut locals = Locals::default();
        for (&ty, &param) in sig.params.iter().zip(func.params()) {
            locals.param(ty, param);
        }
        let region = func.body;
        let mut translator = Translator {
            module,
            func,
            validator,
            scan,
            budget: Budget::new(index),
            stack: Vec::new(),
            locals,
            frames: Vec::new(),
            carried: Vec::new(),
            saved: Vec::new(),
            opened: 0,
            dead: 0,
            reachable: true,
            delegated: None,
            region,
            offset: 0,
            loc: SrcLoc::NONE,
            debug: None,
        };
        translator.enter_func(sig.results.len());
        Ok(translator)
    }

    fn run(&mut self, body: &Body<'a>) -> Result<()> {
        // About as many as there are in code of compilers; a body may be long for no good reason.
        let about = (body.body.range().len() / 3).min(MOST_EXPECTED);
        self.func.insts.reserve(about);
        self.func.values.reserve(about);
        let mut locals = body.body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            self.validator.define_locals(offset, count, ty)?;
            self.locals.declare(count, val_type(&self.module.types, ty, offset)?);
        }
        if self.module.debug {
            self.start_debugging()?;
        }
        let mut ops = body.body.get_operators_reader()?;
        while !ops.eof() {
            let (op, offset) = ops.read_with_offset()?;
            validate::op(&mut self.validator, offset, &op)?;
            self.offset = offset;
            self.loc = SrcLoc(offset as u32);
            self.mark(&op, ops.original_position())?;
            self.op(op)?;
        }
        ops.finish()?;
        Ok(())
    }

    fn finish(mut self) -> (Func<'a>, FuncValidator<Resources>) {
        self.locals.finish(&mut self.func);
        prune(&mut self.func);
        (self.func, self.validator)
    }

    /// Translates an operator that was validated.
    fn op(&mut self, op: Operator<'a>) -> Result<()> {
        match op {
            Operator::Block { blockty } => self.enter_block(blockty),
            Operator::Loop { blockty } => self.enter_loop(blockty),
            Operator::If { blockty } => self.enter_if(blockty),
            Operator::Else => self.enter_else(),
            Operator::End => self.end(),
            Operator::TryTable { try_table } => self.enter_try(try_table.ty, Some(try_table.catches)),
            Operator::Try { blockty } => self.enter_try(blockty, None),
            Operator::Catch { tag_index } => self.catch(Some(tag_index)),
            Operator::CatchAll => self.catch(None),
            Operator::Delegate { relative_depth } => self.delegate(relative_depth),
            _ if !self.reachable => Ok(()),
            Operator::LocalGet { local_index } => {
                let value = self.locals.get(&mut self.func, local_index)?;
                self.stack.push(value);
                Ok(())
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop()?;
                self.locals.set(local_index, value.into());
                self.note_local(local_index, value);
                Ok(())
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop()?;
                self.locals.set(local_index, value.into());
                self.stack.push(value);
                self.note_local(local_index, value);
                Ok(())
            }
            Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::BrOnCast { .. }
            | Operator::BrOnCastFail { .. }
            | Operator::BrOnCastDescEq { .. }
            | Operator::BrOnCastDescEqFail { .. }
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. }
            | Operator::Unreachable => self.branch_op(&op),
            Operator::Call { function_index } if function_index >= INTRINSICS => {
                self.with(|cx| intrinsic::emit(cx, function_index))
            }
            Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. } => {
                let throws = self.module.throws.by(self.module, &op);
                self.simple(op)?;
                if throws { self.check() } else { Ok(()) }
            }
            _ => self.simple(op),
        }
    }

    fn branch_op(&mut self, op: &Operator<'a>) -> Result<()> {
        match *op {
            Operator::Br { relative_depth } => self.branch(relative_depth),
            Operator::BrIf { relative_depth } => {
                let cond = self.pop()?;
                self.branch_if(cond, relative_depth)
            }
            Operator::BrTable { ref targets } => self.branch_table(targets),
            Operator::BrOnNull { relative_depth } => self.branch_on_null(relative_depth),
            Operator::BrOnNonNull { relative_depth } => self.branch_on_non_null(relative_depth),
            Operator::BrOnCast { relative_depth, from_ref_type, to_ref_type } => {
                self.branch_on_cast(relative_depth, from_ref_type, to_ref_type, true)
            }
            Operator::BrOnCastFail { relative_depth, from_ref_type, to_ref_type } => {
                self.branch_on_cast(relative_depth, from_ref_type, to_ref_type, false)
            }
            Operator::BrOnCastDescEq { relative_depth, from_ref_type, to_ref_type } => {
                self.branch_on_cast_desc(relative_depth, from_ref_type, to_ref_type, true)
            }
            Operator::BrOnCastDescEqFail { relative_depth, from_ref_type, to_ref_type } => {
                self.branch_on_cast_desc(relative_depth, from_ref_type, to_ref_type, false)
            }
            Operator::Return => self.return_(),
            Operator::Throw { tag_index } => self.throw(tag_index),
            Operator::ThrowRef => self.throw_ref(),
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth),
            Operator::Unreachable => {
                self.terminate(Op::Trap(TrapCode::Unreachable), &[]);
                Ok(())
            }
            // What is left are tail calls.
            _ => {
                self.with(|cx| plain::emit(cx, op))?;
                self.reachable = false;
                Ok(())
            }
        }
    }

    /// `br_on_null`: the operand is not null behind it.
    fn branch_on_null(&mut self, depth: u32) -> Result<()> {
        let value = self.pop()?;
        let (is_null, non_null) = self.null_test(value)?;
        self.branch_if(is_null, depth)?;
        self.push_refined(value, non_null);
        Ok(())
    }

    /// `br_on_non_null`: the operand is not null where it leads.
    fn branch_on_non_null(&mut self, depth: u32) -> Result<()> {
        let value = self.pop()?;
        let (is_null, non_null) = self.null_test(value)?;
        self.branch_refined(is_null, false, (value, non_null), depth)
    }

    fn null_test(&mut self, value: Value) -> Result<(Value, ValType)> {
        self.with(|cx| {
            let non_null = cx.ref_ty(value)?.non_null();
            Ok((cx.cursor.value(Op::Ref(RefOp::IsNull), &[value], ValType::I32), ValType::Ref(non_null)))
        })
    }

    /// `br_on_cast` and `br_on_cast_fail`: both ways the type is better known.
    fn branch_on_cast(
        &mut self,
        depth: u32,
        from: wasmparser::RefType,
        to: wasmparser::RefType,
        on_success: bool,
    ) -> Result<()> {
        let value = self.pop()?;
        let (_, to) = self.with(|cx| gc::cast_types(cx, from, to))?;
        self.branch_on_test(depth, Op::Ref(RefOp::Test(to)), (value, &[value]), to, on_success)
    }

    /// `br_on_cast_desc_eq` and `br_on_cast_desc_eq_fail`.
    fn branch_on_cast_desc(
        &mut self,
        depth: u32,
        from: wasmparser::RefType,
        to: wasmparser::RefType,
        on_success: bool,
    ) -> Result<()> {
        self.with(gc::descriptor)?;
        let (descriptor, value) = (self.pop()?, self.pop()?);
        let (_, to) = self.with(|cx| gc::cast_types(cx, from, to))?;
        let args = [value, descriptor];
        self.branch_on_test(depth, Op::Ref(RefOp::TestDesc(to)), (value, &args), to, on_success)
    }

    fn branch_on_test(
        &mut self,
        depth: u32,
        test: Op<'a>,
        (value, args): (Value, &[Value]),
        to: RefType,
        on_success: bool,
    ) -> Result<()> {
        let (test, is, is_not) = self.with(|cx| {
            let known = cx.ref_ty(value)?;
            let is_not = if to.nullable { known.non_null() } else { known };
            let test = cx.cursor.value(test, args, ValType::I32);
            Ok((test, ValType::Ref(meet(&cx.module.types, known, to)), ValType::Ref(is_not)))
        })?;
        let (taken, not_taken) = if on_success { (is, is_not) } else { (is_not, is) };
        self.branch_refined(test, on_success, (value, taken), depth)?;
        self.push_refined(value, not_taken);
        Ok(())
    }

    fn push_refined(&mut self, value: Value, ty: ValType) {
        let value = refine(&mut Cursor::at(&mut self.func, self.region, self.loc), value, ty);
        self.stack.push(value);
    }

    /// An operator without control.
    fn simple(&mut self, op: Operator<'a>) -> Result<()> {
        let done = match class(&op) {
            Class::Gc => self.with(|cx| gc::emit(cx, &op))?,
            Class::Core => self.with(|cx| plain::emit(cx, &op))?,
            Class::Exn => return Err(Error::bug(format!("control operator in the wrong place: {op:?}"))),
            Class::Refused(feature) => return Err(feature.at(self.offset)),
        };
        if done { Ok(()) } else { self.core(op) }
    }

    /// An operator on numbers: its arity from the decoder, its results from the validator's stack.
    fn core(&mut self, op: Operator<'a>) -> Result<()> {
        let arity = op.operator_arity(&self.validator);
        let (args, results) = arity.ok_or_else(|| Error::bug(format!("operator of unknown arity: {op:?}")))?;
        let mut types = [ValType::I32; 2];
        let types = types.get_mut(..results as usize).ok_or_else(|| Error::bug(format!("too many results: {op:?}")))?;
        for (depth, ty) in types.iter_mut().rev().enumerate() {
            *ty = match self.validator.get_operand_type(depth).flatten() {
                Some(wasmparser::ValType::I32) => ValType::I32,
                Some(wasmparser::ValType::I64) => ValType::I64,
                Some(wasmparser::ValType::F32) => ValType::F32,
                Some(wasmparser::ValType::F64) => ValType::F64,
                Some(wasmparser::ValType::V128) => ValType::V128,
                _ => return Err(Error::bug(format!("operator with references is not translated: {op:?}"))),
            };
        }
        self.budget.spend(0, args as usize, self.scan.ops)?;
        let types = &*types;
        self.with(|cx| cx.push(Op::Core(op), args as usize, types))
    }

    fn with<R>(&mut self, f: impl FnOnce(&mut Emit<'_, '_, 'a>) -> Result<R>) -> Result<R> {
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        f(&mut Emit { cursor: &mut cursor, stack: &mut self.stack, module: self.module, offset: self.offset })
    }
}
