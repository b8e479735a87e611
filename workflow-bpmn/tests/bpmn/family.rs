//! A family of structured flows, each made from its seed alone.
//! It knows what a body of code may contain, not how it is drawn.

use workflow_graph::{Effect, Graph};

use crate::parallel;
use crate::sketch::{
    self, Stmt, ask, child, fail, join, publish, receive, repeat, run, select, send, sleep, sleep_until,
    step, subflow, succeed,
};

/// The flow of this seed: the same on every machine.
pub(crate) fn graph(seed: u64) -> Graph {
    let mut maker = Maker::of(seed);
    let size = 2 + maker.below(5);
    let body = maker.block(size, 0, 0);
    sketch::graph(&format!("generated_{seed}"), body)
}

/// The flow of this seed with branches, races, blocks and subflows in it.
pub(crate) fn parallel_graph(seed: u64) -> Graph {
    let mut maker = Maker { is_parallel: true, ..Maker::of(seed) };
    let size = 2 + maker.below(3);
    let body = maker.block(size, 0, 0);
    sketch::graph(&format!("parallel_{seed}"), body)
}

struct Maker {
    state: u64,
    count: usize,
    /// Whether there are branches, races, blocks and subflows.
    is_parallel: bool,
    /// In how many branches the current place stands, and in how many of those of blocks.
    branches: usize,
    blocks: usize,
}

impl Maker {
    fn of(seed: u64) -> Maker {
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        Maker { state, count: 0, is_parallel: false, branches: 0, blocks: 0 }
    }

    fn below(&mut self, limit: u64) -> u64 {
        // xorshift64*, good enough to vary shapes.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn id(&mut self, word: &str) -> String {
        self.count += 1;
        format!("{word}_{}", self.count)
    }

    fn block(&mut self, size: u64, depth: usize, loops: usize) -> Vec<Stmt> {
        (0..size).map(|_| self.stmt(depth, loops)).collect()
    }

    fn stmt(&mut self, depth: usize, loops: usize) -> Stmt {
        let id = self.id("step");
        if self.is_parallel && self.below(3) == 0 {
            return self.parallel_stmt(&id, depth, loops);
        }
        match self.below(if depth < 3 { 16 } else { 7 }) {
            0..=2 => run(&id),
            3 => {
                let end = self.id("failed");
                let step = step(&id).undo("undo_it");
                if self.can_fail() { step.or_fail(&end).into() } else { step.into() }
            }
            4 => {
                let end = self.id("failed");
                let step = step(&id).effect(Effect::ReadOnly);
                if self.can_fail() { step.or_fail(&end).into() } else { step.into() }
            }
            5 => sleep(&id, "PT1H", "1 hour"),
            6 => receive(&id, "Answer", None),
            7..=10 => self.decision(id, depth, loops),
            11..=12 => self.failing_step(&id, depth, loops),
            13 => {
                let late = self.arm(depth, loops);
                receive(&id, "Answer", Some(late))
            }
            _ => self.repetition(id, depth),
        }
    }

    /// A branch is a closure: `return` leaves it, and only a block hands its failure on.
    fn can_fail(&self) -> bool {
        self.branches == self.blocks
    }

    fn parallel_stmt(&mut self, id: &str, depth: usize, loops: usize) -> Stmt {
        match self.below(if depth < 3 { 14 } else { 8 }) {
            0 => send(id, "Command"),
            1 => publish(id, "Event"),
            2 => sleep_until(id, "deadline(&order)"),
            3 => child(id, true, None),
            4 => {
                let end = self.id("failed");
                child(id, false, self.can_fail().then_some(&end))
            }
            5 => {
                let end = self.id("failed");
                Stmt::from(step(id).undo("undo_it")).for_each("4").or_fail(self.can_fail().then_some(&end))
            }
            6 => subflow(id, "deliver", parallel::delivery),
            7 => {
                let late = self.arm(depth, loops);
                let inner = [parallel::booking, parallel::inspection][self.below(2) as usize];
                subflow(id, "subflow", inner).on("BadAddress", "", late)
            }
            8..=9 => join(id, self.branches(depth, false)),
            10..=11 => {
                let branches = self.branches(depth, true);
                let end = self.id("failed");
                let error = if self.can_fail() { vec![fail(&end)] } else { self.arm(depth, 0) };
                Stmt::TryJoin { id: id.to_owned(), branches, errors: vec![] }.on("", "", error)
            }
            _ => self.race(id, depth, loops),
        }
    }

    fn branches(&mut self, depth: usize, in_block: bool) -> Vec<Vec<Stmt>> {
        self.branches += 1;
        // A failure inside of a plain branch leads nowhere, whatever is around it.
        let blocks = self.blocks;
        self.blocks = if in_block { self.branches } else { 0 };
        let count = 2 + self.below(2);
        let mut branches = Vec::new();
        for _ in 0..count {
            let first = self.id("branch");
            let size = self.below(3);
            let mut branch = vec![run(&first)];
            branch.extend(self.block(size, depth + 1, 0));
            branches.push(branch);
        }
        self.blocks = blocks;
        self.branches -= 1;
        branches
    }

    fn race(&mut self, id: &str, depth: usize, loops: usize) -> Stmt {
        let only_events = self.below(2) == 0;
        let mut arms = Vec::new();
        for _ in 0..2 + self.below(2) {
            let operation = self.id("arm");
            let operation = match self.below(if only_events { 3 } else { 6 }) {
                0 => sleep(&operation, "PT1H", "1 hour"),
                1 => receive(&operation, "Answer", None),
                2 => {
                    let late = self.arm(depth, loops);
                    receive(&operation, "Answer", Some(late))
                }
                3 => run(&operation),
                4 => step(&operation).undo("undo_it").into(),
                _ => {
                    let refused = self.arm(depth, loops);
                    step(&operation).on("Refused", "", refused).into()
                }
            };
            arms.push((operation, self.arm(depth, loops)));
        }
        // One way has to lead on, or the rest of the body would be unreachable.
        let last = arms.len() - 1;
        arms[last].1.retain(|stmt| !leaves(stmt));
        select(id, arms)
    }

    fn decision(&mut self, id: String, depth: usize, loops: usize) -> Stmt {
        let mut answers = vec![("yes", self.arm(depth, loops)), ("no", self.arm(depth, loops))];
        if self.below(4) == 0 {
            answers.insert(1, ("perhaps", self.arm(depth, loops)));
        }
        // One way has to lead on, or the rest of the body would be unreachable.
        let last = answers.len() - 1;
        answers[last].1.retain(|stmt| !leaves(stmt));
        ask(&id, "Is it so?", answers)
    }

    fn failing_step(&mut self, id: &str, depth: usize, loops: usize) -> Stmt {
        let mut failing = step(id);
        if self.below(3) == 0 {
            failing = failing.undo("undo_it");
        }
        for variant in ["Refused", "Late", ""].into_iter().take(1 + self.below(3) as usize) {
            let arm = self.arm(depth, loops);
            failing = failing.on(variant, "", arm);
        }
        failing.into()
    }

    fn repetition(&mut self, id: String, depth: usize) -> Stmt {
        let size = 1 + self.below(2);
        let mut body = self.block(size, depth + 1, 1);
        let done = ask(&id, "Done?", vec![("yes", vec![Stmt::Break(0)]), ("no", vec![])]);
        let at = self.below(body.len() as u64 + 1) as usize;
        body.insert(at, done);
        repeat(body)
    }

    /// What is done on one way: some statements, then on, out, back or to an end.
    fn arm(&mut self, depth: usize, loops: usize) -> Vec<Stmt> {
        let size = self.below(3);
        let mut body = self.block(size, depth + 1, loops);
        match self.below(8) {
            0 if self.can_fail() => body.push(fail(&self.id("refused"))),
            1 if self.branches == 0 => body.push(succeed(&self.id("done_early"))),
            2 if loops > 0 => body.push(Stmt::Break(0)),
            3 if loops > 0 => body.push(Stmt::Continue(0)),
            _ => {}
        }
        body
    }
}

fn leaves(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Succeed(_) | Stmt::Fail(_) | Stmt::Break(_) | Stmt::Continue(_))
}
