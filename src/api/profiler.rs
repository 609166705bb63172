//! Sampling what guests do.
//!
//! Samples are backtraces in terms of the original modules, so a profile shows the functions that somebody wrote, also
//! those that lowering has put in the place of calls. Addresses in it are offsets in the original binary; Wasmtime's
//! profiles have offsets of machine code there.

use super::component::Component;
use super::store::AsContext;
use super::{CallHook, Engine, Module, Result, WasmBacktrace, bail};
use crate::runtime::backtrace::FrameInfo;
use fxprof_processed_profile as fx;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use wasmtime_environ::demangle_function_name_or_index;

/// A profile of one guest, for <https://profiler.firefox.com/>.
///
/// Somebody has to call [`sample`](GuestProfiler::sample) while the guest is on the stack, such as the
/// callback of [`Store::epoch_deadline_callback`](super::Store::epoch_deadline_callback). A sample has as many frames as
/// [`Config::wasm_backtrace_max_frames`](super::Config::wasm_backtrace_max_frames) allows, the innermost ones.
///
/// ```
/// use std::time::Duration;
/// use wasmtime_gc::{AnyRef, Caller, Engine, Func, GuestProfiler, Instance, Module, Rooted, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(
///     &engine,
///     r#"(module (type $box (struct (field i32)))
///         (import "host" "sample" (func $sample (param anyref)))
///         (func $work (call $sample (struct.new $box (i32.const 1))))
///         (func $main (export "main") (call $work)))"#,
/// )?;
/// let modules = [("guest".to_string(), module.clone())];
/// let profiler = GuestProfiler::new(&engine, "guest", Duration::from_millis(1), modules)?;
/// let mut store = Store::new(&engine, Some(profiler));
/// type Data = Option<GuestProfiler>;
/// let sample = Func::wrap(&mut store, |mut caller: Caller<'_, Data>, _: Option<Rooted<AnyRef>>| {
///     let mut profiler = caller.data_mut().take().unwrap();
///     profiler.sample(&caller, Duration::ZERO);
///     *caller.data_mut() = Some(profiler);
/// });
/// let instance = Instance::new(&mut store, &module, &[sample.into()])?;
/// instance.get_typed_func::<(), ()>(&mut store, "main")?.call(&mut store, ())?;
/// let mut json = Vec::new();
/// store.into_data().unwrap().finish(&mut json)?;
/// assert!(String::from_utf8(json).unwrap().contains("\"work\""));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GuestProfiler {
    profile: fx::Profile,
    modules: Vec<ProfiledModule>,
    process: fx::ProcessHandle,
    thread: fx::ThreadHandle,
    start: Instant,
    marker: HostCall,
}

#[derive(Debug)]
struct ProfiledModule {
    module: Module,
    library: fx::LibraryHandle,
    /// The functions that were seen so far: where their bodies start, and their names.
    symbols: BTreeMap<u32, String>,
}

impl GuestProfiler {
    /// A profile that begins now, with the name of what it is of. `interval` tells how often samples will be taken, as
    /// a hint. Frames of modules that are not given are left out.
    ///
    /// # Errors
    ///
    /// When the engine is for debugging of guests ([`Config::guest_debug`](super::Config::guest_debug)).
    ///
    /// # Panics
    ///
    /// When a module is of another engine.
    pub fn new(
        engine: &Engine,
        module_name: &str,
        interval: Duration,
        modules: impl IntoIterator<Item = (String, Module)>,
    ) -> Result<Self> {
        if engine.get_guest_debug() {
            bail!("Profiling cannot be performed when guest-debugging is enabled.");
        }
        let zero = fx::ReferenceTimestamp::from_millis_since_unix_epoch(0.0);
        let mut profile = fx::Profile::new(module_name, zero, interval.into());
        let modules = modules.into_iter().map(|(name, module)| {
            assert!(
                Engine::same(module.engine(), engine),
                "a module of another engine can not be profiled with this one"
            );
            let library = profile.add_lib(library(name));
            ProfiledModule { module, library, symbols: BTreeMap::new() }
        });
        let modules = modules.collect();
        profile.set_reference_timestamp(SystemTime::now().into());
        let begin = fx::Timestamp::from_nanos_since_reference(0);
        let process = profile.add_process(module_name, 0, begin);
        let thread = profile.add_thread(process, 0, begin, true);
        let marker =
            HostCall { name: profile.intern_string(<HostCall as fx::StaticSchemaMarker>::UNIQUE_MARKER_TYPE_NAME) };
        Ok(GuestProfiler { profile, modules, process, thread, start: Instant::now(), marker })
    }

    /// The same as [`GuestProfiler::new`], for a component, whose own modules are Wasmtime's: only frames of
    /// `extra_modules` are shown.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn new_component(
        engine: &Engine,
        component_name: &str,
        interval: Duration,
        _component: Component,
        extra_modules: impl IntoIterator<Item = (String, Module)>,
    ) -> Result<Self> {
        GuestProfiler::new(engine, component_name, interval, extra_modules)
    }

    /// Adds a sample: the frames that are there now. `delta` is how much processor time the guest has used since the
    /// last one.
    pub fn sample(&mut self, store: impl AsContext, delta: Duration) {
        let now = self.now();
        let stack = self.stack(store);
        self.profile.add_sample(self.thread, now, stack, delta.into(), 1);
    }

    /// Marks the beginning or the end of a call of the host, as [`Store::call_hook`](super::Store::call_hook) tells it.
    pub fn call_hook(&mut self, store: impl AsContext, kind: CallHook) {
        let now = self.now();
        match kind {
            CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
            CallHook::CallingHost => {
                let stack = self.stack(store);
                let timing = fx::MarkerTiming::IntervalStart(now);
                let marker = self.profile.add_marker(self.thread, timing, self.marker);
                self.profile.set_marker_stack(self.thread, marker, stack);
            }
            CallHook::ReturningFromHost => {
                self.profile.add_marker(self.thread, fx::MarkerTiming::IntervalEnd(now), self.marker);
            }
        }
    }

    /// Ends the profile and writes it, as JSON.
    ///
    /// # Errors
    ///
    /// When it can not be written.
    pub fn finish(mut self, output: impl std::io::Write) -> Result<()> {
        let now = self.now();
        self.profile.set_thread_end_time(self.thread, now);
        self.profile.set_process_end_time(self.process, now);
        Ok(serde_json::to_writer(output, &self.profile)?)
    }

    fn now(&self) -> fx::Timestamp {
        let nanos = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        fx::Timestamp::from_nanos_since_reference(nanos)
    }

    /// The stack as it is now, from the outermost frame on.
    fn stack(&mut self, store: impl AsContext) -> Option<fx::StackHandle> {
        let backtrace = WasmBacktrace::force_capture(store);
        let frames: Vec<fx::FrameInfo> =
            backtrace.frames().iter().rev().filter_map(|frame| self.frame(frame)).collect();
        self.profile.intern_stack_frames(self.thread, frames.into_iter())
    }

    fn frame(&mut self, frame: &FrameInfo) -> Option<fx::FrameInfo> {
        let of = self.modules.iter_mut().find(|of| frame.module().code().is_of(of.module.code()))?;
        let place = frame.module_offset().zip(frame.func_offset());
        let place = place
            .and_then(|(at, in_func)| Some((u32::try_from(at).ok()?, u32::try_from(at.checked_sub(in_func)?).ok()?)));
        let shown = match place {
            Some((at, start)) => {
                if let Entry::Vacant(new) = of.symbols.entry(start) {
                    new.insert(name(frame));
                    self.profile.set_lib_symbol_table(of.library, table(&of.symbols));
                }
                fx::Frame::RelativeAddressFromInstructionPointer(of.library, at)
            }
            // The engine keeps no addresses.
            None => fx::Frame::Label(self.profile.intern_string(&name(frame))),
        };
        Some(fx::FrameInfo {
            frame: shown,
            category_pair: fx::CategoryHandle::OTHER.into(),
            flags: fx::FrameFlags::empty(),
        })
    }
}

fn name(frame: &FrameInfo) -> String {
    let mut name = String::new();
    // Writing to a string does not fail.
    demangle_function_name_or_index(&mut name, frame.func_name(), frame.func_index() as usize).ok();
    name
}

fn table(symbols: &BTreeMap<u32, String>) -> Arc<fx::SymbolTable> {
    let symbol = |(&address, name): (&u32, &String)| fx::Symbol { address, size: None, name: name.clone() };
    Arc::new(fx::SymbolTable::new(symbols.iter().map(symbol).collect()))
}

fn library(name: String) -> fx::LibraryInfo {
    fx::LibraryInfo {
        name,
        debug_name: String::new(),
        path: String::new(),
        debug_path: String::new(),
        debug_id: fx::debugid::DebugId::nil(),
        code_id: None,
        arch: None,
        symbol_table: None,
    }
}

/// The marker of a call of the host.
#[derive(Debug, Clone, Copy)]
struct HostCall {
    name: fx::StringHandle,
}

impl fx::StaticSchemaMarker for HostCall {
    const UNIQUE_MARKER_TYPE_NAME: &'static str = "hostcall";
    const FIELDS: &'static [fx::StaticSchemaMarkerField] = &[];
    const LOCATIONS: fx::MarkerLocations = fx::MarkerLocations::MARKER_CHART
        .union(fx::MarkerLocations::MARKER_TABLE)
        .union(fx::MarkerLocations::TIMELINE_OVERVIEW);

    fn name(&self, _profile: &mut fx::Profile) -> fx::StringHandle {
        self.name
    }

    fn category(&self, _profile: &mut fx::Profile) -> fx::CategoryHandle {
        fx::CategoryHandle::OTHER
    }

    fn string_field_value(&self, _field: u32) -> fx::StringHandle {
        // There are no fields to ask for.
        self.name
    }

    fn number_field_value(&self, _field: u32) -> f64 {
        0.0
    }
}
