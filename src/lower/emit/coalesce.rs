//! Which values share a local because one is copied to the other.
//!
//! A branch copies its operands to what it sets. When the two are never alive at once, one local can
//! hold both and the copy goes. Values are merged greedily to *bundles*, copies to the start of loops
//! first, because these are what loops spend their time on.
//!
//! A bundle is a set of disjoint ranges. Two bundles overlap harmlessly at a
//! [`super::ranges::Clobber`] when what is written there is the other bundle's own value: merged, the
//! write is none. Two clobbers at one point that write different values can not share a local: each
//! would have to find its own value there.

use super::flat::{Event, Flat};
use super::locals::{Classes, Place, Places};
use super::operands::Operands;
use super::ranges::Ranges;
use super::tables::is_loop;
use crate::ir::{Func, Inst, Op, Value, ValueDef};
use cranelift_entity::SecondaryMap;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeMap;

/// When both bundles have more ranges than this they are not merged; it bounds the time.
const MAX_RANGES: usize = 400;

/// So many ranges are compared for each operand of the function, and [`LEAST`] more; then nothing is merged any more.
const FOR_EACH: usize = 32;
const LEAST: usize = 1_000_000;

/// A range of a bundle, without its start.
#[derive(Clone, Copy, Debug)]
struct Span {
    end: u32,
    /// The range is a clobber, and what it writes is this value.
    source: Option<Value>,
}

/// Values that share a local.
#[derive(Debug, Default)]
struct Bundle {
    spans: BTreeMap<u32, Span>,
    param: bool,
    /// How often something was merged into it.
    version: u32,
}

/// Sets of values that share a local.
pub(super) struct Bundles {
    bundles: Vec<Bundle>,
    /// Forest over the bundles.
    parent: Vec<u32>,
    /// How large the tree under each root is.
    size: Vec<u32>,
    /// Which bundle a value started in, plus one.
    of: SecondaryMap<Value, u32>,
    /// Which could not be merged, and in which version. Many branches may hand over the same values.
    apart: HashMap<(u32, u32), (u32, u32)>,
    /// How many more ranges may be compared.
    left: usize,
}

/// Merges what copies connect.
pub(super) fn run(
    func: &Func<'_>,
    flat: &Flat,
    ops: &Operands,
    ranges: &Ranges,
    classes: &Classes,
    places: &Places,
) -> Bundles {
    let mut bundles = Bundles {
        bundles: Vec::new(),
        parent: Vec::new(),
        size: Vec::new(),
        of: func.per_value(),
        apart: HashMap::new(),
        left: ops.list.len() * FOR_EACH + LEAST,
    };
    for clobber in &ranges.clobbers {
        let phi = bundles.bundle(func, ranges, clobber.phi);
        let span = Span { end: clobber.point + 1, source: Some(clobber.source) };
        bundles.bundles[phi as usize].spans.entry(clobber.point).or_insert(span);
    }
    for backward in [true, false] {
        for &event in &flat.events {
            let (Event::Inst(inst) | Event::Open(inst)) = event else { continue };
            if goes_back(func, inst) != backward {
                continue;
            }
            for operand in &ops.list[ops.of[inst].all()] {
                if let Some(phi) = operand.phi
                    && matches!(places.get(operand.value), Place::Local(_))
                    && classes.of[phi] == classes.of[operand.value]
                {
                    bundles.merge(func, ranges, phi, operand.value);
                }
            }
        }
    }
    bundles
}

fn goes_back(func: &Func<'_>, inst: Inst) -> bool {
    matches!(func.insts[inst].op, Op::Br { target } | Op::BrIf { target } if is_loop(func, target))
}

impl Bundles {
    /// A number for the bundle that a value is in, `None` when it is alone.
    pub fn find(&self, value: Value) -> Option<u32> {
        let bundle = self.of[value].checked_sub(1)?;
        Some(self.root(bundle))
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.bundles.len()
    }

    /// From the first to behind the last point where any value of a bundle is alive.
    pub fn hull(&self, bundle: u32) -> (u32, u32) {
        let spans = &self.bundles[bundle as usize].spans;
        let start = spans.first_key_value().map_or(0, |(&start, _)| start);
        (start, spans.last_key_value().map_or(start, |(_, span)| span.end))
    }

    fn root(&self, mut bundle: u32) -> u32 {
        while self.parent[bundle as usize] != bundle {
            bundle = self.parent[bundle as usize];
        }
        bundle
    }

    fn bundle(&mut self, func: &Func<'_>, ranges: &Ranges, value: Value) -> u32 {
        if let Some(bundle) = self.find(value) {
            return bundle;
        }
        let number = self.bundles.len() as u32;
        let range = ranges.of[value];
        let spans = BTreeMap::from([(range.start, Span { end: range.end, source: None })]);
        let param = matches!(func.values[value].def, ValueDef::Param(region, _) if region == func.body);
        self.bundles.push(Bundle { spans, param, version: 0 });
        self.parent.push(number);
        self.size.push(1);
        self.of[value] = number + 1;
        number
    }

    fn merge(&mut self, func: &Func<'_>, ranges: &Ranges, a: Value, b: Value) {
        let (a, b) = (self.bundle(func, ranges, a), self.bundle(func, ranges, b));
        if a == b {
            return;
        }
        let len = |bundle: u32| self.bundles[bundle as usize].spans.len();
        let (large, small) = if len(a) < len(b) { (b, a) } else { (a, b) };
        if len(small) > MAX_RANGES || self.left == 0 {
            return;
        }
        let versions = [large, small].map(|bundle| self.bundles[bundle as usize].version).into();
        if self.apart.get(&(large, small)) == Some(&versions) {
            return;
        }
        if !self.compatible(large, small) {
            self.apart.insert((large, small), versions);
            return;
        }
        let from = std::mem::take(&mut self.bundles[small as usize]);
        let mut into = std::mem::take(&mut self.bundles[large as usize]);
        into.param |= from.param;
        into.version = into.version.max(from.version) + 1;
        for (start, span) in from.spans {
            insert(&mut into.spans, start, span);
        }
        let root = self.join(large, small);
        self.bundles[root as usize] = into;
    }

    /// Puts the smaller tree under the larger one's root.
    fn join(&mut self, a: u32, b: u32) -> u32 {
        let (root, child) = if self.size[a as usize] < self.size[b as usize] { (b, a) } else { (a, b) };
        self.parent[child as usize] = root;
        self.size[root as usize] += self.size[child as usize];
        root
    }

    fn compatible(&mut self, large: u32, small: u32) -> bool {
        let spans = self.bundles[small as usize].spans.len();
        let most = self.left.saturating_sub(spans).min(MAX_RANGES);
        let mut compared = 0;
        let fits = self.fits(large, small, |n| {
            compared += n;
            compared <= most
        });
        self.left = self.left.saturating_sub(compared.min(most) + spans);
        fits
    }

    /// Whether two bundles are never alive at once, unless there are too many ranges to compare.
    fn fits(&self, large: u32, small: u32, mut compared: impl FnMut(usize) -> bool) -> bool {
        let (into, from) = (&self.bundles[large as usize], &self.bundles[small as usize]);
        if into.param && from.param {
            return false;
        }
        let own = |source: Value| self.find(source).is_some_and(|bundle| bundle == large || bundle == small);
        for (&start, span) in &from.spans {
            let before = into.spans.range(..start).next_back().filter(|(_, other)| other.end > start);
            let within = into.spans.range(start..span.end);
            for (_, other) in before.into_iter().chain(within) {
                let harmless = match (span.source, other.source) {
                    (Some(a), Some(b)) => a == b,
                    (Some(source), None) | (None, Some(source)) => own(source),
                    (None, None) => false,
                };
                if !harmless || !compared(1) {
                    return false;
                }
            }
        }
        true
    }
}

/// Adds a range; clobbers in it are writes of what is there already, and vanish.
fn insert(spans: &mut BTreeMap<u32, Span>, start: u32, span: Span) {
    if span.source.is_some() {
        let covered = spans.range(..=start).next_back().is_some_and(|(_, other)| other.end > start);
        if !covered {
            spans.insert(start, span);
        }
        return;
    }
    let within: Vec<u32> = spans.range(start..span.end).map(|(&at, _)| at).collect();
    within.iter().for_each(|at| {
        spans.remove(at);
    });
    spans.insert(start, span);
}
