//! The fields of a module.

use super::fold::{Bodies, Locals};
use super::names::Names;
use super::tokens::{Cursor, Tokens};
use super::types;
use crate::fault::Result;
use crate::rtt::ast::{
    Body, Data, Def, Elem, Export, Expr, From, Func, Global, Heap, Instr, Item, Memory, Mode, Module, Nulls, Op, Sig,
    Table, Val,
};
use std::collections::{HashMap, HashSet};
use wasmparser::{MemoryType, Operator};

/// Reads a module: `(module …)`, or its fields alone.
///
/// # Errors
///
/// `Invalid` for what is malformed, with line and column.
pub fn parse(text: &str) -> Result<Module> {
    parse_with(text, Nulls::default())
}

/// The same, with what the slides or the snapshot say about null.
///
/// # Errors
///
/// `Invalid` for what is malformed, with line and column.
pub fn parse_with(text: &str, nulls: Nulls) -> Result<Module> {
    let tokens = Tokens::new(text)?;
    let mut cursor = tokens.cursor();
    let mut name = None;
    let mut fields = cursor;
    if cursor.peek_form() == Some("module") {
        fields = cursor.form()?;
        cursor.finish()?;
        fields.skip();
        name = fields.id()?.map(|name| name.into_owned());
    }
    let names = Names { nulls, ..Names::collect(fields)? };
    let module = Module { name, nulls, ..Module::default() };
    let mut reader = Reader { names, module, sigs: HashMap::new(), block_types: 0 };
    reader.types(fields)?;
    reader.fields(fields)?;
    Ok(reader.module)
}

pub(super) struct Reader {
    pub names: Names,
    pub module: Module,
    /// Parameters and results of the blocks so far.
    pub block_types: usize,
    /// The first type with a signature.
    sigs: HashMap<Sig, u32>,
}

impl Reader {
    fn types(&mut self, mut rest: Cursor<'_, '_>) -> Result<()> {
        // Fields of types without a name can only be told by their own, which are of the module then.
        let mut anonymous = HashSet::new();
        while !rest.is_empty() {
            let at = rest.offset();
            let mut field = rest.form()?;
            let def = match field.keyword()? {
                "type" => {
                    let named = field.id()?.is_some();
                    let mut own = HashSet::new();
                    let taken = if named { &mut own } else { &mut anonymous };
                    let mut fields = HashMap::new();
                    let def = types::def(&mut field, &self.names, &mut fields, taken)?;
                    self.names.fields.push(fields);
                    field.finish()?;
                    def
                }
                "import" => match self.type_import(field)? {
                    Some(def) => {
                        self.names.fields.push(HashMap::new());
                        def
                    }
                    None => continue,
                },
                _ => continue,
            };
            if let Def::Func(sig) = &def {
                self.sigs.entry(sig.clone()).or_insert(self.module.types.len() as u32);
            }
            self.module.types.push((def, at));
        }
        Ok(())
    }

    /// `"m" "n" (type $t? (sub|eq heap))`
    fn type_import(&self, mut field: Cursor<'_, '_>) -> Result<Option<Def>> {
        let (module, name) = (field.name()?, field.name()?);
        let Some(mut inner) = field.eat_form("type") else { return Ok(None) };
        inner.id()?;
        let (exact, mut bound) = match inner.is_open() {
            false => (false, None),
            true => {
                let mut form = inner.form()?;
                let exact = match form.keyword()? {
                    "sub" => false,
                    "eq" => true,
                    _ => return form.unexpected("`sub` or `eq`"),
                };
                (exact, Some(form))
            }
        };
        let heap = match &mut bound {
            Some(form) => types::heap(form, &self.names)?,
            None => Heap::Any,
        };
        inner.finish()?;
        field.finish()?;
        Ok(Some(Def::Import { module, name, exact, bound: heap }))
    }

    /// The index of a type with a signature, which is added if there is none.
    pub fn sig_index(&mut self, sig: Sig, at: usize) -> u32 {
        if let Some(&index) = self.sigs.get(&sig) {
            return index;
        }
        let index = self.module.types.len() as u32;
        self.module.types.push((Def::Func(sig.clone()), at));
        self.sigs.insert(sig, index);
        index
    }

    /// `(type $t)? (param …)* (result …)*`: the type's index, if it is named, and the signature.
    pub fn type_use(
        &mut self,
        cur: &mut Cursor<'_, '_>,
        params: &mut Vec<Option<String>>,
    ) -> Result<(Option<u32>, Sig)> {
        let before = *cur;
        let Some(mut form) = cur.eat_form("type") else { return Ok((None, types::sig(cur, &self.names, params)?)) };
        let index = self.names.types.index(&mut form, "type")?;
        form.finish()?;
        let inline = types::sig(cur, &self.names, params)?;
        let Some(Def::Func(sig)) = self.module.types.get(index as usize).map(|(def, _)| def) else {
            return Err(before.error("unknown type: it is not a function type"));
        };
        if inline != Sig::default() && inline != *sig {
            return Err(before.error("inline function type does not match the type that is named"));
        }
        params.resize(sig.params.len(), None);
        Ok((Some(index), sig.clone()))
    }

    /// The same where an index is needed.
    pub fn type_use_index(&mut self, cur: &mut Cursor<'_, '_>) -> Result<u32> {
        let at = cur.offset();
        let (index, sig) = self.type_use(cur, &mut Vec::new())?;
        Ok(index.unwrap_or_else(|| self.sig_index(sig, at)))
    }

    fn fields(&mut self, mut rest: Cursor<'_, '_>) -> Result<()> {
        while !rest.is_empty() {
            let before = rest;
            let at = rest.offset();
            let mut field = rest.form()?;
            match field.keyword()? {
                "type" => {}
                "import" => self.import(field, at)?,
                "func" => self.func(field, at)?,
                "table" => self.table(field, at)?,
                "memory" => self.memory(field, at)?,
                "global" => self.global(field, at)?,
                "export" => self.export(field, at)?,
                "start" => {
                    let func = self.names.funcs.index(&mut field, "function")?;
                    field.finish()?;
                    if self.module.start.replace((func, at)).is_some() {
                        return Err(before.error("multiple start sections"));
                    }
                }
                "elem" => self.elem(field, at)?,
                "data" => self.data(field, at)?,
                _ => return before.unexpected("a field of a module"),
            }
        }
        Ok(())
    }

    fn import(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let from = From { module: field.name()?, name: field.name()? };
        let before = field;
        let mut inner = field.form()?;
        field.finish()?;
        match inner.keyword()? {
            "type" => return Ok(()),
            "func" => {
                inner.id()?;
                let ty = self.type_use_index(&mut inner)?;
                self.add_func(ty, from, at);
            }
            "table" => {
                inner.id()?;
                self.imported_table(&mut inner, from, at)?;
            }
            "memory" => {
                inner.id()?;
                self.imported_memory(&mut inner, from)?;
            }
            "global" => {
                inner.id()?;
                self.imported_global(&mut inner, from, at)?;
            }
            _ => return before.unexpected("`func`, `table`, `memory`, `global` or `type`"),
        }
        inner.finish()
    }

    fn add_func(&mut self, ty: u32, from: From, at: usize) {
        self.module.imports.push(Item::Func(self.module.funcs.len() as u32));
        self.module.funcs.push(Func { name: None, ty, body: Err(from), at });
    }

    /// `(export "n")* (import "m" "n")?` behind a name.
    fn inline(&mut self, cur: &mut Cursor<'_, '_>, item: Item, at: usize) -> Result<Option<From>> {
        while let Some(mut form) = cur.eat_form("export") {
            let name = form.name()?;
            form.finish()?;
            self.module.exports.push(Export { name, item, at });
        }
        let Some(mut form) = cur.eat_form("import") else { return Ok(None) };
        let from = From { module: form.name()?, name: form.name()? };
        form.finish()?;
        Ok(Some(from))
    }

    fn func(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let index = self.module.funcs.len() as u32;
        let name = field.id()?.map(|name| name.into_owned());
        if let Some(from) = self.inline(&mut field, Item::Func(index), at)? {
            let ty = self.type_use_index(&mut field)?;
            self.add_func(ty, from, at);
            return field.finish();
        }
        let mut params = Vec::new();
        let (ty, sig) = self.type_use(&mut field, &mut params)?;
        let ty = ty.unwrap_or_else(|| self.sig_index(sig, at));
        let mut locals = Vec::new();
        while let Some(mut form) = field.eat_form("local") {
            types::declare(&mut form, &self.names, &mut locals, &mut params)?;
        }
        let code = Bodies::new(self, Locals::new(params)).run(&mut field)?;
        let end = field.offset();
        self.module.funcs.push(Func { name, ty, body: Ok(Body { locals, code, end }), at });
        Ok(())
    }

    fn expr(&mut self, cur: &mut Cursor<'_, '_>) -> Result<Expr> {
        Bodies::new(self, Locals::new(Vec::new())).run(cur)
    }

    fn table(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let index = self.module.tables.len() as u32;
        field.id()?;
        if let Some(from) = self.inline(&mut field, Item::Table(index), at)? {
            self.imported_table(&mut field, from, at)?;
            return field.finish();
        }
        if !types::is_val(&field) {
            let (min, max) = limits(&mut field)?;
            let elem = types::val(&mut field, &self.names)?;
            field.finish()?;
            self.module.tables.push(Table { elem, min, max, import: None, at });
            return Ok(());
        }
        let elem = types::val(&mut field, &self.names)?;
        let Some(mut form) = field.eat_form("elem") else { return field.unexpected("`(elem`") };
        let items = self.items(&mut form, elem)?;
        field.finish()?;
        let len = items.len() as u32;
        self.module.tables.push(Table { elem, min: len, max: Some(len), import: None, at });
        let zero = Instr { op: Op::Plain(Operator::I32Const { value: 0 }), at };
        self.module.elems.push(Elem { mode: Mode::Active(index, vec![zero]), ty: elem, items, at });
        Ok(())
    }

    fn imported_table(&mut self, cur: &mut Cursor<'_, '_>, from: From, at: usize) -> Result<()> {
        let (min, max) = limits(cur)?;
        let elem = types::val(cur, &self.names)?;
        self.module.imports.push(Item::Table(self.module.tables.len() as u32));
        self.module.tables.push(Table { elem, min, max, import: Some(from), at });
        Ok(())
    }

    fn memory(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let index = self.module.memories.len() as u32;
        field.id()?;
        if let Some(from) = self.inline(&mut field, Item::Memory(index), at)? {
            self.imported_memory(&mut field, from)?;
            return field.finish();
        }
        if let Some(mut form) = field.eat_form("data") {
            let bytes = strings(&mut form)?;
            field.finish()?;
            let pages = (bytes.len() as u64).div_ceil(65536);
            let ty = memory_type(pages, Some(pages), false);
            self.module.memories.push(Memory { ty, import: None });
            let zero = Instr { op: Op::Plain(Operator::I32Const { value: 0 }), at };
            self.module.data.push(Data { mode: Mode::Active(index, vec![zero]), bytes, at });
            return Ok(());
        }
        let (min, max) = limits(&mut field)?;
        let shared = field.eat("shared");
        field.finish()?;
        let ty = memory_type(min.into(), max.map(u64::from), shared);
        self.module.memories.push(Memory { ty, import: None });
        Ok(())
    }

    fn imported_memory(&mut self, cur: &mut Cursor<'_, '_>, from: From) -> Result<()> {
        let (min, max) = limits(cur)?;
        let shared = cur.eat("shared");
        self.module.imports.push(Item::Memory(self.module.memories.len() as u32));
        let ty = memory_type(min.into(), max.map(u64::from), shared);
        self.module.memories.push(Memory { ty, import: Some(from) });
        Ok(())
    }

    fn global_type(&self, cur: &mut Cursor<'_, '_>) -> Result<(Val, bool)> {
        let Some(mut form) = cur.eat_form("mut") else { return Ok((types::val(cur, &self.names)?, false)) };
        let ty = types::val(&mut form, &self.names)?;
        form.finish()?;
        Ok((ty, true))
    }

    fn global(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let index = self.module.globals.len() as u32;
        field.id()?;
        if let Some(from) = self.inline(&mut field, Item::Global(index), at)? {
            self.imported_global(&mut field, from, at)?;
            return field.finish();
        }
        let (ty, mutable) = self.global_type(&mut field)?;
        let init = Ok(self.expr(&mut field)?);
        self.module.globals.push(Global { ty, mutable, init, at });
        Ok(())
    }

    fn imported_global(&mut self, cur: &mut Cursor<'_, '_>, from: From, at: usize) -> Result<()> {
        let (ty, mutable) = self.global_type(cur)?;
        self.module.imports.push(Item::Global(self.module.globals.len() as u32));
        self.module.globals.push(Global { ty, mutable, init: Err(from), at });
        Ok(())
    }

    fn export(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        let name = field.name()?;
        let before = field;
        let mut form = field.form()?;
        field.finish()?;
        let item = match form.keyword()? {
            "func" => Item::Func(self.names.funcs.index(&mut form, "function")?),
            "table" => Item::Table(self.names.tables.index(&mut form, "table")?),
            "memory" => Item::Memory(self.names.memories.index(&mut form, "memory")?),
            "global" => Item::Global(self.names.globals.index(&mut form, "global")?),
            "type" => Item::Type(types::heap(&mut form, &self.names)?),
            _ => return before.unexpected("`func`, `table`, `memory`, `global` or `type`"),
        };
        form.finish()?;
        self.module.exports.push(Export { name, item, at });
        Ok(())
    }

    /// `(offset expr)` or one folded instruction.
    fn offset(&mut self, cur: &mut Cursor<'_, '_>) -> Result<Expr> {
        if let Some(mut form) = cur.eat_form("offset") {
            return self.expr(&mut form);
        }
        let mut one = cur.first_form()?;
        self.expr(&mut one)
    }

    fn elem(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        field.id()?;
        let mode = if field.eat("declare") {
            Mode::Declared
        } else if let Some(mut form) = field.eat_form("table") {
            let table = self.names.tables.index(&mut form, "table")?;
            Mode::Active(table, self.offset(&mut field)?)
        } else if field.is_open() && !types::is_val(&field) && field.peek_form() != Some("item") {
            Mode::Active(0, self.offset(&mut field)?)
        } else {
            Mode::Passive
        };
        let (ty, items) = if types::is_val(&field) {
            let ty = types::val(&mut field, &self.names)?;
            (ty, self.items(&mut field, ty)?)
        } else {
            field.eat("func");
            let ty = Val::Ref(true, Heap::Func);
            (ty, self.items(&mut field, ty)?)
        };
        self.module.elems.push(Elem { mode, ty, items, at });
        Ok(())
    }

    /// Function indices, or `(item expr)`, or folded expressions.
    fn items(&mut self, cur: &mut Cursor<'_, '_>, _: Val) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        while !cur.is_empty() {
            let at = cur.offset();
            if cur.is_index() {
                let func = self.names.funcs.index(cur, "function")?;
                items.push(vec![Instr { op: Op::RefFunc(func), at }]);
            } else if let Some(mut form) = cur.eat_form("item") {
                items.push(self.expr(&mut form)?);
            } else {
                let mut one = cur.first_form()?;
                items.push(self.expr(&mut one)?);
            }
        }
        Ok(items)
    }

    fn data(&mut self, mut field: Cursor<'_, '_>, at: usize) -> Result<()> {
        field.id()?;
        let mode = if let Some(mut form) = field.eat_form("memory") {
            let memory = self.names.memories.index(&mut form, "memory")?;
            Mode::Active(memory, self.offset(&mut field)?)
        } else if field.is_open() {
            Mode::Active(0, self.offset(&mut field)?)
        } else {
            Mode::Passive
        };
        let bytes = strings(&mut field)?;
        self.module.data.push(Data { mode, bytes, at });
        Ok(())
    }
}

fn limits(cur: &mut Cursor<'_, '_>) -> Result<(u32, Option<u32>)> {
    let min = cur.u32()?;
    Ok((min, if cur.is_integer() { Some(cur.u32()?) } else { None }))
}

fn memory_type(initial: u64, maximum: Option<u64>, shared: bool) -> MemoryType {
    MemoryType { memory64: false, shared, initial, maximum, page_size_log2: None }
}

fn strings(cur: &mut Cursor<'_, '_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while !cur.is_empty() {
        bytes.extend_from_slice(&cur.string()?);
    }
    Ok(bytes)
}
