import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { historyPath, showHistory } from '../../cli/history.js';

export default class DbHistory extends BaseCommand {
  static override summary =
    'Show the runs on this machine that changed a database, and verify that the log is as it was written.';
  static override description =
    `Every upgrade, downgrade and garbage collection is appended when it begins and when it ends, with its database, revisions, plan, receipt, user and outcome; no secrets. Each line has the hash of the one before: a line that was changed, taken out or put in shows. That the last lines were cut off does not.

The log is in $XDG_STATE_HOME/mtrack/history.jsonl, or ~/.local/state/mtrack/history.jsonl.

EXIT STATUS: 0 the chain holds, 29 it is broken.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --history-file /var/log/mtrack.jsonl --json',
  ];
  static override flags = {
    'history-file': Flags.string({ description: 'another log', helpValue: 'PATH' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DbHistory);
    return showHistory(historyPath(flags['history-file']), this.terminal());
  }
}
