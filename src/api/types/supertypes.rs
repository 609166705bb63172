//! Defined types with supertypes, made by the host.

use super::composite::{ArrayType, FieldType, Finality, FuncType, StructType};
use super::val::{ValType, assert_same};
use crate::api::{Engine, Error, Result};
use crate::types as t;

/// Checks that a type may be extended.
fn open(finality: Finality) -> Result<()> {
    match finality {
        Finality::NonFinal => Ok(()),
        Finality::Final => Err(Error::msg("cannot create a subtype of a final supertype")),
    }
}

/// So many fields a struct has at most, as in modules.
const MAX_FIELDS: usize = 10_000;

pub(super) fn define(
    engine: &Engine,
    finality: Finality,
    supertype: Option<t::TypeId>,
    composite: t::CompositeType,
) -> Result<t::TypeId> {
    if let t::CompositeType::Struct(fields) = &composite
        && fields.len() > MAX_FIELDS
    {
        return Err(Error::msg(format!(
            "attempted to define a struct type with {} fields, but that is more than the maximum supported number of \
             fields ({MAX_FIELDS})",
            fields.len()
        )));
    }
    let sub = t::SubType::new(finality.is_final(), supertype, composite);
    Ok(engine.state().registry.intern(t::RecGroup { types: vec![sub] })?)
}

impl StructType {
    /// A struct type, perhaps one that may be extended, perhaps one that extends another.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, FieldType, Finality, Mutability, StructType, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let int = FieldType::new(Mutability::Var, ValType::I32.into());
    /// let base = StructType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [int.clone()])?;
    /// let more = [int.clone(), int];
    /// let sub = StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), more)?;
    /// assert!(sub.matches(&base) && !base.matches(&sub));
    /// // The base has a field, so what extends it has to have it, too.
    /// assert!(StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), []).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the supertype is final, its fields are not the first ones here, or the engine can hold no more types.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        fields: impl IntoIterator<Item = FieldType>,
    ) -> Result<Self> {
        let fields: Vec<FieldType> = fields.into_iter().collect();
        fields.iter().for_each(|field| field.assert_engine(engine));
        if let Some(supertype) = supertype {
            assert_same(supertype.engine(), engine);
            open(supertype.finality())?;
            let of_super = supertype.fields();
            let fits = fields.len() >= of_super.len() && fields.iter().zip(of_super).all(|(a, b)| a.matches(&b));
            if !fits {
                return Err(Error::msg("struct fields must match their supertype's fields"));
            }
        }
        let composite = t::CompositeType::Struct(fields.iter().map(FieldType::to_canon).collect());
        Ok(StructType::of(engine, define(engine, finality, supertype.map(StructType::id), composite)?))
    }
}

impl ArrayType {
    /// An array type, perhaps one that may be extended, perhaps one that extends another.
    ///
    /// # Errors
    ///
    /// When the supertype is final or its elements do not match, or the engine can hold no more types.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        field_type: FieldType,
    ) -> Result<Self> {
        field_type.assert_engine(engine);
        if let Some(supertype) = supertype {
            assert_same(supertype.engine(), engine);
            open(supertype.finality())?;
            if !field_type.matches(&supertype.field_type()) {
                return Err(Error::msg("array field type must match its supertype's field type"));
            }
        }
        let composite = t::CompositeType::Array(field_type.to_canon());
        Ok(ArrayType::of(engine, define(engine, finality, supertype.map(ArrayType::id), composite)?))
    }
}

impl FuncType {
    /// A function type, perhaps one that may be extended, perhaps one that extends another.
    ///
    /// # Errors
    ///
    /// When the supertype is final or its signature does not match, or the engine can hold no more types.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<Self> {
        let canon = |ty: ValType| {
            ty.assert_engine(engine);
            ty.to_canon()
        };
        let params: Box<[t::ValType]> = params.into_iter().map(canon).collect();
        let results: Box<[t::ValType]> = results.into_iter().map(canon).collect();
        let signature = t::FuncType { params, results };
        if let Some(supertype) = supertype {
            assert_same(supertype.engine(), engine);
            open(supertype.finality())?;
            let fits = supertype.signature().is_some_and(|of_super| fits(engine, &signature, of_super));
            if !fits {
                let found = FuncType::show(engine, &signature);
                return Err(Error::msg(format!(
                    "function type must match its supertype: found {found}, expected {supertype}"
                )));
            }
        }
        let composite = t::CompositeType::Func(signature);
        Ok(FuncType::of(engine, define(engine, finality, supertype.map(FuncType::id), composite)?))
    }

    /// Whether a function of this type may be where one of the other is expected: it is that type, extends it, or
    /// takes no less and gives no more.
    pub fn matches(&self, other: &FuncType) -> bool {
        let structure = || self.signature().zip(other.signature()).is_some_and(|(a, b)| fits(self.engine(), a, b));
        self.extends(other) || structure()
    }

    fn show(engine: &Engine, signature: &t::FuncType) -> String {
        let mut text = "(func".to_string();
        for (word, types) in [("params", &signature.params), ("results", &signature.results)] {
            if !types.is_empty() {
                text += &format!(" ({word}");
                for &ty in types {
                    text += &format!(" {}", ValType::from_canon(engine, ty));
                }
                text += ")";
            }
        }
        text + ")"
    }
}

/// Whether one signature is as good as another: parameters the other way about.
fn fits(engine: &Engine, sub: &t::FuncType, sup: &t::FuncType) -> bool {
    let state = engine.state();
    let all = |a: &[t::ValType], b: &[t::ValType]| {
        a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| a == b || state.is_sub_val(a, b))
    };
    all(&sup.params, &sub.params) && all(&sub.results, &sup.results)
}
