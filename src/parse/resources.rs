//! What validation of bodies looks things up in: a module of the standard as `wasmparser` keeps it, or one of a
//! dialect with types of its own, which answers for itself.

use std::sync::Arc;
use wasmparser as wp;
use wasmparser::types::CoreTypeId;
use wasmparser::{FuncToValidate, ValidatorResources, WasmModuleResources};

/// What a dialect's module answers.
pub type DialectResources = Arc<dyn WasmModuleResources + Send + Sync>;

/// Where bodies of a module look things up.
#[derive(Clone)]
pub enum Resources {
    /// A module of the standard.
    Standard(ValidatorResources),
    /// A module of a dialect.
    Dialect(DialectResources),
}

/// A body of a module of the standard.
pub(super) fn standard(func: FuncToValidate<ValidatorResources>) -> FuncToValidate<Resources> {
    let FuncToValidate { resources, index, ty, features } = func;
    FuncToValidate { resources: Resources::Standard(resources), index, ty, features }
}

impl WasmModuleResources for Resources {
    fn table_at(&self, at: u32) -> Option<wp::TableType> {
        match self {
            Resources::Standard(resources) => resources.table_at(at),
            Resources::Dialect(resources) => resources.table_at(at),
        }
    }

    fn memory_at(&self, at: u32) -> Option<wp::MemoryType> {
        match self {
            Resources::Standard(resources) => resources.memory_at(at),
            Resources::Dialect(resources) => resources.memory_at(at),
        }
    }

    fn tag_at(&self, at: u32) -> Option<&wp::FuncType> {
        match self {
            Resources::Standard(resources) => resources.tag_at(at),
            Resources::Dialect(resources) => resources.tag_at(at),
        }
    }

    fn global_at(&self, at: u32) -> Option<wp::GlobalType> {
        match self {
            Resources::Standard(resources) => resources.global_at(at),
            Resources::Dialect(resources) => resources.global_at(at),
        }
    }

    fn sub_type_at(&self, at: u32) -> Option<&wp::SubType> {
        match self {
            Resources::Standard(resources) => resources.sub_type_at(at),
            Resources::Dialect(resources) => resources.sub_type_at(at),
        }
    }

    fn sub_type_at_id(&self, id: CoreTypeId) -> &wp::SubType {
        match self {
            Resources::Standard(resources) => resources.sub_type_at_id(id),
            Resources::Dialect(resources) => resources.sub_type_at_id(id),
        }
    }

    fn type_id_of_function(&self, at: u32) -> Option<CoreTypeId> {
        match self {
            Resources::Standard(resources) => resources.type_id_of_function(at),
            Resources::Dialect(resources) => resources.type_id_of_function(at),
        }
    }

    fn type_index_of_function(&self, at: u32) -> Option<u32> {
        match self {
            Resources::Standard(resources) => resources.type_index_of_function(at),
            Resources::Dialect(resources) => resources.type_index_of_function(at),
        }
    }

    fn element_type_at(&self, at: u32) -> Option<wp::RefType> {
        match self {
            Resources::Standard(resources) => resources.element_type_at(at),
            Resources::Dialect(resources) => resources.element_type_at(at),
        }
    }

    fn is_subtype(&self, a: wp::ValType, b: wp::ValType) -> bool {
        match self {
            Resources::Standard(resources) => resources.is_subtype(a, b),
            Resources::Dialect(resources) => resources.is_subtype(a, b),
        }
    }

    fn is_shared(&self, ty: wp::RefType) -> bool {
        match self {
            Resources::Standard(resources) => resources.is_shared(ty),
            Resources::Dialect(resources) => resources.is_shared(ty),
        }
    }

    fn check_heap_type(&self, ty: &mut wp::HeapType, offset: usize) -> Result<(), wp::BinaryReaderError> {
        match self {
            Resources::Standard(resources) => resources.check_heap_type(ty, offset),
            Resources::Dialect(resources) => resources.check_heap_type(ty, offset),
        }
    }

    fn top_type(&self, ty: &wp::HeapType) -> wp::HeapType {
        match self {
            Resources::Standard(resources) => resources.top_type(ty),
            Resources::Dialect(resources) => resources.top_type(ty),
        }
    }

    fn element_count(&self) -> u32 {
        match self {
            Resources::Standard(resources) => resources.element_count(),
            Resources::Dialect(resources) => resources.element_count(),
        }
    }

    fn data_count(&self) -> Option<u32> {
        match self {
            Resources::Standard(resources) => resources.data_count(),
            Resources::Dialect(resources) => resources.data_count(),
        }
    }

    fn is_function_referenced(&self, at: u32) -> bool {
        match self {
            Resources::Standard(resources) => resources.is_function_referenced(at),
            Resources::Dialect(resources) => resources.is_function_referenced(at),
        }
    }

    fn has_function_exact_type(&self, at: u32) -> bool {
        match self {
            Resources::Standard(resources) => resources.has_function_exact_type(at),
            Resources::Dialect(resources) => resources.has_function_exact_type(at),
        }
    }
}
