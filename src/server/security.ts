/**
 * Who may talk to the server, as MLflow 3 decides it: a Host that is not expected may be a web page that has had its name
 * point here (DNS rebinding), and a foreign Origin a page that uses its visitor's browser.
 */

export interface SecurityOptions {
  /** Names that requests may be addressed to, with `*` for any text in them; MLflow's defaults when it is null. */
  readonly allowedHosts: readonly string[] | null;
  /** Other web sites that may use the server from a browser; `*` for all, then without their visitors' credentials. */
  readonly allowedOrigins: readonly string[];
  /** Whether answers may be shown in a frame: SAMEORIGIN, DENY or NONE (any page may). */
  readonly frames: string;
  /** No checks and no headers: MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE. */
  readonly disabled: boolean;
}

export const INVALID_HOST = 'Invalid Host header - possible DNS rebinding attack detected';
export const CROSS_ORIGIN = 'Cross-origin request blocked';

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]', '0.0.0.0'];
/** MLflow's patterns of private networks. */
const PRIVATE = ['192.168.*', '10.*', ...Array.from({ length: 16 }, (_, i) => `172.${16 + i}.*`), 'fc00:*', 'fd00:*'];
export const DEFAULT_HOSTS = [...LOCAL_HOSTS, ...LOCAL_HOSTS.map((host) => `${host}:*`), ...PRIVATE];

const CHANGING = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);
const ORIGINS_HERE = ['localhost', '127.0.0.1', '[::1]'];
const PREFLIGHT_HERE = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;
const HEALTH = new Set(['/health', '/version']);

/** As Python's `fnmatch`, of whose signs only `*` is used in names of hosts. */
function matcher(patterns: readonly string[]): (text: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const others = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's'));
  return (text) => exact.has(text) || others.some((pattern) => pattern.test(text));
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

export interface Refusal {
  readonly status: number;
  readonly text: string;
}

export interface Security {
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null where the request may go on. */
  refusal(request: { method: string; path: string; host: string; origin: string | undefined }): Refusal | null;
  /** Headers that let a browser give the answer to a page of this origin. */
  corsHeaders(origin: string): Readonly<Record<string, string>>;
  /** The answer to a browser that asks before it sends: headers, or null when it must not. */
  preflight(origin: string, asked: { headers: string | undefined }): Readonly<Record<string, string>> | null;
}

const NONE: Security = {
  headers: {},
  refusal: () => null,
  corsHeaders: () => ({}),
  preflight: () => ({}),
};

/** So many names of hosts are remembered. */
const REMEMBERED = 1000;

export function security({ allowedHosts, allowedOrigins, frames, disabled }: SecurityOptions): Security {
  if (disabled) return NONE;
  const mayHost = remembering(matcher(allowedHosts ?? DEFAULT_HOSTS));
  const mayOrigin = matcher(allowedOrigins);
  const everybody = allowedOrigins.includes('*');
  const frame = frames.toUpperCase();
  const preflightAllowed = (origin: string) =>
    everybody || PREFLIGHT_HERE.test(origin) || allowedOrigins.includes(origin);
  return {
    headers: {
      'x-content-type-options': 'nosniff',
      ...(frame !== 'NONE' && { 'x-frame-options': frame }),
    },
    refusal: ({ method, path, host, origin }) => {
      if (!HEALTH.has(path) && !mayHost(host)) return { status: 403, text: INVALID_HOST };
      const foreign = origin && CHANGING.has(method) && isApi(path) && !isHere(origin) && !mayOrigin(origin);
      return foreign ? { status: 403, text: CROSS_ORIGIN } : null;
    },
    corsHeaders: (origin) => {
      if (!preflightAllowed(origin)) return { vary: 'Origin' };
      if (everybody) return { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };
      return {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': '*',
        vary: 'Origin',
      };
    },
    preflight: (origin, asked) => {
      if (!preflightAllowed(origin)) return null;
      return {
        'access-control-allow-origin': everybody ? '*' : origin,
        ...(!everybody && { 'access-control-allow-credentials': 'true' }),
        'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS, PATCH',
        'access-control-max-age': '600',
        ...(asked.headers && { 'access-control-allow-headers': asked.headers }),
        vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      };
    },
  };
}

export const isApi = (path: string): boolean => path.startsWith('/api/') || path.startsWith('/ajax-api/');

/** A page that this machine serves, by any scheme. */
function isHere(origin: string): boolean {
  return URL.canParse(origin) && ORIGINS_HERE.includes(new URL(origin).hostname);
}

/** Nearly all requests have the same host. */
function remembering(decide: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    if (text === '') return false;
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const decision = decide(text);
    known.set(text, decision);
    return decision;
  };
}
