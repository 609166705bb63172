//! Calls a function with arguments from the command line and prints its results.

use super::wasi::Host;
use super::{print, say};
use crate::api::{Func, Instance, Result, Store, Val, ValType};
use std::ffi::OsString;
use wasmtime::error::Context;
use wasmtime::{bail, format_err};

/// Calls the function that was asked for, or the module's main function if it has one.
pub(super) async fn main(
    store: &mut Store<Host>,
    instance: &Instance,
    name: Option<&str>,
    args: &[OsString],
) -> Result<()> {
    let func = match name {
        Some(name) => Some(
            instance.get_func(&mut *store, name).ok_or_else(|| format_err!("no func export named `{name}` found"))?,
        ),
        None => instance.get_func(&mut *store, "").or_else(|| instance.get_func(&mut *store, "_start")),
    };
    let Some(func) = func else { return Ok(()) };
    let what = name.map_or("command default".to_string(), |name| format!("`{name}`"));
    call(store, func, &what, args).await
}

async fn call(store: &mut Store<Host>, func: Func, what: &str, args: &[OsString]) -> Result<()> {
    let ty = func.ty(&*store);
    if ty.params().len() > 0 {
        warn("that takes arguments");
    }
    let mut args = args.iter();
    let mut params = Vec::new();
    for param in ty.params() {
        let Some(arg) = args.next() else { bail!("not enough arguments for {what}") };
        let arg = arg.to_str().with_context(|| format!("argument is not valid utf-8: {arg:?}"))?;
        params.push(parse(arg, &param).with_context(|| format!("failed to parse argument `{arg}`"))?);
    }
    let mut results = vec![Val::I32(0); ty.results().len()];
    func.call_async(&mut *store, &params, &mut results).await.with_context(|| format!("failed to invoke {what}"))?;
    if !results.is_empty() {
        warn("that returns values");
    }
    for result in &results {
        print(&(show(result) + "\n"))?;
    }
    Ok(())
}

fn warn(function: &str) {
    say(format_args!(
        "warning: using `--invoke` with a function {function} is experimental and may break in the future"
    ));
}

/// An argument. Integers are signed, decimal or, after `0x`, hexadecimal.
fn parse(arg: &str, ty: &ValType) -> Result<Val> {
    let hex = arg.strip_prefix("0x").or_else(|| arg.strip_prefix("0X"));
    Ok(match (ty, hex) {
        (ValType::I32, Some(hex)) => Val::I32(i32::from_str_radix(hex, 16)?),
        (ValType::I32, None) => Val::I32(arg.parse()?),
        (ValType::I64, Some(hex)) => Val::I64(i64::from_str_radix(hex, 16)?),
        (ValType::I64, None) => Val::I64(arg.parse()?),
        (ValType::F32, _) => Val::F32(arg.parse::<f32>()?.to_bits()),
        (ValType::F64, _) => Val::F64(arg.parse::<f64>()?.to_bits()),
        (other, _) => bail!("unsupported argument type {other}"),
    })
}

/// A result as `wasmtime` prints it.
fn show(val: &Val) -> String {
    let reference = |kind: &str, null: bool| format!("<{}{kind}>", if null { "null " } else { "" });
    match val {
        Val::I32(i) => i.to_string(),
        Val::I64(i) => i.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(v) => v.as_u128().to_string(),
        Val::FuncRef(r) => reference("funcref", r.is_none()),
        Val::ExternRef(r) => reference("externref", r.is_none()),
        Val::AnyRef(r) => reference("anyref", r.is_none()),
        Val::ExnRef(r) => reference("exnref", r.is_none()),
        Val::ContRef(r) => reference("contref", r.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_parsed_by_type() {
        let bits = |arg, ty| match parse(arg, &ty) {
            Ok(Val::I32(i)) => i as u64,
            Ok(Val::I64(i)) => i as u64,
            Ok(Val::F32(bits)) => u64::from(bits),
            Ok(Val::F64(bits)) => bits,
            _ => u64::MAX - 1,
        };
        assert_eq!(bits("0x7fffffff", ValType::I32), 0x7fff_ffff);
        assert_eq!(bits("0x-1", ValType::I32), u64::MAX);
        assert_eq!(bits("-7", ValType::I64), -7_i64 as u64);
        assert_eq!(bits("1.5", ValType::F32), u64::from(1.5_f32.to_bits()));
        for wide in ["4294967295", "0xffffffff"] {
            assert!(parse(wide, &ValType::I32).is_err());
        }
        assert!(parse("0xffffffffffffffff", &ValType::I64).is_err());
        assert!(parse("0", &ValType::V128).is_err());
    }

    #[test]
    fn results_print_as_wasmtime_prints_them() {
        assert_eq!(show(&Val::F64(1e21_f64.to_bits())), "1000000000000000000000");
        assert_eq!(show(&Val::F32(f32::NAN.to_bits())), "NaN");
        assert_eq!(show(&Val::AnyRef(None)), "<null anyref>");
    }
}
