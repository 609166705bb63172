//! What is shared while a module is checked: types, the intrinsics that bodies turned out to need, and the functions
//! that `func.bind` adds.

use super::universe::Universe;
use crate::fault::{Error, Result};
use crate::parse::Intrinsic;
use crate::rtt::ast::{Def, Heap, Module, Sig, Val};
use crate::rtt::erase::Erased;
use crate::rtt::structural::{map_heap, map_val};
use crate::types::{TypeId, ValType};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use wasmparser::WasmFeatures;

/// A function that calls another with what was bound.
pub(super) struct Invoker {
    /// Its type: index, and signature.
    pub ty: u32,
    pub sig: Sig,
    /// Class of what it calls.
    pub callee: u32,
    /// Environments: their type's fields, and the values in them.
    pub bound: Vec<Val>,
}

/// A module that is being checked.
pub(super) struct Session<'r, 'm> {
    pub ast: &'m Module,
    pub universe: Arc<Universe>,
    pub erased: Erased<'r>,
    pub features: WasmFeatures,
    pub intrinsics: Vec<Intrinsic>,
    seen: HashMap<(Intrinsic, Vec<Val>, Vec<Val>), u32>,
    pub invokers: Vec<Invoker>,
    invoker_of: HashMap<(u32, u32), u32>,
    /// Functions whose references are taken.
    pub referred: BTreeSet<u32>,
    /// Functions whose references may be taken in bodies.
    pub declared: HashSet<u32>,
    /// Classes of function types whose RTTs are values.
    pub rtts: BTreeSet<TypeId>,
    any: Option<TypeId>,
    opaque: HashMap<u32, TypeId>,
    /// Indices of function types by signature.
    sigs: HashMap<Sig, u32>,
}

impl<'r, 'm> Session<'r, 'm> {
    pub fn new(ast: &'m Module, universe: Universe, erased: Erased<'r>, features: WasmFeatures) -> Session<'r, 'm> {
        let mut sigs = HashMap::new();
        for (def, &index) in universe.types.defs.iter().zip(&universe.index_of) {
            if let Def::Func(sig) = def {
                sigs.insert(sig.clone(), index);
            }
        }
        Session {
            ast,
            universe: Arc::new(universe),
            erased,
            features,
            intrinsics: Vec::new(),
            seen: HashMap::new(),
            invokers: Vec::new(),
            invoker_of: HashMap::new(),
            referred: BTreeSet::new(),
            declared: HashSet::new(),
            rtts: BTreeSet::new(),
            any: None,
            opaque: HashMap::new(),
            sigs,
        }
    }

    /// The function index of an intrinsic with a signature.
    pub fn intrinsic(&mut self, intrinsic: Intrinsic, params: &[Val], results: &[Val]) -> u32 {
        let key = (intrinsic, params.to_vec(), results.to_vec());
        if let Some(&index) = self.seen.get(&key) {
            return index;
        }
        let index = self.universe.intrinsics + self.add(intrinsic, params, results);
        self.seen.insert(key, index);
        index
    }

    /// A new number for an intrinsic and its signature.
    pub fn add(&mut self, intrinsic: Intrinsic, params: &[Val], results: &[Val]) -> u32 {
        self.intrinsics.push(intrinsic);
        self.universe.add_sig(params, results)
    }

    /// The classes of the source's types. What was added behind them has no index in the source.
    fn classes(&self) -> &[u32] {
        self.universe.types.class_of.get(..self.ast.types.len()).unwrap_or_default()
    }

    /// A type of the source, over classes.
    pub fn val(&self, val: Val, at: usize) -> Result<Val> {
        let mut unknown = None;
        let classes = self.classes();
        let val = map_val(val, &mut |index| {
            classes.get(index as usize).copied().unwrap_or_else(|| {
                unknown = Some(index);
                0
            })
        });
        unknown.map_or(Ok(val), |index| Err(unknown_type(index, at)))
    }

    pub fn vals(&self, vals: &[Val], at: usize) -> Result<Vec<Val>> {
        vals.iter().map(|&val| self.val(val, at)).collect()
    }

    pub fn heap(&self, heap: Heap, at: usize) -> Result<Heap> {
        let classes = self.classes();
        if let Heap::Type(index) | Heap::Rtt(_, Some(index)) = heap
            && classes.get(index as usize).is_none()
        {
            return Err(unknown_type(index, at));
        }
        Ok(map_heap(heap, &mut |index| classes[index as usize]))
    }

    pub fn sig(&self, sig: &Sig, at: usize) -> Result<Sig> {
        Ok(Sig { params: self.vals(&sig.params, at)?, results: self.vals(&sig.results, at)? })
    }

    /// The class of a type index.
    pub fn class(&self, index: u32, at: usize) -> Result<u32> {
        self.classes().get(index as usize).copied().ok_or_else(|| unknown_type(index, at))
    }

    pub fn def(&self, class: u32) -> Option<&Def> {
        self.universe.types.defs.get(class as usize)
    }

    /// The index of a signature, if some type has it.
    pub fn sig_index(&self, sig: &Sig) -> Result<u32> {
        self.sigs.get(sig).copied().ok_or_else(|| Error::bug("a signature that was not collected"))
    }

    /// A type as IR has it.
    pub fn ir(&self, val: Val) -> ValType {
        self.erased.val(&self.universe.types, val)
    }

    pub fn id(&self, class: u32) -> TypeId {
        self.erased.ids.get(class as usize).copied().unwrap_or(TypeId(0))
    }

    /// The identity of `rtt.anyref`.
    pub fn any(&mut self) -> Result<TypeId> {
        match self.any {
            Some(id) => Ok(id),
            None => {
                let id = self.erased.any()?;
                self.any = Some(id);
                Ok(id)
            }
        }
    }

    pub fn opaque(&mut self, class: u32) -> Result<TypeId> {
        if let Some(&id) = self.opaque.get(&class) {
            return Ok(id);
        }
        let universe = self.universe.clone();
        let id = self.erased.opaque(&universe.types, class)?;
        self.opaque.insert(class, id);
        Ok(id)
    }

    /// The function that calls one of class `callee` as one of class `to`, with what was bound: its index.
    pub fn invoker(&mut self, callee: u32, to: u32, bound: Vec<Val>, sig: Sig) -> Result<u32> {
        if let Some(&index) = self.invoker_of.get(&(callee, to)) {
            return Ok(index);
        }
        let ty = self.sig_index(&sig)?;
        let index = (self.ast.funcs.len() + self.invokers.len()) as u32;
        self.invokers.push(Invoker { ty, sig, callee, bound });
        self.invoker_of.insert((callee, to), index);
        self.referred.insert(index);
        Ok(index)
    }
}

#[cold]
pub(super) fn unknown_type(index: u32, at: usize) -> Error {
    invalid(at, format!("unknown type {index}"))
}

#[cold]
pub(super) fn invalid(offset: usize, message: impl Into<String>) -> Error {
    Error::Invalid { offset, message: message.into() }
}
