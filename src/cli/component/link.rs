//! What a component can import, and what to say of what it can not.

use crate::api::component::{Component, InstancePre, Linker};
use crate::api::{Engine, Result, Store, StoreData};
use crate::cli::settings::{Settings, UnknownImports};
use crate::cli::wasi::Host;
use wasmtime_wasi::p2;

/// Packages of WASI that this command has not.
const ABSENT: [&str; 6] = ["wasi:http/", "wasi:config/", "wasi:keyvalue/", "wasi:tls/", "wasi:nn/", "wasi:messaging/"];

/// Finds what a component imports.
///
/// # Errors
///
/// An import that nobody defines, with what could be done about it.
pub(super) fn link(
    store: &Store<Host>,
    settings: &Settings,
    component: &Component,
) -> Result<InstancePre<StoreData<Host>>> {
    let mut linker = Linker::new(store.engine().wasmtime());
    if settings.wasi.linked {
        let mut options = p2::bindings::LinkOptions::default();
        options.network_error_code(settings.wasi.network_error_code);
        p2::add_to_linker_with_options_async(&mut linker, &options)?;
    }
    if settings.unknown_imports == UnknownImports::Trap {
        linker.define_unknown_imports_as_traps(component)?;
    }
    linker.instantiate_pre(component).map_err(|err| match why_unknown(store.engine(), component, settings) {
        Some(why) => err.context(why),
        None => err,
    })
}

/// What is known of an import that the linker may have stumbled on.
fn why_unknown(engine: &Engine, component: &Component, settings: &Settings) -> Option<String> {
    let ty = component.component_type();
    ty.imports(engine.wasmtime()).find_map(|(name, _)| {
        if name.starts_with("wasmtime-gc:heap/") {
            return Some(format!("`{name}` is for programs that embed components, with `ext::component::HeapHost`"));
        }
        if !name.starts_with("wasi:") {
            return None;
        }
        if !settings.wasi.linked {
            return Some(format!("`{name}` is of WASI, which `-S cli=n` leaves out"));
        }
        let absent = ABSENT.iter().any(|package| name.starts_with(package));
        (absent || is_0_3(name))
            .then(|| format!("`{name}` is not among what this command has of WASI, which is 0.2's `wasi:cli`"))
    })
}

/// Why a component can not be run as a command.
pub(super) fn why_no_command(engine: &Engine, component: &Component) -> String {
    let ty = component.component_type();
    let newer = ty.exports(engine.wasmtime()).any(|(name, _)| name.starts_with("wasi:cli/run@") && is_0_3(name));
    match newer {
        true => "the component is a command of WASI 0.3, and this command runs those of WASI 0.2".to_string(),
        false => "the component is no command: it does not export `run` of `wasi:cli/run@0.2`; call one of its \
                  functions by `--invoke 'NAME(ARGUMENTS)'`"
            .to_string(),
    }
}

fn is_0_3(name: &str) -> bool {
    name.rsplit_once('@').is_some_and(|(_, version)| version.starts_with("0.3."))
}
