//! A module to bytes.

use super::MARKER;
use super::codes::{KIND_TYPE, gc, op, own, ty};
use crate::fault::{Error, Result};
use crate::rtt::ast::{Construct, Def, Expr, Field, From, Heap, Item, Kind, Mode, Module, Op, Sig, Sign, Storage, Val};
use std::collections::HashMap;
use wasm_encoder::Encode;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::Operator;

/// Encodes a module. Signatures of blocks that are no type yet are added to its types.
///
/// # Errors
///
/// Defects of this crate only.
pub fn write(module: &Module) -> Result<Vec<u8>> {
    let mut writer = Writer { types: module.types.iter().map(|(def, _)| def.clone()).collect(), sigs: HashMap::new() };
    for (index, def) in (0u32..).zip(&writer.types) {
        if let Def::Func(sig) = def {
            writer.sigs.entry(sig.clone()).or_insert(index);
        }
    }
    let mut code = Vec::new();
    let bodies: Vec<_> = module.funcs.iter().filter_map(|func| func.body.as_ref().ok()).collect();
    (bodies.len() as u32).encode(&mut code);
    for body in bodies {
        let mut bytes = Vec::new();
        vec(&mut bytes, &body.locals, |out, &local| {
            1u32.encode(out);
            val(out, local);
        });
        writer.expr(&mut bytes, &body.code)?;
        bytes.encode(&mut code);
    }
    let mut out = b"\0asm\x01\0\0\0".to_vec();
    section(&mut out, 0, |out| MARKER.encode(out));
    writer.header(&mut out, module)?;
    if !module.data.is_empty() {
        section(&mut out, 12, |out| (module.data.len() as u32).encode(out));
    }
    out.push(10);
    code.encode(&mut out);
    writer.data(&mut out, module)?;
    names(&mut out, module);
    Ok(out)
}

fn section(out: &mut Vec<u8>, id: u8, contents: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::new();
    contents(&mut bytes);
    out.push(id);
    bytes.encode(out);
}

fn vec<T>(out: &mut Vec<u8>, list: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
    (list.len() as u32).encode(out);
    list.iter().for_each(|item| each(out, item));
}

fn heap(out: &mut Vec<u8>, heap: Heap) {
    match heap {
        Heap::Any => out.push(ty::ANY),
        Heap::Eq => out.push(ty::EQ),
        Heap::I31 => out.push(ty::I31),
        Heap::Data => out.push(ty::DATA),
        Heap::Func => out.push(ty::FUNC),
        Heap::Extern => out.push(ty::EXTERN),
        Heap::Type(index) => i64::from(index).encode(out),
        Heap::Rtt(depth, of) => {
            match depth {
                Some(depth) => {
                    out.push(ty::RTT_N);
                    depth.encode(out);
                }
                None => out.push(ty::RTT),
            }
            of.unwrap_or(own::ANY_TYPE).encode(out);
        }
    }
}

fn val(out: &mut Vec<u8>, val: Val) {
    match val {
        Val::I32 => out.push(ty::I32),
        Val::I64 => out.push(ty::I64),
        Val::F32 => out.push(ty::F32),
        Val::F64 => out.push(ty::F64),
        Val::V128 => out.push(ty::V128),
        Val::Ref(false, Heap::Rtt(..)) => {
            if let Val::Ref(_, rtt) = val {
                heap(out, rtt);
            }
        }
        Val::Ref(null, of) => {
            out.push(if null { ty::REF_NULL } else { ty::REF });
            heap(out, of);
        }
    }
}

fn field(out: &mut Vec<u8>, field: &Field) {
    match field.storage {
        Storage::I8 => out.push(ty::I8),
        Storage::I16 => out.push(ty::I16),
        Storage::Val(of) => val(out, of),
    }
    out.push(field.mutable.into());
}

fn sig(out: &mut Vec<u8>, sig: &Sig) {
    vec(out, &sig.params, |out, &of| val(out, of));
    vec(out, &sig.results, |out, &of| val(out, of));
}

fn limits(out: &mut Vec<u8>, min: u64, max: Option<u64>, shared: bool) {
    out.push(u8::from(max.is_some()) | u8::from(shared) << 1);
    min.encode(out);
    max.into_iter().for_each(|max| max.encode(out));
}

fn from(out: &mut Vec<u8>, from: &From) {
    from.module.encode(out);
    from.name.encode(out);
}

fn names(out: &mut Vec<u8>, module: &Module) {
    let funcs: Vec<_> = (0u32..).zip(&module.funcs).filter_map(|(n, func)| Some((n, func.name.as_ref()?))).collect();
    if module.name.is_none() && funcs.is_empty() {
        return;
    }
    section(out, 0, |out| {
        "name".encode(out);
        if let Some(name) = &module.name {
            section(out, 0, |out| name.encode(out));
        }
        if !funcs.is_empty() {
            section(out, 1, |out| {
                vec(out, &funcs, |out, (index, name)| {
                    index.encode(out);
                    name.encode(out);
                });
            });
        }
    });
}

struct Writer {
    types: Vec<Def>,
    sigs: HashMap<Sig, u32>,
}

impl Writer {
    fn header(&mut self, out: &mut Vec<u8>, module: &Module) -> Result<()> {
        // Imported types at the end are imports; others keep their place among the types.
        let defined = self.types.iter().rposition(|def| !matches!(def, Def::Import { .. })).map_or(0, |at| at + 1);
        let (types, imported) = self.types.split_at(defined);
        section(out, 1, |out| vec(out, types, write_def));
        section(out, 2, |out| {
            ((imported.len() + module.imports.len()) as u32).encode(out);
            for def in imported {
                if let Def::Import { module, name, exact, bound } = def {
                    module.encode(out);
                    name.encode(out);
                    out.extend([KIND_TYPE, u8::from(*exact)]);
                    heap(out, *bound);
                }
            }
            module.imports.iter().for_each(|item| import(out, module, *item));
        });
        section(out, 3, |out| {
            let defined: Vec<u32> = module.funcs.iter().filter(|f| f.body.is_ok()).map(|f| f.ty).collect();
            vec(out, &defined, |out, ty| ty.encode(out));
        });
        section(out, 4, |out| {
            let own: Vec<_> = module.tables.iter().filter(|table| table.import.is_none()).collect();
            vec(out, &own, |out, table| {
                val(out, table.elem);
                limits(out, table.min.into(), table.max.map(u64::from), false);
            });
        });
        section(out, 5, |out| {
            let own: Vec<_> = module.memories.iter().filter(|memory| memory.import.is_none()).collect();
            vec(out, &own, |out, memory| limits(out, memory.ty.initial, memory.ty.maximum, memory.ty.shared));
        });
        let mut bytes = Vec::new();
        let own: Vec<_> = module.globals.iter().filter_map(|g| Some((g, g.init.as_ref().ok()?))).collect();
        (own.len() as u32).encode(&mut bytes);
        for (global, init) in own {
            val(&mut bytes, global.ty);
            bytes.push(global.mutable.into());
            self.expr(&mut bytes, init)?;
        }
        out.push(6);
        bytes.encode(out);
        section(out, 7, |out| {
            vec(out, &module.exports, |out, export| {
                export.name.encode(out);
                item(out, export.item);
            })
        });
        if let Some((start, _)) = module.start {
            section(out, 8, |out| start.encode(out));
        }
        let mut bytes = Vec::new();
        (module.elems.len() as u32).encode(&mut bytes);
        for elem in &module.elems {
            // Always with expressions and a type: the flags of bulk memory.
            match &elem.mode {
                Mode::Active(table, offset) => {
                    6u32.encode(&mut bytes);
                    table.encode(&mut bytes);
                    self.expr(&mut bytes, offset)?;
                }
                Mode::Passive => 5u32.encode(&mut bytes),
                Mode::Declared => 7u32.encode(&mut bytes),
            }
            val(&mut bytes, elem.ty);
            (elem.items.len() as u32).encode(&mut bytes);
            elem.items.iter().try_for_each(|item| self.expr(&mut bytes, item))?;
        }
        out.push(9);
        bytes.encode(out);
        Ok(())
    }

    fn data(&mut self, out: &mut Vec<u8>, module: &Module) -> Result<()> {
        if module.data.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        (module.data.len() as u32).encode(&mut bytes);
        for data in &module.data {
            match &data.mode {
                Mode::Active(memory, offset) => {
                    2u32.encode(&mut bytes);
                    memory.encode(&mut bytes);
                    self.expr(&mut bytes, offset)?;
                }
                _ => 1u32.encode(&mut bytes),
            }
            data.bytes.encode(&mut bytes);
        }
        out.push(11);
        bytes.encode(out);
        Ok(())
    }

    fn expr(&mut self, out: &mut Vec<u8>, expr: &Expr) -> Result<()> {
        expr.iter().try_for_each(|instr| self.op(out, &instr.op))?;
        out.push(0x0b);
        Ok(())
    }

    fn block(&mut self, out: &mut Vec<u8>, of: &Sig) {
        match (&of.params[..], &of.results[..]) {
            ([], []) => out.push(ty::EMPTY),
            ([], [result]) => val(out, *result),
            _ => {
                let next = self.types.len() as u32;
                let index = *self.sigs.entry(of.clone()).or_insert(next);
                if index == next {
                    self.types.push(Def::Func(of.clone()));
                }
                i64::from(index).encode(out);
            }
        }
    }

    fn op(&mut self, out: &mut Vec<u8>, of: &Op) -> Result<()> {
        match of {
            Op::Plain(plain) => return plain_op(out, plain),
            Op::Open(construct, sig) => {
                out.push(match construct {
                    Construct::Block => 0x02,
                    Construct::Loop => 0x03,
                    Construct::If => 0x04,
                });
                self.block(out, sig);
            }
            Op::Let(sig, locals) => {
                out.push(op::LET);
                self.block(out, sig);
                vec(out, locals, |out, &local| {
                    1u32.encode(out);
                    val(out, local);
                });
            }
            Op::Else => out.push(0x05),
            Op::End => out.push(0x0b),
            Op::BrTable(labels, default) => {
                out.push(0x0e);
                vec(out, labels, |out, label| label.encode(out));
                default.encode(out);
            }
            Op::Select(ty) => {
                out.extend([0x1c, 1]);
                val(out, *ty);
            }
            Op::RefNull(of) => {
                out.push(op::REF_NULL);
                heap(out, *of);
            }
            Op::RefFunc(func) => {
                out.push(op::REF_FUNC);
                func.encode(out);
            }
            Op::CallRef(tail) => out.push(if *tail { op::RETURN_CALL_REF } else { op::CALL_REF }),
            Op::FuncBind(ty) => {
                out.push(op::FUNC_BIND);
                ty.encode(out);
            }
            other => gc_op(out, other),
        }
        Ok(())
    }
}

fn write_def(out: &mut Vec<u8>, def: &Def) {
    match def {
        Def::Struct(fields) => {
            out.push(ty::DEF_STRUCT);
            vec(out, fields, field);
        }
        Def::Array(elem) => {
            out.push(ty::DEF_ARRAY);
            field(out, elem);
        }
        Def::Func(of) => {
            out.push(ty::DEF_FUNC);
            sig(out, of);
        }
        Def::Import { module, name, exact, bound } => {
            out.push(own::DEF_IMPORT);
            module.encode(out);
            name.encode(out);
            out.push((*exact).into());
            heap(out, *bound);
        }
    }
}

fn import(out: &mut Vec<u8>, module: &Module, of: Item) {
    match of {
        Item::Func(index) => {
            if let Some((func, Err(origin))) = module.funcs.get(index as usize).map(|f| (f, &f.body)) {
                from(out, origin);
                out.push(0);
                func.ty.encode(out);
            }
        }
        Item::Table(index) => {
            if let Some((table, Some(origin))) = module.tables.get(index as usize).map(|t| (t, &t.import)) {
                from(out, origin);
                out.push(1);
                val(out, table.elem);
                limits(out, table.min.into(), table.max.map(u64::from), false);
            }
        }
        Item::Memory(index) => {
            if let Some((memory, Some(origin))) = module.memories.get(index as usize).map(|m| (m, &m.import)) {
                from(out, origin);
                out.push(2);
                limits(out, memory.ty.initial, memory.ty.maximum, memory.ty.shared);
            }
        }
        Item::Global(index) => {
            if let Some((global, Err(origin))) = module.globals.get(index as usize).map(|g| (g, &g.init)) {
                from(out, origin);
                out.push(3);
                val(out, global.ty);
                out.push(global.mutable.into());
            }
        }
        Item::Type(_) => {}
    }
}

fn item(out: &mut Vec<u8>, of: Item) {
    let (kind, index) = match of {
        Item::Func(index) => (0u8, index),
        Item::Table(index) => (1, index),
        Item::Memory(index) => (2, index),
        Item::Global(index) => (3, index),
        Item::Type(of) => {
            out.push(KIND_TYPE);
            return heap(out, of);
        }
    };
    out.push(kind);
    index.encode(out);
}

fn plain_op(out: &mut Vec<u8>, plain: &Operator<'static>) -> Result<()> {
    match plain {
        Operator::RefIsNull => out.push(op::REF_IS_NULL),
        Operator::RefAsNonNull => out.push(op::REF_AS_NON_NULL),
        Operator::RefEq => out.push(op::REF_EQ),
        Operator::BrOnNull { relative_depth } => {
            out.push(op::BR_ON_NULL);
            relative_depth.encode(out);
        }
        Operator::BrOnNonNull { relative_depth } => {
            out.push(op::BR_ON_NON_NULL);
            relative_depth.encode(out);
        }
        Operator::RefI31 => prefixed(out, gc::I31_NEW),
        Operator::I31GetS => prefixed(out, gc::I31_GET_S),
        Operator::I31GetU => prefixed(out, gc::I31_GET_U),
        other => {
            let instr = RoundtripReencoder.instruction(other.clone());
            instr.map_err(|_| Error::bug("an operator that has no code"))?.encode(out);
        }
    }
    Ok(())
}

fn prefixed(out: &mut Vec<u8>, code: u32) {
    out.push(op::PREFIX);
    code.encode(out);
}

fn gc_op(out: &mut Vec<u8>, of: &Op) {
    let kind = |kind: &Kind| match kind {
        Kind::Func => 0,
        Kind::Data => 1,
        Kind::I31 => 2,
    };
    let sign = |plain: u32, sign: &Sign| match sign {
        Sign::None => plain,
        Sign::Signed => plain + 1,
        Sign::Unsigned => plain + 2,
    };
    let (code, immediates): (u32, Vec<u32>) = match of {
        Op::Is(of) => (gc::REF_IS + kind(of), vec![]),
        Op::As(of) => (gc::REF_AS + kind(of), vec![]),
        Op::BrOn(of, false, depth) => (gc::BR_ON + kind(of), vec![*depth]),
        Op::BrOn(of, true, depth) => (gc::BR_ON_NON + kind(of), vec![*depth]),
        Op::RefTest => (gc::REF_TEST, vec![]),
        Op::RefCast => (gc::REF_CAST, vec![]),
        Op::BrOnCast(false, depth) => (gc::BR_ON_CAST, vec![*depth]),
        Op::BrOnCast(true, depth) => (gc::BR_ON_CAST_FAIL, vec![*depth]),
        Op::RttCanon(Some(ty)) => (gc::RTT_CANON, vec![*ty]),
        Op::RttCanon(None) => (own::RTT_ANY, vec![]),
        Op::RttSub(ty) => (gc::RTT_SUB, vec![*ty]),
        Op::StructNew(ty, default, rtt) => {
            let code = match (default, rtt) {
                (false, Some(true)) => gc::STRUCT_NEW_WITH_RTT,
                (true, Some(true)) => gc::STRUCT_NEW_DEFAULT_WITH_RTT,
                (false, _) => gc::STRUCT_NEW,
                (true, _) => own::STRUCT_NEW_DEFAULT,
            };
            (code, vec![*ty])
        }
        Op::ArrayNew(ty, default, rtt) => {
            let code = match (default, rtt) {
                (false, Some(true)) => gc::ARRAY_NEW_WITH_RTT,
                (true, Some(true)) => gc::ARRAY_NEW_DEFAULT_WITH_RTT,
                (false, _) => own::ARRAY_NEW,
                (true, _) => own::ARRAY_NEW_DEFAULT,
            };
            (code, vec![*ty])
        }
        Op::StructGet(ty, field, of) => (sign(gc::STRUCT_GET, of), vec![*ty, *field]),
        Op::StructSet(ty, field) => (gc::STRUCT_SET, vec![*ty, *field]),
        Op::ArrayGet(ty, of) => (sign(gc::ARRAY_GET, of), vec![*ty]),
        Op::ArraySet(ty) => (gc::ARRAY_SET, vec![*ty]),
        Op::ArrayLen(Some(ty)) => (gc::ARRAY_LEN, vec![*ty]),
        // All others are written before.
        _ => (own::ARRAY_LEN, vec![]),
    };
    prefixed(out, code);
    immediates.iter().for_each(|immediate| immediate.encode(out));
}
