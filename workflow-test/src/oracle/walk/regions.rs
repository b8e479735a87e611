//! Moving tokens in regions: branches between a fork and a join, the arms of a race, and blocks that fail as one.
//! What happens in an operation, and in a flow without regions, is told elsewhere.

use workflow_graph::{ErrorFacts, NodeIndex, Outcome};

use super::Walker;
use super::seek::{Found, Goal, Visit};
use super::token::{Answer, Step, Token, certain};

impl Walker {
    pub(super) fn seek_in_fork<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        branches: &[Token<'a>],
        goal: Goal<'_, 'a>,
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        for (number, branch) in branches.iter().enumerate() {
            if let Goal::Join = goal {
                break; // Another fork's.
            }
            let mut found = Vec::new();
            self.seek(map, branch, goal, &mut visit.clone(), &mut found);
            for (token, steps) in found {
                if let Token::At { .. } = token {
                    out.push((token, steps)); // The end of a branch that ends them all.
                    continue;
                }
                let mut branches = branches.to_vec();
                branches[number] = token;
                out.push((Token::Split { node, branches }, steps));
            }
        }
        let mut joined: Option<(NodeIndex, Vec<Step<'a>>)> = None;
        for branch in branches {
            let mut found = Vec::new();
            self.seek(map, branch, Goal::Join, &mut visit.afresh(), &mut found);
            let mut join = joined.as_ref().map(|(join, _)| *join);
            let arrived = found.into_iter().filter_map(|(token, steps)| match token {
                Token::At { node, .. } if *join.get_or_insert(node) == node => Some(steps),
                _ => None,
            });
            let arrived = certain(arrived.collect());
            let Some((join, steps)) = join.zip(arrived) else { return };
            let before = joined.map(|(_, steps)| steps).unwrap_or_default();
            joined = Some((join, [before, steps].concat()));
        }
        let Some((join, steps)) = joined else { return };
        if visit.leaves(join) {
            for flow in self.maps[map].after_success(join) {
                self.go_on(map, &Token::Left(flow), goal, &steps, visit, out);
            }
        }
    }

    /// The arms of a race begin together; the first that is done goes on alone.
    pub(super) fn seek_in_race<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        arms: &[Token<'a>],
        goal: Goal<'_, 'a>,
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        let this = &self.maps[map];
        let mut won: Vec<(usize, Vec<Step<'a>>)> = Vec::new();
        for (number, arm) in arms.iter().enumerate() {
            let mut found = Vec::new();
            match arm {
                Token::Left(flow) => {
                    for (&stop, flows) in &this.ways[*flow] {
                        let way = Step::Way { map, scope: visit.scope, flows: flows.clone() };
                        if this.graph.nodes[stop].is_operation() {
                            self.begin_here(map, stop, goal, &way, visit, &mut found);
                            won.extend(
                                this.past(&self.maps, stop).into_iter().map(|flow| (flow, vec![way.clone()])),
                            );
                        }
                    }
                }
                Token::In { node, calls } => {
                    self.go_on_inside(map, *node, calls, goal, visit, &mut found);
                    won.extend(self.ways_out(map, *node, calls, visit.row));
                }
                _ => {}
            }
            for (token, steps) in found {
                if let Token::At { .. } = token {
                    out.push((token, steps));
                    continue;
                }
                let mut branches = arms.to_vec();
                branches[number] = token;
                out.push((Token::Split { node, branches }, steps));
            }
        }
        if visit.leaves(node) {
            for (flow, steps) in won {
                self.go_on(map, &Token::Left(flow), goal, &steps, visit, out);
            }
        }
    }

    pub(super) fn seek_in_block<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        inside: &Token<'a>,
        goal: Goal<'_, 'a>,
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        if let Goal::Begin { .. } | Goal::Any(_) = goal {
            let mut found = Vec::new();
            self.seek(map, inside, goal, &mut visit.afresh(), &mut found);
            let inside = |token| Token::Block { node, inside: Box::new(token) };
            out.extend(found.into_iter().map(|(token, steps)| (inside(token), steps)));
        }
        let mut ends = Vec::new();
        self.seek(map, inside, Goal::End, &mut visit.afresh(), &mut ends);
        if self.fails(map, inside) {
            ends.push((Token::At { node, outcome: Some(Outcome::Failure) }, Vec::new()));
        }
        if !visit.leaves(node) {
            return;
        }
        for (token, mut steps) in ends {
            let Token::At { outcome: Some(outcome), .. } = token else { continue };
            if outcome == Outcome::Failure {
                self.dropped(map, inside, visit.row, &mut steps);
            }
            if let (Outcome::Continued, Goal::End) = (outcome, goal) {
                out.push((token, steps));
                continue;
            }
            let ways = match outcome {
                Outcome::Failure => self.ways_after_failure(map, node, inside),
                _ => self.maps[map].after_end(node, outcome),
            };
            for flow in ways {
                self.go_on(map, &Token::Left(flow), goal, &steps, &mut visit.clone(), out);
            }
        }
    }

    /// The ways of a block that failed: that of its error, where one call in it has failed, and as the function may.
    fn ways_after_failure(&self, map: usize, node: NodeIndex, inside: &Token<'_>) -> Vec<usize> {
        let this = &self.maps[map];
        let mut errors = Vec::new();
        self.errors_in(map, inside, &mut errors);
        let is_own = |facts: &&ErrorFacts| {
            this.graph.errors.iter().any(|own| (&own.variant, &own.code) == (&facts.variant, &facts.code))
        };
        match errors[..] {
            [Some(facts)] if is_own(&facts) => this.after_error(node, &facts.variant),
            _ => this.after_any_error(node),
        }
    }

    /// The errors that calls have answered with where the token is; `None` for one that is not known.
    fn errors_in(&self, map: usize, token: &Token<'_>, errors: &mut Vec<Option<&'static ErrorFacts>>) {
        match token {
            Token::Left(_) | Token::At { .. } => {}
            Token::In { node, calls } => {
                let known = self.maps[map].graph.nodes[*node].kind.errors();
                errors.extend(calls.iter().filter_map(|call| match call.answer {
                    Answer::Error(name) => Some(known.iter().find(|facts| facts.variant == name)),
                    _ if call.inside.is_some() || call.answer.is_error() => Some(None),
                    _ => None,
                }));
            }
            Token::Split { branches, .. } => {
                branches.iter().for_each(|branch| self.errors_in(map, branch, errors));
            }
            Token::Block { inside, .. } => self.errors_in(map, inside, errors),
        }
    }

    /// What a failure ends beside itself: operations that are under way, and subflows that have not come to their end.
    pub(super) fn dropped<'a>(&self, map: usize, token: &Token<'a>, row: usize, steps: &mut Vec<Step<'a>>) {
        match token {
            Token::Left(_) | Token::At { .. } => {}
            Token::In { node, calls } => {
                for call in calls {
                    match self.maps[map].inside[*node].zip(call.inside.as_ref()) {
                        None if matches!(call.answer, Answer::Open | Answer::Gone) => {
                            steps.push(Step::Dropped { id: call.id, row });
                        }
                        None => {}
                        Some((map, token)) => {
                            self.dropped(map, token, row, steps);
                            let mut ends = Vec::new();
                            self.seek(map, token, Goal::End, &mut Visit::at(row), &mut ends);
                            if ends.is_empty() {
                                steps.push(Step::BrokenOff { id: call.id, row });
                            }
                        }
                    }
                }
            }
            Token::Split { branches, .. } => {
                branches.iter().for_each(|branch| self.dropped(map, branch, row, steps));
            }
            Token::Block { inside, .. } => self.dropped(map, inside, row, steps),
        }
    }

    /// Whether a branch has failed by an error that no flow is drawn for: then the block has.
    fn fails(&self, map: usize, token: &Token<'_>) -> bool {
        match token {
            Token::In { node, calls } => {
                let has_no_way = self.maps[map].after_any_error(*node) == self.maps[map].after_success(*node);
                has_no_way && calls.iter().any(|call| call.answer.is_error())
            }
            Token::Split { branches, .. } => branches.iter().any(|branch| self.fails(map, branch)),
            Token::Block { inside, .. } => self.fails(map, inside),
            Token::Left(_) | Token::At { .. } => false,
        }
    }
}
