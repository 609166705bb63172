//! Expressions that give references: new objects, casts with a way out, conversions.

use super::func::{Func, is_bytes};
use super::types::{Composite, Field, Heap, Ref, Val, nullable};

impl Func<'_, '_, '_> {
    /// An expression of a reference type.
    pub fn reference(&mut self, r: Ref, depth: usize) -> String {
        if self.env.types.top(r.heap) == Heap::Exn {
            return self.exception(r, depth);
        }
        match self.s.below(12) {
            0..=5 => self.object(r, depth),
            6 => self.cast(r, depth),
            7 => self.branch_on_cast(r, depth),
            8 => self.branch_on_cast_fail(r, depth),
            9 => self.branch_on_null(r, depth),
            10 => self.branch_on_non_null(r, depth),
            _ => self.converted(r, depth),
        }
    }

    /// A new object, most of the time.
    fn object(&mut self, r: Ref, depth: usize) -> String {
        let heap = self.env.types.below(self.s, r.heap);
        match heap {
            Heap::I31 => format!("(ref.i31 {})", self.expr(Val::I32, depth)),
            Heap::Type(t) if self.env.types.top(heap) == Heap::Any => self.new_object(t, depth),
            _ => self.leaf(Val::Ref(r), 1),
        }
    }

    fn new_object(&mut self, t: usize, depth: usize) -> String {
        let env = self.env;
        match &env.types.all[t].composite {
            Composite::Struct(fields) => {
                let default = fields.iter().all(|field| field.storage.unpacked().is_defaultable());
                if default && self.s.chance(25) {
                    return format!("(struct.new_default $t{t})");
                }
                let types: Vec<Val> = fields.iter().map(|field| field.storage.unpacked()).collect();
                format!("(struct.new $t{t} {})", self.values(&types, depth))
            }
            Composite::Array(element) => self.new_array(t, *element, depth),
            Composite::Func { .. } => unreachable!("an object type"),
        }
    }

    fn new_array(&mut self, t: usize, element: Field, depth: usize) -> String {
        let ty = element.storage.unpacked();
        match self.s.below(5) {
            0 if ty.is_defaultable() => format!("(array.new_default $t{t} {})", self.length(depth)),
            1 if is_bytes(&element) => {
                let data = self.s.below(self.env.datas.len());
                let offset = self.s.below(self.env.datas[data] / 4 + 1);
                let len = self.s.below(self.env.datas[data] / 8 + 1);
                format!("(array.new_data $t{t} $d{data} (i32.const {offset}) (i32.const {len}))")
            }
            2 => self.new_from_elements(t, ty).unwrap_or_else(|| self.new_fixed(t, ty, depth)),
            3 => self.new_fixed(t, ty, depth),
            _ => format!("(array.new $t{t} {} {})", self.expr(ty, depth), self.length(depth)),
        }
    }

    fn new_fixed(&mut self, t: usize, ty: Val, depth: usize) -> String {
        let len = self.s.below(6);
        format!("(array.new_fixed $t{t} {len} {})", self.values(&vec![ty; len], depth))
    }

    /// A segment whose elements an array can hold. Active ones are empty by now.
    pub fn segment(&mut self, ty: Val) -> Option<usize> {
        let env = self.env;
        let fits = |e: &usize| env.types.matches(Val::Ref(env.elems[*e].ty), ty);
        let all: Vec<usize> = (0..env.elems.len()).filter(fits).collect();
        self.s.pick(&all)
    }

    fn new_from_elements(&mut self, t: usize, ty: Val) -> Option<String> {
        let e = self.segment(ty)?;
        let len = self.s.below(self.env.elems[e].len + 1);
        Some(format!("(array.new_elem $t{t} $e{e} (i32.const 0) (i32.const {len}))"))
    }

    /// The length of a new array: mostly small, sometimes a large object.
    pub fn length(&mut self, depth: usize) -> String {
        match self.s.below(24) {
            0..=15 => format!("(i32.const {})", self.s.below(12)),
            16..=21 => format!("(i32.and {} (i32.const 15))", self.expr(Val::I32, depth.min(1))),
            22 => format!("(i32.const {})", self.s.between(60, 700)),
            _ => format!("(i32.const {})", self.s.between(1500, 4000)),
        }
    }

    /// A cast that may fail.
    fn cast(&mut self, r: Ref, depth: usize) -> String {
        if self.s.chance(30) && !r.null {
            return format!("(ref.as_non_null {})", self.expr(Val::Ref(Ref { null: true, ..r }), depth));
        }
        let from = self.wider(r);
        // Mostly of something that is known to be right.
        let object = if self.s.chance(75) { self.expr(Val::Ref(r), depth) } else { self.expr(from, depth) };
        format!("(ref.cast {r} {object})")
    }

    /// A type that this one matches.
    fn wider(&mut self, r: Ref) -> Val {
        let mut above = vec![self.env.types.top(r.heap)];
        if let Heap::Type(t) = r.heap {
            above.extend(self.env.types.all[t].supertype.map(Heap::Type));
        }
        let heap = self.s.pick(&above).unwrap_or(r.heap);
        Val::Ref(nullable(heap))
    }

    /// `(block $l (result r) (drop (br_on_cast $l from r …)) …)`
    fn branch_on_cast(&mut self, r: Ref, depth: usize) -> String {
        let from = self.wider(r);
        let (name, inside) = self
            .labelled(&[Val::Ref(r)], |f| format!("{})) {}", f.expr(from, depth), f.expr(Val::Ref(r), depth.min(2))));
        format!("(block {name} (result {r}) (drop (br_on_cast {name} {from} {r} {inside})")
    }

    /// `(block $out (result r) (block $fail (result from) (br $out (br_on_cast_fail $fail from r …))) (drop) …)`
    fn branch_on_cast_fail(&mut self, r: Ref, depth: usize) -> String {
        let from = self.wider(r);
        let (out, ((fail, object), other)) = self.labelled(&[Val::Ref(r)], |f| {
            let object = f.labelled(&[from], |f| f.expr(from, depth));
            (object, f.expr(Val::Ref(r), depth.min(2)))
        });
        format!(
            "(block {out} (result {r}) (block {fail} (result {from}) \
             (br {out} (br_on_cast_fail {fail} {from} {r} {object}))) (drop) {other})"
        )
    }

    /// `(block $out (result r) (block $null (br $out (br_on_null $null …))) …)`
    pub fn branch_on_null(&mut self, r: Ref, depth: usize) -> String {
        let null = self.name();
        let object = self.expr(Val::Ref(Ref { null: true, ..r }), depth);
        let other = self.expr(Val::Ref(r), depth.min(2));
        let out = self.name();
        format!("(block {out} (result {r}) (block {null} (br {out} (br_on_null {null} {object}))) {other})")
    }

    /// `(block $l (result r) (br_on_non_null $l …) …)`
    pub fn branch_on_non_null(&mut self, r: Ref, depth: usize) -> String {
        let name = self.name();
        let object = self.expr(Val::Ref(Ref { null: true, ..r }), depth);
        let other = self.expr(Val::Ref(r), depth.min(2));
        format!("(block {name} (result {r}) (br_on_non_null {name} {object}) {other})")
    }

    fn converted(&mut self, r: Ref, depth: usize) -> String {
        match r.heap {
            Heap::Any if r.null && self.s.chance(40) => {
                let number = self.expr(Val::I32, depth.min(1));
                format!("(call $host_any {number} {})", self.expr(Val::Ref(r), depth))
            }
            Heap::Extern if r.null && self.s.chance(40) => {
                format!("(call $host_extern {})", self.expr(Val::Ref(r), depth))
            }
            Heap::Func if r.null => format!("(call $host_func {} (i32.const 1))", self.expr(Val::Ref(r), depth)),
            Heap::Any => {
                let inner = self.expr(Val::Ref(Ref { heap: Heap::Extern, ..r }), depth);
                format!("(any.convert_extern {inner})")
            }
            Heap::Extern => {
                let inner = self.expr(Val::Ref(Ref { heap: Heap::Any, ..r }), depth);
                format!("(extern.convert_any {inner})")
            }
            _ => self.object(r, depth),
        }
    }
}
