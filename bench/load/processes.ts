/** What a process and all that it has started have used. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const PAGE = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface Used {
  /** Milliseconds of CPU time so far. */
  readonly cpu: number;
  /** Bytes of resident memory; pages that processes share are counted for each of them. */
  readonly memory: number;
  readonly processes: number;
}

export function used(root: number): Used {
  const all = new Map<number, { parent: number; cpu: number; memory: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      // From the state on: a program's name may hold anything.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [parent, user, system, pages] = [fields[1], fields[11], fields[12], fields[21]].map(Number) as number[];
      const cpu = (((user ?? 0) + (system ?? 0)) * 1000) / TICKS;
      all.set(Number(name), { parent: parent ?? 0, cpu, memory: (pages ?? 0) * PAGE });
    } catch {
      // It has ended since.
    }
  }
  const ofTree = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent)
      if (at === root) return true;
    return false;
  };
  const tree = [...all].filter(([pid]) => ofTree(pid)).map(([, each]) => each);
  return {
    cpu: tree.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: tree.reduce((sum, { memory }) => sum + memory, 0),
    processes: tree.length,
  };
}
