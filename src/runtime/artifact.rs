//! Compiled modules as bytes: the container of `Module::serialize` and `wasmtime-gc compile`.
//!
//! ```text
//!  8   magic
//!  4   version of this format
//!  4   length of the crate's version, and that
//!  32  SHA-256 digest of all that follows
//!  8   length of the description, and that: `Description`, by `postcard`
//!      what the inner engine makes of the lowered module (`wasmtime::Module::serialize`)
//! ```
//!
//! Code in it is *relocatable* (`lower/op/record.rs`): it holds no number of the engine that compiled it but the
//! addresses of the heap's fixed parts, which follow from the configuration and are compared. Types are spelled out
//! as recursion groups, so that they become canonical in whichever engine loads them. Nothing is lowered or
//! compiled then.
//!
//! The digest finds accidents, not malice: machine code can not be checked, which is why loading is unsafe.

use super::code::{Code, LoweredCode, lower_dialect};
use super::engine::EngineState;
use super::type_probe::TypeProbe;
use super::{Error, Result};
use crate::layout::HeapMap;
use crate::lower::output::{EntityMeta, Meta, Sites};
use crate::lower::{Lowered, lower};
use crate::rtt;
use crate::rtt::ast::Nulls;
use crate::types::{HeapType, RecGroup, RecRef, RefType, SubType, TypeId, TypeRegistry, ValType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use wasmparser::WasmFeatures;

const MAGIC: &[u8; 8] = b"\0wasm-gc";
const FORMAT: u32 = 9;
const CRATE: &str = env!("CARGO_PKG_VERSION");

/// All but the code.
#[derive(Serialize, Deserialize)]
struct Description {
    settings: Settings,
    /// The recursion groups of all types, those that others refer to first. Type ids below count their types.
    groups: Vec<Vec<SubType>>,
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Lowered {
        meta: Box<Meta>,
        sites: Box<Sites>,
        /// See [`TypeProbe`].
        type_section: Vec<u8>,
        /// For a module of the dialect of explicit RTTs: itself, for its type imports and exports.
        dialect: Option<DialectModule>,
    },
    Untouched {
        /// The original, if it may have to be lowered after all.
        original: Option<Vec<u8>>,
        /// It has a start function.
        starts: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct DialectModule {
    /// Whether null is that of the slides.
    slides: bool,
    /// In the binary format of the snapshot.
    binary: Vec<u8>,
}

impl DialectModule {
    fn new(module: &rtt::ast::Module) -> Result<DialectModule> {
        Ok(DialectModule { slides: module.nulls == Nulls::Slides, binary: rtt::binary::write(module)? })
    }

    fn read(&self) -> Result<rtt::ast::Module> {
        rtt::read(&self.binary, if self.slides { Nulls::Slides } else { Nulls::Snapshot }).map_err(damaged)
    }
}

/// What an engine must have in common with the one that compiled.
#[derive(Serialize, Deserialize, Hash)]
struct Settings {
    /// The heap's fixed addresses.
    map: [u32; 4],
    explicit_null_checks: bool,
    /// Bits of `WasmFeatures`.
    features: u64,
}

impl Settings {
    fn of(engine: &EngineState) -> Settings {
        let HeapMap { stack_top, nursery_start, nursery_end, rtt_start } = engine.map;
        Settings {
            map: [stack_top, nursery_start, nursery_end, rtt_start],
            explicit_null_checks: engine.options.explicit_null_checks,
            features: engine.options.features.bits(),
        }
    }

    /// What was left alone knows nothing of the heap.
    fn check(&self, engine: &EngineState, lowered: bool) -> Result<()> {
        let own = Settings::of(engine);
        let [stack_top, nursery_start, nursery_end, _] = self.map;
        if lowered && self.map[0] != own.map[0] {
            return mismatch("`max_wasm_stack`", stack_top / 2, own.map[0] / 2);
        }
        if lowered && self.map != own.map {
            let bytes = |start: u32, end: u32| end.wrapping_sub(start);
            let own = bytes(own.map[1], own.map[2]);
            return mismatch("`gc_nursery_size`", bytes(nursery_start, nursery_end), own);
        }
        if lowered && own.explicit_null_checks && !self.explicit_null_checks {
            return mismatch("explicit null checks", "off", "on");
        }
        let missing = WasmFeatures::from_bits_truncate(self.features) - engine.options.features;
        if let Some((name, _)) = missing.iter_names().next() {
            return mismatch(&format!("feature {name}"), "on", "off");
        }
        Ok(())
    }
}

#[cold]
fn mismatch(what: &str, compiled: impl std::fmt::Display, own: impl std::fmt::Display) -> Result<()> {
    Err(Error::msg(format!(
        "the module was compiled with {what} {compiled}, but the engine has {own}; configure both alike, or compile \
         the module again"
    )))
}

#[cold]
fn damaged(what: impl std::fmt::Display) -> Error {
    Error::msg(format!("the compiled module is damaged ({what}); compile it again"))
}

/// What of an engine is compiled in, besides what the inner engine compiles in.
pub fn compatibility(engine: &EngineState) -> impl std::hash::Hash {
    (CRATE, FORMAT, Settings::of(engine))
}

/// Whether bytes begin as a container does.
pub fn is_artifact(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Compiles a binary for other engines with the same configuration.
///
/// # Errors
///
/// As [`Code::new`].
pub fn precompile(engine: &EngineState, wasm: &[u8]) -> Result<Vec<u8>> {
    let Some(lowered) = lower(wasm, &engine.relocatable_context(wasm))? else {
        let code = engine.wasmtime.precompile_module(wasm)?;
        let original = super::code::may_need_checks(engine, wasm).then(|| wasm.to_vec());
        return write(engine, Kind::Untouched { original, starts: super::code::has_start(wasm) }, &code);
    };
    write_lowered(engine, lowered, None)
}

/// Compiles a module of the dialect of explicit RTTs for other engines with the same configuration.
///
/// # Errors
///
/// As [`Code::of_dialect`].
pub fn precompile_dialect(engine: &EngineState, module: &rtt::ast::Module) -> Result<Vec<u8>> {
    let lowered = lower_dialect(engine, module, engine.relocatable_context_without_profile())?;
    write_lowered(engine, lowered, Some(DialectModule::new(module)?))
}

fn write_lowered(engine: &EngineState, lowered: Lowered, dialect: Option<DialectModule>) -> Result<Vec<u8>> {
    let code = engine.wasmtime.precompile_module(&lowered.wasm).map_err(|err| super::code::refused(engine, err))?;
    let Lowered { wasm, sites, meta } = lowered;
    let type_section = TypeProbe::section(&wasm, &meta.func_types).to_vec();
    write(engine, Kind::Lowered { meta: Box::new(meta), sites: Box::new(sites), type_section, dialect }, &code)
}

/// A compiled module as bytes. One that was compiled for its own engine alone is compiled again, and one of the dialect.
///
/// # Errors
///
/// When it is too large, or can not be compiled.
pub fn serialize(engine: &EngineState, code: &Code) -> Result<Vec<u8>> {
    let Some(lowered) = &code.lowered else {
        let original = code.original().map(<[u8]>::to_vec);
        let kind = Kind::Untouched { original, starts: code.starts() };
        return write(engine, kind, &code.wasmtime.serialize()?);
    };
    if let Some(wasm) = code.original() {
        return precompile(engine, wasm);
    }
    if let Some(module) = code.dialect() {
        return precompile_dialect(engine, module);
    }
    let (section, func_types) = lowered.types.parts();
    let meta = Box::new(Meta { func_types: func_types.to_vec(), ..lowered.meta.clone() });
    let (sites, type_section) = (Box::new(lowered.sites.clone()), section.to_vec());
    let kind = Kind::Lowered { meta, sites, type_section, dialect: None };
    write(engine, kind, &code.wasmtime.serialize()?)
}

fn write(engine: &EngineState, mut kind: Kind, code: &[u8]) -> Result<Vec<u8>> {
    let groups = match &mut kind {
        Kind::Lowered { meta, .. } => spell(&engine.registry, meta)?,
        Kind::Untouched { .. } => Vec::new(),
    };
    let description = Description { settings: Settings::of(engine), groups, kind };
    let description = postcard::to_allocvec(&description).map_err(|err| Error::msg(err.to_string()))?;
    let len = (description.len() as u64).to_le_bytes();
    let digest: [u8; 32] =
        Sha256::new().chain_update(len).chain_update(&description).chain_update(code).finalize().into();
    let version = (CRATE.len() as u32).to_le_bytes();
    let parts: [&[u8]; 8] =
        [MAGIC, &FORMAT.to_le_bytes(), &version, CRATE.as_bytes(), &digest, &len, &description, code];
    Ok(parts.concat())
}

/// The recursion groups that a description needs; its type ids become positions among them.
fn spell(registry: &TypeRegistry, meta: &mut Meta) -> Result<Vec<Vec<SubType>>> {
    let unknown = |id| Error::new(crate::fault::Error::bug(format!("unknown {id:?}")));
    let mut todo = Vec::new();
    meta.map_ids(&mut |id| {
        todo.push(id);
        id
    });
    // Groups are canonical in an order in which those that others refer to come first.
    let mut starts = BTreeSet::new();
    while let Some(id) = todo.pop() {
        let def = registry.get(id).ok_or_else(|| unknown(id))?;
        if !starts.insert(def.group_start()) {
            continue;
        }
        for n in 0..def.group_len {
            let id = TypeId(def.group_start().0 + n);
            let mut sub = registry.get(id).ok_or_else(|| unknown(id))?.sub.clone();
            sub.map_ids(&mut |id| {
                todo.push(id);
                id
            });
        }
    }
    let mut positions: HashMap<TypeId, TypeId> = HashMap::new();
    let mut groups = Vec::new();
    for start in starts {
        let len = registry.get(start).ok_or_else(|| unknown(start))?.group_len;
        let mut group = Vec::new();
        for n in 0..len {
            let id = TypeId(start.0 + n);
            let mut sub = registry.get(id).ok_or_else(|| unknown(id))?.sub.clone();
            sub.map_ids(&mut |id| match id.0.checked_sub(start.0).filter(|&n| n < len) {
                Some(n) => RecGroup::local(n),
                None => positions.get(&id).copied().unwrap_or(id),
            });
            group.push(sub);
        }
        for n in 0..len {
            let next = TypeId(positions.len() as u32);
            positions.insert(TypeId(start.0 + n), next);
        }
        groups.push(group);
    }
    meta.map_ids(&mut |id| positions.get(&id).copied().unwrap_or(id));
    Ok(groups)
}

/// Makes the types canonical in an engine: their ids, by position.
fn enter_types(registry: &TypeRegistry, groups: Vec<Vec<SubType>>) -> Result<Vec<TypeId>> {
    let mut ids: Vec<TypeId> = Vec::new();
    for mut types in groups {
        let mut bad = false;
        let len = types.len() as u32;
        for sub in &mut types {
            sub.map_ids(&mut |id| match RecGroup::classify(id) {
                RecRef::Group(n) => {
                    bad |= n >= len;
                    id
                }
                RecRef::Canon(position) => ids.get(position.0 as usize).copied().unwrap_or_else(|| {
                    bad = true;
                    id
                }),
            });
        }
        if bad || types.is_empty() {
            return Err(damaged("a type refers to none"));
        }
        let first = registry.intern(RecGroup { types }).map_err(crate::fault::Error::from)?;
        ids.extend((0..len).map(|n| TypeId(first.0 + n)));
    }
    Ok(ids)
}

/// Loads a container: what there is of it but the inner engine's module, and the bytes of that.
///
/// # Errors
///
/// When this is no container, is damaged, or does not fit the engine.
fn read<'b>(engine: &EngineState, bytes: &'b [u8]) -> Result<(Description, &'b [u8])> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(not_ours(bytes));
    };
    let (&format, rest) = rest.split_first_chunk().ok_or_else(|| damaged("truncated"))?;
    let (&len, rest) = rest.split_first_chunk().ok_or_else(|| damaged("truncated"))?;
    let version = rest.split_at_checked(u32::from_le_bytes(len) as usize);
    let (version, rest) = version.ok_or_else(|| damaged("truncated"))?;
    let format = u32::from_le_bytes(format);
    if format != FORMAT || version != CRATE.as_bytes() {
        let version = String::from_utf8_lossy(version);
        return Err(Error::msg(format!(
            "the module was compiled by wasmtime-gc {version:.32} (format {format}), but this is {CRATE} (format \
             {FORMAT}); compile it again"
        )));
    }
    let (digest, rest) = rest.split_first_chunk::<32>().ok_or_else(|| damaged("truncated"))?;
    if Sha256::digest(rest)[..] != digest[..] {
        return Err(damaged("its digest is wrong: it is truncated or was changed"));
    }
    let (&len, rest) = rest.split_first_chunk().ok_or_else(|| damaged("truncated"))?;
    let parts = usize::try_from(u64::from_le_bytes(len)).ok().and_then(|len| rest.split_at_checked(len));
    let (description, code) = parts.ok_or_else(|| damaged("truncated"))?;
    let description: Description = postcard::from_bytes(description).map_err(damaged)?;
    description.settings.check(engine, matches!(description.kind, Kind::Lowered { .. }))?;
    Ok((description, code))
}

#[cold]
fn not_ours(bytes: &[u8]) -> Error {
    let what = match wasmtime::Engine::detect_precompiled(bytes) {
        Some(_) => "it was compiled by Wasmtime itself; compile the original with `wasmtime-gc compile`",
        None if bytes.starts_with(b"\0asm") => "it is a module that is not compiled; use `Module::new`",
        None => "it does not begin as one does",
    };
    Error::msg(format!("these bytes are no module compiled by wasmtime-gc: {what}"))
}

/// Loads a compiled module.
///
/// # Safety
///
/// The bytes must come from [`precompile`] or [`serialize`], unchanged: machine code is run as it is.
///
/// # Errors
///
/// When this is no container, is damaged, or does not fit the engine.
#[expect(unsafe_code, reason = "machine code can not be checked")]
pub unsafe fn deserialize(engine: &EngineState, bytes: &[u8]) -> Result<Arc<Code>> {
    let (Description { groups, kind, .. }, code) = read(engine, bytes)?;
    // SAFETY: by this function's contract the bytes are those that the inner engine gave.
    let module = unsafe { wasmtime::Module::deserialize(&engine.wasmtime, code)? };
    let Kind::Lowered { mut meta, sites, type_section, dialect } = kind else {
        let Kind::Untouched { original, starts } = kind else {
            return Err(damaged("a kind of module that there is not"));
        };
        return Ok(Code::of_untouched(engine, module, original, starts));
    };
    let ids = enter_types(&engine.registry, groups)?;
    let mut bad = false;
    meta.map_ids(&mut |position| {
        ids.get(position.0 as usize).copied().unwrap_or_else(|| {
            bad = true;
            TypeId(0)
        })
    });
    if bad || module.imports().len() != meta.runtime_imports.len() + meta.imports.len() {
        return Err(damaged("its description does not fit its code"));
    }
    for &id in &meta.types {
        let full = || Error::from(crate::fault::Error::from(crate::types::TypesError::Full));
        engine.gc_types.ensure_record(id).ok_or_else(full)?;
    }
    let dialect = dialect.map(|dialect| dialect.read()).transpose()?;
    let func_types = std::mem::take(&mut meta.func_types);
    let lowered = LoweredCode::of_parts(*meta, *sites, TypeProbe::of_section(type_section, func_types));
    Ok(Code::of_parts(engine, module, lowered, dialect))
}

impl Meta {
    /// Rewrites every defined type that is named in here.
    fn map_ids(&mut self, map: &mut impl FnMut(TypeId) -> TypeId) {
        for id in self.runtime_imports.iter_mut().filter_map(|import| import.of_type.as_mut()) {
            *id = map(*id);
        }
        let entities = self.imports.iter_mut().map(|import| &mut import.ty);
        entities.chain(self.exports.iter_mut().map(|export| &mut export.ty)).for_each(|ty| map_entity(ty, map));
        if let Some(debug) = &mut self.debug {
            let placed = debug.globals.iter_mut().chain(&mut debug.tables).map(|(ty, _)| ty);
            placed.chain(&mut debug.tags).for_each(|ty| map_entity(ty, map));
        }
        self.own_tables.iter_mut().for_each(|(_, table)| map_ref(&mut table.elem, map));
        let ids = self.own_tags.iter_mut().chain(&mut self.types);
        ids.chain(self.func_types.iter_mut().map(|(id, _)| id)).for_each(|id| *id = map(*id));
    }
}

fn map_entity(ty: &mut EntityMeta, map: &mut impl FnMut(TypeId) -> TypeId) {
    match ty {
        EntityMeta::Func { id, ty, .. } => {
            *id = map(*id);
            ty.params.iter_mut().chain(&mut ty.results).for_each(|ty| map_val(ty, map));
        }
        EntityMeta::Global { ty, .. } => map_val(ty, map),
        EntityMeta::RefGlobal { ty, .. } => map_ref(ty, map),
        EntityMeta::Table(table) | EntityMeta::RefTable { ty: table, .. } => map_ref(&mut table.elem, map),
        EntityMeta::Memory => {}
        EntityMeta::Tag { id, .. } => *id = map(*id),
    }
}

fn map_val(ty: &mut ValType, map: &mut impl FnMut(TypeId) -> TypeId) {
    if let ValType::Ref(ty) = ty {
        map_ref(ty, map);
    }
}

fn map_ref(ty: &mut RefType, map: &mut impl FnMut(TypeId) -> TypeId) {
    if let HeapType::Concrete(_, id) = &mut ty.heap {
        *id = map(*id);
    }
}
