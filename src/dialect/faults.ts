/** The code that a driver put on an error, or on one of its causes. */
export function codeOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string') return each.code;
  }
  return undefined;
}

export function numberOf(error: unknown, property: 'errno' | 'number' | 'errcode'): number | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const value = (each as unknown as Record<string, unknown>)[property];
    if (typeof value === 'number') return value;
  }
  return undefined;
}

export function messageIncludes(error: unknown, ...parts: string[]): boolean {
  return error instanceof Error && parts.some((part) => error.message.includes(part));
}
