// Checks BPMN files as other tools read them: node validate.mjs <file.bpmn>...
//
// Per file: bpmn-moddle reads it without a warning; what it writes back reads the same; bpmnlint finds nothing by
// its rule sets `recommended` and `correctness`, warnings included. Exits with 1 and one line per finding, with 2
// when there is nothing to check.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';

const require = createRequire(import.meta.url);
const { Linter } = require('bpmnlint');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver');

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
  let first;
  try {
    first = await read(await readFile(file, 'utf8'));
  } catch (error) {
    return [ `not readable: ${error.message}` ];
  }
  return [ ...first.warnings, ...await roundTrip(first.root), ...await lint(first.root) ];
}

async function read(xml) {
  const { rootElement, warnings } = await new BpmnModdle().fromXML(xml);
  return { root: rootElement, warnings: warnings.map(warning => `moddle: ${warning.message}`) };
}

// Written once and read again, the file must say the same.
async function roundTrip(root) {
  const written = await write(root);
  const second = await read(written);
  const again = await write(second.root);
  return [ ...second.warnings, ...(written === again ? [] : [ 'round trip: not the same after reading again' ]) ];
}

async function write(root) {
  const { xml } = await new BpmnModdle().toXML(root, { format: true });
  return xml;
}

async function lint(root) {
  // A fresh one for each file: some rules remember what they saw in the file before.
  const linter = new Linter({
    config: { extends: [ 'bpmnlint:recommended', 'bpmnlint:correctness' ] },
    resolver: new NodeResolver({ require })
  });
  const results = await linter.lint(root);
  const excused = handledInSubProcesses(root);
  return Object.entries(results).flatMap(([ rule, reports ]) =>
    reports
      .filter(({ id }) => rule !== 'no-implicit-end' || !excused.has(id))
      .map(({ id, category, message }) => `lint ${rule} (${category}): ${id}: ${message}`));
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
