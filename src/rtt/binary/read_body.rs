//! Instructions from bytes.

use super::codes::{gc, op, own, ty};
use super::cursor::Reader;
use crate::fault::Result;
use crate::rtt::ast::{Construct, Def, Expr, Instr, Kind, MAX_BLOCK_TYPES, Module, Op, Sig, Sign, Val};
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// A function declares at most so many locals.
const MAX_LOCALS: u64 = 50_000;

impl Reader<'_> {
    pub(super) fn locals(&mut self) -> Result<Vec<Val>> {
        let mut locals = Vec::new();
        for _ in 0..self.u32()? {
            let count = self.u32()?;
            let ty = self.val()?;
            if locals.len() as u64 + u64::from(count) > MAX_LOCALS {
                return Err(self.error("too many locals"));
            }
            locals.extend((0..count).map(|_| ty));
        }
        Ok(locals)
    }

    /// Operators up to the `end` that is theirs.
    pub(super) fn expr(&mut self, module: &Module) -> Result<Expr> {
        let (mut code, mut open) = (Vec::new(), 0usize);
        loop {
            let at = self.at;
            let op = self.op(module)?;
            match &op {
                Op::Open(..) | Op::Let(..) => open += 1,
                Op::End if open == 0 => return Ok(code),
                Op::End => open -= 1,
                _ => {}
            }
            code.push(Instr { op, at });
        }
    }

    pub(super) fn block(&mut self, module: &Module) -> Result<Sig> {
        let code = self.peek()?;
        if code == ty::EMPTY {
            self.at += 1;
            return Ok(Sig::default());
        }
        // A type is a negative number of one byte.
        if code & 0xc0 == 0x40 {
            return Ok(Sig { params: Vec::new(), results: vec![self.val()?] });
        }
        let index = self.index()?;
        match module.types.get(index as usize) {
            Some((Def::Func(sig), _)) => {
                self.block_types += sig.params.len() + sig.results.len();
                if self.block_types > MAX_BLOCK_TYPES {
                    return Err(self.error("the signatures of blocks are too long"));
                }
                Ok(sig.clone())
            }
            _ => Err(self.error("unknown type: a block's type is no function type")),
        }
    }

    pub(super) fn op(&mut self, module: &Module) -> Result<Op> {
        let code = self.peek()?;
        self.at += 1;
        Ok(match code {
            0x02 => Op::Open(Construct::Block, self.block(module)?),
            0x03 => Op::Open(Construct::Loop, self.block(module)?),
            0x04 => Op::Open(Construct::If, self.block(module)?),
            0x05 => Op::Else,
            0x0b => Op::End,
            0x0e => Op::BrTable(self.list(Self::u32)?, self.u32()?),
            op::CALL_REF => Op::CallRef(false),
            op::RETURN_CALL_REF => Op::CallRef(true),
            op::FUNC_BIND => Op::FuncBind(self.u32()?),
            op::LET => Op::Let(self.block(module)?, self.locals()?),
            0x1c => match self.u32()? {
                1 => Op::Select(self.val()?),
                _ => return Err(self.error("invalid result arity")),
            },
            op::REF_NULL => Op::RefNull(self.heap()?),
            op::REF_IS_NULL => Op::Plain(Operator::RefIsNull),
            op::REF_FUNC => Op::RefFunc(self.u32()?),
            op::REF_AS_NON_NULL => Op::Plain(Operator::RefAsNonNull),
            op::REF_EQ => Op::Plain(Operator::RefEq),
            op::BR_ON_NULL => Op::Plain(Operator::BrOnNull { relative_depth: self.u32()? }),
            op::BR_ON_NON_NULL => Op::Plain(Operator::BrOnNonNull { relative_depth: self.u32()? }),
            op::PREFIX => self.gc_op()?,
            _ => {
                self.at -= 1;
                Op::Plain(self.plain()?)
            }
        })
    }

    /// An operator that is today's, too.
    pub(super) fn plain(&mut self) -> Result<Operator<'static>> {
        let bytes = self.bytes.get(self.at..self.end).unwrap_or_default();
        let mut ops = OperatorsReader::new(BinaryReader::new_features(bytes, self.at, self.features));
        let op = ops.read()?;
        let op = crate::rtt::plain::owned(&op).ok_or_else(|| self.error("illegal opcode"))?;
        self.at = ops.original_position();
        Ok(op)
    }

    pub(super) fn gc_op(&mut self) -> Result<Op> {
        const KINDS: [Kind; 3] = [Kind::Func, Kind::Data, Kind::I31];
        let code = self.u32()?;
        let kind = |first: u32| code.checked_sub(first).and_then(|n| KINDS.get(n as usize)).copied();
        let sign = |first: u32| match code - first {
            0 => Sign::None,
            1 => Sign::Signed,
            _ => Sign::Unsigned,
        };
        Ok(match code {
            gc::STRUCT_NEW => Op::StructNew(self.u32()?, false, None),
            own::STRUCT_NEW_DEFAULT => Op::StructNew(self.u32()?, true, None),
            gc::STRUCT_NEW_WITH_RTT => Op::StructNew(self.u32()?, false, Some(true)),
            gc::STRUCT_NEW_DEFAULT_WITH_RTT => Op::StructNew(self.u32()?, true, Some(true)),
            gc::STRUCT_GET | gc::STRUCT_GET_S | gc::STRUCT_GET_U => {
                Op::StructGet(self.u32()?, self.u32()?, sign(gc::STRUCT_GET))
            }
            gc::STRUCT_SET => Op::StructSet(self.u32()?, self.u32()?),
            own::ARRAY_NEW => Op::ArrayNew(self.u32()?, false, None),
            own::ARRAY_NEW_DEFAULT => Op::ArrayNew(self.u32()?, true, None),
            gc::ARRAY_NEW_WITH_RTT => Op::ArrayNew(self.u32()?, false, Some(true)),
            gc::ARRAY_NEW_DEFAULT_WITH_RTT => Op::ArrayNew(self.u32()?, true, Some(true)),
            gc::ARRAY_GET | gc::ARRAY_GET_S | gc::ARRAY_GET_U => Op::ArrayGet(self.u32()?, sign(gc::ARRAY_GET)),
            gc::ARRAY_SET => Op::ArraySet(self.u32()?),
            gc::ARRAY_LEN => Op::ArrayLen(Some(self.u32()?)),
            own::ARRAY_LEN => Op::ArrayLen(None),
            gc::I31_NEW => Op::Plain(Operator::RefI31),
            gc::I31_GET_S => Op::Plain(Operator::I31GetS),
            gc::I31_GET_U => Op::Plain(Operator::I31GetU),
            gc::RTT_CANON => Op::RttCanon(Some(self.u32()?)),
            own::RTT_ANY => Op::RttCanon(None),
            gc::RTT_SUB => Op::RttSub(self.u32()?),
            gc::REF_TEST => Op::RefTest,
            gc::REF_CAST => Op::RefCast,
            gc::BR_ON_CAST => Op::BrOnCast(false, self.u32()?),
            gc::BR_ON_CAST_FAIL => Op::BrOnCast(true, self.u32()?),
            _ => match (kind(gc::REF_IS), kind(gc::REF_AS), kind(gc::BR_ON), kind(gc::BR_ON_NON)) {
                (Some(kind), ..) => Op::Is(kind),
                (_, Some(kind), ..) => Op::As(kind),
                (_, _, Some(kind), _) => Op::BrOn(kind, false, self.u32()?),
                (.., Some(kind)) => Op::BrOn(kind, true, self.u32()?),
                _ => return Err(self.error("illegal opcode")),
            },
        })
    }
}
