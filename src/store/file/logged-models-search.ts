/** Searching logged models, as measured on some datasets only where that is asked for. */
import { join } from 'node:path';
import { invalidParameter } from '../errors.js';
import type { LoggedModel, Metric, Page } from '../records.js';
import {
  decodePageToken,
  type Found,
  type Kind,
  matches,
  type Order,
  parseSearch,
  type Searchable,
  sorted,
} from '../search/index.js';
import type { LoggedModels } from '../store.js';
import type { Context } from './context.js';
import { findExperiment } from './find.js';
import { MODELS } from './layout.js';
import { wholeModel } from './logged-models-read.js';
import { pageOf } from './paging.js';
import { readModel } from './read-model.js';
import { readEach } from './reading.js';

const MOST_BY_DEFAULT = 100;

type Question = Parameters<LoggedModels['search']>[0];
type Datasets = NonNullable<Question['datasets']>;

export async function searchModels(context: Context, question: Question): Promise<Page<LoggedModel>> {
  const { experiment_ids, datasets = [], filter, order_by, max_results, page_token } = question;
  if (datasets.some(({ dataset_name }) => !dataset_name)) {
    throw invalidParameter('`dataset_name` in the `datasets` clause must be specified.');
  }
  const { where, orderBy } = parseSearch('loggedModelFiles', filter, order_by, 'file');
  const offset = decodePageToken(page_token);
  const folders = experiment_ids.flatMap((id) => {
    const experiment = findExperiment(context, id);
    const parent = experiment && join(experiment, MODELS);
    return (parent === undefined ? [] : (context.files.folders(parent) ?? [])).map((name) => join(parent ?? '', name));
  });
  const models = await readEach(context, folders, (folder, report) => {
    const stored = readModel(context.files, folder);
    if (stored === undefined || stored.stage === 'deleted') return undefined;
    return new Candidate(wholeModel(context, stored, report), datasets);
  });
  const needsMetric = datasets.length > 0 && !where.some(({ kind }) => kind === 'metric');
  const found = models.filter(
    (each) =>
      (!needsMetric || each.isMeasured) && where.every((clause) => matches('loggedModelFiles', clause, each.filtered)),
  );
  const { items, next_page_token } = pageOf(sorted(found, orderBy), offset, max_results || MOST_BY_DEFAULT);
  return { items: items.map(({ model }) => model), next_page_token };
}

/** As it is sorted. A filter looks at the first measurement of a metric, an order at the latest. */
class Candidate implements Searchable {
  readonly model: LoggedModel;
  readonly #datasets: Datasets;

  constructor(model: LoggedModel, datasets: Datasets) {
    this.model = model;
    this.#datasets = datasets;
  }

  find(kind: Kind, key: string, dataset?: Order['dataset']): Found {
    return kind === 'metric'
      ? latest(this.#measured(key).filter((each) => isOn(each, dataset)))?.value
      : this.#other(kind, key);
  }

  /** As it is filtered. */
  readonly filtered: Searchable = {
    find: (kind, key) =>
      kind === 'metric' ? this.#measured(key).find((each) => this.#isAskedFor(each))?.value : this.#other(kind, key),
  };

  /** On one of the datasets that are asked for. */
  get isMeasured(): boolean {
    return this.model.data.metrics.some((metric) => this.#isAskedFor(metric));
  }

  #measured(key: string): readonly Metric[] {
    return this.model.data.metrics.filter((metric) => metric.key === key);
  }

  #other(kind: Kind, key: string): Found {
    const { info, data } = this.model;
    if (kind === 'tag') return info.tags.find((tag) => tag.key === key)?.value;
    if (kind === 'parameter') return data.params.find((param) => param.key === key)?.value;
    return kind === 'attribute' ? attributeOf(info, key) : undefined;
  }

  #isAskedFor(metric: Metric): boolean {
    if (this.#datasets.length === 0) return true;
    return this.#datasets.some(
      ({ dataset_name, dataset_digest }) =>
        metric.dataset_name === dataset_name &&
        (dataset_digest === undefined || metric.dataset_digest === dataset_digest),
    );
  }
}

const isOn = ({ dataset_name, dataset_digest }: Metric, dataset: Order['dataset']): boolean =>
  (!dataset?.name || dataset_name === dataset.name) && (!dataset?.digest || dataset_digest === dataset.digest);

/** The first of the latest. */
const latest = (metrics: readonly Metric[]): Metric | undefined =>
  metrics.toSorted((one, other) => other.timestamp - one.timestamp)[0];

function attributeOf(info: LoggedModel['info'], key: string): Found {
  switch (key) {
    case 'name':
    case 'model_id':
    case 'model_type':
    case 'source_run_id':
      return info[key];
    case 'status':
      return STATUS_NAMES[info.status];
    case 'creation_timestamp':
    case 'creation_time':
      return info.creation_timestamp_ms;
    case 'last_updated_timestamp':
    case 'last_updated_time':
      return info.last_updated_timestamp_ms;
    default:
      return undefined;
  }
}

/** As the entity of MLflow spells them. */
const STATUS_NAMES = {
  LOGGED_MODEL_STATUS_UNSPECIFIED: 'UNSPECIFIED',
  LOGGED_MODEL_PENDING: 'PENDING',
  LOGGED_MODEL_READY: 'READY',
  LOGGED_MODEL_UPLOAD_FAILED: 'FAILED',
} as const;
