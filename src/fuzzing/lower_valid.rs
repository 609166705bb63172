//! Lowering succeeds on valid modules, and what comes out is core WebAssembly.
//!
//! The first byte of an input chooses what the others mean: a module of `generate/`, or one of
//! `wasm-smith`, where the feature `fuzzing` has it. Large ones of ours are lowered in every way that lowering has, the
//! others in one.

use super::generate::{self, Exceptions, Options, Source};
use crate::fault::Error;
use crate::layout::{GcTypes, HeapMap, MapParams};
use crate::lower::{LowerContext, Lowered, lower};
use crate::types::TypeRegistry;
use std::sync::Arc;
use wasmparser::{Validator, WasmFeatures};

/// Level of optimisation, explicit null checks.
type Way = (u8, bool);
const WAYS: [Way; 3] = [(0, false), (2, false), (2, true)];

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    #[cfg(feature = "fuzzing")]
    if choice % 2 == 1 {
        return smith(rest);
    }
    let _ = choice;
    let mut source = Source::new(rest);
    let exceptions = source.weighted(&[(1, Exceptions::None), (4, Exceptions::All), (1, Exceptions::Common)]);
    let small = !source.chance(25);
    let func_size = if small { 25 } else { 60 };
    let way = source.below(WAYS.len());
    let ways = if small { &WAYS[way..=way] } else { &WAYS };
    let text = generate::module(&mut source, Options { ticks: 100, func_size, exceptions, small });
    check(&generate::binary(&text), ways, true, &|| text.clone());
}

#[cfg(feature = "fuzzing")]
fn smith(data: &[u8]) {
    let Some((&way, data)) = data.split_first() else { return };
    let way = usize::from(way) % WAYS.len();
    let mut bytes = arbitrary::Unstructured::new(data);
    let config = wasm_smith::Config {
        exceptions_enabled: true,
        gc_enabled: true,
        reference_types_enabled: true,
        tail_call_enabled: true,
        memory64_enabled: true,
        wide_arithmetic_enabled: false,
        threads_enabled: false,
        shared_everything_threads_enabled: false,
        custom_page_sizes_enabled: false,
        custom_descriptors_enabled: false,
        max_memories: 3,
        max_tables: 4,
        ..wasm_smith::Config::default()
    };
    let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else { return };
    let wasm = module.to_bytes();
    check(&wasm, &WAYS[way..=way], false, &|| {
        wasmprinter::print_bytes(&wasm).unwrap_or_else(|err| format!("{err}: {wasm:?}"))
    });
}

/// Lowers a valid module in these ways. With `supported`, that must succeed.
fn check(wasm: &[u8], ways: &[Way], supported: bool, text: &dyn Fn() -> String) {
    if let Err(err) = Validator::new_with_features(WasmFeatures::WASM3).validate_all(wasm) {
        panic!("the generator made an invalid module: {err}\n{}", text());
    }
    // Code for debuggers is not optimised.
    let for_debuggers = ways.iter().filter(|&&(opt_level, _)| opt_level == 0).map(|&way| (way, true));
    for ((opt_level, explicit_null_checks), debug) in ways.iter().map(|&way| (way, false)).chain(for_debuggers) {
        let how = || format!("opt_level {opt_level}, explicit_null_checks {explicit_null_checks}, debug {debug}");
        match lowered_for(wasm, opt_level, explicit_null_checks, debug) {
            Ok(None) => {}
            Ok(Some(lowered)) => {
                if let Err(what) = is_core(&lowered).and_then(|()| sites_are_ordered(&lowered)) {
                    panic!("{what}, {}\n{}", how(), text());
                }
            }
            Err(err @ Error::Bug(_)) => panic!("{err}, {}\n{}", how(), text()),
            Err(err) if supported => panic!("{err}, {}\n{}", how(), text()),
            Err(_) => {}
        }
    }
}

/// Lowers with a fresh set of types.
pub fn lowered(wasm: &[u8], opt_level: u8, explicit_null_checks: bool) -> Result<Option<Lowered>, Error> {
    lowered_for(wasm, opt_level, explicit_null_checks, false)
}

fn lowered_for(wasm: &[u8], opt_level: u8, explicit_null_checks: bool, debug: bool) -> Result<Option<Lowered>, Error> {
    let registry = Arc::new(TypeRegistry::new());
    let map = HeapMap::new(MapParams::default());
    let gc_types = GcTypes::new(registry.clone(), map.rtt_start);
    let (features, relocatable) = (WasmFeatures::WASM3, false);
    lower(
        wasm,
        &LowerContext {
            registry: &registry,
            gc_types: &gc_types,
            map,
            features,
            explicit_null_checks,
            relocatable,
            opt_level,
            workers: crate::workers::Workers::Many,
            passes: crate::lower::Passes::ALL,
            check_roots: true,
            debug,
            profile_calls: false,
            winch: false,
            likely: None,
        },
    )
}

/// Whether the output is valid where no GC types exist.
pub fn is_core(lowered: &Lowered) -> Result<(), String> {
    Validator::new_with_features(WasmFeatures::WASM3 & !WasmFeatures::GC_TYPES)
        .validate_all(&lowered.wasm)
        .map(drop)
        .map_err(|err| format!("the output is invalid: {err}"))
}

fn sites_are_ordered(lowered: &Lowered) -> Result<(), String> {
    let entries = &lowered.sites.entries;
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].lowered >= pair[1].lowered) {
        return Err(format!("sites out of order: {pair:?}"));
    }
    match entries.last() {
        Some(last) if last.lowered as usize >= lowered.wasm.len() => Err(format!("a site outside: {last:?}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::fuzzing::replay::replay;

    #[test]
    fn replayed() {
        replay(super::run, 150, 4000);
    }

    /// `wasm-smith` made the first two and `generate/` the third: lowered, `nofunc` is `func`, which is not below the
    /// other types here. The output was invalid. (The first had it as a result, which now gets the supertype's type.)
    #[test]
    fn nofunc_where_nothing_can_stand_for_it_is_refused() {
        let subtype = "(type $f (func)) (type $a (sub (func (param (ref null nofunc)))))
            (type (sub $a (func (param (ref null $f))))) (type (struct))";
        let segment = "(type $f (func)) (table 1 (ref null $f)) (elem $e (ref null nofunc) (item (ref.null nofunc)))
            (func (export \"init\") (table.init $e (i32.const 0) (i32.const 0) (i32.const 1)))";
        let tail_call = "(type $f (func)) (type $s (struct)) (func $null (result nullfuncref) (ref.null nofunc))
            (func (export \"f\") (param (ref null $s)) (result (ref null $f)) (return_call $null))";
        let alone = tail_call.replace("(param (ref null $s))", "") + "(func (result (ref null $s)) (ref.null $s))";
        for text in [subtype, segment, tail_call, &alone] {
            let wasm = wat::parse_str(format!("(module {text})")).unwrap();
            let err = super::lowered(&wasm, 0, false).unwrap_err();
            assert!(matches!(err, crate::fault::Error::Unsupported { .. }), "{err}");
            // The optimiser may make it what can be lowered.
            match super::lowered(&wasm, 2, false) {
                Ok(lowered) => super::is_core(&lowered.unwrap()).unwrap(),
                Err(err) => assert!(matches!(err, crate::fault::Error::Unsupported { .. }), "{err}"),
            }
        }
    }
}
