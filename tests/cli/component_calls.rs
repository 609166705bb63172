//! `run --invoke` of components: names and values as WAVE writes them.

use super::{Ran, run_module};

/// Functions over values of many types.
const VALUES: &str = r#"
(component
  (core module $main
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8))))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
    (func (export "same") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "flip") (param i32 i32) (result i32)
      (i32.store8 (i32.const 16) (i32.eqz (local.get 0)))
      (i32.store8 (i32.const 17) (local.get 1))
      (i32.const 16))
    (func (export "nothing"))
    (func (export "zero") (param i32) (result i32) (i32.const 0))
    (func (export "fail") unreachable))
  (core instance $main (instantiate $main))
  (func (export "add") (param "x" s32) (param "y" s32) (result s32) (canon lift (core func $main "add")))
  (func (export "half") (param "x" f64) (result f64) (canon lift (core func $main "half")))
  (func (export "same") (param "text" string) (result string)
    (canon lift (core func $main "same") (memory $main "memory") (realloc (func $main "realloc"))))
  (func (export "strings") (param "of" (list string)) (result (list string))
    (canon lift (core func $main "same") (memory $main "memory") (realloc (func $main "realloc"))))
  (type $pair' (record (field "on" bool) (field "level" u8)))
  (export $pair "pair" (type $pair'))
  (func (export "flip") (param "pair" $pair) (result $pair)
    (canon lift (core func $main "flip") (memory $main "memory")))
  (func (export "nothing") (canon lift (core func $main "nothing")))
  (func (export "fail") (canon lift (core func $main "fail")))
  (type $thing' (resource (rep i32)))
  (export $thing "thing" (type $thing'))
  (func (export "make") (param "x" s32) (result (own $thing)) (canon lift (core func $main "zero")))
  (func (export "take") (param "thing" (own $thing)) (result s32) (canon lift (core func $main "zero")))
  (func $quiet (canon lift (core func $main "nothing")))
  (instance $one (export "only-here" (func $quiet)) (export "twice" (func $quiet)))
  (export "ns:pkg/one@1.2.0" (instance $one))
  (instance $two (export "twice" (func $quiet)))
  (export "ns:pkg/two" (instance $two)))
"#;

fn call(text: &str) -> Ran {
    run_module(&["--invoke", text], VALUES)
}

#[test]
fn values_are_written_in_wave() {
    for (text, result) in [
        ("add(40, 2)", "42"),
        ("add(-1,-2)", "-3"),
        ("half(3)", "1.5"),
        ("half(nan)", "nan"),
        (r#"same("a \"b\" ä")"#, r#""a \"b\" ä""#),
        (r#"strings(["a", "b"])"#, r#"["a", "b"]"#),
        ("strings([])", "[]"),
        ("flip({on: true, level: 7})", "{on: false, level: 7}"),
        ("nothing()", "()"),
        ("only-here()", "()"),
        ("ns:pkg/one.twice@1.2.0()", "()"),
        ("ns:pkg/two.twice()", "()"),
    ] {
        let out = call(text);
        assert_eq!((out.code, out.stdout.trim_end(), out.stderr.as_str()), (0, result, ""), "{text}");
    }
}

#[test]
fn wrong_calls_are_errors() {
    for (text, why) in [
        ("add", "a function of a component is called by `NAME(ARGUMENTS)`"),
        ("add(1", "failed to parse `--invoke add(1`"),
        ("add(1)", "wrong arguments in `--invoke add(1)`"),
        ("add(1, 2, 3)", "wrong arguments"),
        ("add(1, \"two\")", "wrong arguments"),
        ("add(1, 4294967296)", "wrong arguments"),
        ("flip({on: true})", "wrong arguments"),
        ("subtract(1)", "no func export named `subtract` found, neither in the component nor in its instances"),
        ("ns:pkg/one.other@1.2.0()", "no func export named `ns:pkg/one.other@1.2.0` found"),
        ("one@2(1)", "failed to parse"),
        ("list([])", "`list` is no name of a function"),
        ("twice()", "say which one: `ns:pkg/one.twice@1.2.0`, `ns:pkg/two.twice`"),
        ("make(1)", "`make` has a result with a resource"),
        ("take(1)", "`take` has the parameter `thing` with a resource"),
    ] {
        let out = call(text);
        assert!(out.code == 1 && out.stdout.is_empty() && out.stderr.contains(why), "{text}: {out:?}");
    }
    let out = call("fail()");
    assert!(out.code == 134 && out.stderr.contains("failed to invoke `fail`"), "{out:?}");
}

/// Types whose values `wasm-wave` panics at, or does not read.
#[test]
fn types_without_values_are_refused() {
    let function = |param: &str, result: &str| {
        format!(
            r#"(component
                 (core module $m
                   (memory (export "memory") 1)
                   (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
                   (func (export "take") (param i32 i32))
                   (func (export "give") (result i32) (i32.const 0)))
                 (core instance $m (instantiate $m))
                 (func (export "take") (param "it" {param})
                   (canon lift (core func $m "take") (memory $m "memory") (realloc (func $m "realloc"))))
                 (func (export "give") (result {result}) (canon lift (core func $m "give") (memory $m "memory"))))"#
        )
    };
    let options = ["-W", "component-model-map,component-model-fixed-length-lists"];
    let run = |text: &str, component: &str| run_module(&[&options[..], &["--invoke", text]].concat(), component);
    let maps = function("(map string u8)", "(map string u8)");
    let out = run(r#"take([("a", 1)])"#, &maps);
    assert!(out.code == 1 && out.stderr.contains("`take` has the parameter `it` with a map"), "{out:?}");
    let out = run("give()", &maps);
    assert!(out.code == 1 && out.stderr.contains("`give` has a result with a map"), "{out:?}");
    let lists = function("(list u8 2)", "(tuple (list u8 2) (option string))");
    let out = run("take([1, 2])", &lists);
    assert!(out.code == 1 && out.stderr.contains("with a list of fixed length"), "{out:?}");
    let out = run("give()", &lists);
    assert_eq!((out.code, out.stdout.as_str()), (0, "([0, 0], none)\n"), "{}", out.stderr);
}
