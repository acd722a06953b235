/** Whether answers are what /openapi.json says of them. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { description } from '../../../src/server/index.js';
import type { Received, Sent } from './peers.js';

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'description', ...description });
const validators = new Map<object, ReturnType<typeof ajv.compile>>();

const paths = Object.entries(description.paths)
  .map(([path, operations]) => ({
    // The last part of a path of files holds slashes.
    pattern: new RegExp(`^${path.replace('{artifact_path}', '.+').replace(/\{\w+\}/g, '[^/]+')}$`),
    names: path.split('{').length,
    operations: operations as Readonly<Record<string, Operation>>,
  }))
  .sort((a, b) => a.names - b.names);

/** What is wrong with the answer; null when it is as described. */
export function undescribed({ method, target }: Sent, { status, headers, body }: Received): string | null {
  const [path = ''] = target.split('?');
  const operation = paths.find(({ pattern, operations }) => pattern.test(path) && operations[method.toLowerCase()])
    ?.operations[method.toLowerCase()];
  if (!operation)
    return [403, 404, 405, 501].includes(status) || method === 'OPTIONS' ? null : `${path} is not described`;
  const response = operation.responses[status] ?? operation.responses.default;
  if (!response) return `${status} is not described`;
  const type = headers['content-type']?.split(';')[0];
  if (type === undefined || body.length === 0) return null;
  if (type === 'text/plain' && status === 403) return null;
  const content = response.content?.[type] ?? response.content?.['*/*'];
  if (!content) return `${type} is not described for ${status}`;
  if (type !== 'application/json') return null;
  // Names in the description are found from its own root.
  const schema = JSON.parse(JSON.stringify(content.schema).replaceAll('"#/', '"description#/')) as object;
  const validate = validators.get(content.schema) ?? ajv.compile(schema);
  validators.set(content.schema, validate);
  return validate(JSON.parse(body.toString())) ? null : ajv.errorsText(validate.errors);
}
