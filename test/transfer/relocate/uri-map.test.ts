import { describe, expect, test } from 'vitest';
import { UriMap } from '../../../src/transfer/relocate/uri-map.js';

describe('a map of URIs', () => {
  const cases: readonly (readonly [uri: string, rules: readonly string[], moved: string | null])[] = [
    ['s3://old/1/ab/artifacts', ['s3://old=s3://new'], 's3://new/1/ab/artifacts'],
    ['s3://old', ['s3://old=s3://new/path'], 's3://new/path'],
    ['s3://old/', ['s3://old/=s3://new/'], 's3://new/'],
    // Names are whole.
    ['s3://older/1', ['s3://old=s3://new'], null],
    ['s3://old/ab', ['s3://old/a=s3://new'], null],
    ['gs://other/1', ['s3://old=s3://new'], null],
    // The longest beginning counts, wherever it stands.
    ['s3://old/a/b/c', ['s3://old=s3://x', 's3://old/a/b=s3://y', 's3://old/a=s3://z'], 's3://y/c'],
    // One that is moved is not moved again.
    ['s3://a/1', ['s3://a=s3://b', 's3://b=s3://c'], 's3://b/1'],
    // A name can hold the sign.
    ['s3://old/date=1/x', ['s3://old/date=1=gs://new/date=2'], 'gs://new/date=2/x'],
    ['mlruns/1/x', ['mlruns=elsewhere'], 'elsewhere/1/x'],
    ['mlflow-artifacts:/1/ab', ['mlflow-artifacts:/=s3://new/root'], 's3://new/root/1/ab'],
    ['runs:/ab/model', ['s3://old=s3://new'], null],
    ['wasbs://c@acc.blob.core.windows.net/x', ['wasbs://c@acc.blob.core.windows.net=gs://b'], 'gs://b/x'],
    ['s3://old/x?versionId=1', ['s3://old/x=s3://new/y'], 's3://new/y?versionId=1'],
    // A local place in every spelling, with what only one of them encodes.
    ['/srv/mlruns/1', ['/srv/mlruns=s3://b'], 's3://b/1'],
    ['file:///srv/mlruns/1', ['/srv/mlruns=s3://b'], 's3://b/1'],
    ['file:/srv/mlruns/1', ['file:///srv/mlruns=s3://b'], 's3://b/1'],
    ['/srv/mlruns/1', ['file:///srv/mlruns=file:///new'], 'file:///new/1'],
    ['file:///srv/my%20runs/a%20b', ['/srv/my runs=s3://b'], 's3://b/a b'],
    ['file:///srv/mlruns/a%20b', ['/srv/mlruns=/new'], 'file:///new/a%20b'],
    ['/srv/mlruns/a b', ['/srv/mlruns=/new'], '/new/a b'],
    ['file:///srv/my runs/a b', ['/srv/my runs=/new'], 'file:///new/a b'],
    ['/srv/my runs/a b#1', ['/srv/my runs=file:///new'], 'file:///new/a%20b%231'],
  ];
  test.each(cases)('%s by %j', (uri, rules, moved) => {
    expect(new UriMap(rules).moved(uri)).toBe(moved);
  });

  test.each(['s3://old', '=s3://new', 's3://old=', ''])('is not made of %j', (rule) => {
    expect(() => new UriMap([rule])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('gives no place two places', () => {
    expect(() => new UriMap(['/a=/b', 'file:///a=/c'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
