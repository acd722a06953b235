/**
 * The head of MLflow's lineage in each release, read from the released packages (the last patch of each minor release).
 * 1.0 ships no revisions; 1.2 to 1.6 were not read.
 */
export const HEADS_BY_RELEASE: Readonly<Record<string, string>> = {
  '1.1.0': '181f10493468',
  '1.7.2': '0a8213491aaa',
  '1.8.0': '0a8213491aaa',
  '1.9.1': '0a8213491aaa',
  '1.10.0': '27a6a02d2cf1',
  '1.11.0': '84291f40a231',
  '1.12.1': '84291f40a231',
  '1.13.1': 'a8c4a736bde6',
  '1.14.1': 'a8c4a736bde6',
  '1.15.0': '39d1c3be5f05',
  '1.16.0': 'c48cb773bb87',
  '1.17.0': 'c48cb773bb87',
  '1.18.0': 'c48cb773bb87',
  '1.19.0': 'c48cb773bb87',
  '1.20.2': 'c48cb773bb87',
  '1.21.0': 'c48cb773bb87',
  '1.22.0': 'c48cb773bb87',
  '1.23.1': 'c48cb773bb87',
  '1.24.0': 'c48cb773bb87',
  '1.25.1': 'bd07f7e963c5',
  '1.26.1': 'bd07f7e963c5',
  '1.27.0': 'bd07f7e963c5',
  '1.28.0': 'cc1f77228345',
  '1.29.0': '97727af70f4d',
  '1.30.1': '97727af70f4d',
  '2.0.1': '97727af70f4d',
  '2.1.1': '97727af70f4d',
  '2.2.2': '97727af70f4d',
  '2.3.2': '3500859a5d39',
  '2.4.2': '7f2a7d5fae7d',
  '2.5.0': '7f2a7d5fae7d',
  '2.6.0': '7f2a7d5fae7d',
  '2.7.1': '7f2a7d5fae7d',
  '2.8.1': 'acf3f17fdcc7',
  '2.9.2': 'acf3f17fdcc7',
  '2.10.2': 'acf3f17fdcc7',
  '2.11.5': 'acf3f17fdcc7',
  '2.12.2': 'acf3f17fdcc7',
  '2.13.3': '5b0e9adcef9c',
  '2.14.3': '5b0e9adcef9c',
  '2.15.1': '4465047574b1',
  '2.16.2': '4465047574b1',
  '2.17.2': 'f5a4f2784254',
  '2.18.0': '0584bdc529eb',
  '2.19.0': '0584bdc529eb',
  '2.20.4': '0584bdc529eb',
  '2.21.3': '0584bdc529eb',
  '2.22.5': '0584bdc529eb',
  '3.0.1': 'bda7b8c39065',
  '3.1.4': 'bda7b8c39065',
  '3.2.0': '770bee3ae1dd',
  '3.3.2': '1a0cddfcaa16',
  '3.4.0': '71994744cf8e',
  '3.5.1': 'bf29a5ff90ea',
  '3.6.0': 'bf29a5ff90ea',
  '3.7.0': 'bf29a5ff90ea',
  '3.8.1': '1bd49d398cd23',
  '3.9.0': 'd3e4f5a6b7c8',
  '3.10.1': '1b5f0d9ad7c1',
  '3.11.1': 'c3d6457b6d8a',
  '3.12.0': '7d34483879f0',
  '3.13.0': 'da6fb0208061',
  '3.14.0': 'b7e4c1a90f23',
  '3.15.2': '6f8d9c3b2a1e',
  '3.16.1': 'b7e2c1a4d9f3',
  '3.17.2': 'dc11669786a5',
  '3.18.0': 'f4a9b2c7d1e6',
};

/** The releases that end at a revision, as `2.8 – 2.12`, or none. */
export function releasesOf(revision: string): string | null {
  const minor = (version: string) => version.split('.').slice(0, 2).join('.');
  const releases = Object.entries(HEADS_BY_RELEASE).flatMap(([version, head]) =>
    head === revision ? [minor(version)] : [],
  );
  const [first, last] = [releases[0], releases.at(-1)];
  if (first === undefined || last === undefined) return null;
  return first === last ? first : `${first} – ${last}`;
}
