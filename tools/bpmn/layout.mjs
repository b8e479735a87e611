// Measures our drawings beside those of bpmn-auto-layout: node layout.mjs <file.bpmn>...
//
// Counts crossings of lines and bends in every file that is for no engine, as it was drawn and as that tool draws the same model. Ours
// may have no more of either than the tool in all files together, nor more crossings in any one of them. What the tool
// cannot draw, or draws with lines left out, is counted and told. Exits with 1 when ours are worse, with 2 when there
// is nothing to measure.

import { readFile } from 'node:fs/promises';
import { layoutProcess } from 'bpmn-auto-layout';
import { BpmnModdle } from 'bpmn-moddle';

const files = process.argv.slice(2).filter((file) => !file.includes('/judged/'));
if (!files.length) {
  console.error('usage: node layout.mjs <file.bpmn>...');
  process.exit(2);
}

const sums = { ours: { crossings: 0, bends: 0, lines: 0 }, theirs: { crossings: 0, bends: 0, lines: 0 } };
let [ compared, left, worse ] = [ 0, 0, 0 ];
for (const file of files) {
  const xml = await readFile(file, 'utf8');
  // The same picture as that of the plain file beside it.
  if (xml.includes('modeler:executionPlatform=')) {
    continue;
  }
  const ours = await measure(xml);
  const theirs = await layoutProcess(xml).then(measure, () => undefined);
  // It draws one process, no pools and no pages; fewer lines are no comparison.
  if (!theirs || theirs.lines < ours.lines) {
    left += 1;
    continue;
  }
  compared += 1;
  for (const what of [ 'crossings', 'bends', 'lines' ]) {
    sums.ours[what] += ours[what];
    sums.theirs[what] += theirs[what];
  }
  if (ours.crossings > theirs.crossings) {
    console.log(`${file}: ${ours.crossings} crossings, and bpmn-auto-layout has ${theirs.crossings}`);
    worse += 1;
  }
}
const told = ({ crossings, bends, lines }) => `${crossings} crossings and ${bends} bends in ${lines} lines`;
console.log(`ours: ${told(sums.ours)}; bpmn-auto-layout: ${told(sums.theirs)}`);
console.log(`layout: ${compared} files compared, ${left} that bpmn-auto-layout does not draw in full`);
if (!compared) {
  process.exit(2);
}
const all = sums.ours.crossings > sums.theirs.crossings || sums.ours.bends > sums.theirs.bends;
process.exit(all || worse ? 1 : 0);

async function measure(xml) {
  const { rootElement } = await new BpmnModdle().fromXML(xml);
  let [ crossings, bends, lines ] = [ 0, 0, 0 ];
  for (const { plane } of rootElement.diagrams) {
    const edges = plane.planeElement.filter(element => element.$type === 'bpmndi:BPMNEdge').map(edge => {
      const { sourceRef, targetRef } = edge.bpmnElement;
      return { from: sourceRef?.id, to: targetRef?.id, points: straight(edge.waypoint) };
    });
    lines += edges.length;
    edges.forEach((edge, index) => {
      bends += edge.points.length - 2;
      crossings += edges.slice(index + 1).filter(other => cross(edge, other)).length;
    });
  }
  return { crossings, bends, lines };
}

// Without points at which nothing turns.
function straight(points) {
  return points.filter((point, index) => {
    const [ before, after ] = [ points[index - 1], points[index + 1] ];
    return !before || !after
      || (after.x - before.x) * (point.y - before.y) !== (after.y - before.y) * (point.x - before.x);
  });
}

// Lines that leave one element, or arrive at one, may share their way.
function cross(one, other) {
  if (one.from === other.from || one.to === other.to) {
    return false;
  }
  return pieces(one).some(a => pieces(other).some(b => meet(a, b)));
}

function pieces({ points }) {
  return points.slice(1).map((point, index) => [ points[index], point ]);
}

function meet([ a, b ], [ c, d ]) {
  const side = (p, q, r) => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}
