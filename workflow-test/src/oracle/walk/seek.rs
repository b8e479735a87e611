//! Moving a token: all ways in which it comes to what is seen next.
//! It decides nothing about right or wrong; a token that no way leads on is the walker's affair.

use std::cell::RefCell;

use workflow_graph::{NodeIndex, NodeKind, Outcome};

use super::Walker;
use super::token::{Answer, Call, Segment, Step, Token, activation, inside as inside_of};

/// Where a token is wanted.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'g, 'a> {
    /// At this operation, whose id is looked at from there on.
    Begin { text: &'a str, from: usize },
    /// At the join behind it.
    Join,
    /// At an end.
    End,
    /// Anywhere: the names of what it can come to are gathered.
    Any(&'g RefCell<Vec<String>>),
}

/// Where a search has been: a way that comes to the same place twice without an operation leads nowhere new.
#[derive(Clone, Default)]
pub(crate) struct Visit<'a> {
    flows: Vec<usize>,
    regions: Vec<NodeIndex>,
    pub(super) row: usize,
    /// The call of the subflow that the search is in; empty in the flow itself.
    pub(super) scope: &'a str,
}

impl<'a> Visit<'a> {
    pub(crate) fn at(row: usize) -> Visit<'a> {
        Visit { row, ..Visit::default() }
    }

    fn inside(scope: &'a str, row: usize) -> Visit<'a> {
        Visit { row, scope, ..Visit::default() }
    }

    /// A search that has been nowhere, in the same flow.
    pub(super) fn afresh(&self) -> Visit<'a> {
        Visit::inside(self.scope, self.row)
    }

    /// Whether this region is left for the first time; what lies around it may then be passed once more.
    pub(super) fn leaves(&mut self, region: NodeIndex) -> bool {
        let is_new = !self.regions.contains(&region);
        self.regions.push(region);
        self.flows.clear();
        is_new
    }
}

/// Where a token can come, and on which way.
pub(crate) type Found<'a> = Vec<(Token<'a>, Vec<Step<'a>>)>;

impl Walker {
    /// All ways in which this token comes to the goal.
    pub(crate) fn seek<'a>(
        &self,
        map: usize,
        token: &Token<'a>,
        goal: Goal<'_, 'a>,
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        match token {
            Token::At { .. } => {}
            Token::Left(flow) => self.seek_from(map, *flow, goal, visit, out),
            Token::In { node, calls } => {
                self.go_on_inside(map, *node, calls, goal, visit, out);
                for (flow, steps) in self.ways_out(map, *node, calls, visit.row) {
                    // However a subflow ended, it may be left by the same flow: none of its ends hides another.
                    let ended = steps.iter().any(|step| matches!(step, Step::Scope { .. }));
                    let visit = if ended { &mut visit.clone() } else { &mut *visit };
                    self.go_on(map, &Token::Left(flow), goal, &steps, visit, out);
                }
            }
            Token::Split { node, branches } if self.maps[map].graph.nodes[*node].kind == NodeKind::Race => {
                self.seek_in_race(map, *node, branches, goal, visit, out);
            }
            Token::Split { node, branches } => self.seek_in_fork(map, *node, branches, goal, visit, out),
            Token::Block { node, inside } => self.seek_in_block(map, *node, inside, goal, visit, out),
        }
    }

    /// Like [`Walker::seek`], after having gone this way.
    pub(super) fn go_on<'a>(
        &self,
        map: usize,
        token: &Token<'a>,
        goal: Goal<'_, 'a>,
        so_far: &[Step<'a>],
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        let begun = out.len();
        self.seek(map, token, goal, visit, out);
        if !so_far.is_empty() {
            for (_, steps) in &mut out[begun..] {
                steps.splice(0..0, so_far.iter().cloned());
            }
        }
    }

    fn seek_from<'a>(
        &self,
        map: usize,
        flow: usize,
        goal: Goal<'_, 'a>,
        visit: &mut Visit<'a>,
        out: &mut Found<'a>,
    ) {
        if visit.flows.contains(&flow) {
            return;
        }
        visit.flows.push(flow);
        let this = &self.maps[map];
        for (&stop, flows) in &this.ways[flow] {
            let way = Step::Way { map, scope: visit.scope, flows: flows.clone() };
            let node = &this.graph.nodes[stop];
            let begun = out.len();
            match &node.kind {
                NodeKind::End(outcome) => match goal {
                    Goal::End => out.push((Token::At { node: stop, outcome: Some(*outcome) }, vec![way])),
                    // The end of a block or of a subflow is no place where the run can be seen.
                    Goal::Any(names) if map == 0 && node.scope.is_none() => add(names, &node.id),
                    _ => {}
                },
                NodeKind::Join => {
                    if let Goal::Join = goal {
                        out.push((Token::At { node: stop, outcome: None }, vec![way]));
                    }
                }
                NodeKind::Fork | NodeKind::Race => {
                    let branches = this.leaving[stop].iter().map(|&flow| Token::Left(flow)).collect();
                    let split = Token::Split { node: stop, branches };
                    self.go_on(map, &split, goal, &[way], visit, out);
                }
                NodeKind::Block => {
                    let Some(start) = this.starts.get(&Some(stop)) else { continue };
                    let block = Token::Block { node: stop, inside: Box::new(Token::Left(start.flow)) };
                    let steps = [way, Step::Node { map, node: start.node }];
                    self.go_on(map, &block, goal, &steps, visit, out);
                }
                _ => {
                    self.begin_here(map, stop, goal, &way, visit, out);
                    for past in this.past(&self.maps, stop) {
                        self.go_on(map, &Token::Left(past), goal, std::slice::from_ref(&way), visit, out);
                    }
                }
            }
            // What begins behind it begins in the moment in which all is undone. A join may be come to much later.
            if let Goal::Begin { .. } = goal
                && this.compensating[flow].contains(&stop)
            {
                let compensated = Step::Compensated { scope: None, row: visit.row };
                out[begun..].iter_mut().for_each(|(_, steps)| steps.push(compensated.clone()));
            }
        }
    }

    /// The operation begins at this node.
    pub(super) fn begin_here<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        goal: Goal<'_, 'a>,
        way: &Step<'a>,
        visit: &Visit<'a>,
        out: &mut Found<'a>,
    ) {
        let this = &self.maps[map];
        match goal {
            Goal::Any(names) => match this.inside[node] {
                Some(_) => self.enter(map, node, goal, "", visit.row).into_iter().for_each(drop),
                None => add(names, &this.graph.nodes[node].id),
            },
            Goal::Begin { text, from } => {
                let segment = Segment::at(text, from);
                if this.graph.nodes[node].id != segment.node {
                    return;
                }
                for (call, steps) in self.new_calls(map, node, segment, text, visit.row) {
                    let steps = std::iter::once(way.clone()).chain(steps).collect();
                    out.push((Token::In { node, calls: vec![call] }, steps));
                }
            }
            Goal::Join | Goal::End => {}
        }
    }

    /// A call that begins: of a step or the like, or of a subflow in which an operation begins.
    fn new_calls<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        segment: Segment<'a>,
        text: &'a str,
        row: usize,
    ) -> Vec<(Call<'a>, Vec<Step<'a>>)> {
        match (self.maps[map].inside[node], segment.next) {
            (None, None) => vec![(Call { id: segment.id, answer: Answer::Open, inside: None }, Vec::new())],
            (Some(_), Some(from)) => self.enter(map, node, Goal::Begin { text, from }, segment.id, row),
            _ => Vec::new(),
        }
    }

    /// A subflow begins.
    fn enter<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        goal: Goal<'_, 'a>,
        id: &'a str,
        row: usize,
    ) -> Vec<(Call<'a>, Vec<Step<'a>>)> {
        let Some(inside) = self.maps[map].inside[node] else { return Vec::new() };
        let Some(start) = self.maps[inside].starts.get(&None) else { return Vec::new() };
        let mut found = Vec::new();
        let first = [Step::Node { map: inside, node: start.node }];
        self.go_on(inside, &Token::Left(start.flow), goal, &first, &mut Visit::inside(id, row), &mut found);
        let call = |token| Call { id, answer: Answer::Open, inside: Some(token) };
        found.into_iter().map(|(token, steps)| (call(token), inside_of(steps, id))).collect()
    }

    /// More happens in the operation: inside of a subflow, or in another of many calls.
    pub(super) fn go_on_inside<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        calls: &[Call<'a>],
        goal: Goal<'_, 'a>,
        visit: &Visit<'a>,
        out: &mut Found<'a>,
    ) {
        let inside = self.maps[map].inside[node];
        let Goal::Begin { text, from } = goal else {
            // A run continues as new from wherever it is, and everything inside can be come to next.
            for call in calls {
                let Some((map, token)) = inside.zip(call.inside.as_ref()) else { continue };
                let goal = if let Goal::Join = goal { continue } else { goal };
                let mut found = Vec::new();
                self.seek(map, token, goal, &mut Visit::inside(call.id, visit.row), &mut found);
                found.retain(|(token, _)| {
                    matches!(token, Token::At { outcome: Some(Outcome::Continued), .. })
                });
                out.append(&mut found);
            }
            return;
        };
        let segment = Segment::at(text, from);
        let is_same = calls.first().is_some_and(|first| activation(first.id) == segment.activation);
        if !is_same {
            return;
        }
        let with = |position: usize, call: Call<'a>| {
            let mut calls = calls.to_vec();
            if position < calls.len() {
                calls[position] = call
            } else {
                calls.push(call)
            }
            Token::In { node, calls }
        };
        match calls.iter().position(|call| call.id == segment.id) {
            Some(position) => {
                let Some(token) = &calls[position].inside else { return };
                let (Some(map), Some(from)) = (inside, segment.next) else { return };
                let mut found = Vec::new();
                let mut visit = Visit::inside(calls[position].id, visit.row);
                self.seek(map, token, Goal::Begin { text, from }, &mut visit, &mut found);
                for (token, steps) in found {
                    let call = Call { inside: Some(token), ..calls[position].clone() };
                    out.push((with(position, call), inside_of(steps, segment.id)));
                }
            }
            None if self.maps[map].graph.nodes[node].instances.is_some() => {
                for (call, steps) in self.new_calls(map, node, segment, text, visit.row) {
                    out.push((with(calls.len(), call), steps));
                }
            }
            None => {}
        }
    }

    /// The flows by which an operation can be left now, each with what came to its end by that.
    pub(super) fn ways_out<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        calls: &[Call<'a>],
        row: usize,
    ) -> Vec<(usize, Vec<Step<'a>>)> {
        let this = &self.maps[map];
        let fails_fast = this.graph.nodes[node].instances.as_ref().map(|instances| instances.fails_fast);
        if let Some(inside) = this.inside[node] {
            return self.ways_out_of_subflow(map, node, inside, calls, fails_fast, row);
        }
        let is_done = calls.iter().all(|call| call.answer != Answer::Open);
        let ways = match fails_fast {
            // All calls are made, whatever their answers.
            Some(false) => {
                if is_done {
                    this.after_success(node)
                } else {
                    Vec::new()
                }
            }
            Some(true) if calls.iter().any(|call| call.answer.is_error()) => {
                let errors = calls.iter().filter(|call| call.answer.is_error());
                let ways = errors.flat_map(|call| self.ways_after(map, node, call.answer));
                let mut dropped = Vec::new();
                self.dropped(map, &Token::In { node, calls: calls.to_vec() }, row, &mut dropped);
                return ways.map(|flow| (flow, dropped.clone())).collect();
            }
            Some(true) => {
                if is_done {
                    this.after_success(node)
                } else {
                    Vec::new()
                }
            }
            None => calls.first().map_or_else(Vec::new, |call| self.ways_after(map, node, call.answer)),
        };
        ways.into_iter().map(|flow| (flow, Vec::new())).collect()
    }

    pub(super) fn ways_after(&self, map: usize, node: NodeIndex, answer: Answer<'_>) -> Vec<usize> {
        let this = &self.maps[map];
        match answer {
            Answer::Open | Answer::Gone => Vec::new(),
            Answer::Good => this.after_success(node),
            Answer::Error(name) => this.after_error(node, name),
            Answer::AnyError => this.after_any_error(node),
            Answer::TimedOut => this.after_timeout(node),
        }
    }

    fn ways_out_of_subflow<'a>(
        &self,
        map: usize,
        node: NodeIndex,
        inside: usize,
        calls: &[Call<'a>],
        fails_fast: Option<bool>,
        row: usize,
    ) -> Vec<(usize, Vec<Step<'a>>)> {
        let this = &self.maps[map];
        let ends = calls.iter().map(|call| {
            let mut found = Vec::new();
            if let Some(token) = &call.inside {
                self.seek(inside, token, Goal::End, &mut Visit::inside(call.id, row), &mut found);
            }
            let ended = found.into_iter().filter_map(|(token, mut steps)| {
                let Token::At { outcome: Some(outcome), .. } = token else { return None };
                steps.push(Step::Scope { id: call.id, outcome, row });
                Some((outcome, steps))
            });
            ended.collect::<Vec<_>>()
        });
        let ends: Vec<Vec<(Outcome, Vec<Step<'a>>)>> = ends.collect();
        let Some(fails_fast) = fails_fast else {
            let ends = ends.into_iter().next().unwrap_or_default();
            let ways = ends.into_iter().flat_map(|(outcome, steps)| {
                this.after_end(node, outcome).into_iter().map(move |flow| (flow, steps.clone()))
            });
            return ways.collect();
        };
        let mut ways = Vec::new();
        let failed = ends.iter().flatten().find(|(outcome, _)| *outcome == Outcome::Failure);
        if let Some((_, steps)) = failed.filter(|_| fails_fast) {
            let mut steps = steps.clone();
            self.dropped(map, &Token::In { node, calls: calls.to_vec() }, row, &mut steps);
            ways.extend(this.after_any_error(node).into_iter().map(|flow| (flow, steps.clone())));
        }
        let wanted = |outcome: Outcome| !fails_fast || outcome == Outcome::Success;
        let each = ends.into_iter().map(|ends| {
            let mut ends: Vec<_> = ends.into_iter().filter(|(outcome, _)| wanted(*outcome)).collect();
            let is_open = ends.iter().any(|(outcome, _)| *outcome != ends[0].0);
            let (_, mut steps) = if ends.is_empty() { return None } else { ends.swap_remove(0) };
            if is_open {
                steps.pop(); // Nobody knows how it ended.
            }
            Some(steps)
        });
        if let Some(steps) = each.collect::<Option<Vec<_>>>() {
            let steps = steps.concat();
            ways.extend(this.after_success(node).into_iter().map(|flow| (flow, steps.clone())));
        }
        ways
    }
}

fn add(names: &RefCell<Vec<String>>, id: &str) {
    let name = format!("`{id}`");
    if !names.borrow().contains(&name) {
        names.borrow_mut().push(name);
    }
}
