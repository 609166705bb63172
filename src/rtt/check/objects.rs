//! Structs and arrays: allocation with an RTT, and access.
//!
//! An operand that an object is to hold is checked against its own type before it is made what objects hold:
//! functions lie there as values of any kind.

use super::body::{Body, Operand};
use super::session::invalid;
use super::special::show;
use crate::fault::{Error, Result};
use crate::ir;
use crate::parse::Intrinsic;
use crate::rtt::ast::{Def, Field, Heap, Sign, Storage, Val};

impl Body<'_, '_, '_> {
    /// Makes the operands on top, of these types, what objects hold: the types that they have then.
    pub(super) fn stored(&mut self, types: &[Val]) -> Result<Vec<Val>> {
        if !types.iter().any(|&ty| self.is_func(ty)) {
            return Ok(types.to_vec());
        }
        if self.is_const {
            return Err(invalid(self.at, "constant expression required: a function in an object is none"));
        }
        self.coerce(types)?;
        let mut temps = Vec::new();
        for &ty in types.iter().rev() {
            let temp = self.temp(ty)?;
            self.set(temp)?;
            temps.push(temp);
        }
        let mut held = Vec::new();
        for (&ty, &temp) in types.iter().zip(temps.iter().rev()) {
            self.get(temp)?;
            held.push(match ty {
                Val::Ref(null, _) if self.is_func(ty) => {
                    self.make_any(ty)?;
                    Val::Ref(null, Heap::Any)
                }
                ty => ty,
            });
        }
        Ok(held)
    }

    fn fields(&self, ty: u32) -> Result<(u32, Vec<Field>)> {
        match self.def(ty)? {
            (class, Def::Struct(fields)) => Ok((class, fields)),
            _ => Err(invalid(self.at, format!("unknown type: type {ty} is no structure type"))),
        }
    }

    fn element(&self, ty: u32) -> Result<(u32, Field)> {
        match self.def(ty)? {
            (class, Def::Array(elem)) => Ok((class, elem)),
            _ => Err(invalid(self.at, format!("unknown type: type {ty} is no array type"))),
        }
    }

    /// Whether an allocation has an RTT as last operand: the name of the instruction says so, or the operand does.
    fn with_rtt(&self, named: Option<bool>, class: u32) -> Result<bool> {
        if let Some(named) = named {
            return Ok(named);
        }
        Ok(match self.operand(0) {
            Ok(Operand::Known(Val::Ref(_, Heap::Rtt(_, of)))) => of == Some(class),
            Ok(Operand::Any) => true,
            Ok(Operand::Known(_)) | Err(_) => false,
        })
    }

    /// The type whose objects an allocation makes. Without an RTT that is a hidden one, whose RTT is put on top.
    fn allocated(&mut self, class: u32, with_rtt: bool) -> Result<(crate::types::TypeId, Val)> {
        if with_rtt {
            return Ok((self.s.id(class), Val::Ref(false, Heap::Rtt(None, Some(class)))));
        }
        let id = self.s.opaque(class)?;
        let rtt = Val::Ref(false, Heap::Rtt(Some(0), Some(class)));
        self.intrinsic(Intrinsic::RttCanon(id), &[], &[rtt])?;
        Ok((id, rtt))
    }

    pub(super) fn struct_new(&mut self, ty: u32, default: bool, rtt: Option<bool>) -> Result<()> {
        let (class, fields) = self.fields(ty)?;
        let with_rtt = self.with_rtt(rtt, class)?;
        let result = Val::Ref(false, Heap::Type(class));
        if default {
            fields.iter().try_for_each(|field| self.defaultable(field))?;
            let (id, rtt) = self.allocated(class, with_rtt)?;
            return self.intrinsic(Intrinsic::StructNew(id, None), &[rtt], &[result]);
        }
        let mut operands: Vec<Val> = fields.iter().map(|field| self.s.universe.unpacked(field.storage)).collect();
        let count = operands.len() as u32;
        let rtt = self.operands_below_rtt(&mut operands, class, with_rtt)?;
        operands.push(rtt.1);
        self.intrinsic(Intrinsic::StructNew(rtt.0, Some(count)), &operands, &[result])
    }

    /// Makes the operands of an allocation what objects hold, and leaves the RTT on top of them.
    fn operands_below_rtt(
        &mut self,
        operands: &mut Vec<Val>,
        class: u32,
        with_rtt: bool,
    ) -> Result<(crate::types::TypeId, Val)> {
        let convert = operands.iter().any(|&ty| self.is_func(ty));
        if with_rtt && convert && !self.is_const {
            let ty = match self.operand(0)? {
                Operand::Known(ty @ Val::Ref(_, Heap::Rtt(..))) => ty,
                _ => Val::Ref(false, Heap::Rtt(None, Some(class))),
            };
            let temp = self.temp(ty)?;
            self.set(temp)?;
            *operands = self.stored(operands)?;
            self.get(temp)?;
        } else {
            *operands = self.stored(operands)?;
        }
        self.allocated(class, with_rtt)
    }

    fn defaultable(&self, field: &Field) -> Result<()> {
        match field.storage {
            Storage::Val(ty @ Val::Ref(false, _)) => {
                Err(invalid(self.at, format!("a field of type {} has no default value", show(ty))))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn array_new(&mut self, ty: u32, default: bool, rtt: Option<bool>) -> Result<()> {
        let (class, elem) = self.element(ty)?;
        let with_rtt = self.with_rtt(rtt, class)?;
        let result = Val::Ref(false, Heap::Type(class));
        let mut operands = vec![Val::I32];
        if default {
            self.defaultable(&elem)?;
            let (id, rtt) = self.allocated(class, with_rtt)?;
            operands.push(rtt);
            return self.intrinsic(Intrinsic::ArrayNew(id, true), &operands, &[result]);
        }
        operands.insert(0, self.s.universe.unpacked(elem.storage));
        let (id, rtt) = self.operands_below_rtt(&mut operands, class, with_rtt)?;
        operands.push(rtt);
        self.intrinsic(Intrinsic::ArrayNew(id, false), &operands, &[result])
    }

    fn sign(&self, storage: Storage, sign: Sign) -> Result<ir::Sign> {
        match (storage, sign) {
            (Storage::Val(_), Sign::None) => Ok(ir::Sign::None),
            (Storage::I8 | Storage::I16, Sign::Signed) => Ok(ir::Sign::Signed),
            (Storage::I8 | Storage::I16, Sign::Unsigned) => Ok(ir::Sign::Unsigned),
            (Storage::Val(_), _) => Err(invalid(self.at, "field is not packed: read it without a sign")),
            (_, Sign::None) => Err(invalid(self.at, "field is packed: read it with a sign, as `get_s` or `get_u`")),
        }
    }

    fn field(&self, fields: &[Field], field: u32) -> Result<Field> {
        fields.get(field as usize).copied().ok_or_else(|| invalid(self.at, format!("unknown field {field}")))
    }

    pub(super) fn struct_get(&mut self, ty: u32, index: u32, sign: Sign) -> Result<()> {
        let (class, fields) = self.fields(ty)?;
        let field = self.field(&fields, index)?;
        let sign = self.sign(field.storage, sign)?;
        let access = self.s.erased.access(&fields, index as usize)?;
        let result = self.s.universe.unpacked(field.storage);
        let get = Intrinsic::StructGet(access, index, sign, self.s.ir(result));
        self.intrinsic(get, &[Val::Ref(true, Heap::Type(class))], &[result])
    }

    pub(super) fn struct_set(&mut self, ty: u32, index: u32) -> Result<()> {
        let (class, fields) = self.fields(ty)?;
        let field = self.field(&fields, index)?;
        if !field.mutable {
            return Err(invalid(self.at, "field is immutable"));
        }
        let access = self.s.erased.access(&fields, index as usize)?;
        let value = self.s.universe.unpacked(field.storage);
        let operands = self.stored(&[Val::Ref(true, Heap::Type(class)), value])?;
        self.intrinsic(Intrinsic::StructSet(access, index), &operands, &[])
    }

    pub(super) fn array_get(&mut self, ty: u32, sign: Sign) -> Result<()> {
        let (class, elem) = self.element(ty)?;
        let sign = self.sign(elem.storage, sign)?;
        let result = self.s.universe.unpacked(elem.storage);
        let get = Intrinsic::ArrayGet(self.s.id(class), sign, self.s.ir(result));
        self.intrinsic(get, &[Val::Ref(true, Heap::Type(class)), Val::I32], &[result])
    }

    pub(super) fn array_set(&mut self, ty: u32) -> Result<()> {
        let (class, elem) = self.element(ty)?;
        if !elem.mutable {
            return Err(invalid(self.at, "array is immutable"));
        }
        let value = self.s.universe.unpacked(elem.storage);
        let operands = self.stored(&[Val::Ref(true, Heap::Type(class)), Val::I32, value])?;
        self.intrinsic(Intrinsic::ArraySet(self.s.id(class)), &operands, &[])
    }

    pub(super) fn array_len(&mut self, ty: Option<u32>) -> Result<()> {
        let class = match (ty, self.operand(0)?) {
            (Some(ty), _) => self.element(ty)?.0,
            (None, Operand::Known(Val::Ref(_, Heap::Type(class))))
                if matches!(self.s.def(class), Some(Def::Array(_))) =>
            {
                class
            }
            (None, Operand::Any) => return self.dead(&[Val::I32]),
            (None, Operand::Known(other)) => return Err(self.mismatch("a reference to an array", &show(other))),
        };
        self.intrinsic(Intrinsic::ArrayLen, &[Val::Ref(true, Heap::Type(class))], &[Val::I32])
    }

    /// The body of a function that calls another with what an environment holds.
    pub(super) fn invoke(&mut self, callee: u32, bound: &[Val], params: usize) -> Result<()> {
        let fields: Vec<Field> =
            bound.iter().map(|&val| Field { storage: Storage::Val(val), mutable: false }).collect();
        let data = Val::Ref(false, Heap::Data);
        let Some((func, values)) = bound.split_last() else { return Err(Error::bug("nothing is bound")) };
        let read = |this: &mut Self, at: usize, ty: Val| {
            let access = this.s.erased.access(&fields, at)?;
            this.get(0)?;
            let get = Intrinsic::StructGet(access, at as u32, ir::Sign::None, this.s.ir(ty));
            this.intrinsic(get, &[data], &[ty])
        };
        for (at, &ty) in values.iter().enumerate() {
            read(self, at, ty)?;
        }
        for param in 1..params {
            self.get(param as u32)?;
        }
        read(self, values.len(), *func)?;
        let index = self.s.universe.index_of.get(callee as usize).copied().unwrap_or(0);
        self.emit(&wasm_encoder::Instruction::CallRef(index))?;
        self.emit(&wasm_encoder::Instruction::End)
    }
}
