import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base.js';
import { MtrackError } from '../errors.js';
import { isRule, RULES, type Rule } from '../upgrade/rules.js';

export default class Explain extends BaseCommand {
  static override summary = 'Explain a rule of `db plan` and `db check`, or list them all.';
  static override description = 'What a finding means, and what to do about it. The same is in docs/rules.md.';
  static override examples = ['<%= config.bin %> <%= command.id %> MTK001', '<%= config.bin %> <%= command.id %>'];
  static override args = { rule: Args.string({ description: 'id of the rule, as MTK001; all of them when left out' }) };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Explain);
    if (args.rule === undefined) {
      for (const [id, { name, severity }] of Object.entries(RULES)) this.log(`${id}  ${severity.padEnd(7)}  ${name}`);
      return RULES;
    }
    const id = args.rule.toUpperCase();
    if (!isRule(id)) {
      throw new MtrackError('USAGE', {
        found: `${args.rule}: no such rule`,
        expected: 'an id such as MTK001',
        fix: ['`mtrack explain` lists them'],
      });
    }
    const rule: Rule = RULES[id];
    this.log([`${id} ${rule.name} (${rule.severity})`, '', rule.means, '', `What to do: ${rule.todo}`].join('\n'));
    return { id, ...rule };
  }
}
