//! Bytes to a module: its sections. Types are in `read_types.rs`, instructions in `read_body.rs`.

use super::codes::KIND_TYPE;
use super::cursor::Reader;
use crate::fault::Result;
use crate::rtt::ast::{
    Body, Data, Def, Elem, Export, From, Func, Global, Heap, Instr, Item, Memory, Mode, Module, Op, Table, Val,
};
use wasmparser::{MemoryType, WasmFeatures};

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

impl Reader<'_> {
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
}
