/** MySQL and MariaDB are one dialect with a few differences that matter: told apart by the server's version. */
export interface Server {
  readonly flavour: 'mysql' | 'mariadb';
  /** Major, minor, patch. */
  readonly version: readonly [number, number, number];
}

/** `10.11.6-MariaDB-1`, or behind a proxy `5.5.5-10.11.6-MariaDB`; `8.0.36`. */
export function serverOf(version: string): Server {
  const text = version.replace(/^5\.5\.5-/, '');
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return {
    flavour: /mariadb/i.test(text) ? 'mariadb' : 'mysql',
    version: [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)],
  };
}

/** Whether a server has a version or a later one, part by part. */
export function isAtLeast(server: Server, version: readonly number[]): boolean {
  for (const [i, part] of version.entries()) {
    const own = server.version[i] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
