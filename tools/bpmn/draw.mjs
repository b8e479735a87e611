// Lets bpmn-js draw BPMN files in headless Chromium: node draw.mjs <file.bpmn>...
//
// A browser shows one page with the viewer and all files in it, and the page writes down what happened. Per file:
// the viewer imports every diagram of it without a warning, and draws every shape and every line that it has.
// CHROMIUM names the browser. Exits with 1 and one line per finding, with 2 when there is nothing to check.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const BROWSERS = process.env.CHROMIUM ? [ process.env.CHROMIUM ] : [ 'chromium', 'chromium-browser', 'google-chrome' ];
const VIEWER = fileURLToPath(new URL('node_modules/bpmn-js/dist/bpmn-navigated-viewer.production.min.js', import.meta.url));

const files = process.argv.slice(2);
if (!files.length) {
  console.error('usage: node draw.mjs <file.bpmn>...');
  process.exit(2);
}

const drawn = await draw(await Promise.all(files.map(file => readFile(file, 'utf8'))));
let count = 0;
files.forEach((file, index) => {
  for (const finding of drawn[index] ?? [ 'the browser said nothing about it' ]) {
    console.log(`${file}: ${finding}`);
    count += 1;
  }
});
console.log(`bpmn-js: ${files.length} files, ${count} findings`);
process.exit(count ? 1 : 0);

async function draw(texts) {
  const folder = await mkdtemp(join(tmpdir(), 'workflow-bpmn-'));
  try {
    const page = join(folder, 'page.html');
    await writeFile(page, html(await readFile(VIEWER, 'utf8'), texts));
    const dom = await browse(page, join(folder, 'profile'));
    const told = dom.match(/<pre id="told">([^<]*)<\/pre>/)?.[1];
    if (!told) {
      throw new Error('the page did not come to its end');
    }
    return JSON.parse(decodeURIComponent(told));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function browse(page, profile) {
  // The time is the page's own, so that a slow machine waits longer and a fast one does not.
  const flags = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`,
    '--virtual-time-budget=600000', '--dump-dom', pathToFileURL(page).href
  ];
  let missing;
  for (const browser of BROWSERS) {
    try {
      const { stdout } = await promisify(execFile)(browser, flags, { maxBuffer: 1 << 28, timeout: 600_000 });
      return stdout;
    } catch (error) {
      if (error.code !== 'ENOENT') {
        throw error;
      }
      missing = error;
    }
  }
  throw new Error(`no Chromium; on Debian install it with \`apt-get install chromium\` (${missing?.message})`);
}

function html(viewer, texts) {
  // A text with the end of a script in it must not end this one.
  const data = JSON.stringify(texts).replaceAll('<', '\\u003c');
  return `<!DOCTYPE html><meta charset="utf-8"><div id="canvas" style="width: 2000px; height: 1000px"></div>
<script>${viewer.replaceAll('</script', '<\\/script')}</script>
<script>
const texts = ${data};
(${inPage})(texts).then(
  told => told,
  error => texts.map(() => [ 'the page failed: ' + error ])
).then(told => {
  document.body.innerHTML = '<pre id="told">' + encodeURIComponent(JSON.stringify(told)) + '</pre>';
});
</script>`;
}

// Runs in the browser.
async function inPage(texts) {
  const told = [];
  for (const text of texts) {
    const findings = [];
    told.push(findings);
    const viewer = new window.BpmnJS({ container: '#canvas' });
    try {
      const { warnings } = await viewer.importXML(text);
      findings.push(...warnings.map(warning => 'bpmn-js: ' + warning.message));
      const count = tag => text.split('<bpmndi:' + tag + ' ').length - 1;
      const elements = viewer.get('elementRegistry');
      const lines = elements.filter(element => element.waypoints && !element.labelTarget).length;
      const roots = new Set(elements.filter(element => !element.parent));
      const shapes = elements.filter(
        element => !element.waypoints && !element.labelTarget && !roots.has(element)
      ).length;
      for (const [ what, found, written ] of [
        [ 'shapes', shapes, count('BPMNShape') ],
        [ 'lines', lines, count('BPMNEdge') ]
      ]) {
        if (found !== written) {
          findings.push(found + ' ' + what + ' are drawn, and ' + written + ' are in the file');
        }
      }
    } catch (error) {
      findings.push('bpmn-js: ' + error.message);
      findings.push(...(error.warnings || []).map(warning => 'bpmn-js: ' + warning.message));
    }
    viewer.destroy();
  }
  return told;
}
