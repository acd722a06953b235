/** Findings as JUnit's XML, which most CI servers read: a test for each rule, that fails where a finding counts. */
import type { CheckFinding } from '../../../upgrade/check.js';
import { RULES, type RuleId } from '../../../upgrade/rules.js';

/** @param counts whether a finding is one that makes the check fail */
export function junitOf(findings: readonly CheckFinding[], counts: (finding: CheckFinding) => boolean): string {
  const rules = Object.keys(RULES) as RuleId[];
  const cases = rules.map((rule) =>
    testCase(
      rule,
      findings.filter((each) => each.rule === rule),
      counts,
    ),
  );
  const failures = rules.filter((rule) => findings.some((each) => each.rule === rule && counts(each))).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite name="mtrack db check" tests="${rules.length}" failures="${failures}" errors="0" skipped="0">`,
    ...cases,
    '</testsuite></testsuites>',
  ].join('\n');
}

function testCase(rule: RuleId, findings: readonly CheckFinding[], counts: (finding: CheckFinding) => boolean): string {
  const opening = `<testcase classname="mtrack" name="${escaped(`${rule} ${RULES[rule].name}`)}"`;
  if (findings.length === 0) return `${opening}/>`;
  const text = findings.map(({ revision, says }) => `${revision === null ? '' : `${revision}: `}${says}`).join('\n');
  const failing = findings.find(counts);
  return failing
    ? `${opening}><failure message="${escaped(failing.says)}" type="${failing.severity}">${escaped(text)}</failure></testcase>`
    : `${opening}><system-out>${escaped(text)}</system-out></testcase>`;
}

/** Of what XML 1.0 cannot hold, nothing is kept (https://www.w3.org/TR/xml/#charsets). */
const escaped = (text: string) =>
  text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
