//! Bytes to a module. Nothing is trusted: every count is held against the bytes that are left.

use super::codes::{KIND_TYPE, gc, op, own, ty};
use crate::fault::{Error, Result};
use crate::rtt::ast::{
    Body, Construct, Data, Def, Elem, Export, Expr, Field, From, Func, Global, Heap, Instr, Item, Kind,
    MAX_BLOCK_TYPES, Memory, Mode, Module, Op, Sig, Sign, Storage, Table, Val,
};
use wasmparser::{BinaryReader, MemoryType, Operator, OperatorsReader, WasmFeatures};

/// A function declares at most so many locals.
const MAX_LOCALS: u64 = 50_000;

/// Decodes a module.
///
/// # Errors
///
/// `Invalid` for what is malformed.
pub fn read(bytes: &[u8]) -> Result<Module> {
    let mut reader = Reader { bytes, at: 0, end: bytes.len(), features: WasmFeatures::all(), block_types: 0 };
    if reader.take(8)? != b"\0asm\x01\0\0\0" {
        return Err(reader.error("unknown binary version, or no binary"));
    }
    let mut module = Module::default();
    let (mut types, mut last) = (Vec::new(), 0);
    while reader.at < reader.end {
        let id = reader.byte()?;
        let size = reader.u32()? as usize;
        let start = reader.at;
        reader.take(size)?;
        let mut section = Reader { bytes, at: start, end: start + size, features: reader.features, block_types: 0 };
        if id == 0 {
            custom(&mut section, &mut module);
            continue;
        }
        // The section of data counts stands before that of code.
        let order = if id == 12 { 19 } else { u32::from(id) * 2 };
        if order <= last || id > 12 {
            return Err(section.error("unexpected section"));
        }
        last = order;
        section.section(id, &mut module, &mut types)?;
        if section.at != section.end {
            return Err(section.error("section size mismatch"));
        }
    }
    if module.funcs.iter().any(|func| matches!(&func.body, Ok(body) if body.end == 0)) {
        return Err(reader.error("function and code section have inconsistent lengths"));
    }
    Ok(module)
}

/// Names that can not be read are ignored, as everywhere.
fn custom(reader: &mut Reader<'_>, module: &mut Module) {
    if !matches!(reader.name().as_deref(), Ok("name")) {
        return;
    }
    while reader.at < reader.end {
        let Ok(id) = reader.byte() else { return };
        let Ok(bytes) = reader.bytes() else { return };
        let mut part = Reader { bytes, at: 0, end: bytes.len(), features: reader.features, block_types: 0 };
        match id {
            0 => module.name = part.name().ok(),
            1 => {
                let Ok(count) = part.u32() else { return };
                for _ in 0..count {
                    let (Ok(index), Ok(name)) = (part.u32(), part.name()) else { return };
                    if let Some(func) = module.funcs.get_mut(index as usize) {
                        func.name = Some(name);
                    }
                }
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    features: WasmFeatures,
    /// Parameters and results of the blocks so far.
    block_types: usize,
}

impl<'a> Reader<'a> {
    #[cold]
    fn error(&self, message: &str) -> Error {
        Error::Invalid { offset: self.at, message: message.to_string() }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.end);
        let end = end.ok_or_else(|| self.error("unexpected end"))?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    fn peek(&self) -> Result<u8> {
        self.bytes.get(self.at).copied().filter(|_| self.at < self.end).ok_or_else(|| self.error("unexpected end"))
    }

    /// Something that `wasmparser` reads.
    fn by<T>(&mut self, read: impl FnOnce(&mut BinaryReader<'a>) -> wasmparser::Result<T>) -> Result<T> {
        let bytes = self.bytes.get(self.at..self.end).unwrap_or_default();
        let mut reader = BinaryReader::new_features(bytes, self.at, self.features);
        let value = read(&mut reader)?;
        self.at = reader.original_position();
        Ok(value)
    }

    fn u32(&mut self) -> Result<u32> {
        self.by(|reader| reader.read_var_u32())
    }

    fn u64(&mut self) -> Result<u64> {
        self.by(|reader| reader.read_var_u64())
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.u32()? as usize;
        self.take(count)
    }

    fn name(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.error("malformed UTF-8 encoding"))
    }

    /// A list. Each entry takes a byte at least, so that a count can not be larger than what is left.
    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.u32()? as usize;
        if count > self.end - self.at {
            return Err(self.error("unexpected end: a list is longer than the section"));
        }
        (0..count).map(|_| each(self)).collect()
    }

    fn heap(&mut self) -> Result<Heap> {
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
    fn index(&mut self) -> Result<u32> {
        let number = self.by(|reader| reader.read_var_s33())?;
        u32::try_from(number).map_err(|_| self.error("malformed type"))
    }

    fn rtt(&mut self) -> Result<Heap> {
        let depth = if self.byte()? == ty::RTT_N { Some(self.u32()?) } else { None };
        let of = self.u32()?;
        Ok(Heap::Rtt(depth, Some(of).filter(|&of| of != own::ANY_TYPE)))
    }

    fn val(&mut self) -> Result<Val> {
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

    fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.error("malformed mutability")),
        }
    }

    fn field(&mut self) -> Result<Field> {
        let storage = match self.peek()? {
            ty::I8 => Storage::I8,
            ty::I16 => Storage::I16,
            _ => Storage::Val(self.val()?),
        };
        self.at += usize::from(!matches!(storage, Storage::Val(_)));
        Ok(Field { storage, mutable: self.flag()? })
    }

    fn sig(&mut self) -> Result<Sig> {
        Ok(Sig { params: self.list(Self::val)?, results: self.list(Self::val)? })
    }

    fn def(&mut self) -> Result<Def> {
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

    fn limits(&mut self) -> Result<(u64, Option<u64>, bool)> {
        let flags = self.byte()?;
        if flags > 3 {
            return Err(self.error("malformed limits"));
        }
        let min = self.u64()?;
        let max = if flags & 1 != 0 { Some(self.u64()?) } else { None };
        Ok((min, max, flags & 2 != 0))
    }

    fn table(&mut self, import: Option<From>) -> Result<Table> {
        let at = self.at;
        let elem = self.val()?;
        let (min, max, _) = self.limits()?;
        let narrow = |size: u64| u32::try_from(size).map_err(|_| self.error("table size is too large"));
        Ok(Table { elem, min: narrow(min)?, max: max.map(narrow).transpose()?, import, at })
    }

    fn memory(&mut self, import: Option<From>) -> Result<Memory> {
        let (initial, maximum, shared) = self.limits()?;
        let ty = MemoryType { memory64: false, shared, initial, maximum, page_size_log2: None };
        Ok(Memory { ty, import })
    }

    fn section(&mut self, id: u8, module: &mut Module, types: &mut Vec<u32>) -> Result<()> {
        match id {
            1 => module.types = self.list(|reader| Ok((reader.def()?, reader.at)))?,
            2 => {
                self.list(|reader| reader.import(module))?;
            }
            3 => *types = self.list(Self::u32)?,
            4 => {
                let tables = self.list(|reader| reader.table(None))?;
                module.tables.extend(tables);
            }
            5 => {
                let memories = self.list(|reader| reader.memory(None))?;
                module.memories.extend(memories);
            }
            6 => {
                let globals = self.list(|reader| {
                    let at = reader.at;
                    let (ty, mutable) = (reader.val()?, reader.flag()?);
                    Ok(Global { ty, mutable, init: Ok(reader.expr(module)?), at })
                })?;
                module.globals.extend(globals);
            }
            7 => module.exports = self.list(Self::export)?,
            8 => module.start = Some((self.u32()?, self.at)),
            9 => module.elems = self.list(|reader| reader.elem(module))?,
            10 => self.code(module, types)?,
            11 => module.data = self.list(|reader| reader.data(module))?,
            _ => drop(self.u32()?),
        }
        // Bodies follow, and declarations know nothing of them.
        if id == 3 {
            for &ty in types.iter() {
                let body = Body { locals: Vec::new(), code: Vec::new(), end: 0 };
                module.funcs.push(Func { name: None, ty, body: Ok(body), at: self.at });
            }
        }
        Ok(())
    }

    fn import(&mut self, module: &mut Module) -> Result<()> {
        let at = self.at;
        let from = From { module: self.name()?, name: self.name()? };
        match self.byte()? {
            0 => {
                module.imports.push(Item::Func(module.funcs.len() as u32));
                module.funcs.push(Func { name: None, ty: self.u32()?, body: Err(from), at });
            }
            1 => {
                module.imports.push(Item::Table(module.tables.len() as u32));
                module.tables.push(self.table(Some(from))?);
            }
            2 => {
                module.imports.push(Item::Memory(module.memories.len() as u32));
                module.memories.push(self.memory(Some(from))?);
            }
            3 => {
                module.imports.push(Item::Global(module.globals.len() as u32));
                let (ty, mutable) = (self.val()?, self.flag()?);
                module.globals.push(Global { ty, mutable, init: Err(from), at });
            }
            KIND_TYPE => {
                let exact = self.flag()?;
                let bound = self.heap()?;
                module.types.push((Def::Import { module: from.module, name: from.name, exact, bound }, at));
            }
            _ => return Err(self.error("malformed import kind")),
        }
        Ok(())
    }

    fn export(&mut self) -> Result<Export> {
        let at = self.at;
        let name = self.name()?;
        let item = match self.byte()? {
            0 => Item::Func(self.u32()?),
            1 => Item::Table(self.u32()?),
            2 => Item::Memory(self.u32()?),
            3 => Item::Global(self.u32()?),
            KIND_TYPE => Item::Type(self.heap()?),
            _ => return Err(self.error("malformed export kind")),
        };
        Ok(Export { name, item, at })
    }

    fn elem(&mut self, module: &Module) -> Result<Elem> {
        let at = self.at;
        let flags = self.u32()?;
        if flags > 7 {
            return Err(self.error("malformed element segment"));
        }
        let mode = match flags & 3 {
            0 => Mode::Active(0, self.expr(module)?),
            2 => Mode::Active(self.u32()?, self.expr(module)?),
            1 => Mode::Passive,
            _ => Mode::Declared,
        };
        let funcref = Val::Ref(true, Heap::Func);
        if flags & 4 == 0 {
            if flags & 3 != 0 && self.byte()? != 0 {
                return Err(self.error("malformed element kind"));
            }
            let items = self.list(|reader| {
                let at = reader.at;
                Ok(vec![Instr { op: Op::RefFunc(reader.u32()?), at }])
            })?;
            return Ok(Elem { mode, ty: funcref, items, at });
        }
        let ty = if flags & 3 == 0 { funcref } else { self.val()? };
        let items = self.list(|reader| reader.expr(module))?;
        Ok(Elem { mode, ty, items, at })
    }

    fn data(&mut self, module: &Module) -> Result<Data> {
        let at = self.at;
        let mode = match self.u32()? {
            0 => Mode::Active(0, self.expr(module)?),
            1 => Mode::Passive,
            2 => Mode::Active(self.u32()?, self.expr(module)?),
            _ => return Err(self.error("malformed data segment")),
        };
        Ok(Data { mode, bytes: self.bytes()?.to_vec(), at })
    }

    fn locals(&mut self) -> Result<Vec<Val>> {
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

    fn code(&mut self, module: &mut Module, types: &[u32]) -> Result<()> {
        let count = self.u32()? as usize;
        if count != types.len() {
            return Err(self.error("function and code section have inconsistent lengths"));
        }
        let first = module.funcs.len() - count;
        for index in first..module.funcs.len() {
            let size = self.u32()? as usize;
            let start = self.at;
            self.take(size)?;
            let Reader { bytes, features, block_types, .. } = *self;
            let mut body = Reader { bytes, at: start, end: start + size, features, block_types };
            let locals = body.locals()?;
            let code = body.expr(module)?;
            self.block_types = body.block_types;
            if body.at != body.end {
                return Err(body.error("operators behind the end of the function"));
            }
            if let Some(func) = module.funcs.get_mut(index) {
                func.body = Ok(Body { locals, code, end: body.at });
            }
        }
        Ok(())
    }

    /// Operators up to the `end` that is theirs.
    fn expr(&mut self, module: &Module) -> Result<Expr> {
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

    fn block(&mut self, module: &Module) -> Result<Sig> {
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

    fn op(&mut self, module: &Module) -> Result<Op> {
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
    fn plain(&mut self) -> Result<Operator<'static>> {
        let bytes = self.bytes.get(self.at..self.end).unwrap_or_default();
        let mut ops = OperatorsReader::new(BinaryReader::new_features(bytes, self.at, self.features));
        let op = ops.read()?;
        let op = crate::rtt::plain::owned(&op).ok_or_else(|| self.error("illegal opcode"))?;
        self.at = ops.original_position();
        Ok(op)
    }

    fn gc_op(&mut self) -> Result<Op> {
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
