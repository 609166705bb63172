//! Which functions the calls of a module through references and tables have reached.
//!
//! Code that was compiled to be profiled (`lower/profile.rs`) tells of each such call before it makes it, and of each
//! function when it begins. A call that reaches a function of another instance, or of the host, counts for none.
//!
//! A profile is of one module, which it names by its SHA-256. As JSON:
//!
//! What this is not: a profile of time, or of direct calls.
//!
//! ```json
//! { "version": 1, "module": "9f86…", "calls": [
//!   { "offset": 1234, "targets": [{ "function": 7, "calls": 1000 }, { "function": 9, "calls": 3 }] } ] }
//! ```

use super::{Error, Result};
use crate::ir::{LikelyTarget, LikelyTargets};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

const VERSION: u32 = 1;

/// What the instances of a module have counted: calls by the offset of the operator and the function reached.
#[derive(Debug, Default)]
pub struct CallCounts {
    counts: Mutex<BTreeMap<(u32, u32), u64>>,
}

impl CallCounts {
    /// A call has reached a function.
    pub fn count(&self, offset: u32, function: u32) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = counts.entry((offset, function)).or_default();
        *calls = calls.saturating_add(1);
    }
}

/// An instance that is profiled.
pub struct Profiled {
    /// What its module counts.
    pub counts: Arc<CallCounts>,
    /// Its number in the store.
    pub instance: u32,
}

/// A call that has been told of, and reached nothing yet: whose it is, the number of the instance, and the offset of its
/// operator.
pub type Marked = Option<(Arc<CallCounts>, u32, u32)>;

impl Profiled {
    /// The call at an offset comes next, or with 0 has come back.
    pub fn call(&self, marked: &mut Marked, offset: u32) {
        *marked = (offset != 0).then(|| (self.counts.clone(), self.instance, offset));
    }

    /// A function begins, perhaps by the call that was to come next.
    pub fn entry(&self, marked: &mut Marked, function: u32) {
        if let Some((caller, instance, offset)) = marked.take()
            && instance == self.instance
            && Arc::ptr_eq(&caller, &self.counts)
        {
            self.counts.count(offset, function);
        }
    }
}

/// Which functions the calls of a module through references and tables (`call_ref`, `call_indirect`, and their tail
/// calls) have reached, and how often.
///
/// A module of an engine with [`Config::gc_profile_calls`](crate::Config::gc_profile_calls) counts them, over all of
/// its instances. With [`Config::gc_call_profile`](crate::Config::gc_call_profile) the same module is compiled so that
/// the likeliest function is compared with first and called directly, and may be inlined: that of a `call_ref` of a
/// function that was read from a field, and of a `call_indirect` through a table that nothing changes.
///
/// ```
/// use wasmtime_gc::ext::CallProfile;
/// use wasmtime_gc::{Config, Engine, Instance, Module, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let wat = r#"(module
///     (type $f (func (result i32)))
///     (type $holder (struct (field (ref $f))))
///     (global $two (ref $f) (ref.func $two))
///     (func $two (type $f) (i32.const 2))
///     (func (export "run") (result i32)
///         (call_ref $f (struct.get $holder 0 (struct.new $holder (ref.func $two))))))"#;
/// let engine = Engine::new(Config::new().gc_profile_calls(true))?;
/// let module = Module::new(&engine, wat)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())?;
/// let profile = CallProfile::of(&module).expect("it was compiled to be profiled");
///
/// let engine = Engine::new(Config::new().gc_call_profile(&CallProfile::from_json(&profile.to_json())?))?;
/// let faster = Module::new(&engine, wat)?;
/// # let mut store = Store::new(&engine, ());
/// # let instance = Instance::new(&mut store, &faster, &[])?;
/// # assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())?, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallProfile {
    version: u32,
    module: String,
    calls: Vec<ProfiledCall>,
}

/// A call and whom it reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfiledCall {
    /// Of its operator, in the module.
    offset: u32,
    targets: Vec<Reached>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {
    function: u32,
    calls: u64,
}

impl CallProfile {
    pub(crate) fn new(wasm: &[u8], counts: &CallCounts) -> CallProfile {
        let counts = counts.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls: Vec<ProfiledCall> = Vec::new();
        for (&(offset, function), &count) in counts.iter() {
            let reached = Reached { function, calls: count };
            match calls.last_mut() {
                Some(last) if last.offset == offset => last.targets.push(reached),
                _ => calls.push(ProfiledCall { offset, targets: vec![reached] }),
            }
        }
        CallProfile { version: VERSION, module: digest(wasm), calls }
    }

    /// The profile as JSON.
    pub fn to_json(&self) -> String {
        // Numbers and text: nothing that JSON can not hold.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// A profile that was written as JSON.
    ///
    /// # Errors
    ///
    /// When it is none, or of another version of the format.
    pub fn from_json(json: &str) -> Result<CallProfile> {
        let profile: CallProfile =
            serde_json::from_str(json).map_err(|err| Error::msg(format!("this is no call profile: {err}")))?;
        if profile.version != VERSION {
            let found = profile.version;
            return Err(Error::msg(format!(
                "the call profile has version {found} of the format, and this is version {VERSION}; record it again"
            )));
        }
        Ok(profile)
    }

    /// Whether the profile is of this module, which is a binary.
    pub fn is_of(&self, wasm: &[u8]) -> bool {
        self.module == digest(wasm)
    }

    /// How many calls have a place in the profile.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether no call reached a function.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// How it names its module.
    pub(crate) fn module(&self) -> &str {
        &self.module
    }

    /// What is likely by the profile.
    pub(crate) fn likely(&self) -> LikelyTargets {
        let mut likely = LikelyTargets::default();
        for call in &self.calls {
            let all = call.targets.iter().fold(0u128, |sum, of| sum + u128::from(of.calls)).max(1);
            let percent = |calls: u64| (100 * u128::from(calls) / all) as u32;
            let targets = call.targets.iter();
            let targets = targets.map(|of| LikelyTarget { func: of.function, percent: percent(of.calls) }).collect();
            likely.insert(call.offset, targets);
        }
        likely
    }
}

/// How a profile names its module.
pub(crate) fn digest(wasm: &[u8]) -> String {
    Sha256::digest(wasm).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
