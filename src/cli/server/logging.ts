/** The log of the server: lines of JSON on stderr. */
import { LOG_LEVELS, type Log, type LogLevel } from '../../server/index.js';

export const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

export function logger(level: LogLevel, write: (line: string) => void): Log {
  const most = LOG_LEVELS.indexOf(level);
  return (of, message, fields) => {
    if (LOG_LEVELS.indexOf(of) > most) return;
    write(JSON.stringify({ time: new Date().toISOString(), level: of, pid: process.pid, message, ...fields }));
  };
}
