//! Statements: everything that writes. Control flow is in `branch.rs`.

use super::func::{Func, is_bytes};
use super::module::Table;
use super::types::{Composite, Field, Heap, Ref, Storage, Val, non_null};

impl Func<'_, '_, '_> {
    /// Up to `most` statements.
    pub fn stmts(&mut self, depth: usize, most: usize) -> String {
        let count = self.s.below(most + 1);
        let all: Vec<String> = (0..count).map(|_| self.stmt(depth)).collect();
        all.join("\n    ")
    }

    /// A statement: it leaves nothing on the stack.
    pub fn stmt(&mut self, depth: usize) -> String {
        if depth == 0 || !self.spend() {
            return "(nop)".into();
        }
        let depth = depth - 1;
        if !self.env.tags.is_empty() && self.s.chance(30) {
            return self.exceptional(depth);
        }
        let stmt = match self.s.below(38) {
            0..=5 => self.set_local(depth),
            6..=7 => self.set_global(depth),
            8..=11 => self.set_field(depth),
            12..=14 => self.set_element(depth),
            15..=16 => self.bulk_array(depth),
            17..=18 => self.write_table(depth),
            19..=20 => self.bulk_table(depth),
            21..=22 => Some(self.branching(depth)),
            23 => Some(self.looping(depth)),
            24 => Some(self.switching(depth)),
            25 => self.branch(depth),
            26 => self.call_statement(depth),
            27 => Some(self.write_memory(depth)),
            28 => Some(self.dropped(depth)),
            29 => Some(self.rare(depth)),
            30..=31 => self.rename(),
            32..=33 => self.update(depth),
            34 => self.table_branch(depth),
            35 => self.guarded(depth),
            36 => self.counting(depth),
            _ => self.typed_switching(depth),
        };
        stmt.unwrap_or_else(|| self.dropped(depth))
    }

    fn dropped(&mut self, depth: usize) -> String {
        let r = self.any_ref();
        format!("(drop {})", self.expr(Val::Ref(r), depth))
    }

    fn set_local(&mut self, depth: usize) -> Option<String> {
        let local = self.local(|_, _| true)?;
        let value = self.expr(self.locals[local], depth);
        Some(format!("(local.set {local} {value})"))
    }

    /// A local gets another's value: from here on there are two names for one object.
    fn rename(&mut self) -> Option<String> {
        let to = self.local(|_, _| true)?;
        let ty = self.locals[to];
        let from = self.local(|f, from| f.env.types.matches(from, ty)).filter(|&from| from != to)?;
        Some(format!("(local.set {to} (local.get {from}))"))
    }

    /// A number in an object is changed by what it is: a load, then a store of the same field.
    fn update(&mut self, depth: usize) -> Option<String> {
        let struct_of = |ty| match ty {
            Val::Ref(Ref { heap: Heap::Type(t), null }) => Some((t, null)),
            _ => None,
        };
        let object = self.local(|_, ty| struct_of(ty).is_some())?;
        let (t, null) = struct_of(self.locals[object])?;
        let Composite::Struct(fields) = &self.env.types.all[t].composite else { return None };
        let number = |field: &Field| field.mutable && matches!(field.storage, Storage::Val(Val::I32 | Val::I64));
        let all: Vec<usize> = (0..fields.len()).filter(|&n| number(&fields[n])).collect();
        let n = self.s.pick(&all)?;
        let ty = fields[n].storage.unpacked();
        let by = self.expr(ty, depth.min(2));
        let old = format!("(struct.get $t{t} {n} (local.get {object}))");
        let set = format!("(struct.set $t{t} {n} (local.get {object}) ({ty}.add {old} {by}))");
        let traps = !null || self.s.chance(self.env.nulls);
        Some(match traps {
            true => set,
            false => format!("(if (ref.is_null (local.get {object})) (then) (else {set}))"),
        })
    }

    fn set_global(&mut self, depth: usize) -> Option<String> {
        let all: Vec<usize> = (0..self.env.globals.len()).filter(|&n| self.env.globals[n].mutable).collect();
        let n = self.s.pick(&all)?;
        Some(format!("(global.set $g{n} {})", self.expr(self.env.globals[n].ty, depth)))
    }

    fn set_field(&mut self, depth: usize) -> Option<String> {
        let mut all = vec![];
        for (t, fields) in self.env.types.structs() {
            let mutable = fields.iter().enumerate().filter(|(_, field)| field.mutable);
            all.extend(mutable.map(|(n, field)| (t, n, field.storage)));
        }
        let (t, n, storage) = self.s.pick(&all)?;
        let object = self.receiver(Heap::Type(t), depth);
        Some(format!("(struct.set $t{t} {n} {object} {})", self.stored(storage, depth)))
    }

    fn mutable_array(&mut self) -> Option<(usize, Field)> {
        let all: Vec<(usize, Field)> = self.env.types.arrays().filter(|(_, element)| element.mutable).collect();
        self.s.pick(&all)
    }

    fn set_element(&mut self, depth: usize) -> Option<String> {
        let (t, element) = self.mutable_array()?;
        let (array, index) = self.array_and_index(t, depth);
        Some(format!("(array.set $t{t} {array} {index} {})", self.stored(element.storage, depth)))
    }

    fn bulk_array(&mut self, depth: usize) -> Option<String> {
        let (t, element) = self.mutable_array()?;
        let ty = element.storage.unpacked();
        let (array, index) = self.array_and_index(t, depth);
        let len = if self.s.chance(70) { self.s.below(2) } else { self.s.below(6) };
        let len = format!("(i32.const {len})");
        match self.s.below(3) {
            0 => Some(format!("(array.fill $t{t} {array} {index} {} {len})", self.expr(ty, depth))),
            1 => {
                let env = self.env;
                let fits = |from: Storage| match (from, element.storage) {
                    (Storage::Val(from), Storage::Val(to)) => env.types.matches(from, to),
                    (from, to) => from == to,
                };
                let all: Vec<usize> =
                    env.types.arrays().filter(|(_, from)| fits(from.storage)).map(|(t, _)| t).collect();
                let source = self.s.pick(&all)?;
                // Not null: where the destination is out of bounds, too, engines differ in which trap is first.
                let from = self.expr(Val::Ref(non_null(Heap::Type(source))), depth);
                let at = self.s.below(3);
                Some(format!("(array.copy $t{t} $t{source} {array} {index} {from} (i32.const {at}) {len})"))
            }
            _ if is_bytes(&element) => {
                let data = self.s.below(self.env.datas.len());
                Some(format!("(array.init_data $t{t} $d{data} {array} {index} (i32.const 0) {len})"))
            }
            _ => {
                let e = self.segment(ty)?;
                Some(format!("(array.init_elem $t{t} $e{e} {array} {index} (i32.const 0) {len})"))
            }
        }
    }

    fn write_table(&mut self, depth: usize) -> Option<String> {
        let n = self.s.below(self.env.tables.len());
        let Table { elem, min, width } = self.env.tables[n];
        let value = self.expr(Val::Ref(elem), depth);
        let mut up_to = |most: usize| {
            let number = self.s.below(most + 1);
            (number, width.near(self.s, number))
        };
        Some(match up_to(4).0 {
            0 => format!("(drop (table.grow $tab{n} {value} {}))", up_to(3).1),
            1 => {
                let (start, at) = up_to(min);
                format!("(table.fill $tab{n} {at} {value} {})", up_to(min - start).1)
            }
            _ if min > 0 => format!("(table.set $tab{n} {} {value})", up_to(min - 1).1),
            _ => return None,
        })
    }

    fn bulk_table(&mut self, depth: usize) -> Option<String> {
        let env = self.env;
        let n = self.s.below(env.tables.len());
        let Table { elem, min, width } = env.tables[n];
        let to = Val::Ref(elem);
        let at = format!("(i32.and {} (i32.const 3))", self.expr(Val::I32, depth.min(1)));
        if self.s.chance(50) {
            let e = self.segment(to)?;
            let len = self.s.below(env.elems[e].len.min(min) + 1);
            let at = width.near(self.s, min - len);
            return Some(format!("(table.init $tab{n} $e{e} {at} (i32.const 0) (i32.const {len}))"));
        }
        let all: Vec<usize> =
            (0..env.tables.len()).filter(|&m| env.types.matches(Val::Ref(env.tables[m].elem), to)).collect();
        let source = self.s.pick(&all)?;
        let from = &env.tables[source];
        let len = self.s.below(from.min.min(min) + 1);
        let (at, start) = match self.s.chance(25) {
            true => (width.of(at), 0),
            false => {
                let at = self.s.below(min - len + 1);
                (width.near(self.s, at), self.s.below(from.min - len + 1))
            }
        };
        let (start, len) = (from.width.near(self.s, start), width.min(from.width).near(self.s, len));
        Some(format!("(table.copy $tab{n} $tab{source} {at} {start} {len})"))
    }

    fn call_statement(&mut self, depth: usize) -> Option<String> {
        let all: Vec<(usize, usize)> = self.env.types.funcs().map(|(t, _, results)| (t, results.len())).collect();
        let (t, results) = self.s.pick(&all)?;
        Some(format!("{} {}", self.call("", t, depth), "(drop)".repeat(results)))
    }

    /// A tail call, if some function has fitting results.
    pub fn tail_call(&mut self) -> Option<String> {
        let env = self.env;
        // What returns `nofunc` can not be called so once it is lowered, unless it is the type itself.
        let nofunc = |val: Val| matches!(val, Val::Ref(Ref { heap: Heap::NoFunc, .. }));
        let fits = |results: &[Val]| {
            results.len() == self.results.len()
                && results.iter().zip(&self.results).all(|(a, b)| env.types.matches(*a, *b) && (a == b || !nofunc(*a)))
        };
        let all: Vec<usize> = env.types.funcs().filter(|(_, _, results)| fits(results)).map(|(t, ..)| t).collect();
        let t = self.s.pick(&all)?;
        Some(self.call("return_", t, 3))
    }

    fn write_memory(&mut self, depth: usize) -> String {
        let at = self.address(depth);
        let second = self.env.second;
        match self.s.below(5) {
            0 => format!("(i64.store $m1 {} {})", second.of(at), self.expr(Val::I64, depth)),
            1 => {
                let value = self.expr(Val::I32, depth);
                format!("(memory.fill $m1 {} {value} {})", second.of(at), second.number(3))
            }
            2 => format!("(memory.copy $m0 $m1 {at} {} (i32.const 7))", second.number(100)),
            3 => format!("(memory.init $m0 $d0 {at} (i32.const 0) (i32.const 1))"),
            _ => format!("(i32.store16 $m0 {at} {})", self.expr(Val::I32, depth)),
        }
    }

    fn rare(&mut self, depth: usize) -> String {
        match self.s.below(6) {
            0 => "(drop (memory.grow $m0 (i32.const 1)))".into(),
            1 => format!("(elem.drop $e{})", self.s.below(self.env.elems.len())),
            2 => "(data.drop $d1)".into(),
            3 => format!("(if {} (then (unreachable)))", self.expr(Val::I32, depth)),
            _ => self.branching(depth),
        }
    }
}
