//! References, RTTs and casts: what the standard has in another form, or not at all.
//!
//! ```wat
//! (br_on_cast $l (local.get $x) (local.get $r))
//! ;; becomes
//! (local.set $v (local.get $x)) (local.set $t (local.get $r))
//! (if (call $test_rtt (local.get $v) (local.get $t))
//!   (then (br $l (call $refine (local.get $v)))))
//! (local.get $v)
//! ```

use super::body::{Body, Operand};
use super::session::invalid;
use crate::fault::Result;
use crate::ir::RttBound;
use crate::parse::Intrinsic;
use crate::rtt::ast::{Def, Heap, Kind, Nulls, Op, Val};
use wasm_encoder as enc;

/// `(ref null any)`
const ANY: Val = Val::Ref(true, Heap::Any);

impl Body<'_, '_, '_> {
    pub(super) fn special(&mut self, op: &Op) -> Result<()> {
        match *op {
            Op::RefFunc(func) => self.ref_func(func),
            Op::CallRef(tail) => self.call_ref(tail),
            Op::FuncBind(ty) => self.func_bind(ty),
            Op::Is(kind) => self.is(kind),
            Op::As(kind) => self.as_kind(kind),
            Op::BrOn(kind, negated, depth) => self.br_on(kind, negated, depth),
            Op::RefTest => self.ref_test(),
            Op::RefCast => self.ref_cast(),
            Op::BrOnCast(fail, depth) => self.br_on_cast(fail, depth),
            Op::RttCanon(ty) => self.rtt_canon(ty),
            Op::RttSub(ty) => self.rtt_sub(ty),
            Op::StructNew(ty, default, rtt) => self.struct_new(ty, default, rtt),
            Op::StructGet(ty, field, sign) => self.struct_get(ty, field, sign),
            Op::StructSet(ty, field) => self.struct_set(ty, field),
            Op::ArrayNew(ty, default, rtt) => self.array_new(ty, default, rtt),
            Op::ArrayGet(ty, sign) => self.array_get(ty, sign),
            Op::ArraySet(ty) => self.array_set(ty),
            Op::ArrayLen(ty) => self.array_len(ty),
            _ => Err(invalid(self.at, "an instruction in the wrong place")),
        }
    }

    fn ref_func(&mut self, func: u32) -> Result<()> {
        let Some(&ty) = self.s.universe.funcs.get(func as usize) else {
            return Err(invalid(self.at, format!("unknown function {func}")));
        };
        if !self.is_const && !self.s.declared.contains(&func) {
            return Err(invalid(self.at, "undeclared function reference"));
        }
        self.s.referred.insert(func);
        let class = self.s.universe.class_at.get(&ty).copied().unwrap_or(0);
        let result = Val::Ref(false, Heap::Type(class));
        let index = self.s.intrinsic(Intrinsic::RefFunc(func), &[], &[result]);
        let call = enc::Instruction::Call(index);
        if self.is_const { self.emit_as(&call, &enc::Instruction::RefFunc(func)) } else { self.emit(&call) }
    }

    /// The class of the function type that the top operand refers to.
    fn callee(&self) -> Result<Option<u32>> {
        match self.operand(0)? {
            Operand::Any => Ok(None),
            Operand::Known(Val::Ref(_, Heap::Type(class))) if matches!(self.s.def(class), Some(Def::Func(_))) => {
                Ok(Some(class))
            }
            Operand::Known(other) => Err(self.mismatch("a reference to a function of a known type", &show(other))),
        }
    }

    fn call_ref(&mut self, tail: bool) -> Result<()> {
        let Some(class) = self.callee()? else { return self.emit(&enc::Instruction::Unreachable) };
        if let Some(Def::Func(sig)) = self.s.def(class) {
            let mut params = sig.params.clone();
            params.push(Val::Ref(true, Heap::Type(class)));
            self.coerce(&params)?;
        }
        let index = self.s.universe.index_of.get(class as usize).copied().unwrap_or(0);
        self.emit(&if tail { enc::Instruction::ReturnCallRef(index) } else { enc::Instruction::CallRef(index) })
    }

    fn func_bind(&mut self, ty: u32) -> Result<()> {
        let (to, Def::Func(wanted)) = self.def(ty)? else {
            return Err(invalid(self.at, "func.bind needs a function type"));
        };
        let result = Val::Ref(false, Heap::Type(to));
        let Some(from) = self.callee()? else { return self.dead(&[result]) };
        let Some(Def::Func(has)) = self.s.def(from).cloned() else { return self.dead(&[result]) };
        let count = has.params.len().checked_sub(wanted.params.len());
        let count = count.filter(|&n| has.params[n..] == wanted.params[..] && has.results == wanted.results);
        let Some(count) = count else {
            return Err(self.mismatch("a function that takes the bound operands, then those of the type", "another"));
        };
        if count == 0 {
            // A function has no identity, so it is its own closure; its type is that of `to`.
            return self.emit(&enc::Instruction::RefAsNonNull);
        }
        let mut bound = has.params[..count].to_vec();
        let func = self.temp(Val::Ref(false, Heap::Type(from)))?;
        self.emit(&enc::Instruction::RefAsNonNull)?;
        self.set(func)?;
        let mut operands = self.stored(&bound)?;
        self.get(func)?;
        self.make_any(Val::Ref(false, Heap::Type(from)))?;
        operands.push(Val::Ref(false, Heap::Any));
        bound.push(Val::Ref(false, Heap::Type(from)));
        let environment = self.s.erased.environment(&bound)?;
        let (eq, data) = (Val::Ref(false, Heap::Eq), Val::Ref(false, Heap::Data));
        self.intrinsic(Intrinsic::RttCanon(environment), &[], &[eq])?;
        operands.push(eq);
        self.intrinsic(Intrinsic::StructNew(environment, Some(bound.len() as u32)), &operands, &[data])?;
        let mut sig = wanted;
        sig.params.insert(0, data);
        let own = Val::Ref(false, Heap::Func);
        let invoker = self.s.invoker(from, to, bound, sig)?;
        self.intrinsic(Intrinsic::RefFunc(invoker), &[], &[own])?;
        self.intrinsic(Intrinsic::Bind(self.s.id(to)), &[data, own], &[result])
    }

    /// The operand on top, as a value of any kind in a local: the local, and what it was.
    fn any_operand(&mut self) -> Result<Option<(u32, Val)>> {
        let Operand::Known(ty) = self.operand(0)? else { return Ok(None) };
        let Val::Ref(null, _) = ty else { return Err(self.mismatch("a reference", &show(ty))) };
        self.coerce(&[ANY])?;
        let any = if let Operand::Known(now) = self.operand(0)? { now } else { Val::Ref(null, Heap::Any) };
        let temp = self.temp(any)?;
        self.set(temp)?;
        Ok(Some((temp, ty)))
    }

    fn is(&mut self, kind: Kind) -> Result<()> {
        if self.operand(0)? == Operand::Any {
            return self.dead(&[Val::I32]);
        }
        self.test_kind(kind)
    }

    fn test_kind(&mut self, kind: Kind) -> Result<()> {
        let intrinsic = match kind {
            Kind::Func => Intrinsic::IsFunc,
            Kind::Data => Intrinsic::IsData,
            Kind::I31 => Intrinsic::IsI31,
        };
        self.intrinsic(intrinsic, &[ANY], &[Val::I32])
    }

    fn as_kind(&mut self, kind: Kind) -> Result<()> {
        let result = of_kind(kind);
        let Some((temp, _)) = self.any_operand()? else { return self.dead(&[result]) };
        self.get(temp)?;
        self.test_kind(kind)?;
        self.intrinsic(Intrinsic::CastUnless, &[Val::I32], &[])?;
        self.get(temp)?;
        self.refine(ANY, result)
    }

    /// The operand on top, whose type is known to be better.
    fn refine(&mut self, from: Val, to: Val) -> Result<()> {
        let ir = self.s.ir(to);
        match ir.as_ref().filter(|r| r.is_func()) {
            // A function that is one already stays what it is.
            Some(_) if matches!(self.operand(0)?, Operand::Known(top) if self.is_func(top)) => {
                self.intrinsic(Intrinsic::Refine(ir), &[Val::Ref(true, Heap::Func)], &[to])
            }
            Some(ty) => self.intrinsic(Intrinsic::ToFunc(ty), &[ANY], &[to]),
            None => self.intrinsic(Intrinsic::Refine(ir), &[from], &[to]),
        }
    }

    /// Puts the operands that a branch carries besides its own into locals.
    fn carried(&mut self, depth: u32) -> Result<Vec<u32>> {
        let types = self.label(depth)?;
        let Some((_, others)) = types.split_last() else {
            return Err(self.mismatch("a label with a reference", "one without"));
        };
        self.coerce(others)?;
        let mut temps = Vec::new();
        for &ty in others.iter().rev() {
            let temp = self.temp(ty)?;
            self.set(temp)?;
            temps.push(temp);
        }
        temps.reverse();
        Ok(temps)
    }

    fn get_all(&mut self, locals: &[u32]) -> Result<()> {
        locals.iter().try_for_each(|&local| self.get(local))
    }

    /// With a condition on top: a branch that carries a value, or another value behind it.
    fn branch(&mut self, depth: u32, carried: &[u32], taken: (u32, Val, Val), not: (u32, Val, Val)) -> Result<()> {
        self.emit(&enc::Instruction::If(enc::BlockType::Empty))?;
        self.get_all(carried)?;
        self.refined(taken)?;
        let mut types = self.label(depth + 1)?;
        if let Some(last) = types.last_mut()
            && !matches!(last, Val::Ref(..))
        {
            return Err(self.mismatch("a label with a reference", &show(*last)));
        }
        self.coerce(&std::mem::take(&mut types))?;
        self.emit(&enc::Instruction::Br(depth + 1))?;
        self.emit(&enc::Instruction::End)?;
        self.get_all(carried)?;
        self.refined(not)
    }

    /// A local's value under a type, if that is not its own.
    fn refined(&mut self, (local, has, wants): (u32, Val, Val)) -> Result<()> {
        self.get(local)?;
        if has == wants { Ok(()) } else { self.refine(has, wants) }
    }

    fn br_on(&mut self, kind: Kind, negated: bool, depth: u32) -> Result<()> {
        let result = of_kind(kind);
        let Operand::Known(ty) = self.operand(0)? else {
            return self.dead_branch(depth, if negated { Some(result) } else { None });
        };
        let Val::Ref(..) = ty else { return Err(self.mismatch("a reference", &show(ty))) };
        let value = self.temp(ty)?;
        self.set(value)?;
        let carried = self.carried(depth)?;
        self.get(value)?;
        self.test_kind(kind)?;
        let (is, is_not) = ((value, ty, result), (value, ty, ty));
        if negated {
            self.emit(&enc::Instruction::I32Eqz)?;
            self.branch(depth, &carried, is_not, is)
        } else {
            self.branch(depth, &carried, is, is_not)
        }
    }

    /// A branch that can not be reached: what is behind it.
    fn dead_branch(&mut self, depth: u32, top: Option<Val>) -> Result<()> {
        let mut types = self.label(depth)?;
        if types.pop().is_none() {
            return Err(self.mismatch("a label with a reference", "one without"));
        }
        types.extend(top);
        self.dead(&types)
    }

    /// The RTT on top: how many are above it, and the class that it is of.
    fn rtt(&self) -> Result<Option<(Option<u32>, Option<u32>)>> {
        match self.operand(0)? {
            Operand::Any => Ok(None),
            Operand::Known(Val::Ref(_, Heap::Rtt(depth, of))) => Ok(Some((depth, of))),
            Operand::Known(other) => Err(self.mismatch("an RTT", &show(other))),
        }
    }

    /// Takes an RTT and the reference below it: the locals with the reference and the RTT, the type of the reference
    /// and of what passes. `None` where nothing is known.
    fn cast_operands(&mut self) -> Result<Option<Cast>> {
        let Some((depth, of)) = self.rtt()? else { return Ok(None) };
        let Operand::Known(rtt_ty) = self.operand(0)? else { return Ok(None) };
        let Operand::Known(ty) = self.operand(1)? else { return Ok(None) };
        let Val::Ref(null, heap) = ty else { return Err(self.mismatch("a reference", &show(ty))) };
        if matches!(heap, Heap::Extern | Heap::I31 | Heap::Rtt(..)) {
            return Err(self.mismatch("a reference to data or a function", &show(ty)));
        }
        let rtt = self.temp(rtt_ty)?;
        self.set(rtt)?;
        let value = self.temp(ty)?;
        self.set(value)?;
        let target = of.map_or(Heap::Any, Heap::Type);
        Ok(Some(Cast { value, ty, rtt, rtt_ty, depth, of, null, target }))
    }

    /// Whether the value passes: an `i32`.
    fn test(&mut self, cast: &Cast) -> Result<()> {
        let is_func = cast.of.is_some_and(|class| matches!(self.s.def(class), Some(Def::Func(_))));
        self.get(cast.value)?;
        let params = [ANY, cast.rtt_ty];
        if !is_func {
            self.coerce(&[ANY])?;
            self.get(cast.rtt)?;
            let of = cast.of.map(|class| self.s.id(class));
            let bound = cast.depth.map_or(RttBound::Unknown, RttBound::Depth);
            return self.intrinsic(Intrinsic::TestRtt { of, bound }, &params, &[Val::I32]);
        }
        let ty = self.s.id(cast.of.unwrap_or(0));
        self.s.rtts.insert(ty);
        let test = Intrinsic::TestFunc { ty, canon: cast.depth == Some(0) };
        let func = Val::Ref(true, Heap::Func);
        if self.is_func(cast.ty) {
            self.get(cast.rtt)?;
            return self.intrinsic(test, &[func, cast.rtt_ty], &[Val::I32]);
        }
        self.intrinsic(Intrinsic::IsFunc, &[ANY], &[Val::I32])?;
        self.emit(&enc::Instruction::If(enc::BlockType::Result(enc::ValType::I32)))?;
        self.get(cast.value)?;
        self.refine(ANY, func)?;
        self.get(cast.rtt)?;
        self.intrinsic(test, &[func, cast.rtt_ty], &[Val::I32])?;
        self.emit(&enc::Instruction::Else)?;
        self.emit(&enc::Instruction::I32Const(0))?;
        self.emit(&enc::Instruction::End)
    }

    fn ref_test(&mut self) -> Result<()> {
        match self.cast_operands()? {
            Some(cast) => self.test(&cast),
            None => self.dead(&[Val::I32]),
        }
    }

    fn ref_cast(&mut self) -> Result<()> {
        let of = self.rtt()?;
        let Some(cast) = self.cast_operands()? else {
            return match of {
                Some((_, of)) => self.dead(&[Val::Ref(false, of.map_or(Heap::Any, Heap::Type))]),
                None => self.emit(&enc::Instruction::Unreachable),
            };
        };
        let null = cast.null && self.s.ast.nulls == Nulls::Snapshot;
        if null {
            if matches!(cast.rtt_ty, Val::Ref(true, _)) {
                // An RTT that is null is a trap, whatever is cast.
                self.get(cast.rtt)?;
                self.emit(&enc::Instruction::RefAsNonNull)?;
                self.emit(&enc::Instruction::Drop)?;
            }
            self.get(cast.value)?;
            self.emit(&enc::Instruction::RefIsNull)?;
            self.emit(&enc::Instruction::If(enc::BlockType::Empty))?;
            self.emit(&enc::Instruction::Else)?;
            self.test(&cast)?;
            self.intrinsic(Intrinsic::CastUnless, &[Val::I32], &[])?;
            self.emit(&enc::Instruction::End)?;
        } else {
            self.test(&cast)?;
            self.intrinsic(Intrinsic::CastUnless, &[Val::I32], &[])?;
        }
        self.refined((cast.value, cast.ty, Val::Ref(null, cast.target)))
    }

    fn br_on_cast(&mut self, fail: bool, depth: u32) -> Result<()> {
        let of = self.rtt()?;
        let Some(cast) = self.cast_operands()? else {
            let passed = of.map(|(_, of)| Val::Ref(false, of.map_or(Heap::Any, Heap::Type)));
            return self.dead_branch(depth, passed.filter(|_| fail));
        };
        let carried = self.carried(depth)?;
        self.test(&cast)?;
        let passed = (cast.value, cast.ty, Val::Ref(false, cast.target));
        let failed = (cast.value, cast.ty, cast.ty);
        if fail {
            self.emit(&enc::Instruction::I32Eqz)?;
            self.branch(depth, &carried, failed, passed)
        } else {
            self.branch(depth, &carried, passed, failed)
        }
    }

    fn rtt_canon(&mut self, ty: Option<u32>) -> Result<()> {
        let Some(ty) = ty else {
            let id = self.s.any()?;
            return self.intrinsic(Intrinsic::RttCanon(id), &[], &[Val::Ref(false, Heap::Rtt(Some(0), None))]);
        };
        let class = self.rtt_class(ty)?;
        let id = self.s.id(class);
        self.intrinsic(Intrinsic::RttCanon(id), &[], &[Val::Ref(false, Heap::Rtt(Some(0), Some(class)))])
    }

    /// The class of a type that can have RTTs.
    fn rtt_class(&mut self, ty: u32) -> Result<u32> {
        let (class, def) = self.def(ty)?;
        match def {
            Def::Import { .. } => return Err(invalid(self.at, "an imported type has no RTT here")),
            Def::Func(_) => drop(self.s.rtts.insert(self.s.id(class))),
            _ => {}
        }
        Ok(class)
    }

    fn rtt_sub(&mut self, ty: u32) -> Result<()> {
        let class = self.rtt_class(ty)?;
        let Operand::Known(above) = self.operand(0)? else {
            return self.dead(&[Val::Ref(false, Heap::Rtt(None, Some(class)))]);
        };
        let Val::Ref(_, Heap::Rtt(depth, of)) = above else { return Err(self.mismatch("an RTT", &show(above))) };
        let bound = of.map_or(Heap::Any, Heap::Type);
        if !self.s.universe.types.is_sub(Heap::Type(class), bound) {
            return Err(self.mismatch("a type below that of the RTT", "another"));
        }
        let depth = match depth {
            Some(depth) => Some(depth.checked_add(1).ok_or_else(|| invalid(self.at, "a chain of RTTs is too long"))?),
            None => None,
        };
        let result = Val::Ref(false, Heap::Rtt(depth, Some(class)));
        let made = Intrinsic::RttSub { ty: self.s.id(class), above: of.map(|class| self.s.id(class)), depth };
        self.intrinsic(made, &[above], &[result])
    }
}

/// A cast, with its operands in locals.
struct Cast {
    value: u32,
    ty: Val,
    rtt: u32,
    rtt_ty: Val,
    depth: Option<u32>,
    of: Option<u32>,
    null: bool,
    target: Heap,
}

fn of_kind(kind: Kind) -> Val {
    Val::Ref(
        false,
        match kind {
            Kind::Func => Heap::Func,
            Kind::Data => Heap::Data,
            Kind::I31 => Heap::I31,
        },
    )
}

/// A type in a message.
pub(super) fn show(val: Val) -> String {
    match val {
        Val::Ref(null, heap) => {
            let heap = match heap {
                Heap::Type(class) => format!("type {class}"),
                Heap::Rtt(_, Some(class)) => format!("rtt of type {class}"),
                heap => format!("{heap:?}").to_lowercase(),
            };
            format!("a {}reference ({heap})", if null { "nullable " } else { "" })
        }
        val => format!("{val:?}").to_lowercase(),
    }
}
