"""Looks for deadlocks, work that is never done, and tokens that meet, with `rust_bpmn_analyzer`, which tries all states.

That analyzer knows start and end events, tasks, exclusive and parallel gateways; it knows no sub-process, no event on a
border, no event that comes from outside of the model, and no end that ends more than its own token. So each scope is
judged by itself, and written again in its words:

- What stands in a sub-process is a scope of its own; around it, the sub-process is one task.
- An activity with error or timer events on its border is followed by a question: it is left on one of these ways.
- What is waited for comes some time: a catch event is a task, and an event-based gateway is a question like others.
- Compensation takes no token of the flow: its events on borders and the tasks that undo are left out.
- An end that ends the whole scope (error, terminate) lets no token wait, so that nothing is stuck behind it. Ways that
  lead there and nowhere else are left out; of terminate ends, which the frame of a race has, only one can be come to,
  whatever else is under way, so that they are plain ends.

Knows the analyzer and the file; what is found is told by ids, and what to do about it is not decided here.
"""

import rust_bpmn_analyzer_bindings as analyzer
from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"

PROPERTIES = {
    "deadlock": analyzer.analyze_option_to_complete,
    "never done": analyzer.analyze_dead_activities,
    "tokens meet": analyzer.analyze_safeness,
    "ends more than once": analyzer.analyze_proper_completion,
}

BROKEN = """<bpmn:process xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="p">
<bpmn:startEvent id="begin"/><bpmn:exclusiveGateway id="which"/><bpmn:task id="one"/><bpmn:task id="other"/>
<bpmn:parallelGateway id="both"/><bpmn:endEvent id="done"/>
<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="which"/>
<bpmn:sequenceFlow id="f2" sourceRef="which" targetRef="one"/>
<bpmn:sequenceFlow id="f3" sourceRef="which" targetRef="other"/>
<bpmn:sequenceFlow id="f4" sourceRef="one" targetRef="both"/>
<bpmn:sequenceFlow id="f5" sourceRef="other" targetRef="both"/>
<bpmn:sequenceFlow id="f6" sourceRef="both" targetRef="done"/></bpmn:process>"""
"""A question whose two ways are waited for together: whoever does not find this deadlock judges nothing."""


def is_awake() -> bool:
    """Whether the analyzer finds what is wrong with a model that cannot end."""
    return any(finding.startswith("deadlock") for finding in findings_in(etree.fromstring(BROKEN)))


def findings(document) -> list[str]:
    """Everything that is wrong with the scopes of one file."""
    scopes = [*document.iter(f"{BPMN}process"), *document.iter(f"{BPMN}subProcess")]
    return [finding for scope in scopes for finding in findings_in(scope)]


def findings_in(scope) -> list[str]:
    """Everything that is wrong with one scope."""
    nodes, flows = flattened(scope)
    nodes, flows = without_aborts(nodes, flows)
    if not any(tag == "startEvent" for tag in nodes.values()):
        return []  # Every way ends the scope with an error: there is nothing to be stuck in.
    text = written(nodes, flows)
    found = []
    for name, analyze in PROPERTIES.items():
        result = analyze(text)
        if not result.fulfilled:
            found.append(" ".join([f"{name} in {scope.get('id')}:", *sorted(result.problematic_elements)]))
    return found


def flattened(scope) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The nodes of a scope by id, and its flows: a question behind each activity that is left in several ways."""
    nodes: dict[str, str] = {}
    exits: dict[str, str] = {}
    for node in scope:
        tag = etree.QName(node).localname if isinstance(node.tag, str) else ""
        kind = kind_of(node, tag)
        if kind is not None:
            nodes[node.get("id")] = kind
    for event in scope.findall(f"{BPMN}boundaryEvent"):
        if event.find(f"{BPMN}compensateEventDefinition") is None:
            host = event.get("attachedToRef")
            exits[event.get("id")] = exits[host] = f"{host}_is_left"
    flows = [(flow.get("sourceRef"), flow.get("targetRef")) for flow in scope.findall(f"{BPMN}sequenceFlow")]
    flows = [(exits.get(source, source), target) for source, target in flows]
    for host, question in exits.items():
        nodes[question] = "exclusiveGateway"
        if host in nodes:
            flows.append((host, question))
    return nodes, flows


def kind_of(node, tag: str) -> str | None:
    """The same in words that the analyzer knows; none for what takes no token."""
    if tag.endswith("Task") or tag in ("subProcess", "callActivity"):
        takes_no_token = "true" in (node.get("isForCompensation"), node.get("triggeredByEvent"))
        return None if takes_no_token else "task"
    if tag.startswith("intermediate"):
        return "task"
    if tag == "endEvent":
        return "abort" if node.find(f"{BPMN}errorEventDefinition") is not None else tag
    if tag == "eventBasedGateway":
        return "exclusiveGateway"
    return tag if tag in ("startEvent", "exclusiveGateway", "parallelGateway") else None


def without_aborts(nodes: dict[str, str], flows: list[tuple[str, str]]):
    """Leaves out the ends that end the whole scope, and the ways that lead nowhere else."""
    gone = {node for node, kind in nodes.items() if kind == "abort"}
    while True:
        left = {source for source, target in flows if target not in gone}
        more = {source for source, target in flows if target in gone} - left - gone
        if not more:
            break
        gone |= more
    kept = {node: kind for node, kind in nodes.items() if node not in gone}
    return kept, [(source, target) for source, target in flows if source in kept and target in kept]


def written(nodes: dict[str, str], flows: list[tuple[str, str]]) -> str:
    """The file that the analyzer reads."""
    root = etree.Element(f"{BPMN}definitions", {"id": "definitions"}, {"bpmn": BPMN[1:-1]})
    process = etree.SubElement(root, f"{BPMN}process", {"id": "process"})
    for node, kind in nodes.items():
        # The analyzer does not see elements that are closed where they are opened.
        etree.SubElement(process, f"{BPMN}{kind}", {"id": node, "name": node}).text = ""
    for number, (source, target) in enumerate(flows):
        ends = {"id": f"flow_{number}", "sourceRef": source, "targetRef": target}
        etree.SubElement(process, f"{BPMN}sequenceFlow", ends)
    return etree.tostring(root, encoding="unicode")
