//! The comparison: what the one draws and the other does not do, and the other way round, then in which order.
//! It decides what is told; how it is worded is decided by `wording`.

use super::matching::{Matching, is_waived, undoes};
use super::model::{ElementKind, Model, Order, ROOM, Repeats};
use super::plan::{NOWHERE, Plan, Role, is_operation};
use super::relations::{Relations, Table, WORDS, add, has};
use super::strict;
use super::wording;
use crate::{Graph, NodeIndex, NodeKind, Notice};

/// Most things that are told at a time.
const MOST: usize = 24;

/// Most disagreements about the order that are told at a time.
const MOST_ORDERS: usize = 6;

/// How much has to agree: each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What is drawn is done, and what is done is drawn.
    Names,
    /// The model and the code allow the same orders.
    Order,
    /// The flow is drawn as it is written.
    Strict,
}

/// What the model and the code disagree about.
pub struct Comparison {
    findings: [Finding; MOST],
    count: usize,
}

#[derive(Clone, Copy)]
struct Finding {
    /// The node of the workflow where it is told; [`NOWHERE`] for what is told at the name of the file.
    node: NodeIndex,
    notice: Notice,
}

impl Comparison {
    /// Compares a workflow with its model. `waived` are the nodes that the author has excused.
    pub const fn of(graph: &'static Graph, model: &Model, level: Level, waived: &[NodeIndex]) -> Comparison {
        let mut comparison =
            Comparison { findings: [Finding { node: NOWHERE, notice: Notice::new("") }; MOST], count: 0 };
        let plan = Plan::of(graph, model);
        if plan.is_cut || model.list().len() > ROOM {
            comparison.tell(NOWHERE, wording::too_large(model));
            return comparison;
        }
        let matching = Matching::of(&plan, model);
        comparison.compare_names(&plan, model, &matching, graph, waived);
        if !matches!(level, Level::Names) {
            comparison.compare_order(&plan, model, &matching, waived);
        }
        if matches!(level, Level::Strict) {
            comparison.compare_structure(&plan, model, &matching, waived);
        }
        comparison
    }

    /// What is told about this node, and how many more things there are to tell about it.
    pub const fn at(&self, node: NodeIndex) -> Option<&str> {
        let mut index = 0;
        while index < self.count {
            if self.findings[index].node == node {
                return Some(self.findings[index].notice.text());
            }
            index += 1;
        }
        None
    }

    /// The things that the model says and the code does not, one after the other.
    pub const fn of_model(&self, number: usize) -> Option<&str> {
        let mut number = number;
        let mut index = 0;
        while index < self.count {
            if self.findings[index].node == NOWHERE {
                if number == 0 {
                    return Some(self.findings[index].notice.text());
                }
                number -= 1;
            }
            index += 1;
        }
        None
    }

    /// Everything, with the node where it is told.
    pub fn findings(&self) -> impl Iterator<Item = (Option<NodeIndex>, &str)> {
        self.findings[..self.count].iter().map(|finding| {
            let node = (finding.node != NOWHERE).then_some(finding.node);
            (node, finding.notice.text())
        })
    }

    const fn tell(&mut self, node: NodeIndex, notice: Notice) {
        // Where something is told already, the next thing is told once that is mended.
        if self.count < MOST && (node == NOWHERE || self.at(node).is_none()) {
            self.findings[self.count] = Finding { node, notice };
            self.count += 1;
        }
    }

    const fn compare_names(
        &mut self,
        plan: &Plan,
        model: &Model,
        matching: &Matching,
        graph: &'static Graph,
        waived: &[NodeIndex],
    ) {
        let elements = model.list();
        let (mut told, mut left) = (0, 0);
        let mut index = 0;
        while index < elements.len() {
            let element = &elements[index];
            let is_missing = if matches!(element.kind, ElementKind::Handler) {
                lacks_undo(plan, model, matching, index)
            } else {
                element.kind.is_required()
                    && !matching.is_done(index)
                    && !matching.is_frame(elements, index)
                    && !matching.is_in_unknown(elements, index)
            };
            if is_missing && told < MOST / 3 {
                self.tell(NOWHERE, wording::not_done(plan, model, matching, graph, index));
                told += 1;
            } else if is_missing {
                left += 1;
            }
            index += 1;
        }
        if left > 0 {
            self.tell(NOWHERE, wording::more_not_done(model, left));
        }
        let mut index = 0;
        while index < plan.count {
            let place = plan.place(index);
            if is_operation(&place.node.kind)
                && matches!(place.role, Role::Node | Role::Frame)
                && !has(&matching.is_drawn, index)
                && !is_waived(waived, place.call)
                && !(matches!(place.role, Role::Frame) && is_drawn_inside(plan, matching, index))
            {
                self.tell(place.call, wording::not_drawn(plan, model, matching, index));
            }
            index += 1;
        }
    }

    const fn compare_order(&mut self, plan: &Plan, model: &Model, matching: &Matching, waived: &[NodeIndex]) {
        let code = OfClasses::of_code(plan, matching, waived);
        let drawn = OfClasses::of_model(model, matching);
        let mut unlike = unlike(&code, &drawn, model.list().len());
        let mut told = 0;
        while told < MOST_ORDERS {
            let (class, count) = most_unlike(&unlike, model.list().len());
            if count == 0 {
                return;
            }
            let other = first_of(&unlike[class]);
            // With one disagreement each, what stands later in the code is where people look first.
            let (one, two) = (place_of(plan, matching, class), place_of(plan, matching, other));
            let (class, other) = if count == 1 && two > one { (other, class) } else { (class, other) };
            let at = plan.place(place_of(plan, matching, class));
            self.tell(at.call, wording::other_order(plan, model, matching, &code, &drawn, class, other));
            let mut each = 0;
            while each < ROOM {
                unlike[each][class / 64] &= !(1 << (class % 64));
                each += 1;
            }
            unlike[class] = [0; WORDS];
            told += 1;
        }
    }

    const fn compare_structure(
        &mut self,
        plan: &Plan,
        model: &Model,
        matching: &Matching,
        waived: &[NodeIndex],
    ) {
        let elements = model.list();
        let mut index = 0;
        while index < elements.len() {
            let place = first_of(&matching.places[index]);
            if matching.is_done(index) && place < plan.count && !is_waived(waived, plan.place(place).call) {
                let notice = strict::unlike(plan, model, matching, index);
                if !notice.is_empty() {
                    self.tell(plan.place(place).call, notice);
                }
            } else if elements[index].kind.is_required()
                && matching.is_frame(elements, index)
                && !matching.is_in_unknown(elements, index)
            {
                self.tell(NOWHERE, wording::mere_frame(model, index));
            }
            index += 1;
        }
        // Where something differs already, all that leads there and comes from there does, too.
        if self.count == 0 {
            let unlike = strict::unlike_flow(plan, model, matching, waived);
            if let Some((node, notice)) = unlike {
                self.tell(node, notice);
            }
        }
    }
}

/// Whether the model undoes something in a way that the code does not.
const fn lacks_undo(plan: &Plan, model: &Model, matching: &Matching, handler: usize) -> bool {
    let element = &model.list()[handler];
    match element.host {
        Some(host) if !matching.is_done(host) => false, // What it undoes is missing as a whole.
        Some(host) => !undoes(element, plan, Some(&matching.places[host])),
        None => !undoes(element, plan, None),
    }
}

/// Whether the model draws something of what stands in this frame, though not the frame.
const fn is_drawn_inside(plan: &Plan, matching: &Matching, frame: usize) -> bool {
    let exits = plan.place(frame);
    let mut index = 0;
    while index < plan.count {
        let place = plan.place(index);
        if index != frame && place.call == exits.call && has(&matching.is_drawn, index) {
            return true;
        }
        index += 1;
    }
    false
}

/// What is said about every two classes of what is called alike.
pub(super) struct OfClasses {
    pub(super) after: Table,
    pub(super) maybe_after: Table,
    pub(super) beside: Table,
    pub(super) maybe_beside: Table,
    pub(super) is_there: [u64; WORDS],
}

impl OfClasses {
    const EMPTY: OfClasses = OfClasses {
        after: [[0; WORDS]; ROOM],
        maybe_after: [[0; WORDS]; ROOM],
        beside: [[0; WORDS]; ROOM],
        maybe_beside: [[0; WORDS]; ROOM],
        is_there: [0; WORDS],
    };

    const fn of_code(plan: &Plan, matching: &Matching, waived: &[NodeIndex]) -> OfClasses {
        let relations = Relations::of(plan);
        let mut all = OfClasses::EMPTY;
        let mut one = 0;
        while one < plan.count {
            let from = class_of(plan, matching, waived, one);
            if from != NOWHERE {
                add(&mut all.is_there, from);
                let mut other = 0;
                while other < plan.count {
                    let to = class_of(plan, matching, waived, other);
                    if to != NOWHERE {
                        all.note(
                            from,
                            to,
                            [
                                has(&relations.after[one], other),
                                has(&relations.maybe_after[one], other),
                                has(&relations.beside[one], other),
                                has(&relations.maybe_beside[one], other),
                            ],
                        );
                    }
                    other += 1;
                }
            }
            one += 1;
        }
        all
    }

    const fn of_model(model: &Model, matching: &Matching) -> OfClasses {
        let elements = model.list();
        let mut all = OfClasses::EMPTY;
        let mut one = 0;
        while one < elements.len() {
            let from = matching.class_of_element[one];
            if from != NOWHERE && elements[one].kind.is_required() {
                add(&mut all.is_there, from);
                let is_in_turn = matches!(elements[one].repeats, Repeats::InTurn);
                let mut other = 0;
                while other < elements.len() {
                    let to = matching.class_of_element[other];
                    if to != NOWHERE && elements[other].kind.is_required() {
                        let again = is_in_turn && one == other;
                        all.note(
                            from,
                            to,
                            [
                                model.holds(Order::After, one, other) || again,
                                model.holds(Order::MaybeAfter, one, other) || again,
                                model.holds(Order::Beside, one, other),
                                model.holds(Order::MaybeBeside, one, other),
                            ],
                        );
                    }
                    other += 1;
                }
            }
            one += 1;
        }
        all
    }

    const fn note(&mut self, from: usize, to: usize, [after, maybe_after, beside, maybe_beside]: [bool; 4]) {
        if after {
            add(&mut self.after[from], to);
        }
        if after || maybe_after {
            add(&mut self.maybe_after[from], to);
        }
        if beside {
            add(&mut self.beside[from], to);
        }
        if beside || maybe_beside {
            add(&mut self.maybe_beside[from], to);
        }
    }
}

/// The class of an operation whose order counts.
const fn class_of(plan: &Plan, matching: &Matching, waived: &[NodeIndex], place: usize) -> usize {
    let of = plan.place(place);
    let counts = matches!(of.role, Role::Node | Role::Frame) && !is_waived(waived, of.call);
    if counts { matching.class_of_place[place] } else { NOWHERE }
}

/// Which classes the code and the model put into another order.
const fn unlike(code: &OfClasses, drawn: &OfClasses, count: usize) -> Table {
    let mut unlike = [[0; WORDS]; ROOM];
    let mut one = 0;
    while one < count {
        let mut word = 0;
        while word < WORDS && has(&code.is_there, one) && has(&drawn.is_there, one) {
            let differs = drawn.after[one][word] & !code.maybe_after[one][word]
                | code.after[one][word] & !drawn.maybe_after[one][word]
                | drawn.beside[one][word] & !code.maybe_beside[one][word]
                | code.beside[one][word] & !drawn.maybe_beside[one][word];
            unlike[one][word] |= differs & code.is_there[word] & drawn.is_there[word];
            word += 1;
        }
        one += 1;
    }
    // What differs from here to there also differs from there to here.
    let mut one = 0;
    while one < count {
        let mut other = 0;
        while other < count {
            if has(&unlike[one], other) {
                add(&mut unlike[other], one);
            }
            other += 1;
        }
        one += 1;
    }
    unlike
}

/// The class that disagrees with the most others: when one operation was moved, it is this one.
const fn most_unlike(unlike: &Table, count: usize) -> (usize, u32) {
    let (mut most, mut class) = (0, 0);
    let mut one = 0;
    while one < count {
        let (mut here, mut word) = (0, 0);
        while word < WORDS {
            here += unlike[one][word].count_ones();
            word += 1;
        }
        if here > most {
            (most, class) = (here, one);
        }
        one += 1;
    }
    (class, most)
}

/// The first of a set; [`NOWHERE`] when there is none.
pub(super) const fn first_of(row: &[u64; WORDS]) -> usize {
    let mut word = 0;
    while word < WORDS {
        if row[word] != 0 {
            return word * 64 + row[word].trailing_zeros() as usize;
        }
        word += 1;
    }
    NOWHERE
}

/// The first place of a class.
pub(super) const fn place_of(plan: &Plan, matching: &Matching, class: usize) -> usize {
    let mut place = 0;
    while place < plan.count {
        if matching.class_of_place[place] == class && !matches!(plan.place(place).node.kind, NodeKind::Start)
        {
            return place;
        }
        place += 1;
    }
    0
}
