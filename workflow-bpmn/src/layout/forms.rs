//! The size of each node with all that is glued to it: boundary events, handler, captions.
//! It knows what hangs on a node, not where the node stands.

use super::chains::{ChainIndex, Chains, Landing, LinkIndex, Reach, Side};
use super::insides::{self, Inside, Insides, Size};
use super::{Area, Caption, EVENT, LABEL_FONT, LINE_HEIGHT, ROW, TASK_FONT};
use crate::model::{ElementIndex, ElementKind, Scope, Trigger};
use crate::text;

/// Widest line beside events and lines.
const CAPTION_WIDTH: i32 = 88;
/// Most lines of a caption.
const CAPTION_LINES: usize = 4;
/// Most lines in a task: more would meet its symbols.
const TASK_LINES: usize = 3;
/// Least distance between the middles of two boundary events.
const EVENT_PITCH: i32 = 46;
/// From the border of a task to the middle of its outermost boundary event.
const EVENT_INSET: i32 = 27;
/// From the middle of a compensation event to the left border of the handler.
const HANDLER_OFFSET: i32 = 32;

/// A node with what is glued to it, relative to its middle.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) half_width: i32,
    /// From the line that arrives to the upper border, and to the lower one.
    pub(super) top: i32,
    pub(super) bottom: i32,
    pub(super) caption: Option<Caption>,
    /// Boundary events from left to right: element, distance from the middle, caption.
    pub(super) events: Vec<(ElementIndex, i32, Option<Caption>)>,
    pub(super) handler: Option<Handler>,
    /// Where a way back leaves downwards, left of the boundary events.
    pub(super) way_back: Option<i32>,
    handler_caption: Option<Caption>,
}

/// The element that undoes another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handler {
    pub(super) element: ElementIndex,
    /// The distance of its middle from that of the other.
    pub(super) dx: i32,
    half_width: i32,
}

impl Handler {
    /// The distance of its left border, where the association arrives.
    pub(super) fn left(self) -> i32 {
        self.dx - self.half_width
    }
}

/// One shape of a form.
pub(super) struct Part<'a> {
    pub(super) element: ElementIndex,
    pub(super) area: Area,
    pub(super) caption: Option<&'a Caption>,
}

impl Form {
    /// The box of the node itself.
    pub(super) fn area(&self) -> Area {
        Area { left: -self.half_width, right: self.half_width, top: -self.top, bottom: self.bottom }
    }

    /// The node itself, its boundary events and its handler.
    pub(super) fn parts(&self, node: ElementIndex) -> Vec<Part<'_>> {
        let area = self.area();
        let mut parts = vec![Part { element: node, area, caption: self.caption.as_ref() }];
        for (element, dx, caption) in &self.events {
            let area = Area::around(*dx, self.bottom, EVENT, EVENT);
            parts.push(Part { element: *element, area, caption: caption.as_ref() });
        }
        if let Some(handler) = self.handler {
            let area = Area::around(handler.dx, ROW, handler.half_width, 40);
            parts.push(Part { element: handler.element, area, caption: self.handler_caption.as_ref() });
        }
        parts
    }

    /// Everything that takes up room: shapes, captions, the line to the handler.
    pub(super) fn areas(&self, node: ElementIndex) -> Vec<Area> {
        let mut areas = Vec::new();
        for part in self.parts(node) {
            areas.push(part.area);
            areas.extend(part.caption.map(|caption| caption.area));
        }
        if let Some(handler) = self.handler {
            let (left, right) = (handler.left() - HANDLER_OFFSET, handler.left());
            areas.push(Area { left, right, top: self.bottom, bottom: ROW + 2 });
        }
        areas
    }

    /// The distance from the middle at which a link of this element leaves.
    pub(super) fn port(&self, from: ElementIndex) -> i32 {
        self.events.iter().find(|(element, ..)| *element == from).map_or(0, |(_, dx, _)| *dx)
    }
}

/// Measures every element that belongs to a chain, around the insides that are drawn already.
pub(super) fn measure(scope: &Scope, chains: &Chains, insides: &Insides) -> Vec<Form> {
    (0..scope.elements.len())
        .map(|element| match chains.place[element] {
            Some(_) => form(scope, chains, element, insides.get(&element)),
            None => Form::default(),
        })
        .collect()
}

fn form(scope: &Scope, chains: &Chains, element: ElementIndex, inside: Option<&Inside>) -> Form {
    let name = &scope.elements[element].name;
    match &scope.elements[element].kind {
        kind if kind.is_activity() => activity(scope, chains, element, inside),
        ElementKind::ExclusiveGateway { .. }
        | ElementKind::ParallelGateway { .. }
        | ElementKind::EventGateway => Form {
            half_width: 25,
            top: 25,
            bottom: 25,
            caption: question(scope, chains, element),
            ..Form::default()
        },
        _ => Form {
            half_width: EVENT,
            top: EVENT,
            bottom: EVENT,
            caption: caption(name, Anchor::Below(EVENT + 6)),
            ..Form::default()
        },
    }
}

/// A question stands above its gateway, or on a side where no line leaves.
fn question(scope: &Scope, chains: &Chains, gateway: ElementIndex) -> Option<Caption> {
    let sides: Vec<Side> = exits(scope, chains, gateway).map(|(_, child)| chains.list[child].side).collect();
    let (above, below) = (sides.contains(&Side::Above), sides.contains(&Side::Below));
    let anchor = match (above, below) {
        (false, _) => Anchor::Above(30),
        (true, false) => Anchor::Below(30),
        (true, true) => Anchor::AboveLeft(10, 46),
    };
    caption(&scope.elements[gateway].name, anchor)
}

/// The chains that leave this element, with the link that leads there.
fn exits<'a>(
    scope: &'a Scope,
    chains: &'a Chains,
    element: ElementIndex,
) -> impl Iterator<Item = (LinkIndex, ChainIndex)> + 'a {
    let here = chains.place[element];
    let children = here.map_or(&[][..], |(chain, _)| &chains.children[chain]);
    children.iter().filter_map(move |&child| {
        let entry = chains.list[child].entry?;
        (chains.list[child].parent == here && scope.origin(&scope.links[entry]) == element)
            .then_some((entry, child))
    })
}

fn activity(scope: &Scope, chains: &Chains, task: ElementIndex, inside: Option<&Inside>) -> Form {
    let mut events: Vec<(EventKey, ElementIndex, Option<i32>)> = scope
        .boundaries(task)
        .map(|event| {
            let child = exits(scope, chains, task).find(|(link, _)| scope.links[*link].from == event);
            match child {
                Some((_, child)) => {
                    (event_key(scope, chains, child), event, glued_end_width(scope, chains, child))
                }
                None => (EventKey::COMPENSATION, event, None),
            }
        })
        .collect();
    events.sort();
    // From right to left: what stands between two events is the caption of the right one.
    let mut x = 0;
    let mut placed = Vec::new();
    for (index, (key, event, _)) in events.iter().enumerate().rev() {
        if let Some((_, right, end_width)) = events.get(index + 1) {
            let right_caption = event_caption(scope, *right).map_or(0, |c| c.area.right - c.area.left + 30);
            let beside_end = end_width.map_or(0, |width| width / 2 + 14);
            x -= EVENT_PITCH.max(right_caption).max(beside_end);
        }
        let caption = if *key == EventKey::COMPENSATION {
            caption(&scope.elements[*event].name, Anchor::Right(6, EVENT + 4))
        } else {
            event_caption(scope, *event)
        };
        placed.push((*event, x, caption));
    }
    placed.reverse();
    let way_back = leaves_back_below(scope, chains, task).then(|| {
        let caption = events.first().and_then(|(_, event, _)| event_caption(scope, *event));
        x -=
            caption.map_or(0, |caption| caption.area.right - caption.area.left + 18).max(EVENT_PITCH - EVENT);
        x
    });
    let has_handler = events.last().is_some_and(|(key, ..)| *key == EventKey::COMPENSATION);
    let right_inset = if has_handler { EVENT_INSET } else { EVENT_INSET + 4 };
    let element = &scope.elements[task];
    let size = inside
        .map_or_else(|| Size::of_task(element), |inside| Size::around(element, inside, !events.is_empty()));
    let mut half_width = ((2 * EVENT_INSET - x).max(size.width) + 1) / 2;
    let marker = insides::marker(element);
    if marker > 0 && !events.is_empty() {
        // The symbols in the middle of the bottom stay clear of the leftmost event.
        half_width = half_width.max(right_inset - x + marker + EVENT);
    }
    let shift = half_width - right_inset;
    let mut form = Form {
        half_width,
        top: size.top,
        bottom: size.bottom,
        caption: match inside {
            Some(_) => insides::title(&element.name, half_width, size.top),
            None => inscription(&element.name, half_width),
        },
        way_back: way_back.map(|x| x + shift),
        events: placed.into_iter().map(|(event, x, caption)| (event, x + shift, caption)).collect(),
        ..Form::default()
    };
    let in_the_way = inside.is_none() && events.is_empty() && marker == 0;
    if let Some(caption) = form.caption.as_mut().filter(|caption| in_the_way && caption.lines.len() > 2) {
        // Out of the way of the symbol in the corner; with events on the border there is no room for that.
        caption.area = caption.area.moved(0, 6);
    }
    for (_, dx, caption) in &mut form.events {
        if let Some(caption) = caption {
            caption.area = caption.area.moved(*dx, form.bottom);
        }
    }
    if has_handler {
        let (event, dx) = (form.events[form.events.len() - 1].0, form.events[form.events.len() - 1].1);
        attach_handler(scope, &mut form, event, dx);
    }
    form
}

/// Whether the way back to a loop's head has to leave left of the boundary events, because from the right border
/// it would cross a line that leaves the loop.
fn leaves_back_below(scope: &Scope, chains: &Chains, task: ElementIndex) -> bool {
    let leaves_loop = |child: ChainIndex| {
        let family = chains.family(child);
        let outside = |landing: Landing| !family.contains(&landing.chain);
        family.iter().any(|&member| matches!(chains.list[member].reach, Reach::Forward(l) if outside(l)))
    };
    let (mut back, mut out) = (false, false);
    for (link, child) in exits(scope, chains, task) {
        if scope.links[link].from == task {
            back =
                matches!(chains.list[child].reach, Reach::Back(_)) && chains.list[child].side == Side::Below;
        } else {
            out |= leaves_loop(child);
        }
    }
    back && out
}

fn attach_handler(scope: &Scope, form: &mut Form, event: ElementIndex, event_dx: i32) {
    let link = scope.links.iter().find(|link| link.from == event);
    let Some(handler) = link.map(|link| link.to) else { return };
    let half_width = width_for(&scope.elements[handler].name) / 2;
    let dx = event_dx + HANDLER_OFFSET + half_width;
    form.handler = Some(Handler { element: handler, dx, half_width });
    form.handler_caption = inscription(&scope.elements[handler].name, half_width).map(|mut caption| {
        caption.area = caption.area.moved(dx, ROW);
        caption
    });
}

/// Orders the boundary events of a task so that no two of their lines cross: what loops back leaves on the left,
/// then ways that end on their own, then what comes back to the line, then lone ends straight below, and at the
/// right what is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EventKey(u8, i64, i64, usize);

impl EventKey {
    const COMPENSATION: EventKey = EventKey(9, 0, 0, 0);
}

fn event_key(scope: &Scope, chains: &Chains, child: ChainIndex) -> EventKey {
    if let Reach::Joins(sibling) = chains.list[child].reach {
        return EventKey { 3: child, ..event_key(scope, chains, sibling) };
    }
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let family = chains.family(child);
    // The right one of two chains hangs closer, so the longer one leaves further left.
    let length = -signed(family.iter().map(|&chain| chains.list[chain].nodes.len()).sum());
    let (mut returns, mut lands) = (None, None);
    for &member in &family {
        match chains.list[member].reach {
            Reach::Back(landing) if !family.contains(&landing.chain) => {
                returns = returns.max(Some((signed(landing.chain), signed(landing.at))));
            }
            Reach::Forward(landing) if !family.contains(&landing.chain) => {
                lands = lands.max(Some((-signed(landing.chain), signed(landing.at))));
            }
            _ => {}
        }
    }
    let (class, outer, inner) = match (returns, lands) {
        (Some((chain, at)), _) => (0, chain, -at),
        (None, Some((chain, at))) => (3, -chain, -at),
        (None, None) if chains.list[child].reach == Reach::Across => (2, 0, 0),
        (None, None) if is_glued(scope, chains, child) => (4, 0, 0),
        (None, None) => (1, 0, 0),
    };
    EventKey(class, outer * 10_000 + inner, length, child)
}

/// A lone end hangs straight below the event that leads to it.
pub(super) fn is_glued(scope: &Scope, chains: &Chains, child: ChainIndex) -> bool {
    let chain = &chains.list[child];
    let ([end], Some(entry), Some((parent, _))) = (&chain.nodes[..], chain.entry, chain.parent) else {
        return false;
    };
    let from = scope.links[entry].from;
    let same_port = chains.children[parent].iter().filter(|&&other| {
        chains.list[other].side == Side::Below
            && chains.list[other].entry.is_some_and(|entry| scope.links[entry].from == from)
    });
    let joined = chains.list.iter().any(|other| other.reach == Reach::Joins(child));
    matches!(scope.elements[*end].kind, ElementKind::EndEvent { .. }) && same_port.count() == 1 && !joined
}

fn glued_end_width(scope: &Scope, chains: &Chains, child: ChainIndex) -> Option<i32> {
    is_glued(scope, chains, child).then(|| {
        let end = chains.list[child].nodes[0];
        caption(&scope.elements[end].name, Anchor::Below(0)).map_or(36, |c| c.area.right - c.area.left)
    })
}

fn event_caption(scope: &Scope, event: ElementIndex) -> Option<Caption> {
    match scope.elements[event].kind {
        ElementKind::Boundary { trigger: Trigger::Compensation, .. } => None,
        _ => caption(&scope.elements[event].name, Anchor::Left(6, EVENT + 4)),
    }
}

/// How a caption stands to the point it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    /// Centred, its top this far below.
    Below(i32),
    /// Centred, its bottom this far above.
    Above(i32),
    /// Right-aligned, ending this far to the left and this far above.
    AboveLeft(i32, i32),
    /// Beginning this far to the right and this far above.
    AboveRight(i32, i32),
    /// Ending this far to the left, its top this far below.
    Left(i32, i32),
    /// Beginning this far to the right, its top this far below.
    Right(i32, i32),
}

/// The wrapped name beside the point (0, 0); nothing when there is no name.
pub(super) fn caption(name: &str, anchor: Anchor) -> Option<Caption> {
    let lines = text::wrap(name, LABEL_FONT, CAPTION_WIDTH, CAPTION_LINES);
    let width = lines.iter().map(|line| text::width(line, LABEL_FONT)).max()? + 2;
    let width = width + width % 2;
    let height = LINE_HEIGHT * i32::try_from(lines.len()).unwrap_or(1);
    let (left, top) = match anchor {
        Anchor::Below(dy) => (-width / 2, dy),
        Anchor::Above(dy) => (-width / 2, -dy - height),
        Anchor::AboveLeft(dx, dy) => (-dx - width, -dy - height),
        Anchor::AboveRight(dx, dy) => (dx, -dy - height),
        Anchor::Left(dx, dy) => (-dx - width, dy),
        Anchor::Right(dx, dy) => (dx, dy),
    };
    Some(Caption { lines, area: Area { left, right: left + width, top, bottom: top + height } })
}

/// The narrowest task that holds the name without cutting it; long ones are cut in the widest.
pub(super) fn width_for(name: &str) -> i32 {
    let fits = |width: &i32| text::wrap(name, TASK_FONT, width - 12, usize::MAX).len() <= TASK_LINES;
    [100, 120, 140, 160].into_iter().find(fits).unwrap_or(160)
}

/// The wrapped name in the middle of a task.
fn inscription(name: &str, half_width: i32) -> Option<Caption> {
    let lines = text::wrap(name, TASK_FONT, 2 * half_width - 12, TASK_LINES);
    let half = LINE_HEIGHT * i32::try_from(lines.len()).unwrap_or(1) / 2;
    (!lines.is_empty()).then(|| Caption { lines, area: Area::around(0, 0, half_width - 5, half) })
}
