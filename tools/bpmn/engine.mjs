// Follows the scenarios of the test kit in npm's bpmn-engine: node engine.mjs <folder>...
// Exits with 1 when the engine did something else than a run, or can do what its list of limits says it cannot.

import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { BpmnModdle } from "bpmn-moddle";
import { ServiceTask, Timers } from "bpmn-elements";
import { Engine } from "bpmn-engine";
import { explained, questionsInBranches } from "./explanations.mjs";
import { Answers, Difference, Follower, Limit, isSent, key, keyOf } from "./scenarios.mjs";
import { limitsOf, nameIn, nextGuesses, numbersIn, setsOf } from "./scenarios.mjs";

const MOST_GUESSES = 32;
const ANY_OTHER = "any other";

/** One run in the engine. */
class Run {
  constructor({ diagram, context, named, computed, withoutUndo }, answers) {
    Object.assign(this, { diagram, named, computed, withoutUndo, answers });
    this.turn = 0;
    /** By limits that show while it runs: from which turn on they explain a difference. */
    this.since = new Map();
    this.fault = null;
    this.jobs = new Map();
    this.waits = new Map();
    this.sent = [];
    this.ended = [];
    this.asked = new Map();
    this.error = null;
    this.isOver = false;
    this.timers = new Timers({ setTimeout: () => ({}), clearTimeout: () => undefined });
    this.engine = new Engine({
      name: diagram.name,
      moddleContext: context,
      timers: this.timers,
      expressions: {
        resolveExpression: this.own((text, message) => this.resolve(text, message)),
        isExpression: () => false,
        hasExpression: () => false,
      },
      typeResolver: (types) => {
        for (const type of ["UserTask", "CallActivity"]) types[`bpmn:${type}`] = ServiceTask;
      },
      extensions: { worker: this.own((activity) => this.employ(activity)) },
    });
  }

  /** What the engine calls here. A mistake in it is ours, whatever the engine makes of it. */
  own(callback) {
    return (...values) => {
      try {
        return callback(...values);
      } catch (error) {
        this.fault ??= error;
        throw error;
      }
    };
  }

  /** Calls the engine. What it throws is something that it does otherwise than a run. */
  tell(call) {
    try {
      return call();
    } catch (error) {
      if (this.fault) throw this.fault;
      throw new Difference(`the engine throws: ${error.message}`);
    }
  }

  compensates(element) {
    return !this.withoutUndo.has(element.id);
  }

  /** Which of many a message is about: one number for each repetition around it. */
  numbers(content) {
    const isOne = this.diagram.elements.get(content.id)?.instances && content.index !== undefined;
    const numbers = isOne ? [content.index] : [];
    // What has just begun knows its parent by the flow that led there, an event on a border by its host.
    const isKnown = (parent) => parent && [parent, ...(parent.path ?? [])].every((place) => place.executionId);
    const parent = isKnown(content.parent) ? content.parent : (content.inbound?.[0]?.parent ?? content.parent);
    for (const place of parent ? [parent, ...(parent.path ?? [])] : []) {
      const found = this.diagram.elements.get(place.id)?.instances && /_[0-9a-f]{10}_(\d+)$/.exec(place.executionId);
      if (found) numbers.unshift(Number(found[1]));
    }
    return numbers;
  }

  nameOf(content) {
    return key(content.id, this.numbers(content));
  }

  resolve(text, message) {
    const content = message?.content;
    if (typeof text !== "string" || !content) return text;
    if (text.startsWith("instances_")) return this.answers.count(content.id, this.numbers(content));
    if (text.startsWith("decision_")) {
      const visit = content.executionId;
      if (!this.asked.has(visit)) {
        const isInBranch = questionsInBranches(this.diagram).has(content.id);
        if (isInBranch && !this.since.has("a question in a branch")) {
          this.since.set("a question in a branch", this.follower.turn);
        }
        this.asked.set(visit, this.answers.way(this.diagram.elements.get(content.id), this.numbers(content)));
      }
      return this.asked.get(visit) === JSON.parse(text.slice(text.indexOf(" == ") + 4));
    }
    // What is computed while the workflow runs is Rust.
    return this.computed.get(text) ?? text;
  }

  /** What an activity does: somebody outside does it, and says when it is done. */
  employ(activity) {
    const element = this.diagram.elements.get(activity.id);
    if (!/Task$|CallActivity/.test(element?.type ?? "") || element.type === "ReceiveTask") return;
    const run = this;
    activity.behaviour.Service = function Service() {
      this.execute = run.own(({ content }, callback) => {
        const name = run.nameOf(content);
        this.executionId = content.executionId;
        if (isSent(element)) {
          run.sent.push(name);
          callback();
        } else {
          run.jobs.set(content.executionId, { name, callback, element, isHandler: element.isHandler });
        }
      });
      this.discard = this.stop = () => run.jobs.delete(this.executionId);
    };
  }

  listen() {
    const listener = new EventEmitter();
    const wait = this.own((api) => {
      const element = this.diagram.elements.get(api.id);
      if (!/CatchEvent|ReceiveTask|StartEvent/.test(element?.type ?? "")) return;
      this.waits.set(api.executionId, { name: this.nameOf(api.content), api, element });
    });
    listener.on("activity.wait", wait);
    listener.on("activity.timer", wait);
    for (const event of ["activity.end", "activity.discard", "activity.leave"]) {
      listener.on(event, this.own((api) => this.leave(event, api)));
    }
    return listener;
  }

  leave(event, api) {
    const { id, executionId } = api.content;
    for (const [waiting, { element }] of this.waits) {
      if (element.id === id && (waiting === executionId || waiting.startsWith(`${executionId}_`))) {
        this.waits.delete(waiting);
      }
    }
    const element = this.diagram.elements.get(id);
    // What a terminate event ends says nothing itself.
    if (element?.type === "SubProcess") this.leaveScope(id, this.nameOf(api.content));
    if (event !== "activity.end") return;
    if (element?.type === "EndEvent") this.ended.push(id);
    if (/ThrowEvent|EndEvent/.test(element?.type) && isSent(element)) {
      this.sent.push(this.nameOf(api.content));
    }
  }

  leaveScope(id, name) {
    for (const all of [this.jobs, this.waits]) {
      for (const [place, { element, name: inside, isHandler }] of all) {
        const scopes = [...this.diagram.scopes(element)];
        if (!isHandler && scopes.includes(id) && numbersIn(inside).startsWith(numbersIn(name))) all.delete(place);
      }
    }
  }

  async begin() {
    this.engine.on("error", (error) => (this.error = error));
    this.engine.once("end", () => (this.isOver = true));
    try {
      await this.engine.execute({ listener: this.listen() });
    } catch (error) {
      throw this.fault ?? new Difference(`the engine throws: ${error.message}`);
    }
  }

  start() {
    for (const wait of this.waits.values()) {
      if (wait.element.type === "StartEvent") this.signal(wait.api);
    }
  }

  signal(api) {
    this.tell(() => api.signal({ executionId: api.executionId }));
  }

  settle() {
    if (this.fault) throw this.fault;
    if (this.error) throw new Difference(`the engine says: ${this.error.message}`);
  }

  takeSent() {
    return this.sent.splice(0);
  }

  waiting() {
    this.settle();
    const jobs = [...this.jobs.values()].filter((job) => !job.isHandler).map((job) => job.name);
    const waits = [...this.waits.values()].filter((wait) => !this.diagram.isDeadline(wait.element));
    return [...jobs, ...waits.map((wait) => wait.name)];
  }

  job(name, isHandler) {
    for (const [place, job] of this.jobs) {
      if (job.name === name && job.isHandler === isHandler) return { place, job };
    }
    throw new Difference(`the engine does not wait for ${name}`);
  }

  finish(name, isHandler, ...result) {
    const { place, job } = this.job(name, isHandler);
    this.jobs.delete(place);
    this.tell(() => job.callback(...result));
  }

  complete(name) {
    this.finish(name, false, null);
  }

  fail(name, code, event) {
    const thrown = event.code === undefined && this.named.has(event.id) ? ANY_OTHER : code;
    this.finish(name, false, Object.assign(new Error(thrown), { code: thrown }));
  }

  catch(name) {
    for (const wait of this.waits.values()) {
      if (wait.name !== name) continue;
      if (wait.element.event === "Timer") return this.fire(name);
      return this.signal(wait.api);
    }
    throw new Difference(`the engine does not wait for ${name}`);
  }

  timeOut(name) {
    const of = nameIn(name);
    const boundary = [...this.diagram.elements.values()].find((e) => e.host === of && e.event === "Timer");
    const event = boundary?.id ?? `${of}_timeout`;
    if (!this.diagram.elements.has(event)) throw new Difference(`nothing is drawn for the deadline of ${of}`);
    this.fire(event + numbersIn(name));
  }

  fire(name) {
    const timer = this.timers.executing.find(({ owner }) => this.nameOf(owner) === name);
    if (!timer) throw new Difference(`the engine has set no timer for ${name}`);
    this.timers.clearTimeout(timer);
    this.tell(() => timer.callback(...timer.args));
  }

  undo(name) {
    this.job(name, true);
  }

  undone(name) {
    this.finish(name, true, null);
  }

  handlers() {
    return [...this.jobs.values()].filter((job) => job.isHandler).map((job) => job.name);
  }

  announcesEnd() {
    return this.isOver;
  }

  hasEnded() {
    return this.ended.length > 0 && this.jobs.size + this.waits.size === 0;
  }

  ends() {
    return this.ended;
  }

  explain() {
    const waiting = [...this.jobs.values(), ...this.waits.values()].map(({ name }) => name);
    return waiting.join(", ") || "for nothing";
  }
}

/** Follows one scenario; where a journal leaves open which way was gone, all are tried. */
async function follow(spec, scenario, mostGuesses = MOST_GUESSES) {
  const { diagram } = spec;
  let guesses = [];
  let furthest;
  for (let tries = 0; guesses && tries < mostGuesses; tries += 1) {
    const answers = new Answers(diagram, scenario, guesses);
    const run = new Run(spec, answers);
    const follower = (run.follower = new Follower(diagram, scenario, run));
    try {
      await run.begin();
      follower.follow();
      follower.limits.push(...spec.limits);
      return follower;
    } catch (error) {
      const cause = run.fault ?? error;
      if (!(cause instanceof Difference || cause instanceof Limit)) throw cause;
      if (!furthest || follower.turn > furthest.turn) furthest = { turn: follower.turn, error: cause, run };
      guesses = nextGuesses(guesses, answers.guessed);
    }
  }
  const { turn, error, run } = furthest;
  const reason = error instanceof Difference && explained(diagram, scenario, run, turn, error.message);
  const cause = reason ? new Limit(reason, error.message) : error;
  throw Object.assign(cause, { before: run.follower.limits });
}

/** The diagram without the compensation events on these activities, and without their handlers; what throws stays. */
async function withoutCompensation(xml, activities) {
  const moddle = new BpmnModdle();
  const { rootElement } = await moddle.fromXML(xml);
  const isLeft = (node) => !(isCompensation(node) && activities.has(node.attachedToRef?.id));
  const take = (scope) => {
    const gone = (scope.flowElements ?? []).filter((node) => !isLeft(node));
    const associations = (scope.artifacts ?? []).filter(({ sourceRef }) => gone.includes(sourceRef));
    const handlers = associations.map(({ targetRef }) => targetRef);
    scope.flowElements = (scope.flowElements ?? []).filter((node) => !gone.includes(node) && !handlers.includes(node));
    scope.artifacts = (scope.artifacts ?? []).filter((node) => !associations.includes(node));
    scope.flowElements.filter((node) => node.$type === "bpmn:SubProcess").forEach(take);
  };
  rootElement.diagrams = [];
  rootElement.rootElements.filter((element) => element.$type === "bpmn:Process").forEach(take);
  return (await moddle.toXML(rootElement)).xml;
}

const isCompensation = (node) => node.eventDefinitions?.[0]?.$type === "bpmn:CompensateEventDefinition";

/**
 * A diagram as the engine reads it. Where an activity has events for some errors and one for all others, the engine
 * lets both catch: the one for all others gets an error of its own, which is thrown in the place of others.
 */
async function specOf(diagram, xml, withoutUndo) {
  const moddle = new BpmnModdle();
  const limits = [];
  // A schedule that the engine cannot read becomes a plain start.
  const context = await moddle.fromXML(xml);
  for (const { id } of [...diagram.elements.values()].filter((e) => e.type === "StartEvent" && e.event === "Timer")) {
    delete context.elementsById[id].eventDefinitions;
    limits.push("cron");
  }
  const computed = new Map();
  for (const { eventDefinitions } of Object.values(context.elementsById)) {
    const { timeDate, timeDuration } = eventDefinitions?.[0] ?? {};
    if (timeDate && !/^\d{4}-/.test(timeDate.body)) computed.set(timeDate.body, "2999-01-01T00:00:00Z");
    if (timeDuration && !/^P/.test(timeDuration.body)) computed.set(timeDuration.body, "P1D");
  }
  const events = [...diagram.elements.values()].filter((element) => element.host && element.event === "Error");
  const others = events.filter((e) => e.code === undefined && events.some((o) => o.host === e.host && o.code));
  if (others.length) {
    const error = moddle.create("bpmn:Error", { id: "error_any_other", name: ANY_OTHER, errorCode: ANY_OTHER });
    error.$parent = context.rootElement;
    context.rootElement.rootElements.push(error);
    context.elementsById[error.id] = error;
    // An end whose error comes to such an event throws that one, too.
    const throwing = [...diagram.elements.values()].filter((e) => e.type === "EndEvent" && e.event === "Error");
    const unnamed = throwing.filter((end) => others.includes(catcherOf(diagram, end)));
    for (const { id } of [...others, ...unnamed]) {
      const definition = context.elementsById[id].eventDefinitions[0];
      definition.errorRef = error;
      context.references = context.references.filter(({ element }) => element !== definition);
      context.references.push({ element: definition, property: "bpmn:errorRef", id: error.id });
    }
  }
  const named = new Set(others.map(({ id }) => id));
  if (others.length) limits.push("all other errors");
  return { diagram, context, named, computed, withoutUndo, limits };
}

/** The event that catches what an end throws, on the border of the first sub-process around it that has one. */
function catcherOf(diagram, end) {
  for (const scope of diagram.scopes(end)) {
    const event = diagram.catches(scope, end.code);
    if (event) return event;
  }
  return undefined;
}

/** Follows every `parts`-th scenario. */
async function work(folders, part, parts) {
  const found = { workflows: 0, paths: 0, followed: 0, activities: 0, limits: [], differences: [] };
  let number = 0;
  for (const folder of folders) {
    for await (const { diagram, scenarios } of setsOf(folder)) {
      const own = scenarios.filter(() => number++ % parts === part);
      found.workflows += 1;
      found.paths += own.length;
      const engines = await enginesOf(diagram);
      for (const scenario of own) {
        try {
          const follower = await engines.follow(scenario);
          found.followed += 1;
          found.activities += follower.activities;
          found.limits.push(...new Set(follower.limits));
        } catch (error) {
          if (error instanceof Limit) {
            found.limits.push(...new Set([error.reason, ...error.before]));
          } else {
            const path = `${diagram.name} (${scenario.test})`;
            if (!(error instanceof Difference)) throw new Error(`${path}: ${error.stack}`);
            found.differences.push(`${path}: ${error.message}`);
          }
        }
      }
    }
  }
  return found;
}

/**
 * The engine with all of a diagram. Where something has completed in a sub-process that could be undone, it fails so
 * often that it is tried until two scenarios have shown that; the others go without what undoes it there.
 */
async function enginesOf(diagram) {
  const elements = [...diagram.elements.values()];
  const full = await specOf(diagram, diagram.xml, new Set());
  const deep = new Set(elements.filter((e) => e.event === "Compensate" && e.host && e.scope).map((e) => e.host));
  if (!deep.size) return { follow: (scenario) => follow(full, scenario) };
  const part = await specOf(diagram, await withoutCompensation(diagram.xml, deep), deep);
  const completesDeep = ({ turns }) =>
    turns.some(({ op, event, error }) => event === "done" && op && !error && deep.has(nameIn(keyOf(op))));
  let failures = 0;
  return {
    follow: async (scenario) => {
      if (!completesDeep(scenario)) return follow(full, scenario);
      if (failures < 2) {
        try {
          return await follow(full, scenario, 1);
        } catch (error) {
          if (!(error instanceof Difference || error instanceof Limit)) throw error;
          failures += 1;
        }
      }
      const follower = await follow(part, scenario);
      follower.limits.push("compensation in a sub-process");
      return follower;
    },
  };
}

async function main(folders) {
  const begun = Date.now();
  const parts = Math.min(4, availableParallelism());
  const workers = [...Array(parts).keys()].map((part) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { folders, part, parts } });
    return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  });
  const found = await Promise.all(workers);
  const sum = (of) => found.reduce((total, one) => total + of(one), 0);
  const differences = found.flatMap((one) => one.differences);
  const limits = new Map();
  found.flatMap((one) => one.limits).forEach((reason) => limits.set(reason, (limits.get(reason) ?? 0) + 1));
  const { version } = JSON.parse(readFileSync(new URL("node_modules/bpmn-engine/package.json", import.meta.url)));
  console.log(
    `bpmn-engine ${version}: ${found[0].workflows} workflows, ${sum((one) => one.paths)} paths, ` +
      `${sum((one) => one.followed)} followed to their ends, ${sum((one) => one.activities)} activities`,
  );
  differences.push(...limitsOf("bpmn-engine", new Set(limits.keys())));
  differences.forEach((difference) => console.log(difference));
  [...limits].sort().forEach(([reason, count]) => console.log(`    ${count} paths: ${reason}`));
  console.log(`    ${differences.length} differences, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return differences.length ? 1 : 0;
}

if (isMainThread) {
  process.exit(await main(process.argv.slice(2)));
} else {
  const { folders, part, parts } = workerData;
  parentPort.postMessage(await work(folders, part, parts));
  process.exit();
}
