//! Instructions, folded or not.
//!
//! Folding is undone with an explicit stack, so that text may nest as deep as it likes. What an instruction is called
//! decides its immediates; the old and the new names of one are the same here.

use super::module::Reader;
use super::tokens::Cursor;
use super::types;
use crate::fault::{Error, Result};
use crate::rtt::ast::{Construct, Expr, Instr, Kind, Op, Sig, Sign};
use crate::rtt::plain::{self, Shape};
use wasmparser::{MemArg, Operator};
use wast::core::V128Const;
use wast::token::{F32, F64};

/// The names of the locals: those of the function, then those of each open `let`.
pub(super) struct Locals {
    scopes: Vec<Vec<Option<String>>>,
}

impl Locals {
    /// Those of a function.
    pub fn new(names: Vec<Option<String>>) -> Locals {
        Locals { scopes: vec![names] }
    }

    /// The number of a local: those of the innermost `let` are the first.
    fn index(&self, name: &str) -> Option<u32> {
        let mut before = 0;
        for scope in self.scopes.iter().rev() {
            if let Some(at) = scope.iter().position(|local| local.as_deref() == Some(name)) {
                return Some((before + at) as u32);
            }
            before += scope.len();
        }
        None
    }
}

/// What a `)` ends.
enum Open {
    /// An instruction, which comes behind its operands.
    Folded(Op, usize),
    /// A construct.
    Block,
    /// An `if` of which the operand is not complete.
    Condition(Op, usize),
    /// An `if` behind its first arm, and whether it has a second.
    If(bool),
    /// An arm.
    Arm,
}

/// Reads a body.
pub(super) struct Bodies<'r> {
    reader: &'r mut Reader,
    locals: Locals,
    labels: Vec<(Option<String>, bool)>,
    code: Expr,
}

impl<'r> Bodies<'r> {
    pub fn new(reader: &'r mut Reader, locals: Locals) -> Bodies<'r> {
        Bodies { reader, locals, labels: Vec::new(), code: Vec::new() }
    }

    /// Everything up to the end of the cursor.
    pub fn run(mut self, cur: &mut Cursor<'_, '_>) -> Result<Expr> {
        let mut open: Vec<Open> = Vec::new();
        // How many constructs that are not folded are open in each folded one.
        let mut flat = vec![0usize];
        loop {
            let at = cur.offset();
            if cur.is_empty() {
                break;
            } else if cur.is_close() {
                cur.skip();
                if flat.pop() != Some(0) {
                    return Err(cur.error("unexpected token `)`, expected `end`"));
                }
                self.close(open.pop(), cur, at)?;
            } else if cur.is_open() {
                cur.skip();
                self.open(&mut open, cur, at)?;
                flat.push(0);
            } else {
                let top = flat.last_mut().ok_or_else(|| cur.error("unexpected end"))?;
                if !matches!(open.last(), None | Some(Open::Block | Open::Arm)) {
                    return cur.unexpected("`(`");
                }
                match cur.peek_keyword() {
                    Some("end") if *top > 0 => *top -= 1,
                    Some("end") => return cur.unexpected("an instruction"),
                    Some("else") if *top == 0 => return cur.unexpected("an instruction"),
                    Some("block" | "loop" | "if" | "let") => *top += 1,
                    _ => {}
                }
                let op = self.op(cur)?;
                self.code.push(Instr { op, at });
            }
        }
        if flat != [0] {
            return Err(cur.error("unexpected end, expected `end`"));
        }
        Ok(self.code)
    }

    /// Behind a `(`.
    fn open(&mut self, open: &mut Vec<Open>, cur: &mut Cursor<'_, '_>, at: usize) -> Result<()> {
        match (cur.peek_keyword(), open.last_mut()) {
            (Some("then"), Some(top @ Open::Condition(..))) => {
                cur.skip();
                if let Open::Condition(op, at) = std::mem::replace(top, Open::If(false)) {
                    self.code.push(Instr { op, at });
                }
                open.push(Open::Arm);
            }
            (Some("else"), Some(Open::If(second @ false))) => {
                cur.skip();
                *second = true;
                self.code.push(Instr { op: Op::Else, at });
                open.push(Open::Arm);
            }
            (_, Some(Open::If(_))) => return cur.unexpected("`)`"),
            (Some("then" | "else" | "end"), _) => return cur.unexpected("an instruction"),
            (Some("if"), _) => {
                let op = self.op(cur)?;
                open.push(Open::Condition(op, at));
            }
            (Some("block" | "loop" | "let"), _) => {
                let op = self.op(cur)?;
                self.code.push(Instr { op, at });
                open.push(Open::Block);
            }
            _ => {
                let op = self.op(cur)?;
                open.push(Open::Folded(op, at));
            }
        }
        Ok(())
    }

    fn close(&mut self, open: Option<Open>, cur: &Cursor<'_, '_>, at: usize) -> Result<()> {
        match open {
            Some(Open::Folded(op, at)) => self.code.push(Instr { op, at }),
            Some(Open::Block | Open::If(_)) => {
                self.leave();
                self.code.push(Instr { op: Op::End, at });
            }
            Some(Open::Arm) => {}
            Some(Open::Condition(..)) => return Err(cur.error("`if` without `(then`")),
            None => return Err(cur.error("unexpected token `)`")),
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some((_, true)) = self.labels.pop() {
            self.locals.scopes.pop();
        }
    }

    fn label(&self, cur: &mut Cursor<'_, '_>) -> Result<u32> {
        let before = *cur;
        let Some(name) = cur.id()? else { return cur.u32() };
        let depth = self.labels.iter().rev().position(|(label, _)| label.as_deref() == Some(name.as_ref()));
        depth.map(|depth| depth as u32).ok_or_else(|| before.error(format_args!("unknown label `${name}`")))
    }

    fn local(&self, cur: &mut Cursor<'_, '_>) -> Result<u32> {
        let before = *cur;
        let Some(name) = cur.id()? else { return cur.u32() };
        self.locals.index(&name).ok_or_else(|| before.error(format_args!("unknown local `${name}`")))
    }

    fn block(&mut self, cur: &mut Cursor<'_, '_>) -> Result<Sig> {
        let before = *cur;
        let mut params = Vec::new();
        let (_, sig) = self.reader.type_use(cur, &mut params)?;
        self.reader.block_types += sig.params.len() + sig.results.len();
        if self.reader.block_types > crate::rtt::ast::MAX_BLOCK_TYPES {
            return Err(before.error("the signatures of blocks are too long"));
        }
        if params.iter().any(Option::is_some) {
            return Err(before.error("a parameter of a block has no name"));
        }
        Ok(sig)
    }

    /// One instruction with its immediates.
    fn op(&mut self, cur: &mut Cursor<'_, '_>) -> Result<Op> {
        let before = *cur;
        let word = cur.keyword()?;
        if let Some(op) = self.control(word, cur)? {
            return Ok(op);
        }
        if let Some(op) = self.variables(word, cur)? {
            return Ok(Op::Plain(op));
        }
        if let Some(op) = self.tables(word, cur)? {
            return Ok(Op::Plain(op));
        }
        if let Some(op) = self.references(word, cur)? {
            return Ok(op);
        }
        if let Some(op) = self.aggregates(word, cur)? {
            return Ok(op);
        }
        if let Some(op) = constants(word, cur)? {
            return Ok(Op::Plain(op));
        }
        match plain::by_name(word) {
            Some(shape) => Ok(Op::Plain(self.plain(word, shape, cur)?)),
            None => Err(before.error(format_args!("unexpected token: unknown operator `{word}`"))),
        }
    }

    fn control(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Op>> {
        let construct = match word {
            "block" => Construct::Block,
            "loop" => Construct::Loop,
            "if" => Construct::If,
            _ => return self.jumps(word, cur),
        };
        let label = cur.id()?.map(|name| name.into_owned());
        let sig = self.block(cur)?;
        self.labels.push((label, false));
        Ok(Some(Op::Open(construct, sig)))
    }

    fn jumps(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Op>> {
        Ok(Some(match word {
            "let" => {
                let label = cur.id()?.map(|name| name.into_owned());
                let sig = self.block(cur)?;
                let (mut types, mut names) = (Vec::new(), Vec::new());
                while let Some(mut form) = cur.eat_form("local") {
                    types::declare(&mut form, &self.reader.names, &mut types, &mut names)?;
                }
                self.labels.push((label, true));
                self.locals.scopes.push(names);
                Op::Let(sig, types)
            }
            "else" => {
                self.same_label(cur)?;
                Op::Else
            }
            "end" => {
                self.same_label(cur)?;
                self.leave();
                Op::End
            }
            "br" => Op::Plain(Operator::Br { relative_depth: self.label(cur)? }),
            "br_if" => Op::Plain(Operator::BrIf { relative_depth: self.label(cur)? }),
            "br_on_null" => Op::Plain(Operator::BrOnNull { relative_depth: self.label(cur)? }),
            "br_on_non_null" => Op::Plain(Operator::BrOnNonNull { relative_depth: self.label(cur)? }),
            "br_table" => {
                let mut labels = vec![self.label(cur)?];
                while cur.is_index() {
                    labels.push(self.label(cur)?);
                }
                let default = labels.pop().unwrap_or(0);
                Op::BrTable(labels, default)
            }
            "br_on_cast" => Op::BrOnCast(false, self.label(cur)?),
            "br_on_cast_fail" => Op::BrOnCast(true, self.label(cur)?),
            _ => return self.calls(word, cur),
        }))
    }

    fn same_label(&self, cur: &mut Cursor<'_, '_>) -> Result<()> {
        let before = *cur;
        match (cur.id()?, self.labels.last()) {
            (Some(name), Some((Some(label), _))) if name == label.as_str() => Ok(()),
            (Some(_), _) => Err(before.error("mismatching label")),
            (None, _) => Ok(()),
        }
    }

    fn calls(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Op>> {
        let func = |this: &Self, cur: &mut Cursor<'_, '_>| this.reader.names.funcs.index(cur, "function");
        Ok(Some(match word {
            "call" => Op::Plain(Operator::Call { function_index: func(self, cur)? }),
            "return_call" => Op::Plain(Operator::ReturnCall { function_index: func(self, cur)? }),
            "call_indirect" | "return_call_indirect" => {
                let table_index = self.reader.names.tables.index_or(cur, "table", 0)?;
                let type_index = self.reader.type_use_index(cur)?;
                Op::Plain(match word {
                    "call_indirect" => Operator::CallIndirect { type_index, table_index },
                    _ => Operator::ReturnCallIndirect { type_index, table_index },
                })
            }
            "call_ref" => Op::CallRef(false),
            "return_call_ref" => Op::CallRef(true),
            "func.bind" => Op::FuncBind(self.reader.type_use_index(cur)?),
            "ref.func" => Op::RefFunc(func(self, cur)?),
            "select" => match cur.eat_form("result") {
                Some(mut form) => {
                    let ty = types::val(&mut form, &self.reader.names)?;
                    form.finish()?;
                    Op::Select(ty)
                }
                None => Op::Plain(Operator::Select),
            },
            _ => return Ok(None),
        }))
    }

    fn variables(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Operator<'static>>> {
        let names = &self.reader.names;
        Ok(Some(match word {
            "local.get" => Operator::LocalGet { local_index: self.local(cur)? },
            "local.set" => Operator::LocalSet { local_index: self.local(cur)? },
            "local.tee" => Operator::LocalTee { local_index: self.local(cur)? },
            "global.get" => Operator::GlobalGet { global_index: names.globals.index(cur, "global")? },
            "global.set" => Operator::GlobalSet { global_index: names.globals.index(cur, "global")? },
            "memory.size" => Operator::MemorySize { mem: names.memories.index_or(cur, "memory", 0)? },
            "memory.grow" => Operator::MemoryGrow { mem: names.memories.index_or(cur, "memory", 0)? },
            "memory.fill" => Operator::MemoryFill { mem: names.memories.index_or(cur, "memory", 0)? },
            "memory.copy" => {
                let dst_mem = names.memories.index_or(cur, "memory", 0)?;
                Operator::MemoryCopy { dst_mem, src_mem: names.memories.index_or(cur, "memory", dst_mem)? }
            }
            "memory.init" => {
                let mut mem = 0;
                let mut after = *cur;
                after.skip();
                if after.is_index() {
                    mem = names.memories.index(cur, "memory")?;
                }
                Operator::MemoryInit { data_index: names.data.index(cur, "data segment")?, mem }
            }
            "data.drop" => Operator::DataDrop { data_index: names.data.index(cur, "data segment")? },
            "atomic.fence" => Operator::AtomicFence,
            _ => return Ok(None),
        }))
    }

    fn tables(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Operator<'static>>> {
        let names = &self.reader.names;
        let table = |cur: &mut Cursor<'_, '_>| names.tables.index_or(cur, "table", 0);
        Ok(Some(match word {
            "table.get" => Operator::TableGet { table: table(cur)? },
            "table.set" => Operator::TableSet { table: table(cur)? },
            "table.size" => Operator::TableSize { table: table(cur)? },
            "table.grow" => Operator::TableGrow { table: table(cur)? },
            "table.fill" => Operator::TableFill { table: table(cur)? },
            "table.copy" => {
                let dst_table = table(cur)?;
                Operator::TableCopy { dst_table, src_table: names.tables.index_or(cur, "table", dst_table)? }
            }
            "table.init" => {
                let mut after = *cur;
                after.skip();
                let table = if after.is_index() { names.tables.index(cur, "table")? } else { 0 };
                Operator::TableInit { elem_index: names.elems.index(cur, "elem segment")?, table }
            }
            "elem.drop" => Operator::ElemDrop { elem_index: names.elems.index(cur, "elem segment")? },
            _ => return Ok(None),
        }))
    }

    fn references(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Op>> {
        let names = &self.reader.names;
        Ok(Some(match word {
            "ref.null" => Op::RefNull(types::heap(cur, names)?),
            "ref.is_null" => Op::Plain(Operator::RefIsNull),
            "ref.as_non_null" | "ref.as_nonnull" => Op::Plain(Operator::RefAsNonNull),
            "ref.eq" => Op::Plain(Operator::RefEq),
            "ref.i31" | "i31.new" => Op::Plain(Operator::RefI31),
            "i31.get_s" | "ref.get_i31_s" => Op::Plain(Operator::I31GetS),
            "i31.get_u" | "ref.get_i31_u" => Op::Plain(Operator::I31GetU),
            "ref.test" => Op::RefTest,
            "ref.cast" => Op::RefCast,
            "rtt.canon" if cur.eat("any") => Op::RttCanon(None),
            "rtt.anyref" => Op::RttCanon(None),
            "rtt.canon" => Op::RttCanon(Some(names.types.index(cur, "type")?)),
            "rtt.sub" => Op::RttSub(names.types.index(cur, "type")?),
            "rtt.new" => {
                let ty = names.types.index(cur, "type")?;
                // The slides name the type of the operand too, which it has anyway.
                if cur.is_index() {
                    names.types.index(cur, "type")?;
                }
                Op::RttSub(ty)
            }
            _ => {
                let kind = |word: &str| match word {
                    "func" => Some(Kind::Func),
                    "data" => Some(Kind::Data),
                    "i31" => Some(Kind::I31),
                    _ => None,
                };
                let (prefix, of) = word.rsplit_once('_').unwrap_or_default();
                match (prefix, kind(of)) {
                    ("ref.is", Some(kind)) => Op::Is(kind),
                    ("ref.as", Some(kind)) => Op::As(kind),
                    ("br_on", Some(kind)) => Op::BrOn(kind, false, self.label(cur)?),
                    ("br_on_non", Some(kind)) => Op::BrOn(kind, true, self.label(cur)?),
                    _ => return Ok(None),
                }
            }
        }))
    }

    fn aggregates(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Op>> {
        let Some((what, verb)) = word.split_once('.') else { return Ok(None) };
        if !matches!(what, "struct" | "array") {
            return Ok(None);
        }
        let sign = match verb {
            "get_s" => Sign::Signed,
            "get_u" => Sign::Unsigned,
            _ => Sign::None,
        };
        let types = &self.reader.names.types;
        if word == "array.len" {
            let ty = if cur.is_index() { Some(types.index(cur, "type")?) } else { None };
            return Ok(Some(Op::ArrayLen(ty)));
        }
        let new = match verb {
            "new" => Some((false, None)),
            "new_default" => Some((true, None)),
            "new_with_rtt" | "new_rtt" => Some((false, Some(true))),
            "new_default_with_rtt" | "new_default_rtt" => Some((true, Some(true))),
            _ => None,
        };
        if new.is_none() && !matches!(verb, "get" | "get_s" | "get_u" | "set") {
            return Ok(None);
        }
        let ty = types.index(cur, "type")?;
        Ok(Some(match (what, new) {
            ("struct", Some((default, rtt))) => Op::StructNew(ty, default, rtt),
            (_, Some((default, rtt))) => Op::ArrayNew(ty, default, rtt),
            ("struct", None) if verb == "set" => Op::StructSet(ty, self.field(ty, cur)?),
            ("struct", None) => Op::StructGet(ty, self.field(ty, cur)?, sign),
            (_, None) if verb == "set" => Op::ArraySet(ty),
            (_, None) => Op::ArrayGet(ty, sign),
        }))
    }

    fn field(&self, ty: u32, cur: &mut Cursor<'_, '_>) -> Result<u32> {
        let before = *cur;
        let Some(name) = cur.id()? else { return cur.u32() };
        let field = self.reader.names.fields.get(ty as usize).and_then(|fields| fields.get(name.as_ref()));
        field.copied().ok_or_else(|| before.error(format_args!("unknown field `${name}`")))
    }

    fn plain(&self, word: &str, shape: Shape, cur: &mut Cursor<'_, '_>) -> Result<Operator<'static>> {
        Ok(match shape {
            Shape::Bare(make) => make(),
            Shape::Memory(make) => make(self.memarg(word, cur)?),
            Shape::MemoryLane(make) => {
                let memarg = self.memarg(word, cur)?;
                make(memarg, cur.parse::<u8>(1)?)
            }
            Shape::Lane(make) => make(cur.parse::<u8>(1)?),
        })
    }

    fn memarg(&self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<MemArg> {
        let lane = word.ends_with("_lane");
        let mut after = *cur;
        after.skip();
        let named = cur.is_index() && (!lane || after.is_index() || after.peek_keyword().is_some());
        let memory = if named { self.reader.names.memories.index(cur, "memory")? } else { 0 };
        let natural = natural_align(word);
        let (mut offset, mut align) = (0, 1 << natural);
        if let Some(text) = cur.peek_keyword().and_then(|word| word.strip_prefix("offset=")) {
            offset = number(text).ok_or_else(|| cur.error("malformed offset"))?;
            cur.skip();
        }
        if let Some(text) = cur.peek_keyword().and_then(|word| word.strip_prefix("align=")) {
            align = number(text).filter(|n| n.is_power_of_two()).ok_or_else(|| cur.error("malformed alignment"))?;
            cur.skip();
        }
        Ok(MemArg { align: align.trailing_zeros() as u8, max_align: natural, offset, memory })
    }
}

fn constants(word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Operator<'static>>> {
    Ok(Some(match word {
        "i32.const" => Operator::I32Const { value: cur.parse(1)? },
        "i64.const" => Operator::I64Const { value: cur.parse(1)? },
        "f32.const" => {
            Operator::F32Const { value: wasmparser::Ieee32::from(f32::from_bits(cur.parse::<F32>(1)?.bits)) }
        }
        "f64.const" => {
            Operator::F64Const { value: wasmparser::Ieee64::from(f64::from_bits(cur.parse::<F64>(1)?.bits)) }
        }
        "v128.const" => {
            let lanes = cur.peek_keyword().and_then(|shape| shape.split_once('x')?.1.parse::<usize>().ok());
            let lanes = lanes.ok_or_else(|| cur.error("unexpected token, expected a shape of lanes"))?;
            let value = cur.parse::<V128Const>(lanes.min(16) + 1)?;
            Operator::V128Const { value: v128(value.to_le_bytes())? }
        }
        "i8x16.shuffle" => {
            let mut lanes = [0; 16];
            for lane in &mut lanes {
                *lane = cur.parse(1)?;
            }
            Operator::I8x16Shuffle { lanes }
        }
        _ => return Ok(None),
    }))
}

/// A vector as the decoder has it, which has no other way in than its own bytes.
fn v128(bytes: [u8; 16]) -> Result<wasmparser::V128> {
    let mut code = vec![0xfd, 0x0c];
    code.extend(bytes);
    let mut reader = wasmparser::OperatorsReader::new(wasmparser::BinaryReader::new(&code, 0));
    match reader.read() {
        Ok(Operator::V128Const { value }) => Ok(value),
        _ => Err(Error::bug("a vector constant that can not be decoded")),
    }
}

/// The alignment of an access when none is given: the logarithm of its bytes.
pub(in crate::rtt) fn natural_align(word: &str) -> u8 {
    let tail = ["load", "store", "rmw", "wait"].iter().find_map(|verb| word.split_once(verb)).map(|(_, tail)| tail);
    let digits: String = tail.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let bits = match (digits.parse::<u32>(), word.get(..4)) {
        (Ok(_), _) if tail.is_some_and(|tail| tail[digits.len()..].starts_with('x')) => 64,
        (Ok(bits), _) => bits,
        (_, Some("i64." | "f64.")) => 64,
        (_, Some("v128")) => 128,
        _ => 32,
    };
    (bits / 8).max(1).trailing_zeros() as u8
}

fn number(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
