//! Strongly connected components of a directed graph.

use std::collections::BTreeSet;

/// The sets of nodes, of two at least, in which each reaches each other: Kosaraju's two passes, with
/// stacks of their own.
pub fn circles(nodes: usize, edges: &[(usize, usize)]) -> Vec<BTreeSet<usize>> {
    let mut forth = vec![Vec::new(); nodes];
    let mut back = vec![Vec::new(); nodes];
    for (from, to) in edges {
        forth[*from].push(*to);
        back[*to].push(*from);
    }
    let mut order = Vec::new();
    let mut seen = vec![false; nodes];
    for node in 0..nodes {
        finish(node, &forth, &mut seen, &mut order);
    }
    let mut seen = vec![false; nodes];
    let mut circles = Vec::new();
    for node in order.into_iter().rev() {
        let mut component = Vec::new();
        finish(node, &back, &mut seen, &mut component);
        if component.len() > 1 {
            circles.push(component.into_iter().collect());
        }
    }
    circles
}

/// Visits what can be reached from a node, and puts each node behind those it reaches.
fn finish(start: usize, edges: &[Vec<usize>], seen: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut stack = vec![(start, 0)];
    while let Some((node, next)) = stack.last_mut() {
        match edges[*node].get(*next) {
            Some(to) => {
                *next += 1;
                let to = *to;
                if !std::mem::replace(&mut seen[to], true) {
                    stack.push((to, 0));
                }
            }
            None => {
                order.push(*node);
                stack.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_found_once() {
        let edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (5, 0)];
        let found = circles(6, &edges);
        assert_eq!(found.len(), 2);
        assert!(found.contains(&BTreeSet::from([0, 1, 2])));
        assert!(found.contains(&BTreeSet::from([3, 4])));
        assert_eq!(circles(3, &[(0, 1), (1, 2), (0, 2)]), Vec::<BTreeSet<_>>::new());
    }
}
