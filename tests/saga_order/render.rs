//! Writes a flow as the Rust text that a user would write. Whoever runs it comes to an end: what conditions look at
//! changes in each round, and generations are counted.
//! It must not know what is right or wrong about it.

use std::fmt::Write as _;

use super::flow::{
    Arm, Branch, Call, Callee, FailForm, Flow, Function, Handling, Label, LoopKind, Statement, falls_through,
    goes_on,
};

/// What all flows of a crate call; the crate's root.
pub(crate) const STEPS: &str = r#"//! What the generated flows call.
#![allow(unused)]

pub use workflow_runtime::prelude::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, StepError)]
pub enum Trouble {
    Gone,
    Late(TimedOut),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("trouble")
    }
}

impl std::error::Error for Trouble {}

impl From<TimedOut> for Trouble {
    fn from(late: TimedOut) -> Self {
        Trouble::Late(late)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Answer {
    pub number: u32,
}

#[step(read_only)]
pub async fn look(number: u32) -> u32 {
    number
}

#[step(read_only)]
pub async fn check(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(compensate = free(output))]
pub async fn reserve(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(compensate = free(number))]
pub async fn hold(number: u32) -> u32 {
    number
}

#[step(retriable)]
pub async fn free(_number: &u32) {}

#[step(pivot)]
pub async fn charge(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(pivot)]
pub async fn ship(number: u32) -> u32 {
    number
}

#[step(retriable)]
pub async fn tell(number: u32) -> u32 {
    number
}

/// Chance, as far as the code is concerned; the same for the same numbers.
pub fn toss(number: u32, place: u32) -> bool {
    let mixed = (number ^ place.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
    (mixed ^ (mixed >> 15)).wrapping_mul(0xC2B2_AE35) >> 31 == 1
}

/// A child that only looks.
#[workflow]
pub async fn inquire(number: u32) -> Result<u32, Trouble> {
    check(number).await
}

/// A child that leaves an effect.
#[workflow]
pub async fn deliver(number: u32) -> u32 {
    tell(number).await
}

/// A child that leaves an effect, or fails.
#[workflow]
pub async fn order(number: u32) -> Result<u32, Trouble> {
    reserve(number).await
}
"#;

/// The text of a file with this flow; `number` makes its names unique.
pub(crate) fn render(flow: &Flow, number: usize) -> String {
    let mut text = format!("//! Flow {number}.\nuse super::*;\n");
    for (index, function) in flow.functions.iter().enumerate() {
        let mut writer = Writer { number, text: String::new(), depth: 1, names: 0, bodies: vec![] };
        writer.function(index, function);
        text.push_str(&writer.text);
    }
    text
}

/// What conditions look at, of each function and of each branch its own.
const OWN_NUMBER: &str = "let mut number = number;";

/// Where statements stand: what `return` leaves, and which loop an unlabelled `break` does.
struct Body {
    is_branch: bool,
    is_fallible: bool,
    innermost_loop: Option<Label>,
}

struct Writer {
    number: usize,
    text: String,
    depth: usize,
    names: usize,
    bodies: Vec<Body>,
}

impl Writer {
    fn function(&mut self, index: usize, function: &Function) {
        let attribute = if index == 0 { "workflow" } else { "subflow" };
        let output = if function.is_fallible { "Result<u32, Trouble>" } else { "u32" };
        let name = self.name_of(index);
        let _ = write!(self.text, "\n#[{attribute}]\npub async fn {name}(number: u32) -> {output} {{\n");
        self.line(OWN_NUMBER);
        self.body(&function.body, false, function.is_fallible);
        self.text.push_str("}\n");
    }

    fn name_of(&self, function: usize) -> String {
        match function {
            0 => format!("flow_{}", self.number),
            part => format!("part_{}_{part}", self.number),
        }
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = self.depth * 4);
    }

    fn body(&mut self, statements: &[Statement], is_branch: bool, is_fallible: bool) {
        self.bodies.push(Body { is_branch, is_fallible, innermost_loop: None });
        let (last, others) = match statements.split_last() {
            Some((last, others)) => (Some(last), others),
            None => (None, statements),
        };
        self.statements(others);
        match last {
            // A way to end is the tail of its function, as people write it.
            Some(Statement::Call(call, Handling::Return)) if !is_branch => {
                let call = self.call(*call);
                self.line(&call);
            }
            Some(Statement::Fail(FailForm::Question)) => {
                self.line("Err::<u32, Trouble>(Trouble::Gone)?;");
                let result = self.result();
                self.line(&result);
            }
            Some(Statement::Fail(FailForm::Return)) if !is_branch => self.line("Err(Trouble::Gone)"),
            Some(Statement::ReturnOk) => {
                let result = self.result();
                self.line(&result);
            }
            last => {
                self.statements(last.map_or(&[], std::slice::from_ref));
                if last.is_none_or(|last| falls_through(&vec![last.clone()])) {
                    let result = self.result();
                    self.line(&result);
                }
            }
        }
        self.bodies.pop();
    }

    fn here(&self) -> &Body {
        self.bodies.last().expect("statements stand in a body")
    }

    /// The expression of a success.
    fn result(&self) -> String {
        match self.here() {
            Body { is_fallible: false, .. } => "number".into(),
            Body { is_branch: true, .. } => "Ok::<u32, Trouble>(number)".into(),
            Body { .. } => "Ok(number)".into(),
        }
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        format!("value_{}", self.names)
    }

    fn condition(&mut self) -> String {
        self.names += 1;
        format!("toss(number, {})", self.names)
    }

    fn block(&mut self, statements: &[Statement]) {
        self.depth += 1;
        self.statements(statements);
        self.depth -= 1;
    }

    fn statements(&mut self, statements: &[Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    /// The call with its `.await`.
    fn call(&self, call: Call) -> String {
        format!("{}.await", self.description(call))
    }

    fn description(&self, call: Call) -> String {
        let stays = if call.stays { ".without_compensation()" } else { "" };
        match call.callee {
            Callee::Receive => "receive::<Answer>(number).within(days(1))".into(),
            Callee::Subflow(part) => format!("{}(number)", self.name_of(part)),
            callee => format!("{}(number){stays}", format!("{callee:?}").to_lowercase()),
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Call(call, handling) => {
                let call = self.call(*call);
                self.handle(&call, handling);
            }
            Statement::Kept(call, between, handling) => {
                let name = self.new_name();
                let call = self.call(*call);
                self.line(&format!("let {name} = {call};"));
                self.statements(between);
                self.handle(&name, handling);
            }
            Statement::Sleep => {
                self.names += 1;
                let ways = [
                    "sleep(hours(1)).await;",
                    "sleep_until(now().await + minutes(90)).await;",
                    "progress(&number).await;",
                ];
                self.line(ways[self.names % ways.len()]);
            }
            Statement::Publish => {
                self.names += 1;
                let ways = ["publish(Answer { number }).await;", "send(Answer { number }).await;"];
                self.line(ways[self.names % ways.len()]);
            }
            Statement::Compensate => self.line("compensate().await;"),
            Statement::If { looks, yes, no } => {
                let condition = self.condition();
                let looked = condition.replacen("number", "look(number).await", 1);
                self.two_ways(if *looks { &looked } else { &condition }, yes, no);
            }
            Statement::Choose(arms) => {
                self.line(&format!("match number % {} {{", arms.len()));
                for (index, arm) in arms.iter().enumerate() {
                    let last = index + 1 == arms.len();
                    let pattern = if last { "_".into() } else { index.to_string() };
                    self.arm(&pattern, arm);
                }
                self.line("}");
            }
            Statement::Loop(kind, label, body) => {
                let head = match kind {
                    LoopKind::Endless => "loop".into(),
                    LoopKind::While => format!("while {}", self.condition()),
                    LoopKind::For => "for _ in 0..number % 4".into(),
                };
                self.line(&format!("'l{label}: {head} {{"));
                let outer = self.bodies.last_mut().expect("in a body").innermost_loop.replace(*label);
                self.depth += 1;
                self.line("number += 1;");
                self.depth -= 1;
                self.block(body);
                self.bodies.last_mut().expect("in a body").innermost_loop = outer;
                self.line("}");
            }
            Statement::Labelled(label, body) => {
                self.line(&format!("'l{label}: {{"));
                self.block(body);
                self.line("}");
            }
            Statement::Break(label) => self.jump("break", *label),
            Statement::Continue(label) => self.jump("continue", *label),
            Statement::ReturnOk => {
                let result = self.result();
                self.line(&format!("return {result};"));
            }
            Statement::Fail(_) => {
                let error = self.error("Trouble::Gone");
                self.line(&format!("return {error};"));
            }
            Statement::ContinueAsNew => {
                let (name, result) = (self.name_of(0), self.result());
                self.line(&format!("if number > 9 {{ return {result}; }}"));
                self.line(&format!("return continue_as_new({name}(number + 1)).await;"));
            }
            Statement::Join(branches, handlings) => self.join(branches, handlings),
            Statement::TryJoin(branches, handling) => {
                let outside = std::mem::replace(&mut self.text, "try_join!(\n".to_owned());
                self.depth += 1;
                branches.iter().for_each(|branch| self.branch(branch));
                self.depth -= 1;
                let _ = write!(self.text, "{:indent$})", "", indent = self.depth * 4);
                let subject = std::mem::replace(&mut self.text, outside);
                self.handle(&subject, handling);
            }
            Statement::Select(arms) => {
                self.line("select! {");
                self.depth += 1;
                arms.iter().for_each(|arm| self.select_arm(arm));
                self.depth -= 1;
                self.line("};");
            }
            Statement::Many { call, fails_fast, handling } => self.many(*call, *fails_fast, handling),
        }
    }

    fn two_ways(&mut self, condition: &str, yes: &[Statement], no: &[Statement]) {
        self.line(&format!("if {condition} {{"));
        self.block(yes);
        if !no.is_empty() {
            self.line("} else {");
            self.block(no);
        }
        self.line("}");
    }

    fn arm(&mut self, pattern: &str, block: &[Statement]) {
        self.depth += 1;
        self.line(&format!("{pattern} => {{"));
        self.block(block);
        self.line("}");
        self.depth -= 1;
    }

    /// The label may be left out where the innermost loop is meant; every other time it is.
    fn jump(&mut self, word: &str, label: Label) {
        if self.here().innermost_loop == Some(label) && label.is_multiple_of(2) {
            self.line(&format!("{word};"));
        } else {
            self.line(&format!("{word} 'l{label};"));
        }
    }

    fn error(&self, error: &str) -> String {
        if self.here().is_branch { format!("Err::<u32, Trouble>({error})") } else { format!("Err({error})") }
    }

    /// What becomes of the outcome of a call, or of a value that keeps one.
    fn handle(&mut self, subject: &str, handling: &Handling) {
        match handling {
            Handling::Plain => self.line(&format!("{subject};")),
            Handling::Ignore => self.line(&format!("let _ = {subject};")),
            Handling::Question => self.line(&format!("{subject}?;")),
            Handling::MappedQuestion => self.line(&format!("{subject}.map_err(|_| Trouble::Gone)?;")),
            Handling::Return => self.line(&format!("return {subject};")),
            Handling::Match { ok, gone, late } => {
                self.line(&format!("match {subject} {{"));
                self.arm("Ok(_)", ok);
                self.arm("Err(Trouble::Gone)", gone);
                self.arm("Err(Trouble::Late(_))", late);
                self.line("}");
            }
            Handling::MatchRest { ok, guarded, gone } => {
                let guard = if *guarded { format!(" if {}", self.condition()) } else { String::new() };
                let error = self.error("error");
                self.line(&format!("match {subject} {{"));
                self.arm("Ok(_)", ok);
                self.arm(&format!("Err(Trouble::Gone){guard}"), gone);
                self.depth += 1;
                self.line(&format!("Err(error) => return {error},"));
                self.depth -= 1;
                self.line("}");
            }
            Handling::LetElse(block) => {
                self.line(&format!("let Ok(_) = {subject} else {{"));
                self.block(block);
                self.line("};");
            }
            Handling::IfOk(yes, no) => self.two_ways(&format!("let Ok(_) = {subject}"), yes, no),
            Handling::IfErr(block) => self.two_ways(&format!("let Err(_) = {subject}"), block, &[]),
            Handling::IsOk(yes, no) => self.two_ways(&format!("{subject}.is_ok()"), yes, no),
        }
    }

    fn join(&mut self, branches: &[Branch], handlings: &[Handling]) {
        let names: Vec<String> = branches.iter().map(|_| self.new_name()).collect();
        self.line(&format!("let ({},) = join!(", names.join(", ")));
        self.depth += 1;
        branches.iter().for_each(|branch| self.branch(branch));
        self.depth -= 1;
        self.line(");");
        for (name, handling) in names.iter().zip(handlings) {
            // The value of a branch that cannot fail is of no use here.
            if !matches!(handling, Handling::Plain) {
                self.handle(name, handling);
            }
        }
    }

    fn branch(&mut self, branch: &Branch) {
        match branch {
            Branch::Call(call) => {
                let call = self.description(*call);
                self.line(&format!("{call},"));
            }
            Branch::Block { is_fallible, body } => {
                self.line("async {");
                self.depth += 1;
                self.line(OWN_NUMBER);
                self.body(body, true, *is_fallible);
                self.depth -= 1;
                self.line("},");
            }
        }
    }

    fn select_arm(&mut self, Arm { call, handling, body }: &Arm) {
        let name = self.new_name();
        let operation = call.map_or("sleep(days(2))".into(), |call| self.description(call));
        self.line(&format!("{name} = {operation} => {{"));
        self.depth += 1;
        if !matches!(handling, Handling::Plain) {
            self.handle(&name, handling);
        }
        debug_assert!(goes_on(handling) || body.is_empty());
        self.statements(body);
        self.depth -= 1;
        self.line("}");
    }

    fn many(&mut self, call: Call, fails_fast: bool, handling: &Handling) {
        let call = self.description(call).replacen("number", "one", 1);
        let calls = format!("((0..number % 4).map(|one| {call})).limit(2).await");
        if fails_fast {
            self.handle(&format!("try_join_all{calls}"), handling);
            return;
        }
        let name = self.new_name();
        self.line(&format!("let {name} = join_all{calls};"));
        if !matches!(handling, Handling::Plain) {
            self.line(&format!("let {name}: Result<Vec<u32>, Trouble> = {name}.into_iter().collect();"));
            self.handle(&name, handling);
        }
    }
}
