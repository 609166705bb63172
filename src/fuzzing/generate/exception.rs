//! Throws and handlers, of the standard and of the proposal before it.
//!
//! One construct is rendered in two ways, by the same decisions:
//!
//! ```wat
//! (block $out                                (block $out
//!   (block $h (result i32 exnref)              try $t
//!     (try_table (catch_ref $x $h) …)            …
//!     (br $out))                               catch $x
//!   (local.set $e)                               …
//!   … (throw_ref (local.get $e))                 … (rethrow $t)
//!   (br $out))                                 end)
//! ```
//!
//! `delegate` to a construct is a `catch_all_ref` to a block inside of it, behind which is a `throw_ref`.

use super::func::{ENDED, Func};
use super::hash;
use super::module::Exceptions;
use super::types::{Heap, Ref, Val, nullable};
use std::fmt::Write;

/// A construct whose handlers are around.
pub struct Try {
    name: String,
    /// Whether something in it delegates to it.
    delegated: bool,
}

/// A clause: what it catches, and the handler, or the label of a block around.
struct Clause {
    tag: Option<usize>,
    with_ref: bool,
    to: Result<Handler, String>,
}

struct Handler {
    label: String,
    /// Whether the exception is thrown again by it.
    caught: Option<usize>,
    code: String,
}

const EXNREF: Val = Val::Ref(nullable(Heap::Exn));

impl Func<'_, '_, '_> {
    fn is_legacy(&self) -> bool {
        self.env.exceptions == Exceptions::Legacy
    }

    /// A statement that throws, or catches.
    pub fn exceptional(&mut self, depth: usize) -> String {
        match self.s.below(15) {
            0..=6 => self.try_catch(None, depth),
            7..=9 => {
                let condition = self.rarely(depth);
                format!("(if {condition} (then {}))", self.throw(depth))
            }
            10 => self.delegating(depth),
            11 => self.trying_again(depth),
            12 => "(call $host_call (ref.func $back))".into(),
            13 if self.env.exnref => self.throw_ref(depth),
            _ => {
                let condition = self.rarely(depth);
                let call = self.tail_call().unwrap_or_else(|| self.throw(depth));
                format!("(if {condition} (then {call}))")
            }
        }
    }

    fn rarely(&mut self, depth: usize) -> String {
        match self.s.below(3) {
            0 => "(i32.and (global.get $ticks) (i32.const 1))".into(),
            1 => format!("(i32.eqz (i32.and {} (i32.const 1)))", self.expr(Val::I32, depth.min(2))),
            _ => self.expr(Val::I32, depth.min(2)),
        }
    }

    fn throw(&mut self, depth: usize) -> String {
        let tag = self.s.below(self.env.tags.len());
        let payload = self.values(&self.env.tags[tag].clone(), depth.min(3));
        format!("{} (throw $x{tag} {payload})", count("throws"))
    }

    /// A value, or a throw in its place.
    pub fn throw_for(&mut self, ty: Val, depth: usize) -> String {
        let condition = self.rarely(depth);
        let (value, throw) = (self.expr(ty, depth), self.throw(depth));
        format!("(if (result {ty}) {condition} (then {throw}) (else {value}))")
    }

    /// Throws an exception again that is somewhere, unless there is none: then seldom.
    fn throw_ref(&mut self, depth: usize) -> String {
        let exn = self.expr(EXNREF, depth);
        let count = count("throws");
        if self.s.chance(8) {
            let condition = self.rarely(depth);
            return format!("(if {condition} (then {count} (throw_ref {exn})))");
        }
        let none = self.name();
        format!("(block {none} (br_on_null {none} {exn}) {count} (throw_ref))")
    }

    /// A reference to an exception.
    pub fn exception(&mut self, r: Ref, depth: usize) -> String {
        let (null, exn) = (r.null, r.heap == Heap::Exn);
        match self.s.below(8) {
            0 if null => self.branch_on_null(r, depth),
            1 if null => self.branch_on_non_null(r, depth),
            2 if null && exn => {
                let (name, body) = (self.name(), self.stmts(depth, 3));
                format!("(block {name} (result {r}) (try_table (catch_all_ref {name}) {body}) (ref.null exn))")
            }
            _ if exn => {
                let (name, throw) = (self.name(), self.throw(depth));
                format!("(block {name} (result (ref exn)) (try_table (catch_all_ref {name}) {throw}) (unreachable))")
            }
            _ => self.leaf(Val::Ref(r), 1),
        }
    }

    /// A loop whose body starts again when it throws, as long as there are ticks.
    fn trying_again(&mut self, depth: usize) -> String {
        let (out, again) = (self.name(), self.name());
        let body = self.stmts(depth, 4);
        let stop = format!("(br_if {out} {ENDED})");
        let body = match self.is_legacy() {
            true => format!("try {body} catch_all (br {again}) end"),
            false => format!("(try_table (catch_all {again}) {body})"),
        };
        format!("(block {out} (loop {again} {stop} {body}))")
    }

    /// What is thrown in it is caught as if it were thrown in a construct around, in no other between.
    fn delegating(&mut self, depth: usize) -> String {
        let at = self.s.below(self.tries.len());
        let Some(to) = self.tries.get_mut(at) else { return self.try_catch(None, depth) };
        to.delegated = true;
        let to = to.name.clone();
        let (name, body) = (self.name(), self.stmts(depth, 4));
        match self.is_legacy() {
            true => format!("try {name} {body} delegate {to}"),
            false => format!("(try_table {name} (catch_all_ref {to}d) {body})"),
        }
    }

    /// A construct with handlers, whose result is of this type.
    pub fn try_catch(&mut self, ty: Option<Val>, depth: usize) -> String {
        let types: Vec<Val> = ty.into_iter().collect();
        let result = results(&types);
        let (out, (name, body, clauses)) = self.labelled(&types, |f| {
            let (name, body) = f.tried(&types, depth);
            let mut clauses = vec![];
            for _ in 0..f.s.weighted(&[(1, 0), (4, 1), (4, 2), (2, 3)]) {
                let tag = f.s.below(f.env.tags.len());
                clauses.push(f.clause(Some(tag), &name, &types, depth));
            }
            if f.s.chance(50) {
                clauses.push(f.clause(None, &name, &types, depth));
            }
            (name, body, clauses)
        });
        let inside = match self.is_legacy() {
            true => legacy(&name, &result, &body, &clauses),
            false => self.standard(&out, &result, &body, &clauses),
        };
        format!("(block {out}{result} {inside})")
    }

    /// What is inside of a construct, and the construct's name.
    fn tried(&mut self, types: &[Val], depth: usize) -> (String, String) {
        let name = self.name();
        self.tries.push(Try { name: name.clone(), delegated: false });
        let statements = self.stmts(depth, 4);
        let end = match self.s.chance(35) {
            true => self.throw(depth),
            false => self.values(types, depth),
        };
        let mut body = format!("{statements} {end}");
        let delegated = self.tries.pop().is_some_and(|this| this.delegated);
        if delegated && !self.is_legacy() {
            let result = results(types);
            body = format!("(block {name}k{result} (block {name}d (result exnref) {body} (br {name}k)) (throw_ref))");
        }
        (name, body)
    }

    fn clause(&mut self, tag: Option<usize>, name: &str, types: &[Val], depth: usize) -> Clause {
        let env = self.env;
        let payload = tag.map(|tag| env.tags[tag].clone()).unwrap_or_default();
        let with_ref = env.exnref && self.s.chance(35);
        let mut values = payload.clone();
        values.extend(with_ref.then_some(EXNREF));
        if env.exnref && self.s.chance(25) {
            let fits = |types: &[Val]| {
                types.len() == values.len()
                    && values.iter().zip(types).all(|(&value, &ty)| env.types.matches(value, ty))
            };
            let all: Vec<usize> = (0..self.labels.len()).filter(|&n| fits(&self.labels[n].types)).collect();
            if let Some(n) = self.s.pick(&all) {
                return Clause { tag, with_ref, to: Err(self.labels[n].name.clone()) };
            }
        }
        let label = self.name();
        let again = self.s.chance(25);
        let caught = (again || with_ref).then(|| {
            self.caught += 1;
            self.caught - 1
        });
        let mut code = String::new();
        if let (Some(n), false) = (caught, self.is_legacy()) {
            let _ = write!(code, "(local.set $e{n}) ");
            if let Some(local) = self.local(|f, has| f.env.exnref && f.env.types.matches(EXNREF, has)) {
                let _ = write!(code, "(local.set {local} (local.get $e{n})) ");
            }
        }
        self.bind(&payload, &mut code);
        code.push_str(&count("catches"));
        code.push_str(&self.stmts(depth, 3));
        if again {
            let condition = self.rarely(depth);
            let rethrow = match (self.is_legacy(), caught) {
                (false, Some(n)) => format!("(throw_ref (local.get $e{n}))"),
                _ => format!("(rethrow {name})"),
            };
            let _ = write!(code, "(if {condition} (then {} {rethrow}))", count("throws"));
        }
        code.push_str(&self.values(types, depth.min(2)));
        Clause { tag, with_ref: caught.is_some(), to: Ok(Handler { label, caught, code }) }
    }

    /// Takes a payload from the stack: into locals, or a hash.
    fn bind(&mut self, payload: &[Val], code: &mut String) {
        for &ty in payload.iter().rev() {
            let local = self.local(|f, has| f.env.types.matches(ty, has));
            let _ = match local.filter(|_| self.s.chance(80)) {
                Some(local) => write!(code, "(local.set {local}) "),
                None => {
                    let number = hash::hash_of(self.env, ty, "");
                    write!(
                        code,
                        "{number} (i32.add (i32.mul (global.get $caught) (i32.const 31))) (global.set $caught) "
                    )
                }
            };
        }
    }

    fn standard(&self, out: &str, result: &str, body: &str, clauses: &[Clause]) -> String {
        let mut text = format!("(try_table{result}");
        for clause in clauses {
            let label = clause.to.as_ref().map_or_else(|label| label, |handler| &handler.label);
            let with_ref = if clause.with_ref { "_ref" } else { "" };
            let _ = match clause.tag {
                Some(tag) => write!(text, " (catch{with_ref} $x{tag} {label})"),
                None => write!(text, " (catch_all{with_ref} {label})"),
            };
        }
        let _ = write!(text, " {body}) (br {out})");
        for clause in clauses {
            let Ok(handler) = &clause.to else { continue };
            let mut types = clause.tag.map(|tag| self.env.tags[tag].clone()).unwrap_or_default();
            types.extend(handler.caught.map(|_| EXNREF));
            let (label, values, code) = (&handler.label, results(&types), &handler.code);
            text = format!("(block {label}{values} {text})\n    {code} (br {out})");
        }
        text
    }
}

fn legacy(name: &str, result: &str, body: &str, clauses: &[Clause]) -> String {
    let mut text = format!("try {name}{result} {body}");
    for clause in clauses {
        let Ok(handler) = &clause.to else { continue };
        let _ = match clause.tag {
            Some(tag) => write!(text, "\n    catch $x{tag} {}", handler.code),
            None => write!(text, "\n    catch_all {}", handler.code),
        };
    }
    text.push_str(" end");
    text
}

fn results(types: &[Val]) -> String {
    types.iter().map(|ty| format!(" (result {ty})")).collect()
}

fn count(what: &str) -> String {
    format!("(global.set ${what} (i32.add (global.get ${what}) (i32.const 1)))")
}
