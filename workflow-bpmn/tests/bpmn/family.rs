//! A family of structured flows, each made from its seed alone.
//! It knows what a body of code may contain, not how it is drawn.

use workflow_graph::{Effect, Graph};

use crate::sketch::{self, Stmt, ask, fail, receive, repeat, run, sleep, step, succeed};

/// The flow of this seed: the same on every machine.
pub(crate) fn graph(seed: u64) -> Graph {
    let mut maker =
        Maker { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03, count: 0 };
    let size = 2 + maker.below(5);
    let body = maker.block(size, 0, 0);
    sketch::graph(&format!("generated_{seed}"), body)
}

struct Maker {
    state: u64,
    count: usize,
}

impl Maker {
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
        match self.below(if depth < 3 { 16 } else { 7 }) {
            0..=2 => run(&id),
            3 => step(&id).undo("undo_it").or_fail(&self.id("failed")).into(),
            4 => step(&id).effect(Effect::ReadOnly).or_fail(&self.id("failed")).into(),
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
            0 => body.push(fail(&self.id("refused"))),
            1 => body.push(succeed(&self.id("done_early"))),
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
