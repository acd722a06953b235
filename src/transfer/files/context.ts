import { createHash } from 'node:crypto';
import { whole } from '../../rows/values.js';
import type { Damage, Report, YamlMap } from '../../store/file/reader.js';
import type { Collector } from './collector.js';

/** What the readers of the nouns share. */
export interface Context {
  /** Folder of the store. */
  readonly root: string;
  readonly rows: Collector;
  readonly report: Report;
  /** Told of what is left out, and of the rows that are lost with it. */
  lost(damage: Damage, rows: Readonly<Record<string, number>>): void;
  /** Told of lines that say what another one has said, which a database cannot. */
  repeated(table: string, lines: number): void;
  /** Whether a run is among the rows. */
  hasRun(id: string): boolean;
}

/** The id of an experiment as a database would have it; one that is no number stays as it is, for the mapping to see to it. */
export function experimentNumber(id: string): number | bigint | string {
  return /^(?:0|[1-9]\d*)$/.test(id) ? whole(BigInt(id)) : id;
}

/** 32 hexadecimal digits that are the same whenever they are made of the same parts. */
export function idOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** An integer of a YAML file, exactly; undefined where there is none. */
export function integerIn(meta: YamlMap, name: string): number | bigint | undefined {
  const value = Object.hasOwn(meta, name) ? meta[name] : undefined;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** A text of a YAML file; undefined where there is none. */
export function textIn(meta: YamlMap, name: string): string | undefined {
  const value = Object.hasOwn(meta, name) ? meta[name] : undefined;
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

/** MLflow 3.10 and later write it, and keep but one in files; undefined for that one, which older databases have no word for. */
export function workspaceIn(meta: YamlMap): string | undefined {
  const workspace = textIn(meta, 'workspace');
  return workspace === 'default' ? undefined : workspace;
}
