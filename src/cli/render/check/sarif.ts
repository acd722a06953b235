/** Findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), as code scanning reads it. */
import type { CheckFinding } from '../../../upgrade/check.js';
import { RULES, type RuleId } from '../../../upgrade/rules.js';
import type { Annotated } from './annotated.js';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** @param version of mtrack @param at the place in a file that is to be marked */
export function sarifOf(findings: readonly CheckFinding[], version: string, at: Annotated): object {
  const ids = [...new Set(findings.map(({ rule }) => rule))].sort();
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'mtrack', version, rules: ids.map(ruleOf) } },
        results: findings.map((finding) => resultOf(finding, ids, at)),
      },
    ],
  };
}

function ruleOf(id: RuleId): object {
  const { name, severity, means, todo } = RULES[id];
  return {
    id,
    name,
    shortDescription: { text: name.replaceAll('-', ' ') },
    fullDescription: { text: means },
    help: { text: todo },
    defaultConfiguration: { level: severity },
  };
}

function resultOf(finding: CheckFinding, ids: readonly RuleId[], { file, line }: Annotated): object {
  const { rule, severity, revision, table, says, todo } = finding;
  const where = [revision, table].filter((each) => each !== null);
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: severity,
    message: { text: `${says}. ${todo}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: encodeURI(file) }, region: { startLine: line } },
        ...(where.length > 0 && { logicalLocations: where.map((name) => ({ name })) }),
      },
    ],
    partialFingerprints: { 'mtrack/v1': [rule, revision, finding.step, table].map((each) => each ?? '').join('|') },
  };
}
