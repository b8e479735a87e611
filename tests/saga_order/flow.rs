//! What a generated flow consists of: a tree of the language's constructs, and nothing that was analysed.
//! It knows neither how it is written as Rust nor how it is judged.

/// A workflow and the subflows that it calls: the workflow comes first, and each calls later ones only.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) functions: Vec<Function>,
}

/// One function; its body that falls off its end ends with a result.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Whether it answers with a `Result`.
    pub(crate) is_fallible: bool,
    pub(crate) body: Block,
}

pub(crate) type Block = Vec<Statement>;

/// The number of a loop or of a labelled block, unique in its flow.
pub(crate) type Label = usize;

#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// `call.await`, and what becomes of its outcome at once.
    Call(Call, Handling),
    /// `let kept = call.await;`, and what becomes of the outcome later.
    Kept(Call, Block, Handling),
    /// `sleep(..).await`
    Sleep,
    /// `publish(..).await`
    Publish,
    /// `compensate().await`
    Compensate,
    /// `if condition {..} else {..}`; the condition may look first.
    If {
        looks: bool,
        yes: Block,
        no: Block,
    },
    /// `match number { 0 => .., _ => .. }`
    Choose(Vec<Block>),
    /// A loop, which `break` and `continue` may name.
    Loop(LoopKind, Label, Block),
    /// `'label: {..}`, which `break` may name.
    Labelled(Label, Block),
    Break(Label),
    Continue(Label),
    /// `return Ok(..)`, or `return` of the plain result.
    ReturnOk,
    /// A way to fail on purpose.
    Fail(FailForm),
    /// `return continue_as_new(..).await`
    ContinueAsNew,
    /// `join!`, and what becomes of the outcome of each branch, one after the other.
    Join(Vec<Branch>, Vec<Handling>),
    /// `try_join!`, and what becomes of its one outcome.
    TryJoin(Vec<Branch>, Handling),
    /// `select!`
    Select(Vec<Arm>),
    /// `join_all` or `try_join_all` of calls, and what becomes of the outcome.
    Many {
        call: Call,
        fails_fast: bool,
        handling: Handling,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    /// `loop`
    Endless,
    /// `while condition`
    While,
    /// `for _ in 0..number`
    For,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailForm {
    /// `return Err(..)`
    Return,
    /// `Err(..)?`, at the end of a function.
    Question,
}

/// What is called, and whether the call says `.without_compensation()`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) callee: Callee,
    pub(crate) stays: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Callee {
    /// Read-only, cannot fail.
    Look,
    /// Read-only, can fail.
    Check,
    /// Compensatable, can fail; undone with its output.
    Reserve,
    /// Compensatable, cannot fail; undone without its output.
    Hold,
    /// A pivot that can fail.
    Charge,
    /// A pivot that cannot fail.
    Ship,
    /// Retriable.
    Tell,
    /// A child workflow that only looks, and can fail.
    Inquire,
    /// A child workflow that leaves an effect, and cannot fail.
    Deliver,
    /// A child workflow that leaves an effect or fails.
    Order,
    /// `receive(..).within(..)`, which ends with a message or in time.
    Receive,
    /// A subflow, by its place in [`Flow::functions`].
    Subflow(usize),
}

/// What becomes of an outcome. Only [`Handling::Plain`] fits a call that cannot fail.
#[derive(Clone, Debug)]
pub(crate) enum Handling {
    /// There is nothing to handle.
    Plain,
    /// `let _ = ..;`
    Ignore,
    /// `..?`
    Question,
    /// `...map_err(..)?`
    MappedQuestion,
    /// `return ..`, or the tail of the function.
    Return,
    /// `match` with an arm for the success and for each error.
    Match { ok: Block, gone: Block, late: Block },
    /// `match` in which other errors, and with a guard any, are returned.
    MatchRest { ok: Block, guarded: bool, gone: Block },
    /// `let Ok(_) = .. else {..};`
    LetElse(Block),
    /// `if let Ok(_) = .. {..} else {..}`
    IfOk(Block, Block),
    /// `if let Err(_) = .. {..}`
    IfErr(Block),
    /// `if (..).is_ok() {..} else {..}`
    IsOk(Block, Block),
}

/// A branch of `join!` or `try_join!`.
#[derive(Clone, Debug)]
pub(crate) enum Branch {
    Call(Call),
    /// `async {..}`; `try_join!` takes fallible ones only.
    Block {
        is_fallible: bool,
        body: Block,
    },
}

/// An arm of `select!`: what it waits for, what becomes of the outcome, and what follows.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    /// `None` for `sleep(..)`.
    pub(crate) call: Option<Call>,
    pub(crate) handling: Handling,
    pub(crate) body: Block,
}

impl Call {
    pub(crate) const fn of(callee: Callee) -> Call {
        Call { callee, stays: false }
    }
}

impl Flow {
    /// Whether this can answer with an error.
    pub(crate) fn is_fallible(&self, callee: Callee) -> bool {
        match callee {
            Callee::Check
            | Callee::Reserve
            | Callee::Charge
            | Callee::Inquire
            | Callee::Order
            | Callee::Receive => true,
            Callee::Look | Callee::Hold | Callee::Ship | Callee::Tell | Callee::Deliver => false,
            Callee::Subflow(function) => self.functions[function].is_fallible,
        }
    }
}

impl Statement {
    /// All blocks that stand directly in this statement.
    pub(crate) fn blocks(&self) -> Vec<&Block> {
        match self {
            Statement::Call(_, handling) | Statement::Many { handling, .. } => handling.blocks(),
            Statement::Kept(_, between, handling) => [vec![between], handling.blocks()].concat(),
            Statement::If { yes, no, .. } => vec![yes, no],
            Statement::Choose(arms) => arms.iter().collect(),
            Statement::Loop(_, _, body) | Statement::Labelled(_, body) => vec![body],
            Statement::Join(branches, handlings) => {
                let handled = handlings.iter().flat_map(Handling::blocks);
                branches.iter().filter_map(Branch::body).chain(handled).collect()
            }
            Statement::TryJoin(branches, handling) => {
                branches.iter().filter_map(Branch::body).chain(handling.blocks()).collect()
            }
            Statement::Select(arms) => {
                arms.iter().flat_map(|arm| [arm.handling.blocks(), vec![&arm.body]].concat()).collect()
            }
            Statement::Sleep
            | Statement::Publish
            | Statement::Compensate
            | Statement::Break(_)
            | Statement::Continue(_)
            | Statement::ReturnOk
            | Statement::Fail(_)
            | Statement::ContinueAsNew => Vec::new(),
        }
    }

    /// All calls that stand directly in this statement, with the handling of their outcomes apart.
    pub(crate) fn calls(&self) -> Vec<Call> {
        match self {
            Statement::Call(call, _) | Statement::Kept(call, ..) | Statement::Many { call, .. } => {
                vec![*call]
            }
            Statement::Join(branches, _) | Statement::TryJoin(branches, _) => branches
                .iter()
                .filter_map(|branch| match branch {
                    Branch::Call(call) => Some(*call),
                    Branch::Block { .. } => None,
                })
                .collect(),
            Statement::Select(arms) => arms.iter().filter_map(|arm| arm.call).collect(),
            _ => Vec::new(),
        }
    }

    /// All ways in which outcomes are handled in this statement.
    pub(crate) fn handlings(&self) -> Vec<&Handling> {
        match self {
            Statement::Call(_, handling)
            | Statement::Kept(_, _, handling)
            | Statement::TryJoin(_, handling)
            | Statement::Many { handling, .. } => vec![handling],
            Statement::Join(_, handlings) => handlings.iter().collect(),
            Statement::Select(arms) => arms.iter().map(|arm| &arm.handling).collect(),
            _ => Vec::new(),
        }
    }

    /// Shows this statement and all below it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Statement)) {
        visit(self);
        for block in self.blocks() {
            for statement in block {
                statement.walk(visit);
            }
        }
    }
}

impl Handling {
    pub(crate) fn blocks(&self) -> Vec<&Block> {
        match self {
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
}

impl Branch {
    fn body(&self) -> Option<&Block> {
        match self {
            Branch::Call(_) => None,
            Branch::Block { body, .. } => Some(body),
        }
    }
}

/// Whether control can come out at the end of these statements.
pub(crate) fn falls_through(block: &Block) -> bool {
    block.iter().all(comes_to_its_end)
}

fn comes_to_its_end(statement: &Statement) -> bool {
    match statement {
        Statement::Call(_, handling) | Statement::Many { handling, .. } | Statement::TryJoin(_, handling) => {
            goes_on(handling)
        }
        Statement::Kept(_, between, handling) => falls_through(between) && goes_on(handling),
        Statement::If { yes, no, .. } => falls_through(yes) || falls_through(no),
        Statement::Choose(arms) => arms.iter().any(falls_through),
        Statement::Loop(LoopKind::Endless, label, body) => leaves(body, *label),
        Statement::Loop(..) => true,
        Statement::Labelled(label, body) => falls_through(body) || leaves(body, *label),
        Statement::Join(_, handlings) => handlings.iter().all(goes_on),
        Statement::Select(arms) => arms.iter().any(|arm| goes_on(&arm.handling) && falls_through(&arm.body)),
        Statement::Sleep | Statement::Publish | Statement::Compensate => true,
        Statement::Break(_)
        | Statement::Continue(_)
        | Statement::ReturnOk
        | Statement::Fail(_)
        | Statement::ContinueAsNew => false,
    }
}

/// Whether control goes on behind the handling.
pub(crate) fn goes_on(handling: &Handling) -> bool {
    match handling {
        Handling::Return => false,
        Handling::Match { ok, gone, late } => falls_through(ok) || falls_through(gone) || falls_through(late),
        Handling::MatchRest { ok, gone, .. } => falls_through(ok) || falls_through(gone),
        Handling::IfOk(yes, no) | Handling::IsOk(yes, no) => falls_through(yes) || falls_through(no),
        Handling::Plain
        | Handling::Ignore
        | Handling::Question
        | Handling::MappedQuestion
        | Handling::LetElse(_)
        | Handling::IfErr(_) => true,
    }
}

/// Whether a `break` in it leaves the loop or block of that label. All statements can be reached.
pub(crate) fn leaves(block: &Block, label: Label) -> bool {
    let mut found = false;
    for statement in block {
        statement.walk(&mut |inner| found |= matches!(inner, Statement::Break(target) if *target == label));
    }
    found
}
