//! Expressions of a wanted type: numbers, and what works for any type.

use super::func::{Func, Label};
use super::hash;
use super::types::{Heap, Ref, Storage, Val, non_null, nullable};

/// Ways to get a value of any type.
#[derive(Clone, Copy)]
enum Way {
    Simple,
    Own,
    Tee,
    Global,
    Call,
    If,
    Block,
    Select,
    Field,
    Element,
    Table,
    Loop,
    Try,
    Throw,
}

impl Func<'_, '_, '_> {
    /// An expression of this type.
    pub fn expr(&mut self, ty: Val, depth: usize) -> String {
        if depth == 0 || !self.spend() {
            return self.simple(ty);
        }
        let way = self.s.weighted(&[
            (4, Way::Simple),
            (10, Way::Own),
            (2, Way::Tee),
            (3, Way::Global),
            (4, Way::Call),
            (2, Way::If),
            (2, Way::Block),
            (1, Way::Select),
            (5, Way::Field),
            (4, Way::Element),
            (2, Way::Table),
            (1, Way::Loop),
            (if self.env.tags.is_empty() { 0 } else { 2 }, Way::Try),
            (usize::from(!self.env.tags.is_empty()), Way::Throw),
        ]);
        let depth = depth - 1;
        let expr = match way {
            Way::Simple => None,
            Way::Own => Some(self.own(ty, depth)),
            Way::Tee => self.tee(ty, depth),
            Way::Global => self.global(ty),
            Way::Call => self.call_for(ty, depth),
            Way::If => Some(self.if_else(ty, depth)),
            Way::Block => Some(self.block(ty, depth)),
            Way::Select => Some(self.select(ty, depth)),
            Way::Field => self.field(ty, depth),
            Way::Element => self.element(ty, depth),
            Way::Table => self.table_get(ty),
            Way::Loop => Some(self.loop_for(ty, depth)),
            Way::Try => Some(self.try_catch(Some(ty), depth)),
            Way::Throw => Some(self.throw_for(ty, depth)),
        };
        expr.unwrap_or_else(|| self.simple(ty))
    }

    /// A local, or what needs no budget.
    fn simple(&mut self, ty: Val) -> String {
        let local = self.local(|f, has| f.env.types.matches(has, ty));
        match local {
            Some(local) if !self.s.chance(35) => format!("(local.get {local})"),
            _ => self.leaf(ty, 1),
        }
    }

    fn tee(&mut self, ty: Val, depth: usize) -> Option<String> {
        let local = self.local(|f, has| f.env.types.matches(has, ty))?;
        let value = self.expr(self.locals[local], depth);
        Some(format!("(local.tee {local} {value})"))
    }

    fn global(&mut self, ty: Val) -> Option<String> {
        let all: Vec<usize> =
            (0..self.env.globals.len()).filter(|&n| self.env.types.matches(self.env.globals[n].ty, ty)).collect();
        Some(format!("(global.get $g{})", self.s.pick(&all)?))
    }

    fn call_for(&mut self, ty: Val, depth: usize) -> Option<String> {
        let env = self.env;
        let fits = |results: &[Val]| matches!(results, [result] if env.types.matches(*result, ty));
        let all: Vec<usize> = env.types.funcs().filter(|(_, _, results)| fits(results)).map(|(t, ..)| t).collect();
        let t = self.s.pick(&all)?;
        Some(self.call("", t, depth))
    }

    /// A call, or with `return_` a tail call, of a function of a defined type, in one of three ways.
    pub fn call(&mut self, prefix: &str, t: usize, depth: usize) -> String {
        let env = self.env;
        let params: Vec<Val> = env.types.funcs().find(|f| f.0 == t).map(|f| f.1.to_vec()).unwrap_or_default();
        let args = self.values(&params, depth);
        let direct: Vec<usize> = (0..env.funcs.len()).filter(|&f| env.funcs[f] == t).collect();
        match self.s.weighted(&[(5, 0), (4, 1), (1, 2)]) {
            1 => {
                let null = self.s.chance(10);
                let callee = self.expr(Val::Ref(Ref { null, heap: Heap::Type(t) }), depth);
                format!("({prefix}call_ref $t{t} {args} {callee})")
            }
            2 => {
                let tables: Vec<usize> =
                    (0..env.tables.len()).filter(|&n| env.types.top(env.tables[n].elem.heap) == Heap::Func).collect();
                let table = self.s.pick(&tables).unwrap_or(0);
                let index = self.s.below(env.tables[table].min.max(1));
                let index = env.tables[table].width.near(self.s, index);
                format!("({prefix}call_indirect $tab{table} (type $t{t}) {args} {index})")
            }
            _ => format!("({prefix}call $f{} {args})", self.s.pick(&direct).unwrap_or(0)),
        }
    }

    fn if_else(&mut self, ty: Val, depth: usize) -> String {
        let condition = self.expr(Val::I32, depth);
        let (a, b) = (self.expr(ty, depth), self.expr(ty, depth));
        format!("(if (result {ty}) {condition} (then {a}) (else {b}))")
    }

    fn select(&mut self, ty: Val, depth: usize) -> String {
        let (a, b) = (self.expr(ty, depth), self.expr(ty, depth));
        let condition = self.expr(Val::I32, depth.min(1));
        format!("(select (result {ty}) {a} {b} {condition})")
    }

    /// Something inside a block that it can leave with a value.
    pub fn labelled<R>(&mut self, types: &[Val], inside: impl FnOnce(&mut Self) -> R) -> (String, R) {
        let name = self.name();
        self.labels.push(Label { name: name.clone(), types: types.to_vec() });
        let inside = inside(self);
        self.labels.pop();
        (name, inside)
    }

    fn block(&mut self, ty: Val, depth: usize) -> String {
        let (name, inside) = self.labelled(&[ty], |f| {
            let statements = f.stmts(depth, 3);
            let value = f.expr(ty, depth);
            format!("{statements} {value}")
        });
        format!("(block {name} (result {ty}) {inside})")
    }

    /// A loop with a parameter, that computes a value again and again.
    fn loop_for(&mut self, ty: Val, depth: usize) -> String {
        let start = self.expr(ty, depth);
        let name = self.name();
        let statements = self.stmts(depth, 2);
        let next = self.expr(ty, depth);
        let again = self.again(depth);
        format!("{start} (loop {name} (param {ty}) (result {ty}) (drop) {statements} {next} (br_if {name} {again}))")
    }

    /// Whether a loop goes on: for a few turns at most.
    fn again(&mut self, depth: usize) -> String {
        let turn = self.turn(depth);
        format!("(if (result i32) (i32.gt_s (call $tick) (i32.const 0)) (then {turn}) (else (i32.const 0)))")
    }

    /// An object to work on: seldom null.
    pub fn receiver(&mut self, heap: Heap, depth: usize) -> String {
        let null = self.s.chance(self.env.nulls);
        self.expr(Val::Ref(Ref { null, heap }), depth)
    }

    fn field(&mut self, ty: Val, depth: usize) -> Option<String> {
        let env = self.env;
        let mut all = vec![];
        for (t, fields) in env.types.structs() {
            let fitting = |(_, field): &(usize, &super::types::Field)| env.types.matches(field.storage.unpacked(), ty);
            all.extend(fields.iter().enumerate().filter(fitting).map(|(n, field)| (t, n, *field)));
        }
        let (t, n, field) = self.s.pick(&all)?;
        let object = self.receiver(Heap::Type(t), depth);
        Some(format!("(struct.get{} $t{t} {n} {object})", hash::sign(&field, self.s.below(2))))
    }

    fn element(&mut self, ty: Val, depth: usize) -> Option<String> {
        let env = self.env;
        let fitting = |element: super::types::Field| env.types.matches(element.storage.unpacked(), ty);
        let all: Vec<_> = env.types.arrays().filter(|(_, element)| fitting(*element)).collect();
        let (t, element) = self.s.pick(&all)?;
        let (array, index) = self.array_and_index(t, depth);
        Some(format!("(array.get{} $t{t} {array} {index})", hash::sign(&element, self.s.below(2))))
    }

    /// An array, and an index that is mostly within its bounds.
    pub fn array_and_index(&mut self, t: usize, depth: usize) -> (String, String) {
        let array = self.receiver(Heap::Type(t), depth);
        let index = self.expr(Val::I32, depth.min(1));
        if self.s.chance(20) {
            return (array, format!("(i32.and {index} (i32.const 7))"));
        }
        let scratch = self.scratch(t);
        let last = format!("(i32.sub (array.len (local.get {scratch})) (i32.const 1))");
        (format!("(local.tee {scratch} {array})"), format!("(i32.and {index} {last})"))
    }

    fn table_get(&mut self, ty: Val) -> Option<String> {
        let env = self.env;
        let fits = |n: &usize| env.tables[*n].min > 0 && env.types.matches(Val::Ref(env.tables[*n].elem), ty);
        let all: Vec<usize> = (0..env.tables.len()).filter(fits).collect();
        let n = self.s.pick(&all)?;
        let index = self.s.below(env.tables[n].min);
        Some(format!("(table.get $tab{n} {})", env.tables[n].width.near(self.s, index)))
    }

    /// What only this type has.
    fn own(&mut self, ty: Val, depth: usize) -> String {
        match ty {
            Val::I32 => self.i32(depth),
            Val::I64 => match self.s.below(3) {
                0 => format!("(i64.extend_i32_u {})", self.expr(Val::I32, depth)),
                1 => format!("(i64.add {})", self.values(&[Val::I64, Val::I64], depth)),
                _ => format!("(i64.load $m1 {})", self.env.second.of(self.address(depth))),
            },
            Val::F32 => match self.s.below(2) {
                0 => format!("(f32.convert_i32_s {})", self.expr(Val::I32, depth)),
                _ => format!("(f32.neg {})", self.expr(Val::F32, depth)),
            },
            Val::F64 => match self.s.below(2) {
                0 => format!("(f64.convert_i32_s {})", self.expr(Val::I32, depth)),
                _ => format!("(f64.promote_f32 {})", self.expr(Val::F32, depth)),
            },
            Val::V128 => match self.s.below(2) {
                0 => format!("(i32x4.splat {})", self.expr(Val::I32, depth)),
                _ => format!("(i64x2.add {})", self.values(&[Val::V128, Val::V128], depth)),
            },
            Val::Ref(r) => self.reference(r, depth),
        }
    }

    /// An address that is within every memory.
    pub fn address(&mut self, depth: usize) -> String {
        format!("(i32.and {} (i32.const 0xFFF8))", self.expr(Val::I32, depth.min(1)))
    }

    fn i32(&mut self, depth: usize) -> String {
        let env = self.env;
        let any = |heap| Val::Ref(nullable(heap));
        match self.s.below(14) {
            0 | 1 => {
                let op = self.s.pick(&["add", "sub", "mul", "xor", "lt_s", "gt_u", "shl"]).unwrap_or("add");
                format!("(i32.{op} {})", self.values(&[Val::I32, Val::I32], depth))
            }
            2 => format!("(i32.eqz {})", self.expr(Val::I32, depth)),
            3 => format!("(i32.wrap_i64 {})", self.expr(Val::I64, depth)),
            4 => format!("(ref.eq {})", self.values(&[any(Heap::Eq), any(Heap::Eq)], depth)),
            5 | 6 => {
                let from = self.any_ref();
                if env.types.top(from.heap) == Heap::Exn {
                    return format!("(ref.is_null {})", self.expr(Val::Ref(from), depth));
                }
                let to = env.types.related(self.s, from);
                format!("(ref.test {to} {})", self.expr(Val::Ref(from), depth))
            }
            7 => {
                let from = self.any_ref();
                format!("(ref.is_null {})", self.expr(Val::Ref(Ref { null: true, ..from }), depth))
            }
            8 => {
                let sign = self.s.pick(&["s", "u"]).unwrap_or("s");
                format!("(i31.get_{sign} {})", self.receiver(Heap::I31, depth))
            }
            9 => format!("(array.len {})", self.receiver(Heap::Array, depth)),
            10 => format!("(call $hash_any {})", self.expr(any(Heap::Any), depth)),
            11 => {
                let n = self.s.below(env.tables.len());
                env.tables[n].width.wrapped(format!("(table.size $tab{n})"))
            }
            12 => format!("(i32x4.extract_lane 1 {})", self.expr(Val::V128, depth)),
            _ => format!("(i32.load16_s $m0 {})", self.address(depth)),
        }
    }

    /// Some reference type.
    pub fn any_ref(&mut self) -> Ref {
        match self.s.below(5) {
            0 => nullable(Heap::Any),
            1 => nullable(self.env.types.abstract_heap(self.s)),
            2 => non_null(Heap::Type(self.s.below(self.env.types.all.len()))),
            _ => nullable(Heap::Type(self.s.below(self.env.types.all.len()))),
        }
    }

    /// A value for a field.
    pub fn stored(&mut self, storage: Storage, depth: usize) -> String {
        self.expr(storage.unpacked(), depth)
    }
}
