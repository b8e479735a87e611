//! Which element of the model is which operation of the code: by name, else by id, else by message or duration.
//! What shares a name is compared as one thing; it knows nothing of order.

use super::letters::{duration_ms, key, key_behind};
use super::model::{Element, ElementKind, Model, ROOM};
use super::plan::{NOWHERE, Plan, Role, is_operation};
use super::relations::{Table, WORDS, add, has, take_first};
use crate::reading::text_of;
use crate::{Node, NodeIndex, NodeKind, StepFacts};

/// Who is who.
pub(super) struct Matching {
    /// For each element, the places that it may be.
    pub(super) places: Table,
    /// For each place, whether some element stands for it.
    pub(super) is_drawn: [u64; WORDS],
    /// For each element, the class of what is called the same; [`NOWHERE`] when the code has nothing for it.
    pub(super) class_of_element: [usize; ROOM],
    /// For each place, the same.
    pub(super) class_of_place: [usize; ROOM],
}

impl Matching {
    pub(super) const fn of(plan: &Plan, model: &Model) -> Matching {
        let elements = model.list();
        let mut places = [[0; WORDS]; ROOM];
        let mut index = 0;
        while index < elements.len() {
            if elements[index].kind.may_match() {
                places[index] = of_element(&elements[index], plan);
            }
            index += 1;
        }
        let mut matching = Matching {
            places,
            is_drawn: [0; WORDS],
            class_of_element: [NOWHERE; ROOM],
            class_of_place: [NOWHERE; ROOM],
        };
        // The class is the first element of that name; what is called by two names joins both.
        matching.classify(elements);
        matching.classify(elements);
        matching
    }

    const fn classify(&mut self, elements: &[Element]) {
        let mut element = 0;
        while element < elements.len() {
            let mut class = self.class_of_element[element];
            let mut left = self.places[element];
            while let Some(place) = take_first(&mut left) {
                add(&mut self.is_drawn, place);
                if self.class_of_place[place] == NOWHERE {
                    self.class_of_place[place] = element;
                }
                if self.class_of_place[place] < class {
                    class = self.class_of_place[place];
                }
            }
            self.class_of_element[element] = class;
            let mut left = self.places[element];
            while let Some(place) = take_first(&mut left) {
                self.class_of_place[place] = class;
            }
            element += 1;
        }
    }

    /// Whether the code has something for this element.
    pub(super) const fn is_done(&self, element: usize) -> bool {
        self.class_of_element[element] != NOWHERE
    }

    /// Whether the element is a mere frame: the code has no such thing, but what stands in it.
    pub(super) const fn is_frame(&self, elements: &[Element], element: usize) -> bool {
        if self.is_done(element) || !matches!(elements[element].kind, ElementKind::SubProcess) {
            return false;
        }
        let mut inner = element + 1;
        while inner < elements.len() {
            if self.is_done(inner) && stands_in(elements, inner, element) {
                return true;
            }
            inner += 1;
        }
        false
    }

    /// Whether it stands in a sub-process that the code has nothing for: then that is told, and nothing more.
    pub(super) const fn is_in_unknown(&self, elements: &[Element], element: usize) -> bool {
        let mut parent = elements[element].parent;
        while let Some(around) = parent {
            if !self.is_done(around) && !self.is_frame(elements, around) {
                return true;
            }
            parent = elements[around].parent;
        }
        false
    }
}

/// Whether the one stands in the other, at any depth.
const fn stands_in(elements: &[Element], inner: usize, outer: usize) -> bool {
    let mut parent = elements[inner].parent;
    while let Some(around) = parent {
        if around == outer {
            return true;
        }
        parent = elements[around].parent;
    }
    false
}

const fn of_element(element: &Element, plan: &Plan) -> [u64; WORDS] {
    let (name, id) = (key(text_of(&element.name)), key(text_of(&element.id)));
    let (mut by_name, mut by_id, mut by_detail) = ([0; WORDS], [0; WORDS], [0; WORDS]);
    let (mut has_name, mut has_id) = (false, false);
    let mut index = 0;
    while index < plan.count {
        let place = plan.place(index);
        let is_one = match place.role {
            Role::Deadline => element.kind.is_timer(),
            Role::Exit => false,
            Role::Node | Role::Frame => {
                is_operation(&place.node.kind) || matches!(place.node.kind, NodeKind::Block | NodeKind::Race)
            }
        };
        if is_one {
            if plan.keys[index].name(name) {
                add(&mut by_name, index);
                has_name = true;
            }
            if id == place.id && id != 0 {
                add(&mut by_id, index);
                has_id = true;
            }
            if is_meant_by_detail(element, place.node, place.role) {
                add(&mut by_detail, index);
            }
        }
        index += 1;
    }
    match (has_name, has_id) {
        // Of several that are called alike, the id says which one.
        (true, true) if meet(&by_name, &by_id) => by_id,
        (true, _) => by_name,
        (false, true) => by_id,
        (false, false) => by_detail,
    }
}

const fn meet(one: &[u64; WORDS], other: &[u64; WORDS]) -> bool {
    let mut word = 0;
    while word < WORDS {
        if one[word] & other[word] != 0 {
            return true;
        }
        word += 1;
    }
    false
}

const fn is_meant_by_detail(element: &Element, node: &Node, role: Role) -> bool {
    let detail = text_of(&element.detail);
    let length = match (role, &node.kind) {
        (Role::Deadline, NodeKind::Receive { deadline: Some(deadline), .. }) => text_of(&deadline.iso),
        (Role::Node, NodeKind::Timer(span)) => text_of(&span.iso),
        (Role::Node, NodeKind::Send { message, .. } | NodeKind::Receive { message, .. }) => {
            return element.kind.is_message() && key(detail) != 0 && key(detail) == key(text_of(message));
        }
        _ => return false,
    };
    match (duration_ms(detail), duration_ms(length)) {
        (Some(one), Some(other)) => element.kind.is_timer() && one == other,
        _ => false,
    }
}

/// Whether this step is undone by what is called so; `any` when the model does not say what it undoes.
pub(super) const fn undoes(handler: &Element, plan: &Plan, hosts: Option<&[u64; WORDS]>) -> bool {
    let (name, id) = (key(text_of(&handler.name)), key(text_of(&handler.id)));
    let mut index = 0;
    while index < plan.count {
        let is_host = match hosts {
            Some(hosts) => has(hosts, index),
            None => true,
        };
        let place = plan.place(index);
        if is_host
            && let NodeKind::Step(StepFacts { compensation: Some(compensation), .. }) = &place.node.kind
            && (name == 0
                || name == key(text_of(&compensation.label))
                || name == key(text_of(&compensation.step))
                || id == key_behind(place.id, "undo"))
        {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether the node is one of those that need not be drawn.
pub(super) const fn is_waived(waived: &[NodeIndex], node: NodeIndex) -> bool {
    let mut index = 0;
    while index < waived.len() {
        if waived[index] == node {
            return true;
        }
        index += 1;
    }
    false
}
