//! How each `br_table` is written.
//!
//! Entries with the same target and the same operands share a *route*. If there is but one, and it leads forward, its
//! operands are set in front of the `br_table`. Otherwise every route with operands gets a *trampoline*, a block around
//! the `br_table`: what one route sets may be in the place of what another still needs.
//!
//! ```text
//! block block  index  br_table 0 1 ..  end  operands of route 0, br  end  operands of route 1, br
//! ```

use super::flat::{Event, Flat};
use crate::ir::{BrTarget, Func, Inst, Op, Value};
use foldhash::{HashMap, HashMapExt};

/// All entries that go to the same place with the same values.
pub(super) struct Route {
    /// Where to; `None` to return.
    pub target: Option<Inst>,
    /// The operands.
    pub args: Vec<Value>,
    /// Whether the operands are set on a way of its own.
    pub trampoline: bool,
}

/// One `br_table`.
#[derive(Default)]
pub(super) struct Table {
    /// The ways it can go.
    pub routes: Vec<Route>,
    /// For each entry, the default last: which route.
    pub entries: Vec<u32>,
}

impl Table {
    /// Whether any route has a trampoline.
    pub fn has_trampolines(&self) -> bool {
        self.routes.iter().any(|route| route.trampoline)
    }

    fn new(func: &Func<'_>, flat: &Flat, inst: Inst, targets: &[BrTarget]) -> Table {
        let mut table = Table::default();
        let mut known: HashMap<(Option<Inst>, Vec<Value>), u32> = HashMap::new();
        let mut rest = func.args(inst).get(1..).unwrap_or_default();
        for target in targets {
            let Some((mine, others)) = rest.split_at_checked(target.args as usize) else { break };
            rest = others;
            let key = (target.target, mine.iter().map(|&v| flat.root(v)).collect());
            let route = *known.entry(key).or_insert_with(|| {
                table.routes.push(Route { target: target.target, args: mine.to_vec(), trampoline: false });
                table.routes.len() as u32 - 1
            });
            table.entries.push(route);
        }
        table.choose(func);
        table
    }

    fn choose(&mut self, func: &Func<'_>) {
        let alone = self.routes.len() == 1;
        let simple = self
            .routes
            .iter()
            .all(|route| route.args.is_empty() || alone && route.target.is_some_and(|target| !is_loop(func, target)));
        // A return may have to restore the shadow stack, which needs room as well.
        let returns = func.frame.slots > 0;
        for route in &mut self.routes {
            let restores = returns && route.target.is_none();
            route.trampoline = restores || (!simple && !route.args.is_empty());
        }
        if self.has_trampolines() {
            for route in &mut self.routes {
                route.trampoline |= !route.args.is_empty();
            }
        }
    }
}

/// Whether a branch to this construct goes back to its start.
pub(super) fn is_loop(func: &Func<'_>, target: Inst) -> bool {
    matches!(func.insts[target].op, Op::Loop { .. })
}

/// All tables of a function.
pub(super) struct Tables(HashMap<Inst, Table>);

impl Tables {
    /// Plans every `br_table`.
    pub fn new(func: &Func<'_>, flat: &Flat) -> Tables {
        let mut tables = HashMap::new();
        for &event in &flat.events {
            if let Event::Inst(inst) = event
                && let Op::BrTable { targets } = &func.insts[inst].op
            {
                tables.insert(inst, Table::new(func, flat, inst, targets));
            }
        }
        Tables(tables)
    }

    /// The plan for one.
    pub fn get(&self, inst: Inst) -> Option<&Table> {
        self.0.get(&inst)
    }
}
