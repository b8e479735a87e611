//! Arms over the outcome of an operation: its success goes on, and each error that is told apart has its own way out
//! of it. Where several arms may take an outcome of one kind, a decision on that way tells which.

use proc_macro2::Span;
use workflow_graph::{FlowKind, NodeIndex, Thrown, humanise};

use super::fingerprints::Basis;
use super::graph::{Way, Ways, next};
use super::lower::Lowerer;
use super::matches::{Arm, Asked, End, candidates};
use super::operations::Awaited;
use super::patterns::{Kind, Share, variants};
use super::swallowed;

/// The errors that the same arms may take.
struct Group<'k> {
    arms: Vec<usize>,
    kinds: Vec<Kind<'k>>,
    ways: Ways,
}

impl Lowerer<'_> {
    /// `thrown` is what `?` would throw with an error of it.
    pub(crate) fn outcome(
        &mut self,
        awaited: Awaited<'_>,
        thrown: Thrown,
        mut arms: Vec<Arm<'_>>,
        ways: Ways,
        end: End,
    ) -> Ways {
        let (node, ways) = self.operation(awaited, ways);
        let span = awaited.span();
        let Some((node, error)) = node.and_then(|node| Some((node, self.error_way(node)?))) else {
            // It cannot fail: its value is looked at like any other.
            let question = node.map_or_else(|| awaited.question(), |node| self.question_of(node));
            return self.answers(ways, question, span, arms, end, Basis::default());
        };
        if error.kind != FlowKind::Timeout {
            self.swallowed.extend(swallowed::by(&arms, span));
        }
        let leading = self.lead_outcome(node, error, &arms, span, end);
        arms.iter_mut().for_each(|arm| arm.caught = Some(thrown.clone()));
        self.arms(&arms, leading, end)
    }

    fn question_of(&self, node: NodeIndex) -> String {
        format!("{}?", humanise(self.graph.name_of(node)))
    }

    /// The ways out of an operation that lead to each of these arms.
    pub(crate) fn lead_outcome(
        &mut self,
        node: NodeIndex,
        error: Way,
        arms: &[Arm<'_>],
        span: Span,
        end: End,
    ) -> Vec<Ways> {
        let mut leading: Vec<Ways> = vec![Vec::new(); arms.len()];
        let success =
            Group { arms: candidates(arms, Kind::Success), kinds: vec![Kind::Success], ways: next(node) };
        self.lead(success, node, arms, span, end, &mut leading);
        if error.kind == FlowKind::Timeout {
            let late = Group {
                arms: candidates(arms, Kind::TimedOut),
                kinds: vec![Kind::TimedOut],
                ways: vec![error],
            };
            self.lead(late, node, arms, span, end, &mut leading);
            return leading;
        }
        let mut named: Vec<String> = Vec::new();
        for variant in arms.iter().filter_map(|arm| arm.pattern).flat_map(variants) {
            if !named.contains(&variant) {
                named.push(variant);
            }
        }
        let others = candidates(arms, Kind::OtherError);
        let mut groups: Vec<Group<'_>> = Vec::new();
        for kind in named.iter().map(|variant| Kind::Variant(variant)).chain([Kind::OtherError]) {
            let found = candidates(arms, kind);
            if found.is_empty() || (kind != Kind::OtherError && found == others) {
                continue; // An arm above has taken all errors.
            }
            let variant = if let Kind::Variant(name) = kind { name } else { "" };
            let label = if let [arm] = found[..] { arms[arm].label.clone() } else { None };
            let label = label.unwrap_or_default().into();
            let way = Way { from: node, kind: FlowKind::Error { variant: variant.to_owned().into(), label } };
            match groups.iter_mut().find(|group| found.len() > 1 && group.arms == found) {
                Some(group) => {
                    group.kinds.push(kind);
                    group.ways.push(way);
                }
                None => groups.push(Group { arms: found, kinds: vec![kind], ways: vec![way] }),
            }
        }
        for group in groups {
            self.lead(group, node, arms, span, end, &mut leading);
        }
        leading
    }

    fn lead(
        &mut self,
        group: Group<'_>,
        node: NodeIndex,
        arms: &[Arm<'_>],
        span: Span,
        end: End,
        leading: &mut [Ways],
    ) {
        let Group { arms: found, kinds, ways } = group;
        let (Some(&first), Some(&last)) = (found.first(), found.last()) else { return };
        if first == last || found.iter().all(|&arm| arms[arm].is_silent(end)) {
            leading[first].extend(ways);
            return;
        }
        let name = humanise(self.graph.name_of(node));
        let question = match kinds[..] {
            [Kind::Success] => self.question_of(node),
            [Kind::Variant(variant)] => format!("{}?", humanise(variant)),
            [Kind::TimedOut] => format!("{name} timed out?"),
            _ => format!("{name} error?"),
        };
        let is_guard =
            arms[first].guard.is_some() && kinds.iter().all(|&kind| arms[first].share(kind) == Share::Whole);
        let answers = found.iter().map(|&arm| (arm, arms[arm].answer_to(&kinds))).collect();
        let asked = Asked { question, span, answers, default: last, is_guard, basis: Basis::default() };
        self.ask(ways, asked, arms, end, leading);
    }
}
