/**
 * Findings as workflow commands, which GitHub Actions shows as annotations
 * (https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#setting-an-error-message).
 */
import type { CheckFinding } from '../../../upgrade/check.js';
import { RULES } from '../../../upgrade/rules.js';
import type { Annotated } from './annotated.js';

const COMMAND = { note: 'notice', warning: 'warning', error: 'error' } as const;

export function githubOf(findings: readonly CheckFinding[], { file, line }: Annotated): string {
  return findings
    .map(({ rule, severity, revision, says, todo }) => {
      const title = `${rule} ${RULES[rule].name}${revision === null ? '' : ` (${revision})`}`;
      const properties = `file=${property(file)},line=${line},title=${property(title)}`;
      return `::${COMMAND[severity]} ${properties}::${data(`${says}. ${todo}`)}`;
    })
    .join('\n');
}

const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
