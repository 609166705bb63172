//! Reachability in a graph that is given by its edges: which nodes lead to a marked one?
//!
//! Every interprocedural question so far is of this kind: who may collect, who may throw. Linear: one
//! pass over the edges to reverse them, one over those that are reached.

/// Marks every node from which a marked node can be reached. `edges` lists all `(from, to)`, and gives
/// the same list each time it is called; an edge to a node that does not exist marks its source.
pub fn backward<I: Iterator<Item = (usize, usize)>>(mut marked: Vec<bool>, edges: impl Fn() -> I) -> Vec<bool> {
    let count = marked.len();
    // Sources of the edges to each node: `sources[start[n]..start[n + 1]]`.
    let mut start = vec![0usize; count + 1];
    for (from, to) in edges().filter(|&(from, _)| from < count) {
        match start.get_mut(to + 1) {
            Some(n) => *n += 1,
            None => marked[from] = true,
        }
    }
    for n in 0..count {
        start[n + 1] += start[n];
    }
    let mut sources = vec![0usize; start[count]];
    let mut next = start.clone();
    for (from, to) in edges().filter(|&(from, to)| from < count && to < count) {
        sources[next[to]] = from;
        next[to] += 1;
    }
    let mut work: Vec<usize> = (0..count).filter(|&n| marked[n]).collect();
    while let Some(n) = work.pop() {
        for &from in &sources[start[n]..start[n + 1]] {
            if !std::mem::replace(&mut marked[from], true) {
                work.push(from);
            }
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_spread_against_the_edges() {
        let edges = [(0, 1), (1, 2), (3, 9), (4, 3), (2, 1)];
        let marked = backward(vec![false, false, true, false, false, false], || edges.into_iter());
        assert_eq!(marked, [true, true, true, true, true, false]);
    }

    proptest! {
        #[test]
        fn the_marks_are_the_least_fixpoint(
            seeds in prop::collection::vec(any::<u8>(), 1..24),
            edges in prop::collection::vec((0usize..24, 0usize..24), 0..64),
        ) {
            let seeds: Vec<bool> = seeds.iter().map(|n| n % 16 == 0).collect();
            let mut naive = seeds.clone();
            for _ in 0..=seeds.len() {
                for &(from, to) in edges.iter().filter(|(from, _)| *from < seeds.len()) {
                    naive[from] |= naive.get(to).copied().unwrap_or(true);
                }
            }
            prop_assert_eq!(backward(seeds, || edges.iter().copied()), naive);
        }
    }
}
