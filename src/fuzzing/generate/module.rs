//! A module: types, tables, globals, segments, functions, and the exports that drive it.
//!
//! | export | is |
//! |---|---|
//! | `run0`, `run1`, … | `(func (param i32 i64) (result i32 …))`: does something, gives numbers |
//! | `state` | `(func (result i32))`: a hash of everything that globals and tables reach |
//! | `m0`, `m1` | memories |
//! | `n0`, … | globals that are numbers |
//! | `throws`, `catches`, `caught` | how many exceptions were thrown and caught, and a hash of payloads |
//!
//! Imports are functions of `host` that give back the reference that they get, `any`, `extern`, `func`;
//! one that calls what it gets, `call`; and a tag.

use super::address::Width;
use super::func::Func;
use super::hash;
use super::source::Source;
use super::types::{Heap, Ref, Types, Val, non_null, nullable};
use std::fmt::Write;

/// How large a module gets.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Ticks that each call from the host has.
    pub ticks: u32,
    /// About how many expressions a function has.
    pub func_size: usize,
    pub exceptions: Exceptions,
    /// Few of everything: a module that is compiled in a few milliseconds.
    pub small: bool,
}

/// The most that a module has of each.
struct Most {
    groups: usize,
    /// Functions besides one of each type.
    funcs: usize,
    tags: usize,
    tables: usize,
    globals: usize,
    segments: usize,
    runs: usize,
}

const SMALL: Most = Most { groups: 2, funcs: 1, tags: 5, tables: 2, globals: 4, segments: 2, runs: 2 };
const USUAL: Most = Most { groups: 5, funcs: 2, tags: 7, tables: 4, globals: 7, segments: 4, runs: 3 };

/// What a module has of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceptions {
    None,
    /// Everything that the standard has.
    All,
    /// What the standard and the proposal before it can both say, as the standard says it.
    Common,
    /// The same, in the words of the proposal: from the same decisions comes the same program.
    Legacy,
}

/// A global.
pub struct Global {
    pub ty: Val,
    pub mutable: bool,
}

/// A table.
#[derive(Clone, Copy)]
pub struct Table {
    pub elem: Ref,
    pub min: usize,
    pub width: Width,
}

/// An element segment. Passive, unless it is for a table.
pub struct Elem {
    pub ty: Ref,
    pub len: usize,
}

/// What functions can refer to.
pub struct Env {
    pub types: Types,
    /// The defined type of each function `$f0`, ….
    pub funcs: Vec<usize>,
    pub globals: Vec<Global>,
    pub tables: Vec<Table>,
    /// What memory `$m1` is addressed with.
    pub second: Width,
    pub elems: Vec<Elem>,
    /// Length of each passive data segment.
    pub datas: Vec<usize>,
    /// How many of 100 objects that are read or written may be null.
    pub nulls: usize,
    /// The payload of each tag.
    pub tags: Vec<Vec<Val>>,
    pub exceptions: Exceptions,
    /// Whether there are references to exceptions.
    pub exnref: bool,
}

/// A module, as text.
pub fn module(s: &mut Source<'_>, options: Options) -> String {
    let exceptions = options.exceptions;
    let most = if options.small { SMALL } else { USUAL };
    let exnref = exceptions == Exceptions::All;
    let types = Types::generate(s, exnref, most.groups);
    let funcs = declare_funcs(s, &types, most.funcs);
    let mut env = Env {
        types,
        funcs,
        globals: vec![],
        tables: vec![],
        second: Width::any(s),
        elems: vec![],
        datas: vec![],
        nulls: 0,
        tags: vec![],
        exceptions,
        exnref,
    };
    env.nulls = s.pick(&[5, 12, 50]).unwrap_or(5);
    let mut text = String::new();
    if exceptions != Exceptions::None {
        tags(s, &mut env, &mut text, most.tags);
    }
    let second = env.second.declared();
    let _ = writeln!(text, "  (memory $m0 (export \"m0\") 1 2)\n  (memory $m1 (export \"m1\") {second}1)");
    text.push_str("  (global $ticks (mut i32) (i32.const 0))\n  (global $hashes (mut i32) (i32.const 0))\n");
    for counter in ["throws", "catches", "caught"] {
        let _ = writeln!(text, "  (global ${counter} (export \"{counter}\") (mut i32) (i32.const 0))");
    }
    // Tables first: their initial values can not refer to globals of the module.
    tables(s, &mut env, &mut text, most.tables);
    globals(s, &mut env, &mut text, most.globals);
    segments(s, &mut env, &mut text, most.segments);
    text.push_str(hash::TICK);
    for (n, &ty) in env.funcs.iter().enumerate() {
        text.push_str(&Func::defined(&env, ty, s, options.func_size).text(&format!("$f{n}")));
    }
    let back = Func::called_back(&env, s, options.func_size / 2).text("$back");
    for n in 0..s.between(1, most.runs) {
        let numbers = [Val::I32, Val::I64, Val::F64, Val::F32];
        let results: Vec<Val> = (0..s.between(1, 2)).filter_map(|_| s.pick(&numbers)).collect();
        text.push_str(&Func::exported(&env, results, s, options).text(&format!("$run{n} (export \"run{n}\")")));
    }
    if s.chance(20) {
        text.push_str(&Func::exported(&env, vec![], s, options).text("$start"));
        text.push_str("  (func $begin (call $start (i32.const 5) (i64.const 6)))\n  (start $begin)\n");
    }
    text.push_str(&hash::state(&env));
    if text.contains("(ref.func $back)") {
        text.push_str(&back);
    }
    hash::append(&mut text, &env);
    declare(&mut text, env.funcs.len());
    format!("(module\n{}{}{text})\n", env.types.text(), imports(&text))
}

/// The functions of the host that are called. Whatever a module has costs time to compile.
fn imports(text: &str) -> String {
    let all = [
        ("any", "(param i32 anyref) (result anyref)"),
        ("extern", "(param externref) (result externref)"),
        ("func", "(param funcref i32) (result funcref)"),
        ("call", "(param funcref)"),
    ];
    let called = all.iter().filter(|(name, _)| text.contains(&format!("$host_{name} ")));
    called.map(|(name, ty)| format!("  (import \"host\" \"{name}\" (func $host_{name} {ty}))\n")).collect()
}

/// Declares the functions that are referred to.
fn declare(text: &mut String, funcs: usize) {
    let names = (0..funcs).map(|f| format!("$f{f}")).chain(["$back".into()]);
    let referred: String =
        names.filter(|name| text.contains(&format!("(ref.func {name})"))).map(|name| format!(" {name}")).collect();
    let _ = writeln!(text, "  (elem declare func{referred})");
}

/// At least one function of each function type.
fn declare_funcs(s: &mut Source<'_>, types: &Types, more: usize) -> Vec<usize> {
    let all: Vec<usize> = types.funcs().map(|(t, ..)| t).collect();
    let mut funcs = all.clone();
    funcs.extend((0..s.between(0, more)).filter_map(|_| s.pick(&all)));
    funcs
}

/// Two imported tags, which are one, and some of the module's own.
fn tags(s: &mut Source<'_>, env: &mut Env, text: &mut String, most: usize) {
    for n in 0..2 {
        let _ = writeln!(text, "  (import \"host\" \"tag\" (tag $x{n} (param i32)))");
        env.tags.push(vec![Val::I32]);
    }
    for n in 2..s.between(4, most) {
        let payload: Vec<Val> = (0..s.below(4)).map(|_| env.types.payload(s)).collect();
        let params: String = payload.iter().map(|ty| format!(" (param {ty})")).collect();
        let _ = writeln!(text, "  (tag $x{n}{params})");
        env.tags.push(payload);
    }
}

fn globals(s: &mut Source<'_>, env: &mut Env, text: &mut String, most: usize) {
    for n in 0..s.between(2, most) {
        let ty = match s.below(4) {
            0 => Val::Ref(nullable(Heap::Any)),
            1 => Val::Ref(nullable(env.types.abstract_heap(s))),
            2 => any_defined(s, env),
            _ => s.pick(&[Val::I32, Val::I64, Val::F32, Val::F64, Val::V128]).unwrap_or(Val::I32),
        };
        let mutable = s.chance(75);
        let export = match ty {
            Val::Ref(_) | Val::V128 => String::new(),
            _ => format!(" (export \"n{n}\")"),
        };
        let declared = if mutable { format!("(mut {ty})") } else { ty.to_string() };
        let init = Func::constant(env, s).constant_of(ty);
        let _ = writeln!(text, "  (global $g{n}{export} {declared} {init})");
        env.globals.push(Global { ty, mutable });
    }
}

fn any_defined(s: &mut Source<'_>, env: &Env) -> Val {
    let t = Heap::Type(s.below(env.types.all.len()));
    Val::Ref(Ref { null: !s.chance(25), heap: t })
}

fn tables(s: &mut Source<'_>, env: &mut Env, text: &mut String, most: usize) {
    for n in 0..s.between(1, most) {
        let elem = match (n, any_defined(s, env)) {
            (0, _) => nullable(Heap::Func),
            // Tables of `nofunc` can not be copied to others once they are lowered.
            (1, _) => {
                nullable(Some(env.types.abstract_heap(s)).filter(|&heap| heap != Heap::NoFunc).unwrap_or(Heap::Eq))
            }
            (_, Val::Ref(r)) => r,
            _ => nullable(Heap::Any),
        };
        let min = s.below(12);
        let max = if s.chance(50) { format!("{}", min + s.below(20)) } else { String::new() };
        let init = if !elem.null || s.chance(30) {
            format!(" {}", Func::constant(env, s).constant_of(Val::Ref(elem)))
        } else {
            String::new()
        };
        let width = Width::any(s);
        let _ = writeln!(text, "  (table $tab{n} {}{min} {max} {elem}{init})", width.declared());
        env.tables.push(Table { elem, min, width });
    }
}

fn segments(s: &mut Source<'_>, env: &mut Env, text: &mut String, most: usize) {
    for n in 0..s.between(1, most) {
        let table = if s.chance(60) { Some(s.below(env.tables.len())) } else { None };
        let ty = match table {
            Some(table) => env.tables[table].elem,
            None if s.chance(30) => nullable(Heap::Func),
            None => match any_defined(s, env) {
                Val::Ref(r) => r,
                _ => non_null(Heap::I31),
            },
        };
        let len = s.below(6);
        let place = match table {
            Some(table) => {
                let room = env.tables[table].min.saturating_sub(len);
                format!(" (table $tab{table}) (offset {})", env.tables[table].width.number(s.below(room + 1)))
            }
            None => String::new(),
        };
        // An active segment that does not fit traps, which is seen, but then nothing else is.
        let len = table.map_or(len, |table| len.min(env.tables[table].min));
        let _ = write!(text, "  (elem $e{n}{place} {ty}");
        for _ in 0..len {
            let _ = write!(text, " (item {})", Func::constant(env, s).constant_of(Val::Ref(ty)));
        }
        text.push_str(")\n");
        env.elems.push(Elem { ty, len });
    }
    for n in 0..2 {
        let len = s.below(40);
        let bytes: String = (0..len).map(|i| format!("\\{:02x}", (i * 37 + n * 101) & 0xFF)).collect();
        let _ = writeln!(text, "  (data $d{n} \"{bytes}\")");
        env.datas.push(len);
    }
    let at = env.second.number(100);
    let _ = writeln!(text, "  (data (memory $m1) {at} \"some bytes in the second memory\")");
}
