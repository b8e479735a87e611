//! Programs made by chance, and changes made to them by chance. Only their text: how it runs is elsewhere.

/// A small generator of even numbers of chance.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x51)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The steps that programs call.
const STEPS: [&str; 5] = ["check", "weigh", "reserve", "charge", "notify"];

/// The numbers that conditions compare with.
const LIMITS: [u32; 3] = [40, 100, 200];

/// One line of a program. All of them know `order`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// `step(order + more).await?`
    Call(&'static str, u32),
    /// `match step(order).await { Ok(_) => {}, Err(No::SoldOut) => { .. }, Err(error) => return Err(error) }`
    Caught(&'static str, Block),
    /// `sleep(days(1)).await`
    Pause,
    /// `if order > limit { .. } else { .. }`
    If(u32, Block, Block),
    /// `for _ in 0..rounds { .. }`
    Loop(u32, Block),
    /// `if patched("id").await { .. } else { .. }`
    Patched(usize, Block, Block),
    /// `try_join!(async { .. }, async { .. })?`
    Both(Block, Block),
    /// `return Ok(order)`, at the end of a branch.
    Return,
}

pub(crate) type Block = Vec<Line>;

fn call(chance: &mut Chance) -> Line {
    match chance.below(12) {
        0 => Line::Pause,
        1 => Line::Caught(chance.one_of(&STEPS[..4]), vec![Line::Call(chance.one_of(&STEPS), 1)]),
        _ => Line::Call(chance.one_of(&STEPS), 0),
    }
}

fn line(chance: &mut Chance, depth: usize) -> Line {
    if depth == 0 {
        return call(chance);
    }
    match chance.below(10) {
        0 | 1 => {
            let mut yes = block(chance, depth - 1, 2);
            if chance.below(3) == 0 {
                yes.push(Line::Return);
            }
            let no = if chance.below(2) == 0 { Vec::new() } else { block(chance, depth - 1, 2) };
            Line::If(chance.one_of(&LIMITS), yes, no)
        }
        2 => Line::Loop(1 + chance.below(2) as u32, block(chance, depth - 1, 2)),
        3 => Line::Both(block(chance, 0, 2), block(chance, 0, 1)),
        4 => Line::Patched(chance.below(3), block(chance, depth - 1, 1), block(chance, depth - 1, 1)),
        _ => call(chance),
    }
}

fn block(chance: &mut Chance, depth: usize, most: usize) -> Block {
    let count = 1 + chance.below(most);
    (0..count).map(|_| line(chance, depth)).collect()
}

/// A program.
pub(crate) fn program(chance: &mut Chance) -> Block {
    block(chance, 2, 4)
}

/// The program after a change, and what was changed.
pub(crate) fn changed(chance: &mut Chance, program: &Block) -> (Block, &'static str) {
    let mut changed = program.clone();
    let blocks = count(&changed);
    let mut place = chance.below(blocks);
    let what = change_at(chance, &mut changed, &mut place, Surroundings::Whole).unwrap_or("nothing");
    (changed, what)
}

/// The program as it was before all its patches.
pub(crate) fn unpatched(program: &Block) -> Block {
    let lines = program.iter().flat_map(|line| match line.clone() {
        Line::Patched(_, _, old) => unpatched(&old),
        mut line => {
            for block in inner_mut(&mut line) {
                *block = unpatched(block);
            }
            vec![line]
        }
    });
    lines.collect()
}

/// How many blocks there are.
fn count(block: &Block) -> usize {
    1 + block.iter().flat_map(inner).map(count).sum::<usize>()
}

fn inner(line: &Line) -> Vec<&Block> {
    match line {
        Line::Caught(_, one) | Line::Loop(_, one) => vec![one],
        Line::If(_, one, other) | Line::Patched(_, one, other) | Line::Both(one, other) => vec![one, other],
        Line::Call(..) | Line::Pause | Line::Return => Vec::new(),
    }
}

fn inner_mut(line: &mut Line) -> Vec<&mut Block> {
    match line {
        Line::Caught(_, one) | Line::Loop(_, one) => vec![one],
        Line::If(_, one, other) | Line::Patched(_, one, other) | Line::Both(one, other) => vec![one, other],
        Line::Call(..) | Line::Pause | Line::Return => Vec::new(),
    }
}

/// Where a block stands.
#[derive(Clone, Copy, PartialEq)]
enum Surroundings {
    Whole,
    Branch,
    /// Nothing leads out of the program from here.
    Parallel,
}

fn change_at(
    chance: &mut Chance,
    block: &mut Block,
    place: &mut usize,
    around: Surroundings,
) -> Option<&'static str> {
    if *place == 0 {
        return Some(change(chance, block, around));
    }
    *place -= 1;
    block.iter_mut().find_map(|line| {
        let is_parallel = matches!(line, Line::Both(..)) || around == Surroundings::Parallel;
        let around = if is_parallel { Surroundings::Parallel } else { Surroundings::Branch };
        inner_mut(line).into_iter().find_map(|inner| change_at(chance, inner, place, around))
    })
}

/// Whether a way out of the program stands in it.
fn returns(line: &Line) -> bool {
    *line == Line::Return || inner(line).into_iter().flatten().any(returns)
}

fn change(chance: &mut Chance, block: &mut Block, around: Surroundings) -> &'static str {
    // The way out of a branch stays its last line.
    let lines = block.len() - usize::from(block.last() == Some(&Line::Return));
    let at = chance.below(lines.max(1));
    let id = 3 + chance.below(3);
    let new = call(chance);
    if lines == 0 {
        block.insert(0, new);
        return "a line in an empty branch";
    }
    match chance.below(14) {
        0 => {
            block.insert(at, new);
            "a line inserted"
        }
        1 | 2 => {
            block.insert(lines, new);
            if around == Surroundings::Whole { "a line appended" } else { "a line at the end of a branch" }
        }
        3 if lines > 1 => {
            block.remove(at);
            "a line removed"
        }
        4 => {
            block[at] = new;
            "a line replaced"
        }
        5 if lines > 1 => {
            block.swap(at, (at + 1) % lines);
            "lines exchanged"
        }
        6 => {
            block.insert(at, Line::Patched(id, vec![new], Vec::new()));
            "a line inserted under a patch"
        }
        7 => {
            let old = block[at].clone();
            block[at] = Line::Patched(id, vec![new], vec![old]);
            "a line replaced under a patch"
        }
        8 => {
            let old = block[at].clone();
            block[at] = Line::Patched(id, vec![old], vec![new]);
            "a line replaced under a patch the wrong way round"
        }
        9 => {
            let old = block[at].clone();
            block[at] = Line::If(chance.one_of(&LIMITS), vec![old], Vec::new());
            "a line under a condition"
        }
        10 if lines > 1 && !block.iter().any(returns) => {
            let (one, other) = (block.remove(at.min(lines - 2)), block.remove(at.min(lines - 2)));
            block.insert(at.min(lines - 2), Line::Both(vec![one], vec![other]));
            "two lines side by side"
        }
        _ => inside(chance, &mut block[at], around),
    }
}

/// A change to the line itself.
fn inside(chance: &mut Chance, line: &mut Line, around: Surroundings) -> &'static str {
    match line {
        Line::Call(_, more) if chance.below(3) == 0 => {
            *more += 1;
            "another argument"
        }
        Line::Call(step, _) => {
            *step = chance.one_of(&STEPS);
            "another step"
        }
        Line::Caught(step, _) => {
            *line = Line::Call(step, 0);
            "an error not caught any more"
        }
        Line::Pause => "nothing",
        Line::If(limit, yes, no) => match chance.below(3) {
            0 => {
                std::mem::swap(yes, no);
                "branches exchanged"
            }
            1 if yes.last() != Some(&Line::Return) && around != Surroundings::Parallel => {
                yes.push(Line::Return);
                "a way out added"
            }
            _ => {
                *limit = chance.one_of(&LIMITS);
                "another limit"
            }
        },
        Line::Loop(rounds, _) => {
            *rounds = 1 + chance.below(3) as u32;
            "another number of rounds"
        }
        Line::Patched(_, new, old) => match chance.below(2) {
            0 => {
                old.clear();
                "the old branch of a patch removed"
            }
            _ => {
                let mut only = new.clone();
                *line = only.pop().unwrap_or(Line::Pause);
                "a patch finished"
            }
        },
        Line::Both(one, other) => match chance.below(2) {
            0 => {
                std::mem::swap(one, other);
                "parallel branches exchanged"
            }
            _ => {
                one.push(Line::Call("weigh", 5));
                "a parallel branch extended"
            }
        },
        Line::Return => "nothing",
    }
}
