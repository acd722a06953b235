#!/usr/bin/env node
// Runs on any Node that can read an ES module, and starts mtrack on one that is new enough: this one, or the one that
// comes with the development dependencies.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST = [22, 17];

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function fromHere(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** The other Node gets the same terminal, and is told when this process is asked to stop, or dies. */
function restartOn(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`mtrack: ${node} cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

async function start() {
  if (!existsSync(fromHere('../dist/bundle/cli/main.js'))) {
    console.error('mtrack is not built yet: run `npm ci` (or `npm run build`) in its folder.');
    process.exitCode = 1;
    return;
  }
  const { main } = await import('../dist/bundle/cli/main.js');
  await main(import.meta.url);
}

if (isNewEnough(process.versions.node)) {
  await start();
} else {
  const node = fromHere('../node_modules/node/bin/node');
  if (existsSync(node)) restartOn(node);
  else {
    console.error(
      `mtrack needs Node.js ${OLDEST.join('.')} or newer, and this is ${process.versions.node}.\n` +
        'Install a newer one from https://nodejs.org, or run `npm ci` in the folder of mtrack, which brings one along.',
    );
    process.exitCode = 1;
  }
}
