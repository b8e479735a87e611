"""Follows the scenarios of the test kit in SpiffWorkflow: python spiff.py <folder>...

Exits with 1 when the engine did something else than a run, or can do what its list of limits says it cannot.
"""

import os
import re
import sys
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, full_tag
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.specs.defaults import ManualTask
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent, EventBasedGateway, SendTask
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from scenarios import (
    BPMN,
    Answers,
    Diagram,
    Difference,
    Element,
    Follower,
    Key,
    Limit,
    coverage,
    key_of,
    limits_of,
    next_guesses,
    sets_of,
)

ENGINE = "SpiffWorkflow"
MOST_GUESSES = 32


class Parser(BpmnParser):
    """Every activity is something that somebody outside does, and says when it is done."""

    OVERRIDE_PARSER_CLASSES = {
        full_tag(tag): (TaskParser, ManualTask)
        for tag in ("serviceTask", "userTask", "businessRuleTask", "callActivity")
    }


class Oracle(PythonScriptEngine):
    """Answers the engine's questions from the scenario."""

    def __init__(self, engine: "Spiff"):
        super().__init__()
        self.engine = engine
        self.asked: dict = {}

    def evaluate(self, task, expression, external_context=None):
        name = expression.split(" == ")[0]
        if name.startswith("instances_"):
            element, numbers = self.engine.key(task)
            return self.engine.answers.count(element, numbers)
        if name.startswith("decision_"):
            if task.id not in self.asked:
                element, numbers = self.engine.key(task)
                self.asked[task.id] = self.engine.answers.way(self.engine.diagram.elements[element], numbers)
            return eval(expression, {}, {name: self.asked[task.id]})
        # A timer: it fires when the scenario says so.
        return "P999D" if self.engine.is_duration(expression) else "9999-01-01T00:00:00+00:00"


class Spec:
    """A diagram as the engine reads it, without what it cannot read."""

    def __init__(self, diagram: Diagram):
        self.diagram = diagram
        self.limits: Counter[str] = Counter()
        self.durations = {
            node.text for node in diagram.tree.getroot().iter(f"{BPMN}timeDuration")
        }
        self._take_cron_out()
        try:
            self.spec, self.subprocesses = self._parse(diagram.tree)
        except ValidationException as refused:
            if "compensateEventDefinition" not in str(refused):
                raise
            self.limits["compensation"] += 1
            self.spec, self.subprocesses = self._parse(without_compensation(diagram))

    def _take_cron_out(self) -> None:
        """A schedule that the engine cannot read becomes a plain start."""
        for cycle in list(self.diagram.tree.getroot().iter(f"{BPMN}timeCycle")):
            try:
                TimerEventDefinition.parse_iso_recurring_interval(cycle.text)
            except (ValueError, IndexError, AttributeError):
                self.limits["cron"] += 1
                cycle.getparent().getparent().remove(cycle.getparent())

    def _parse(self, tree):
        parser = Parser()
        parser.add_bpmn_xml(tree, filename=self.diagram.path.name)
        name = self.diagram.process.get("id")
        specs = parser.get_spec(name), parser.get_subprocess_specs(name)
        for spec in [specs[0], *specs[1].values()]:
            for task in spec.task_specs.values():
                # A start that is waited for: the engine would go on at once.
                if isinstance(task, SendTask) and isinstance(task.event_definition, NoneEventDefinition):
                    task.manual = True
        return specs


def without_compensation(diagram: Diagram):
    """Compensation events on borders and their handlers are left out; what throws stays."""
    tree = etree.ElementTree(etree.fromstring(etree.tostring(diagram.tree)))
    dropped = {e.id for e in diagram.elements.values() if e.host and e.event == "compensate"}
    dropped |= {e.id for e in diagram.elements.values() if e.is_handler}
    for node in list(tree.getroot().iter()):
        refers = node.get("sourceRef") in dropped if node.tag == f"{BPMN}association" else False
        if node.get("id") in dropped or refers:
            node.getparent().remove(node)
        elif node.get("bpmnElement") in dropped or (node.get("bpmnElement") or "").startswith("association_"):
            node.getparent().remove(node)
    return tree


class Spiff:
    """One run in the engine."""

    compensates = False

    def __init__(self, spec: Spec, answers: Answers):
        self.spec = spec
        self.diagram = spec.diagram
        self.answers = answers
        self.sent: list[Key] = []
        self.ended: list[str] = []
        self.workflow: BpmnWorkflow | None = None

    def is_duration(self, expression: str) -> bool:
        return expression in self.spec.durations

    def key(self, task) -> Key:
        """The element of a task, and which of many it is."""
        numbers = []
        spec = task.task_spec
        element = spec.bpmn_id or spec.name.removesuffix(" [child]")
        while task is not None:
            # Of those that come one after the other, the engine keeps the number under another name.
            index = task.internal_data.get("key_or_index", task.internal_data.get("item"))
            if index is not None:
                numbers.insert(0, index)
            workflow = task.workflow
            parent = workflow.parent_task_id
            task = None if parent is None else workflow.top_workflow.get_task_from_id(parent)
        return element.removesuffix(" [child]"), tuple(numbers)

    def start(self) -> None:
        self.workflow = BpmnWorkflow(self.spec.spec, self.spec.subprocesses, script_engine=Oracle(self))
        self.settle()
        for task in self.workflow.get_tasks(state=TaskState.WAITING):
            if self.diagram.elements.get(self.key(task)[0], Element("", "", None)).tag == "startEvent":
                self._fire(task)
                self.settle()

    def settle(self) -> None:
        """Lets the engine do all that it does by itself."""
        moves = True
        while moves:
            moves = False
            for task in self.workflow.get_tasks(state=TaskState.READY):
                if task.state != TaskState.READY or task.task_spec.manual:
                    continue
                task.run()
                moves = True
                self._note(task)
            if not moves:
                # Sub-processes that have ended wait to be looked at.
                for task in self.workflow.get_tasks(state=TaskState.STARTED):
                    if task.id in self.workflow.subprocesses and task.state == TaskState.STARTED:
                        task.task_spec._update(task)
                        moves = moves or task.state == TaskState.READY

    def _note(self, task) -> None:
        element = self.diagram.elements.get(self.key(task)[0])
        if element is None:
            return
        if self.diagram.is_sent(element):
            self.sent.append(self.key(task))
        if element.tag == "endEvent":
            self.ended.append(element.id)

    def take_sent(self) -> list[Key]:
        sent, self.sent = self.sent, []
        return sent

    def _tasks(self):
        """What the engine waits for, with the event where it waits for several."""
        for task in self.workflow.get_tasks(state=TaskState.READY | TaskState.WAITING):
            spec = task.task_spec
            if isinstance(spec, EventBasedGateway):
                if task.state == TaskState.WAITING:
                    for place, output in enumerate(spec.outputs):
                        yield (output.bpmn_id, self.key(task)[1]), task, spec.event_definition.event_definitions[place]
            elif isinstance(spec, CatchingEvent) and not isinstance(spec, BoundaryEvent):
                if task.state == TaskState.WAITING:
                    yield self.key(task), task, spec.event_definition
            elif spec.manual and task.state == TaskState.READY:
                yield self.key(task), task, None

    def waiting(self) -> list[Key]:
        elements = self.diagram.elements
        return [key for key, _, _ in self._tasks() if not self.diagram.is_deadline(elements[key[0]])]

    def _find(self, wanted: Key):
        for key, task, event in self._tasks():
            if key == wanted:
                return task, event
        raise Difference(f"the engine does not wait for {wanted[0]}")

    def _fire(self, task, event=None) -> None:
        event = event or task.task_spec.event_definition
        task.task_spec.catch(task, BpmnEvent(event))
        task.task_spec._update(task)

    def complete(self, key: Key) -> None:
        self._find(key)[0].run()

    def catch(self, key: Key) -> None:
        task, event = self._find(key)
        self._fire(task, event)

    def time_out(self, key: Key) -> None:
        name, numbers = key
        for found, task, event in self._tasks():
            if found == (f"{name}_timeout", numbers):
                return self._fire(task, event)
        boundary = [e.id for e in self.diagram.elements.values() if e.host == name and e.event == "timer"]
        if not boundary:
            raise Difference(f"nothing is drawn for the deadline of {name}")
        return self._fire(self._boundary(boundary[0], numbers))

    def _boundary(self, name: str, numbers):
        for task in self.workflow.get_tasks(state=TaskState.WAITING):
            if isinstance(task.task_spec, BoundaryEvent) and task.task_spec.bpmn_id == name:
                if self.key(task)[1] == numbers[: len(self.key(task)[1])]:
                    return task
        raise Difference(f"the engine does not wait for {name}")

    def fail(self, key: Key, event: Element, _code: str) -> None:
        self._find(key)
        self._fire(self._boundary(event.id, key[1]))

    def has_ended(self) -> bool:
        return self.workflow.completed

    def ends(self) -> list[str]:
        return self.ended

    def explain(self) -> str:
        tasks = self.workflow.get_tasks(state=TaskState.NOT_FINISHED_MASK)
        return ", ".join(f"{task.task_spec.name} {TaskState.get_name(task.state)}" for task in tasks)


def explained(diagram: Diagram, scenario: dict, turn: int) -> str | None:
    """The limit of the engine that a scenario has run into by this turn. The reasons stand in limits.json."""
    joins = {
        element.id
        for element in diagram.elements.values()
        if any(e.tag == "parallelGateway" and e.scope == element.scope for e in diagram.behind(element))
    }
    awaited = {e.message for e in diagram.elements.values() if e.message and not diagram.is_sent(e)}
    hosts = {e.host for e in diagram.elements.values() if e.host and e.event == "error"}
    running: set[str] = set()
    for this in scenario["turns"][: turn + 1]:
        op = this.get("op", "")
        if re.search(r"#\d+$", op) and key_of(op)[0] in joins:
            return "a join in a loop"
        if "error" in this and op:
            around = set(diagram.scopes(diagram.elements.get(key_of(op)[0])))
            others = {key_of(other)[0] for other in running - {op}}
            beside = others.union(*(diagram.scopes(diagram.elements.get(other)) for other in others))
            if around & hosts and (beside - around) & hosts:
                return "an error beside others"
        begun = [diagram.elements.get(key_of(begun)[0]) for begun in this.get("begun", [])]
        if any(e is not None and diagram.is_sent(e) and e.message in awaited for e in begun):
            return "sends to itself"
        running -= {op, *this.get("gone", [])}
        running |= {begun for begun in this.get("begun", []) if not begun.endswith("/undo")}
    return None


def follow(spec: Spec, scenario: dict) -> Follower:
    """Follows one scenario; where a journal leaves open which way was gone, all are tried."""
    guesses: list[int] | None = []
    furthest: tuple[int, Exception] | None = None
    for _ in range(MOST_GUESSES):
        answers = Answers(spec.diagram, scenario, guesses)
        follower = Follower(spec.diagram, scenario, Spiff(spec, answers))
        try:
            follower.follow()
            return follower
        except Exception as error:
            if furthest is None or follower.turn > furthest[0]:
                furthest = follower.turn, error
            guesses = next_guesses(guesses, answers.guessed)
            if guesses is None:
                break
    furthest[1].turn = furthest[0]
    raise furthest[1]


def work(task: tuple[Path, int, int]) -> tuple[int, int, int, Counter[str], list[str]]:
    """Follows every `parts`-th scenario of one folder."""
    folder, part, parts = task
    warnings.simplefilter("ignore")
    paths = followed = activities = 0
    limits: Counter[str] = Counter()
    differences = []
    number = 0
    for diagram, scenarios in sets_of(folder):
        spec = Spec(diagram)
        for scenario in scenarios:
            number += 1
            if number % parts != part:
                continue
            paths += 1
            try:
                follower = follow(spec, scenario)
                followed += 1
                activities += follower.activities
                limits.update({*follower.limits, *spec.limits})
            except Limit as limit:
                limits[limit.reason] += 1
            except Exception as error:  # Whatever the engine raises is a difference.
                reason = explained(diagram, scenario, getattr(error, "turn", -1))
                if isinstance(error, Difference) and reason is not None:
                    limits[reason] += 1
                    continue
                differences.append(f"{diagram.path.stem} ({scenario['test']}): {type(error).__name__} {error}")
    return paths, followed, activities, limits, differences


def main(folders: list[str]) -> int:
    begun = time.monotonic()
    parts = min(4, os.cpu_count() or 1)
    tasks = [(Path(folder), part, parts) for folder in folders for part in range(parts)]
    with ProcessPoolExecutor(parts) as pool:
        found = list(pool.map(work, tasks))
    limits = sum((one[3] for one in found), Counter())
    differences = [difference for one in found for difference in one[4]]
    diagrams = [Diagram(path) for folder in folders for path in sorted(Path(folder).glob("*.bpmn"))]
    differences += coverage(diagrams) + limits_of(ENGINE, set(limits))
    paths, followed, activities = (sum(one[place] for one in found) for place in range(3))
    for difference in differences:
        print(difference)
    print(
        f"{ENGINE} {version(ENGINE)}: {len(diagrams)} workflows, {paths} paths, {followed} followed to their ends, "
        f"{activities} activities"
    )
    for reason, count in sorted(limits.items()):
        print(f"    {count} paths: {reason}")
    print(f"    {len(differences)} differences, {time.monotonic() - begun:.1f} s")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
