/** JSON Schema, as far as OpenAPI descriptions are made of it here. */

export interface Schema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

/** A schema with a name goes into the description once, and is referred to. */
export interface Described {
  readonly schema: Schema;
  /** Under `components.schemas`. */
  readonly name?: string | undefined;
  /** What it is made of: these may have names, too. */
  readonly parts?: readonly Described[] | undefined;
}

export function reference({ name, schema }: Described): Schema {
  return name === undefined ? schema : { $ref: `#/components/schemas/${name}` };
}
