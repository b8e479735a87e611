// Scenarios that the test kit has found, and how they are followed in another engine: what the engine waits for is
// compared with what the run waited for, after everything that happened. The same as scenarios.py, for Node.
// Knows diagrams and scenarios, and nothing of the engine but the methods that it calls.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BpmnModdle } from "bpmn-moddle";

/** The engine did something else than the run. */
export class Difference extends Error {}

/** The engine cannot follow, for a reason that the list of its limits has. */
export class Limit extends Error {
  constructor(reason, detail = "") {
    super(`${reason}: ${detail}`);
    this.reason = reason;
  }
}

/** A BPMN file, as far as a scenario needs it. */
export class Diagram {
  constructor(path) {
    this.path = path;
    this.name = basename(path, ".bpmn");
    this.elements = new Map();
    this.handlers = new Map();
    this.sources = new Map();
    this.targets = new Map();
  }

  static async read(path) {
    const diagram = new Diagram(path);
    diagram.xml = readFileSync(path, "utf8");
    const { rootElement } = await new BpmnModdle().fromXML(diagram.xml);
    const process = rootElement.rootElements.find((element) => element.$type === "bpmn:Process");
    diagram.readScope(process, null);
    return diagram;
  }

  readScope(parent, scope) {
    for (const node of parent.flowElements ?? []) {
      if (node.$type === "bpmn:SequenceFlow") this.readFlow(node);
      else this.readNode(node, scope);
    }
    for (const node of parent.artifacts ?? []) {
      if (node.$type === "bpmn:Association") this.handlers.set(node.sourceRef.attachedToRef.id, node.targetRef.id);
    }
  }

  readNode(node, scope) {
    const definition = node.eventDefinitions?.[0];
    this.elements.set(node.id, {
      id: node.id,
      type: node.$type.replace("bpmn:", ""),
      scope,
      event: definition?.$type.replace(/bpmn:|EventDefinition/g, ""),
      code: definition?.errorRef?.errorCode,
      host: node.attachedToRef?.id,
      message: (node.messageRef ?? definition?.messageRef)?.id,
      end: node.extensionElements?.values.find(({ $type }) => $type === "workflow:end")?.id,
      isHandler: node.isForCompensation === true,
      instances: node.loopCharacteristics?.loopCardinality?.body,
      answers: this.elements.get(node.id)?.answers ?? new Map(),
    });
    if (node.$type === "bpmn:SubProcess") this.readScope(node, node.id);
  }

  readFlow(node) {
    const source = node.sourceRef;
    this.sources.set(node.id, source.id);
    this.targets.set(node.id, node.targetRef.id);
    if (!this.elements.has(source.id)) this.elements.set(source.id, { answers: new Map() });
    if (source.$type !== "bpmn:ExclusiveGateway") return;
    const body = node.conditionExpression?.body;
    // Of a split, a flow without a condition is the default: taken when the variable holds none of the others.
    const answer = body ? JSON.parse(body.slice(body.indexOf(" == ") + 4)) : (node.name ?? "");
    this.elements.get(source.id).answers.set(node.id, answer);
  }

  /** The boundary event at which this error leaves: its own, else the one for all others. */
  catches(host, code) {
    const events = [...this.elements.values()].filter((e) => e.host === host && e.event === "Error");
    return events.find((e) => e.code !== undefined && e.code === code) ?? events.find((e) => e.code === undefined);
  }

  /** The sub-processes around an element, from the inside out. */
  *scopes(element) {
    for (let scope = element.scope; scope; scope = this.elements.get(scope).scope) yield scope;
  }

  /** Whether this timer stands beside a message, behind the same gateway: it is no operation of its own. */
  isDeadline(element) {
    const waited = this.elements.get(element.id.replace(/_timeout$/, ""));
    return element.event === "Timer" && waited !== element && Boolean(waited?.message);
  }
}

/** What is wrong with the list of limits: it names all that were met, and none that was not. */
export function limitsOf(engine, met) {
  const listed = JSON.parse(readFileSync(new URL("limits.json", import.meta.url), "utf8"));
  const known = [...Object.keys(listed["of diagrams"]), ...Object.keys(listed[engine])];
  const unlisted = [...met].filter((reason) => !known.includes(reason));
  const stale = known.filter((reason) => !met.has(reason));
  return [
    ...unlisted.map((reason) => `limits.json does not say that ${engine} has the limit "${reason}"`),
    ...stale.map((reason) => `limits.json lists "${reason}", which nothing ran into with ${engine}`),
  ];
}

/** `deliver#2.ship[3]` is `deliver.ship`, the fourth of many: `deliver.ship[3]`. */
export function keyOf(op) {
  const name = op.replace(/\/undo$/, "").split(".").map((part) => part.split(/[#[]/)[0]).join(".");
  return key(name, [...op.matchAll(/\[(\d+)\]/g)].map((found) => Number(found[1])));
}

export function key(name, numbers) {
  return name + numbers.map((number) => `[${number}]`).join("");
}

export const nameIn = (text) => text.split("[")[0];
export const numbersIn = (text) => text.slice(nameIn(text).length);

/** Each diagram of a folder with its different scenarios, of all tests. */
export async function* setsOf(folder) {
  const files = readdirSync(folder).sort();
  for (const file of files.filter((name) => name.endsWith(".bpmn"))) {
    const diagram = await Diagram.read(join(folder, file));
    const found = new Map();
    for (const part of files.filter((name) => name.startsWith(`${diagram.name}.`) && name.endsWith(".json"))) {
      const content = JSON.parse(readFileSync(join(folder, part), "utf8"));
      if (content.format !== 1) throw new Error(`${part}: not format 1`);
      for (const scenario of content.scenarios) {
        const text = JSON.stringify(scenario);
        if (!found.has(text)) found.set(text, { ...scenario, test: content.test });
      }
    }
    yield { diagram, scenarios: [...found.values()] };
  }
}

/** What the engine is told when it asks: which way, how many. */
export class Answers {
  constructor(diagram, scenario, guesses) {
    this.decisions = new Map();
    this.counts = new Map();
    this.guesses = guesses;
    this.guessed = [];
    for (const [call, flow] of scenario.flows) {
      const place = call ? keyOf(call) : "";
      const id = call ? `${nameIn(place)}.${flow}` : flow;
      const source = diagram.elements.get(diagram.sources.get(id));
      if (source?.type === "ExclusiveGateway" && source.answers.size > 1) {
        push(this.decisions, source.id + numbersIn(place), source.answers.get(id));
      }
    }
    const seen = new Map();
    for (const turn of scenario.turns) {
      for (const op of turn.begun ?? []) {
        for (const found of op.replace(/\/undo$/, "").matchAll(/\[(\d+)\]/g)) {
          const visit = op.slice(0, found.index);
          seen.set(visit, Math.max(seen.get(visit) ?? 0, Number(found[1]) + 1));
        }
      }
    }
    for (const [visit, count] of seen) {
      // A visit with an empty list leaves no trace but its number: `act#2` may be the first that is seen.
      const number = /^[^.[#]+#(\d+)$/.exec(visit);
      const known = this.counts.get(keyOf(visit))?.length ?? 0;
      const more = number ? Number(number[1]) - 1 - known : 0;
      for (let place = 0; place < more; place += 1) push(this.counts, keyOf(visit), 0);
      push(this.counts, keyOf(visit), count);
    }
  }

  /** The answer to a gateway's question. */
  way(gateway, numbers) {
    const known = this.decisions.get(key(gateway.id, numbers));
    if (known?.length) return known.shift();
    // A journal does not tell the way past what has no operation: it is found by trying.
    const answers = [...gateway.answers.values()];
    const guess = this.guesses[this.guessed.length] ?? 0;
    this.guessed.push(answers.length);
    return answers[guess];
  }

  /** How often an element is repeated. */
  count(element, numbers) {
    return this.counts.get(key(element, numbers))?.shift() ?? 0;
  }
}

function push(map, name, value) {
  if (!map.has(name)) map.set(name, []);
  map.get(name).push(value);
}

/** The next combination of answers that were not known, or none when all were tried. */
export function nextGuesses(guesses, sizes) {
  const tried = sizes.map((_, place) => guesses[place] ?? 0);
  for (let place = sizes.length - 1; place >= 0; place -= 1) {
    if (tried[place] + 1 < sizes[place]) return [...tried.slice(0, place), tried[place] + 1];
  }
  return null;
}

/** Leads an engine through one scenario, and compares. */
export class Follower {
  constructor(diagram, scenario, engine) {
    Object.assign(this, { diagram, scenario, engine });
    this.open = [];
    this.undoing = new Set();
    this.gone = new Set();
    this.failed = new Map();
    this.late = new Set();
    this.limits = [];
    this.activities = 0;
    this.turn = 0;
    this.unsettled = new Set();
    this.unsent = [];
    this.sentAhead = [];
  }

  /** Throws a difference, or a limit that nothing can be compared behind. */
  follow() {
    for (const turn of this.scenario.turns) {
      this.turn += 1;
      if (turn.event === "cancelled" || turn.event === "given_up") throw new Limit("ended from outside", turn.event);
      this.happen(turn);
      const sent = this.begin(turn);
      this.giveUp();
      this.compare(turn, sent);
    }
    this.compareEnd();
  }

  element(op) {
    const element = this.diagram.elements.get(nameIn(keyOf(op)));
    if (!element) throw new Limit("recursion", `${op} is not drawn`);
    return element;
  }

  happen({ event, op, error }) {
    this.unsettled.delete(op);
    if (event === "started") return this.engine.start();
    if (op === undefined || event === "other" || this.gone.has(op)) return;
    if (op.endsWith("/undo")) {
      if (this.undoing.delete(op)) this.engine.undone(this.handlerOf(op));
      return;
    }
    const element = this.element(op);
    if (isSent(element)) return;
    const name = keyOf(op);
    if (!remove(this.open, name)) throw new Difference(`${event} ${op}, which had not begun`);
    if (this.unsettled.size && !this.engine.waiting().includes(name)) {
      throw new Limit("does not wait", `${op} was interrupted before the undoing was over`);
    }
    if (event === "fired" && element.message) {
      if (element.instances) this.late.add(aroundOf(name));
      else this.engine.timeOut(name);
    }
    else if (event === "fired" || event === "message") this.engine.catch(name);
    else if (!error) this.engine.complete(name);
    else {
      const event = this.diagram.catches(element.id, error[1]);
      this.failed.set(op, event ? "undoes what failed" : "an error as a value");
      // Without one, the error is an ordinary value, which the flow looks at later.
      if (event) this.engine.fail(name, error[1], event);
      else this.engine.complete(name);
    }
  }

  handlerOf(op) {
    const name = keyOf(op);
    return this.diagram.handlers.get(nameIn(name)) + numbersIn(name);
  }

  begin(turn) {
    const sent = [];
    for (const op of turn.begun ?? []) {
      if (op.endsWith("/undo")) this.beginUndoing(op);
      else if (isSent(this.element(op))) sent.push(keyOf(op));
      else {
        this.open.push(keyOf(op));
        this.activities += 1;
      }
    }
    for (const op of [...(turn.gone ?? []), ...(turn.stopped ?? [])]) {
      remove(this.open, keyOf(op));
      this.gone.add(op);
      this.late.delete(aroundOf(keyOf(op)));
    }
    (turn.stopped ?? []).forEach((op) => this.unsettled.add(op));
    return sent;
  }

  /** Each of many has a deadline of its own, and the drawing one for all: it comes with the last of them. */
  giveUp() {
    for (const name of [...this.late].filter((late) => !this.open.some((open) => aroundOf(open) === late))) {
      this.late.delete(name);
      this.limits.push("a deadline for each");
      this.engine.timeOut(name);
    }
  }

  beginUndoing(op) {
    const done = op.replace(/\/undo$/, "");
    this.unsettled.add(op);
    if (this.gone.has(done)) this.limits.push("interrupted, then undone");
    else if (this.failed.has(done)) this.limits.push("undone though it failed");
    else if (this.isOneOfManyFailed(done)) this.limits.push("one of many failed");
    else if (this.engine.compensates(this.element(done))) {
      this.engine.undo(this.handlerOf(op));
      this.undoing.add(op);
      this.activities += 1;
    }
  }

  /** Whether another call of the same repetition has failed: then the repeated activity has not completed. */
  isOneOfManyFailed(op) {
    const visit = (name) => /^(.*)\[\d+\]$/.exec(name)?.[1];
    return visit(op) !== undefined && [...this.failed.keys()].some((failed) => visit(failed) === visit(op));
  }

  compare(turn, sent) {
    const said = `after ${turn.event} ${turn.op ?? ""}`;
    const unsent = without([...this.unsent, ...sent], [...this.sentAhead]);
    const wasSent = [...this.sentAhead, ...this.engine.takeSent()];
    this.sentAhead = without(wasSent, [...this.unsent, ...sent]);
    this.unsent = without([...this.unsent, ...sent], wasSent);
    const waiting = this.engine.waiting();
    const missing = without(this.open, waiting);
    // Calls that wait for others of their repetition to make room have begun for an engine.
    const beyond = without(waiting, this.open).filter((name) => !name.includes("["));
    const isSame = !this.sentAhead.length && !this.unsent.length;
    if (isSame && !missing.length && !beyond.length) return;
    // While a run undoes something, or waits for what it has interrupted, an engine that does neither is ahead.
    if (this.unsettled.size) this.limits.push("does not wait");
    else if (!isSame) throw new Difference(`${said} the engine sent ${text(wasSent)}, the run ${text(unsent)}`);
    else throw new Difference(`${said} the engine waits for ${text(waiting)}, the run for ${text(this.open)}`);
  }

  compareEnd() {
    // What undoes one of many may be there once, without a number.
    const failed = new Map([...this.failed].map(([op, why]) => [nameIn(this.handlerOf(op)), why]));
    for (const handler of this.engine.handlers()) {
      if (!failed.has(nameIn(handler))) throw new Difference(`the engine undoes ${handler}, the run does not`);
      this.limits.push(failed.get(nameIn(handler)));
      this.engine.undone(handler);
    }
    if (!this.engine.announcesEnd()) this.limits.push("the end is not announced");
    if (!this.engine.hasEnded()) throw new Difference(`the run has ended, the engine waits: ${this.engine.explain()}`);
    const [call, end] = this.scenario.end;
    const wanted = call ? `${nameIn(keyOf(call))}.${end}` : end;
    // What is published at the end is drawn as the end.
    const ends = this.engine.ends().map((end) => this.diagram.elements.get(end)?.end ?? end);
    if (!ends.includes(wanted)) {
      throw new Difference(`the run came to the end ${wanted}, the engine to ${text(ends)}`);
    }
  }
}

/** Whether a message leaves here: that happens at once. Whoever starts another workflow waits until it is there. */
export const isSent = (element) =>
  /SendTask|IntermediateThrowEvent|EndEvent/.test(element.type) && Boolean(element.message);
/** The repetition that one of many belongs to. */
const aroundOf = (name) => name.replace(/\[\d+\]$/, "");
const text = (names) => [...names].sort().join(", ") || "nothing";

function remove(list, item) {
  const place = list.indexOf(item);
  if (place >= 0) list.splice(place, 1);
  return place >= 0;
}

function without(list, others) {
  const left = [...others];
  return list.filter((item) => !remove(left, item));
}
