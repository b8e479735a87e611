"""Scenarios that the test kit has found, and how they are followed in another engine: what the engine waits for is
compared with what the run waited for, after everything that happened.

Knows diagrams and scenarios, and of an engine only what `Engine` says.
"""

import json
import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
FACTS = "{urn:workflow-rs:facts:1}"
ACTIVITIES = {"serviceTask", "userTask", "businessRuleTask", "callActivity"}

Key = tuple[str, tuple[int, ...]]
"""An element that somebody works on or waits for, and which of many it is, one number for each repetition around it."""


class Difference(Exception):
    """The engine did something else than the run."""


class Limit(Exception):
    """The engine cannot follow, for a reason that the list of its limits has."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass
class Element:
    """One flow node of a diagram."""

    id: str
    tag: str
    scope: str | None
    event: str | None = None
    code: str | None = None
    host: str | None = None
    message: str | None = None
    instances: str | None = None
    is_handler: bool = False
    end: str | None = None
    answers: dict[str, str] = field(default_factory=dict)
    variable: str | None = None


class Diagram:
    """A BPMN file, as far as a scenario needs it."""

    def __init__(self, path: Path):
        self.path = path
        self.tree = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
        root = self.tree.getroot()
        codes = {error.get("id"): error.get("errorCode") for error in root.iter(f"{BPMN}error")}
        self.process = next(root.iter(f"{BPMN}process"))
        self.elements: dict[str, Element] = {}
        self.handlers: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.flows: list[tuple[str, str]] = []
        self._read(self.process, None, codes)
        for flow in root.iter(f"{BPMN}sequenceFlow"):
            self._read_flow(flow)
        for association in root.iter(f"{BPMN}association"):
            event = self.elements[association.get("sourceRef")]
            self.handlers[event.host] = association.get("targetRef")

    def _read(self, parent, scope: str | None, codes: dict[str, str]) -> None:
        for node in parent:
            tag = etree.QName(node).localname if isinstance(node.tag, str) else ""
            if node.get("id") is None or not re.search(r"(Event|Task|Gateway|subProcess|callActivity)$", tag):
                continue
            element = Element(node.get("id"), tag, scope, host=node.get("attachedToRef"))
            element.message = node.get("messageRef")
            element.is_handler = node.get("isForCompensation") == "true"
            for stands_for in node.iterfind(f"{BPMN}extensionElements/{FACTS}end"):
                element.end = stands_for.get("id")
            for part in node:
                name = etree.QName(part).localname if isinstance(part.tag, str) else ""
                if name.endswith("EventDefinition"):
                    element.event = name.removesuffix("EventDefinition")
                    element.code = codes.get(part.get("errorRef"))
                    element.message = part.get("messageRef")
                if name == "multiInstanceLoopCharacteristics":
                    element.instances = part.findtext(f"{BPMN}loopCardinality")
            self.elements[element.id] = element
            if tag == "subProcess":
                self._read(node, element.id, codes)

    def _read_flow(self, flow) -> None:
        source = self.elements[flow.get("sourceRef")]
        self.sources[flow.get("id")] = source.id
        self.flows.append((source.id, flow.get("targetRef")))
        condition = flow.findtext(f"{BPMN}conditionExpression")
        if condition is not None:
            source.variable, answer = condition.split(" == ", 1)
            source.answers[flow.get("id")] = json.loads(answer)
        elif source.tag == "exclusiveGateway":
            # Of a split this is the default flow: it is taken when the variable holds none of the other answers.
            source.answers[flow.get("id")] = flow.get("name") or ""

    def catches(self, host: str, code: str | None) -> Element | None:
        """The boundary event at which this error leaves: its own, else the one for all others."""
        events = [e for e in self.elements.values() if e.host == host and e.event == "error"]
        own = [e for e in events if e.code == code and code is not None]
        others = [e for e in events if e.code is None]
        return next(iter(own + others), None)

    def scopes(self, element: Element | None):
        """The sub-processes around an element, from the inside out."""
        while element is not None and element.scope is not None:
            yield element.scope
            element = self.elements[element.scope]

    def behind(self, element: Element):
        """What flows lead to from here, the boundary events of sub-processes left out."""
        seen, open_ = set(), [element.id]
        while open_:
            place = open_.pop()
            found = {target for source, target in self.flows if source == place} - seen
            seen |= found
            open_ += found
        return (self.elements[place] for place in seen)

    def is_deadline(self, element: Element) -> bool:
        """Whether this timer stands beside a message, behind the same gateway: it is no operation of its own."""
        waited = self.elements.get(element.id.removesuffix("_timeout"))
        return element.event == "timer" and waited is not None and waited is not element and bool(waited.message)

    def is_sent(self, element: Element) -> bool:
        """Whether a message leaves here: that happens at once, while the start of another workflow is waited for."""
        return element.tag in ("sendTask", "intermediateThrowEvent", "endEvent") and element.message is not None


FEWEST_WORKFLOWS = 30

ALL_KINDS = {
    "startEvent", "startEvent message", "startEvent timer", "serviceTask", "serviceTask many", "userTask",
    "businessRuleTask", "sendTask message", "sendTask", "receiveTask message", "callActivity", "subProcess",
    "subProcess many", "intermediateCatchEvent message", "intermediateCatchEvent timer",
    "intermediateThrowEvent message", "intermediateThrowEvent compensate", "exclusiveGateway", "parallelGateway",
    "eventBasedGateway", "boundaryEvent error", "boundaryEvent timer", "boundaryEvent compensate", "endEvent",
    "endEvent message", "endEvent error", "endEvent compensate", "endEvent terminate",
}  # fmt: skip


def coverage(diagrams: list[Diagram]) -> list[str]:
    """What is missing of all that the exporter draws."""
    kinds = set()
    for element in (element for diagram in diagrams for element in diagram.elements.values()):
        event = element.event or ("message" if element.message else "many" if element.instances else "")
        kinds.add(f"{element.tag} {event}".strip())
    missing = [f"no diagram has a {kind}" for kind in sorted(ALL_KINDS - kinds)]
    if len(diagrams) < FEWEST_WORKFLOWS:
        missing.append(f"there are {len(diagrams)} workflows, not {FEWEST_WORKFLOWS}")
    return missing


def limits_of(engine: str, met: set[str]) -> list[str]:
    """What is wrong with the list of limits: it names all that were met, and none that was not."""
    listed = json.loads((Path(__file__).parent / "limits.json").read_text())
    known = listed[engine].keys() | listed["of diagrams"].keys()
    unlisted, stale = sorted(met - known), sorted(known - met)
    return [f"limits.json does not say that {engine} has the limit {reason!r}" for reason in unlisted] + [
        f"limits.json lists {reason!r}, which nothing ran into with {engine}" for reason in stale
    ]


def key_of(op: str) -> Key:
    """`deliver#2.ship[3]` is `deliver.ship`, the fourth of many."""
    parts = op.removesuffix("/undo").split(".")
    names = ".".join(re.split(r"[#\[]", part)[0] for part in parts)
    return names, tuple(int(number) for number in re.findall(r"\[(\d+)\]", op))


def sets_of(folder: Path):
    """Each diagram of a folder with its different scenarios, of all tests."""
    for path in sorted(folder.glob("*.bpmn")):
        found: dict[str, dict] = {}
        for file in sorted(folder.glob(f"{path.stem}.*.json")):
            content = json.loads(file.read_text())
            if content["format"] != 1:
                raise SystemExit(f"{file}: not format 1")
            for scenario in content["scenarios"]:
                found.setdefault(json.dumps(scenario, sort_keys=True), scenario | {"test": content["test"]})
        yield Diagram(path), list(found.values())


class Answers:
    """What the engine is told when it asks: which way, how many."""

    def __init__(self, diagram: Diagram, scenario: dict, guesses: list[int]):
        self.diagram = diagram
        self.decisions: dict[Key, deque[str]] = defaultdict(deque)
        self.counts: dict[Key, deque[int]] = defaultdict(deque)
        self.guesses = guesses
        self.guessed: list[int] = []
        for call, flow in scenario["flows"]:
            element, numbers = key_of(call) if call else ("", ())
            flow = f"{element}.{flow}" if call else flow
            source = diagram.elements.get(diagram.sources.get(flow, ""))
            if source is not None and source.tag == "exclusiveGateway" and len(source.answers) > 1:
                self.decisions[(source.id, numbers)].append(source.answers[flow])
        self._count(scenario)

    def _count(self, scenario: dict) -> None:
        seen: dict[str, int] = {}
        for turn in scenario["turns"]:
            for op in turn.get("begun", []):
                for found in re.finditer(r"\[(\d+)\]", op.removesuffix("/undo")):
                    visit = op[: found.start()]
                    seen[visit] = max(seen.get(visit, 0), int(found[1]) + 1)
        for visit, count in seen.items():
            # A visit with an empty list leaves no trace but its number: `act#2` may be the first that is seen.
            number = re.fullmatch(r"[^.\[#]+#(\d+)", visit)
            known = self.counts[key_of(visit)]
            known.extend([0] * (int(number[1]) - 1 - len(known) if number else 0))
            known.append(count)

    def way(self, gateway: Element, numbers: tuple[int, ...]) -> str:
        """The answer to a gateway's question."""
        known = self.decisions[(gateway.id, numbers)]
        if known:
            return known.popleft()
        # A journal does not tell the way past what has no operation: it is found by trying.
        answers = list(gateway.answers.values())
        guess = self.guesses[len(self.guessed)] if len(self.guessed) < len(self.guesses) else 0
        self.guessed.append(len(answers))
        return answers[guess]

    def count(self, element: str, numbers: tuple[int, ...]) -> int:
        """How often an element is repeated."""
        known = self.counts[(element, numbers)]
        return known.popleft() if known else 0


def next_guesses(guesses: list[int], sizes: list[int]) -> list[int] | None:
    """The next combination of answers that were not known, or none when all were tried."""
    tried = (guesses + [0] * len(sizes))[: len(sizes)]
    for place in reversed(range(len(sizes))):
        if tried[place] + 1 < sizes[place]:
            return tried[:place] + [tried[place] + 1]
    return None


class Follower:
    """Leads an engine through one scenario, and compares."""

    def __init__(self, diagram: Diagram, scenario: dict, engine):
        self.diagram = diagram
        self.scenario = scenario
        self.engine = engine
        self.open: Counter[Key] = Counter()
        self.undoing: set[str] = set()
        self.gone: set[str] = set()
        self.failed: set[str] = set()
        self.late: set[Key] = set()
        self.limits: Counter[str] = Counter()
        self.activities = 0
        self.turn = 0
        self.unsettled: set[str] = set()
        self.unsent: Counter[Key] = Counter()

    def follow(self) -> None:
        """Raises a difference, or a limit that nothing can be compared behind."""
        for self.turn, turn in enumerate(self.scenario["turns"]):
            if turn["event"] in ("cancelled", "given_up"):
                raise Limit("ended from outside", turn["event"])
            self._happen(turn)
            sent = self._begin(turn)
            self._give_up()
            self._compare(turn, sent)
        self._compare_end()

    def _element(self, op: str) -> Element:
        element = self.diagram.elements.get(key_of(op)[0])
        if element is None:
            raise Limit("recursion", f"{op} is not drawn")
        return element

    def _happen(self, turn: dict) -> None:
        event, op = turn["event"], turn.get("op")
        self.unsettled.discard(op)
        if event == "started":
            self.engine.start()
        elif op is None or event == "other" or op in self.gone:
            return
        elif op.endswith("/undo"):
            if op in self.undoing:
                self.undoing.remove(op)
                self.engine.complete((self.diagram.handlers[key_of(op)[0]], key_of(op)[1]))
        elif self.diagram.is_sent(self._element(op)):
            return
        else:
            self._answer(event, op, turn.get("error"))
        self.engine.settle()

    def _answer(self, event: str, op: str, error) -> None:
        key, element = key_of(op), self._element(op)
        if self.open[key] == 0:
            raise Difference(f"{event} {op}, which had not begun")
        if self.unsettled and key not in self.engine.waiting():
            raise Limit("does not wait", f"{op} was interrupted before the undoing was over")
        self.open[key] -= 1
        if event == "fired" and element.message is not None:
            if element.instances is not None:
                return self.late.add((key[0], key[1][:-1]))
            return self.engine.time_out(key)
        if event == "fired" or event == "message":
            return self.engine.catch(key)
        if error is None:
            return self.engine.complete(key)
        self.failed.add(op)
        event = self.diagram.catches(element.id, error[1])
        if event is not None:
            return self.engine.fail(key, event, error[1])
        # Then the error is an ordinary value, which the flow looks at later.
        if element.id in self.diagram.handlers:
            self.limits["an error as a value"] += 1
        return self.engine.complete(key)

    def _begin(self, turn: dict) -> list[Key]:
        sent = []
        for op in turn.get("begun", []):
            if op.endswith("/undo"):
                self._begin_undoing(op)
            elif self.diagram.is_sent(self._element(op)):
                sent.append(key_of(op))
            else:
                self._element(op)
                self.open[key_of(op)] += 1
                self.activities += 1
        for op in turn.get("gone", []) + turn.get("stopped", []):
            if not self.diagram.is_sent(self._element(op)):
                self.open[key_of(op)] -= 1
            self.gone.add(op)
            self.late.discard((key_of(op)[0], key_of(op)[1][:-1]))
        self.unsettled.update(turn.get("stopped", []))
        return sent

    def _give_up(self) -> None:
        """Each of many has a deadline of its own, and the drawing one for all: it comes with the last of them."""
        for name, numbers in sorted(self.late):
            if not any(count and key[0] == name and key[1][:-1] == numbers for key, count in self.open.items()):
                self.late.remove((name, numbers))
                self.limits["a deadline for each"] += 1
                self.engine.time_out((name, numbers))
                self.engine.settle()

    def _begin_undoing(self, op: str) -> None:
        done = op.removesuffix("/undo")
        self.unsettled.add(op)
        if done in self.gone:
            self.limits["interrupted, then undone"] += 1
        elif done in self.failed:
            self.limits["undone though it failed"] += 1
        elif self._is_one_of_many_failed(done):
            self.limits["one of many failed"] += 1
        elif not self.engine.compensates:
            self.limits["compensation"] += 1
        else:
            name, numbers = key_of(op)
            self.engine.undo((self.diagram.handlers[name], numbers))
            self.undoing.add(op)
            self.activities += 1

    def _is_one_of_many_failed(self, op: str) -> bool:
        """Whether another call of the same repetition has failed: then the repeated activity has not completed."""
        visit = re.fullmatch(r"(.*)\[\d+\]", op)
        others = (re.fullmatch(r"(.*)\[\d+\]", failed) for failed in self.failed)
        return visit is not None and any(other and other[1] == visit[1] for other in others)

    def _compare(self, turn: dict, sent: list[Key]) -> None:
        said = f"after {turn['event']} {turn.get('op', '')}"
        self.unsent.subtract(Counter(sent))
        self.unsent.update(Counter(self.engine.take_sent()))
        waiting = Counter(self.engine.waiting())
        missing = +self.open - waiting
        # Calls that wait for others of their repetition to make room have begun for an engine.
        beyond = Counter({key: count for key, count in (waiting - +self.open).items() if not key[1]})
        if not any(self.unsent.values()) and not missing and not beyond:
            return
        # While a run undoes something, or waits for what it has interrupted, an engine that does neither is ahead.
        if self.unsettled:
            self.limits["does not wait"] += 1
        elif any(self.unsent.values()):
            raise Difference(f"{said} the engine sent {names(+self.unsent)}, the run {names(-self.unsent)}")
        else:
            raise Difference(f"{said} the engine waits for {names(waiting)}, the run for {names(+self.open)}")

    def _compare_end(self) -> None:
        if not self.engine.has_ended():
            raise Difference(f"the run has ended, the engine waits: {self.engine.explain()}")
        call, end = self.scenario["end"]
        wanted = f"{key_of(call)[0]}.{end}" if call else end
        # What is published at the end is drawn as the end.
        ends = [self.diagram.elements[end].end or end for end in self.engine.ends()]
        if wanted not in ends:
            raise Difference(f"the run came to the end {wanted}, the engine to {', '.join(ends) or 'none'}")


def names(keys) -> str:
    """For people."""
    found = [name + "".join(f"[{number}]" for number in numbers) for name, numbers in keys]
    return ", ".join(sorted(found)) or "nothing"
