//! A module as text: flat, with numbers for names, in the spelling of the documents of 2021.
//!
//! What is printed can be read again, and is the same module then. Names of functions are kept where they can be
//! written; all others are gone already.

use super::ast::{Construct, Def, Expr, Field, From, Heap, Item, Kind, Mode, Module, Op, Sig, Sign, Storage, Val};
use super::plain;
use std::collections::HashSet;
use std::fmt::Write;
use wasmparser::Operator;

/// Prints a module.
pub fn print(module: &Module) -> String {
    let mut out = Printer { text: String::new(), depth: 1 };
    out.text.push_str("(module");
    if let Some(name) = module.name.as_ref().filter(|name| is_id(name)) {
        out.add(format_args!(" ${name}"));
    }
    for (def, _) in &module.types {
        out.line(&match def {
            Def::Import { module, name, exact, bound } => {
                let how = if *exact { "eq" } else { "sub" };
                format!(
                    "(import {} {} (type ({how} {})))",
                    string(module.as_bytes()),
                    string(name.as_bytes()),
                    heap(*bound)
                )
            }
            def => format!("(type {})", definition(def)),
        });
    }
    module.imports.iter().for_each(|item| import(&mut out, module, *item));
    let mut used = HashSet::new();
    for func in &module.funcs {
        let Ok(body) = &func.body else { continue };
        let name = func.name.as_ref().filter(|name| is_id(name) && used.insert(*name));
        let name = name.map_or(String::new(), |name| format!(" ${name}"));
        let locals: String = body.locals.iter().map(|&local| format!(" (local {})", val(local))).collect();
        out.line(&format!("(func{name} (type {}){locals}", func.ty));
        out.depth += 1;
        body.code.iter().for_each(|instr| out.instr(&instr.op));
        out.depth -= 1;
        out.text.push(')');
    }
    rest(&mut out, module);
    out.text.push_str(")\n");
    out.text
}

fn rest(out: &mut Printer, module: &Module) {
    for table in module.tables.iter().filter(|table| table.import.is_none()) {
        out.line(&format!("(table {} {})", limits(table.min.into(), table.max.map(u64::from)), val(table.elem)));
    }
    for memory in module.memories.iter().filter(|memory| memory.import.is_none()) {
        let shared = if memory.ty.shared { " shared" } else { "" };
        out.line(&format!("(memory {}{shared})", limits(memory.ty.initial, memory.ty.maximum)));
    }
    for global in &module.globals {
        if let Ok(init) = &global.init {
            out.line(&format!("(global {} {})", global_type(global.ty, global.mutable), inline(init)));
        }
    }
    for export in &module.exports {
        let item = match export.item {
            Item::Func(index) => format!("(func {index})"),
            Item::Table(index) => format!("(table {index})"),
            Item::Memory(index) => format!("(memory {index})"),
            Item::Global(index) => format!("(global {index})"),
            Item::Type(of) => format!("(type {})", heap(of)),
        };
        out.line(&format!("(export {} {item})", string(export.name.as_bytes())));
    }
    if let Some((func, _)) = module.start {
        out.line(&format!("(start {func})"));
    }
    for elem in &module.elems {
        let mode = match &elem.mode {
            Mode::Active(table, offset) => format!(" (table {table}) (offset {})", inline(offset)),
            Mode::Passive => String::new(),
            Mode::Declared => " declare".to_string(),
        };
        let items: String = elem.items.iter().map(|item| format!(" (item {})", inline(item))).collect();
        out.line(&format!("(elem{mode} {}{items})", val(elem.ty)));
    }
    for data in &module.data {
        let mode = match &data.mode {
            Mode::Active(memory, offset) => format!(" (memory {memory}) (offset {})", inline(offset)),
            _ => String::new(),
        };
        out.line(&format!("(data{mode} {})", string(&data.bytes)));
    }
}

fn import(out: &mut Printer, module: &Module, item: Item) {
    let line = match item {
        Item::Func(index) => module
            .funcs
            .get(index as usize)
            .and_then(|func| Some((func.body.as_ref().err()?, format!("(func (type {}))", func.ty)))),
        Item::Table(index) => module.tables.get(index as usize).and_then(|table| {
            let limits = limits(table.min.into(), table.max.map(u64::from));
            Some((table.import.as_ref()?, format!("(table {limits} {})", val(table.elem))))
        }),
        Item::Memory(index) => module.memories.get(index as usize).and_then(|memory| {
            let shared = if memory.ty.shared { " shared" } else { "" };
            Some((
                memory.import.as_ref()?,
                format!("(memory {}{shared})", limits(memory.ty.initial, memory.ty.maximum)),
            ))
        }),
        Item::Global(index) => module.globals.get(index as usize).and_then(|global| {
            Some((global.init.as_ref().err()?, format!("(global {})", global_type(global.ty, global.mutable))))
        }),
        Item::Type(_) => None,
    };
    if let Some((From { module, name }, what)) = line {
        out.line(&format!("(import {} {} {what})", string(module.as_bytes()), string(name.as_bytes())));
    }
}

/// Whether a name can stand behind a `$`.
fn is_id(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-./:<=>?@\\^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(plain)
}

fn string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => text.push(byte.into()),
            // Writing to a string can not fail.
            _ => drop(write!(text, "\\{byte:02x}")),
        }
    }
    text + "\""
}

fn limits(min: u64, max: Option<u64>) -> String {
    max.map_or(min.to_string(), |max| format!("{min} {max}"))
}

fn global_type(ty: Val, mutable: bool) -> String {
    if mutable { format!("(mut {})", val(ty)) } else { val(ty) }
}

fn heap(of: Heap) -> String {
    match of {
        Heap::Any => "any".to_string(),
        Heap::Eq => "eq".to_string(),
        Heap::I31 => "i31".to_string(),
        Heap::Data => "data".to_string(),
        Heap::Func => "func".to_string(),
        Heap::Extern => "extern".to_string(),
        Heap::Type(index) => index.to_string(),
        Heap::Rtt(depth, of) => {
            let depth = depth.map_or(String::new(), |depth| format!("{depth} "));
            format!("(rtt {depth}{})", of.map_or("any".to_string(), |of| of.to_string()))
        }
    }
}

fn val(of: Val) -> String {
    match of {
        Val::I32 => "i32".to_string(),
        Val::I64 => "i64".to_string(),
        Val::F32 => "f32".to_string(),
        Val::F64 => "f64".to_string(),
        Val::V128 => "v128".to_string(),
        Val::Ref(false, rtt @ Heap::Rtt(..)) => heap(rtt),
        Val::Ref(null, of) => format!("(ref {}{})", if null { "null " } else { "" }, heap(of)),
    }
}

fn field(of: &Field) -> String {
    let storage = match of.storage {
        Storage::I8 => "i8".to_string(),
        Storage::I16 => "i16".to_string(),
        Storage::Val(of) => val(of),
    };
    if of.mutable { format!("(mut {storage})") } else { storage }
}

fn definition(def: &Def) -> String {
    match def {
        Def::Struct(fields) => {
            let fields: String = fields.iter().map(|of| format!(" (field {})", field(of))).collect();
            format!("(struct{fields})")
        }
        Def::Array(elem) => format!("(array {})", field(elem)),
        Def::Func(of) => format!("(func{})", sig(of)),
        Def::Import { .. } => String::new(),
    }
}

fn sig(of: &Sig) -> String {
    let list = |word: &str, types: &[Val]| match types {
        [] => String::new(),
        _ => format!(" ({word} {})", types.iter().map(|&ty| val(ty)).collect::<Vec<_>>().join(" ")),
    };
    list("param", &of.params) + &list("result", &of.results)
}

/// An expression in one line.
fn inline(expr: &Expr) -> String {
    expr.iter().map(|instr| text(&instr.op)).collect::<Vec<_>>().join(" ")
}

struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string can not fail.
        let _ = self.text.write_fmt(text);
    }

    fn line(&mut self, text: &str) {
        self.text.push('\n');
        // Deep nesting is not worth a quadratic text.
        self.text.extend(std::iter::repeat_n("  ", self.depth.min(20)));
        self.text.push_str(text);
    }

    fn instr(&mut self, op: &Op) {
        if let Op::Else | Op::End = op {
            self.depth = self.depth.saturating_sub(1);
        }
        self.line(&text(op));
        if let Op::Open(..) | Op::Let(..) | Op::Else = op {
            self.depth += 1;
        }
    }
}

fn text(op: &Op) -> String {
    let kind = |kind: &Kind| match kind {
        Kind::Func => "func",
        Kind::Data => "data",
        Kind::I31 => "i31",
    };
    let sign = |sign: &Sign| match sign {
        Sign::None => "",
        Sign::Signed => "_s",
        Sign::Unsigned => "_u",
    };
    let new = |what: &str, ty: &u32, default: &bool, rtt: &Option<bool>| {
        let default = if *default { "_default" } else { "" };
        let rtt = if *rtt == Some(true) { "_with_rtt" } else { "" };
        format!("{what}.new{default}{rtt} {ty}")
    };
    match op {
        Op::Plain(op) => plain_text(op),
        Op::Open(construct, of) => {
            let word = match construct {
                Construct::Block => "block",
                Construct::Loop => "loop",
                Construct::If => "if",
            };
            format!("{word}{}", sig(of))
        }
        Op::Let(of, locals) => {
            let locals: String = locals.iter().map(|&local| format!(" (local {})", val(local))).collect();
            format!("let{}{locals}", sig(of))
        }
        Op::Else => "else".to_string(),
        Op::End => "end".to_string(),
        Op::BrTable(labels, default) => {
            let labels: String = labels.iter().map(|label| format!(" {label}")).collect();
            format!("br_table{labels} {default}")
        }
        Op::Select(ty) => format!("select (result {})", val(*ty)),
        Op::RefNull(of) => format!("ref.null {}", heap(*of)),
        Op::RefFunc(func) => format!("ref.func {func}"),
        Op::CallRef(false) => "call_ref".to_string(),
        Op::CallRef(true) => "return_call_ref".to_string(),
        Op::FuncBind(ty) => format!("func.bind (type {ty})"),
        Op::Is(of) => format!("ref.is_{}", kind(of)),
        Op::As(of) => format!("ref.as_{}", kind(of)),
        Op::BrOn(of, negated, depth) => format!("br_on_{}{} {depth}", if *negated { "non_" } else { "" }, kind(of)),
        Op::RefTest => "ref.test".to_string(),
        Op::RefCast => "ref.cast".to_string(),
        Op::BrOnCast(fail, depth) => format!("br_on_cast{} {depth}", if *fail { "_fail" } else { "" }),
        Op::RttCanon(Some(ty)) => format!("rtt.canon {ty}"),
        Op::RttCanon(None) => "rtt.anyref".to_string(),
        Op::RttSub(ty) => format!("rtt.sub {ty}"),
        Op::StructNew(ty, default, rtt) => new("struct", ty, default, rtt),
        Op::ArrayNew(ty, default, rtt) => new("array", ty, default, rtt),
        Op::StructGet(ty, field, of) => format!("struct.get{} {ty} {field}", sign(of)),
        Op::StructSet(ty, field) => format!("struct.set {ty} {field}"),
        Op::ArrayGet(ty, of) => format!("array.get{} {ty}", sign(of)),
        Op::ArraySet(ty) => format!("array.set {ty}"),
        Op::ArrayLen(Some(ty)) => format!("array.len {ty}"),
        Op::ArrayLen(None) => "array.len".to_string(),
    }
}

fn plain_text(op: &Operator<'_>) -> String {
    let mut text = plain::name_of(op);
    match op {
        Operator::CallIndirect { type_index, table_index }
        | Operator::ReturnCallIndirect { type_index, table_index } => {
            return format!("{text} {table_index} (type {type_index})");
        }
        Operator::I32Const { value } => return format!("{text} {value}"),
        Operator::I64Const { value } => return format!("{text} {value}"),
        Operator::F32Const { value } => {
            let (bits, float) = (value.bits(), f32::from_bits(value.bits()));
            return format!(
                "{text} {}",
                number(bits >> 31 != 0, float.is_nan().then_some(bits & 0x7f_ffff), float.abs())
            );
        }
        Operator::F64Const { value } => {
            let (bits, float) = (value.bits(), f64::from_bits(value.bits()));
            let payload = float.is_nan().then_some(bits & 0xf_ffff_ffff_ffff);
            return format!("{text} {}", number(bits >> 63 != 0, payload, float.abs()));
        }
        Operator::V128Const { value } => {
            text.push_str(" i8x16");
            value.bytes().iter().for_each(|byte| text.push_str(&format!(" {byte:#x}")));
            return text;
        }
        Operator::I8x16Shuffle { lanes } => {
            lanes.iter().for_each(|lane| text.push_str(&format!(" {lane}")));
            return text;
        }
        _ => {}
    }
    plain::numbers(op).iter().for_each(|number| text.push_str(&format!(" {number}")));
    if let Some(immediates) = plain::immediates(op) {
        if let Some(memarg) = immediates.memarg {
            if memarg.memory != 0 {
                text.push_str(&format!(" {}", memarg.memory));
            }
            text.push_str(&format!(" offset={} align={}", memarg.offset, 1u64 << memarg.align));
        }
        if let Some(lane) = immediates.lane {
            text.push_str(&format!(" {lane}"));
        }
    }
    text
}

/// A float, given its sign, its payload if it is none, and its magnitude.
fn number(negative: bool, payload: Option<impl std::fmt::LowerHex>, magnitude: impl std::fmt::Debug) -> String {
    let sign = if negative { "-" } else { "" };
    match payload {
        Some(payload) => format!("{sign}nan:{payload:#x}"),
        None => format!("{sign}{magnitude:?}"),
    }
}
