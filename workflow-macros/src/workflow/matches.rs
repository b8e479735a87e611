//! `match`, and everything else that looks at a value with patterns: a decision with an answer for each arm.
//! What it looks at is a plain value here; the outcome of an operation is told apart in `outcomes`.

use syn::{Block, Expr, ExprMatch, Pat};
use workflow_graph::{FlowKind, Thrown};

use super::expressions::{block_is_drawn, is_drawn};
use super::fingerprints::Basis;
use super::graph::{Way, Ways};
use super::lower::{Lowerer, answer, span_of};
use super::operations::{awaited, maps_errors};
use super::patterns::{
    Kind, Share, bound_by, bound_by_condition, is_irrefutable, is_over_result, share, takes_all, within,
};
use super::thrown::named_errors;
use super::{phrases, swallowed};
use crate::docs;

/// What becomes of the value of an arm.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The code goes on with it.
    Value,
    /// It is the result of the function, which may be an error.
    Result,
}

/// One way to go on, chosen by a pattern.
pub(crate) struct Arm<'a> {
    /// `None` takes whatever the others do not.
    pub(crate) pattern: Option<&'a Pat>,
    pub(crate) guard: Option<&'a Expr>,
    pub(crate) label: Option<String>,
    /// What is thrown with the error that it takes as a whole, where it looks at the outcome of an operation.
    pub(crate) caught: Option<Thrown>,
    body: ArmBody<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum ArmBody<'a> {
    Nothing,
    Expression(&'a Expr),
    Block(&'a Block),
}

/// A question about a value, and what each of its arms says.
pub(crate) struct Asked {
    pub(crate) question: String,
    pub(crate) span: proc_macro2::Span,
    /// The arms that can take the value, in their order, with their words.
    pub(crate) answers: Vec<(usize, String)>,
    /// The arm that is taken when no other is.
    pub(crate) default: usize,
    /// Whether the first arm is told from the second by its guard alone.
    pub(crate) is_guard: bool,
    /// What it is asked of.
    pub(crate) basis: Basis,
}

impl ArmBody<'_> {
    pub(crate) fn is_drawn(self) -> bool {
        match self {
            ArmBody::Nothing => false,
            ArmBody::Expression(expression) => is_drawn(expression),
            ArmBody::Block(block) => block_is_drawn(block),
        }
    }
}

impl<'a> Arm<'a> {
    pub(crate) fn new(pattern: Option<&'a Pat>, body: ArmBody<'a>) -> Arm<'a> {
        Arm { pattern, guard: None, label: None, caught: None, body }
    }

    fn of(arm: &'a syn::Arm) -> Arm<'a> {
        let (pattern, guard) = match &arm.pat {
            Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
            pattern => (pattern, None),
        };
        let label = docs::split(&arm.attrs).label;
        Arm { pattern: Some(pattern), guard, label, caught: None, body: ArmBody::Expression(&arm.body) }
    }

    /// How much of this kind of outcome this arm takes, its guard apart.
    pub(crate) fn share(&self, kind: Kind<'_>) -> Share {
        self.pattern.map_or(Share::Whole, |pattern| share(pattern, kind))
    }

    /// What it does.
    pub(crate) fn body(&self) -> ArmBody<'a> {
        self.body
    }

    fn is_catch_all(&self) -> bool {
        self.guard.is_none() && self.pattern.is_none_or(is_irrefutable)
    }

    /// Whether only the guard decides.
    pub(crate) fn is_guarded_whole(&self) -> bool {
        self.guard.is_some() && self.pattern.is_none_or(is_irrefutable)
    }

    fn answer(&self) -> String {
        self.words(self.pattern.map(phrases::answer).into_iter().collect())
    }

    /// What this arm says to a question about an outcome of one of these kinds.
    pub(crate) fn answer_to(&self, kinds: &[Kind<'_>]) -> String {
        let mut words: Vec<String> = Vec::new();
        for &kind in kinds {
            for part in self.pattern.into_iter().flat_map(|pattern| within(pattern, kind)) {
                let of_part = match kind {
                    Kind::Success | Kind::OtherError => phrases::answer(part),
                    Kind::Variant(_) | Kind::TimedOut => phrases::fields(part),
                };
                if !words.contains(&of_part) {
                    words.push(of_part);
                }
            }
        }
        self.words(words)
    }

    /// The author's label, else what the pattern says, else what the guard says.
    fn words(&self, of_pattern: Vec<String>) -> String {
        if let Some(label) = &self.label {
            return label.clone();
        }
        let takes_all = of_pattern.iter().any(|words| words == "otherwise");
        let pattern = (!takes_all && !of_pattern.is_empty()).then(|| of_pattern.join(" or "));
        let guard = self.guard.map(phrases::words);
        match (pattern, guard) {
            (Some(pattern), Some(guard)) => format!("{pattern} and {guard}"),
            (Some(words), None) | (None, Some(words)) => words,
            (None, None) => "otherwise".to_owned(),
        }
    }

    fn basis(&self) -> Basis {
        let pattern = self.pattern.map(|pattern| Basis::of(&pattern)).unwrap_or_default();
        match self.guard {
            Some(guard) => pattern.and(Basis::of_expression(guard)),
            None => pattern,
        }
    }

    pub(crate) fn condition(&self) -> String {
        let pattern = self.pattern.map(phrases::source_text).unwrap_or_default();
        match self.guard {
            Some(guard) => format!("{pattern} if {}", phrases::source_text(guard)),
            None => pattern,
        }
    }

    /// Nothing happens in it, and its value is not the result of the function.
    pub(crate) fn is_silent(&self, end: End) -> bool {
        matches!(end, End::Value) && !self.body.is_drawn()
    }
}

/// The arms that can take an outcome of this kind, in their order, up to the first that takes all that is left.
pub(crate) fn candidates(arms: &[Arm<'_>], kind: Kind<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    for (index, arm) in arms.iter().enumerate() {
        let share = arm.share(kind);
        if share != Share::Nothing {
            found.push(index);
        }
        if share == Share::Whole && arm.guard.is_none() {
            break;
        }
    }
    // A guard promises nothing: rustc has made sure that the arms without one take whatever there is.
    while found.last().is_some_and(|&last| arms[last].guard.is_some()) {
        found.pop();
    }
    found
}

/// Whether the arms tell the success of the awaited operation from its errors. What they tell apart otherwise, such as
/// an `Option`, numbers, or what `map_err` made of its errors, is a value like any other.
pub(crate) fn tell_outcome(value: &Expr, arms: &[Arm<'_>]) -> bool {
    let has_other_errors = maps_errors(value);
    let patterns = || arms.iter().filter_map(|arm| arm.pattern);
    let looks_into_errors = || {
        patterns().any(|pattern| {
            within(pattern, Kind::TimedOut).iter().any(|part| !is_irrefutable(part) && !takes_all(part))
        })
    };
    patterns().all(is_over_result) && !patterns().all(takes_all) && !(has_other_errors && looks_into_errors())
}

/// A pattern that takes everything decides nothing, as do arms in which nothing happens.
fn decides_nothing(arms: &[Arm<'_>], end: End) -> bool {
    arms.len() < 2 || arms.iter().all(|arm| arm.is_silent(end))
}

impl Lowerer<'_> {
    pub(crate) fn match_(&mut self, match_: &ExprMatch, ways: Ways, end: End) -> Ways {
        let arms: Vec<Arm<'_>> = match_.arms.iter().map(Arm::of).collect();
        let outcome = awaited(&match_.expr).filter(|_| tell_outcome(&match_.expr, &arms));
        // Which arms there are is drawn, also of those in which nothing happens.
        let is_told = outcome.is_some() || !decides_nothing(&arms, end);
        for (arm, written) in arms.iter().zip(&match_.arms) {
            if is_told || arm.body.is_drawn() {
                self.refuse_conditional(&written.attrs);
            }
            if let Some(guard) = arm.guard.filter(|guard| is_drawn(guard)) {
                self.refuse(span_of(guard), "a guard that awaits is not drawn; decide inside the arm");
            }
        }
        if let Some(await_) = outcome {
            let thrown = self.passed_on(&match_.expr);
            return self.outcome(await_, thrown, arms, ways, end);
        }
        if swallowed::named(&match_.expr).is_some_and(|name| self.holds_outcome(&name))
            && arms.iter().filter_map(|arm| arm.pattern).all(is_over_result)
        {
            self.swallowed.extend(swallowed::by(&arms, match_.match_token.span));
        }
        if decides_nothing(&arms, end) {
            let ways = self.expression(&match_.expr, ways);
            return self.first_arm(&arms, ways, end);
        }
        let label = self.take_label();
        let ways = self.expression(&match_.expr, ways);
        self.label = label;
        let question = phrases::question(&match_.expr);
        let basis = Basis::of_expression(&match_.expr);
        self.answers(ways, question, match_.match_token.span, arms, end, basis)
    }

    /// A decision with an answer for each arm.
    pub(crate) fn answers(
        &mut self,
        ways: Ways,
        question: String,
        span: proc_macro2::Span,
        arms: Vec<Arm<'_>>,
        end: End,
        basis: Basis,
    ) -> Ways {
        if decides_nothing(&arms, end) {
            return self.first_arm(&arms, ways, end);
        }
        let default = arms.iter().position(Arm::is_catch_all).unwrap_or(arms.len() - 1);
        let answers = arms.iter().map(Arm::answer).enumerate().collect();
        let mut leading: Vec<Ways> = vec![Vec::new(); arms.len()];
        let asked = Asked { question, span, answers, default, is_guard: arms[0].is_guarded_whole(), basis };
        self.ask(ways, asked, &arms, end, &mut leading);
        self.arms(&arms, leading, end)
    }

    fn first_arm(&mut self, arms: &[Arm<'_>], ways: Ways, end: End) -> Ways {
        match arms.first() {
            Some(arm) => self.arm(arm, ways, end),
            None => ways,
        }
    }

    /// Leads ways over a decision to the arms that answer it. Arms in which nothing happens share an answer.
    pub(crate) fn ask(&mut self, ways: Ways, asked: Asked, arms: &[Arm<'_>], end: End, leading: &mut [Ways]) {
        let Asked { mut question, span, mut answers, default, is_guard, basis } = asked;
        let basis = answers.iter().fold(basis, |basis, (arm, _)| basis.and(arms[*arm].basis()));
        let silent: Vec<usize> =
            answers.iter().map(|(arm, _)| *arm).filter(|&arm| arms[arm].is_silent(end)).collect();
        if let ([(first, yes), (second, no)], true) = (&mut answers[..], is_guard)
            && let Some(guard) = arms[*first].guard
        {
            question = phrases::question(guard);
            *yes = arms[*first].label.clone().unwrap_or_else(|| "yes".to_owned());
            *no = arms[*second].label.clone().unwrap_or_else(|| "no".to_owned());
        }
        let decision = self.decision(ways, question, span, basis);
        for (arm, _) in &answers {
            let shared = match silent.first() {
                Some(first) if first == arm => silent.clone(),
                _ if silent.contains(arm) => continue,
                _ => vec![*arm],
            };
            let words = answers.iter().filter(|(arm, _)| shared.contains(arm)).map(|(_, words)| &**words);
            let words: Vec<&str> = words.collect();
            let conditions: Vec<String> = shared.iter().map(|&arm| arms[arm].condition()).collect();
            let label = if words.len() > 3 { "otherwise".to_owned() } else { words.join(" or ") };
            let way = answer(decision, &label, conditions.join(" | "), shared.contains(&default));
            leading[*arm].push(way);
        }
    }

    /// Arms, each on the ways that lead to it.
    pub(crate) fn arms(&mut self, arms: &[Arm<'_>], leading: Vec<Ways>, end: End) -> Ways {
        let mut after = Vec::new();
        for (arm, ways) in arms.iter().zip(leading) {
            // An arm that nobody comes to is lowered all the same: what is awaited in it has to be refused.
            if !ways.is_empty() || arm.body.is_drawn() {
                let is_unlabelled = |way: &Way| matches!(way.kind, FlowKind::Next | FlowKind::Timeout);
                let label = arm.label.clone().filter(|_| ways.iter().all(is_unlabelled));
                let outer = std::mem::replace(&mut self.arm_label, label);
                after.extend(self.arm(arm, ways, end));
                self.arm_label = outer;
            }
        }
        after
    }

    /// An arm, with the names that its pattern binds.
    fn arm(&mut self, arm: &Arm<'_>, ways: Ways, end: End) -> Ways {
        let outside = self.locals.len();
        self.locals.extend(arm.pattern.into_iter().flat_map(bound_by));
        self.catch(arm, outside);
        self.locals.extend(arm.guard.into_iter().flat_map(bound_by_condition));
        let ways = self.arm_body(arm.body, ways, end);
        self.locals.truncate(outside);
        self.caught.retain(|(place, _)| *place < outside);
        ways
    }

    /// Notes which of the names that an arm has bound, from this place on, hold an error as a whole.
    fn catch(&mut self, arm: &Arm<'_>, outside: usize) {
        let (Some(thrown), Some(pattern)) = (&arm.caught, arm.pattern) else { return };
        for name in named_errors(pattern) {
            let place = self.locals[outside..].iter().position(|local| *local == name);
            self.caught.extend(place.map(|place| (outside + place, thrown.clone())));
        }
    }

    /// What an arm does, on the ways that lead to it.
    pub(crate) fn arm_body(&mut self, body: ArmBody<'_>, ways: Ways, end: End) -> Ways {
        match (body, end) {
            (ArmBody::Nothing, _) => ways,
            (ArmBody::Expression(expression), End::Value) => self.expression(expression, ways),
            (ArmBody::Block(block), End::Value) => self.block(block, ways),
            (ArmBody::Expression(expression), End::Result) => self.conclude(expression, ways),
            (ArmBody::Block(block), End::Result) => self.block_end(block, ways),
        }
    }
}
