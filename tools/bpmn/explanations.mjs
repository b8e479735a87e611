// Which limit of bpmn-engine explains that it did something else than a run, and from when on. The reasons stand in
// limits.json.
// Knows diagrams and scenarios, and of the engine only what its run has noted.

import { keyOf, nameIn } from "./scenarios.mjs";

/**
 * What explains a difference: limits of the engine, with the first turn at which a scenario runs into them. A
 * difference before that turn is none of theirs.
 */
const EXPLANATIONS = [
  ["compensation of many", undoesOneOfMany],
  ["compensation twice", (diagram, { turns }) => (throwsOnTheWay(diagram) ? secondUndoing(turns) : Infinity)],
  ["an error out of a sub-process", errorsOut],
  ["compensation out of a sub-process", throwsInside],
  ["undoes what failed", undoesWhatFailed],
  ["a question in a branch", (diagram, scenario, run) => run.since.get("a question in a branch") ?? Infinity],
];

export function explained(diagram, scenario, run, turn, difference) {
  return EXPLANATIONS.find(([, since]) => since(diagram, scenario, run, difference) <= turn)?.[0];
}

/** When a call failed, of many or once more, whose activity the engine then undoes or goes on to wait for. */
function undoesWhatFailed(diagram, { turns }, run, difference) {
  const isNamed = (name) => new RegExp(`(undoes|waits:)(.* )?${name}(_undo|\\[)`).test(difference);
  return first(turns, ({ op, error }) => error && op && isNamed(nameIn(keyOf(op)).replace(/\W/g, "\\$&")));
}

/** The number of the first turn that is like this, counted from 1. */
function first(turns, isLikeThis, from = 0) {
  const place = turns.findIndex((turn, index) => index >= from && isLikeThis(turn));
  return place < 0 ? Infinity : place + 1;
}

const all = (diagram) => [...diagram.elements.values()];
const throwsOnTheWay = (diagram) =>
  all(diagram).some((e) => e.type === "IntermediateThrowEvent" && e.event === "Compensate" && !e.scope);

const isUndo = (op) => op.endsWith("/undo");

/** When one call of many is undone; and from the start on, of many that were none. */
function undoesOneOfMany(diagram, { turns }, run, difference) {
  const undone = diagram.elements.get(/^the engine undoes (\S+)_undo,/.exec(difference)?.[1]);
  const isBegun = (op) => diagram.elements.get(nameIn(keyOf(op))) === undone;
  if (undone?.instances && !turns.some(({ begun }) => begun?.some(isBegun))) return 0;
  return first(turns, ({ begun }) => begun?.some((op) => /\]\/undo$/.test(op)));
}

/** When something is undone again, after something else has been done. */
function secondUndoing(turns) {
  const undoes = ({ begun }) => begun?.some(isUndo);
  const once = first(turns, undoes);
  const between = first(turns, ({ begun }) => begun?.some((op) => !isUndo(op)), once);
  return first(turns, undoes, between);
}

/** When something has been undone in a sub-process that a compensation event stands in. */
function throwsInside(diagram, { turns }) {
  const throwing = all(diagram).filter((e) => e.type === "IntermediateThrowEvent" && e.event === "Compensate");
  const scopes = new Set(throwing.flatMap((e) => (e.scope ? [e.scope] : [])));
  const stands = (op) => scopes.has(diagram.elements.get(nameIn(keyOf(op)))?.scope);
  return first(turns, ({ begun }) => begun?.some((op) => isUndo(op) && stands(op)));
}

/**
 * When an error has left a sub-process and the engine lets others catch it, too: those on what begins then. Or when a
 * sub-process begins that has failed before.
 */
function errorsOut(diagram, { turns, flows }) {
  const failing = new Set();
  for (const [call, flow] of flows) {
    const end = diagram.elements.get(diagram.targets.get(call ? `${nameIn(keyOf(call))}.${flow}` : flow));
    const last = end?.event === "Compensate" ? diagram.elements.get(end.id.replace(/_undo$/, "")) : end;
    if (last?.type === "EndEvent" && last.event === "Error" && last.scope) failing.add(last.scope);
  }
  const elementOf = (op) => diagram.elements.get(nameIn(keyOf(op)));
  const scopesOf = (op) => (elementOf(op) ? [...diagram.scopes(elementOf(op))] : []);
  const hosts = new Set(all(diagram).flatMap((e) => (e.host && e.event === "Error" ? [e.host] : [])));
  const catchesErrors = (op) =>
    [elementOf(op)?.id, ...scopesOf(op)].some((host) => hosts.has(host));
  let failed = [];
  const open = new Set();
  for (const [place, { op, error, begun }] of turns.entries()) {
    open.delete(op);
    const left = error && op ? scopesOf(op).filter((scope) => failing.has(scope)) : [];
    failed = [...failed, ...left];
    const next = (begun ?? []).filter((other) => !isUndo(other));
    const isAgain = (other) => scopesOf(other).some((scope) => failed.includes(scope));
    if (failed.length && next.some((other) => catchesErrors(other) || isAgain(other))) return place + 1;
    const isBeside = (other) => catchesErrors(other) && !isAgain(other);
    if (left.length && [...open].some(isBeside)) return place + 1;
    next.forEach((other) => open.add(other));
  }
  return Infinity;
}

/** The gateways that ask something in a branch which a parallel gateway waits for. */
export function questionsInBranches(diagram) {
  diagram.inBranches ??= new Set(all(diagram).filter((e) => isInBranch(diagram, e)).map(({ id }) => id));
  return diagram.inBranches;
}

function isInBranch(diagram, { id, type, answers }) {
  if (type !== "ExclusiveGateway" || answers.size < 2) return false;
  const seen = new Set();
  const open = [id];
  while (open.length) {
    const from = open.pop();
    for (const [flow, source] of diagram.sources) {
      const target = diagram.targets.get(flow);
      if (source !== from || seen.has(target)) continue;
      seen.add(target);
      if (diagram.elements.get(target)?.type === "ParallelGateway") return true;
      open.push(target);
    }
  }
  return false;
}
