/**
 * What a store refuses, in MLflow's words: clients read the code, and some the message. The REST server answers with the
 * code's HTTP status and this body; stores and the search language throw it.
 */

/** MLflow's error codes with their HTTP status. A code that has no status of its own (MLflow knows more of them) is a 500. */
export const ERROR_CODES = {
  INTERNAL_ERROR: 500,
  INVALID_STATE: 500,
  DATA_LOSS: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  REQUEST_LIMIT_EXCEEDED: 429,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  ABORTED: 409,
  RESOURCE_CONFLICT: 409,
  ALREADY_EXISTS: 409,
  NOT_FOUND: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_DOES_NOT_EXIST: 404,
  PERMISSION_DENIED: 403,
  CUSTOMER_UNAUTHORIZED: 401,
  UNAUTHENTICATED: 401,
  BAD_REQUEST: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  INVALID_PARAMETER_VALUE: 400,
  FEATURE_DISABLED: 500,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** MLflow adds these two to the body of errors with these codes, and to no others. */
const INVALID = { sqlstate: 'KAM00', error_class: 'INVALID_PARAMETER_VALUE' };
const INTERNAL = { sqlstate: 'XXM00', error_class: 'CLIENT_INTERNAL_ERROR' };
const CLASSES: Partial<Record<ErrorCode, { readonly sqlstate: string; readonly error_class: string }>> = {
  BAD_REQUEST: INVALID,
  INVALID_PARAMETER_VALUE: INVALID,
  CUSTOMER_UNAUTHORIZED: { sqlstate: 'KAM00', error_class: 'PERMISSION_DENIED' },
  PERMISSION_DENIED: { sqlstate: 'KAM00', error_class: 'PERMISSION_DENIED' },
  ENDPOINT_NOT_FOUND: { sqlstate: 'KAM00', error_class: 'RESOURCE_NOT_FOUND' },
  NOT_FOUND: { sqlstate: 'KAM00', error_class: 'RESOURCE_NOT_FOUND' },
  RESOURCE_DOES_NOT_EXIST: { sqlstate: 'KAM00', error_class: 'RESOURCE_NOT_FOUND' },
  RESOURCE_ALREADY_EXISTS: { sqlstate: 'KAM00', error_class: 'RESOURCE_ALREADY_EXISTS' },
  FEATURE_DISABLED: { sqlstate: 'KAM00', error_class: 'FEATURE_DISABLED' },
  INTERNAL_ERROR: INTERNAL,
  INVALID_STATE: INTERNAL,
  TEMPORARILY_UNAVAILABLE: INTERNAL,
};

export class StoreError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }

  get status(): number {
    return ERROR_CODES[this.code];
  }

  /** The body that a client of MLflow expects. */
  toJSON(): Record<string, string> {
    return { error_code: this.code, message: this.message, ...CLASSES[this.code] };
  }
}

/** The most frequent refusal: a parameter of the request is not what it may be. */
export function invalidParameter(message: string, options?: ErrorOptions): StoreError {
  return new StoreError('INVALID_PARAMETER_VALUE', message, options);
}
