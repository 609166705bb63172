//! One function: its locals, its labels, and how much it may still grow.

use super::exception::Try;
use super::hash;
use super::module::{Env, Exceptions, Options};
use super::source::Source;
use super::types::{Composite, Field, Heap, Ref, Storage, Val};
use std::fmt::Write;

/// How deep expressions nest.
pub const DEPTH: usize = 5;

/// Whether the ticks are used up: then functions return and loops end.
pub const ENDED: &str = "(i32.le_s (call $tick) (i32.const 0))";

/// A label that can be branched to.
pub struct Label {
    pub name: String,
    pub types: Vec<Val>,
}

/// A function that is being generated, or a constant expression.
pub struct Func<'e, 's, 'd> {
    pub env: &'e Env,
    pub s: &'s mut Source<'d>,
    /// Parameters and locals, named by their index.
    pub locals: Vec<Val>,
    pub results: Vec<Val>,
    pub labels: Vec<Label>,
    /// Array types that have a local `$s…` for an array that is read or written.
    pub scratch: Vec<usize>,
    /// Constructs whose handlers are around what is generated.
    pub tries: Vec<Try>,
    /// How many locals `$e…` there are for exceptions that are thrown again.
    pub caught: usize,
    /// Whether only constant expressions are allowed.
    is_constant: bool,
    params: usize,
    /// Expressions that may still come.
    left: usize,
    named: usize,
    header: String,
    body: String,
}

impl<'e, 's, 'd> Func<'e, 's, 'd> {
    fn new(env: &'e Env, s: &'s mut Source<'d>, params: &[Val], results: Vec<Val>) -> Self {
        Func {
            env,
            s,
            locals: params.to_vec(),
            results,
            labels: vec![],
            scratch: vec![],
            tries: vec![],
            caught: 0,
            is_constant: false,
            params: params.len(),
            left: 0,
            named: 0,
            header: String::new(),
            body: String::new(),
        }
    }

    /// For constant expressions.
    pub fn constant(env: &'e Env, s: &'s mut Source<'d>) -> Self {
        Func { is_constant: true, ..Func::new(env, s, &[], vec![]) }
    }

    /// A constant expression.
    pub fn constant_of(&mut self, ty: Val) -> String {
        self.leaf(ty, 2)
    }

    /// A function of a defined type.
    pub fn defined(env: &'e Env, ty: usize, s: &'s mut Source<'d>, size: usize) -> Self {
        let Composite::Func { params, results } = &env.types.all[ty].composite else { unreachable!("a function type") };
        let mut func = Func::new(env, s, params, results.clone());
        func.header = format!(" (type $t{ty})");
        let _ = write!(func.body, "    (if {ENDED} (then (return");
        for result in func.results.clone() {
            let leaf = func.leaf(result, 0);
            let _ = write!(func.body, " {leaf}");
        }
        func.body.push_str(")))\n");
        func.fill(size, false);
        let results = match func.s.chance(15) {
            true => func.tail_call(),
            false => None,
        };
        let results = results.unwrap_or_else(|| func.values(&func.results.clone(), 3));
        let _ = writeln!(func.body, "    {results})");
        func
    }

    /// A function that the host calls. Its results are numbers, and tell what is in its locals.
    pub fn exported(env: &'e Env, results: Vec<Val>, s: &'s mut Source<'d>, options: Options) -> Self {
        let mut func = Func::new(env, s, &[Val::I32, Val::I64], results);
        func.header = " (param i32 i64)".into();
        for result in &func.results {
            let _ = write!(func.header, " (result {result})");
        }
        let _ = writeln!(func.body, "    (global.set $ticks (i32.const {}))", options.ticks);
        let catches = !env.tags.is_empty() && func.s.chance(60);
        func.fill(options.func_size, catches);
        let mut sum = String::from("(i32.const 0)");
        for (n, &ty) in func.locals.iter().enumerate() {
            let hash = hash::hash_of(env, ty, &format!("(local.get {n})"));
            sum = format!("(i32.add (i32.mul {sum} (i32.const 17)) {hash})");
        }
        for (n, result) in func.results.clone().into_iter().enumerate() {
            let sum = if n == 0 { sum.as_str() } else { "(local.get 0)" };
            let _ = match result {
                Val::I32 => writeln!(func.body, "    {sum}"),
                Val::I64 => writeln!(func.body, "    (i64.extend_i32_u {sum})"),
                Val::F32 => writeln!(func.body, "    (f32.convert_i32_s {sum})"),
                _ => writeln!(func.body, "    (f64.convert_i32_s {sum})"),
            };
        }
        func.body.push_str("  )\n");
        func
    }

    /// A function that the host calls back: no parameters and no results.
    pub fn called_back(env: &'e Env, s: &'s mut Source<'d>, size: usize) -> Self {
        let mut func = Func::new(env, s, &[], vec![]);
        let _ = writeln!(func.body, "    (if {ENDED} (then (return)))");
        func.fill(size, false);
        func.body.push_str("  )\n");
        func
    }

    /// Adds locals and statements; with `catches`, these in a handler of everything that goes on behind.
    fn fill(&mut self, size: usize, catches: bool) {
        for _ in 0..self.s.below(7) {
            let ty = self.local_type();
            if !ty.is_defaultable() {
                let init = self.leaf(ty, 1);
                let _ = writeln!(self.body, "    (local.set {} {init})", self.locals.len());
            }
            self.locals.push(ty);
        }
        self.left = size;
        let (before, behind) = match (catches, self.env.exceptions) {
            (false, _) => ("", ""),
            (true, Exceptions::Legacy) => ("    try\n", "    catch_all end\n"),
            (true, _) => ("    (block $all (try_table (catch_all $all)\n", "    ))\n"),
        };
        self.body.push_str(before);
        for _ in 0..self.s.below(9) {
            if self.left > 0 {
                let statement = self.stmt(DEPTH);
                let _ = writeln!(self.body, "    {statement}");
            }
        }
        if !self.env.tags.is_empty() && self.s.chance(60) {
            let statement = self.exceptional(DEPTH);
            let _ = writeln!(self.body, "    {statement}");
        }
        self.body.push_str(behind);
        self.left = self.left.max(size / 4);
    }

    fn local_type(&mut self) -> Val {
        match self.s.below(6) {
            0 => Val::I32,
            1 => self.s.pick(&[Val::I64, Val::F32, Val::F64, Val::V128]).unwrap_or(Val::I64),
            2 => Val::Ref(Ref { null: true, heap: self.env.types.abstract_heap(self.s) }),
            _ => {
                let t = self.s.below(self.env.types.all.len());
                Val::Ref(Ref { null: self.s.chance(60), heap: Heap::Type(t) })
            }
        }
    }

    /// The function in the text format.
    pub fn text(&self, name: &str) -> String {
        let mut text = format!("  (func {name}{}\n", self.header);
        for (n, local) in self.locals.iter().enumerate().skip(self.params) {
            let _ = writeln!(text, "    (local {local}) ;; {n}");
        }
        for t in &self.scratch {
            let _ = writeln!(text, "    (local $s{t} (ref null $t{t}))");
        }
        if self.env.exceptions != Exceptions::Legacy {
            (0..self.caught).for_each(|n| text.push_str(&format!("    (local $e{n} exnref)\n")));
        }
        text.push_str(&self.body);
        text
    }

    /// Takes one expression from the budget.
    pub fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0 && !self.s.is_empty()
    }

    /// A name for a label that is not used yet.
    pub fn name(&mut self) -> String {
        self.named += 1;
        format!("$l{}", self.named)
    }

    /// Several expressions.
    pub fn values(&mut self, types: &[Val], depth: usize) -> String {
        let values: Vec<String> = types.iter().map(|&ty| self.expr(ty, depth)).collect();
        values.join(" ")
    }

    /// The name of the scratch local of an array type.
    pub fn scratch(&mut self, t: usize) -> String {
        if !self.scratch.contains(&t) {
            self.scratch.push(t);
        }
        format!("$s{t}")
    }

    /// A local, by the type it has, or may take.
    pub fn local(&mut self, fits: impl Fn(&Self, Val) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.locals.len()).filter(|&n| fits(self, self.locals[n])).collect();
        self.s.pick(&all)
    }

    /// A constant, a small object, a null: an expression without effects that needs no budget.
    pub fn leaf(&mut self, ty: Val, depth: usize) -> String {
        let n = self.s.integer();
        match ty {
            Val::I32 => format!("(i32.const {})", n as i32),
            Val::I64 => format!("(i64.const {n})"),
            Val::F32 => format!("(f32.const {})", n as i16 as f32 / 4.0),
            Val::F64 => format!("(f64.const {})", n as i32 as f64 / 4.0),
            Val::V128 => format!("(v128.const i64x2 {n} {})", n.wrapping_mul(0x9E37_79B9)),
            Val::Ref(r) => self.leaf_ref(r, depth),
        }
    }

    fn leaf_ref(&mut self, r: Ref, depth: usize) -> String {
        let (env, constant) = (self.env, self.is_constant);
        let usable = |n: &usize| {
            let global = &env.globals[*n];
            (!constant || !global.mutable) && env.types.matches(global.ty, Val::Ref(r))
        };
        let globals: Vec<usize> = (0..env.globals.len()).filter(usable).collect();
        if !globals.is_empty() && self.s.chance(20) {
            return format!("(global.get $g{})", self.s.pick(&globals).unwrap_or(globals[0]));
        }
        if r.null && (depth == 0 || self.s.chance(30)) {
            return format!("(ref.null {})", r.heap);
        }
        match self.leaf_object(r.heap, depth) {
            Some(object) => object,
            None if r.null => format!("(ref.null {})", r.heap),
            None => format!("(ref.as_non_null (ref.null {}))", r.heap),
        }
    }

    fn leaf_object(&mut self, heap: Heap, depth: usize) -> Option<String> {
        let env = self.env;
        let objects = || env.types.structs().map(|(t, _)| t).chain(env.types.arrays().map(|(t, _)| t));
        Some(match heap {
            Heap::None | Heap::NoFunc | Heap::NoExtern | Heap::Exn | Heap::NoExn => return None,
            Heap::I31 => format!("(ref.i31 (i32.const {}))", self.s.integer() as i32),
            Heap::Any | Heap::Eq => {
                let all: Vec<usize> = objects().collect();
                match self.s.chance(60).then(|| self.s.pick(&all)).flatten() {
                    Some(t) => self.leaf_new(t, depth),
                    None => self.leaf_object(Heap::I31, depth)?,
                }
            }
            Heap::Struct | Heap::Array => {
                let all: Vec<usize> = objects().filter(|&t| env.types.heap_matches(Heap::Type(t), heap)).collect();
                let t = self.s.pick(&all)?;
                self.leaf_new(t, depth)
            }
            Heap::Extern => {
                let any = self.leaf_object(Heap::Any, depth)?;
                format!("(extern.convert_any {any})")
            }
            Heap::Func => format!("(ref.func $f{})", self.func_that(|_| true)?),
            Heap::Type(_) if env.types.top(heap) == Heap::Func => {
                let func = self.func_that(|t| env.types.heap_matches(Heap::Type(t), heap))?;
                format!("(ref.func $f{func})")
            }
            Heap::Type(t) => match env.types.below(self.s, heap) {
                Heap::Type(t) => self.leaf_new(t, depth),
                _ => self.leaf_new(t, depth),
            },
        })
    }

    /// A function whose type fits.
    fn func_that(&mut self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.env.funcs.len()).filter(|&f| fits(self.env.funcs[f])).collect();
        self.s.pick(&all)
    }

    fn leaf_new(&mut self, t: usize, depth: usize) -> String {
        let deeper = depth.saturating_sub(1);
        let env = self.env;
        let default = |field: &Field| field.storage.unpacked().is_defaultable();
        match &env.types.all[t].composite {
            Composite::Struct(fields) => {
                if fields.iter().all(default) && self.s.chance(40) {
                    return format!("(struct.new_default $t{t})");
                }
                let values: Vec<String> =
                    fields.iter().map(|field| self.leaf(field.storage.unpacked(), deeper)).collect();
                format!("(struct.new $t{t} {})", values.join(" "))
            }
            Composite::Array(element) => {
                let len = self.s.weighted(&[(3, 0), (3, 1), (2, 2), (2, 3), (2, 4), (1, 8), (1, 13)]);
                if default(element) && self.s.chance(30) {
                    return format!("(array.new_default $t{t} (i32.const {len}))");
                }
                if self.s.chance(30) {
                    let value = self.leaf(element.storage.unpacked(), deeper);
                    return format!("(array.new $t{t} {value} (i32.const {len}))");
                }
                let values: Vec<String> =
                    (0..len.min(4)).map(|_| self.leaf(element.storage.unpacked(), deeper)).collect();
                format!("(array.new_fixed $t{t} {} {})", values.len(), values.join(" "))
            }
            Composite::Func { .. } => unreachable!("an object type"),
        }
    }
}

/// Whether a data segment can fill an array with this element.
pub fn is_bytes(element: &Field) -> bool {
    matches!(
        element.storage,
        Storage::I8 | Storage::I16 | Storage::Val(Val::I32 | Val::I64 | Val::F32 | Val::F64 | Val::V128)
    )
}
