/** Suites that are the same for every dialect, and what happens where one cannot be had. */
import { describe } from 'vitest';
import { SERVERS, type Server } from './databases.js';

/** One suite for each dialect. Where its server is missing the suite is skipped by name; with CI=true the set-up fails. */
export async function forEachDialect(title: string, suite: (server: Server) => void): Promise<void> {
  await forEachOf(Object.values(SERVERS), title, suite);
}

/** The same for those that are programs of their own. */
export async function forEachServer(title: string, suite: (server: Server) => void): Promise<void> {
  await forEachOf([SERVERS.postgresql, SERVERS.mysql], title, suite);
}

async function forEachOf(servers: readonly Server[], title: string, suite: (server: Server) => void): Promise<void> {
  for (const server of servers) {
    const reason = await server.unavailable();
    const name = reason === null ? `${title}: ${server.dialect}` : `${title}: ${server.dialect} NOT RUN, ${reason}`;
    if (reason !== null && process.env.CI === 'true') throw new Error(`${server.dialect} is needed in CI: ${reason}`);
    describe.skipIf(reason !== null)(name, () => suite(server));
  }
}
