/** What was read is remembered, and never told when it is not so any more. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Damage, Unreadable } from '../../../src/store/file/damage.js';
import { disk } from '../../../src/store/file/files.js';
import { RememberedFiles } from '../../../src/store/file/memory.js';

const MEGABYTE = 2 ** 20;
const HOUR = 3_600_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** As if all files had been written long ago. */
const later = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR });

/** A value that can be told from another one of the same text. */
const boxed = (text: string) => ({ text });
const plain = (tree: ReadonlyMap<string, unknown>) =>
  Object.fromEntries([...tree].map(([name, value]) => [name, value instanceof Damage ? value.message : value]));

describe('a file', () => {
  test('is read once for as long as it stays as it is', () => {
    const [files, path] = [new RememberedFiles(MEGABYTE), join(folder, 'a')];
    writeFileSync(path, 'one');
    later();
    const first = files.read(path, boxed);
    expect(first).toEqual({ text: 'one' });
    expect(files.read(path, boxed)).toBe(first);
  });

  test('is read again when it was written to a moment ago, even if nothing shows', () => {
    const [files, path] = [new RememberedFiles(MEGABYTE), join(folder, 'a')];
    for (const text of ['a', 'b', 'c', 'd', 'e']) {
      writeFileSync(path, text);
      expect(files.read(path, boxed)).toEqual({ text });
    }
  });

  test('is read again when it was changed in place, and its time set back', () => {
    const [files, path] = [new RememberedFiles(MEGABYTE), join(folder, 'a')];
    writeFileSync(path, 'one');
    const { atime, mtime } = statSync(path);
    later();
    expect(files.read(path, boxed)).toEqual({ text: 'one' });
    // A change of the same length in the same tick of the clock is not told from none: wait for the next.
    const until = performance.now() + 25;
    while (performance.now() < until);
    writeFileSync(path, 'two');
    utimesSync(path, atime, mtime);
    expect(files.read(path, boxed)).toEqual({ text: 'two' });
  });

  test('is read again when another one took its place, and is not there when it has gone', () => {
    const [files, path] = [new RememberedFiles(MEGABYTE), join(folder, 'a')];
    writeFileSync(path, 'one');
    later();
    expect(files.read(path, boxed)).toEqual({ text: 'one' });
    writeFileSync(join(folder, 'b'), 'two');
    renameSync(join(folder, 'b'), path);
    expect(files.read(path, boxed)).toEqual({ text: 'two' });
    rmSync(path);
    expect(files.read(path, boxed)).toBeUndefined();
  });

  test('keeps what is wrong with it until it changes', () => {
    const [files, path] = [new RememberedFiles(MEGABYTE), join(folder, 'a')];
    const decode = (text: string) => {
      if (text === 'bad') throw new Unreadable('is bad', 7);
      return text;
    };
    writeFileSync(path, 'bad');
    later();
    for (let time = 0; time < 2; time++) expect(() => files.read(path, decode)).toThrow(`${path}, line 7, is bad`);
    writeFileSync(path, 'better');
    expect(files.read(path, decode)).toBe('better');
  });
});

describe('a folder', () => {
  test('is the same tree for as long as nothing in it changes', () => {
    const files = new RememberedFiles(MEGABYTE);
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'a/b/c'), '1');
    writeFileSync(join(folder, 'a/d'), '2');
    later();
    const tree = files.tree(folder, boxed);
    expect(plain(tree)).toEqual({ 'a/b/c': { text: '1' }, 'a/d': { text: '2' } });
    expect(files.tree(folder, boxed)).toBe(tree);
    appendFileSync(join(folder, 'a/b/c'), '1');
    const changed = files.tree(folder, boxed);
    expect(plain(changed)).toEqual({ 'a/b/c': { text: '11' }, 'a/d': { text: '2' } });
    // What did not change was not read again.
    expect(changed.get('a/d')).toBe(tree.get('a/d'));
  });

  test('is what the disk says, whatever happens to it', () => {
    later();
    const name = fc.constantFrom('a', 'b', 'c/a', 'c/b', 'c/d/e', 'x y');
    const step = fc.oneof(
      fc.record({ do: fc.constant('write' as const), name }),
      fc.record({ do: fc.constant('append' as const), name }),
      fc.record({ do: fc.constant('replace' as const), name }),
      fc.record({ do: fc.constant('remove' as const), name }),
      fc.record({ do: fc.constant('removeFolder' as const), name: fc.constantFrom('c', 'c/d') }),
      fc.record({ do: fc.constant('move' as const), name }),
    );
    let size = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const [files, root] = [new RememberedFiles(MEGABYTE), mkdtempSync(join(folder, 'root-'))];
        for (const each of steps) {
          const path = join(root, each.name);
          // Another size each time: the steps come faster than the clock of the file system goes on.
          const text = 'x'.repeat(++size % 5000);
          mkdirSync(join(path, '..'), { recursive: true });
          if (each.do === 'write') writeFileSync(path, text);
          else if (each.do === 'append') appendFileSync(path, 'y');
          else if (each.do === 'replace') {
            writeFileSync(join(folder, 'part'), text);
            renameSync(join(folder, 'part'), path);
          } else if (each.do === 'move') {
            rmSync(join(folder, 'moved'), { recursive: true, force: true });
            renameSync(root, join(folder, 'moved'));
            renameSync(join(folder, 'moved'), root);
          } else rmSync(path, { recursive: true, force: true });
          expect(plain(files.tree(root, boxed))).toEqual(plain(disk.tree(root, boxed)));
          expect(files.folders(root)).toEqual(disk.folders(root));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('does not lead out of itself, or round in a circle', () => {
    const files = new RememberedFiles(MEGABYTE);
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/b'), '1');
    symlinkSync('..', join(folder, 'a/up'));
    symlinkSync('b', join(folder, 'a/link'));
    symlinkSync('nowhere', join(folder, 'a/lost'));
    for (const each of [files, disk]) {
      expect(plain(each.tree(folder, boxed))).toEqual({ 'a/b': { text: '1' }, 'a/link': { text: '1' } });
    }
  });

  test('that is not there is empty', () => {
    const files = new RememberedFiles(MEGABYTE);
    expect(files.tree(join(folder, 'none'), boxed).size).toBe(0);
    expect(files.folders(join(folder, 'none'))).toBeUndefined();
  });
});

test('no more is held than was allowed, and what was let go is read again', () => {
  const limit = 200_000;
  const files = new RememberedFiles(limit);
  for (let at = 0; at < 300; at++) {
    mkdirSync(join(folder, `${at}`));
    writeFileSync(join(folder, `${at}/a`), `${at} ${'x'.repeat(1000)}`);
    writeFileSync(join(folder, `file${at}`), `${at} ${'x'.repeat(1000)}`);
  }
  later();
  for (let time = 0; time < 2; time++) {
    for (let at = 0; at < 300; at++) {
      const text = readFileSync(join(folder, `file${at}`), 'utf8');
      expect(files.read(join(folder, `file${at}`), (each) => each)).toBe(text);
      expect(files.tree(join(folder, `${at}`), (each) => each).get('a')).toBe(text);
      expect(files.bytes).toBeLessThanOrEqual(limit);
    }
  }
  expect(files.bytes).toBeGreaterThan(limit / 2);
});
