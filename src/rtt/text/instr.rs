//! Instructions: what one is called decides its immediates; the old and the new names of one are the same here.

use super::fold::Bodies;
use super::immediates::constants;
use super::tokens::Cursor;
use super::types;
use crate::fault::Result;
use crate::rtt::ast::{Construct, Kind, Op, Sig, Sign};
use crate::rtt::plain;
use wasmparser::Operator;

impl Bodies<'_> {
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
    pub(super) fn op(&mut self, cur: &mut Cursor<'_, '_>) -> Result<Op> {
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
}
