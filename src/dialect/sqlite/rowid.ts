/** The names of a row's number, each as long as no column has it. */
export const ROWID_NAMES = ['rowid', '_rowid_', 'oid'] as const;
export type RowidName = (typeof ROWID_NAMES)[number];

/** Whether a name means the row's own number, where no column has it. */
export const isRowidName = (name: string): name is RowidName => ROWID_NAMES.some((each) => each === name);
