//! Validation of a body, operator by operator, where the validator needs help.
//!
//! It is `wasmparser`'s, and what that gets right is not here. In the version that Wasmtime has,
//! - `array.new_fixed` takes as long as it has operands, also where none are there because the code can not be reached:
//!   four thousand million, in six bytes;
//! - the descriptor of `ref.cast_desc_eq` and of branches on it is taken for one of the type that has in the module the
//!   number which the right type has in the engine, so that one type's objects could be cast to another's;
//! - casts and tests may name exact types where custom descriptors are off, and shared ones.

use super::resources::{Resources, standard};
use super::unsupported::Feature;
use crate::fault::{Error, Result};
use crate::workers::Workers;
use wasmparser::{
    Encoding, ExternalKind, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody, HeapType, Operator,
    Parser, Payload, RefType, TypeRef, ValType, ValidPayload, Validator, WasmFeatures, WasmModuleResources,
};

/// Validates a binary.
///
/// # Errors
///
/// `Invalid`, and `Unsupported` for shared types.
pub fn module(wasm: &[u8], features: WasmFeatures, workers: Workers) -> Result<()> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut validator = Validator::new_with_features(features);
    let mut bodies = Vec::new();
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let Payload::Version { encoding: Encoding::Component, .. } = payload {
            return Err(Feature::Components.at(0));
        }
        exact_functions(&payload, features)?;
        if let ValidPayload::Func(func, body) = validator.payload(&payload)? {
            bodies.push((standard(func), body));
        }
    }
    let workers = workers.on(bodies.iter().map(|(_, body)| body.range().len()).sum());
    let each = |allocations: &mut FuncValidatorAllocations,
                (func, of): (FuncToValidate<Resources>, FunctionBody<'_>)| {
        let mut validator = func.into_validator(std::mem::take(allocations));
        body(&mut validator, &of)?;
        *allocations = validator.into_allocations();
        Ok(())
    };
    workers.map_with(bodies, Default::default, each).into_iter().collect()
}

/// Validates a whole body.
///
/// # Errors
///
/// `Invalid`, and `Unsupported` for shared types.
pub(super) fn body(validator: &mut FuncValidator<Resources>, body: &FunctionBody<'_>) -> Result<()> {
    let mut locals = body.get_locals_reader()?;
    for _ in 0..locals.get_count() {
        let offset = locals.original_position();
        let (count, ty) = locals.read()?;
        validator.define_locals(offset, count, ty)?;
    }
    let mut ops = body.get_operators_reader()?;
    while !ops.eof() {
        let (next, offset) = ops.read_with_offset()?;
        op(validator, offset, &next)?;
    }
    Ok(ops.finish()?)
}

/// Validates the next operator of a body.
///
/// # Errors
///
/// As [`body`].
pub(super) fn op(validator: &mut FuncValidator<Resources>, offset: usize, op: &Operator<'_>) -> Result<()> {
    for heap in named(op).into_iter().flatten() {
        switched_on(heap, *validator.features(), offset)?;
    }
    match *op {
        Operator::ArrayNewFixed { array_type_index, array_size } => {
            let array_size = array_size.min(reachable_operands(validator));
            Ok(validator.op(offset, &Operator::ArrayNewFixed { array_type_index, array_size })?)
        }
        Operator::RefCastDescEqNonNull { hty } if descriptor(validator, hty, offset)? => {
            validator.op(offset, &Operator::Drop)?;
            Ok(validator.op(offset, &Operator::RefCastNonNull { hty })?)
        }
        Operator::RefCastDescEqNullable { hty } if descriptor(validator, hty, offset)? => {
            validator.op(offset, &Operator::Drop)?;
            Ok(validator.op(offset, &Operator::RefCastNullable { hty })?)
        }
        Operator::BrOnCastDescEq { relative_depth, from_ref_type, to_ref_type }
            if descriptor(validator, to_ref_type.heap_type(), offset)? =>
        {
            validator.op(offset, &Operator::Drop)?;
            Ok(validator.op(offset, &Operator::BrOnCast { relative_depth, from_ref_type, to_ref_type })?)
        }
        Operator::BrOnCastDescEqFail { relative_depth, from_ref_type, to_ref_type }
            if descriptor(validator, to_ref_type.heap_type(), offset)? =>
        {
            validator.op(offset, &Operator::Drop)?;
            Ok(validator.op(offset, &Operator::BrOnCastFail { relative_depth, from_ref_type, to_ref_type })?)
        }
        ref op => Ok(validator.op(offset, op)?),
    }
}

/// Refuses imports and exports of exact functions where custom descriptors are off.
///
/// # Errors
///
/// `Invalid`.
pub(super) fn exact_functions(payload: &Payload<'_>, features: WasmFeatures) -> Result<()> {
    if features.contains(WasmFeatures::CUSTOM_DESCRIPTORS) {
        return Ok(());
    }
    let refused = |offset| Error::Invalid { offset, message: "custom descriptors required for exact functions".into() };
    match payload {
        Payload::ImportSection(section) => {
            for import in section.clone().into_imports_with_offsets() {
                let (offset, import) = import?;
                if matches!(import.ty, TypeRef::FuncExact(_)) {
                    return Err(refused(offset));
                }
            }
        }
        Payload::ExportSection(section) => {
            for export in section.clone().into_iter_with_offsets() {
                let (offset, export) = export?;
                if export.kind == ExternalKind::FuncExact {
                    return Err(refused(offset));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The heap types that an operator names, of those that are not looked at otherwise.
fn named(op: &Operator<'_>) -> [Option<HeapType>; 2] {
    match *op {
        Operator::RefTestNonNull { hty }
        | Operator::RefTestNullable { hty }
        | Operator::RefCastNonNull { hty }
        | Operator::RefCastNullable { hty } => [Some(hty), None],
        Operator::BrOnCast { from_ref_type, to_ref_type, .. }
        | Operator::BrOnCastFail { from_ref_type, to_ref_type, .. } => {
            [Some(from_ref_type.heap_type()), Some(to_ref_type.heap_type())]
        }
        _ => [None, None],
    }
}

fn switched_on(heap: HeapType, features: WasmFeatures, offset: usize) -> Result<()> {
    match heap {
        HeapType::Exact(_) if !features.contains(WasmFeatures::CUSTOM_DESCRIPTORS) => {
            let message = "custom descriptors required for exact reference types".into();
            Err(Error::Invalid { offset, message })
        }
        HeapType::Abstract { shared: true, .. } => Err(Feature::Shared.at(offset)),
        _ => Ok(()),
    }
}

/// How many operands of the innermost block there are, and in code that can not be reached one more, which stands for all
/// that are missing. Elsewhere any number.
fn reachable_operands(validator: &FuncValidator<Resources>) -> u32 {
    match validator.get_control_frame(0) {
        Some(frame) if frame.unreachable => {
            validator.operand_stack_height().saturating_sub(frame.height as u32).saturating_add(1)
        }
        _ => u32::MAX,
    }
}

/// Whether the operand on top is a descriptor for casts to a heap type. `false` where the validator finds a mistake
/// itself.
fn descriptor(validator: &FuncValidator<Resources>, to: HeapType, offset: usize) -> Result<bool> {
    if !validator.features().contains(WasmFeatures::CUSTOM_DESCRIPTORS) {
        return Ok(false);
    }
    let (HeapType::Concrete(index) | HeapType::Exact(index)) = to else { return Ok(false) };
    let ty = index.as_module_index().and_then(|index| validator.resources().sub_type_at(index));
    let Some(descriptor) = ty.and_then(|ty| ty.composite_type.descriptor_idx) else { return Ok(false) };
    let exact = matches!(to, HeapType::Exact(_));
    let due = if exact { RefType::exact(true, descriptor) } else { RefType::concrete(true, descriptor) };
    let is_there = validator.get_control_frame(0).is_some_and(|frame| {
        let height = validator.operand_stack_height() as usize;
        height > frame.height
    });
    match validator.get_operand_type(0).filter(|_| is_there) {
        Some(Some(found)) if !validator.resources().is_subtype(found, ValType::Ref(due)) => {
            Err(Error::Invalid { offset, message: format!("type mismatch: expected {due}, found {found}") })
        }
        // Of a type that is not known, in code that can not be reached: the validator knows whether it can be one.
        Some(None) => Ok(false),
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Config, Engine, Module};

    fn compiled(text: &str, configure: impl Fn(&mut Config)) -> Result<(), String> {
        let mut config = Config::new();
        configure(&mut config);
        let module = Module::new(&Engine::new(&config).unwrap(), text);
        module.map(drop).map_err(|err| format!("{err:?}"))
    }

    /// A reader ran the scripts of other projects: all of this was accepted by default.
    #[test]
    fn exact_types_need_custom_descriptors() {
        let casts = [
            "(ref.test (ref (exact $s)) (local.get 0))",
            "(i32.eqz (ref.test (ref null (exact $s)) (local.get 0)))",
            "(ref.is_null (ref.cast (ref null (exact $s)) (local.get 0)))",
            "(ref.is_null (block $l (result anyref) (br_on_cast $l anyref (ref (exact $s)) (local.get 0))))",
            "(ref.is_null (block $l (result anyref) (br_on_cast_fail $l anyref (ref (exact $s)) (local.get 0))))",
        ];
        let imported = r#"(import "" "f" (func (exact (type $f))))"#;
        let with = |import: &str, cast: &str| {
            format!("(module (type $s (struct)) (type $f (func)) {import} (func (param anyref) (result i32) {cast}))")
        };
        let modules = casts.map(|cast| with("", cast)).into_iter().chain([with(imported, "(i32.const 1)")]);
        for text in modules {
            let refused = compiled(&text, |_| {}).unwrap_err();
            assert!(refused.contains("custom descriptors required for exact"), "{refused}");
            let on = |config: &mut Config| {
                config.wasm_custom_descriptors(true);
            };
            assert_eq!(compiled(&text, on), Ok(()));
        }
    }

    #[test]
    fn shared_types_are_refused_in_casts_too() {
        let text = "(module (func (result i32) (ref.test (ref (shared any)) (unreachable))))";
        let refused = compiled(text, |_| {}).unwrap_err();
        assert!(refused.contains("shared references"), "{refused}");
    }
}
