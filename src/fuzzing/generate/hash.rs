//! Functions that make a number of everything that a reference reaches: how objects are compared.
//!
//! They are themselves a test of casts, as they find out the type of each object by casts.

use super::module::Env;
use super::types::{Composite, Field, Heap, Storage, Val};
use std::fmt::Write;

/// Counts a tick down and gives what is left.
pub const TICK: &str = "  (func $tick (result i32)
    (global.set $ticks (i32.sub (global.get $ticks) (i32.const 1)))
    (global.get $ticks))
";

/// Objects that one hash visits at most.
const VISITS: u32 = 150;
/// How deep it looks.
const DEPTH: u32 = 5;
/// Elements of an array that it looks at.
const ELEMENTS: u32 = 24;

/// Appends `$hash_any`, and of the others those that are called.
pub fn append(text: &mut String, env: &Env) {
    any(text, env);
    if env.exnref && text.contains("(call $hash_ex") {
        exceptions(text, env);
    }
    if text.contains("(call $hash_func ") {
        func(text, env);
    }
}

/// `$hash`, which has a depth, and `$hash_any`.
fn any(text: &mut String, env: &Env) {
    text.push_str("  (func $hash (param $v anyref) (param $d i32) (result i32)\n    (local $h i32) (local $i i32)\n");
    for (t, _) in objects(env) {
        let _ = writeln!(text, "    (local $c{t} (ref null $t{t}))");
    }
    text.push_str(
        "    (global.set $hashes (i32.sub (global.get $hashes) (i32.const 1)))
    (if (ref.is_null (local.get $v)) (then (return (i32.const 1))))
    (if (ref.test (ref i31) (local.get $v))
      (then (return (i32.add (i32.const 2) (i31.get_s (ref.cast (ref i31) (local.get $v)))))))
    (if (i32.or (i32.lt_s (local.get $d) (i32.const 0)) (i32.lt_s (global.get $hashes) (i32.const 0)))
      (then (return (i32.const 3))))\n",
    );
    let objects: Vec<_> = objects(env).collect();
    for &(t, composite) in objects.iter().rev() {
        object(text, env, t, composite);
    }
    text.push_str("    (i32.const 4))\n");
    let _ = writeln!(
        text,
        "  (func $hash_any (param $v anyref) (result i32)
    (global.set $hashes (i32.const {VISITS}))
    (call $hash (local.get $v) (i32.const {DEPTH})))"
    );
}

fn func(text: &mut String, env: &Env) {
    text.push_str("  (func $hash_func (param $v funcref) (result i32)\n    (local $h i32)\n");
    text.push_str("    (local.set $h (ref.is_null (local.get $v)))\n");
    for (t, ..) in env.types.funcs() {
        let test = format!("(ref.test (ref $t{t}) (local.get $v))");
        let _ = writeln!(text, "    (local.set $h (i32.add (i32.shl (local.get $h) (i32.const 1)) {test}))");
    }
    text.push_str("    (local.get $h))\n");
}

fn objects(env: &Env) -> impl Iterator<Item = (usize, &Composite)> {
    let all = env.types.all.iter().enumerate().map(|(t, ty)| (t, &ty.composite));
    all.filter(|(_, composite)| !matches!(composite, Composite::Func { .. }))
}

/// Returns the hash of an object that is of type `t`, and goes on if it is not.
fn object(text: &mut String, env: &Env, t: usize, composite: &Composite) {
    let _ = writeln!(text, "    (block $no{t} (result anyref)");
    let _ = writeln!(text, "      (br_on_cast_fail $no{t} anyref (ref $t{t}) (local.get $v))");
    let _ = writeln!(text, "      (local.set $c{t})\n      (local.set $h (i32.const {}))", (t as i32 + 1) * 1000003);
    let mix = |value: String| format!("(local.set $h (i32.add (i32.mul (local.get $h) (i32.const 31)) {value}))");
    match composite {
        Composite::Struct(fields) => {
            for (n, field) in fields.iter().enumerate() {
                let get = format!("(struct.get{} $t{t} {n} (local.get $c{t}))", sign(field, n));
                let _ = writeln!(text, "      {}", mix(number(env, field.storage.unpacked(), &get, true)));
            }
        }
        Composite::Array(element) => {
            let len = format!("(array.len (local.get $c{t}))");
            let get = format!("(array.get{} $t{t} (local.get $c{t}) (local.get $i))", sign(element, t));
            let _ = writeln!(
                text,
                "      {}
      (local.set $i (i32.const 0))
      (block $out{t} (loop $next{t}
        (br_if $out{t} (i32.ge_u (local.get $i) {len}))
        (br_if $out{t} (i32.ge_u (local.get $i) (i32.const {ELEMENTS})))
        {}
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next{t})))",
                mix(len.clone()),
                mix(number(env, element.storage.unpacked(), &get, true)),
            );
        }
        Composite::Func { .. } => {}
    }
    text.push_str("      (return (local.get $h)))\n    (drop)\n");
}

/// `$hash_exn`, which has a depth, and `$hash_exception`: they throw an exception to see its payload.
fn exceptions(text: &mut String, env: &Env) {
    let mut body = String::from("(try_table");
    for tag in 0..env.tags.len() {
        let _ = write!(body, " (catch $x{tag} $p{tag})");
    }
    body.push_str(" (catch_all $all) (throw_ref (local.get $v)))");
    for (tag, payload) in env.tags.iter().enumerate() {
        let results: String = payload.iter().map(|ty| format!(" (result {ty})")).collect();
        body = format!("(block $p{tag}{results} {body} (unreachable))\n      (local.set $h (i32.const {}))", tag + 8);
        for &ty in payload.iter().rev() {
            let mixed = "(i32.add (i32.mul (local.get $h) (i32.const 31)))";
            let _ = write!(body, "\n      {} {mixed} (local.set $h)", number(env, ty, "", true));
        }
        body.push_str("\n      (return (local.get $h))");
    }
    let _ = writeln!(
        text,
        "  (func $hash_exn (param $v exnref) (param $d i32) (result i32)
    (local $h i32)
    (if (ref.is_null (local.get $v)) (then (return (i32.const 5))))
    (if (i32.lt_s (local.get $d) (i32.const 0)) (then (return (i32.const 6))))
    (block $all
      {body})
    (i32.const 7))
  (func $hash_exception (param $v exnref) (result i32)
    (global.set $hashes (i32.const {VISITS}))
    (call $hash_exn (local.get $v) (i32.const {DEPTH})))"
    );
}

/// How a field is read: packed ones with and without sign.
pub fn sign(field: &Field, n: usize) -> &'static str {
    match field.storage {
        Storage::I8 | Storage::I16 => ["_s", "_u"][n % 2],
        Storage::Val(_) => "",
    }
}

/// An `i32` of a value: inside of `$hash`, one level deeper, or from outside.
fn number(env: &Env, ty: Val, get: &str, inside: bool) -> String {
    let fold = |get: &str| format!("(i32.wrap_i64 (i64.mul {get} (i64.const 0x100000001b3)))");
    let any = |get: &str| match inside {
        true => format!("(call $hash {get} (i32.sub (local.get $d) (i32.const 1)))"),
        false => format!("(call $hash_any {get})"),
    };
    match ty {
        Val::I32 => get.to_string(),
        Val::I64 => fold(get),
        Val::F32 => format!("(i32.reinterpret_f32 {get})"),
        Val::F64 => fold(&format!("(i64.reinterpret_f64 {get})")),
        Val::V128 => format!("(i32x4.extract_lane 2 {get})"),
        Val::Ref(r) => match env.types.top(r.heap) {
            Heap::Func => format!("(call $hash_func {get})"),
            Heap::Extern => any(&format!("(any.convert_extern {get})")),
            Heap::Exn if inside => format!("(call $hash_exn {get} (i32.sub (local.get $d) (i32.const 1)))"),
            Heap::Exn => format!("(call $hash_exception {get})"),
            _ => any(get),
        },
    }
}

/// An `i32` of any value.
pub fn hash_of(env: &Env, ty: Val, get: &str) -> String {
    number(env, ty, get, false)
}

/// The export `state`.
pub fn state(env: &Env) -> String {
    let mut text = String::from("  (func (export \"state\") (result i32)\n    (local $h i32) (local $i i32)\n");
    let mix = |value: String| format!("(local.set $h (i32.add (i32.mul (local.get $h) (i32.const 31)) {value}))");
    for (n, global) in env.globals.iter().enumerate() {
        let get = format!("(global.get $g{n})");
        let _ = writeln!(text, "    {}", mix(hash_of(env, global.ty, &get)));
    }
    for (n, table) in env.tables.iter().enumerate() {
        let get = format!("(table.get $tab{n} {})", table.width.of("(local.get $i)".into()));
        let size = table.width.wrapped(format!("(table.size $tab{n})"));
        let hash = hash_of(env, Val::Ref(table.elem), &get);
        let _ = writeln!(
            text,
            "    {}
    (local.set $i (i32.const 0))
    (block $out{n} (loop $next{n}
      (br_if $out{n} (i32.ge_u (local.get $i) {size}))
      {}
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next{n})))",
            mix(size.clone()),
            mix(hash),
        );
    }
    text.push_str("    (local.get $h))\n");
    text
}
