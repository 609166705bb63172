//! What is likely of calls: which functions those through references and tables reach most, and how often a call is
//! made; by place in the original module.
//!
//! It comes from a profile of earlier runs or from hints in the module, and may be wrong: what is made of it asks
//! first.

use super::func::SrcLoc;
use std::collections::HashMap;

/// A function that a call may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LikelyTarget {
    /// The function.
    pub func: u32,
    /// So many of a hundred calls reach it.
    pub percent: u32,
}

/// The likely targets of calls.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct LikelyTargets {
    by_place: HashMap<u32, Vec<LikelyTarget>>,
}

impl LikelyTargets {
    /// Whether nothing is known of any call.
    pub fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }

    /// Notes the targets of the call whose operator is at an offset in the module, in place of those that were known.
    pub fn insert(&mut self, offset: u32, mut targets: Vec<LikelyTarget>) {
        targets.sort_by_key(|target| std::cmp::Reverse(target.percent));
        self.by_place.insert(offset, targets);
    }

    /// Takes over what another knows, and prefers it.
    pub fn extend(&mut self, other: &LikelyTargets) {
        self.by_place.extend(other.by_place.iter().map(|(&offset, targets)| (offset, targets.clone())));
    }

    /// The targets of a call, the likeliest first.
    pub fn at(&self, loc: SrcLoc) -> &[LikelyTarget] {
        self.by_place.get(&loc.0).map_or(&[], |targets| targets)
    }
}

/// How often something is done while the function that it is in runs once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frequency {
    /// So seldom that it is not worth anything.
    Never,
    /// Two to this power times, about.
    Power(i8),
    /// It is worth whatever can be done.
    Always,
}

/// How often calls are made.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Frequencies {
    by_place: HashMap<u32, Frequency>,
}

impl Frequencies {
    /// Notes how often the operator at an offset in the module runs.
    pub fn insert(&mut self, offset: u32, frequency: Frequency) {
        self.by_place.insert(offset, frequency);
    }

    /// How often an operator runs, if that is known.
    pub fn at(&self, loc: SrcLoc) -> Option<Frequency> {
        self.by_place.get(&loc.0).copied()
    }
}
