//! `--invoke 'f(1, "a")'`: a call with values written as WAVE has them, and its results written likewise.
//!
//! Names are those of WIT: `f`, or with its interface `ns:pkg/face.f@1.0.0`. A bare name that the component itself does not
//! export may be of one of the instances that it exports, if of one only.
//!
//! The syntax is that of the crate `wasm-wave`, which panics at types that it has no values of; so a function with such types
//! is refused before it is called.

use crate::api::component::types::{ComponentFunc, ComponentItem};
use crate::api::component::wasm_wave::untyped::UntypedFuncCall;
use crate::api::component::wasm_wave::wasm::{DisplayFuncResults, WasmFunc};
use crate::api::component::wit_parser::ItemName;
use crate::api::component::{Component, ComponentExportIndex, InstancePre, Type, Val};
use crate::api::{Engine, Error, Result, Store, StoreData};
use crate::cli::print;
use crate::cli::wasi::Host;
use wasmtime::error::Context;
use wasmtime::{bail, format_err};

/// Makes the call and prints its results.
pub(super) async fn invoke(
    store: &mut Store<Host>,
    component: &Component,
    pre: &InstancePre<StoreData<Host>>,
    text: &str,
) -> Result<()> {
    let call = UntypedFuncCall::parse(text).with_context(|| {
        format!("failed to parse `--invoke {text}`: a function of a component is called by `NAME(ARGUMENTS)`, as in `f(1, \"a\")`")
    })?;
    let name = call.item_name().map_err(Error::from_anyhow);
    let name = name.with_context(|| format!("`{}` is no name of a function", call.name()))?;
    let (index, ty) = find(store.engine(), component, &name)?;
    check_types(&name, &ty)?;
    let types: Vec<_> = WasmFunc::params(&ty).collect();
    let params = call.to_wasm_params(&types).with_context(|| format!("wrong arguments in `--invoke {text}`"))?;

    let instance = pre.instantiate_async(store.wasmtime_mut()).await?;
    let func = instance.get_func(store.wasmtime_mut(), index);
    let func = func.with_context(|| format!("the instance lacks the function `{name}`"))?;
    let mut results = vec![Val::Bool(false); ty.results().len()];
    func.call_async(store.wasmtime_mut(), &params, &mut results)
        .await
        .with_context(|| format!("failed to invoke `{name}`"))?;
    print(&format!("{}\n", DisplayFuncResults(&results)))
}

/// The function of a name: the component's own, or else that of its instances.
fn find(engine: &Engine, component: &Component, name: &ItemName) -> Result<(ComponentExportIndex, ComponentFunc)> {
    if let Some((ComponentItem::ComponentFunc(ty), index)) = component.get_export(None, name) {
        return Ok((index, ty));
    }
    if name.package.is_some() || name.interface.is_some() {
        bail!("no func export named `{name}` found");
    }
    let (engine, ty) = (engine.wasmtime(), component.component_type());
    let of_instance = |(instance, item): (&str, _)| {
        let ComponentItem::ComponentInstance(_) = item else { return None };
        let (_, of) = component.get_export(None, instance)?;
        match component.get_export(Some(&of), name.name.as_str())? {
            (ComponentItem::ComponentFunc(ty), index) => Some((instance.to_string(), index, ty)),
            _ => None,
        }
    };
    let mut found: Vec<_> =
        ty.exports(engine).map(|(name, export)| (name, export.ty)).filter_map(of_instance).collect();
    match (found.pop(), found.is_empty()) {
        (None, _) => bail!("no func export named `{name}` found, neither in the component nor in its instances"),
        (Some((_, index, ty)), true) => Ok((index, ty)),
        (Some((last, ..)), false) => {
            let full = |instance: &str| match instance.split_once('@') {
                Some((face, version)) => format!("`{face}.{name}@{version}`"),
                None => format!("`{instance}.{name}`"),
            };
            let all: Vec<_> = found.iter().map(|(instance, ..)| instance).chain([&last]).map(|one| full(one)).collect();
            bail!("several instances export a func named `{name}`; say which one: {}", all.join(", "))
        }
    }
}

/// Refuses functions with types that have no values in WAVE.
fn check_types(name: &ItemName, ty: &ComponentFunc) -> Result<()> {
    let refuse = |what: &str, kind: &str| {
        format_err!("`{name}` has {what} with a {kind}, which can not be written on a command line")
    };
    for (param, ty) in ty.params() {
        let what = format!("the parameter `{param}`");
        unwritten(&ty, true).map_or(Ok(()), |kind| Err(refuse(&what, kind)))?;
    }
    for ty in ty.results() {
        unwritten(&ty, false).map_or(Ok(()), |kind| Err(refuse("a result", kind)))?;
    }
    Ok(())
}

/// What of a type has no values in WAVE, or none that it reads. The nesting of types is limited by validation.
fn unwritten(ty: &Type, read: bool) -> Option<&'static str> {
    let of = |ty: Option<Type>| ty.and_then(|ty| unwritten(&ty, read));
    match ty {
        Type::Own(_) | Type::Borrow(_) => Some("resource"),
        Type::Future(_) => Some("future"),
        Type::Stream(_) => Some("stream"),
        Type::ErrorContext => Some("error context"),
        Type::Map(_) => Some("map"),
        Type::FixedLengthList(_) if read => Some("list of fixed length"),
        Type::FixedLengthList(list) => of(Some(list.ty())),
        Type::List(list) => of(Some(list.ty())),
        Type::Option(option) => of(Some(option.ty())),
        Type::Result(result) => of(result.ok()).or_else(|| of(result.err())),
        Type::Record(record) => record.fields().find_map(|field| of(Some(field.ty))),
        Type::Tuple(tuple) => tuple.types().find_map(|ty| of(Some(ty))),
        Type::Variant(variant) => variant.cases().find_map(|case| of(case.ty)),
        _ => None,
    }
}
