//! Types from bytes.

use super::codes::{own, ty};
use super::cursor::Reader;
use crate::fault::Result;
use crate::rtt::ast::{Def, Field, Heap, Sig, Storage, Val};

impl Reader<'_> {
    pub(super) fn heap(&mut self) -> Result<Heap> {
        Ok(match self.peek()? {
            ty::RTT | ty::RTT_N => self.rtt()?,
            code => {
                let known = match code {
                    ty::ANY => Some(Heap::Any),
                    ty::EQ => Some(Heap::Eq),
                    ty::I31 => Some(Heap::I31),
                    ty::DATA => Some(Heap::Data),
                    ty::FUNC => Some(Heap::Func),
                    ty::EXTERN => Some(Heap::Extern),
                    _ => None,
                };
                match known {
                    Some(heap) => {
                        self.at += 1;
                        heap
                    }
                    None => Heap::Type(self.index()?),
                }
            }
        })
    }

    /// A type index where a negative number would be something else.
    pub(super) fn index(&mut self) -> Result<u32> {
        let number = self.by(|reader| reader.read_var_s33())?;
        u32::try_from(number).map_err(|_| self.error("malformed type"))
    }

    pub(super) fn rtt(&mut self) -> Result<Heap> {
        let depth = if self.byte()? == ty::RTT_N { Some(self.u32()?) } else { None };
        let of = self.u32()?;
        Ok(Heap::Rtt(depth, Some(of).filter(|&of| of != own::ANY_TYPE)))
    }

    pub(super) fn val(&mut self) -> Result<Val> {
        let code = self.peek()?;
        if matches!(code, ty::RTT | ty::RTT_N) {
            return Ok(Val::Ref(false, self.rtt()?));
        }
        self.at += 1;
        Ok(match code {
            ty::I32 => Val::I32,
            ty::I64 => Val::I64,
            ty::F32 => Val::F32,
            ty::F64 => Val::F64,
            ty::V128 => Val::V128,
            ty::FUNC => Val::Ref(true, Heap::Func),
            ty::EXTERN => Val::Ref(true, Heap::Extern),
            ty::ANY => Val::Ref(true, Heap::Any),
            ty::EQ => Val::Ref(true, Heap::Eq),
            ty::I31 => Val::Ref(true, Heap::I31),
            ty::DATA => Val::Ref(true, Heap::Data),
            ty::REF_NULL => Val::Ref(true, self.heap()?),
            ty::REF => Val::Ref(false, self.heap()?),
            _ => return Err(self.error("malformed value type")),
        })
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.error("malformed mutability")),
        }
    }

    pub(super) fn field(&mut self) -> Result<Field> {
        let storage = match self.peek()? {
            ty::I8 => Storage::I8,
            ty::I16 => Storage::I16,
            _ => Storage::Val(self.val()?),
        };
        self.at += usize::from(!matches!(storage, Storage::Val(_)));
        Ok(Field { storage, mutable: self.flag()? })
    }

    pub(super) fn sig(&mut self) -> Result<Sig> {
        Ok(Sig { params: self.list(Self::val)?, results: self.list(Self::val)? })
    }

    pub(super) fn def(&mut self) -> Result<Def> {
        Ok(match self.byte()? {
            ty::DEF_STRUCT => Def::Struct(self.list(Self::field)?),
            ty::DEF_ARRAY => Def::Array(self.field()?),
            ty::DEF_FUNC => Def::Func(self.sig()?),
            own::DEF_IMPORT => {
                let (module, name) = (self.name()?, self.name()?);
                Def::Import { module, name, exact: self.flag()?, bound: self.heap()? }
            }
            _ => return Err(self.error("malformed type definition")),
        })
    }
}
