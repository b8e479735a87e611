//! The comparison: what the one draws and the other does not do, and the other way round, then in which order.
//! It decides what is told; how it is worded is decided by `wording`.

use super::matching::{Matching, is_waived, undoes};
use super::model::{ElementKind, Model, ROOM, Repeats};
use super::plan::{NOWHERE, Plan, Role, is_operation};
use super::relations::{Relations, Table, WORDS, add, has, take_first};
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
        let mut listed = Listed::NONE;
        let mut place = 0;
        while place < plan.count {
            listed.add(place, class_of(plan, matching, waived, place));
            place += 1;
        }
        let mut one = 0;
        while one < listed.count {
            let (from, class) = listed.items[one];
            add(&mut all.is_there, class);
            let (after, maybe_after) = (&relations.after[from], &relations.maybe_after[from]);
            let (beside, maybe_beside) = (&relations.beside[from], &relations.maybe_beside[from]);
            let mut other = 0;
            while other < listed.count {
                let (to, to_class) = listed.items[other];
                let (word, bit) = (to / 64, 1 << (to % 64));
                if (after[word] | maybe_after[word] | beside[word] | maybe_beside[word]) & bit != 0 {
                    let told = [after[word], maybe_after[word], beside[word], maybe_beside[word]];
                    all.note(class, to_class, told, bit);
                }
                other += 1;
            }
            one += 1;
        }
        all
    }

    const fn of_model(model: &Model, matching: &Matching) -> OfClasses {
        let elements = model.list();
        let mut all = OfClasses::EMPTY;
        let mut listed = Listed::NONE;
        let mut element = 0;
        while element < elements.len() {
            if elements[element].kind.is_required() {
                listed.add(element, matching.class_of_element[element]);
            }
            element += 1;
        }
        let bytes = model.bytes();
        let row = elements.len().div_ceil(8);
        let table = elements.len() * row;
        let mut one = 0;
        while one < listed.count {
            let (from, class) = listed.items[one];
            add(&mut all.is_there, class);
            if matches!(elements[from].repeats, Repeats::InTurn) {
                all.note(class, class, [1, 1, 0, 0], 1);
            }
            let mut other = 0;
            while other < listed.count {
                let (to, to_class) = listed.items[other];
                let (at, bit) = (from * row + to / 8, 1 << (to % 8));
                let (after, maybe_after) = (bytes[at], bytes[table + at]);
                let (beside, maybe_beside) = (bytes[2 * table + at], bytes[3 * table + at]);
                if (after | maybe_after | beside | maybe_beside) & bit != 0 {
                    let told = [after as u64, maybe_after as u64, beside as u64, maybe_beside as u64];
                    all.note(class, to_class, told, bit as u64);
                }
                other += 1;
            }
            one += 1;
        }
        all
    }

    /// Notes those of the four answers that have this bit.
    const fn note(
        &mut self,
        from: usize,
        to: usize,
        [after, maybe_after, beside, maybe_beside]: [u64; 4],
        bit: u64,
    ) {
        if after & bit != 0 {
            add(&mut self.after[from], to);
        }
        if (after | maybe_after) & bit != 0 {
            add(&mut self.maybe_after[from], to);
        }
        if beside & bit != 0 {
            add(&mut self.beside[from], to);
        }
        if (beside | maybe_beside) & bit != 0 {
            add(&mut self.maybe_beside[from], to);
        }
    }
}

/// Places or elements whose order counts, with their classes.
struct Listed {
    items: [(usize, usize); ROOM],
    count: usize,
}

impl Listed {
    const NONE: Listed = Listed { items: [(0, 0); ROOM], count: 0 };

    const fn add(&mut self, index: usize, class: usize) {
        if class != NOWHERE {
            self.items[self.count] = (index, class);
            self.count += 1;
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
        let mut left = unlike[one];
        while let Some(other) = take_first(&mut left) {
            add(&mut unlike[other], one);
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
