//! Programs that are right and come to an end: invented, bounded, and judged.
//! Nothing is compiled here, and nothing is run.

use std::collections::BTreeSet;

use super::flow::{Block, Flow, Handling, LoopKind, Statement};
use super::judge::judge;
use super::make::make;
use super::render::render;

/// The seeds of programs, for the seed of a test.
pub(crate) fn seeds(seed: u64) -> impl Iterator<Item = u64> {
    seed.wrapping_mul(1_000_000)..
}

/// Programs that are all different, each with the seed that makes it again; right as far as a slow judge can tell.
pub(crate) fn programs(seeds: impl Iterator<Item = u64>) -> impl Iterator<Item = (u64, Flow)> {
    let mut seen = BTreeSet::new();
    seeds.filter_map(move |seed| {
        let flow = bounded(make(seed));
        let is_right = judge(&flow).is_some_and(|wrong| wrong.is_empty());
        (is_right && seen.insert(render(&flow, 0))).then_some((seed, flow))
    })
}

/// The same program with a way out at the head of each loop that has no condition: what happens in its rounds may be an
/// error every time, or nothing at all, and then no run of it would end.
pub(crate) fn bounded(mut flow: Flow) -> Flow {
    for function in &mut flow.functions {
        bound(&mut function.body);
    }
    flow
}

fn bound(block: &mut Block) {
    for statement in block {
        if let Statement::Loop(LoopKind::Endless, _, body) = statement {
            let way_out = Statement::If { looks: false, yes: vec![Statement::ReturnOk], no: Vec::new() };
            body.insert(0, way_out);
        }
        for inner in blocks_of(statement) {
            bound(inner);
        }
    }
}

/// All blocks that stand directly in this statement.
fn blocks_of(statement: &mut Statement) -> Vec<&mut Block> {
    use super::flow::Branch;
    let body = |branch| match branch {
        &mut Branch::Call(_) => None,
        Branch::Block { body, .. } => Some(body),
    };
    match statement {
        Statement::Call(_, handling) | Statement::Many { handling, .. } => in_handling(handling),
        Statement::Kept(_, between, handling) => {
            let mut blocks = in_handling(handling);
            blocks.push(between);
            blocks
        }
        Statement::If { yes, no, .. } => vec![yes, no],
        Statement::Choose(arms) => arms.iter_mut().collect(),
        Statement::Loop(_, _, body) | Statement::Labelled(_, body) => vec![body],
        Statement::Join(branches, handlings) => {
            let handled = handlings.iter_mut().flat_map(in_handling);
            branches.iter_mut().filter_map(body).chain(handled).collect()
        }
        Statement::TryJoin(branches, handling) => {
            branches.iter_mut().filter_map(body).chain(in_handling(handling)).collect()
        }
        Statement::Select(arms) => {
            let blocks = arms.iter_mut().flat_map(|arm| {
                let mut blocks = in_handling(&mut arm.handling);
                blocks.push(&mut arm.body);
                blocks
            });
            blocks.collect()
        }
        _ => Vec::new(),
    }
}

fn in_handling(handling: &mut Handling) -> Vec<&mut Block> {
    match handling {
        Handling::Match { ok, gone, late } => vec![ok, gone, late],
        Handling::MatchRest { ok, gone, .. } => vec![ok, gone],
        Handling::LetElse(block) | Handling::IfErr(block) => vec![block],
        Handling::IfOk(yes, no) | Handling::IsOk(yes, no) => vec![yes, no],
        Handling::Plain
        | Handling::Ignore
        | Handling::Question
        | Handling::MappedQuestion
        | Handling::Return => Vec::new(),
    }
}
