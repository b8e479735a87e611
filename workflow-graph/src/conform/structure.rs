//! The flow as a drawing has it: what leads straight to what, over which gateway, error or deadline.
//! Two flows are the same when colours that are refined by what follows cannot tell them apart.

use super::border::{error_of, goes_on, is_drawn_only};
use super::deadlines::is_kept;
use super::letters::key;
use super::matching::Matching;
use super::model::{Element, ElementKind, Model, ROOM};
use super::passing::{drawn, is_caught, leaving, resolved};
use super::plan::{NOWHERE, Place, Plan, Role};
use super::relations::has;
use super::strict::is_block;
use super::wording::named;
use crate::reading::{flows_of, text_of};
use crate::{FlowKind, NodeIndex, NodeKind, Notice};

/// The place that stands for every end.
pub(super) const END: usize = ROOM;

/// For each place or element, and for the end, what it is and what follows.
pub(super) type Colours = [u64; ROOM + 1];

const EXCLUSIVE: u64 = 1;
const SPLIT: u64 = 2;
const JOIN: u64 = 3;
const FIRST_EVENT: u64 = 4;
const INCLUSIVE: u64 = 5;
const UNDOING: u64 = 6;
const FRAME: u64 = 7;
const BEGIN: u64 = 8;
const FINISH: u64 = 9;
const OTHER: u64 = 10;
/// The first colour of the classes of what is called alike.
const NAMED: u64 = 1_000;

/// The first colour of the ends that both sides know by one name.
const AN_END: u64 = 1 << 63;

/// How one thing leads to another.
const ON: u64 = 1;
const INSIDE: u64 = 2;
const TIMEOUT: u64 = 3;
const ERROR: u64 = 4;

/// Most steps from one thing to the next.
const STEPS: usize = 4 * ROOM;

#[derive(Clone, Copy)]
struct Step {
    from: usize,
    to: usize,
    how: u64,
}

/// A flow without what says nothing: merges, milestones, and what the author has excused.
pub(super) struct Structure {
    pub(super) colours: Colours,
    pub(super) start: usize,
    steps: [Step; STEPS],
    count: usize,
    /// Whether the places are those of the model.
    is_model: bool,
}

impl Structure {
    const fn new(is_model: bool) -> Structure {
        let mut colours = [0; ROOM + 1];
        colours[END] = FINISH;
        let steps = [Step { from: 0, to: 0, how: 0 }; STEPS];
        Structure { colours, start: END, steps, count: 0, is_model }
    }

    const fn lead(&mut self, from: usize, to: usize, how: u64) {
        if self.count < STEPS {
            self.steps[self.count] = Step { from, to, how };
            self.count += 1;
        }
    }

    /// One round: each colour takes up those of what follows.
    pub(super) const fn refined(&self, colours: &Colours) -> Colours {
        let mut refined = *colours;
        let mut index = 0;
        while index < self.count {
            let Step { from, to, how } = self.steps[index];
            refined[from] = refined[from].wrapping_add(mixed(mixed(how) ^ colours[to]));
            index += 1;
        }
        let mut index = 0;
        while index < refined.len() {
            refined[index] = mixed(refined[index]);
            index += 1;
        }
        refined
    }

    /// What follows here, in words.
    pub(super) const fn describe(
        &self,
        notice: Notice,
        from: usize,
        plan: &Plan,
        model: &Model,
        matching: &Matching,
    ) -> Notice {
        let (mut notice, mut told, mut index) = (notice, 0, 0);
        while index < self.count {
            let Step { from: this, to, how } = self.steps[index];
            index += 1;
            if this != from {
                continue;
            }
            if told == 4 {
                return notice.with(" and more");
            }
            notice = notice.with(if told == 0 { "" } else { ", " }).with(match how {
                INSIDE => "inside ",
                TIMEOUT => "after a deadline ",
                ON => "",
                _ => "after an error ",
            });
            told += 1;
            notice = self.describe_one(notice, to, plan, model, matching);
        }
        if told == 0 { notice.with("nothing") } else { notice }
    }

    const fn describe_one(
        &self,
        notice: Notice,
        to: usize,
        plan: &Plan,
        model: &Model,
        matching: &Matching,
    ) -> Notice {
        let colour = self.colours[to];
        if colour >= AN_END {
            return notice.with("another end");
        }
        if colour >= NAMED {
            return named(notice, &model.list()[(colour - NAMED) as usize]);
        }
        if self.is_model && colour == OTHER {
            return named(notice, &model.list()[to]);
        }
        let _ = (plan, matching);
        notice.with(match colour {
            EXCLUSIVE => "a question",
            SPLIT => "ways side by side",
            JOIN => "the end of ways side by side",
            FIRST_EVENT => "a wait for the first event",
            INCLUSIVE => "an inclusive gateway",
            UNDOING => "an undoing",
            FRAME => "a frame",
            BEGIN => "a start",
            FINISH => "an end",
            _ => "something else",
        })
    }

    pub(super) const fn of_code(
        plan: &Plan,
        model: &Model,
        matching: &Matching,
        waived: &[NodeIndex],
    ) -> Structure {
        let mut this = Structure::new(false);
        let mut index = 0;
        while index < plan.count {
            let place = plan.place(index);
            let class = matching.class_of_place[index];
            this.colours[index] = match (place.role, &place.node.kind) {
                (Role::Exit, _) => EXCLUSIVE, // The question behind a race; other exits are no part of this.
                (_, NodeKind::Start) => BEGIN,
                (_, NodeKind::End(_)) => end_of_code(plan, model, index),
                (_, NodeKind::Decision { .. } | NodeKind::VersionSwitch { .. }) => EXCLUSIVE,
                (_, NodeKind::Fork) => SPLIT,
                (_, NodeKind::Join) => JOIN,
                (Role::Node, NodeKind::Race) => FIRST_EVENT,
                (_, NodeKind::Race | NodeKind::Block) => FRAME,
                (_, NodeKind::Compensate) => UNDOING,
                _ if class != NOWHERE => NAMED + class as u64,
                _ => OTHER,
            };
            if matches!((place.role, &place.node.kind), (Role::Node, NodeKind::Start)) && this.start == END {
                this.start = index;
            }
            index += 1;
        }
        let mut index = 0;
        while index < plan.count {
            this.add_place(plan, waived, index);
            index += 1;
        }
        this
    }

    /// What leaves a node of the code.
    const fn add_place(&mut self, plan: &Plan, waived: &[NodeIndex], index: usize) {
        let place = plan.place(index);
        if !matches!(place.role, Role::Node | Role::Frame) {
            return;
        }
        if matches!(place.role, Role::Frame) && !matches!(place.node.kind, NodeKind::Race) {
            let mut way = 0;
            while way < plan.way_count {
                // A frame leads to the start inside it, and nowhere else.
                if plan.ways[way].from == index {
                    self.lead_inside(plan, waived, index, plan.ways[way].to);
                }
                way += 1;
            }
        }
        let flows = flows_of(place.graph);
        let mut flow = place.first_flow;
        while flow < place.end_flow {
            if flows[flow].from == index - place.base {
                let to = resolved(plan, waived, place.base + flows[flow].to);
                let how = match &flows[flow].kind {
                    FlowKind::Error { variant, .. } => ERROR + key(text_of(variant)) % (1 << 60),
                    FlowKind::Timeout => TIMEOUT,
                    _ => ON,
                };
                self.add_flow(plan, index, to, how);
            }
            flow += 1;
        }
        if plan.is_boxed_race(index) {
            self.lead(index, place.twin, ON);
        }
    }

    const fn add_flow(&mut self, plan: &Plan, from: usize, to: usize, how: u64) {
        let place = plan.place(from);
        if place.race != NOWHERE {
            // It ends the frame of the race; behind the frame a question tells the ways apart.
            self.lead(from, END, how);
            self.lead(plan.place(place.race).twin, to, ON);
        } else if how == TIMEOUT && is_caught(plan, from) {
            self.lead(place.twin, to, ON);
        } else if plan.is_boxed_race(from) {
            self.lead(from, to, INSIDE);
        } else {
            self.lead(from, to, how);
            if place.twin != NOWHERE && is_kept(&place, from - place.base) && is_caught(plan, from) {
                self.lead(place.twin, to, ON);
            }
            let target = if to == END { None } else { Some(plan.place(to)) };
            if let Some(target) = target
                && target.twin != NOWHERE
                && matches!(target.node.kind, NodeKind::Receive { .. })
                && matches!((place.role, &place.node.kind), (Role::Node, NodeKind::Race))
            {
                self.lead(from, target.twin, ON);
            }
        }
    }

    /// A frame leads to what its start leads to; to all branches, if it begins with a split.
    const fn lead_inside(&mut self, plan: &Plan, waived: &[NodeIndex], frame: usize, start: usize) {
        let this = plan.place(start);
        let flows = flows_of(this.graph);
        let mut flow = 0;
        while flow < flows.len() {
            if flows[flow].from == start - this.base {
                let first = resolved(plan, waived, this.base + flows[flow].to);
                if first != END && matches!(plan.place(first).node.kind, NodeKind::Fork) {
                    let mut branch = 0;
                    while branch < flows.len() {
                        if flows[branch].from == first - this.base {
                            let to = resolved(plan, waived, this.base + flows[branch].to);
                            self.lead(frame, to, INSIDE);
                        }
                        branch += 1;
                    }
                } else {
                    self.lead(frame, first, INSIDE);
                }
            }
            flow += 1;
        }
    }

    pub(super) const fn of_model(plan: &Plan, model: &Model, matching: &Matching) -> Structure {
        let (mut this, elements) = (Structure::new(true), model.list());
        let mut index = 0;
        while index < elements.len() {
            let class = matching.class_of_element[index];
            this.colours[index] = match elements[index].kind {
                ElementKind::Start => BEGIN,
                ElementKind::End => end_of_model(plan, &elements[index]),
                ElementKind::ExclusiveGateway => EXCLUSIVE,
                ElementKind::ParallelGateway if leaving(model, index) > 1 => SPLIT,
                ElementKind::ParallelGateway => JOIN,
                ElementKind::InclusiveGateway => INCLUSIVE,
                ElementKind::EventGateway => FIRST_EVENT,
                ElementKind::CompensationThrow => UNDOING,
                ElementKind::SubProcess if is_block(plan, matching, index) => FRAME,
                _ if class != NOWHERE => NAMED + class as u64,
                _ => OTHER,
            };
            if matches!(elements[index].kind, ElementKind::Start) && elements[index].parent.is_none() {
                this.start = index;
            }
            index += 1;
        }
        let flows = model.flow_list();
        let mut index = 0;
        while index < flows.len() {
            let (from, to) = flows[index];
            this.add_drawn(plan, model, matching, from, drawn(model, to));
            index += 1;
        }
        let mut index = 0;
        while index < elements.len() {
            if matches!(elements[index].kind, ElementKind::MessageEnd) {
                this.lead(index, END, ON);
            }
            index += 1;
        }
        this
    }

    const fn add_drawn(&mut self, plan: &Plan, model: &Model, matching: &Matching, from: usize, to: usize) {
        let element = &model.list()[from];
        let host = match (element.kind, element.host) {
            (ElementKind::ErrorBoundary | ElementKind::TimerBoundary, Some(host)) => host,
            (ElementKind::Start, _) if let Some(frame) = element.parent => {
                if to != END
                    && matches!(model.list()[to].kind, ElementKind::ParallelGateway)
                    && leaving(model, to) > 1
                {
                    let flows = model.flow_list();
                    let mut flow = 0;
                    while flow < flows.len() {
                        if flows[flow].0 == to {
                            self.lead(frame, drawn(model, flows[flow].1), INSIDE);
                        }
                        flow += 1;
                    }
                } else {
                    self.lead(frame, to, INSIDE);
                }
                return;
            }
            _ => {
                self.lead(from, to, ON);
                return;
            }
        };
        let how = if matches!(element.kind, ElementKind::TimerBoundary) {
            if goes_on(model, from) && is_kept_by(plan, matching, host) {
                return; // The code looks at it later.
            }
            TIMEOUT
        } else {
            let mut place = 0;
            let mut error = None;
            while place < plan.count && error.is_none() {
                if has(&matching.places[host], place) {
                    let of = plan.place(place);
                    error = error_of(&of, place - of.base, element);
                    if error.is_none() && is_drawn_only(plan, model, place, from) {
                        return;
                    }
                }
                place += 1;
            }
            match error {
                Some(variant) => ERROR + variant % (1 << 60),
                None => OTHER,
            }
        };
        self.lead(host, to, how);
    }
}

/// Whether the code keeps what comes of the wait that this element stands for.
const fn is_kept_by(plan: &Plan, matching: &Matching, element: usize) -> bool {
    let mut place = 0;
    while place < plan.count {
        let of = plan.place(place);
        if has(&matching.places[element], place) && is_kept(&of, place - of.base) {
            return true;
        }
        place += 1;
    }
    false
}

/// The colour of an end of the code: what the model calls the same has the same.
const fn end_of_code(plan: &Plan, model: &Model, place: usize) -> u64 {
    let elements = model.list();
    let mut called_so = NOWHERE;
    let mut index = 0;
    while index < elements.len() {
        if matches!(elements[index].kind, ElementKind::End) {
            if is_end_by_id(&elements[index], &plan.place(place)) {
                return end_of_model(plan, &elements[index]);
            }
            if called_so == NOWHERE && is_end_by_name(&elements[index], &plan.place(place)) {
                called_so = index;
            }
        }
        index += 1;
    }
    if called_so == NOWHERE { FINISH } else { end_of_model(plan, &elements[called_so]) }
}

/// The colour of an end of the model: that of the end of the code with its id, else of the first that is called so.
const fn end_of_model(plan: &Plan, end: &Element) -> u64 {
    let mut called_so = NOWHERE;
    let mut index = 0;
    while index < plan.count {
        if is_end_by_id(end, &plan.place(index)) {
            return AN_END | plan.place(index).id;
        }
        if called_so == NOWHERE && is_end_by_name(end, &plan.place(index)) {
            called_so = index;
        }
        index += 1;
    }
    if called_so == NOWHERE { FINISH } else { AN_END | plan.place(called_so).id }
}

/// Whether the drawing and the code mean the same end, by its id or by its name.
pub(super) const fn is_end(end: &Element, place: &Place) -> bool {
    is_end_by_id(end, place) || is_end_by_name(end, place)
}

const fn is_end_by_id(end: &Element, place: &Place) -> bool {
    matches!(place.node.kind, NodeKind::End(_)) && key(text_of(&end.id)) == place.id
}

const fn is_end_by_name(end: &Element, place: &Place) -> bool {
    let name = key(text_of(&end.name));
    matches!(place.node.kind, NodeKind::End(_))
        && name != 0
        && (name == key(text_of(&place.node.label)) || name == key(text_of(&place.node.id)))
}

/// A number that says nothing of the one it came from.
pub(super) const fn mixed(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}
