/** What Prometheus reads at /metrics: requests by route, and the state of the process. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface ServerMetrics {
  /** Notes one request. @param seconds from its first byte to the end of the answer */
  observe(method: string, route: string, status: number, seconds: number): void;
  text(): Promise<string>;
  readonly contentType: string;
  readonly registry: Registry;
}

/** Seconds: the fast routes take less than a millisecond. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function serverMetrics(): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'mtrack_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the end of its answer',
    labelNames: ['method', 'route'],
    buckets: BUCKETS,
    registers: [registry],
  });
  const answers = new Counter({
    name: 'mtrack_http_requests_total',
    help: 'Answered requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  // What is looked up by labels at each request costs more than the rest of this.
  const timers = new Map<string, Histogram.Internal<string>>();
  const counters = new Map<string, Counter.Internal>();
  return {
    contentType: registry.contentType,
    registry,
    text: () => registry.metrics(),
    observe: (method, route, status, seconds) => {
      const key = `${method} ${route}`;
      remembered(timers, key, () => durations.labels(method, route)).observe(seconds);
      remembered(counters, `${status} ${key}`, () => answers.labels(method, route, String(status))).inc();
    },
  };
}

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = make();
  known.set(key, value);
  return value;
}
