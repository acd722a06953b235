/** Suites that are the same for every dialect, and what happens where one cannot be had. */
import { describe } from 'vitest';
import { SERVERS, type Server } from './databases.js';

/** One suite for each dialect. Where its server is missing the suite is skipped by name; with CI=true the set-up fails. */
export async function forEachDialect(title: string, suite: (server: Server) => void): Promise<void> {
  for (const server of Object.values(SERVERS)) {
    const reason = await server.unavailable();
    const name = reason === null ? `${title}: ${server.dialect}` : `${title}: ${server.dialect} NOT RUN, ${reason}`;
    if (reason !== null && process.env.CI === 'true') throw new Error(`${server.dialect} is needed in CI: ${reason}`);
    describe.skipIf(reason !== null)(name, () => suite(server));
  }
}
