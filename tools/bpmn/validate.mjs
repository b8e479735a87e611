// Checks BPMN files as other tools read them: node validate.mjs <file.bpmn>...
//
// Per file: bpmn-moddle reads it without a warning; what it writes back reads the same; bpmnlint finds nothing by
// its rule sets `recommended` and `correctness`, warnings included, and a file for a Camunda engine nothing by the
// rules of that version of the engine, and of Camunda's own guidelines where there are hardly any. Exits with 1 and one line per finding, with 2 when there is nothing to check.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';

const require = createRequire(import.meta.url);
const { Linter } = require('bpmnlint');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver');

// The words and the rules of each engine that a file can be written for.
const ENGINES = {
  'Camunda Platform': {
    words: { camunda: require('camunda-bpmn-moddle/resources/camunda.json') },
    rules: version => `camunda-platform-${version}`,
    // The compatibility rules of Camunda 7 are one: how long history is kept. These ask what would make an engine refuse
    // or fail: work without an implementation, questions without conditions.
    more: { 'camunda/implementation': 'error', 'camunda/forking-conditions': 'error', 'camunda/avoid-lanes': 'error' }
  },
  'Camunda Cloud': {
    words: { zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json') },
    rules: version => `camunda-cloud-${version}`
  }
};

// The rule camunda/implementation asks every message definition what sends the message, also those of events that wait
// for one.
class Resolver extends NodeResolver {
  resolveRule(pkg, name) {
    const rule = super.resolveRule(pkg, name);
    if (name !== 'implementation') {
      return rule;
    }
    return config => {
      const { check } = rule(config);
      const waits = node => [ 'bpmn:StartEvent', 'bpmn:IntermediateCatchEvent' ].includes(node.$parent?.$type);
      return { check: (node, reporter) => (waits(node) ? undefined : check(node, reporter)) };
    };
  }
}

const files = process.argv.slice(2);
if (!files.length) {
  console.error('usage: node validate.mjs <file.bpmn>...');
  process.exit(2);
}

let count = 0;
for (const file of files) {
  for (const finding of await findings(file)) {
    console.log(`${file}: ${finding}`);
    count += 1;
  }
}
console.log(`moddle and lint: ${files.length} files, ${count} findings`);
process.exit(count ? 1 : 0);

async function findings(file) {
  let first, engine;
  try {
    const xml = await readFile(file, 'utf8');
    engine = engineOf(xml);
    first = await read(xml, engine);
  } catch (error) {
    return [ `not readable: ${error.message}` ];
  }
  return [ ...first.warnings, ...await roundTrip(first.root, engine), ...await lint(first.root, engine) ];
}

// The engine that a file names on its root; `undefined` when it is for none.
function engineOf(xml) {
  const platform = xml.match(/modeler:executionPlatform="([^"]*)"/)?.[1];
  if (platform === undefined) {
    return undefined;
  }
  const engine = ENGINES[platform];
  const version = xml.match(/modeler:executionPlatformVersion="(\d+)\.(\d+)/);
  if (!engine || !version) {
    throw new Error(`nobody here knows the engine \`${platform}\`, or it has no version`);
  }
  return { words: engine.words, rules: engine.rules(`${version[1]}-${version[2]}`), more: engine.more };
}

async function read(xml, engine) {
  const { rootElement, warnings } = await new BpmnModdle(engine?.words).fromXML(xml);
  return { root: rootElement, warnings: warnings.map(warning => `moddle: ${warning.message}`) };
}

// Written once and read again, the file must say the same.
async function roundTrip(root, engine) {
  const written = await write(root, engine);
  const second = await read(written, engine);
  const again = await write(second.root, engine);
  return [ ...second.warnings, ...(written === again ? [] : [ 'round trip: not the same after reading again' ]) ];
}

async function write(root, engine) {
  const { xml } = await new BpmnModdle(engine?.words).toXML(root, { format: true });
  return xml;
}

async function lint(root, engine) {
  // A fresh one for each file: some rules remember what they saw in the file before.
  const rules = engine ? [ `plugin:camunda-compat/${engine.rules}` ] : [];
  const linter = new Linter({
    config: { extends: [ 'bpmnlint:recommended', 'bpmnlint:correctness', ...rules ], rules: engine?.more ?? {} },
    resolver: new Resolver({ require })
  });
  const results = await linter.lint(root);
  const excused = handledInSubProcesses(root);
  return Object.entries(results).flatMap(([ rule, reports ]) =>
    reports
      .filter(({ id }) => rule !== 'no-implicit-end' || !excused.has(id))
      .filter(({ id }) => rule !== 'no-duplicate-sequence-flows' || !isIdleBranch(root, id))
      .filter(({ message }) => rule !== 'camunda-compat/no-loop' || !callsOnly(root, message))
      .map(({ id, category, message }) => `lint ${rule} (${category}): ${id}: ${message}`));
}

// The rule no-duplicate-sequence-flows takes two branches in which nothing is drawn for one: from a parallel gateway
// straight to another each flow is a branch of its own, and the second gateway waits for all of them.
function isIdleBranch(element, id) {
  return (element.rootElements || element.flowElements || []).some(child => {
    const ends = [ child.sourceRef || child, child.targetRef || child ];
    const isIdle = ends.every(({ $type }) => $type === 'bpmn:ParallelGateway');
    return child.id === id && isIdle || isIdleBranch(child, id);
  });
}

// The rule no-loop takes every call activity for one that may end at once, and so a loop around one for a loop
// without a wait. What is called here are workflows with steps of their own: these loops wait.
function callsOnly(root, message) {
  const ids = message.replace('Loop detected: ', '').split(' -> ');
  const elements = new Map();
  (function collect(element) {
    for (const child of element.rootElements || element.flowElements || []) {
      elements.set(child.id, child);
      collect(child);
    }
  })(root);
  const types = ids.map(id => elements.get(id)?.$type);
  return types.includes('bpmn:CallActivity') && !types.includes('bpmn:Task') && !types.includes('bpmn:ManualTask');
}

// The rule no-implicit-end of bpmnlint 11 looks for the association of a compensation event in the process only, so it
// takes every handled one in a sub-process for an end. These are the events that have their handler where they stand.
function handledInSubProcesses(element, found = new Set()) {
  for (const child of element.rootElements || element.flowElements || []) {
    handledInSubProcesses(child, found);
  }
  if (element.$type === 'bpmn:SubProcess') {
    for (const { sourceRef, targetRef } of element.artifacts || []) {
      if (sourceRef?.$type === 'bpmn:BoundaryEvent' && targetRef?.isForCompensation) {
        found.add(sourceRef.id);
      }
    }
  }
  return found;
}
